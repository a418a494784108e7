/* test-ppo-math.c: PPO's arithmetic against hand-worked numbers and finite differences.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/train/ppo_math.h"

#include <math.h>

/* Results are floats of size 1 to 10: 1e-6 is a few of their units in the last place. */
#define FLOAT_TOLERANCE 1e-6

/* Central differences in doubles with h = 1e-5: the error is h²/6 · f''' ≈ 1e-10 plus ε/h ≈ 1e-11.
 */
#define STEP 1e-5
#define SLOPE_TOLERANCE 1e-8

static void
assert_floats (const float *got, const double *wanted, int n)
{
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (got[i], wanted[i], FLOAT_TOLERANCE * 10);
}

static void
test_moments (void)
{
  const float x[] = { 1, 100, 2, 3, -50 };
  const guint8 mask[] = { 1, 0, 1, 1, 0 };
  LaurelMoments m = laurel_masked_moments (x, mask, 5);

  g_assert_cmpuint (m.n, ==, 3);
  g_assert_cmpfloat (m.mean, ==, 2);
  g_assert_cmpfloat_with_epsilon (m.variance, 2.0 / 3, 1e-12); /* population, in doubles */
  g_assert_cmpfloat (m.min, ==, 1);
  g_assert_cmpfloat (m.max, ==, 3);
  g_assert_cmpfloat (laurel_masked_moments (x, NULL, 5).min, ==, -50);
  g_assert_cmpuint (laurel_masked_moments (x, NULL, 0).n, ==, 0);
}

static void
test_moments_large_offset (void)
{
  float x[1000];

  /* A one-pass variance of float sums would be garbage at this offset. */
  for (int i = 0; i < 1000; i++)
    x[i] = 1048576 + (i % 2);
  g_assert_cmpfloat_with_epsilon (laurel_masked_moments (x, NULL, 1000).variance, 0.25, 1e-9);
}

/* The mean of 1, 2, 6 is 3, of their squares about it 14/3; √(14 / 2 / 3) is its standard error. */
static void
test_standard_error (void)
{
  const float x[] = { 1, 2, 99, 6 };
  const float y[] = { 0.5f, 1.5f, 0, 5.5f };
  const guint8 mask[] = { 1, 1, 0, 1 };
  LaurelMoments m = laurel_masked_moments (x, mask, 4);
  LaurelMoments d = laurel_masked_moments_of_difference (x, y, mask, 4);

  g_assert_cmpfloat_with_epsilon (laurel_standard_error (&m), sqrt (7.0 / 3), 1e-12);
  g_assert_cmpuint (d.n, ==, 3);
  g_assert_cmpfloat (d.mean, ==, 0.5);
  g_assert_cmpfloat (d.variance, ==, 0);
  m = laurel_masked_moments (x, NULL, 1);
  g_assert_cmpfloat (laurel_standard_error (&m), ==, 0);
}

static void
test_rewards (void)
{
  const float logprobs[] = { -1, -2, -3 };
  const float ref_logprobs[] = { -1.5f, -1, -3 };
  const double kl_wanted[] = { 0.5, -1, 0 };
  const double wanted[] = { -0.05, 0.1, 2 };
  float kl[3], rewards[3];

  laurel_ppo_rewards (logprobs, ref_logprobs, 3, 0.1, 2, kl, rewards);
  assert_floats (kl, kl_wanted, 3);
  assert_floats (rewards, wanted, 3);
}

/* γ = ½, λ = ½, worked by hand from the end:
 *   δ2 = 4 − 2 = 2                 A2 = 2
 *   δ1 = 0 + ½·2 − 1 = 0           A1 = 0 + ¼·2 = ½
 *   δ0 = 1 + ½·1 − 3 = −1½         A0 = −1½ + ¼·½ = −1.375 */
