/* test-dpo-loss.c: DPO's loss against closed forms and finite differences.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/train/dpo_loss.h"

#include <math.h>

static LaurelHyperparameters
make_settings (double beta, LaurelDpoLoss loss_type, double label_smoothing)
{
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_DPO);
  hp.beta = beta;
  hp.loss_type = loss_type;
  hp.label_smoothing = label_smoothing;
  return hp;
}

static void
test_pair (void)
{
  const LaurelHyperparameters hp = make_settings (0.5, LAUREL_DPO_SIGMOID, 0);
  const LaurelDpoCompletion pair[] = { { -9, -6, 4 }, { -4, -5, 2 } }; /* the second is better */
  const int ranks[] = { 2, 1 };
  double dlogprobs[2];
  LaurelDpoStats stats;
  double loss = laurel_dpo_loss (pair, ranks, NULL, 2, &hp, 1, dlogprobs, &stats);
  double slope = 0.5 / (1 + exp (2)); /* β σ(−βh) with h = 1 − (−3) = 4 */

  /* 1e-14: a handful of operations on numbers of size 1. */
  g_assert_cmpfloat_with_epsilon (loss, log1p (exp (-2)), 1e-14);
  g_assert_cmpfloat_with_epsilon (dlogprobs[1], -slope, 1e-14);
  g_assert_cmpfloat_with_epsilon (dlogprobs[0], slope, 1e-14);
  g_assert_cmpint (stats.n_pairs, ==, 1);
  g_assert_cmpfloat (stats.n_right, ==, 1);
  g_assert_cmpfloat (stats.chosen, ==, 0.5);
  g_assert_cmpfloat (stats.rejected, ==, -1.5);
  g_assert_cmpfloat (stats.logps_chosen, ==, -4);
  g_assert_cmpfloat (stats.logps_rejected, ==, -9);
}

/* ipo's margin is per token, and its loss is 0 at 1/(2β) and nowhere else. */
static void
test_ipo (void)
{
  const LaurelHyperparameters hp = make_settings (0.25, LAUREL_DPO_IPO, 0);
  const LaurelDpoCompletion met[] = { { -2, -6, 4 }, { -7, -5, 2 } };
  const LaurelDpoCompletion missed[] = { { -6, -6, 4 }, { -5, -5, 2 } };
  const int ranks[] = { 1, 2 };
  double dlogprobs[2];

  g_assert_cmpfloat (laurel_dpo_loss (met, ranks, NULL, 2, &hp, 1, dlogprobs, NULL), ==, 0);
  g_assert_cmpfloat (dlogprobs[0], ==, 0);
  g_assert_cmpfloat (laurel_dpo_loss (missed, ranks, NULL, 2, &hp, 1, dlogprobs, NULL), ==, 4);
  g_assert_cmpfloat (dlogprobs[0], ==, -1); /* 2 · (0 − 2) / 4 tokens */
  g_assert_cmpfloat (dlogprobs[1], ==, 2);
}

/* With half of the labels taken to be wrong there is nothing to learn at equal margins, and more
 * than nothing to lose beside them. */
static void
test_smoothing (void)
{
  const LaurelHyperparameters hp = make_settings (1, LAUREL_DPO_SIGMOID, 0.5);
  const LaurelDpoCompletion equal[] = { { -3, -3, 1 }, { -4, -4, 1 } };
  const LaurelDpoCompletion apart[] = { { -1, -3, 1 }, { -4, -4, 1 } };
  const int ranks[] = { 1, 2 };
  double dlogprobs[2];

  g_assert_cmpfloat_with_epsilon (
      laurel_dpo_loss (equal, ranks, NULL, 2, &hp, 1, dlogprobs, NULL), log (2), 1e-15);
  g_assert_cmpfloat_with_epsilon (dlogprobs[0], 0, 1e-15);
  g_assert_cmpfloat (laurel_dpo_loss (apart, ranks, NULL, 2, &hp, 1, dlogprobs, NULL), >, log (2));
  g_assert_cmpfloat (dlogprobs[0], >, 0);
}

/* Ties and twins are no pairs; a prompt of ties is nothing, not 0/0. */
static void
test_counts (void)
{
  const LaurelHyperparameters hp = make_settings (0.1, LAUREL_DPO_SIGMOID, 0);
  const LaurelDpoCompletion completions[] = { { -1, -2, 1 }, { -2, -2, 1 }, { -3, -2, 1 } };
  const int ranks[] = { 1, 2, 2 }, tied[] = { 3, 3, 3 }, order[] = { 1, 2, 3 };
  const int twins[] = { 0, 1, 0 };
  double dlogprobs[] = { 9, 9, 9 };
  LaurelDpoStats stats;

  g_assert_cmpint (laurel_dpo_count_pairs (order, NULL, 3), ==, 3);
  g_assert_cmpint (laurel_dpo_count_pairs (ranks, NULL, 3), ==, 2);
  g_assert_cmpint (laurel_dpo_count_pairs (order, twins, 3), ==, 2);
  g_assert_cmpfloat (laurel_dpo_loss (completions, tied, NULL, 3, &hp, 1, dlogprobs, &stats), ==,
                     0);
  g_assert_cmpint (stats.n_pairs, ==, 0);
  g_assert_cmpfloat (dlogprobs[0], ==, 0);
}

