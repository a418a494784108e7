/* test-bradley-terry.c: ratings against closed forms and against other algorithms in numpy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/bradley_terry.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/rng.h"

#include <math.h>
#include <string.h>

/* Newton's method stops at steps of 1e-11. */
#define TOLERANCE 1e-9

/* Of two models the odds are what was counted, and Davidson's ν is ties over the geometric mean. */
static void
test_two_models (void)
{
  const double wins[] = { 0, 30, 12, 0 }, ties[] = { 0, 7, 7, 0 }, none[4] = { 0 };
  double ratings[2], log_nu;

  g_assert_true (
      laurel_bradley_terry_fit (wins, none, 2, LAUREL_TIE_DAVIDSON, 0, ratings, &log_nu));
  g_assert_cmpfloat_with_epsilon (ratings[0] - ratings[1], log (30.0 / 12), TOLERANCE);
  g_assert_cmpfloat_with_epsilon (ratings[0] + ratings[1], 0, TOLERANCE);
  g_assert_true (isinf (log_nu) && log_nu < 0);
  g_assert_true (laurel_bradley_terry_fit (wins, ties, 2, LAUREL_TIE_HALF, 0, ratings, NULL));
  g_assert_cmpfloat_with_epsilon (ratings[0] - ratings[1], log (33.5 / 15.5), TOLERANCE);
  g_assert_true (
      laurel_bradley_terry_fit (wins, ties, 2, LAUREL_TIE_DAVIDSON, 0, ratings, &log_nu));
  g_assert_cmpfloat_with_epsilon (ratings[0] - ratings[1], log (30.0 / 12), TOLERANCE);
  g_assert_cmpfloat_with_epsilon (exp (log_nu), 7 / sqrt (30.0 * 12), TOLERANCE);
}

/* Counts that are exactly what known ratings expect are fitted by these ratings. */
static void
test_expected_counts (void)
{
  const double truth[] = { -1.2, -0.1, 0.3, 1.0 };
  double wins[16] = { 0 }, ties[16] = { 0 }, ratings[4], log_nu;

  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      double a = exp (truth[i]), b = exp (truth[j]), both = 0.6 * sqrt (a * b);

      if (i == j || i + j == 3)
        continue; /* two pairs were never compared */
      wins[i * 4 + j] = 50 * a / (a + b + both);
      ties[i * 4 + j] = 50 * both / (a + b + both);
    }
  g_assert_true (
      laurel_bradley_terry_fit (wins, ties, 4, LAUREL_TIE_DAVIDSON, 0, ratings, &log_nu));
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat_with_epsilon (ratings[i], truth[i], TOLERANCE);
  g_assert_cmpfloat_with_epsilon (exp (log_nu), 0.6, TOLERANCE);
}

static int
read_matrix (JsonObject *object, const char *member, double *out)
{
  JsonArray *rows = json_object_has_member (object, member)
                        ? json_object_get_array_member (object, member)
                        : NULL;
  int n = rows != NULL ? (int) json_array_get_length (rows) : 0;

  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      out[i * n + j] = (double) json_array_get_int_element (
          json_array_get_array_element (rows, (guint) i), (guint) j);
  return n;
}

static void
assert_ratings (JsonObject *expected, const double *ratings, int n)
{
  JsonArray *list = json_object_get_array_member (expected, "ratings");

  g_assert_cmpuint (json_array_get_length (list), ==, (guint) n);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (ratings[i], json_array_get_double_element (list, (guint) i),
                                    TOLERANCE);
}

static void
test_numpy (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "vectors", "ratings", "expected.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_load (path, &error);
  JsonObject *root, *plain, *half, *davidson;
  double wins[36] = { 0 }, ties[36] = { 0 }, ratings[6], log_nu;
  int n;

  g_assert_no_error (error);
  root = json_node_get_object (node);
  plain = json_object_get_object_member (root, "plain");
  half = json_object_get_object_member (root, "half");
  davidson = json_object_get_object_member (root, "davidson");
  n = read_matrix (plain, "wins", wins);
  g_assert_true (laurel_bradley_terry_fit (wins, ties, n, LAUREL_TIE_HALF, 0, ratings, NULL));
  assert_ratings (plain, ratings, n);
  n = read_matrix (half, "wins", wins);
  g_assert_cmpint (read_matrix (half, "ties", ties), ==, n);
  g_assert_true (laurel_bradley_terry_fit (wins, ties, n, LAUREL_TIE_HALF, 0, ratings, NULL));
  assert_ratings (half, ratings, n);
  g_assert_true (
      laurel_bradley_terry_fit (wins, ties, n, LAUREL_TIE_DAVIDSON, 0, ratings, &log_nu));
  assert_ratings (davidson, ratings, n);
  g_assert_cmpfloat_with_epsilon (log_nu, json_object_get_double_member (davidson, "log_nu"),
                                  TOLERANCE);
}

static void
test_graph (void)
{
  /* 0 → 1 → 2 in a line, 3 and 4 apart. */
  double wins[25] = { 0 }, ties[25] = { 0 };
  int groups[5];

  wins[0 * 5 + 1] = wins[1 * 5 + 2] = 1;
  wins[3 * 5 + 4] = 1;
  g_assert_cmpint (laurel_contests_connect (wins, ties, 5, groups), ==, 2);
  g_assert_cmpint (groups[0], ==, groups[2]);
  g_assert_cmpint (groups[3], ==, groups[4]);
  g_assert_cmpint (groups[0], !=, groups[3]);
  ties[2 * 5 + 3] = ties[3 * 5 + 2] = 1;
  g_assert_cmpint (laurel_contests_connect (wins, ties, 5, groups), ==, 1);
  g_assert_false (laurel_contests_bound (wins, ties, 5)); /* 0 never lost */
  wins[4 * 5 + 0] = 1;
  g_assert_true (laurel_contests_bound (wins, ties, 5));
}

