/* evaluate_dialog.c: who judges which models, work on a thread of its own, and what it came to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/evaluate_dialog.h"

#include "core/project/background.h"
#include "core/project/contest.h"
#include "ui/accessible.h"
#include "ui/launch/evaluate_figures.h"
#include "ui/launch/model_choice.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define LAUREL_TYPE_EVALUATE_DIALOG (laurel_evaluate_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
    LaurelEvaluateDialog, laurel_evaluate_dialog, LAUREL, EVALUATE_DIALOG, AdwWindow)

/* Who judges. */
typedef struct {
  LaurelLabelers labelers;
  char *judge; /* a file or a reward model; NULL: rankings */
} Source;

struct _LaurelEvaluateDialog {
  AdwWindow parent_instance;

  AdwComboRow *model;
  AdwComboRow *baseline;
  AdwComboRow *source;
  AdwPreferencesGroup *answers;
  AdwComboRow *split;
  GtkSpinButton *count;
  GtkSpinButton *temperature;
  GtkSpinButton *max_tokens;
  GtkSpinButton *seed;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkProgressBar *progress;
  GtkButton *stop;
  AdwPreferencesGroup *rates;
  AdwPreferencesGroup *ratings;
  GtkBox *rates_box;
  GtkBox *ratings_box;
  GtkLabel *lengths;
  GtkLabel *chance;
  GtkScrolledWindow *scrolled;

  LaurelProject *project;
  GArray *sources;
  GCancellable *cancellable; /* of what runs now; NULL: nothing does */
};

G_DEFINE_FINAL_TYPE (LaurelEvaluateDialog, laurel_evaluate_dialog, ADW_TYPE_WINDOW)

/* --- The work, on its thread ----------------------------------------------------------- */

typedef struct {
  LaurelContest contest;
  char *models[3];
  char *judge;
} Work;

static void
work_free (gpointer data)
{
  Work *self = data;

  g_free (self->models[0]);
  g_free (self->models[1]);
  g_free (self->judge);
  g_free (self);
}

/* What is shown. */
typedef struct {
  char *model;
  char *baseline;
  LaurelWinSummary wins;
  LaurelRatings *ratings; /* (nullable): of more than these two */
  char *why_no_ratings;   /* (nullable) */
} Outcome;

static void
outcome_free (gpointer data)
{
  Outcome *self = data;

  g_free (self->model);
  g_free (self->baseline);
  laurel_ratings_free (self->ratings);
  g_free (self->why_no_ratings);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outcome, outcome_free)

/* Of all models that were ranked, not of the two alone. */
static void
rate_all (Outcome *outcome, LaurelStore *store, const Work *work)
{
  g_autoptr (LaurelOutcomes) all =
      laurel_outcomes_collect (store, work->contest.labelers, NULL, NULL);
  g_autoptr (GError) error = NULL;

  if (all == NULL || all->models->len < 3)
    return;
  outcome->ratings = laurel_ratings_estimate (all, LAUREL_TIE_HALF, outcome->baseline,
                                              LAUREL_BOOTSTRAP_RESAMPLES, 0, &error);
  if (error != NULL)
    outcome->why_no_ratings = g_strdup (error->message);
}

static gpointer
compare (LaurelBackground *background,
         LaurelStore *store,
         const char *project_path,
         gpointer data,
         GError **error)
{
  Work *work = data;
  g_autoptr (Outcome) outcome = g_new0 (Outcome, 1);
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (GArray) between = NULL;

  work->contest.models = (const char *const *) work->models;
  work->contest.judge = work->judge;
  work->contest.progress = laurel_background_step;
  work->contest.user_data = background;
  outcomes = laurel_contest_run (store, project_path, &work->contest, error);
  if (outcomes == NULL)
    return NULL;
  between = laurel_outcomes_between (outcomes, 0, 1);
  laurel_win_rate_summarise (between, LAUREL_BOOTSTRAP_RESAMPLES, work->contest.seed,
                             &outcome->wins);
  outcome->model = g_strdup (work->models[0]);
  outcome->baseline = g_strdup (work->models[1]);
  if (work->judge == NULL)
    rate_all (outcome, store, work);
  return g_steal_pointer (&outcome);
}

/* --- Results ------------------------------------------------------------------------------ */

static void
empty (GtkBox *box)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (box))) != NULL)
    gtk_box_remove (box, child);
}

static void
show_sentence (GtkLabel *label, char *text)
{
  gtk_label_set_label (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL);
  g_free (text);
}

