/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_audit.h"

#include "core/base/error.h"
#include "core/train/answers.h"
#include "core/train/audit.h"
#include "core/train/held_out.h"
#include "core/train/ppo_math.h"

#include <math.h>

#define N_SAMPLES 256
/* At most so many batches of rollouts: small runs are not to wait for their audit. */
#define N_BATCHES 4
/* Keeps these draws apart from those of any rollout of the same seed, and of normalising. */
#define FIRST_STREAM (G_GUINT64_CONSTANT (1) << 41)

typedef struct {
  LaurelPpo *ppo;
  GError *error;
} Sampling;

static gboolean
sampling_cb (int n_done, int n_all, gpointer user_data)
{
  Sampling *self = user_data;

  return laurel_monitor_go_on (self->ppo->monitor, &self->ppo->state.checkpoint_wanted,
                               self->error == NULL ? &self->error : NULL);
}

/* Sample i answers one of the prompts, which are gone through evenly. */
static const LaurelTrainPrompt *
prompt_of (const LaurelPpo *self, int i, int n)
{
  return g_ptr_array_index (self->prompts, (gsize) i * self->prompts->len / (gsize) n);
}

/* (element-type LaurelAnswer): scored as rollouts are. */
static GPtrArray *
answer (LaurelPpo *self, int n, GError **error)
{
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, n);
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  Sampling sampling = { self, NULL };
  const LaurelAnswersRequest wanted = {
    .model = self->reference,
    .prompts = prompts,
    .n_prompts = n,
    .n_completions = 1,
    .options = &options,
    .prompts_at_once = self->batch.n_rows, /* as a rollout's, which was planned */
    .progress = sampling_cb,
    .user_data = &sampling,
    .reward = self->reward,
    .missing_eos_penalty = self->hp->missing_eos_penalty,
    .rows_at_once = LAUREL_HELD_OUT_AT_ONCE,
  };
  GPtrArray *answers;
  GError *local = NULL;

  for (int i = 0; i < n; i++) {
    const LaurelTrainPrompt *prompt = prompt_of (self, i, n);

    prompts[i] = (LaurelPromptTokens) { prompt->tokens, prompt->n_tokens,
                                        FIRST_STREAM + (guint64) i };
  }
  options.temperature = self->hp->temperature;
  options.max_tokens = self->max_response;
  options.seed = (guint64) self->hp->seed;
  answers = laurel_answers_new (&wanted, &local);
  if (answers == NULL && sampling.error != NULL) {
    g_clear_error (&local);
    local = g_steal_pointer (&sampling.error);
  }
  g_clear_error (&sampling.error);
  if (local != NULL)
    g_propagate_error (error, local);
  return answers;
}

gboolean
laurel_ppo_audit_prepare (LaurelPpo *self, GError **error)
{
  int n = MIN (N_SAMPLES, N_BATCHES * self->batch.n_rows);
  g_autoptr (GPtrArray) answers = NULL;

  if (!self->has_exact_kl || self->reference_scores != NULL || self->monitor == NULL
      || self->monitor->metric == NULL || n < 2)
    return TRUE;
  answers = answer (self, n, error);
  if (answers == NULL)
    return FALSE;
  self->reference_scores = g_new (double, n);
  self->n_reference_scores = n;
  for (int i = 0; i < n; i++)
    self->reference_scores[i] = ((const LaurelAnswer *) g_ptr_array_index (answers, i))->score;
  return TRUE;
}

/* The square of the standard error of a mean. */
static double
error_squared (const LaurelMoments *moments)
{
  return moments->n > 1 ? moments->variance / (double) (moments->n - 1) : 0;
}

double
laurel_ppo_audit_line (const LaurelPpo *self)
{
  const LaurelPpoBatch *batch = &self->batch;
  gsize n = (gsize) batch->n_rows;
  g_autofree float *kls = g_new0 (float, n);
  LaurelMoments kl, score;
  LaurelAuditBound bound;

  if (self->reference_scores == NULL)
    return NAN;
  for (int r = 0; r < batch->n_rows; r++) {
    const LaurelPpoRow *row = &batch->rows[r];

    if (!self->has_exact_kl)
      kls[r] = batch->row_kls[r];
    for (int t = row->first; self->has_exact_kl && t < row->first + row->n_response; t++)
      kls[r] += batch->exact_kl[t];
  }
  kl = laurel_masked_moments (kls, NULL, n);
  score = laurel_masked_moments (batch->scores, NULL, n);
  bound = laurel_audit_bound (self->reference_scores, self->n_reference_scores, kl.mean);
  return bound.bound
         + 3 * sqrt (bound.standard_error * bound.standard_error
                     + bound.b * bound.b * error_squared (&kl) + error_squared (&score));
}
