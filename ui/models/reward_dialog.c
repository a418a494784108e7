/* reward_dialog.c: verdict, accuracy by group, calibration, margins, and the numbers behind them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/models/reward_dialog.h"

#include "core/project/reward_report.h"
#include "ui/charts/figure.h"
#include "ui/resources.h"
#include "ui/runs/run_details.h"
#include "ui/work_window.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define LAUREL_TYPE_REWARD_DIALOG (laurel_reward_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRewardDialog, laurel_reward_dialog, LAUREL, REWARD_DIALOG,
                      LaurelWorkWindow)

struct _LaurelRewardDialog {
  LaurelWorkWindow parent_instance;

  AdwWindowTitle *title;
  GtkStack *states;
  GtkWidget *scroller;
  GtkProgressBar *progress;
  AdwStatusPage *failure;
  GtkLabel *verdict; /* its first sentence */
  GtkLabel *remarks; /* the others */
  AdwPreferencesGroup *accuracy;
  AdwPreferencesGroup *calibration;
  AdwPreferencesGroup *margins;
  GtkListBox *facts;
};

G_DEFINE_FINAL_TYPE (LaurelRewardDialog, laurel_reward_dialog, LAUREL_TYPE_WORK_WINDOW)

/* --- Figures ------------------------------------------------------------------------ */

static char *
format_number (double value)
{
  return laurel_with_minus_signs (g_strdup_printf ("%.2f", value));
}

static char *
format_interval (const LaurelInterval *interval, gboolean is_share)
{
  double scale = is_share ? 100 : 1;
  char *text;

  if (isnan (interval->value))
    return g_strdup ("–");
  if (isnan (interval->low))
    text = is_share ? g_strdup_printf ("%.1f %%", scale * interval->value)
                    : g_strdup_printf ("%.2f", interval->value);
  else /* Translators: a value and its 95 % interval. */
    text = g_strdup_printf (is_share ? _("%.1f %% [%.1f, %.1f]") : _("%.2f [%.2f, %.2f]"),
                            scale * interval->value, scale * interval->low,
                            scale * interval->high);
  return laurel_with_minus_signs (text);
}

static void
add_groups (LaurelIntervalPlot *plot, const LaurelRewardReport *report, LaurelRewardGroupKind kind)
{
  const GArray *groups = laurel_reward_report_get_groups (report, kind);

  if (groups->len == 0)
    return;
  laurel_interval_plot_add_heading (plot, laurel_reward_group_kind_title (kind));
  for (guint i = 0; i < groups->len; i++) {
    const LaurelRewardGroup *group = &g_array_index (groups, LaurelRewardGroup, i);
    g_autofree char *name = laurel_reward_report_name_group (report, kind, group);

    laurel_interval_plot_add (plot, name, group->accuracy.value, group->accuracy.low,
                              group->accuracy.high, group->accuracy.n);
  }
}

static GtkWidget *
make_accuracy (const LaurelRewardReport *report)
{
  const LaurelInterval *accuracy = &report->figures.accuracy;
  LaurelIntervalPlot *plot = laurel_interval_plot_new (_("pairs"));
  g_autofree char *all = format_interval (accuracy, TRUE);
  g_autofree char *summary = g_strdup_printf (_("Accuracy of the reward model: %s"), all);

  laurel_interval_plot_set_line (plot, 0, .5, _("a coin"));
  if (!isnan (report->agreement.value))
    laurel_interval_plot_set_line (plot, 1, report->agreement.value, _("labelers agree"));
  else
    laurel_interval_plot_set_line (plot, 1, report->figures.ceiling, _("Bradley–Terry ceiling"));
  laurel_interval_plot_add (plot, _("All pairs"), accuracy->value, accuracy->low, accuracy->high,
                            accuracy->n);
  for (int kind = 0; kind < LAUREL_N_GROUPS; kind++)
    add_groups (plot, report, kind);
  return laurel_figure_new_intervals (plot, summary);
}

