/* statistics.h: shares, means and their 95 % intervals.
 *
 * Two kinds of interval are in use. Wilson's is for independent yes-or-no
 * observations. Where observations come in clusters that hang together (the
 * pairs of one prompt, the answers to one question), whole clusters are drawn
 * again with replacement: the bootstrap's percentiles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double value; /* NaN when @n is 0 */
  double low;   /* NaN when there is no interval */
  double high;
  int n; /* observations */
} LaurelInterval;

/* Enough that the ends of an interval move by a few thousandths from seed to seed. */
#define LAUREL_BOOTSTRAP_RESAMPLES 1000

/* Wilson's interval of a share; @n_yes may have halves in it (ties that count one half). */
LaurelInterval laurel_wilson_interval (double n_yes, int n);

/* A statistic of n observations of which the i-th counts weights[i] times; NaN where it is undefined. */
typedef double (*LaurelStatistic) (const double *weights, int n, gpointer user_data);

/* The statistic of all observations, with the interval that drawing whole clusters again gives: clusters[i] names the
 * cluster of observation i, in any numbers (NULL: each is one of its own). Without an interval when there are fewer
 * than two clusters, or when the statistic is undefined in half of the resamples. The same seed gives the same interval. */
LaurelInterval laurel_bootstrap_clustered (LaurelStatistic statistic, gpointer user_data, const gint64 *clusters, int n, int n_resamples, guint64 seed);
/* The same of the mean of @values. */
LaurelInterval laurel_bootstrap_mean_clustered (const double *values, const gint64 *clusters, int n, int n_resamples, guint64 seed);

/* For a share of things that come in @n_clusters clusters, none of which differs from the others: all right, all wrong,
 * or of one cluster. Drawing clusters again sees no spread in them; Wilson's interval does, of as many observations as
 * there are clusters, and takes its place. Any other interval stays. */
void laurel_interval_widen_share (LaurelInterval *share, int n_clusters);

/* The @share quantile of ascending numbers, between neighbours by straight lines; @n at least 1. */
double laurel_quantile (const double *sorted, int n, double share);

G_END_DECLS
