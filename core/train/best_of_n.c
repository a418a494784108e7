/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/best_of_n.h"

#include <math.h>

double
laurel_best_of_n_kl_bound (int n)
{
  return log (n) - (n - 1.0) / n;
}

/* --- Order ----------------------------------------------------------------------------- */

static int
compare_by_proxy (const void *a, const void *b, gpointer user_data)
{
  const double *proxy = user_data;
  double x = proxy[*(const int *) a], y = proxy[*(const int *) b];

  return (x > y) - (x < y);
}

/* (n): indices by rising proxy. */
static int *
sort_by_proxy (const double *proxy, int n)
{
  int *order = g_new (int, n);

  for (int i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, n, sizeof *order, compare_by_proxy, (gpointer) proxy);
  return order;
}

/* The end of the run of equal values that starts at @from of @order. */
static int
find_run_end (const double *proxy, const int *order, int n, int from)
{
  int end = from + 1;

  while (end < n && proxy[order[end]] == proxy[order[from]])
    end++;
  return end;
}

/* --- KL -------------------------------------------------------------------------------- */

/* m log (m / p) with m = F^n − F₋^n, where F = below + p. */
static double
get_term (double below, double p, int n)
{
  double log_f = log (below + p);
  /* log m = n log F + log (1 − (F₋/F)^n): nothing is taken from anything nearly its size. */
  double log_m = n * log_f + (below > 0 ? log (-expm1 (n * (log (below) - log_f))) : 0);

  return log_m > -700 ? exp (log_m) * (log_m - log (p)) : 0;
}

double
laurel_best_of_n_kl (const double *proxy, const double *weights, int n_outcomes, int n)
{
  g_autofree int *order = sort_by_proxy (proxy, n_outcomes);
  double total = 0, below = 0, kl = 0;

  for (int i = 0; i < n_outcomes; i++)
    total += weights != NULL ? weights[i] : 1;
  for (int from = 0; from < n_outcomes;) {
    int end = find_run_end (proxy, order, n_outcomes, from);
    double p = 0;

    for (int i = from; i < end; i++)
      p += (weights != NULL ? weights[order[i]] : 1) / total;
    if (p > 0)
      kl += get_term (below, p, n);
    below += p;
    from = end;
  }
  return kl;
}

/* --- Estimates from N samples -------------------------------------------------------------- */

/* tops[i]: the share of the subsets of n out of @n_samples whose highest member has rank i + 1,
 * C(i, n − 1) / C(n_samples, n), by the ratio of neighbours. */
static double *
list_tops (int n_samples, int n)
{
  double *tops = g_new0 (double, n_samples);
  double top = (double) n / n_samples;

  for (int i = n_samples - 1; i >= n - 1; i--) {
    tops[i] = top;
    if (i > 0)
      top *= (double) (i - n + 1) / i;
  }
  return tops;
}

void
laurel_best_of_n_weights (const double *proxy, int n_samples, int n, double *weights)
{
  g_autofree int *order = sort_by_proxy (proxy, n_samples);
  g_autofree double *tops = list_tops (n_samples, n);

  for (int from = 0; from < n_samples;) {
    int end = find_run_end (proxy, order, n_samples, from);
    double sum = 0;

    for (int i = from; i < end; i++)
      sum += tops[i];
    for (int i = from; i < end; i++)
      weights[order[i]] = sum / (end - from);
    from = end;
  }
}

/* What the samples order[from … end − 1], equal by proxy, are worth against the samples that they
 * would meet. Each opponent is taken out before subsets are drawn: one that is lower moves the run
 * down by a rank, one of the run itself makes it shorter. @below and @same: the share of subsets,
 * out of N − 1, that a member of the run comes out on top of. */
static double
play (const double *gold,
      const int *order,
      int n_samples,
      int from,
      int end,
      const double *below_shares)
{
  int size = end - from;
  double lower = below_shares[end - 1] - below_shares[MAX (from - 1, 0)];
  double higher = below_shares[MIN (end, n_samples - 1)] - below_shares[from];
  double within = below_shares[end - 1] - below_shares[from];
  double sum = 0;

  for (int i = from; i < end; i++) {
    for (int j = 0; j < n_samples; j++) {
      double mine = gold[order[i]], other = gold[order[j]];
      double share = j < from   ? lower / size
                     : j >= end ? higher / size
                                : within / MAX (size - 1, 1);

      if (i != j)
        sum += share * (mine > other ? 1 : mine == other ? 0.5 : 0);
    }
  }
  return sum;
}

double
laurel_best_of_n_win_rate (const double *proxy, const double *gold, int n_samples, int n)
{
  g_autofree int *order = NULL;
  g_autofree double *tops = NULL;
  g_autofree double *below = NULL;
  double sum = 0;

  if (n_samples < n + 1)
    return NAN;
  order = sort_by_proxy (proxy, n_samples);
  tops = list_tops (n_samples - 1, n);
  below = g_new0 (double, n_samples); /* [r]: the top has a rank of at most r */
  for (int r = 1; r < n_samples; r++)
    below[r] = below[r - 1] + tops[r - 1];
  for (int from = 0; from < n_samples;) {
    int end = find_run_end (proxy, order, n_samples, from);

    sum += play (gold, order, n_samples, from, end, below);
    from = end;
  }
  return sum / n_samples;
}
