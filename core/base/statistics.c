/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/statistics.h"

#include "core/base/rng.h"

#include <math.h>
#include <stdlib.h>

/* The 97.5th percentile of the normal distribution. */
#define Z 1.959963984540054

LaurelInterval
laurel_wilson_interval (double n_yes, int n)
{
  LaurelInterval interval = { NAN, NAN, NAN, n };
  double p, centre, half, scale;

  if (n <= 0)
    return interval;
  p = n_yes / n;
  scale = 1 + Z * Z / n;
  centre = (p + Z * Z / (2.0 * n)) / scale;
  half = Z * sqrt (p * (1 - p) / n + Z * Z / (4.0 * n * n)) / scale;
  interval.value = p;
  interval.low = MAX (centre - half, 0);
  interval.high = MIN (centre + half, 1);
  return interval;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

double
laurel_quantile (const double *sorted, int n, double share)
{
  double at = share * (n - 1);
  int below = (int) at;

  g_return_val_if_fail (n > 0, NAN);

  return below + 1 < n ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below])
                       : sorted[below];
}

/* Numbers the clusters 0, 1, … in the order of their first observation; returns how many. */
static int
number_clusters (const gint64 *clusters, int n, int *numbers)
{
  g_autoptr (GHashTable) known = NULL;

  if (clusters == NULL) {
    for (int i = 0; i < n; i++)
      numbers[i] = i;
    return n;
  }
  known = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (int i = 0; i < n; i++) {
    gpointer number = NULL;

    if (!g_hash_table_lookup_extended (known, &clusters[i], NULL, &number)) {
      number = GINT_TO_POINTER ((int) g_hash_table_size (known));
      g_hash_table_insert (known, (gpointer) &clusters[i], number);
    }
    numbers[i] = GPOINTER_TO_INT (number);
  }
  return (int) g_hash_table_size (known);
}

/* What each observation counts when as many clusters are drawn as there are. */
static void
draw_weights (const int *numbers, int n, int n_clusters, int *times, guint64 seed, int resample,
              double *weights)
{
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_BOOTSTRAP, (guint64) resample, 0);
  for (int c = 0; c < n_clusters; c++)
    times[c] = 0;
  for (int c = 0; c < n_clusters; c++)
    times[laurel_rng_below (&rng, (guint32) n_clusters)]++;
  for (int i = 0; i < n; i++)
    weights[i] = times[numbers[i]];
}

LaurelInterval
laurel_bootstrap_clustered (LaurelStatistic statistic, gpointer user_data, const gint64 *clusters,
                            int n, int n_resamples, guint64 seed)
{
  LaurelInterval interval = { NAN, NAN, NAN, n };
  g_autofree int *numbers = g_new (int, MAX (n, 1));
  g_autofree int *times = g_new (int, MAX (n, 1));
  g_autofree double *weights = g_new (double, MAX (n, 1));
  g_autofree double *values = g_new (double, MAX (n_resamples, 1));
  int n_clusters = number_clusters (clusters, n, numbers);
  int n_defined = 0;

  if (n <= 0)
    return interval;
  for (int i = 0; i < n; i++)
    weights[i] = 1;
  interval.value = statistic (weights, n, user_data);
  if (isnan (interval.value) || n_clusters < 2)
    return interval;
  for (int r = 0; r < n_resamples; r++) {
    draw_weights (numbers, n, n_clusters, times, seed, r, weights);
    values[n_defined] = statistic (weights, n, user_data);
    n_defined += !isnan (values[n_defined]);
  }
  /* Where half of the resamples say nothing, the other half is no fair sample. */
  if (n_defined == 0 || 2 * n_defined < n_resamples)
    return interval;
  qsort (values, (gsize) n_defined, sizeof *values, compare_doubles);
  interval.low = laurel_quantile (values, n_defined, 0.025);
  interval.high = laurel_quantile (values, n_defined, 0.975);
  return interval;
}

static double
weighted_mean (const double *weights, int n, gpointer user_data)
{
  const double *values = user_data;
  double sum = 0, weight = 0;

  for (int i = 0; i < n; i++) {
    sum += weights[i] * values[i];
    weight += weights[i];
  }
  return weight > 0 ? sum / weight : NAN;
}

LaurelInterval
laurel_bootstrap_mean_clustered (const double *values, const gint64 *clusters, int n,
                                 int n_resamples, guint64 seed)
{
  return laurel_bootstrap_clustered (weighted_mean, (gpointer) values, clusters, n, n_resamples,
                                     seed);
}

void
laurel_interval_widen_share (LaurelInterval *share, int n_clusters)
{
  LaurelInterval wilson;

  if (isnan (share->value) || share->high > share->low || n_clusters < 1)
    return;
  wilson = laurel_wilson_interval (share->value * n_clusters, n_clusters);
  share->low = wilson.low;
  share->high = wilson.high;
}
