/* ppo_rollout.c: steps 1 to 6 of a PPO iteration, from prompts to advantages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/base/error.h"
#include "core/model/generate.h"
#include "core/train/ppo_math.h"
#include "core/train/sequence.h"

#include <math.h>
#include <string.h>

/* The sampler reads its keys and values from a cache, training computes them anew: the same numbers
 * up to rounding. */
#define MAX_SAMPLER_ERROR 1e-3

/* A score alone and in a batch: other shapes of the same matrix products. */
#define MAX_BATCH_ERROR 1e-3

static gboolean
fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not go on with PPO: %s; resume from the last checkpoint, and report it if it "
               "comes again",
               why);
  return FALSE;
}

/* 1: prompts by cursor. Row r of iteration i is number i·B + r of an endless walk through shuffled
 * epochs. */
static int
take_prompt (LaurelPpo *self, int row)
{
  gint64 at = (gint64) self->state.step * self->batch.n_rows + row;
  gint64 epoch = at / self->prompts->len;

  if (epoch != self->ordered_epoch)
    laurel_data_order (self->order, self->prompts->len, self->hp->seed, (guint64) epoch,
                       self->hp->shuffle);
  self->ordered_epoch = epoch;
  return (int) self->order[at % self->prompts->len];
}

static gboolean
sampling_cb (int n_done, int n_all, gpointer user_data)
{
  LaurelPpo *self = user_data;

  return laurel_monitor_go_on (self->monitor, &self->state.checkpoint_wanted, NULL);
}

static void
store_sample (LaurelPpo *self, const LaurelSample *sample, int r)
{
  LaurelPpoBatch *batch = &self->batch;
  LaurelPpoRow *row = &batch->rows[r];
  const LaurelTrainPrompt *prompt = g_ptr_array_index (self->prompts, row->prompt);

  row->n_prompt = prompt->n_tokens;
  row->n_response = sample->n_tokens;
  row->finish = sample->finish;
  row->tokens = batch->tokens + (gsize) r * (gsize) batch->stride;
  row->first = batch->n_tokens;
  memcpy (row->tokens, prompt->tokens, sizeof (gint32) * (gsize) prompt->n_tokens);
  memcpy (row->tokens + prompt->n_tokens, sample->tokens,
          sizeof (gint32) * (gsize) sample->n_tokens);
  memcpy (batch->sampler_logprobs + row->first, sample->plain_logprobs,
          sizeof (float) * (gsize) sample->n_tokens);
  batch->n_tokens += sample->n_tokens;
}

/* 2: sample, keeping ids: what is scored and trained on is what was sampled, never its text encoded
 * again. */
static gboolean
sample_batch (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, batch->n_rows);
  LaurelSamplingOptions options =
      LAUREL_SAMPLING_DEFAULTS; /* no top-k, no top-p: they would cut the support */
  g_autoptr (GPtrArray) samples = NULL;

  for (int r = 0; r < batch->n_rows; r++) {
    const LaurelTrainPrompt *prompt;

    batch->rows[r].prompt = take_prompt (self, r);
    prompt = g_ptr_array_index (self->prompts, batch->rows[r].prompt);
    prompts[r].tokens = prompt->tokens;
    prompts[r].n_tokens = prompt->n_tokens;
    prompts[r].stream = (guint64) self->state.step * (guint64) batch->n_rows + (guint64) r;
  }
  options.temperature = self->hp->temperature;
  options.max_tokens = self->max_response;
  options.seed = (guint64) self->hp->seed;
  samples = laurel_generate (self->policy, prompts, batch->n_rows, 1, &options, sampling_cb, self,
                             error);
  if (samples == NULL)
    return FALSE;
  batch->n_tokens = 0;
  for (guint i = 0; i < samples->len; i++)
    store_sample (self, g_ptr_array_index (samples, i), (int) i);
  return TRUE;
}

/* 4: the reward model's score at the last sampled token, and the rule for rollouts that did not
 * end. */
