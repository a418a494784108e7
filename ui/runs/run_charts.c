/* run_charts.c: which charts a kind of run has, and the settings they share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_charts.h"

#include "core/project/project.h"
#include "core/train/alarms.h"
#include "ui/charts/widget.h"
#include "ui/resources.h"
#include "ui/runs/audit_chart.h"
#include "ui/runs/run_words.h"
#include "ui/runs/run_words.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <math.h>

struct _LaurelRunCharts {
  GtkWidget parent_instance;

  GtkStack *states;
  AdwStatusPage *empty;
  GtkFlowBox *grid;
  GtkScale *smoothing;
  GtkDropDown *x_axis;
  GtkToggleButton *log_y;
  GtkToggleButton *reference;
  LaurelChartCursor *cursor;
  char *kind;
  GPtrArray *datas;
  GHashTable *charts; /* key → LaurelChartWidget */
  LaurelRunData *reference_data; /* of the bundled run; NULL: not read yet, or there is none */
};

G_DEFINE_FINAL_TYPE (LaurelRunCharts, laurel_run_charts, GTK_TYPE_WIDGET)

enum {
  PICKED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/* The chart of two metrics against each other, which no metric is called after. */
#define AUDIT_KEY "score by KL"

/* What is looked at first; other keys follow in the order they appeared. */
static const char *const ppo_keys[] = { "objective/scores", "objective/kl", AUDIT_KEY,
                                        "eval/gold", "eval/proxy", "objective/rlhf_reward",
                                        "val/ratio",
                                        "loss/value_avg", "loss/policy_avg", "policy/clipfrac_avg",
                                        "policy/approxkl_avg", "objective/entropy",
                                        "objective/response_length",
                                        "val/num_eos_tokens", "val/explained_variance", NULL };
static const char *const reward_keys[] = { "loss", "accuracy", "margin", "eval/accuracy",
                                           "eval/loss", "eval/margin",
                                           "learning_rate", "grad_norm", NULL };
static const char *const dpo_keys[] = { "loss", "rewards/margins", "rewards/accuracies",
                                        "eval/rewards/accuracies", "eval/loss", "rewards/chosen",
                                        "rewards/rejected", "logps/chosen", "logps/rejected",
                                        "learning_rate", "grad_norm", NULL };
static const char *const language_keys[] = { "loss", "eval/loss", "learning_rate", "grad_norm",
                                             NULL };

static const char *const *
list_first_keys (const char *kind)
{
  if (kind != NULL && laurel_run_kind_has_rollouts (kind))
    return ppo_keys;
  if (g_strcmp0 (kind, "dpo") == 0)
    return dpo_keys;
  if (g_strcmp0 (kind, "reward") == 0)
    return reward_keys;
  return language_keys;
}

/* The bundled run's colour, which no overlay of a few runs has. */
#define REFERENCE_COLOUR 7

/* What the lights are about is on the Alarms tab. */
static gboolean
is_charted (const char *key)
{
  return !g_str_has_prefix (key, "alarm/") && !g_str_equal (key, "eval/gold_fall_error");
}

static gboolean
is_online (LaurelRunCharts *self)
{
  return self->kind != NULL && laurel_run_kind_has_rollouts (self->kind);
}

/* --- The bundled reference run ------------------------------------------- */

static char *
find_reference_file (void)
{
  g_autofree char *starter = laurel_project_find_starter ();
  g_autofree char *path =
      starter != NULL ? g_build_filename (starter, "reference", "ppo.csv", NULL) : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path) : NULL;
}

static gboolean
has_reference (void)
{
  g_autofree char *path = find_reference_file ();

  return path != NULL;
}

/* Read when it is first asked for; NULL while it is not to be seen. */
static LaurelRunData *
get_reference (LaurelRunCharts *self)
{
  g_autofree char *path = NULL;

  if (!is_online (self) || !gtk_toggle_button_get_active (self->reference))
    return NULL;
  if (self->reference_data == NULL && (path = find_reference_file ()) != NULL)
    self->reference_data =
        laurel_run_data_load (path, _("reference run"), REFERENCE_COLOUR, NULL);
  return self->reference_data;
}

/* (transfer container): the runs, and the bundled one when it is laid over them. */
static GPtrArray *
list_shown (LaurelRunCharts *self)
{
  GPtrArray *shown = g_ptr_array_new ();
  LaurelRunData *reference = get_reference (self);

  for (guint i = 0; i < self->datas->len; i++)
    g_ptr_array_add (shown, self->datas->pdata[i]);
  if (reference != NULL)
    g_ptr_array_add (shown, reference);
  return shown;
}

