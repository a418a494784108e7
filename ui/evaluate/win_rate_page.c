/* win_rate_page.c: who judges which of two models, and what it came to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/win_rate_page.h"

#include "core/base/json.h"
#include "core/project/contest.h"
#include "core/project/evaluation_export.h"
#include "ui/evaluate/answer_choice.h"
#include "ui/evaluate/evaluate_figures.h"
#include "ui/launch/model_choice.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

/* Who judges. */
typedef struct {
  LaurelLabelers labelers;
  char *judge; /* a file or a reward model; NULL: rankings */
} Source;

struct _LaurelWinRatePage {
  LaurelEvaluatePage parent_instance;

  AdwComboRow *model;
  AdwComboRow *baseline;
  AdwComboRow *source;
  LaurelAnswerChoice *answers;
  AdwPreferencesGroup *rates;
  AdwPreferencesGroup *ratings;
  GtkBox *rates_box;
  GtkBox *ratings_box;
  GtkLabel *lengths;
  GtkLabel *chance;

  GArray *sources;
};

G_DEFINE_FINAL_TYPE (LaurelWinRatePage, laurel_win_rate_page, LAUREL_TYPE_EVALUATE_PAGE)

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
show_sentence (GtkLabel *label, char *text)
{
  gtk_label_set_label (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL);
  g_free (text);
}

static void
show_ratings (LaurelWinRatePage *self, const Outcome *outcome)
{
  g_autofree char *what = NULL;

  laurel_evaluate_page_empty (self->ratings_box);
  gtk_widget_set_visible (GTK_WIDGET (self->ratings),
                          outcome->ratings != NULL || outcome->why_no_ratings != NULL);
  if (outcome->ratings == NULL) {
    adw_preferences_group_set_description (self->ratings, outcome->why_no_ratings);
    return;
  }
  what = g_strdup_printf (
      outcome->ratings->is_bound
          ? _("The chance of each to be preferred to %s, from all these rankings together "
              "(Bradley–Terry), with 95 %% intervals, prompts drawn again")
          : _("The chance of each to be preferred to %s, from all these rankings together "
              "(Bradley–Terry), with 95 %% intervals, prompts drawn again. Some only won or only "
              "lost: of them no more is known than the direction"),
      outcome->baseline);
  adw_preferences_group_set_description (self->ratings, what);
  gtk_box_append (self->ratings_box,
                  laurel_ratings_figure_new (outcome->ratings, outcome->baseline));
}

static void
show_outcome (LaurelWinRatePage *self, const Outcome *outcome)
{
  g_autofree char *title = g_strdup_printf (_("%s Against %s"), outcome->model, outcome->baseline);
  g_autofree char *counts = laurel_win_summary_describe (&outcome->wins);
  /* Translators: who judged, and counts. */
  g_autofree char *what = g_strdup_printf (
      _("%s. %s. The intervals are of 95 %%; “by prompt”: whole prompts drawn again"),
      laurel_evaluate_page_get_asked (LAUREL_EVALUATE_PAGE (self)), counts);

  laurel_evaluate_page_empty (self->rates_box);
  adw_preferences_group_set_title (self->rates, title);
  adw_preferences_group_set_description (self->rates, what);
  gtk_box_append (self->rates_box,
                  laurel_win_rate_figure_new (&outcome->wins, outcome->model, outcome->baseline));
  show_sentence (self->lengths,
                 laurel_win_summary_describe_lengths (&outcome->wins, outcome->model,
                                                      outcome->baseline));
  show_sentence (self->chance, laurel_win_summary_describe_chance (&outcome->wins));
  show_ratings (self, outcome);
}

static char *
make_json (const Outcome *outcome)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "model", outcome->model);
  laurel_json_add_string (builder, "baseline", outcome->baseline);
  laurel_json_add_win_summary (builder, &outcome->wins);
  json_builder_end_object (builder);
  return laurel_evaluate_page_print (builder);
}

static void
laurel_win_rate_page_show (LaurelEvaluatePage *page, gpointer result)
{
  LaurelWinRatePage *self = LAUREL_WIN_RATE_PAGE (page);
  const Outcome *outcome = result;

  show_outcome (self, outcome);
  laurel_evaluate_page_reveal (page, GTK_WIDGET (self->rates),
                               laurel_win_summary_to_csv (outcome->model, outcome->baseline,
                                                          &outcome->wins),
                               make_json (outcome));
}

/* --- Choices ------------------------------------------------------------------------------- */

static const Source *
get_source (LaurelWinRatePage *self)
{
  return &g_array_index (self->sources, Source, adw_combo_row_get_selected (self->source));
}

static gboolean
are_two (LaurelWinRatePage *self)
{
  return g_strcmp0 (laurel_model_choice_get (self->model),
                    laurel_model_choice_get (self->baseline)) != 0;
}

static void
update (LaurelWinRatePage *self)
{
  if (self->sources->len == 0)
    return; /* not filled yet */
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->baseline),
                               are_two (self)
                                   ? _("The model that it should beat")
                                   : _("Choose another model; import or train one first"));
  gtk_widget_set_visible (GTK_WIDGET (self->answers), get_source (self)->judge != NULL);
  laurel_evaluate_page_changed (LAUREL_EVALUATE_PAGE (self));
}

static gboolean
laurel_win_rate_page_is_ready (LaurelEvaluatePage *page)
{
  LaurelWinRatePage *self = LAUREL_WIN_RATE_PAGE (page);

  return laurel_model_choice_get (self->model) != NULL
         && laurel_model_choice_get (self->baseline) != NULL && are_two (self);
}

static LaurelProject *
get_project (LaurelWinRatePage *self)
{
  return laurel_evaluate_page_get_project (LAUREL_EVALUATE_PAGE (self));
}

