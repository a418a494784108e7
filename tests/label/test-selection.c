/* test-selection.c: priorities by hand, and what is left to chance.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/selection.h"

#include "core/base/error.h"
#include "core/base/rng.h"

#include <math.h>

/* A handful of exponentials. */
#define TOLERANCE 1e-12

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

static void
test_priorities (void)
{
  /* Two models, three completions. */
  const double scores[] = { 0, 1, 3, 0, -1, 3 };
  const double even[] = { 2, 2, 2 };
  const double p01[] = { sigmoid (-1), sigmoid (1) }, p02 = sigmoid (-3),
               p12[] = { sigmoid (-2), sigmoid (-4) };
  double deviation = (fabs (p01[0] - p01[1]) + 0 + fabs (p12[0] - p12[1])) / sqrt (2) / 3;
  double distance =
      (fabs (p01[0] + p01[1] - 1) + fabs (2 * p02 - 1) + fabs (p12[0] + p12[1] - 1)) / 3;

  g_assert_cmpfloat_with_epsilon (
      laurel_strategy_prioritise (LAUREL_STRATEGY_UNCERTAINTY, scores, 2, 3), deviation, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (
      laurel_strategy_prioritise (LAUREL_STRATEGY_LARGE_GAP, scores, 2, 3), distance, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (
      laurel_strategy_prioritise (LAUREL_STRATEGY_NEAR_TIE, scores, 2, 3), 1 - distance, TOLERANCE);
  g_assert_cmpfloat (laurel_strategy_prioritise (LAUREL_STRATEGY_NEAR_TIE, even, 1, 3), ==, 1);
  g_assert_cmpfloat (laurel_strategy_prioritise (LAUREL_STRATEGY_LARGE_GAP, even, 1, 3), ==, 0);
  g_assert_true (isnan (laurel_strategy_prioritise (LAUREL_STRATEGY_RANDOM, NULL, 0, 3)));
}

static void
test_order (void)
{
  enum { N = 500 };
  double priorities[N], last = INFINITY;
  LaurelSelected order[N], again[N];
  gboolean seen[N] = { FALSE };
  int n_random = 0;

  for (int i = 0; i < N; i++)
    priorities[i] = (i * 37) % N;
  laurel_selection_order (LAUREL_STRATEGY_UNCERTAINTY, priorities, NULL, N, 0.2, 5, order);
  laurel_selection_order (LAUREL_STRATEGY_UNCERTAINTY, priorities, NULL, N, 0.2, 5, again);
  for (int i = 0; i < N; i++) {
    g_assert_false (seen[order[i].task]);
    seen[order[i].task] = TRUE;
    g_assert_cmpint (order[i].task, ==, again[i].task);
    n_random += order[i].is_random;
    /* A fifth of every beginning is random, within one. */
    g_assert_cmpfloat (fabs (n_random - 0.2 * (i + 1)), <=, 1);
    if (order[i].is_random)
      continue;
    g_assert_cmpfloat (priorities[order[i].task], <, last);
    last = priorities[order[i].task];
  }
  g_assert_cmpint (n_random, ==, N / 5);
}

/* The random tasks do not depend on the priorities, and any task may be one. */
static void
test_fair (void)
{
  enum { N = 50, ROUNDS = 2000 };
  double rising[N], falling[N];
  LaurelSelected order[N], other[N];
  int counts[N] = { 0 };

  for (int i = 0; i < N; i++) {
    rising[i] = i;
    falling[i] = -i;
  }
  for (int seed = 0; seed < ROUNDS; seed++) {
    laurel_selection_order (LAUREL_STRATEGY_NEAR_TIE, rising, NULL, N, 0.2, (guint64) seed, order);
    laurel_selection_order (LAUREL_STRATEGY_NEAR_TIE, falling, NULL, N, 0.2, (guint64) seed, other);
    for (int i = 0; i < N; i++) {
      g_assert_cmpint (order[i].is_random, ==, other[i].is_random);
      if (order[i].is_random) {
        g_assert_cmpint (order[i].task, ==, other[i].task);
        counts[order[i].task]++;
      }
    }
  }
  /* 400 expected, standard deviation √(2000 · 0.2 · 0.8) = 18: five of them. */
  for (int i = 0; i < N; i++)
    g_assert_cmpfloat (fabs (counts[i] - 400.0), <, 90);
}

static void
test_ends (void)
{
  const double priorities[] = { 1, 3, 2 };
  LaurelSelected order[3];

  laurel_selection_order (LAUREL_STRATEGY_LARGE_GAP, priorities, NULL, 3, 0, 1, order);
  g_assert_cmpint (order[0].task, ==, 1);
  g_assert_cmpint (order[1].task, ==, 2);
  g_assert_cmpint (order[2].task, ==, 0);
  g_assert_false (order[0].is_random || order[1].is_random || order[2].is_random);
  laurel_selection_order (LAUREL_STRATEGY_LARGE_GAP, priorities, NULL, 3, 1, 1, order);
  g_assert_true (order[0].is_random && order[1].is_random && order[2].is_random);
  laurel_selection_order (LAUREL_STRATEGY_RANDOM, priorities, NULL, 3, 0, 1, order);
  g_assert_true (order[0].is_random && order[1].is_random && order[2].is_random);
  laurel_selection_order (LAUREL_STRATEGY_LARGE_GAP, NULL, NULL, 0, 0.2, 1, order);
}

static void
test_names (void)
{
  g_autoptr (GError) error = NULL;
  LaurelStrategy strategy;

  for (int i = 0; i < LAUREL_N_STRATEGIES; i++) {
    g_assert_true (laurel_strategy_from_string (laurel_strategy_to_string ((LaurelStrategy) i),
                                                &strategy, &error));
    g_assert_cmpint (strategy, ==, i);
  }
  g_assert_cmpint (laurel_strategy_min_models (LAUREL_STRATEGY_UNCERTAINTY), ==, 2);
  g_assert_false (laurel_strategy_from_string ("diverse", &strategy, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/selection/priorities", test_priorities);
  g_test_add_func ("/label/selection/order", test_order);
  g_test_add_func ("/label/selection/fair", test_fair);
  g_test_add_func ("/label/selection/ends", test_ends);
  g_test_add_func ("/label/selection/names", test_names);
  return g_test_run ();
}
