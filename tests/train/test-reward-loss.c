/* test-reward-loss.c: the K-way loss against closed forms and finite differences.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/train/reward_loss.h"

#include <math.h>

static void
test_log_sigmoid (void)
{
  g_assert_cmpfloat_with_epsilon (laurel_log_sigmoid (0), -log (2), 1e-15);
  g_assert_cmpfloat (laurel_log_sigmoid (1e4), ==, 0);
  g_assert_cmpfloat (laurel_log_sigmoid (-1e4), ==, -1e4);
  g_assert_cmpfloat_with_epsilon (laurel_log_sigmoid (2), log (1 / (1 + exp (-2.0))), 1e-15);
}

static void
test_pair (void)
{
  const float scores[] = { 2, 0.5f };
  const int ranks[] = { 1, 2 };
  float dscores[2];
  LaurelRewardStats stats;
  double loss = laurel_reward_loss (scores, ranks, NULL, 2, LAUREL_TIES_DROP, 1, dscores, &stats);
  double slope = -1 / (1 + exp (1.5));

  g_assert_cmpfloat_with_epsilon (loss, log1p (exp (-1.5)), 1e-12);
  g_assert_cmpfloat_with_epsilon (dscores[0], slope, 1e-7); /* stored as a float */
  g_assert_cmpfloat_with_epsilon (dscores[1], -slope, 1e-7);
  g_assert_cmpint (stats.n_counted, ==, 1);
  g_assert_cmpfloat (stats.n_right, ==, 1);
  g_assert_cmpfloat (stats.margin, ==, 1.5);
}

static void
test_counts (void)
{
  const int ranks[] = { 1, 2, 2, 4 };
  const int all_tied[] = { 3, 3, 3 };
  const int order[] = { 1, 2, 3 };
  const int twins[] = { 0, 1, 0 };
  const float scores[] = { 1, 2, 3 };
  float dscores[] = { 9, 9, 9 };
  LaurelRewardStats stats;

  g_assert_cmpint (laurel_reward_count_pairs (ranks, NULL, 4, LAUREL_TIES_DROP), ==, 5);
  g_assert_cmpint (laurel_reward_count_pairs (ranks, NULL, 4, LAUREL_TIES_HALF), ==, 6);
  g_assert_cmpint (laurel_reward_count_pairs (order, twins, 3, LAUREL_TIES_DROP), ==, 2);
  /* Nothing to learn is zero, not 0/0. */
  g_assert_cmpfloat (
      laurel_reward_loss (scores, all_tied, NULL, 3, LAUREL_TIES_DROP, 1, dscores, &stats), ==, 0);
  g_assert_cmpint (stats.n_counted, ==, 0);
  g_assert_cmpfloat (dscores[0], ==, 0);
}

static void
assert_gradient (const float *scores, const int *ranks, const int *twins, int n, LaurelTies ties)
{
  float dscores[8], moved[8];

  laurel_reward_loss (scores, ranks, twins, n, ties, 1, dscores, NULL);
  for (int i = 0; i < n; i++) {
    double high, low, width;

    for (int j = 0; j < n; j++)
      moved[j] = scores[j];
    moved[i] = scores[i] + 1e-2f;
    width = moved[i];
    high = laurel_reward_loss (moved, ranks, twins, n, ties, 1, NULL, NULL);
    moved[i] = scores[i] - 1e-2f;
    width -= moved[i];
    low = laurel_reward_loss (moved, ranks, twins, n, ties, 1, NULL, NULL);
    /* h²/6 times a third derivative of at most 1/8: 2e-6, and the float the gradient is stored in.
     */
    g_assert_cmpfloat_with_epsilon (dscores[i], (high - low) / width, 5e-6);
  }
}

static void
test_gradient (void)
{
  const int twins[] = { 0, 1, 2, 1, 4 };
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int round = 0; round < 100; round++) {
    float scores[5];
    int ranks[5];

    for (int i = 0; i < 5; i++) {
      scores[i] = (float) (2 * laurel_rng_normal (&rng));
      ranks[i] = 1 + (int) laurel_rng_below (&rng, 4); /* often tied */
    }
    assert_gradient (scores, ranks, NULL, 5, LAUREL_TIES_DROP);
    assert_gradient (scores, ranks, NULL, 5, LAUREL_TIES_HALF);
    assert_gradient (scores, ranks, twins, 5, LAUREL_TIES_HALF);
  }
}

static void
test_extremes (void)
{
  const float scores[] = { -1e4f, 1e4f, 0 };
  const int ranks[] = { 1, 2, 2 };
  float dscores[3];
  double loss = laurel_reward_loss (scores, ranks, NULL, 3, LAUREL_TIES_HALF, 1, dscores, NULL);

  /* (20000 + 10000 + ½·10000) / 3, and softplus adds nothing a double can see. */
  g_assert_cmpfloat_with_epsilon (loss, 35000.0 / 3, 1e-9);
  for (int i = 0; i < 3; i++)
    g_assert_true (isfinite (dscores[i]));
  g_assert_cmpfloat_with_epsilon (dscores[0], -2.0 / 3, 1e-6);
}

static void
test_scale (void)
{
  const float scores[] = { 0.3f, -1, 2 };
  const int ranks[] = { 2, 1, 3 };
  float once[3], quarter[3];

  laurel_reward_loss (scores, ranks, NULL, 3, LAUREL_TIES_DROP, 1, once, NULL);
  laurel_reward_loss (scores, ranks, NULL, 3, LAUREL_TIES_DROP, 0.25, quarter, NULL);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (quarter[i], once[i] / 4, 1e-7); /* float rounding */
  /* Only differences matter, so the gradient sums to nothing. */
  g_assert_cmpfloat_with_epsilon (once[0] + once[1] + once[2], 0, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/reward-loss/log-sigmoid", test_log_sigmoid);
  g_test_add_func ("/train/reward-loss/pair", test_pair);
  g_test_add_func ("/train/reward-loss/counts", test_counts);
  g_test_add_func ("/train/reward-loss/gradient", test_gradient);
  g_test_add_func ("/train/reward-loss/extremes", test_extremes);
  g_test_add_func ("/train/reward-loss/scale", test_scale);
  return g_test_run ();
}