static double
find_reference (const char *key)
{
  if (g_str_equal (key, "val/ratio"))
    return 1;
  if (g_str_equal (key, "objective/kl") || g_str_equal (key, "margin")
      || g_str_equal (key, "rewards/margins"))
    return 0;
  if (g_str_equal (key, "accuracy") || g_str_equal (key, "eval/accuracy")
      || g_str_has_suffix (key, "rewards/accuracies"))
    return .5;
  return NAN;
}

static gboolean
is_by_time (LaurelRunCharts *self)
{
  return gtk_drop_down_get_selected (self->x_axis) == 1;
}

/* Of a run of several seeds each one's line is in the chart of the metric. Returns whether there is
 * any; @series may be NULL. */
static gboolean
add_lines (LaurelRunData *data, const char *key, gboolean by_time, GPtrArray *series)
{
  g_autoptr (GPtrArray) keys = laurel_run_data_list_keys (data);
  gboolean any = FALSE;

  for (guint i = 0; i < keys->len; i++) {
    if (!g_str_equal (laurel_metric_skip_seed (keys->pdata[i]), key))
      continue;
    any = TRUE;
    if (series != NULL)
      g_ptr_array_add (series, laurel_run_data_get_series (data, keys->pdata[i], by_time));
  }
  return any;
}

static void
update_chart (LaurelRunCharts *self, const char *key, LaurelChartWidget *widget)
{
  LaurelChartCanvas *canvas = laurel_chart_widget_get_canvas (widget);
  LaurelChart *chart = laurel_chart_canvas_get_chart (canvas);
  g_autoptr (GPtrArray) series = g_ptr_array_new ();
  g_autoptr (GPtrArray) shown = list_shown (self);
  const LaurelHealthyRange *range = laurel_healthy_range (key);

  if (g_str_equal (key, AUDIT_KEY)) {
    laurel_audit_chart_update (widget, shown);
    return;
  }
  for (guint i = 0; i < shown->len; i++)
    (void) add_lines (shown->pdata[i], key, is_by_time (self), series);
  chart->smoothing = gtk_range_get_value (GTK_RANGE (self->smoothing));
  chart->log_y = gtk_toggle_button_get_active (self->log_y);
  chart->x_kind = is_by_time (self) ? LAUREL_SCALE_TIME : LAUREL_SCALE_INTEGER;
  chart->reference = find_reference (key);
  chart->band_low = range != NULL ? range->low : NAN;
  chart->band_high = range != NULL ? range->high : NAN;
  chart->legend = shown->len > 1 || series->len > 1;
  laurel_chart_widget_set_x_name (widget, is_by_time (self) ? _("seconds") : _("step"));
  laurel_chart_canvas_set_series (canvas, series);
}

static void
picked_cb (LaurelRunCharts *self, double x)
{
  if (!is_by_time (self))
    g_signal_emit (self, signals[PICKED], 0, (int) llround (x));
}

static char *
explain (const char *key)
{
  const LaurelMetricInfo *info = laurel_metric_find (key);
  const LaurelHealthyRange *range = laurel_healthy_range (key);
  GString *out = g_string_new (NULL);

  if (g_str_equal (key, AUDIT_KEY))
    g_string_append (out, laurel_audit_chart_explain ());
  else if (info != NULL && info->unit[0] != '\0')
    g_string_append_printf (out, _("%s, in %s. %s"), _ (info->title), _ (info->unit),
                            _ (info->how));
  else if (info != NULL)
    g_string_append_printf (out, _("%s. %s"), _ (info->title), _ (info->how));
  if (range != NULL)
    g_string_append_printf (out, _("\n\nShaded: %g to %g, where published runs that went well lie "
                                   "(%s)."),
                            range->low, range->high, range->source);
  return g_string_free (out, out->len == 0);
}

static void
add_chart (LaurelRunCharts *self, const char *key)
{
  LaurelChartWidget *widget = LAUREL_CHART_WIDGET (laurel_chart_widget_new ());
  g_autofree char *how = explain (key);

  laurel_chart_widget_set_title (widget, key, how);
  gtk_widget_set_size_request (GTK_WIDGET (widget), 280, 230);
  if (!g_str_equal (key, AUDIT_KEY)) { /* its x is no step */
    laurel_chart_canvas_set_cursor (laurel_chart_widget_get_canvas (widget), self->cursor);
    g_signal_connect_object (widget, "picked", G_CALLBACK (picked_cb), self, G_CONNECT_SWAPPED);
  }
  gtk_flow_box_insert (self->grid, GTK_WIDGET (widget), -1);
  gtk_widget_set_focusable (gtk_widget_get_parent (GTK_WIDGET (widget)), FALSE);
  g_hash_table_insert (self->charts, g_strdup (key), widget);
}

