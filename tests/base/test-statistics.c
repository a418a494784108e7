/* test-statistics.c: intervals against published and closed figures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/base/statistics.h"

#include <math.h>

static void
test_wilson (void)
{
  LaurelInterval some = laurel_wilson_interval (8, 10);
  LaurelInterval none = laurel_wilson_interval (0, 10);
  LaurelInterval half = laurel_wilson_interval (4.5, 9);
  LaurelInterval nothing = laurel_wilson_interval (0, 0);

  /* 1e-4: the published figures have four digits. */
  g_assert_cmpfloat_with_epsilon (some.low, 0.4902, 1e-4);
  g_assert_cmpfloat_with_epsilon (some.high, 0.9433, 1e-4);
  g_assert_cmpfloat (none.low, ==, 0);
  g_assert_cmpfloat_with_epsilon (none.high, 0.2775, 1e-4);
  g_assert_cmpint (some.n, ==, 10);
  /* At one half the interval lies evenly about it; 1e-12 is a few roundings. */
  g_assert_cmpfloat_with_epsilon (half.low + half.high, 1, 1e-12);
  g_assert_true (isnan (nothing.value) && isnan (nothing.low));
}

static void
test_quantile (void)
{
  const double sorted[] = { 1, 2, 4, 8 };

  g_assert_cmpfloat (laurel_quantile (sorted, 4, 0), ==, 1);
  g_assert_cmpfloat (laurel_quantile (sorted, 4, 1), ==, 8);
  g_assert_cmpfloat (laurel_quantile (sorted, 4, 0.5), ==, 3);
  g_assert_cmpfloat (laurel_quantile (sorted, 1, 0.7), ==, 1);
}

/* Of a mean of independent observations the percentiles come near ±1.96 standard errors. */
static void
test_bootstrap_mean (void)
{
  double values[400];
  double mean = 0, variance = 0;
  LaurelInterval interval, again, other;
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 400; i++)
    mean += (values[i] = laurel_rng_normal (&rng)) / 400;
  for (int i = 0; i < 400; i++)
    variance += (values[i] - mean) * (values[i] - mean) / 400;
  interval = laurel_bootstrap_mean_clustered (values, NULL, 400, 4000, 7);
  again = laurel_bootstrap_mean_clustered (values, NULL, 400, 4000, 7);
  other = laurel_bootstrap_mean_clustered (values, NULL, 400, 4000, 8);
  g_assert_cmpfloat_with_epsilon (interval.value, mean, 1e-12);
  /* The quantile of 4000 draws has a standard error of √(.025·.975/4000)/.0584 = 0.042 standard
   * deviations; four of them. */
  g_assert_cmpfloat_with_epsilon (interval.low, mean - 1.96 * sqrt (variance / 400),
                                  0.17 * sqrt (variance / 400));
  g_assert_cmpfloat_with_epsilon (interval.high, mean + 1.96 * sqrt (variance / 400),
                                  0.17 * sqrt (variance / 400));
  g_assert_cmpfloat (interval.low, ==, again.low);
  g_assert_cmpfloat (interval.low, !=, other.low);
}

/* Nine copies of each of 100 observations say no more than the 100 do. */
static void
test_clusters (void)
{
  double values[900];
  gint64 clusters[900];
  LaurelInterval clustered, naive, single;
  LaurelRng rng;

  laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 0, 0);
  for (int c = 0; c < 100; c++) {
    double value = laurel_rng_uniform (&rng) < 0.7;

    for (int k = 0; k < 9; k++) {
      values[k * 100 + c] = value; /* clusters need not stand together */
      clusters[k * 100 + c] = 1000000007 * (gint64) (c + 1);
    }
  }
  clustered = laurel_bootstrap_mean_clustered (values, clusters, 900, 1000, 3);
  naive = laurel_bootstrap_mean_clustered (values, NULL, 900, 1000, 3);
  single = laurel_bootstrap_mean_clustered (values, NULL, 100, 1000, 3);
  /* √9 times as wide; two widths of 1000 resamples differ by 7 % (two standard errors). */
  g_assert_cmpfloat_with_epsilon ((clustered.high - clustered.low) / (naive.high - naive.low), 3,
                                  0.45);
  g_assert_cmpfloat_with_epsilon ((clustered.high - clustered.low) / (single.high - single.low), 1,
                                  0.15);
}

static void
test_no_interval (void)
{
  const double values[] = { 1, 0, 1 };
  const gint64 one[] = { 5, 5, 5 };
  LaurelInterval single = laurel_bootstrap_mean_clustered (values, one, 3, 100, 1);
  LaurelInterval nothing = laurel_bootstrap_mean_clustered (values, one, 0, 100, 1);

  g_assert_cmpfloat_with_epsilon (single.value, 2.0 / 3, 1e-12);
  g_assert_true (isnan (single.low) && isnan (single.high));
  g_assert_true (isnan (nothing.value));
}

/* Two of two prompts are no certainty; what has a spread keeps it. */
static void
test_widen (void)
{
  const double values[] = { 1, 1, 1, 1 };
  const gint64 two[] = { 1, 1, 2, 2 };
  LaurelInterval alike = laurel_bootstrap_mean_clustered (values, two, 4, 100, 1);
  LaurelInterval spread = { 0.5, 0.25, 0.75, 4 }, nothing = { NAN, NAN, NAN, 0 };

  g_assert_cmpfloat (alike.low, ==, 1);
  laurel_interval_widen_share (&alike, 2);
  g_assert_cmpfloat (alike.low, ==, laurel_wilson_interval (2, 2).low);
  g_assert_cmpfloat (alike.high, ==, 1);
  g_assert_cmpint (alike.n, ==, 4);
  laurel_interval_widen_share (&spread, 4);
  g_assert_cmpfloat (spread.low, ==, 0.25);
  laurel_interval_widen_share (&nothing, 3);
  g_assert_true (isnan (nothing.low));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/statistics/wilson", test_wilson);
  g_test_add_func ("/base/statistics/quantile", test_quantile);
  g_test_add_func ("/base/statistics/bootstrap-mean", test_bootstrap_mean);
  g_test_add_func ("/base/statistics/clusters", test_clusters);
  g_test_add_func ("/base/statistics/no-interval", test_no_interval);
  g_test_add_func ("/base/statistics/widen", test_widen);
  return g_test_run ();
}