static void
test_gae_by_hand (void)
{
  const float rewards[] = { 1, 0, 4 };
  const float values[] = { 3, 1, 2 };
  const double advantages_wanted[] = { -1.375, 0.5, 2 };
  const double returns_wanted[] = { 1.625, 1.5, 4 };
  float advantages[3], returns[3];

  laurel_ppo_gae (rewards, values, 3, 0.5, 0.5, advantages, returns);
  assert_floats (advantages, advantages_wanted, 3);
  assert_floats (returns, returns_wanted, 3);
}

static void
test_gae_limits (void)
{
  const float rewards[] = { 0.5f, -1, 3 };
  const float values[] = { 1, 2, 4 };
  const double sums_wanted[] = { 2.5, 2, 3 }; /* λ = γ = 1: returns are the sums of later rewards */
  const double one_step_wanted[] = { 1.5, 1, -1 };  /* λ = 0: r + V' − V */
  float advantages[3], returns[3];

  laurel_ppo_gae (rewards, values, 3, 1, 1, advantages, returns);
  assert_floats (returns, sums_wanted, 3);
  laurel_ppo_gae (rewards, values, 3, 1, 0, advantages, returns);
  assert_floats (advantages, one_step_wanted, 3);
}

/* Of 1, 2, 6 the others' means are 4, 3½, 1½. */
static void
test_leave_one_out (void)
{
  const float rewards[] = { 1, 2, 6 };
  const double baselines_wanted[] = { 4, 3.5, 1.5 };
  const double advantages_wanted[] = { -3, -1.5, 4.5 };
  float baselines[3], advantages[3];

  laurel_rloo_advantages (rewards, 3, baselines, advantages);
  assert_floats (baselines, baselines_wanted, 3);
  assert_floats (advantages, advantages_wanted, 3);
}

/* Of 1, 3, 5 the mean is 3, the deviation √(8/3). A prompt whose rewards are all alike pulls
 * nowhere. */
static void
test_group_relative (void)
{
  const float rewards[] = { 1, 3, 5 };
  const float same[] = { 0.1f, 0.1f };
  const double baselines_wanted[] = { 3, 3, 3 };
  const double advantages_wanted[] = { -2 / sqrt (8.0 / 3), 0, 2 / sqrt (8.0 / 3) };
  float baselines[3], advantages[3];

  laurel_grpo_advantages (rewards, 3, baselines, advantages);
  assert_floats (baselines, baselines_wanted, 3);
  assert_floats (advantages, advantages_wanted, 3);
  laurel_grpo_advantages (same, 2, baselines, advantages);
  g_assert_cmpfloat (advantages[0], ==, 0);
}

static void
test_whiten (void)
{
  float x[] = { 1, 99, 3, 5 };
  const guint8 mask[] = { 1, 0, 1, 1 };
  float kept[] = { 1, 3 };
  LaurelMoments m;

  g_assert_true (laurel_whiten (x, mask, 4, TRUE, NULL));
  m = laurel_masked_moments (x, mask, 4);
  g_assert_cmpfloat_with_epsilon (m.mean, 0, FLOAT_TOLERANCE);
  g_assert_cmpfloat_with_epsilon (m.variance, 1, FLOAT_TOLERANCE);
  g_assert_cmpfloat (x[1], ==, 99);
  /* Without the shift: divided by the deviation 1, the mean stays. */
  g_assert_true (laurel_whiten (kept, NULL, 2, FALSE, NULL));
  g_assert_cmpfloat_with_epsilon (kept[0], 1, FLOAT_TOLERANCE);
  g_assert_cmpfloat_with_epsilon (kept[1], 3, FLOAT_TOLERANCE);
}

