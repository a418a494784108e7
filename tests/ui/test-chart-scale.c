/* test-chart-scale.c: ticks, numbers as text, smoothing and thinning.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/scale.h"
#include "ui/charts/series.h"

#include "core/base/rng.h"

#include <math.h>

static void
assert_ticks (LaurelScaleKind kind, double min, double max, int max_ticks, gboolean widen,
              const char *expected)
{
  g_autoptr (GString) found = g_string_new (NULL);
  LaurelScale scale;

  laurel_scale_init (&scale, kind, min, max, max_ticks, widen);
  for (int i = 0; i < scale.n_ticks; i++) {
    g_autofree char *text = laurel_scale_format_tick (&scale, scale.ticks[i]);

    g_string_append_printf (found, "%s%s", i > 0 ? "|" : "", text);
  }
  g_assert_cmpstr (found->str, ==, expected);
  g_assert_cmpint (scale.n_ticks, <=, LAUREL_MAX_TICKS);
}

static void
test_scale_ticks (void)
{
  assert_ticks (LAUREL_SCALE_LINEAR, 0, 1, 6, TRUE, "0|0.2|0.4|0.6|0.8|1.0");
  assert_ticks (LAUREL_SCALE_LINEAR, -1.3, 2.4, 5, TRUE, "−2|−1|0|1|2|3");
  assert_ticks (LAUREL_SCALE_LINEAR, .98, 1.013, 5, TRUE, "0.98|0.99|1.00|1.01|1.02");
  assert_ticks (LAUREL_SCALE_LINEAR, 0, 52000, 4, TRUE, "0|20 k|40 k|60 k");
  assert_ticks (LAUREL_SCALE_LINEAR, 0, 5e-5, 6, TRUE, "0|1e−5|2e−5|3e−5|4e−5|5e−5");
  assert_ticks (LAUREL_SCALE_INTEGER, 1, 4, 9, FALSE, "1|2|3|4");
  assert_ticks (LAUREL_SCALE_INTEGER, 1, 200, 6, FALSE, "50|100|150|200");
  /* A short run on a narrow chart: steps of 5 would leave one tick. */
  assert_ticks (LAUREL_SCALE_INTEGER, 1, 6, 3, FALSE, "2|4|6");
  assert_ticks (LAUREL_SCALE_LOG, .003, 40, 6, TRUE, "0.001|0.01|0.1|1|10|100");
  assert_ticks (LAUREL_SCALE_TIME, 0, 290, 6, FALSE, "0 s|1 min|2 min|3 min|4 min");
}

static void
test_scale_degenerate (void)
{
  static const LaurelScaleKind kinds[] = { LAUREL_SCALE_LINEAR, LAUREL_SCALE_INTEGER,
                                           LAUREL_SCALE_LOG,
                                           LAUREL_SCALE_TIME };
  static const double values[] = { 1e-12, 1, 7.25, 1e12 };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (guint v = 0; v < G_N_ELEMENTS (values); v++) {
      LaurelScale scale;

      laurel_scale_init (&scale, kinds[k], values[v], values[v], 5, TRUE);
      g_assert_cmpfloat (scale.min, <, values[v]);
      g_assert_cmpfloat (scale.max, >, values[v]);
      g_assert_cmpint (scale.n_ticks, >=, 1);
    }
}

/* An axis that ends where its numbers end needs two ticks to be read by. */
static void
test_scale_narrow (void)
{
  static const double ends[] = { 460, 7, .9, 1.7, 4999, 5e-4 };
  LaurelScale scale;

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    laurel_scale_init (&scale, LAUREL_SCALE_LINEAR, 0, ends[i], 3, FALSE);
    g_assert_cmpint (scale.n_ticks, >=, 2);
    g_assert_cmpfloat (scale.ticks[scale.n_ticks - 1], <=, ends[i]);
  }
}

static void
test_scale_round_trip (void)
{
  LaurelScale scale;

  laurel_scale_init (&scale, LAUREL_SCALE_LOG, .01, 1000, 5, TRUE);
  for (double unit = 0; unit <= 1; unit += .125) {
    double back = laurel_scale_to_unit (&scale, laurel_scale_from_unit (&scale, unit));

    /* 1e-12: a logarithm and its power in double. */
    g_assert_cmpfloat_with_epsilon (back, unit, 1e-12);
  }
  g_assert_true (isnan (laurel_scale_to_unit (&scale, 0)));
}

