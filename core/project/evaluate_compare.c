/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/evaluate_compare.h"

#include "core/base/error.h"
#include "core/project/best_of.h"
#include "core/project/internal.h"
#include "core/project/rater.h"
#include "core/train/best_of_n.h"

#include <math.h>

typedef struct {
  const LaurelCompareRequest *request;
  LaurelStore *store;
  const char *project_path;
  LaurelRater *judge;
  LaurelModel *reward; /* NULL: no proxy */
  LaurelModel *baseline;
  const char *baseline_name;
  GPtrArray *answers; /* (element-type LaurelJudged): the baseline's; NULL until they are written */
  GPtrArray *prompts; /* (element-type LaurelPrompt) */
  int n_done, n_policies;
} Comparing;

static void
comparing_clear (Comparing *self)
{
  g_clear_pointer (&self->judge, laurel_rater_free);
  g_clear_pointer (&self->reward, laurel_model_free);
  g_clear_pointer (&self->baseline, laurel_model_free);
  g_clear_pointer (&self->answers, g_ptr_array_unref);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Comparing, comparing_clear)

void
laurel_compared_free (LaurelCompared *self)
{
  g_free (self->name);
  g_free (self);
}

static LaurelModel *
load_model (const Comparing *self, const char *name, LaurelHead head, GError **error)
{
  g_autofree char *folder = laurel_model_resolve (self->store, self->project_path, name, error);
  g_autoptr (LaurelModel) model = folder != NULL ? laurel_model_load (folder, error) : NULL;

  if (model == NULL || model->config.head == head)
    return g_steal_pointer (&model);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not use “%s”: it is a %s; choose a %s", name,
               head == LAUREL_HEAD_LM ? "reward model" : "language model",
               head == LAUREL_HEAD_LM ? "language model" : "reward model");
  return NULL;
}

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  const Comparing *self = user_data;
  const LaurelCompareRequest *request = self->request;

  return request->progress == NULL
         || request->progress (self->n_done * n_all + n_done, self->n_policies * n_all,
                               request->user_data);
}

/* Both lists are of the same prompts in the same order. */
static void
count_wins (GPtrArray *ours, GPtrArray *theirs, guint64 seed, LaurelWinSummary *out)
{
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));

  for (guint i = 0; i < MIN (ours->len, theirs->len); i++) {
    const LaurelJudged *x = g_ptr_array_index (ours, i), *y = g_ptr_array_index (theirs, i);
    double gap = x->parts.score - y->parts.score;
    LaurelOutcome outcome = { .prompt_id = x->prompt_id,
                              .a = 0,
                              .b = 1,
                              .result = (gap > 0) - (gap < 0),
                              .length_gap = x->n_tokens - y->n_tokens };

    g_array_append_val (outcomes, outcome);
  }
  laurel_win_rate_summarise (outcomes, LAUREL_BOOTSTRAP_RESAMPLES, seed, out);
}

/* @best_of 1: @model itself. Takes @name. */
static gboolean
add_policy (Comparing *self,
            char *name,
            const LaurelModel *model,
            int best_of,
            GPtrArray *rows,
            GError **error)
{
  LaurelCompared *row = g_new0 (LaurelCompared, 1);
  const LaurelBestOf proxy = { self->reward, best_of, LAUREL_BEST_OF_MISSING_EOS_PENALTY };
  LaurelEvaluationRequest request = { .model = model,
                                      .reference = model != self->baseline ? self->baseline : NULL,
                                      .judge = self->judge->judge,
                                      .reward = self->judge->reward,
                                      .proxy = self->reward != NULL ? &proxy : NULL,
                                      .prompts = self->prompts,
                                      .n_completions = self->request->n_completions,
                                      .options = self->request->options,
                                      .progress = progress_cb,
                                      .user_data = self };
  g_autoptr (GPtrArray) judged = NULL;

  row->name = name;
  row->kl_bound = best_of > 1 ? laurel_best_of_n_kl_bound (best_of) : NAN;
  g_ptr_array_add (rows, row);
  if (best_of > 1)
    request.options.seed++;
  judged = laurel_evaluate_sample (&request, error);
  if (judged == NULL)
    return FALSE;
  self->n_done++;
  laurel_evaluate_summarise (judged, &row->evaluation);
  row->proxy = laurel_evaluate_average_proxy (judged);
  row->is_baseline = self->answers == NULL;
  if (row->is_baseline)
    self->answers = g_steal_pointer (&judged);
  else
    count_wins (judged, self->answers, request.options.seed, &row->wins);
  return TRUE;
}

static gboolean
add_others (Comparing *self, GPtrArray *rows, GError **error)
{
  const LaurelCompareRequest *request = self->request;

  for (int i = 0; request->models[i] != NULL; i++) {
    g_autoptr (LaurelModel) model = NULL;

    if (g_str_equal (request->models[i], self->baseline_name))
      continue;
    model = load_model (self, request->models[i], LAUREL_HEAD_LM, error);
    if (model == NULL || !add_policy (self, g_strdup (request->models[i]), model, 1, rows, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
load (Comparing *self, GError **error)
{
  const LaurelCompareRequest *request = self->request;

  self->baseline_name = request->baseline != NULL ? request->baseline : request->models[0];
  self->n_policies = 1 + (request->best_of > 1);
  for (int i = 0; request->models[i] != NULL; i++)
    self->n_policies += !g_str_equal (request->models[i], self->baseline_name);
  self->prompts = laurel_store_list_prompts (
      self->store, request->split != NULL ? request->split : "heldout", NULL, -1, 0, error);
  if (self->prompts == NULL)
    return FALSE;
  self->judge = laurel_rater_load (self->store, self->project_path, request->judge, error);
  if (self->judge == NULL)
    return FALSE;
  if (request->reward_model != NULL) {
    self->reward = load_model (self, request->reward_model, LAUREL_HEAD_SCORE, error);
    if (self->reward == NULL)
      return FALSE;
  }
  self->baseline = load_model (self, self->baseline_name, LAUREL_HEAD_LM, error);
  return self->baseline != NULL;
}

GPtrArray *
laurel_evaluate_compare (LaurelStore *store,
                         const char *project_path,
                         const LaurelCompareRequest *request,
                         GError **error)
{
  g_autoptr (GPtrArray) rows =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_compared_free);
  g_auto (Comparing) self = { .request = request, .store = store, .project_path = project_path };

  if (request->best_of > 1 && request->reward_model == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not choose the best of %d: no reward model is named; choose one",
                 request->best_of);
    return NULL;
  }
  if (!load (&self, error)
      || !add_policy (&self, g_strdup (self.baseline_name), self.baseline, 1, rows, error)
      || (request->best_of > 1
          && !add_policy (&self, g_strdup_printf ("best of %d", request->best_of), self.baseline,
                          request->best_of, rows, error))
      || !add_others (&self, rows, error))
    return NULL;
  return g_steal_pointer (&rows);
}