static void
score_packed (LaurelPpo *self, int from, int to)
{
  LaurelMicroBatch *micro = self->micro;
  LaurelPass *pass = &self->reward_pass;

  for (int b = 0; b < micro->n_sequences; b++)
    micro->positions[b] = micro->offsets[b + 1] - 1; /* labels have been read by now */
  laurel_pass_forward (pass, micro);
  laurel_score_head_forward (pass->model, pass->hidden, micro->positions, micro->n_sequences,
                             micro->outputs);
  for (int i = from; i < to; i++) {
    LaurelPpoRow *row = &self->batch.rows[self->row_order[i]];

    row->score = micro->outputs[i - from];
    if (row->finish != LAUREL_FINISH_STOP)
      row->score -= self->hp->missing_eos_penalty;
  }
}

/* 3: log-probabilities of policy and reference, their exact KL, and V(s_t) before each token. */
static void
read_packed (LaurelPpo *self)
{
  LaurelPpoBatch *batch = &self->batch;
  LaurelMicroBatch *micro = self->micro;
  LaurelPass *value_pass = self->hp->vf_share_layers ? &self->policy_pass : &self->value_pass;
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);
  g_autofree float *buffer = g_new (float, 4 * (gsize) MAX (labels.n, 1));
  float *logprobs = buffer, *ref_logprobs = buffer + labels.n;
  float *kl = ref_logprobs + labels.n, *entropies = kl + labels.n;

  laurel_pass_forward (&self->policy_pass, micro);
  laurel_pass_forward (&self->reference_pass, micro);
  laurel_lm_head_compare (self->policy, self->policy_pass.hidden, self->reference,
                          self->reference_pass.hidden, &labels, self->hp->temperature, logprobs,
                          ref_logprobs, kl, entropies);
  if (value_pass != &self->policy_pass)
    laurel_pass_forward (value_pass, micro);
  laurel_score_head_forward (self->value, value_pass->hidden, labels.positions, labels.n,
                             micro->outputs);
  for (int i = 0; i < labels.n; i++) {
    int at = micro->sources[i];

    batch->logprobs[at] = logprobs[i];
    batch->ref_logprobs[at] = ref_logprobs[i];
    batch->exact_kl[at] = kl[i];
    batch->entropies[at] = entropies[i];
    batch->values[at] = micro->outputs[i];
  }
}

/* Packed as the first epoch of the update will pack them, so that its first mini-batch computes the
 * very same numbers and any ratio other than 1 there is a fault. */
static gboolean
read_batch (LaurelPpo *self, GError **error)
{
  laurel_ppo_order_rows (self, 0);
  for (int m = 0; m < self->hp->num_mini_batches; m++) {
    int to = laurel_ppo_mini_batch_start (self, m + 1);

    for (int at = laurel_ppo_mini_batch_start (self, m); at < to;) {
      int from = at;

      if (!laurel_monitor_go_on (self->monitor, &self->state.checkpoint_wanted, error))
        return FALSE;
      at = laurel_ppo_pack (self, from, to);
      read_packed (self);
      score_packed (self, from, at);
    }
  }
  return TRUE;
}

static gboolean
check_tokens (const LaurelPpo *self, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;

  for (int t = 0; t < batch->n_tokens; t++) {
    double gap = fabs ((double) batch->logprobs[t] - batch->sampler_logprobs[t]);

    if (!(gap < MAX_SAMPLER_ERROR))
      return fail (error,
                   "the sampler gave a token the log-probability %g and the full model gives it %g",
                   batch->sampler_logprobs[t], batch->logprobs[t]);
    if (!isfinite (batch->values[t]) || !isfinite (batch->ref_logprobs[t]))
      return fail (error, "the value or the reference's log-probability of a token is not finite");
    if (batch->exact_kl[t] < -1e-5f) /* rounding of a sum over the vocabulary */
      return fail (error, "the exact KL of a token is %g, which is below 0", batch->exact_kl[t]);
  }
  return TRUE;
}

