/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_audit.h"

#include "core/base/error.h"
#include "core/model/generate.h"
#include "core/train/audit.h"
#include "core/train/ppo_math.h"

#include <math.h>
#include <string.h>

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

static GPtrArray *
sample (LaurelPpo *self, int first, int n_here, int n, GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, n_here);
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  Sampling sampling = { self, NULL };
  GPtrArray *samples;
  GError *local = NULL;

  for (int i = 0; i < n_here; i++) {
    const LaurelTrainPrompt *prompt = prompt_of (self, first + i, n);

    prompts[i] = (LaurelPromptTokens) { prompt->tokens, prompt->n_tokens,
                                        FIRST_STREAM + (guint64) (first + i) };
  }
  options.temperature = hp->temperature;
  options.max_tokens = self->max_response;
  options.seed = (guint64) hp->seed;
  samples = laurel_generate (self->reference, prompts, n_here, 1, &options, sampling_cb, &sampling,
                             &local);
  if (samples == NULL && sampling.error != NULL) {
    g_clear_error (&local);
    local = g_steal_pointer (&sampling.error);
  }
  g_clear_error (&sampling.error);
  if (local != NULL)
    g_propagate_error (error, local);
  return samples;
}

/* Scores what the micro-batch holds into @scores. */
static void
score_packed (LaurelPpo *self, double *scores)
{
  LaurelMicroBatch *micro = self->micro;

  laurel_pass_score (&self->reward_pass, micro, micro->outputs);
  for (int b = 0; b < micro->n_sequences; b++)
    scores[b] = micro->outputs[b];
  laurel_micro_batch_clear (micro);
}

static void
score (LaurelPpo *self, GPtrArray *samples, int first, int n, double *scores)
{
  g_autofree gint32 *tokens = g_new (gint32, self->batch.stride);
  guint scored = 0;

  laurel_micro_batch_clear (self->micro);
  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *one = g_ptr_array_index (samples, i);
    const LaurelTrainPrompt *prompt = prompt_of (self, first + (int) i, n);
    int length = prompt->n_tokens + one->n_tokens;

    memcpy (tokens, prompt->tokens, sizeof *tokens * (gsize) prompt->n_tokens);
    memcpy (tokens + prompt->n_tokens, one->tokens, sizeof *tokens * (gsize) one->n_tokens);
    if (!laurel_micro_batch_fits (self->micro, length)) {
      score_packed (self, scores + scored);
      scored = i;
    }
    laurel_micro_batch_add (self->micro, tokens, length, length, 0);
  }
  score_packed (self, scores + scored);
  for (guint i = 0; i < samples->len; i++)
    if (((const LaurelSample *) g_ptr_array_index (samples, i))->finish != LAUREL_FINISH_STOP)
      scores[i] -= self->hp->missing_eos_penalty;
}

gboolean
laurel_ppo_audit_prepare (LaurelPpo *self, GError **error)
{
  int n = MIN (N_SAMPLES, N_BATCHES * self->batch.n_rows);
  g_autofree double *scores = g_new (double, n);

  if (!self->has_exact_kl || self->reference_scores != NULL || self->monitor == NULL
      || self->monitor->metric == NULL || n < 2)
    return TRUE;
  for (int first = 0; first < n; first += self->batch.n_rows) {
    int n_here = MIN (self->batch.n_rows, n - first);
    g_autoptr (GPtrArray) samples = sample (self, first, n_here, n, error);

    if (samples == NULL)
      return FALSE;
    score (self, samples, first, n, scores + first);
  }
  self->reference_scores = g_steal_pointer (&scores);
  self->n_reference_scores = n;
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
