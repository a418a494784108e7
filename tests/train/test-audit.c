/* test-audit.c: the audit line against closed forms, and distinct-2 by hand.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/train/audit.h"
#include "core/train/distinct.h"

#include <math.h>

/* --- Gaussian rewards: m + σ √(2 KL) ------------------------------------------------- */

/* The normal distribution's quantile, by halving. */
static double
quantile (double p)
{
  double low = -10, high = 10;

  for (int i = 0; i < 60; i++) {
    double middle = (low + high) / 2;

    if (erfc (-middle / sqrt (2)) / 2 < p)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void
test_gaussian (void)
{
  static const double kls[] = { 0.05, 0.1, 0.5, 1, 2 };
  enum { N = 20000 };
  g_autofree double *scores = g_new (double, N);

  for (int i = 0; i < N; i++)
    scores[i] = 0.3 + 0.7 * quantile ((i + 0.5) / N);
  for (gsize k = 0; k < G_N_ELEMENTS (kls); k++) {
    LaurelAuditBound bound = laurel_audit_bound (scores, N, kls[k]);

    /* 1 %: what 20000 quantiles lack of the tail beyond four deviations. */
    g_assert_cmpfloat_with_epsilon (bound.bound, 0.3 + 0.7 * sqrt (2 * kls[k]), 0.01);
    g_assert_cmpfloat_with_epsilon (bound.b, 0.7 / sqrt (2 * kls[k]),
                                    0.05 * 0.7 / sqrt (2 * kls[k]));
  }
  /* At the reference itself nothing can be earned but its own mean; b grows to a million times the
   * range, where that is met to six digits. */
  g_assert_cmpfloat_with_epsilon (laurel_audit_bound (scores, N, 0).bound, 0.3, 1e-4);
  g_assert_cmpfloat_with_epsilon (laurel_audit_bound (scores, N, -1).bound, 0.3, 1e-4);
}

/* --- A reference that is known whole: 64 sequences, some more likely than others ----------- */

enum { N_SEQUENCES = 64, MULTIPLE = 8 };

typedef struct {
  double reward[N_SEQUENCES];
  double rho[N_SEQUENCES];
  double samples[N_SEQUENCES * MULTIPLE]; /* each sequence's reward as often as ρ says */
  int n;
} World;

static void
make_world (World *world)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 0, 0);
  world->n = 0;
  for (int i = 0; i < N_SEQUENCES; i++) {
    int times = 1 + (int) laurel_rng_below (&rng, MULTIPLE);

    world->reward[i] = laurel_rng_normal (&rng);
    world->rho[i] = times;
    for (int j = 0; j < times; j++)
      world->samples[world->n++] = world->reward[i];
  }
  for (int i = 0; i < N_SEQUENCES; i++)
    world->rho[i] /= world->n;
}

/* E_π[r] and KL(π‖ρ) for π ∝ weights. */
static void
measure (const World *world, const double *weights, double *out_reward, double *out_kl)
{
  double sum = 0;

  *out_reward = *out_kl = 0;
  for (int i = 0; i < N_SEQUENCES; i++)
    sum += weights[i];
  for (int i = 0; i < N_SEQUENCES; i++) {
    double p = weights[i] / sum;

    *out_reward += p * world->reward[i];
    *out_kl += p > 0 ? p * log (p / world->rho[i]) : 0;
  }
}

/* π* ∝ ρ e^(r/β) meets the bound exactly; half its KL, or a tenth more reward, is above it. */
static void
test_enumerated_optimum (void)
{
  static const double betas[] = { 0.7, 1, 2, 5 };
  World world;

  make_world (&world);
  for (gsize b = 0; b < G_N_ELEMENTS (betas); b++) {
    double weights[N_SEQUENCES], reward, kl;

    for (int i = 0; i < N_SEQUENCES; i++)
      weights[i] = world.rho[i] * exp (world.reward[i] / betas[b]);
    measure (&world, weights, &reward, &kl);
    /* 1e-9: sums of 64 terms of size one. */
    g_assert_cmpfloat_with_epsilon (laurel_audit_bound (world.samples, world.n, kl).bound, reward,
                                    1e-9);
    g_assert_cmpfloat_with_epsilon (laurel_audit_bound (world.samples, world.n, kl).b, betas[b],
                                    1e-4 * betas[b]);
    g_assert_cmpfloat (laurel_audit_bound (world.samples, world.n, kl / 2).bound, <, reward - 0.01);
    g_assert_cmpfloat (laurel_audit_bound (world.samples, world.n, kl).bound, <,
                       reward + 0.1 * fabs (reward));
  }
}

