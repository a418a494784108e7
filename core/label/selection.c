/* selection.c: priorities from scores, and a queue of two minds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/selection.h"

#include "core/base/error.h"
#include "core/base/rng.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>

static const char *const names[LAUREL_N_STRATEGIES] = {
  [LAUREL_STRATEGY_RANDOM] = "random",
  [LAUREL_STRATEGY_UNCERTAINTY] = "uncertainty",
  [LAUREL_STRATEGY_NEAR_TIE] = "near-tie",
  [LAUREL_STRATEGY_LARGE_GAP] = "large-gap",
};

const char *
laurel_strategy_to_string (LaurelStrategy strategy)
{
  g_return_val_if_fail ((guint) strategy < LAUREL_N_STRATEGIES, "random");

  return names[strategy];
}

gboolean
laurel_strategy_from_string (const char *text, LaurelStrategy *out_strategy, GError **error)
{
  for (guint i = 0; i < LAUREL_N_STRATEGIES; i++)
    if (g_str_equal (text, names[i])) {
      *out_strategy = (LaurelStrategy) i;
      return TRUE;
    }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not order the tasks by “%s”: there is no such strategy; use random, "
               "uncertainty, near-tie or large-gap",
               text);
  return FALSE;
}

int
laurel_strategy_min_models (LaurelStrategy strategy)
{
  return strategy == LAUREL_STRATEGY_RANDOM ? 0 : strategy == LAUREL_STRATEGY_UNCERTAINTY ? 2 : 1;
}

/* The mean and the standard deviation between the models of the chance that @i is preferred to @j.
 */
static void
measure_pair (const double *scores,
              int n_models,
              int n,
              int i,
              int j,
              double *out_mean,
              double *out_deviation)
{
  double mean = 0, squares = 0;

  for (int m = 0; m < n_models; m++)
    mean += 1 / (1 + exp (scores[m * n + j] - scores[m * n + i])) / n_models;
  for (int m = 0; m < n_models; m++) {
    double gap = 1 / (1 + exp (scores[m * n + j] - scores[m * n + i])) - mean;

    squares += gap * gap;
  }
  *out_mean = mean;
  *out_deviation = n_models > 1 ? sqrt (squares / (n_models - 1)) : 0;
}

double
laurel_strategy_prioritise (LaurelStrategy strategy, const double *scores, int n_models, int n)
{
  double distance = 0, deviation = 0;
  int n_pairs = n * (n - 1) / 2;

  if (strategy == LAUREL_STRATEGY_RANDOM)
    return NAN;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      double pair_mean, pair_deviation;

      measure_pair (scores, n_models, n, i, j, &pair_mean, &pair_deviation);
      distance += fabs (2 * pair_mean - 1) / n_pairs;
      deviation += pair_deviation / n_pairs;
    }
  return strategy == LAUREL_STRATEGY_UNCERTAINTY ? deviation
         : strategy == LAUREL_STRATEGY_NEAR_TIE  ? 1 - distance
                                                 : distance;
}

/* --- The order --------------------------------------------------------------- */

typedef struct {
  int task;
  double priority;
} Ranked;

static int
compare_ranked (const void *a, const void *b)
{
  const Ranked *x = a, *y = b;

  if (x->priority != y->priority)
    return x->priority > y->priority ? -1 : 1;
  return x->task - y->task;
}

/* Those that are random come first, else nothing changes its place. Returns how many there are. */
static int
draw (guint32 *shuffled, const LaurelDraw *draws, int n, double share)
{
  g_autofree guint32 *rest = g_new (guint32, MAX (n, 1));
  int n_open = 0, n_drawn = 0, n_random = 0, n_rest = 0;

  for (int i = 0; i < n; i++)
    n_open += draws == NULL || draws[i] == LAUREL_DRAW_OPEN;
  n_open = (int) lround (share * n_open);
  for (int i = 0; i < n; i++) {
    LaurelDraw was = draws != NULL ? draws[shuffled[i]] : LAUREL_DRAW_OPEN;
    gboolean is_drawn = was == LAUREL_DRAW_OPEN && n_drawn < n_open;

    n_drawn += is_drawn;
    if (is_drawn || was == LAUREL_DRAW_RANDOM)
      shuffled[n_random++] = shuffled[i];
    else
      rest[n_rest++] = shuffled[i];
  }
  memcpy (shuffled + n_random, rest, (gsize) n_rest * sizeof *rest);
  return n_random;
}

void
laurel_selection_order (LaurelStrategy strategy,
                        const double *priorities,
                        const LaurelDraw *draws,
                        int n,
                        double random_share,
                        guint64 seed,
                        LaurelSelected *out)
{
  g_autofree guint32 *shuffled = g_new (guint32, MAX (n, 1));
  g_autofree Ranked *ranked = g_new (Ranked, MAX (n, 1));
  int n_random, n_ranked = 0, at_random = 0, at_ranked = 0;
  LaurelRng rng;
  double phase;

  for (int i = 0; i < n; i++)
    shuffled[i] = (guint32) i;
  laurel_rng_init (&rng, seed, LAUREL_RNG_QUEUE, 0, 0);
  laurel_rng_shuffle (&rng, shuffled, (gsize) n);
  phase = laurel_rng_uniform (&rng);
  if (strategy == LAUREL_STRATEGY_RANDOM) {
    for (int i = 0; i < n; i++)
      out[i] = (LaurelSelected){ (int) shuffled[i],
                                 draws == NULL || draws[shuffled[i]] != LAUREL_DRAW_RULE };
    return;
  }
  n_random = draw (shuffled, draws, n, random_share);
  for (int i = n_random; i < n; i++)
    ranked[n_ranked++] = (Ranked){ (int) shuffled[i], priorities[shuffled[i]] };
  qsort (ranked, (gsize) n_ranked, sizeof *ranked, compare_ranked);
  /* Every stretch of the queue has its share of both, within one. */
  for (int i = 0; i < n; i++) {
    gboolean is_turn = floor ((i + 1 + phase) * n_random / n) > floor ((i + phase) * n_random / n);
    gboolean is_random = at_ranked >= n_ranked || (is_turn && at_random < n_random);

    out[i].is_random = is_random;
    out[i].task = is_random ? (int) shuffled[at_random++] : ranked[at_ranked++].task;
  }
}
