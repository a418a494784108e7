/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_check.h"

#include "core/base/error.h"
#include "core/train/ppo_math.h"

#include <math.h>

/* The sampler reads its keys and values from a cache, training computes them anew: the same numbers
 * up to rounding. */
#define MAX_SAMPLER_ERROR 1e-3

/* A score alone and in a batch: other shapes of the same matrix products. */
#define MAX_BATCH_ERROR 1e-3

#define MAX_FIRST_RATIO_ERROR 1e-5

static gboolean fail (const LaurelPpo *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
fail (const LaurelPpo *self, GError **error, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not go on with %s: %s; resume from the last checkpoint, and report it if it "
               "comes again",
               laurel_ppo_get_name (self), why);
  return FALSE;
}

gboolean
laurel_ppo_check_tokens (const LaurelPpo *self, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;

  for (int t = 0; t < batch->n_tokens; t++) {
    double gap = fabs ((double) batch->logprobs[t] - batch->sampler_logprobs[t]);

    if (!(gap < MAX_SAMPLER_ERROR))
      return fail (self, error,
                   "the sampler gave a token the log-probability %g and the full model gives it %g",
                   batch->sampler_logprobs[t], batch->logprobs[t]);
    if (!isfinite (batch->values[t]) || !isfinite (batch->ref_logprobs[t]))
      return fail (self, error,
                   "the value or the reference's log-probability of a token is not finite");
    /* Rounding of a sum over the vocabulary. */
    if (self->has_exact_kl && !(batch->exact_kl[t] >= -1e-5f))
      return fail (self, error, "the exact KL of a token is %g, which is below 0",
                   batch->exact_kl[t]);
  }
  return TRUE;
}

gboolean
laurel_ppo_check_scores (const LaurelPpo *self, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  const LaurelPpoRow *row = &batch->rows[0];
  LaurelSequence alone = { row->tokens, row->n_prompt + row->n_response, row->n_prompt };
  LaurelSequence *list[] = { &alone };
  float score;

  for (int r = 0; r < batch->n_rows; r++)
    if (!isfinite (batch->rows[r].score))
      return fail (self, error, "the score of rollout %d is not finite", r + 1);
  /* That batching leaks nothing from row to row is checked once a run. */
  if (self->state.step > 0)
    return TRUE;
  if (!laurel_reward_score (self->reward, list, 1, &score, error))
    return FALSE;
  if (row->finish != LAUREL_FINISH_STOP)
    score -= (float) self->hp->missing_eos_penalty;
  if (fabs (score - row->score) > MAX_BATCH_ERROR * (1 + fabs (row->score)))
    return fail (self, error, "a rollout scores %g alone and %g in its batch", score, row->score);
  return TRUE;
}

gboolean
laurel_ppo_check_pay (const LaurelPpo *self, const LaurelPpoRow *row, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  double paid = 0, kl = 0, size = 1 + fabs (row->score);
  int last = row->first + row->n_response - 1;
  double due;

  for (int t = row->first; t <= last; t++) {
    double leash = -self->state.kl_coef * batch->kl[t];

    paid += batch->rewards[t];
    kl += batch->kl[t];
    size += fabs (batch->rewards[t]);
    if (t < last && fabs (batch->rewards[t] - leash) > 1e-6 * (1 + fabs (leash)))
      return fail (self, error, "a token before the last was paid %g where −β·KL is %g",
                   batch->rewards[t], leash);
  }
  due = row->score - self->state.kl_coef * kl;
  if (fabs (paid - due) > 1e-6 * size) /* each reward is rounded to a float once */
    return fail (self, error, "a rollout's rewards sum to %g where score − β·KL is %g", paid, due);
  return TRUE;
}

gboolean
laurel_ppo_check_end (const LaurelPpo *self, const LaurelPpoRow *row, GError **error)
{
  int last = row->first + row->n_response - 1;
  double paid = self->batch.paid[last], gap = fabs (self->batch.returns[last] - paid);

  if (!(gap <= 1e-6 * (1 + fabs (paid)))) /* a return is rounded to a float once */
    return fail (self, error,
                 "the last token's return is %g where it was paid %g: something has value beyond "
                 "the end",
                 self->batch.returns[last], paid);
  return TRUE;
}