static GtkWidget *
make_calibration (const LaurelRewardReport *report)
{
  const GArray *bins = report->figures.calibration;
  LaurelPlot *plot = laurel_plot_new (LAUREL_PLOT_POINTS, _("said, %"), _("right, %"));
  g_autoptr (GPtrArray) tips = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *error = format_interval (&report->figures.ece, TRUE);
  g_autofree char *summary = g_strdup_printf (_("Calibration; expected error: %s"), error);

  plot->diagonal = TRUE;
  plot->min_x = 50;
  plot->max_x = plot->max_y = 100;
  for (guint i = 0; i < bins->len; i++) {
    const LaurelCalibrationBin *bin = &g_array_index (bins, LaurelCalibrationBin, i);
    LaurelPlotPoint point = { 100 * bin->predicted, 100 * bin->observed.value,
                              100 * bin->observed.low, 100 * bin->observed.high };
    g_autofree char *right = format_interval (&bin->observed, TRUE);

    g_array_append_val (plot->points, point);
    g_ptr_array_add (tips, g_strdup_printf (ngettext ("says %.1f %%, right %s; %d pair",
                                                      "says %.1f %%, right %s; %d pairs",
                                                      (gulong) bin->observed.n),
                                            100 * bin->predicted, right, bin->observed.n));
  }
  return laurel_figure_new_plot (plot, summary, tips);
}

static GtkWidget *
make_margins (const LaurelRewardReport *report)
{
  const LaurelRewardEvaluation *figures = &report->figures;
  LaurelPlot *plot = laurel_plot_new (LAUREL_PLOT_BARS, _("margin"), _("pairs"));
  g_autoptr (GPtrArray) tips = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *median = format_number (figures->median_margin);
  g_autofree char *summary =
      g_strdup_printf (_("Margins; median %s, of %d pairs"), median, figures->n_pairs);

  plot->bar_width = figures->histogram_width;
  plot->line_x = 0;
  plot->min_x = MIN (figures->histogram_start, 0);
  plot->max_x =
      MAX (figures->histogram_start + figures->histogram->len * figures->histogram_width, 0);
  for (guint i = 0; i < figures->histogram->len; i++) {
    int n = g_array_index (figures->histogram, int, i);
    double left = figures->histogram_start + i * figures->histogram_width;
    LaurelPlotPoint point = { left, n, NAN, NAN };

    g_array_append_val (plot->points, point);
    plot->max_y = MAX (plot->max_y, n);
    g_ptr_array_add (tips, laurel_with_minus_signs (g_strdup_printf (
                               ngettext ("%.2f to %.2f: %d pair", "%.2f to %.2f: %d pairs",
                                         (gulong) n),
                               left, left + figures->histogram_width, n)));
  }
  return laurel_figure_new_plot (plot, summary, tips);
}

/* --- Numbers ------------------------------------------------------------------------- */

static void
add_fact (LaurelRewardDialog *self, const char *title, const char *subtitle, const char *value)
{
  gtk_list_box_append (self->facts, laurel_value_row_new (title, subtitle, value));
}

static void
add_interval (LaurelRewardDialog *self, const char *title, const char *subtitle,
              const LaurelInterval *interval, gboolean is_share)
{
  g_autofree char *value = format_interval (interval, is_share);

  add_fact (self, title, subtitle, value);
}

static void
add_labels (LaurelRewardDialog *self, const LaurelRewardReport *report)
{
  const LaurelInterval agreement = { report->agreement.value, report->agreement.low,
                                     report->agreement.high, report->n_shared_tasks };
  g_autofree char *shared =
      g_strdup_printf (ngettext ("On %d task that several have ranked, ties apart",
                                 "On %d tasks that several have ranked, ties apart",
                                 (gulong) report->n_shared_tasks),
                       report->n_shared_tasks);
  g_autofree char *ceiling = g_strdup_printf ("%.1f %%", 100 * report->figures.ceiling);

  add_interval (self, _("Labelers agree"), shared, &agreement, TRUE);
  add_fact (self, _("Bradley–Terry ceiling"),
            _("The most that labels allow, if true scores are spread as the model's are"), ceiling);
}

static void
add_counts (LaurelRewardDialog *self, const LaurelRewardReport *report)
{
  const LaurelRewardEvaluation *figures = &report->figures;
  g_autofree char *counts =
      g_strdup_printf (_("%d pairs and %d ties in %d rankings of %d prompts"), figures->n_pairs,
                       figures->n_tied, figures->n_rankings, figures->n_prompts);
  g_autofree char *left_out = g_strdup_printf ("%d", report->n_left_out);

  add_fact (self, _("Measured on"), NULL, counts);
  add_fact (self, _("Left out"), _("Rankings of prompts that it was trained on"), left_out);
  if (report->n_seeds > 1) {
    g_autofree char *seeds =
        g_strdup_printf (_("%d of %d, accuracies from %.1f %% to %.1f %%"), report->kept_seed,
                         report->n_seeds, 100 * report->seeds_low, 100 * report->seeds_high);

    add_fact (self, _("Kept seed"), NULL, seeds);
  }
}