static void
test_whiten_degenerate (void)
{
  float one[] = { 3 };
  float same[] = { 2, 2, 2 };
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_whiten (one, NULL, 1, TRUE, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_true (laurel_whiten (same, NULL, 3, TRUE, NULL));
  g_assert_cmpfloat (same[0], ==, 0);
}

static void
test_policy_loss_by_hand (void)
{
  LaurelPolicyLoss l;

  /* Nothing has moved: the loss is −A, its slope −A. */
  l = laurel_ppo_policy_loss (-2, -2, 1.5, 0.2);
  g_assert_cmpfloat (l.ratio, ==, 1);
  g_assert_cmpfloat (l.loss, ==, -1.5);
  g_assert_cmpfloat (l.dlogprob, ==, -1.5);
  g_assert_false (l.clipped);
  /* Ratio 1.5 with A > 0: held at 1.2. */
  l = laurel_ppo_policy_loss (log (1.5), 0, 1, 0.2);
  g_assert_cmpfloat_with_epsilon (l.loss, -1.2, 1e-12);
  g_assert_cmpfloat (l.dlogprob, ==, 0);
  g_assert_true (l.clipped);
  /* Ratio 1.5 with A < 0: not held, the mistake can be undone. */
  l = laurel_ppo_policy_loss (log (1.5), 0, -1, 0.2);
  g_assert_cmpfloat_with_epsilon (l.loss, 1.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (l.dlogprob, 1.5, 1e-12);
  g_assert_false (l.clipped);
  /* Far away: finite. */
  l = laurel_ppo_policy_loss (1e4, 0, -1, 0.2);
  g_assert_true (isfinite (l.loss) && isfinite (l.dlogprob));
}

static void
test_policy_loss_slope (void)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 1000; i++) {
    double old = -3 * laurel_rng_uniform (&rng);
    double now = old + 0.5 * laurel_rng_normal (&rng);
    double a = laurel_rng_normal (&rng);
    double r = exp (now - old);
    double slope;

    if (fabs (r - 0.8) < 1e-3 || fabs (r - 1.2) < 1e-3)
      continue; /* the corner has no slope */
    slope = (laurel_ppo_policy_loss (now + STEP, old, a, 0.2).loss
             - laurel_ppo_policy_loss (now - STEP, old, a, 0.2).loss) / (2 * STEP);
    g_assert_cmpfloat_with_epsilon (laurel_ppo_policy_loss (now, old, a, 0.2).dlogprob, slope,
                                    SLOPE_TOLERANCE);
  }
}

static void
test_value_loss (void)
{
  LaurelValueLoss l;
  LaurelRng rng;

  /* V moved from 1 to 2 towards R = 5: held at 1.2, (1.2 − 5)² > (2 − 5)². */
  l = laurel_ppo_value_loss (2, 1, 5, 0.2);
  g_assert_cmpfloat_with_epsilon (l.loss, 0.5 * 3.8 * 3.8, 1e-12);
  g_assert_cmpfloat (l.dvalue, ==, 0);
  g_assert_true (l.clipped);
  /* V moved away from R: not held. */
  l = laurel_ppo_value_loss (2, 1, 0, 0.2);
  g_assert_cmpfloat (l.loss, ==, 2);
  g_assert_cmpfloat (l.dvalue, ==, 2);
  laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 1000; i++) {
    double old = laurel_rng_normal (&rng);
    double now = old + 0.3 * laurel_rng_normal (&rng);
    double target = laurel_rng_normal (&rng);
    double near = CLAMP (now, old - 0.2, old + 0.2);
    double slope;

    if (fabs (fabs (now - old) - 0.2) < 1e-3
        || (near != now && fabs (fabs (near - target) - fabs (now - target)) < 1e-3))
      continue; /* corners */
    slope = (laurel_ppo_value_loss (now + STEP, old, target, 0.2).loss
             - laurel_ppo_value_loss (now - STEP, old, target, 0.2).loss) / (2 * STEP);
    g_assert_cmpfloat_with_epsilon (laurel_ppo_value_loss (now, old, target, 0.2).dvalue, slope,
                                    SLOPE_TOLERANCE);
  }
}

