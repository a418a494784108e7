/* ppo_rollout.c: steps 1 to 6 of a PPO iteration, from prompts to advantages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/model/generate.h"
#include "core/train/ppo_check.h"
#include "core/train/ppo_math.h"
#include "core/train/sequence.h"

#include <math.h>
#include <string.h>

/* 1: prompts by cursor. Prompt p of iteration i is number i·P + p of an endless walk through
 * shuffled epochs, where an iteration has P prompts. */
static int
take_prompt (LaurelPpo *self, gint64 at)
{
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
  int n_each = laurel_ppo_get_group_size (self), n_prompts = batch->n_rows / n_each;
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, n_prompts);
  LaurelSamplingOptions options =
      LAUREL_SAMPLING_DEFAULTS; /* no top-k, no top-p: they would cut the support */
  g_autoptr (GPtrArray) samples = NULL;

  for (int p = 0; p < n_prompts; p++) {
    gint64 at = (gint64) self->state.step * n_prompts + p;
    int chosen = take_prompt (self, at);
    const LaurelTrainPrompt *prompt = g_ptr_array_index (self->prompts, chosen);

    prompts[p].tokens = prompt->tokens;
    prompts[p].n_tokens = prompt->n_tokens;
    prompts[p].stream = (guint64) at;
    for (int r = p * n_each; r < (p + 1) * n_each; r++)
      batch->rows[r].prompt = chosen;
  }
  options.temperature = self->hp->temperature;
  options.max_tokens = self->max_response;
  options.seed = (guint64) self->hp->seed;
  samples = laurel_generate (self->policy, prompts, n_prompts, n_each, &options, sampling_cb, self,
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
  const float *scores = self->micro->outputs;

  laurel_pass_score (&self->reward_pass, self->micro, self->micro->outputs);
  for (int i = from; i < to; i++) {
    LaurelPpoRow *row = &self->batch.rows[self->row_order[i]];

    row->score = scores[i - from];
    if (row->finish != LAUREL_FINISH_STOP)
      row->score -= self->hp->missing_eos_penalty;
    self->batch.scores[self->row_order[i]] = (float) row->score;
  }
}

/* V(s_t) before each token of what the micro-batch holds. */
static void
read_values (LaurelPpo *self)
{
  LaurelMicroBatch *micro = self->micro;
  LaurelPass *pass = &self->policy_pass;

  if (self->value == NULL)
    return;
  if (laurel_ppo_has_value_network (self)) {
    pass = &self->value_pass;
    laurel_pass_forward (pass, micro);
  }
  laurel_score_head_forward (self->value, pass->hidden, micro->positions, micro->n_labels,
                             micro->outputs);
  for (int i = 0; i < micro->n_labels; i++)
    self->batch.values[micro->sources[i]] = micro->outputs[i];
}

/* 3: log-probabilities of policy and reference, their exact KL where it can be afforded, and the
 * values. */
static void
read_packed (LaurelPpo *self)
{
  LaurelPpoBatch *batch = &self->batch;
  LaurelMicroBatch *micro = self->micro;
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);
  g_autofree float *buffer = g_new (float, 4 * (gsize) MAX (labels.n, 1));
  float *logprobs = buffer, *ref_logprobs = buffer + labels.n;
  float *kl = ref_logprobs + labels.n, *entropies = kl + labels.n;

  laurel_pass_forward (&self->policy_pass, micro);
  laurel_pass_forward (&self->reference_pass, micro);
  laurel_lm_head_compare (self->policy, self->policy_pass.hidden, self->reference,
                          self->reference_pass.hidden, &labels, self->hp->temperature, logprobs,
                          ref_logprobs, self->has_exact_kl ? kl : NULL, entropies);
  for (int i = 0; i < labels.n; i++) {
    int at = micro->sources[i];

    batch->logprobs[at] = logprobs[i];
    batch->ref_logprobs[at] = ref_logprobs[i];
    batch->exact_kl[at] = self->has_exact_kl ? kl[i] : NAN;
    batch->entropies[at] = entropies[i];
  }
  read_values (self);
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

