/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/reward_loss.h"

#include <math.h>
#include <string.h>

double
laurel_log_sigmoid (double x)
{
  return x >= 0 ? -log1p (exp (-x)) : x - log1p (exp (x));
}

static double
sigmoid (double x)
{
  return x >= 0 ? 1 / (1 + exp (-x)) : exp (x) / (1 + exp (x));
}

static gboolean
is_tied (const int *ranks, const int *twins, int i, int j)
{
  return ranks[i] == ranks[j] || (twins != NULL && twins[i] == twins[j]);
}

int
laurel_reward_count_pairs (const int *ranks, const int *twins, int n, LaurelTies ties)
{
  int n_pairs = 0;

  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      n_pairs += ties == LAUREL_TIES_HALF || !is_tied (ranks, twins, i, j);
  return n_pairs;
}

/* A tied pair: both orders, half each. */
static double
add_tied_pair (double difference, double *dfirst)
{
  *dfirst = 0.5 * (sigmoid (difference) - sigmoid (-difference));
  return -0.5 * laurel_log_sigmoid (difference) - 0.5 * laurel_log_sigmoid (-difference);
}

static double
add_strict_pair (double difference, double *dbetter, LaurelRewardStats *stats)
{
  stats->n_strict++;
  stats->n_right += difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
  stats->margin += difference;
  *dbetter = -sigmoid (-difference);
  return -laurel_log_sigmoid (difference);
}

double
laurel_reward_loss (const float *scores, const int *ranks, const int *twins, int n, LaurelTies ties,
                    double scale, float *dscores, LaurelRewardStats *out_stats)
{
  LaurelRewardStats stats = { 0 };
  double loss = 0;

  stats.n_counted = laurel_reward_count_pairs (ranks, twins, n, ties);
  if (dscores != NULL)
    memset (dscores, 0, sizeof *dscores * (gsize) n);
  for (int i = 0; i < n; i++) {
    for (int j = i + 1; j < n; j++) {
      gboolean tied = is_tied (ranks, twins, i, j);
      int better = ranks[i] <= ranks[j] ? i : j;
      int worse = better == i ? j : i;
      double difference = (double) scores[better] - scores[worse];
      double dbetter;

      if (tied && ties == LAUREL_TIES_DROP)
        continue;
      loss += tied ? add_tied_pair (difference, &dbetter)
                   : add_strict_pair (difference, &dbetter, &stats);
      if (dscores != NULL) {
        float share = (float) (scale * dbetter / stats.n_counted);

        dscores[better] += share;
        dscores[worse] -= share;
      }
    }
  }
  if (out_stats != NULL)
    *out_stats = stats;
  return stats.n_counted > 0 ? loss / stats.n_counted : 0;
}