static gboolean
has_key (LaurelRunCharts *self, const char *key)
{
  if (g_str_equal (key, AUDIT_KEY))
    return self->datas->len > 0 && laurel_audit_chart_can_show (self->datas->pdata[0]);
  for (guint i = 0; i < self->datas->len; i++)
    if (add_lines (self->datas->pdata[i], key, FALSE, NULL))
      return TRUE;
  return FALSE;
}

static void
show_state (LaurelRunCharts *self)
{
  gboolean samples = g_strcmp0 (self->kind, "sample") == 0;

  adw_status_page_set_title (self->empty, samples ? _("Nothing to Chart") : _("No Values Yet"));
  adw_status_page_set_description (
      self->empty, samples ? _("What was sampled waits on the Label page.")
                           : _("Charts appear with the first step that this run finishes."));
  gtk_stack_set_visible_child_name (self->states,
                                    g_hash_table_size (self->charts) > 0 ? "charts" : "empty");
}

static void
ensure_charts (LaurelRunCharts *self)
{
  const char *const *first = list_first_keys (self->kind);

  for (guint i = 0; first[i] != NULL; i++)
    if (has_key (self, first[i]) && !g_hash_table_contains (self->charts, first[i]))
      add_chart (self, first[i]);
  for (guint d = 0; d < self->datas->len; d++) {
    g_autoptr (GPtrArray) keys = laurel_run_data_list_keys (self->datas->pdata[d]);

    for (guint i = 0; i < keys->len; i++) {
      const char *key = laurel_metric_skip_seed (keys->pdata[i]);

      if (is_charted (key) && !g_hash_table_contains (self->charts, key))
        add_chart (self, key);
    }
  }
  show_state (self);
}

static void
update_all (LaurelRunCharts *self)
{
  GHashTableIter iter;
  gpointer key, widget;

  g_hash_table_iter_init (&iter, self->charts);
  while (g_hash_table_iter_next (&iter, &key, &widget))
    update_chart (self, key, widget);
}

static void
setting_changed_cb (LaurelRunCharts *self)
{
  laurel_chart_cursor_set_x (self->cursor, NAN);
  update_all (self);
}

static void
laurel_run_charts_dispose (GObject *object)
{
  LaurelRunCharts *self = LAUREL_RUN_CHARTS (object);

  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_RUN_CHARTS);
  g_clear_pointer (&self->charts, g_hash_table_unref);
  g_clear_pointer (&self->datas, g_ptr_array_unref);
  g_clear_pointer (&self->kind, g_free);
  g_clear_pointer (&self->reference_data, laurel_run_data_free);
  g_clear_object (&self->cursor);
  G_OBJECT_CLASS (laurel_run_charts_parent_class)->dispose (object);
}

static void
laurel_run_charts_class_init (LaurelRunChartsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_run_charts_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/runs_charts.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, empty);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, grid);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, smoothing);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, x_axis);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, log_y);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunCharts, reference);
  gtk_widget_class_bind_template_callback (widget_class, setting_changed_cb);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  signals[PICKED] = g_signal_new ("picked", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
laurel_run_charts_init (LaurelRunCharts *self)
{
  self->cursor = laurel_chart_cursor_new ();
  self->datas = g_ptr_array_new ();
  self->charts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_run_charts_set_runs (LaurelRunCharts *self, const char *kind, GPtrArray *datas)
{
  GtkFlowBoxChild *child;

  g_return_if_fail (LAUREL_IS_RUN_CHARTS (self));

  g_free (self->kind);
  self->kind = g_strdup (kind);
  g_ptr_array_set_size (self->datas, 0);
  for (guint i = 0; i < datas->len; i++)
    g_ptr_array_add (self->datas, datas->pdata[i]);
  while ((child = gtk_flow_box_get_child_at_index (self->grid, 0)) != NULL)
    gtk_flow_box_remove (self->grid, GTK_WIDGET (child));
  g_hash_table_remove_all (self->charts);
  gtk_widget_set_visible (GTK_WIDGET (self->reference), is_online (self) && has_reference ());
  laurel_chart_cursor_set_x (self->cursor, NAN);
  laurel_run_charts_refresh (self);
}

void
laurel_run_charts_refresh (LaurelRunCharts *self)
{
  g_return_if_fail (LAUREL_IS_RUN_CHARTS (self));

  ensure_charts (self);
  update_all (self);
}

void
laurel_run_charts_toggle_reference (LaurelRunCharts *self)
{
  g_return_if_fail (LAUREL_IS_RUN_CHARTS (self));

  if (gtk_widget_get_visible (GTK_WIDGET (self->reference)))
    gtk_toggle_button_set_active (self->reference, !gtk_toggle_button_get_active (self->reference));
}