/* 5: −β·KL to each token, and the score to the last. */
static gboolean
pay (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;

  self->kl_gap = self->state.kl_gap;
  for (int r = 0; r < batch->n_rows; r++) {
    LaurelPpoRow *row = &batch->rows[r];
    int at = row->first;
    gsize n = (gsize) row->n_response;

    laurel_ppo_rewards (batch->logprobs + at, batch->ref_logprobs + at, row->n_response,
                        self->state.kl_coef, row->score, batch->kl + at, batch->rewards + at);
    if (!laurel_ppo_check_pay (self, row, error))
      return FALSE;
    batch->row_kls[r] =
        (float) (laurel_masked_moments (batch->kl + at, NULL, n).mean * row->n_response);
    if (self->has_exact_kl)
      laurel_kl_gap_add (&self->kl_gap, batch->row_kls[r],
                         laurel_masked_moments (batch->exact_kl + at, NULL, n).mean
                             * row->n_response);
  }
  return laurel_ppo_check_kl (self, error);
}

/* 6 with a value: GAE with no value beyond the end, returns. */
static gboolean
estimate_by_value (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;
  const LaurelHyperparameters *hp = self->hp;
  gsize n = (gsize) batch->n_tokens;

  memcpy (batch->paid, batch->rewards, n * sizeof (float));
  if (hp->whiten_rewards && !laurel_whiten (batch->paid, NULL, n, FALSE, error))
    return FALSE;
  for (int r = 0; r < batch->n_rows; r++) {
    int at = batch->rows[r].first;

    laurel_ppo_gae (batch->paid + at, batch->values + at, batch->rows[r].n_response, hp->gamma,
                    hp->lam, batch->advantages + at, batch->returns + at);
    if (!laurel_ppo_check_end (self, &batch->rows[r], error))
      return FALSE;
  }
  return TRUE;
}

/* What a rollout was paid in all: to RLOO it is one action. */
static float
sum_pay (const LaurelPpoBatch *batch, const LaurelPpoRow *row)
{
  return (float) (laurel_masked_moments (batch->rewards + row->first, NULL,
                                         (gsize) row->n_response)
                      .mean
                  * row->n_response);
}

/* 6 without: a rollout is measured against the others of its prompt, and each of its tokens has its
 * advantage. */
static gboolean
estimate_by_group (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;
  int size = laurel_ppo_get_group_size (self);
  g_autofree float *buffer = g_new (float, 3 * (gsize) size);
  float *sums = buffer, *baselines = sums + size, *advantages = baselines + size;

  for (int first = 0; first < batch->n_rows; first += size) {
    for (int i = 0; i < size; i++)
      sums[i] = sum_pay (batch, &batch->rows[first + i]);
    if (self->hp->advantage_estimator == LAUREL_ADVANTAGE_GRPO)
      laurel_grpo_advantages (sums, size, baselines, advantages);
    else
      laurel_rloo_advantages (sums, size, baselines, advantages);
    for (int i = 0; i < size; i++) {
      const LaurelPpoRow *row = &batch->rows[first + i];

      for (int t = row->first; t < row->first + row->n_response; t++) {
        batch->values[t] = baselines[i];
        batch->advantages[t] = advantages[i];
        batch->returns[t] = sums[i];
      }
    }
  }
  return laurel_ppo_check_groups (self, error);
}

/* 6: advantages, whitened over the whole batch where that is asked for. */
static gboolean
estimate (LaurelPpo *self, GError **error)
{
  LaurelPpoBatch *batch = &self->batch;
  gsize n = (gsize) batch->n_tokens;
  double variance;

  for (gsize t = 0; t < n; t++) { /* nothing has been trained on yet */
    batch->ratios[t] = 1;
    batch->clips[t] = 0;
  }
  if (self->value != NULL ? !estimate_by_value (self, error) : !estimate_by_group (self, error))
    return FALSE;
  if (!self->hp->whiten_advantages)
    return TRUE;
  variance = laurel_masked_moments (batch->advantages, NULL, n).variance;
  return laurel_whiten (batch->advantages, NULL, n, TRUE, error)
         && laurel_ppo_check_whitened (self, variance, error);
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
  return laurel_ppo_check_tokens (self, error)
         && laurel_ppo_check_scores (self, error)
         && pay (self, error)
         && estimate (self, error);
}
