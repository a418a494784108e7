/* ppo_math.h: PPO's arithmetic as pure functions on arrays.
 *
 * No trainer state, no model, no allocation. Sums are doubles. Arrays hold
 * only sampled tokens (there is no padding); where a subset is meant, a mask
 * says which.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gsize n;
  double mean;
  double variance; /* population: Σ (x − mean)² / n */
  double min;
  double max;
} LaurelMoments;

/* Over x[i] with mask[i] nonzero; @mask NULL takes all. All zero when none is taken. Every
 * statistic that is logged or trained on comes from here. */
LaurelMoments laurel_masked_moments (const float *x, const guint8 *mask, gsize n);
/* The same of x − y, without its rounding to a float. */
LaurelMoments laurel_masked_moments_of_difference (const float *x, const float *y, const guint8 *mask, gsize n);
/* Of the mean of n independent numbers: √(Σ (x − mean)² / (n − 1) / n); 0 for fewer than two. */
double laurel_standard_error (const LaurelMoments *moments);

/* kl[t] = logprob − ref_logprob (k1); rewards[t] = −kl_coef · kl[t], and + score at t = n − 1 alone. */
void laurel_ppo_rewards (const float *logprobs, const float *ref_logprobs, int n, double kl_coef, double score,
                         float *kl, float *rewards);

/* Generalised advantage estimation over one rollout of @n tokens; the value beyond its end is 0.
 *   δ_t = r_t + γ V_{t+1} − V_t,   A_t = δ_t + γ λ A_{t+1},   return_t = A_t + V_t */
void laurel_ppo_gae (const float *rewards, const float *values, int n, double gamma, double lam,
                     float *advantages, float *returns);

/* Leave-one-out over the @n rewards of one prompt's rollouts (n ≥ 2), each of which is one action:
 *   baseline_i = mean of the others,   A_i = reward_i − baseline_i   (Ahmadian et al. 2024) */
void laurel_rloo_advantages (const float *rewards, int n, float *baselines, float *advantages);

/* The same relative to the whole group and in its deviations: baseline = mean, A_i = (reward_i − mean) / √(variance +
 * 1e-8) (Shao et al. 2024, with the KL in the reward instead of the loss). */
void laurel_grpo_advantages (const float *rewards, int n, float *baselines, float *advantages);

/* Divides the taken x by √(variance + 1e-8); takes the mean off, or with @shift_mean FALSE keeps it.
 * Fewer than two taken are an error. */
gboolean laurel_whiten (float *x, const guint8 *mask, gsize n, gboolean shift_mean, GError **error);

/* One token's clipped surrogate max(−A·ρ, −A·clip(ρ, 1 ± c)), ρ = exp(logprob − old_logprob);
 * the log-ratio is bounded by ±20 so that exp stays finite. */
typedef struct {
  double loss;
  double dlogprob; /* ∂loss/∂logprob */
  double ratio;
  gboolean clipped; /* the clipped branch was the larger */
} LaurelPolicyLoss;
LaurelPolicyLoss laurel_ppo_policy_loss (double logprob, double old_logprob, double advantage, double cliprange);

/* One token's value loss ½ max((V − R)², (clip(V, V_old ± c) − R)²). */
typedef struct {
  double loss;
  double dvalue;
  gboolean clipped;
} LaurelValueLoss;
LaurelValueLoss laurel_ppo_value_loss (double value, double old_value, double return_, double cliprange_value);

/* An estimate of KL(old‖new) from a token of the old policy: ½ (new − old log-probability)², what
 * TRL logs as approxkl. For plots alone. */
double laurel_ppo_half_square_kl (double logprob, double old_logprob);

/* What k1 has been off the exact KL, over a run: one of both a rollout. */
typedef struct {
  double n;
  double sum;     /* Σ (k1 − exact) */
  double squares; /* Σ (k1 − exact)² */
  double exact;   /* Σ exact */
} LaurelKlGap;

void laurel_kl_gap_add (LaurelKlGap *self, double k1, double exact);
/* The sum in standard errors: Σ (k1 − exact) / √(Σ (k1 − exact)² + 2 Σ exact). k1 − exact is a martingale's step, whose
 * sum stays under x of √(squares + expected squares) with probability 1 − e^(−x²/2) however skewed the steps are (Bercu
 * and Touati 2008), which the sample's own deviation alone does not give: it knows nothing of a rare token that has not
 * come yet. 2 KL is at least the part of the expected squares that tokens less likely than under the reference make;
 * the others come often enough for the sample. 0 when nothing has moved. */
double laurel_kl_gap_in_errors (const LaurelKlGap *self);
/* Grossly off: more than LAUREL_KL_GAP_MAX_ERRORS, of at least 256 rollouts, and more than 0.01 nats a rollout, which
 * rounding never makes. */
#define LAUREL_KL_GAP_MAX_ERRORS 5.0
gboolean laurel_kl_gap_is_gross (const LaurelKlGap *self);

/* The moving average: average += (1 − decay) (x − average). */
void laurel_move_average (float *average, const float *x, gsize n, double decay);

/* β after a batch of @n_episodes whose mean sequence KL was @kl: β (1 + clip(kl/target − 1, ±0.2) · n/horizon). */
double laurel_ppo_adapt_kl_coef (double kl_coef, double kl, double target_kl, double n_episodes, double horizon);

/* 1 − Var(returns − values) / Var(returns); 0 when the returns do not vary. */
double laurel_ppo_explained_variance (const float *values, const float *returns, gsize n);

G_END_DECLS