static void
test_kl_estimates (void)
{
  /* Two outcomes, old (.5, .5), new (.51, .49): the mean under the old policy is the exact
   * KL(old‖new) of 2e-4 but for higher powers of the step, 3e-8. */
  double exact = 0.5 * log (0.5 / 0.51) + 0.5 * log (0.5 / 0.49);
  double estimate = 0.5 * laurel_ppo_half_square_kl (log (0.51), log (0.5))
                    + 0.5 * laurel_ppo_half_square_kl (log (0.49), log (0.5));

  g_assert_cmpfloat_with_epsilon (estimate, exact, 1e-6);
  g_assert_cmpfloat (laurel_ppo_half_square_kl (-1, -3), ==, 2);
  g_assert_cmpfloat (laurel_ppo_half_square_kl (-1, -1), ==, 0);
}

static void
test_adapt (void)
{
  /* Above twice the target the error is held at +0.2; 0.2 · 64/640 = 2 %. */
  g_assert_cmpfloat_with_epsilon (laurel_ppo_adapt_kl_coef (0.1, 12, 6, 64, 640), 0.102, 1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_ppo_adapt_kl_coef (0.1, 0, 6, 64, 640), 0.098, 1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_ppo_adapt_kl_coef (0.1, 6.6, 6, 64, 640), 0.101, 1e-12);
  g_assert_cmpfloat (laurel_ppo_adapt_kl_coef (0.1, 6, 6, 64, 640), ==, 0.1);
  g_assert_cmpfloat (laurel_ppo_adapt_kl_coef (0.1, 0, 6, 6400, 64), >, 0);
}

/* One token a rollout: “common” or “rare”, likelier under the reference. */
typedef struct {
  double rare, ref_rare; /* probabilities of the rare one */
} Coin;

static double
coin_k1 (const Coin *coin, gboolean is_rare)
{
  return is_rare ? log (coin->rare / coin->ref_rare)
                 : log ((1 - coin->rare) / (1 - coin->ref_rare));
}

static double
coin_exact (const Coin *coin)
{
  return coin->rare * coin_k1 (coin, TRUE) + (1 - coin->rare) * coin_k1 (coin, FALSE);
}

/* Whether a run of @n rollouts is ever found gross; @drawn: how often the rare one really comes. */
static gboolean
trips (const Coin *coin, double drawn, int n, guint64 seed, double *out_worst)
{
  LaurelKlGap gap = { 0 };
  gboolean tripped = FALSE;
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 3, 0);
  for (int i = 0; i < n; i++) {
    gboolean is_rare = laurel_rng_uniform (&rng) < drawn;

    laurel_kl_gap_add (&gap, coin_k1 (coin, is_rare), coin_exact (coin));
    tripped |= laurel_kl_gap_is_gross (&gap);
    *out_worst = MAX (*out_worst, fabs (laurel_kl_gap_in_errors (&gap)));
  }
  return tripped;
}

static void
test_kl_gap_by_hand (void)
{
  LaurelKlGap gap = { 0 };

  g_assert_cmpfloat (laurel_kl_gap_in_errors (&gap), ==, 0);
  laurel_kl_gap_add (&gap, 3, 1);  /* 2 off */
  laurel_kl_gap_add (&gap, 0, 1);  /* −1 off */
  /* 1 / √(4 + 1 + 2·2) */
  g_assert_cmpfloat_with_epsilon (laurel_kl_gap_in_errors (&gap), 1.0 / 3, 1e-12);
  g_assert_false (laurel_kl_gap_is_gross (&gap));
  for (int i = 0; i < 300; i++) /* rounding, however steady, is nothing */
    laurel_kl_gap_add (&gap, 1e-6, 0);
  g_assert_false (laurel_kl_gap_is_gross (&gap));
}

/* A correct run never trips, not even where nearly all of the KL hangs on a token that has not come
 * yet: by the sample's own deviation such runs are 16 standard errors off at 256 rollouts. One that
 * draws otherwise than it says does. */
