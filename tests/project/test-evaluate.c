/* test-evaluate.c: means against closed forms, win rates, and the charts of reports.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/project/evaluate.h"
#include "core/project/report.h"
#include "core/project/svg.h"

#include <math.h>
#include <string.h>

/* 1, 2, 3, 4: mean 2.5, sample variance 5/3, standard error √(5/12). */
static void
test_mean (void)
{
  const double values[] = { 1, 2, 3, 4 };
  LaurelInterval interval = laurel_interval_mean (values, 4);

  /* 1e-6: z itself is given to more digits than that. */
  g_assert_cmpfloat_with_epsilon (interval.value, 2.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (interval.high - interval.value, 1.959964 * sqrt (5.0 / 12), 1e-6);
  g_assert_cmpfloat_with_epsilon (interval.value - interval.low, 1.959964 * sqrt (5.0 / 12), 1e-6);
}

static GPtrArray *
make_judged (const double *scores, int n)
{
  GPtrArray *judged = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);

  for (int i = 0; i < n; i++) {
    LaurelJudged *row = g_new0 (LaurelJudged, 1);

    row->parts.score = scores[i];
    row->parts.is_harmful = i == 0;
    row->parts.complied = i == 0;
    row->kl = NAN;
    row->n_tokens = i;
    g_ptr_array_add (judged, row);
  }
  return judged;
}

static void
test_win_rate (void)
{
  const double ours[] = { 1, 2, 3, 0 };
  const double theirs[] = { 0, 2, 1, 5 };
  g_autoptr (GPtrArray) a = make_judged (ours, 4);
  g_autoptr (GPtrArray) b = make_judged (theirs, 4);
  g_autoptr (GPtrArray) shorter = make_judged (theirs, 3);
  g_autoptr (GError) error = NULL;
  LaurelEvaluation evaluation;
  LaurelWinRate wins;

  g_assert_true (laurel_evaluate_win_rate (a, b, &wins, &error));
  g_assert_cmpint (wins.n_wins, ==, 2);
  g_assert_cmpint (wins.n_losses, ==, 1);
  g_assert_cmpint (wins.n_ties, ==, 1);
  g_assert_cmpfloat_with_epsilon (wins.win_rate.value, 2.0 / 3, 1e-12);
  g_assert_false (laurel_evaluate_win_rate (a, shorter, &wins, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  laurel_evaluate_summarise (a, &evaluation);
  g_assert_cmpfloat (evaluation.score.value, ==, 1.5);
  g_assert_cmpint (evaluation.complied.n, ==, 1); /* of the harmful one alone */
  g_assert_cmpfloat (evaluation.complied.value, ==, 1);
  g_assert_cmpint (evaluation.right.n, ==, 0);
  g_assert_true (isnan (evaluation.kl.value));
}

/* What is not finite breaks the line in two; a title's markup is text. */
static void
test_chart (void)
{
  const double x[] = { 1, 2, 3, 4 };
  const double y[] = { 0, NAN, 1, 2 };
  const LaurelSvgChart chart = { "a < b", "nats", x, y, 4, 1 };
  const LaurelSvgChart empty = { "empty", "", x, y, 0, NAN };
  g_autoptr (GString) out = g_string_new (NULL);

  laurel_svg_append_chart (out, &chart);
  g_assert_nonnull (strstr (out->str, "a &lt; b, nats"));
  g_assert_nonnull (strstr (out->str, "d=\"M58.0 210.0M"));
  g_assert_nonnull (strstr (out->str, "class=\"reference\""));
  g_assert_null (strstr (out->str, "nan"));
  g_string_truncate (out, 0);
  laurel_svg_append_chart (out, &empty);
  g_assert_nonnull (strstr (out->str, "nothing was measured"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project/evaluate/mean", test_mean);
  g_test_add_func ("/project/evaluate/win-rate", test_win_rate);
  g_test_add_func ("/project/report/chart", test_chart);
  return g_test_run ();
}