/* A prompt's pairs weigh 1/P: twice the completions, the same loss. */
static void
test_mean_over_pairs (void)
{
  const LaurelHyperparameters hp = make_settings (0.3, LAUREL_DPO_SIGMOID, 0);
  const LaurelDpoCompletion four[] = { { -1, -2, 3 }, { -1, -2, 3 }, { -5, -3, 3 }, { -5, -3, 3 } };
  const LaurelDpoCompletion two[] = { { -1, -2, 3 }, { -5, -3, 3 } };
  const int four_ranks[] = { 1, 1, 2, 2 }, two_ranks[] = { 1, 2 };

  g_assert_cmpfloat_with_epsilon (
      laurel_dpo_loss (four, four_ranks, NULL, 4, &hp, 1, NULL, NULL),
      laurel_dpo_loss (two, two_ranks, NULL, 2, &hp, 1, NULL, NULL), 1e-15);
}

static void
assert_gradient (const LaurelDpoCompletion *completions,
                 const int *ranks,
                 int n,
                 const LaurelHyperparameters *hp)
{
  LaurelDpoCompletion moved[8];
  double dlogprobs[8];
  const double step = 1e-5;

  laurel_dpo_loss (completions, ranks, NULL, n, hp, 0.7, dlogprobs, NULL);
  for (int k = 0; k < n; k++) {
    double high, low, slope;

    for (int i = 0; i < n; i++)
      moved[i] = completions[i];
    moved[k].logprob = completions[k].logprob + step;
    high = laurel_dpo_loss (moved, ranks, NULL, n, hp, 1, NULL, NULL);
    moved[k].logprob = completions[k].logprob - step;
    low = laurel_dpo_loss (moved, ranks, NULL, n, hp, 1, NULL, NULL);
    slope = 0.7 * (high - low) / (2 * step);
    /* A loss of up to 100 is rounded to 1e-14, over a step of 2e-5: 1e-9; the step's own error is
     * its square times a third derivative of about 1. */
    g_assert_cmpfloat_with_epsilon (dlogprobs[k], slope, 2e-9 * (1 + fabs (slope)));
  }
}

static void
test_gradient (void)
{
  const LaurelHyperparameters settings[] = { make_settings (0.1, LAUREL_DPO_SIGMOID, 0),
                                             make_settings (2, LAUREL_DPO_SIGMOID, 0.1),
                                             make_settings (0.2, LAUREL_DPO_IPO, 0) };
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int round = 0; round < 60; round++) {
    LaurelDpoCompletion completions[5];
    int ranks[5];

    for (int i = 0; i < 5; i++) {
      completions[i] = (LaurelDpoCompletion){ -5 + laurel_rng_normal (&rng),
                                              -5 + laurel_rng_normal (&rng),
                                              1 + (int) laurel_rng_below (&rng, 9) };
      ranks[i] = 1 + (int) laurel_rng_below (&rng, 4); /* often tied */
    }
    for (gsize s = 0; s < G_N_ELEMENTS (settings); s++)
      assert_gradient (completions, ranks, 5, &settings[s]);
  }
}

static void
test_extremes (void)
{
  const LaurelHyperparameters hp = make_settings (1, LAUREL_DPO_SIGMOID, 0.1);
  const LaurelDpoCompletion completions[] = { { -1e4, 0, 500 }, { 0, -1e4, 500 } };
  const int ranks[] = { 1, 2 };
  double dlogprobs[2];
  double loss = laurel_dpo_loss (completions, ranks, NULL, 2, &hp, 1, dlogprobs, NULL);

  g_assert_cmpfloat_with_epsilon (loss, 0.9 * 2e4, 1e-9);
  g_assert_cmpfloat_with_epsilon (dlogprobs[0], -0.9, 1e-12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/dpo-loss/pair", test_pair);
  g_test_add_func ("/train/dpo-loss/ipo", test_ipo);
  g_test_add_func ("/train/dpo-loss/smoothing", test_smoothing);
  g_test_add_func ("/train/dpo-loss/counts", test_counts);
  g_test_add_func ("/train/dpo-loss/mean-over-pairs", test_mean_over_pairs);
  g_test_add_func ("/train/dpo-loss/gradient", test_gradient);
  g_test_add_func ("/train/dpo-loss/extremes", test_extremes);
  return g_test_run ();
}
