/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_math.h"

#include "core/base/error.h"

#include <math.h>

#define MAX_LOG_RATIO 20.0
#define MAX_KL_ERROR 0.2
#define VARIANCE_EPSILON 1e-8
#define MIN_GAP_ROLLOUTS 256
#define MIN_GROSS_GAP 0.01 /* nats a rollout */

static gboolean
is_taken (const guint8 *mask, gsize i)
{
  return mask == NULL || mask[i] != 0;
}

/* x[i], or x[i] − y[i]. */
static double
take (const float *x, const float *y, gsize i)
{
  return y != NULL ? (double) x[i] - y[i] : x[i];
}

static LaurelMoments
make_moments (const float *x, const float *y, const guint8 *mask, gsize n)
{
  LaurelMoments moments = { 0 };
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++) {
    double value = take (x, y, i);

    if (!is_taken (mask, i))
      continue;
    moments.min = moments.n == 0 ? value : MIN (moments.min, value);
    moments.max = moments.n == 0 ? value : MAX (moments.max, value);
    moments.n++;
    sum += value;
  }
  if (moments.n == 0)
    return moments;
  moments.mean = sum / (double) moments.n;
  /* A second pass: the difference of two large sums would lose a small variance. */
  for (gsize i = 0; i < n; i++)
    if (is_taken (mask, i))
      squares += (take (x, y, i) - moments.mean) * (take (x, y, i) - moments.mean);
  moments.variance = squares / (double) moments.n;
  return moments;
}

LaurelMoments
laurel_masked_moments (const float *x, const guint8 *mask, gsize n)
{
  return make_moments (x, NULL, mask, n);
}

LaurelMoments
laurel_masked_moments_of_difference (const float *x, const float *y, const guint8 *mask, gsize n)
{
  return make_moments (x, y, mask, n);
}

double
laurel_standard_error (const LaurelMoments *moments)
{
  return moments->n < 2 ? 0 : sqrt (moments->variance / (double) (moments->n - 1));
}

void
laurel_ppo_rewards (const float *logprobs,
                    const float *ref_logprobs,
                    int n,
                    double kl_coef,
                    double score,
                    float *kl,
                    float *rewards)
{
  for (int t = 0; t < n; t++) {
    kl[t] = logprobs[t] - ref_logprobs[t];
    rewards[t] = (float) (-kl_coef * kl[t] + (t == n - 1 ? score : 0));
  }
}

void
laurel_ppo_gae (const float *rewards, const float *values, int n, double gamma, double lam,
                float *advantages, float *returns)
{
  double advantage = 0;
  double next_value = 0;

  for (int t = n - 1; t >= 0; t--) {
    double delta = rewards[t] + gamma * next_value - values[t];

    advantage = delta + gamma * lam * advantage;
    advantages[t] = (float) advantage;
    returns[t] = (float) (advantage + values[t]);
    next_value = values[t];
  }
}

void
laurel_rloo_advantages (const float *rewards, int n, float *baselines, float *advantages)
{
  double sum = laurel_masked_moments (rewards, NULL, (gsize) n).mean * n;

  for (int i = 0; i < n; i++) {
    double baseline = (sum - rewards[i]) / (n - 1);

    baselines[i] = (float) baseline;
    advantages[i] = (float) (rewards[i] - baseline);
  }
}

void
laurel_grpo_advantages (const float *rewards, int n, float *baselines, float *advantages)
{
  LaurelMoments moments = laurel_masked_moments (rewards, NULL, (gsize) n);
  double scale = 1 / sqrt (moments.variance + VARIANCE_EPSILON);

  for (int i = 0; i < n; i++) {
    baselines[i] = (float) moments.mean;
    advantages[i] = (float) ((rewards[i] - moments.mean) * scale);
  }
}