static void
test_kl_gap_of_runs (void)
{
  const Coin coins[] = { { 0.005, 0.6 }, { 0.001, 0.1 }, { 0.02, 0.05 }, { 0.4, 0.5 },
                         { 0.01, 1e-4 } };
  double worst = 0;

  for (gsize c = 0; c < G_N_ELEMENTS (coins); c++)
    for (guint64 seed = 0; seed < 200; seed++)
      g_assert_false (trips (&coins[c], coins[c].rare, 4000, seed, &worst));
  g_test_message ("at most %.2f standard errors in 1000 runs", worst);
  g_assert_cmpfloat (worst, <, LAUREL_KL_GAP_MAX_ERRORS);
  g_assert_true (trips (&coins[0], 0.1, 4000, 0, &worst)); /* ten times as often as it says */
  g_assert_true (trips (&coins[3], 0.3, 4000, 0, &worst));
}

/* Towards a constant: what is left of the start is decayⁿ. */
static void
test_average (void)
{
  const float x[] = { 1, -2 };
  float average[] = { 0, 3 };

  for (int i = 0; i < 50; i++)
    laurel_move_average (average, x, 2, 0.9);
  g_assert_cmpfloat_with_epsilon (average[0], 1 - pow (0.9, 50), FLOAT_TOLERANCE);
  g_assert_cmpfloat_with_epsilon (average[1], -2 + 5 * pow (0.9, 50), FLOAT_TOLERANCE);
}

static void
test_explained_variance (void)
{
  const float returns[] = { 1, 2, 3, 4 };
  const float off_by_one[] = { 2, 3, 4, 5 };
  const float constant[] = { 9, 9, 9, 9 };
  const float backwards[] = { 4, 3, 2, 1 };

  g_assert_cmpfloat (laurel_ppo_explained_variance (returns, returns, 4), ==, 1);
  g_assert_cmpfloat (laurel_ppo_explained_variance (off_by_one, returns, 4), ==, 1);
  g_assert_cmpfloat (laurel_ppo_explained_variance (constant, returns, 4), ==, 0);
  g_assert_cmpfloat (laurel_ppo_explained_variance (backwards, returns, 4), ==, -3);
  g_assert_cmpfloat (laurel_ppo_explained_variance (returns, constant, 4), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/ppo-math/moments/masked", test_moments);
  g_test_add_func ("/train/ppo-math/moments/large-offset", test_moments_large_offset);
  g_test_add_func ("/train/ppo-math/moments/standard-error", test_standard_error);
  g_test_add_func ("/train/ppo-math/rewards", test_rewards);
  g_test_add_func ("/train/ppo-math/gae/by-hand", test_gae_by_hand);
  g_test_add_func ("/train/ppo-math/gae/limits", test_gae_limits);
  g_test_add_func ("/train/ppo-math/leave-one-out", test_leave_one_out);
  g_test_add_func ("/train/ppo-math/group-relative", test_group_relative);
  g_test_add_func ("/train/ppo-math/whiten/values", test_whiten);
  g_test_add_func ("/train/ppo-math/whiten/degenerate", test_whiten_degenerate);
  g_test_add_func ("/train/ppo-math/policy-loss/by-hand", test_policy_loss_by_hand);
  g_test_add_func ("/train/ppo-math/policy-loss/slope", test_policy_loss_slope);
  g_test_add_func ("/train/ppo-math/value-loss", test_value_loss);
  g_test_add_func ("/train/ppo-math/kl-estimates", test_kl_estimates);
  g_test_add_func ("/train/ppo-math/kl-gap/by-hand", test_kl_gap_by_hand);
  g_test_add_func ("/train/ppo-math/kl-gap/runs", test_kl_gap_of_runs);
  g_test_add_func ("/train/ppo-math/average", test_average);
  g_test_add_func ("/train/ppo-math/adaptive-kl", test_adapt);
  g_test_add_func ("/train/ppo-math/explained-variance", test_explained_variance);
  return g_test_run ();
}