static void
show_facts (LaurelRewardDialog *self, const LaurelRewardReport *report)
{
  const LaurelRewardEvaluation *figures = &report->figures;
  g_autofree char *chance = g_strdup_printf (_("%.1f %% by chance alone, with so few pairs"),
                                             100 * figures->ece_by_chance);

  add_labels (self, report);
  add_interval (self, _("Calibration error"), chance, &figures->ece, TRUE);
  add_interval (self, _("Calibration slope"), _("Below 1 it is too sure of itself"),
                &figures->slope, FALSE);
  add_interval (self, _("Score and length"), _("Correlation within rankings"),
                &figures->score_length, FALSE);
  add_interval (self, _("Score and length at equal rank"),
                _("Partial correlation: above 0 it likes what is longer beyond what labelers do"),
                &figures->partial_length, FALSE);
  add_counts (self, report);
}

/* The first sentence is what matters; no line begins with a percent sign. */
static void
show_verdict (LaurelRewardDialog *self, const char *verdict)
{
  g_autoptr (GString) text = g_string_new (verdict);
  char *rest;

  g_string_replace (text, " %", "\u00a0%", 0);
  rest = strstr (text->str, ". ");
  if (rest != NULL) {
    gtk_label_set_label (self->remarks, rest + strlen (". "));
    g_string_truncate (text, (gsize) (rest + 1 - text->str));
  }
  gtk_widget_set_visible (GTK_WIDGET (self->remarks), rest != NULL);
  gtk_label_set_label (self->verdict, text->str);
}

static void
show_report (LaurelRewardDialog *self, const LaurelRewardReport *report)
{
  show_verdict (self, report->verdict);
  adw_preferences_group_add (self->accuracy, make_accuracy (report));
  adw_preferences_group_add (self->calibration, make_calibration (report));
  adw_preferences_group_add (self->margins, make_margins (report));
  show_facts (self, report);
  gtk_stack_set_visible_child_name (self->states, "figures");
  /* The verdict got the focus and with it was selected. */
  gtk_window_set_focus (GTK_WINDOW (self), self->scroller);
  gtk_label_select_region (self->verdict, 0, 0);
}

/* --- In the background ------------------------------------------------------------------ */

static gpointer
evaluate (LaurelBackground *background,
          LaurelStore *store,
          const char *project_path,
          gpointer model,
          GError **error)
{
  const LaurelRewardReportRequest request = { .project_path = project_path,
                                              .model = model,
                                              .progress = laurel_background_step,
                                              .user_data = background };

  return laurel_reward_report_new (store, &request, error);
}

static void
laurel_reward_dialog_progressed (LaurelWorkWindow *window, double fraction)
{
  gtk_progress_bar_set_fraction (LAUREL_REWARD_DIALOG (window)->progress, fraction);
}

static void
laurel_reward_dialog_ended (LaurelWorkWindow *window, gpointer report, const GError *error)
{
  LaurelRewardDialog *self = LAUREL_REWARD_DIALOG (window);

  if (report != NULL) {
    show_report (self, report);
    return;
  }
  adw_status_page_set_description (self->failure, error->message);
  gtk_stack_set_visible_child_name (self->states, "failed");
}

/* --- Class -------------------------------------------------------------------------------- */

static void
laurel_reward_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_REWARD_DIALOG);
  G_OBJECT_CLASS (laurel_reward_dialog_parent_class)->dispose (object);
}

static void
laurel_reward_dialog_class_init (LaurelRewardDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_reward_dialog_dispose;
  LAUREL_WORK_WINDOW_CLASS (klass)->progressed = laurel_reward_dialog_progressed;
  LAUREL_WORK_WINDOW_CLASS (klass)->ended = laurel_reward_dialog_ended;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/reward_dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, scroller);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, failure);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, verdict);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, remarks);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, accuracy);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, calibration);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, margins);
  gtk_widget_class_bind_template_child (widget_class, LaurelRewardDialog, facts);
}

static void
laurel_reward_dialog_init (LaurelRewardDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_reward_dialog_present (GtkWindow *parent, LaurelProject *project, const char *model)
{
  LaurelRewardDialog *self =
      g_object_new (LAUREL_TYPE_REWARD_DIALOG, "transient-for", parent, NULL);
  const LaurelBackgroundTask task = { .work = evaluate,
                                      .data = g_strdup (model),
                                      .free_data = g_free,
                                      .free_result = (GDestroyNotify) laurel_reward_report_free };

  adw_window_title_set_subtitle (self->title, model);
  laurel_work_window_set_project (LAUREL_WORK_WINDOW (self), project);
  laurel_work_window_start (LAUREL_WORK_WINDOW (self), &task);
  gtk_window_present (GTK_WINDOW (self));
}
