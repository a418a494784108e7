/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_math.h"

#include "core/base/error.h"

#include <math.h>

#define MAX_LOG_RATIO 20.0
#define MAX_KL_ERROR 0.2
#define VARIANCE_EPSILON 1e-8

static gboolean
is_taken (const guint8 *mask, gsize i)
{
  return mask == NULL || mask[i] != 0;
}

LaurelMoments
laurel_masked_moments (const float *x, const guint8 *mask, gsize n)
{
  LaurelMoments moments = { 0 };
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++) {
    if (!is_taken (mask, i))
      continue;
    moments.min = moments.n == 0 ? x[i] : MIN (moments.min, x[i]);
    moments.max = moments.n == 0 ? x[i] : MAX (moments.max, x[i]);
    moments.n++;
    sum += x[i];
  }
  if (moments.n == 0)
    return moments;
  moments.mean = sum / (double) moments.n;
  /* A second pass: the difference of two large sums would lose a small variance. */
  for (gsize i = 0; i < n; i++)
    if (is_taken (mask, i))
      squares += (x[i] - moments.mean) * (x[i] - moments.mean);
  moments.variance = squares / (double) moments.n;
  return moments;
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

double
laurel_ppo_k3_kl (double logprob, double old_logprob)
{
  double delta = CLAMP (logprob - old_logprob, -MAX_LOG_RATIO, MAX_LOG_RATIO);

  return expm1 (delta) - delta;
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
  LaurelMoments of_returns = laurel_masked_moments (returns, NULL, n);
  double sum = 0, squares = 0, mean;

  if (of_returns.variance == 0)
    return 0;
  for (gsize i = 0; i < n; i++)
    sum += (double) returns[i] - values[i];
  mean = sum / (double) n;
  for (gsize i = 0; i < n; i++) {
    double residual = (double) returns[i] - values[i] - mean;

    squares += residual * residual;
  }
  return 1 - squares / (double) n / of_returns.variance;
}
