/* test-reward-evaluate.c: a reward model's figures against numpy's and known worlds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/train/reward_evaluate.h"

#include <math.h>

static void
ranking_free (gpointer data)
{
  LaurelScoredRanking *self = data;

  g_free (self->completions);
  g_free (self);
}

static LaurelScoredRanking *
ranking_new (gint64 prompt_id, int n)
{
  LaurelScoredRanking *self = g_new0 (LaurelScoredRanking, 1);

  self->prompt_id = prompt_id;
  self->n = n;
  self->completions = g_new0 (LaurelScoredCompletion, n);
  for (int i = 0; i < n; i++)
    self->completions[i].twin = i;
  return self;
}

/* --- Figures of tests/vectors/reward_vectors.py ------------------------------------- */

static GPtrArray *
read_rankings (JsonArray *rows)
{
  GPtrArray *rankings = g_ptr_array_new_with_free_func (ranking_free);

  for (guint r = 0; r < json_array_get_length (rows); r++) {
    JsonObject *row = json_array_get_object_element (rows, r);
    JsonArray *scores = json_object_get_array_member (row, "scores");
    int n = (int) json_array_get_length (scores);
    LaurelScoredRanking *ranking = ranking_new (json_object_get_int_member (row, "prompt"), n);

    ranking->labeler = (int) json_object_get_int_member (row, "labeler");
    for (int i = 0; i < n; i++) {
      LaurelScoredCompletion *c = &ranking->completions[i];

      c->score = json_array_get_double_element (scores, (guint) i);
      c->rank = (int) json_array_get_int_element (json_object_get_array_member (row, "ranks"),
                                                  (guint) i);
      c->n_tokens = (int) json_array_get_int_element (
          json_object_get_array_member (row, "lengths"), (guint) i);
    }
    g_ptr_array_add (rankings, ranking);
  }
  return rankings;
}

static void
assert_figure (JsonObject *expected, const char *member, double value, double tolerance)
{
  g_test_message ("%s: %.15g", member, value);
  g_assert_cmpfloat_with_epsilon (value, json_object_get_double_member (expected, member),
                                  tolerance);
}

static int
sum_groups (const GArray *groups)
{
  int n = 0;

  for (guint i = 0; i < groups->len; i++)
    n += g_array_index (groups, LaurelRewardGroup, i).accuracy.n;
  return n;
}

static void
test_vectors (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "vectors", "reward", "evaluation.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_load (path, &error);
  g_autoptr (GPtrArray) rankings = NULL;
  g_auto (LaurelRewardEvaluation) e = { 0 };
  JsonObject *expected;
  LaurelRewardGroup *longer;
  int n = 0;

  g_assert_no_error (error);
  expected = json_node_get_object (node);
  rankings = read_rankings (json_object_get_array_member (expected, "rankings"));
  laurel_reward_evaluate (rankings, json_object_get_double_member (expected, "gain"), 1, &e);
  g_assert_cmpint (e.n_prompts, ==, json_object_get_int_member (expected, "prompts"));
  g_assert_cmpint (e.n_pairs, ==, json_object_get_int_member (expected, "pairs"));
  g_assert_cmpint (e.n_tied, ==, json_object_get_int_member (expected, "ties"));
  /* 1e-12: sums of some hundred doubles of size 1; the search for the slope ends within 1e-7, as
   * what it looks at is flat to rounding there. */
  assert_figure (expected, "accuracy", e.accuracy.value, 1e-12);
  assert_figure (expected, "accuracy", e.wilson.value, 1e-12);
  assert_figure (expected, "median_margin", e.median_margin, 1e-12);
  assert_figure (expected, "ece", e.ece.value, 1e-12);
  assert_figure (expected, "slope", e.slope.value, 1e-7);
  assert_figure (expected, "score_length", e.score_length.value, 1e-12);
  assert_figure (expected, "rank_length", e.rank_length, 1e-12);
  assert_figure (expected, "partial_length", e.partial_length.value, 1e-12);
  assert_figure (expected, "spread", e.spread, 1e-12);
  longer = &g_array_index (e.by_length_gap, LaurelRewardGroup, e.by_length_gap->len - 1);
  g_assert_cmpint (longer->low, ==, 16);
  assert_figure (expected, "accuracy_longer", longer->accuracy.value, 1e-12);
  /* Every pair is in one group of each kind, one bin and one bar. */
  g_assert_cmpint (sum_groups (e.by_labeler), ==, e.n_pairs);
  g_assert_cmpint (sum_groups (e.by_length_gap), ==, e.n_pairs);
  g_assert_cmpint (sum_groups (e.by_rank_distance), ==, e.n_pairs);
  g_assert_cmpint (sum_groups (e.by_quality_gap), ==, 0); /* nothing was rated */
  for (guint i = 0; i < e.histogram->len; i++)
    n += g_array_index (e.histogram, int, i);
  g_assert_cmpint (n, ==, e.n_pairs);
  n = 0;
  for (guint i = 0; i < e.calibration->len; i++)
    n += g_array_index (e.calibration, LaurelCalibrationBin, i).observed.n;
  g_assert_cmpint (n, ==, e.n_pairs);
}

/* --- A world of which everything is known ---------------------------------------------- */