static void
test_scale_format (void)
{
  static const struct {
    double value;
    const char *text;
  } cases[] = { { 1.3249, "1.325" }, { -0.5, "−0.500" }, { 12.345, "12.35" }, { 123.45, "123.5" },
                { 41234, "41234" }, { 0, "0.000" }, { 3.25e-5, "3.250e−5" },
                { -4.985e-10, "−4.985e−10" }, { 2.5e6, "2.500e6" }, { NAN, "–" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = laurel_format_value (cases[i].value);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_series_smooth (void)
{
  g_autoptr (LaurelSeries) series = laurel_series_new ("a", 0);
  g_autoptr (GArray) smooth = NULL;
  /* Debiased by hand at weight 0.5: 4; (0.5·2 + 0.5·8) / 0.75 with 2 = 0.5·4; a gap; … */
  static const double expected[] = { 4, 20. / 3, NAN, (.5 * (.5 * 2 + 4) + .5 * 1) / .875 };

  laurel_series_append (series, 0, 4);
  laurel_series_append (series, 1, 8);
  laurel_series_append (series, 2, NAN);
  laurel_series_append (series, 3, 1);
  smooth = laurel_points_smooth (series->points, .5);
  g_assert_cmpuint (smooth->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    double y = g_array_index (smooth, LaurelPoint, i).y;

    /* 1e-12: four roundings of doubles. */
    if (isnan (expected[i]))
      g_assert_true (isnan (y));
    else
      g_assert_cmpfloat_with_epsilon (y, expected[i], 1e-12);
  }
}

static void
test_series_decimate (void)
{
  g_autoptr (LaurelSeries) series = laurel_series_new ("a", 0);
  g_autoptr (GArray) thin = NULL;
  LaurelRng rng;
  double low = INFINITY, high = -INFINITY, thin_low = INFINITY, thin_high = -INFINITY;
  gboolean has_gap = FALSE;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 10000; i++) {
    double y = i == 5000 ? NAN : laurel_rng_normal (&rng);

    laurel_series_append (series, i, y);
    low = fmin (low, y);
    high = fmax (high, y);
  }
  thin = laurel_points_decimate (series->points, 0, 9999, 100);
  g_assert_cmpuint (thin->len, <=, 4 * 101 + 5);
  for (guint i = 0; i < thin->len; i++) {
    const LaurelPoint *point = &g_array_index (thin, LaurelPoint, i);

    has_gap |= isnan (point->y);
    thin_low = fmin (thin_low, point->y);
    thin_high = fmax (thin_high, point->y);
    if (i > 0)
      g_assert_cmpfloat (point->x, >, g_array_index (thin, LaurelPoint, i - 1).x);
  }
  g_assert_true (has_gap);
  g_assert_true (thin_low == low);
  g_assert_true (thin_high == high);
}

static void
test_series_find (void)
{
  g_autoptr (LaurelSeries) series = laurel_series_new ("a", 0);

  g_assert_null (laurel_series_find (series, 3));
  laurel_series_append (series, 1, 10);
  laurel_series_append (series, 5, 20);
  laurel_series_append (series, 5, 21); /* takes the place of the last */
  g_assert_cmpuint (series->points->len, ==, 2);
  g_assert_cmpfloat (laurel_series_find (series, -9)->y, ==, 10);
  g_assert_cmpfloat (laurel_series_find (series, 2.9)->y, ==, 10);
  g_assert_cmpfloat (laurel_series_find (series, 3.1)->y, ==, 21);
  g_assert_cmpfloat (laurel_series_find (series, 99)->y, ==, 21);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ui/chart/scale/ticks", test_scale_ticks);
  g_test_add_func ("/ui/chart/scale/degenerate", test_scale_degenerate);
  g_test_add_func ("/ui/chart/scale/narrow", test_scale_narrow);
  g_test_add_func ("/ui/chart/scale/round-trip", test_scale_round_trip);
  g_test_add_func ("/ui/chart/scale/format", test_scale_format);
  g_test_add_func ("/ui/chart/series/smooth", test_series_smooth);
  g_test_add_func ("/ui/chart/series/decimate", test_series_decimate);
  g_test_add_func ("/ui/chart/series/find", test_series_find);
  return g_test_run ();
}