gboolean
laurel_ppo_check_kl (const LaurelPpo *self, GError **error)
{
  const LaurelKlGap *gap = &self->kl_gap;

  if (!laurel_kl_gap_is_gross (gap))
    return TRUE;
  return fail (self, error,
               "over %g rollouts the KL of the sampled tokens is %g nats and the exact one %g, "
               "%.1f standard errors apart: tokens are not drawn as their log-probabilities say",
               gap->n, (gap->exact + gap->sum) / gap->n, gap->exact / gap->n,
               laurel_kl_gap_in_errors (gap));
}

gboolean
laurel_ppo_check_whitened (const LaurelPpo *self, double variance_before, GError **error)
{
  LaurelMoments m = laurel_masked_moments (self->batch.advantages, NULL,
                                           (gsize) self->batch.n_tokens);

  /* Whitening divides by √(variance + 1e-8), so only a variance well above that comes out as 1. */
  if (fabs (m.mean) > 1e-5 || (variance_before > 1e-4 && fabs (m.variance - 1) > 1e-3))
    return fail (self, error, "whitened advantages have mean %g and variance %g", m.mean,
                 m.variance);
  return TRUE;
}

gboolean
laurel_ppo_check_groups (const LaurelPpo *self, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  int size = laurel_ppo_get_group_size (self);

  for (int r = 0; r < batch->n_rows; r += size) {
    double sum = 0, scale = 1;

    for (int i = r; i < r + size; i++) {
      const LaurelPpoRow *row = &batch->rows[i];
      double advantage = batch->advantages[row->first];

      sum += advantage;
      scale += fabs (advantage) + fabs (batch->returns[row->first]);
    }
    if (fabs (sum) > 1e-5 * scale) /* each is rounded to a float */
      return fail (self, error, "the advantages of a prompt's %d rollouts sum to %g", size, sum);
  }
  return TRUE;
}

/* NaN is neither the smallest nor the largest, but the mean has it. */
static double
find_worst_ratio (const LaurelMoments *ratios)
{
  return isnan (ratios->mean) ? NAN : MAX (ratios->max - 1, 1 - ratios->min);
}

gboolean
laurel_ppo_check_walk (const LaurelPpo *self, int n_tokens, gboolean first, GError **error)
{
  const LaurelPpoBatch *batch = &self->batch;
  gsize n = (gsize) batch->n_tokens;
  LaurelMoments ratios = laurel_masked_moments (batch->ratios, batch->taken, n);
  double worst = find_worst_ratio (&ratios);
  LaurelMoments losses, advantages;

  if (ratios.n != (gsize) n_tokens)
    return fail (self, error, "%d of a mini-batch's %d tokens were trained on", (int) ratios.n,
                 n_tokens);
  if (!first)
    return TRUE;
  if (!(worst <= MAX_FIRST_RATIO_ERROR))
    return fail (self, error,
                 "before the first step on a batch a token's probability ratio is off 1 by %g",
                 worst);
  losses = laurel_masked_moments (batch->policy_losses, batch->taken, n);
  advantages = laurel_masked_moments (batch->advantages, batch->taken, n);
  /* Each loss is −A times a ratio that is 1 up to the bound above. */
  if (!(fabs (losses.mean + advantages.mean)
        <= MAX_FIRST_RATIO_ERROR * (1 + fabs (losses.min) + fabs (losses.max))))
    return fail (self, error, "before the first step the loss is %g where −(mean advantage) is %g",
                 losses.mean, -advantages.mean);
  return TRUE;
}

gboolean
laurel_ppo_check_frozen (const LaurelPpo *self, GError **error)
{
  g_autofree char *reference_hash = laurel_model_hash_weights (self->reference);
  g_autofree char *reward_hash = laurel_model_hash_weights (self->reward);
  const char *moved = !g_str_equal (reference_hash, self->reference_hash) ? "reference"
                      : !g_str_equal (reward_hash, self->reward_hash)     ? "reward model"
                                                                          : NULL;

  if (moved == NULL)
    return TRUE;
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
      "Could not trust this run: the weights of the %s changed while it went on; run it again",
      moved);
  return FALSE;
}
