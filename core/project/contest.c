/* contest.c: outcomes between models, from a judge's scores or from rankings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/contest.h"

#include "core/base/error.h"
#include "core/project/data.h"
#include "core/project/evaluate.h"
#include "core/project/internal.h"
#include "core/project/rater.h"

#include <math.h>

void
laurel_contest_init (LaurelContest *self)
{
  *self = (LaurelContest){ .temperature = 1, .max_tokens = 64 };
}

/* --- By a judge ------------------------------------------------------------------- */

/* Completions of all models are one piece of work. */
typedef struct {
  const LaurelContest *contest;
  int n_models;
  int n_before; /* models that are done */
} Progress;

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  const Progress *self = user_data;
  const LaurelContest *contest = self->contest;

  return contest->progress == NULL
         || contest->progress (self->n_before * n_all + n_done, self->n_models * n_all,
                               contest->user_data);
}

static GPtrArray *
sample_model (LaurelStore *store,
              const char *project_path,
              const char *name,
              const LaurelRater *rater,
              GPtrArray *prompts,
              Progress *progress,
              GError **error)
{
  g_autofree char *folder = laurel_model_resolve (store, project_path, name, error);
  g_autoptr (LaurelModel) model = folder != NULL ? laurel_model_load (folder, error) : NULL;
  LaurelEvaluationRequest request = { .model = model,
                                      .judge = rater->judge,
                                      .reward = rater->reward,
                                      .prompts = prompts,
                                      .n_completions = progress->contest->n_completions,
                                      .options = LAUREL_SAMPLING_DEFAULTS,
                                      .progress = progress_cb,
                                      .user_data = progress };

  request.options.temperature = progress->contest->temperature;
  request.options.max_tokens = progress->contest->max_tokens;
  request.options.seed = progress->contest->seed;
  if (model == NULL)
    return NULL;
  if (model->config.head != LAUREL_HEAD_LM) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not use “%s”: it is a reward model; choose a language model", name);
    return NULL;
  }
  return laurel_evaluate_sample (&request, error);
}

/* Both lists are of the same prompts in the same order. */
static void
compare_judged (LaurelOutcomes *outcomes, int a, GPtrArray *of_a, int b, GPtrArray *of_b)
{
  for (guint i = 0; i < MIN (of_a->len, of_b->len); i++) {
    const LaurelJudged *x = g_ptr_array_index (of_a, i), *y = g_ptr_array_index (of_b, i);
    double gap = x->parts.score - y->parts.score;
    LaurelOutcome outcome = { .prompt_id = x->prompt_id,
                              .a = a,
                              .b = b,
                              .result = g_str_equal (x->text, y->text) ? 0 : (gap > 0) - (gap < 0),
                              .length_gap = x->n_tokens - y->n_tokens };

    g_array_append_val (outcomes->outcomes, outcome);
  }
}

static LaurelOutcomes *
judge_models (LaurelStore *store,
              const char *project_path,
              const LaurelContest *contest,
              GError **error)
{
  g_autoptr (LaurelRater) rater = laurel_rater_load (store, project_path, contest->judge, error);
  g_autoptr (LaurelOutcomes) outcomes = laurel_outcomes_new ();
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GPtrArray) prompts = NULL;
  Progress progress = { contest, (int) g_strv_length ((char **) contest->models), 0 };

  if (rater == NULL)
    return NULL;
  prompts = laurel_store_list_prompts (store, contest->split != NULL ? contest->split : "heldout",
                                       NULL, -1, 0, error);
  for (int i = 0; prompts != NULL && i < progress.n_models; i++) {
    GPtrArray *judged =
        sample_model (store, project_path, contest->models[i], rater, prompts, &progress, error);

    if (judged == NULL)
      return NULL;
    g_ptr_array_add (answers, judged);
    laurel_outcomes_ensure_model (outcomes, contest->models[i]);
    progress.n_before++;
    for (int j = 0; j < i; j++)
      compare_judged (outcomes, j, g_ptr_array_index (answers, j), i, judged);
  }
  return prompts != NULL ? g_steal_pointer (&outcomes) : NULL;
}

/* --- By rankings --------------------------------------------------------------------- */

/* Only what was said of @models, in their order; a name that no ranking knows keeps its place. */
static LaurelOutcomes *
select_models (const LaurelOutcomes *all, const char *const *models)
{
  LaurelOutcomes *outcomes = laurel_outcomes_new ();

  for (int i = 0; models[i] != NULL; i++)
    laurel_outcomes_ensure_model (outcomes, models[i]);
  for (guint i = 0; i < all->outcomes->len; i++) {
    LaurelOutcome outcome = g_array_index (all->outcomes, LaurelOutcome, i);

    outcome.a = laurel_outcomes_find_model (outcomes, g_ptr_array_index (all->models, outcome.a));
    outcome.b = laurel_outcomes_find_model (outcomes, g_ptr_array_index (all->models, outcome.b));
    if (outcome.a >= 0 && outcome.b >= 0)
      g_array_append_val (outcomes->outcomes, outcome);
  }
  return outcomes;
}

static LaurelOutcomes *
collect_rankings (LaurelStore *store, const LaurelContest *contest, GError **error)
{
  g_autoptr (LaurelOutcomes) all =
      laurel_outcomes_collect (store, contest->labelers, contest->labeler, error);
  g_autoptr (LaurelOutcomes) outcomes = NULL;

  if (all == NULL)
    return NULL;
  outcomes =
      contest->models != NULL ? select_models (all, contest->models) : g_steal_pointer (&all);
  if (outcomes->outcomes->len > 0)
    return g_steal_pointer (&outcomes);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not compare the models: no ranking by %s is of a task with completions of "
               "two of them; rank such tasks, or name a judge",
               contest->labeler != NULL                         ? contest->labeler
               : contest->labelers == LAUREL_LABELERS_PEOPLE    ? "people"
               : contest->labelers == LAUREL_LABELERS_SIMULATED ? "judges"
                                                                : "anybody");
  return NULL;
}

LaurelOutcomes *
laurel_contest_run (LaurelStore *store,
                    const char *project_path,
                    const LaurelContest *contest,
                    GError **error)
{
  return contest->judge != NULL ? judge_models (store, project_path, contest, error)
                                : collect_rankings (store, contest, error);
}