static void
test_enumerated_policies (void)
{
  World world;
  LaurelRng rng;

  make_world (&world);
  laurel_rng_init (&rng, 8, LAUREL_RNG_TEST, 0, 0);
  for (int trial = 0; trial < 500; trial++) {
    double weights[N_SEQUENCES], reward, kl, sharpness = 6 * laurel_rng_uniform (&rng);

    for (int i = 0; i < N_SEQUENCES; i++)
      weights[i] = world.rho[i]
                   * exp (sharpness * (laurel_rng_normal (&rng) + world.reward[i]));
    measure (&world, weights, &reward, &kl);
    g_assert_cmpfloat (reward, <=, laurel_audit_bound (world.samples, world.n, kl).bound + 1e-9);
  }
}

/* --- Samples ------------------------------------------------------------------------------- */

/* The standard error is what repeating the sampling shows. */
static void
test_standard_error (void)
{
  enum { N = 256, N_TRIALS = 400 };
  double scores[N], mean = 0, squares = 0, stated = 0;
  LaurelRng rng;

  laurel_rng_init (&rng, 9, LAUREL_RNG_TEST, 0, 0);
  for (int trial = 0; trial < N_TRIALS; trial++) {
    LaurelAuditBound bound;

    for (int i = 0; i < N; i++)
      scores[i] = laurel_rng_normal (&rng);
    bound = laurel_audit_bound (scores, N, 0.5);
    mean += bound.bound / N_TRIALS;
    squares += bound.bound * bound.bound / N_TRIALS;
    stated += bound.standard_error / N_TRIALS;
  }
  /* A standard deviation of 400 trials is known to 3.5 %, and the first-order formula leaves out a
   * little at 16 effective samples and more. */
  g_assert_cmpfloat_with_epsilon (stated, sqrt (squares - mean * mean), 0.15 * stated);
  g_assert_cmpfloat_with_epsilon (mean, 1, 0.02); /* √(2 · 0.5) */
}

/* Far from the reference the bound leans on no handful of samples, so it grows on. */
static void
test_far_away (void)
{
  double scores[256];
  LaurelRng rng;

  laurel_rng_init (&rng, 10, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 256; i++)
    scores[i] = laurel_rng_normal (&rng);
  for (int kl = 5; kl <= 50; kl += 5) {
    LaurelAuditBound bound = laurel_audit_bound (scores, 256, kl);

    g_assert_cmpfloat (bound.bound, >, sqrt (2.0 * kl)); /* what an endless sample would say */
    g_assert_cmpfloat (bound.b, >, 0.4);
  }
}

static void
test_alike (void)
{
  const double scores[] = { 2, 2, 2, 2 };

  g_assert_cmpfloat (laurel_audit_bound (scores, 4, 3).bound, ==, 2);
  g_assert_cmpfloat (laurel_audit_bound (scores, 4, 3).standard_error, ==, 0);
}

static void
test_distinct (void)
{
  const gint32 one[] = { 1, 2, 1, 2, 1 }, two[] = { 2, 1, 3 };
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (guint64));

  g_assert_true (isnan (laurel_distinct_share (pairs)));
  laurel_distinct_add (pairs, one, 1);
  g_assert_cmpuint (pairs->len, ==, 0);
  laurel_distinct_add (pairs, one, 5);
  g_assert_cmpfloat (laurel_distinct_share (pairs), ==, 0.5);
  laurel_distinct_add (pairs, two, 3);
  g_assert_cmpfloat (laurel_distinct_share (pairs), ==, 0.5); /* 12, 21 and 13 of six */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/audit/gaussian", test_gaussian);
  g_test_add_func ("/train/audit/enumerated-optimum", test_enumerated_optimum);
  g_test_add_func ("/train/audit/enumerated-policies", test_enumerated_policies);
  g_test_add_func ("/train/audit/standard-error", test_standard_error);
  g_test_add_func ("/train/audit/far-away", test_far_away);
  g_test_add_func ("/train/audit/alike", test_alike);
  g_test_add_func ("/train/distinct/by-hand", test_distinct);
  return g_test_run ();
}