static gboolean
check_scores (const LaurelPpo *self, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  const LaurelPpoRow *row = &batch->rows[0];
  LaurelSequence alone = { row->tokens, row->n_prompt + row->n_response, row->n_prompt };
  LaurelSequence *list[] = { &alone };
  float score;

  for (int r = 0; r < batch->n_rows; r++)
    if (!isfinite (batch->rows[r].score))
      return fail (error, "the score of rollout %d is not finite", r + 1);
  /* That batching leaks nothing from row to row is checked once a run. */
  if (self->state.step > 0)
    return TRUE;
  if (!laurel_reward_score (self->reward, list, 1, &score, error))
    return FALSE;
  if (row->finish != LAUREL_FINISH_STOP)
    score -= (float) self->hp->missing_eos_penalty;
  if (fabs (score - row->score) > MAX_BATCH_ERROR * (1 + fabs (row->score)))
    return fail (error, "a rollout scores %g alone and %g in its batch", score, row->score);
  return TRUE;
}

/* Σ reward = score − β Σ KL: each token was paid once, the score landed on one. */
static gboolean
check_pay (const LaurelPpo *self, const LaurelPpoRow *row, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  double paid = 0, kl = 0, size = 1 + fabs (row->score);
  double due;

  for (int t = row->first; t < row->first + row->n_response; t++) {
    paid += batch->rewards[t];
    kl += batch->kl[t];
    size += fabs (batch->rewards[t]);
  }
  due = row->score - self->state.kl_coef * kl;
  if (fabs (paid - due) > 1e-6 * size) /* each reward is rounded to a float once */
    return fail (error, "a rollout's rewards sum to %g where score − β·KL is %g", paid, due);
  return TRUE;
}

static gboolean
check_advantages (const LaurelPpo *self, double variance_before, GError **error)
{
  LaurelMoments m = laurel_masked_moments (self->batch.advantages, NULL,
                                           (gsize) self->batch.n_tokens);

  /* Whitening divides by √(variance + 1e-8), so only a variance well above that comes out as 1. */
  if (fabs (m.mean) > 1e-5 || (variance_before > 1e-4 && fabs (m.variance - 1) > 1e-3))
    return fail (error, "whitened advantages have mean %g and variance %g", m.mean, m.variance);
  return TRUE;
}

/* 5 and 6: pay each token, then GAE with no value beyond the end, returns, whitening over the whole
 * batch. */
static gboolean
pay_and_estimate (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;
  const LaurelHyperparameters *hp = self->hp;
  gsize n = (gsize) batch->n_tokens;
  double variance;

  for (int r = 0; r < batch->n_rows; r++) {
    LaurelPpoRow *row = &batch->rows[r];
    int at = row->first;

    laurel_ppo_rewards (batch->logprobs + at, batch->ref_logprobs + at, row->n_response,
                        self->state.kl_coef, row->score, batch->kl + at, batch->rewards + at);
    if (!check_pay (self, row, error))
      return FALSE;
  }
  memcpy (batch->paid, batch->rewards, n * sizeof (float));
  if (hp->whiten_rewards && !laurel_whiten (batch->paid, NULL, n, FALSE, error))
    return FALSE;
  for (int r = 0; r < batch->n_rows; r++) {
    int at = batch->rows[r].first;

    laurel_ppo_gae (batch->paid + at, batch->values + at, batch->rows[r].n_response, hp->gamma,
                    hp->lam, batch->advantages + at, batch->returns + at);
  }
  if (!hp->whiten_advantages)
    return TRUE;
  variance = laurel_masked_moments (batch->advantages, NULL, n).variance;
  return laurel_whiten (batch->advantages, NULL, n, TRUE, error)
         && check_advantages (self, variance, error);
}

gboolean
laurel_ppo_rollout (LaurelPpo *self, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!sample_batch (self, error))
    return FALSE;
  self->times.sampling = laurel_ppo_seconds_since (start);
  start = g_get_monotonic_time ();
  if (!read_batch (self, error))
    return FALSE;
  self->times.scoring = laurel_ppo_seconds_since (start);
  return check_tokens (self, error)
         && check_scores (self, error)
         && pay_and_estimate (self, error);
}