/* --- Ratings with intervals ------------------------------------------------------------ */

static LaurelOutcomes *
make_outcomes (const double *truth, int n, int n_prompts, guint64 seed)
{
  LaurelOutcomes *outcomes = laurel_outcomes_new ();
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("model-%d", i);

    laurel_outcomes_ensure_model (outcomes, name);
  }
  for (int p = 0; p < n_prompts; p++)
    for (int i = 0; i < n; i++)
      for (int j = i + 1; j < n; j++) {
        double chance = 1 / (1 + exp (truth[j] - truth[i]));
        LaurelOutcome outcome = { p, i, j, laurel_rng_uniform (&rng) < chance ? 1 : -1, 0 };

        g_array_append_val (outcomes->outcomes, outcome);
      }
  return outcomes;
}

static void
test_intervals (void)
{
  const double truth[] = { 0, 0.8, -0.5 };
  int n_covered = 0;

  for (guint64 seed = 0; seed < 20; seed++) {
    g_autoptr (LaurelOutcomes) outcomes = make_outcomes (truth, 3, 150, seed);
    g_autoptr (GError) error = NULL;
    g_autoptr (LaurelRatings) ratings =
        laurel_ratings_estimate (outcomes, LAUREL_TIE_HALF, "model-0", 200, seed, &error);

    g_assert_no_error (error);
    g_assert_true (ratings->is_bound);
    for (guint i = 0; i < 3; i++) {
      const LaurelRating *rating = g_ptr_array_index (ratings->ratings, i);
      double expected = truth[rating->model[6] - '0'];

      g_assert_cmpint (rating->n_wins + rating->n_losses + rating->n_ties, ==, 300);
      if (g_str_equal (rating->model, "model-0")) {
        g_assert_cmpfloat (rating->rating.value, ==, 0);
        g_assert_cmpfloat (rating->rating.high, ==, 0);
        continue;
      }
      n_covered += rating->rating.low <= expected && expected <= rating->rating.high;
      /* Two standard errors of a rating from 300 comparisons are about 0.3. */
      g_assert_cmpfloat (rating->rating.high - rating->rating.low, <, 0.9);
      if (i > 0)
        g_assert_cmpfloat (
            ((LaurelRating *) g_ptr_array_index (ratings->ratings, i - 1))->rating.value, >=,
            rating->rating.value);
    }
  }
  /* 38 of 40 expected; 33 or fewer have a chance below 1 in 100 even if the two of a seed were one.
   */
  g_assert_cmpint (n_covered, >=, 33);
}

static void
test_undefeated (void)
{
  const double truth[] = { 40, 0, 0.1 };
  g_autoptr (LaurelOutcomes) outcomes = make_outcomes (truth, 3, 30, 1);
  g_autoptr (LaurelRatings) ratings =
      laurel_ratings_estimate (outcomes, LAUREL_TIE_HALF, NULL, 100, 1, NULL);
  g_autoptr (LaurelRatings) again =
      laurel_ratings_estimate (outcomes, LAUREL_TIE_HALF, NULL, 100, 1, NULL);
  const LaurelRating *best = g_ptr_array_index (ratings->ratings, 0);

  g_assert_false (ratings->is_bound);
  g_assert_cmpstr (best->model, ==, "model-0");
  g_assert_cmpint (best->n_losses, ==, 0);
  g_assert_cmpfloat (best->rating.value, >, 3);
  g_assert_true (isfinite (best->rating.value) && isfinite (best->rating.high));
  g_assert_cmpfloat (best->rating.low, ==,
                     ((LaurelRating *) g_ptr_array_index (again->ratings, 0))->rating.low);
}

static void
test_refusals (void)
{
  const double truth[] = { 0, 0, 0, 0 };
  g_autoptr (LaurelOutcomes) outcomes = make_outcomes (truth, 2, 10, 1);
  g_autoptr (LaurelOutcomes) nothing = laurel_outcomes_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_ratings_estimate (nothing, LAUREL_TIE_HALF, NULL, 10, 0, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (laurel_ratings_estimate (outcomes, LAUREL_TIE_HALF, "dpo", 10, 0, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  laurel_outcomes_ensure_model (outcomes, "alone");
  g_assert_null (laurel_ratings_estimate (outcomes, LAUREL_TIE_HALF, NULL, 10, 0, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "“model-0” with “alone”"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/bradley-terry/two-models", test_two_models);
  g_test_add_func ("/label/bradley-terry/expected-counts", test_expected_counts);
  g_test_add_func ("/label/bradley-terry/numpy", test_numpy);
  g_test_add_func ("/label/bradley-terry/graph", test_graph);
  g_test_add_func ("/label/bradley-terry/intervals", test_intervals);
  g_test_add_func ("/label/bradley-terry/undefeated", test_undefeated);
  g_test_add_func ("/label/bradley-terry/refusals", test_refusals);
  return g_test_run ();
}