static void
add_source (LaurelWinRatePage *self,
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
add_reward_models (LaurelWinRatePage *self, GtkStringList *names)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (get_project (self)), NULL);

  for (guint i = 0; models != NULL && i < models->len; i++) {
    const LaurelModelRecord *model = g_ptr_array_index (models, i);
    g_autofree char *name = NULL;

    if (!g_str_equal (model->kind, "reward"))
      continue;
    name = g_strdup_printf (_("Reward model %s"), model->name);
    add_source (self, names, name, LAUREL_LABELERS_ALL, model->name);
  }
}

/* People's rankings, if there are any; else a program's; else what can judge without any. */
static guint
choose_source (LaurelWinRatePage *self)
{
  LaurelStore *store = laurel_project_get_store (get_project (self));

  for (guint i = 0; i < self->sources->len; i++) {
    const Source *source = &g_array_index (self->sources, Source, i);

    if (source->judge != NULL || laurel_store_count_rankings_by (store, source->labelers, NULL) > 0)
      return i;
  }
  return 0;
}

static void
fill_sources (LaurelWinRatePage *self)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autofree char *judge =
      g_build_filename (laurel_project_get_path (get_project (self)), "judge.json", NULL);

  add_source (self, names, _("People’s rankings"), LAUREL_LABELERS_PEOPLE, NULL);
  add_source (self, names, _("Simulated rankings"), LAUREL_LABELERS_SIMULATED, NULL);
  add_source (self, names, _("All rankings"), LAUREL_LABELERS_ALL, NULL);
  if (g_file_test (judge, G_FILE_TEST_EXISTS))
    add_source (self, names, _("The project’s rules"), LAUREL_LABELERS_ALL, judge);
  add_reward_models (self, names);
  adw_combo_row_set_model (self->source, G_LIST_MODEL (names));
  adw_combo_row_set_selected (self->source, choose_source (self));
}

/* The newest policy against the newest fine-tuned model, where there are both. */
static void
fill_models (LaurelWinRatePage *self)
{
  static const char *const ours[] = { "policy", "sft", "base", NULL };
  static const char *const theirs[] = { "sft", "policy", "base", NULL };

  laurel_model_choice_fill (self->model, get_project (self), ours);
  laurel_model_choice_fill (self->baseline, get_project (self), theirs);
  /* No policy yet: both lists begin with the same model, and a base model may come after it. */
  for (guint i = 0; !are_two (self)
                    && i < g_list_model_get_n_items (adw_combo_row_get_model (self->baseline));
       i++)
    adw_combo_row_set_selected (self->baseline, i);
}

static void
laurel_win_rate_page_fill (LaurelEvaluatePage *page, LaurelProject *project)
{
  LaurelWinRatePage *self = LAUREL_WIN_RATE_PAGE (page);

  fill_models (self);
  fill_sources (self);
  update (self);
}

static void
laurel_win_rate_page_make_task (LaurelEvaluatePage *page, LaurelBackgroundTask *out)
{
  LaurelWinRatePage *self = LAUREL_WIN_RATE_PAGE (page);
  const Source *source = get_source (self);
  Work *work = g_new0 (Work, 1);
  LaurelAnswers answers;

  laurel_contest_init (&work->contest);
  laurel_answer_choice_read (self->answers, &answers);
  work->models[0] = g_strdup (laurel_model_choice_get (self->model));
  work->models[1] = g_strdup (laurel_model_choice_get (self->baseline));
  work->judge = g_strdup (source->judge);
  laurel_evaluate_page_take_asked (
      page, source->judge != NULL
                ? laurel_answers_describe (&answers, laurel_model_choice_get (self->source))
                : g_strdup (laurel_model_choice_get (self->source)));
  work->contest.labelers = source->labelers;
  work->contest.split = answers.split;
  work->contest.n_completions = answers.count;
  work->contest.temperature = answers.temperature;
  work->contest.max_tokens = answers.max_tokens;
  work->contest.seed = answers.seed;
  out->work = compare;
  out->data = work;
  out->free_data = work_free;
  out->free_result = outcome_free;
}

/* --- Class ------------------------------------------------------------------------------------ */

static void
laurel_win_rate_page_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_WIN_RATE_PAGE);
  G_OBJECT_CLASS (laurel_win_rate_page_parent_class)->dispose (object);
}

static void
laurel_win_rate_page_finalize (GObject *object)
{
  g_array_unref (LAUREL_WIN_RATE_PAGE (object)->sources);
  G_OBJECT_CLASS (laurel_win_rate_page_parent_class)->finalize (object);
}

static void
laurel_win_rate_page_class_init (LaurelWinRatePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_win_rate_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = laurel_win_rate_page_finalize;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->fill = laurel_win_rate_page_fill;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->is_ready = laurel_win_rate_page_is_ready;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->make_task = laurel_win_rate_page_make_task;
  LAUREL_EVALUATE_PAGE_CLASS (klass)->show = laurel_win_rate_page_show;
  g_type_ensure (LAUREL_TYPE_ANSWER_CHOICE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/evaluate_win_rate.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, model);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, baseline);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, source);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, answers);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, rates);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, ratings);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, rates_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, ratings_box);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, lengths);
  gtk_widget_class_bind_template_child (widget_class, LaurelWinRatePage, chance);
  gtk_widget_class_bind_template_callback (widget_class, update);
}

static void
clear_source (gpointer data)
{
  g_free (((Source *) data)->judge);
}

static void
laurel_win_rate_page_init (LaurelWinRatePage *self)
{
  self->sources = g_array_new (FALSE, FALSE, sizeof (Source));
  g_array_set_clear_func (self->sources, clear_source);
  gtk_widget_init_template (GTK_WIDGET (self));
}