gboolean
laurel_whiten (float *x, const guint8 *mask, gsize n, gboolean shift_mean, GError **error)
{
  LaurelMoments moments = laurel_masked_moments (x, mask, n);
  double scale;

  if (moments.n < 2) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not whiten a batch: it has %" G_GSIZE_FORMAT
                 " tokens, which have no variance; "
                 "use more rollouts or switch whitening off",
                 moments.n);
    return FALSE;
  }
  scale = 1 / sqrt (moments.variance + VARIANCE_EPSILON);
  for (gsize i = 0; i < n; i++) {
    if (!is_taken (mask, i))
      continue;
    x[i] = (float) (shift_mean ? (x[i] - moments.mean) * scale : x[i] * scale);
  }
  return TRUE;
}

LaurelPolicyLoss
laurel_ppo_policy_loss (double logprob, double old_logprob, double advantage, double cliprange)
{
  LaurelPolicyLoss result;
  double log_ratio = logprob - old_logprob;
  gboolean bounded = fabs (log_ratio) > MAX_LOG_RATIO;
  double ratio = exp (CLAMP (log_ratio, -MAX_LOG_RATIO, MAX_LOG_RATIO));
  double plain = -advantage * ratio;
  double clipped = -advantage * CLAMP (ratio, 1 - cliprange, 1 + cliprange);

  result.ratio = ratio;
  result.clipped = clipped > plain;
  result.loss = MAX (plain, clipped);
  /* The clipped branch is larger only where the clip is at its bound, and a bound has no slope. */
  result.dlogprob = result.clipped || bounded ? 0 : plain;
  return result;
}

LaurelValueLoss
laurel_ppo_value_loss (double value, double old_value, double return_, double cliprange_value)
{
  LaurelValueLoss result;
  double near = CLAMP (value, old_value - cliprange_value, old_value + cliprange_value);
  double plain = (value - return_) * (value - return_);
  double clipped = (near - return_) * (near - return_);

  result.clipped = clipped > plain;
  result.loss = 0.5 * MAX (plain, clipped);
  result.dvalue = result.clipped ? 0 : value - return_;
  return result;
}

double
laurel_ppo_half_square_kl (double logprob, double old_logprob)
{
  return 0.5 * (logprob - old_logprob) * (logprob - old_logprob);
}

void
laurel_kl_gap_add (LaurelKlGap *self, double k1, double exact)
{
  double gap = k1 - exact;

  self->n++;
  self->sum += gap;
  self->squares += gap * gap;
  self->exact += MAX (exact, 0); /* rounding can take it a little below */
}

double
laurel_kl_gap_in_errors (const LaurelKlGap *self)
{
  double squares = self->squares + 2 * self->exact;

  return squares > 0 ? self->sum / sqrt (squares) : 0;
}

gboolean
laurel_kl_gap_is_gross (const LaurelKlGap *self)
{
  return self->n >= MIN_GAP_ROLLOUTS
         && !(fabs (self->sum) <= MIN_GROSS_GAP * self->n
              || fabs (laurel_kl_gap_in_errors (self)) <= LAUREL_KL_GAP_MAX_ERRORS);
}

void
laurel_move_average (float *average, const float *x, gsize n, double decay)
{
  for (gsize i = 0; i < n; i++)
    average[i] = (float) (average[i] + (1 - decay) * ((double) x[i] - average[i]));
}

double
laurel_ppo_adapt_kl_coef (double kl_coef,
                          double kl,
                          double target_kl,
                          double n_episodes,
                          double horizon)
{
  double error = CLAMP (kl / target_kl - 1, -MAX_KL_ERROR, MAX_KL_ERROR);

  /* A horizon shorter than a batch would otherwise turn β negative. */
  return kl_coef * (1 + error * MIN (n_episodes / horizon, 1));
}

double
laurel_ppo_explained_variance (const float *values, const float *returns, gsize n)
{
  double variance = laurel_masked_moments (returns, NULL, n).variance;

  if (variance == 0)
    return 0;
  return 1 - laurel_masked_moments_of_difference (returns, values, NULL, n).variance / variance;
}