static void
show_ratings (LaurelEvaluateDialog *self, const Outcome *outcome)
{
  g_autofree char *what = NULL;

  empty (self->ratings_box);
  gtk_widget_set_visible (GTK_WIDGET (self->ratings),
                          outcome->ratings != NULL || outcome->why_no_ratings != NULL);
  if (outcome->ratings == NULL) {
    adw_preferences_group_set_description (self->ratings, outcome->why_no_ratings);
    return;
  }
  what = g_strdup_printf (
      outcome->ratings->is_bound
      ? _("The chance of each to be preferred to %s, from all rankings together (Bradley–Terry)")
      : _("The chance of each to be preferred to %s, from all rankings together "
              "(Bradley–Terry); some only won or only lost, which leaves their intervals open"),
           outcome->baseline);
  adw_preferences_group_set_description (self->ratings, what);
  gtk_box_append (self->ratings_box,
                  laurel_ratings_figure_new (outcome->ratings, outcome->baseline));
}

static void
show_outcome (LaurelEvaluateDialog *self, const Outcome *outcome)
{
  g_autofree char *title = g_strdup_printf (_("%s Against %s"), outcome->model, outcome->baseline);
  g_autofree char *counts = laurel_win_summary_describe (&outcome->wins);

  empty (self->rates_box);
  adw_preferences_group_set_title (self->rates, title);
  adw_preferences_group_set_description (self->rates, counts);
  gtk_box_append (self->rates_box,
                  laurel_win_rate_figure_new (&outcome->wins, outcome->model, outcome->baseline));
  show_sentence (self->lengths,
                 laurel_win_summary_describe_lengths (&outcome->wins, outcome->model));
  show_sentence (self->chance, laurel_win_summary_describe_chance (&outcome->wins));
  gtk_widget_set_visible (GTK_WIDGET (self->rates), TRUE);
  show_ratings (self, outcome);
}

/* Once what is new has its size. */
static gboolean
scroll_cb (gpointer user_data)
{
  LaurelEvaluateDialog *self = user_data;
  GtkAdjustment *adjustment;

  if (self->project == NULL)
    return G_SOURCE_REMOVE; /* the window is gone */
  adjustment = gtk_scrolled_window_get_vadjustment (self->scrolled);
  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment));
  return G_SOURCE_REMOVE;
}

/* --- Choices ------------------------------------------------------------------------------- */

static const Source *
get_source (LaurelEvaluateDialog *self)
{
  return &g_array_index (self->sources, Source, adw_combo_row_get_selected (self->source));
}

static void
update (LaurelEvaluateDialog *self)
{
  const char *model = laurel_model_choice_get (self->model);
  const char *baseline = laurel_model_choice_get (self->baseline);
  gboolean is_running = self->cancellable != NULL;
  gboolean are_two = g_strcmp0 (model, baseline) != 0;

  if (self->sources->len == 0)
    return; /* not filled yet */
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->baseline),
                               are_two ? _("The model that it should beat")
                                       : _("Choose another model; import or train one first"));
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->answers), get_source (self)->judge != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), is_running);
  gtk_widget_set_visible (GTK_WIDGET (self->stop), is_running);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "evaluate.start",
                                 !is_running && model != NULL && baseline != NULL && are_two);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "evaluate.stop", is_running);
}

static void
show_error (LaurelEvaluateDialog *self, const char *message)
{
  gtk_label_set_label (self->error_label, message);
  gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
}

static void
add_source (LaurelEvaluateDialog *self,
            GtkStringList *names,
            const char *name,
            LaurelLabelers labelers,
            const char *judge)
{
  Source source = { labelers, g_strdup (judge) };

  gtk_string_list_append (names, name);
  g_array_append_val (self->sources, source);
}

static void
add_reward_models (LaurelEvaluateDialog *self, GtkStringList *names)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (self->project), NULL);

  for (guint i = 0; models != NULL && i < models->len; i++) {
    const LaurelModelRecord *model = g_ptr_array_index (models, i);
    g_autofree char *name = NULL;

    if (!g_str_equal (model->kind, "reward"))
      continue;
    name = g_strdup_printf (_("Reward model %s"), model->name);
    add_source (self, names, name, LAUREL_LABELERS_ALL, model->name);
  }
}

static void
fill_sources (LaurelEvaluateDialog *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autofree char *judge =
      g_build_filename (laurel_project_get_path (self->project), "judge.json", NULL);

  add_source (self, names, _("People’s rankings"), LAUREL_LABELERS_PEOPLE, NULL);
  add_source (self, names, _("Simulated rankings"), LAUREL_LABELERS_SIMULATED, NULL);
  add_source (self, names, _("All rankings"), LAUREL_LABELERS_ALL, NULL);
  if (g_file_test (judge, G_FILE_TEST_EXISTS))
    add_source (self, names, _("The project’s rules"), LAUREL_LABELERS_ALL, judge);
  add_reward_models (self, names);
  adw_combo_row_set_model (self->source, G_LIST_MODEL (names));
}