/* Labels are draws from the scores' own Bradley–Terry model, times @slope. */
static GPtrArray *
make_world (int n_prompts, double spread, double slope, guint64 seed)
{
  GPtrArray *rankings = g_ptr_array_new_with_free_func (ranking_free);
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (int p = 0; p < n_prompts; p++) {
    LaurelScoredRanking *ranking = ranking_new (p, 2);
    double difference;

    for (int i = 0; i < 2; i++) {
      ranking->completions[i].score = spread * laurel_rng_normal (&rng);
      ranking->completions[i].n_tokens = 1 + (int) laurel_rng_below (&rng, 60);
    }
    difference = ranking->completions[0].score - ranking->completions[1].score;
    ranking->completions[0].rank = laurel_rng_uniform (&rng) < 1 / (1 + exp (-slope * difference))
                                       ? 1
                                       : 2;
    ranking->completions[1].rank = 3 - ranking->completions[0].rank;
    g_ptr_array_add (rankings, ranking);
  }
  return rankings;
}

static void
test_calibrated (void)
{
  g_autoptr (GPtrArray) rankings = make_world (4000, 1, 1, 3);
  g_auto (LaurelRewardEvaluation) e = { 0 };

  laurel_reward_evaluate (rankings, 1, 1, &e);
  /* Standard errors: √(.725 · .275 / 4000) = .007 of the accuracy, about .04 of the slope, 1 % of
   * the spread; three of them. */
  g_assert_cmpfloat_with_epsilon (e.accuracy.value, 0.7252, 0.021);
  g_assert_cmpfloat_with_epsilon (e.ceiling, 0.7252, 0.005);
  g_assert_cmpfloat_with_epsilon (e.slope.value, 1, 0.12);
  g_assert_true (e.slope.low < 1 && e.slope.high > 1);
  g_assert_cmpfloat_with_epsilon (e.spread, 1, 0.03);
  /* What is left of the error is chance. */
  g_assert_cmpfloat_with_epsilon (e.ece.value, e.ece_by_chance, 0.01);
  g_assert_true (e.partial_length.low < 0 && e.partial_length.high > 0);
}

/* Scores twice as far apart as the labels bear out; a gain of 2 explains it. */
static void
test_overconfident (void)
{
  g_autoptr (GPtrArray) rankings = make_world (4000, 2, 0.5, 4);
  g_auto (LaurelRewardEvaluation) e = { 0 };
  g_auto (LaurelRewardEvaluation) scaled = { 0 };

  laurel_reward_evaluate (rankings, 1, 1, &e);
  laurel_reward_evaluate (rankings, 2, 1, &scaled);
  g_assert_cmpfloat (e.slope.high, <, 0.7);
  g_assert_cmpfloat (e.ece.low, >, 3 * e.ece_by_chance);
  /* The same optimum, to where Newton's steps end. */
  g_assert_cmpfloat_with_epsilon (scaled.slope.value, 2 * e.slope.value, 1e-6);
  g_assert_cmpfloat (scaled.accuracy.value, ==, e.accuracy.value);
  g_assert_cmpfloat (scaled.ece.value, <, e.ece.value / 2);
}

/* Copies of one text are no pair, ties are no label, and equal scores are half right. */
static void
test_edges (void)
{
  g_autoptr (GPtrArray) rankings = g_ptr_array_new_with_free_func (ranking_free);
  g_auto (LaurelRewardEvaluation) e = { 0 };
  LaurelScoredRanking *ranking = ranking_new (1, 4);

  for (int i = 0; i < 4; i++)
    ranking->completions[i] = (LaurelScoredCompletion) { 1, i == 3 ? 2 : 1, 5, 0, i };
  ranking->completions[1].twin = 0;
  ranking->completions[2].quality = 6;
  ranking->completions[3].quality = 4;
  g_ptr_array_add (rankings, ranking);
  laurel_reward_evaluate (rankings, 1, 1, &e);
  g_assert_cmpint (e.n_pairs, ==, 3);
  g_assert_cmpint (e.n_tied, ==, 2);
  g_assert_cmpfloat (e.accuracy.value, ==, 0.5);
  /* One prompt has no spread: it is one observation to Wilson, ½ ± 0.445. 1e-3: three digits. */
  g_assert_cmpfloat_with_epsilon (e.accuracy.low, 0.055, 1e-3);
  g_assert_cmpint (e.accuracy.n, ==, 3);
  g_assert_true (isnan (e.slope.value));
  g_assert_true (isnan (e.partial_length.value));
  g_assert_cmpuint (e.by_quality_gap->len, ==, 1);
  g_assert_cmpint (g_array_index (e.by_quality_gap, LaurelRewardGroup, 0).low, ==, 2);
}

static void
test_ceiling (void)
{
  static const double published[][2] = { { 0.5, 0.631 }, { 1, 0.725 }, { 2, 0.828 }, { 4, 0.906 } };
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "vectors", "reward", "evaluation.json", NULL);
  g_autoptr (JsonNode) node = laurel_json_load (path, NULL);
  JsonArray *ceilings =
      json_object_get_array_member (json_node_get_object (node), "ceilings");

  for (guint i = 0; i < G_N_ELEMENTS (published); i++) {
    double value = laurel_bradley_terry_ceiling (published[i][0]);
    JsonArray *row = json_array_get_array_element (ceilings, i);

    g_assert_cmpfloat_with_epsilon (value, published[i][1], 5e-4); /* three digits */
    /* The trapezoid rule over 400,001 points, which sees the kink at 0 to 1e-9. */
    g_assert_cmpfloat_with_epsilon (value, json_array_get_double_element (row, 1), 1e-8);
  }
  g_assert_cmpfloat_with_epsilon (laurel_bradley_terry_ceiling (0), 0.5, 1e-12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/reward-evaluate/vectors", test_vectors);
  g_test_add_func ("/train/reward-evaluate/calibrated", test_calibrated);
  g_test_add_func ("/train/reward-evaluate/overconfident", test_overconfident);
  g_test_add_func ("/train/reward-evaluate/edges", test_edges);
  g_test_add_func ("/train/reward-evaluate/ceiling", test_ceiling);
  return g_test_run ();
}