/* The newest policy against the newest fine-tuned model, where there are both. */
static void
fill_models (LaurelEvaluateDialog *self)
{
  static const char *const ours[] = { "policy", "sft", "base", NULL };
  static const char *const theirs[] = { "sft", "policy", "base", NULL };

  laurel_model_choice_fill (self->model, self->project, ours);
  laurel_model_choice_fill (self->baseline, self->project, theirs);
}

/* --- Running --------------------------------------------------------------------------------- */

static void
report_cb (int n_done, int n_all, gpointer user_data)
{
  LaurelEvaluateDialog *self = user_data;

  gtk_progress_bar_set_fraction (self->progress, (double) n_done / MAX (n_all, 1));
}

static void
ready_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LaurelEvaluateDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (Outcome) outcome = laurel_background_finish (result, &error);
  gboolean is_cancelled = g_cancellable_is_cancelled (self->cancellable);

  g_clear_object (&self->cancellable);
  if (self->project == NULL)
    return; /* the window is gone */
  update (self);
  if (outcome != NULL) {
    show_outcome (self, outcome);
    g_timeout_add_full (G_PRIORITY_DEFAULT, 100, scroll_cb, g_object_ref (self), g_object_unref);
  } else if (!is_cancelled) {
    show_error (self, error->message);
  }
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (widget);
  const Source *source = get_source (self);
  Work *work = g_new0 (Work, 1);
  const LaurelBackgroundTask task = { .work = compare,
                                      .data = work,
                                      .free_data = work_free,
                                      .free_result = outcome_free,
                                      .report = report_cb };

  laurel_contest_init (&work->contest);
  work->models[0] = g_strdup (laurel_model_choice_get (self->model));
  work->models[1] = g_strdup (laurel_model_choice_get (self->baseline));
  work->judge = g_strdup (source->judge);
  work->contest.labelers = source->labelers;
  work->contest.split = adw_combo_row_get_selected (self->split) == 0 ? "heldout" : "train";
  work->contest.n_completions = gtk_spin_button_get_value_as_int (self->count);
  work->contest.temperature = gtk_spin_button_get_value (self->temperature);
  work->contest.max_tokens = gtk_spin_button_get_value_as_int (self->max_tokens);
  work->contest.seed = (guint64) gtk_spin_button_get_value (self->seed);
  self->cancellable = g_cancellable_new ();
  gtk_progress_bar_set_fraction (self->progress, 0);
  update (self);
  laurel_background_start (self->project, &task, self->cancellable, ready_cb, g_object_ref (self));
}

static void
stop_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  g_cancellable_cancel (LAUREL_EVALUATE_DIALOG (widget)->cancellable);
}

/* --- Class --------------------------------------------------------------------------------------
 */

static gboolean
laurel_evaluate_dialog_close_request (GtkWindow *window)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (window);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->project);
  return GTK_WINDOW_CLASS (laurel_evaluate_dialog_parent_class)->close_request (window);
}

static void
laurel_evaluate_dialog_dispose (GObject *object)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (object);

  g_cancellable_cancel (self->cancellable);
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_EVALUATE_DIALOG);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (laurel_evaluate_dialog_parent_class)->dispose (object);
}

static void
laurel_evaluate_dialog_finalize (GObject *object)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (object);

  g_array_unref (self->sources);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (laurel_evaluate_dialog_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, baseline);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, source);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, answers);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, split);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, count);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, temperature);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, max_tokens);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, seed);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, stop);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, rates);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, ratings);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, rates_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, ratings_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, lengths);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, chance);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, scrolled);
}

static void
laurel_evaluate_dialog_class_init (LaurelEvaluateDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_evaluate_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = laurel_evaluate_dialog_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = laurel_evaluate_dialog_close_request;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/launch_evaluate.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, update);
  gtk_widget_class_install_action (widget_class, "evaluate.start", NULL, start_action);
  gtk_widget_class_install_action (widget_class, "evaluate.stop", NULL, stop_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
clear_source (gpointer data)
{
  g_free (((Source *) data)->judge);
}

static void
laurel_evaluate_dialog_init (LaurelEvaluateDialog *self)
{
  self->sources = g_array_new (FALSE, FALSE, sizeof (Source));
  g_array_set_clear_func (self->sources, clear_source);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_evaluate_dialog_present (GtkWindow *parent, LaurelProject *project)
{
  LaurelEvaluateDialog *self;

  g_return_if_fail (LAUREL_IS_PROJECT (project));

  self = g_object_new (LAUREL_TYPE_EVALUATE_DIALOG, "transient-for", parent, NULL);
  self->project = g_object_ref (project);
  fill_models (self);
  fill_sources (self);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_window_present (GTK_WINDOW (self));
}
