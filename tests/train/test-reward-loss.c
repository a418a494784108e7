/* test-reward-loss.c: losses of rankings against closed forms, finite differences and PyTorch.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/train/reward_loss.h"

#include <math.h>
#include <string.h>

static const LaurelRewardRule pairwise_drop = { LAUREL_REWARD_PAIRWISE, LAUREL_TIES_DROP };
static const LaurelRewardRule pairwise_half = { LAUREL_REWARD_PAIRWISE, LAUREL_TIES_HALF };
static const LaurelRewardRule best_drop = { LAUREL_REWARD_PICK_BEST, LAUREL_TIES_DROP };
static const LaurelRewardRule best_half = { LAUREL_REWARD_PICK_BEST, LAUREL_TIES_HALF };
static const LaurelRewardRule luce_drop = { LAUREL_REWARD_PLACKETT_LUCE, LAUREL_TIES_DROP };
static const LaurelRewardRule luce_half = { LAUREL_REWARD_PLACKETT_LUCE, LAUREL_TIES_HALF };
static const LaurelRewardRule *const all_rules[] = { &pairwise_drop, &pairwise_half, &best_drop,
                                                     &best_half,     &luce_drop,     &luce_half };

static void
test_log_sigmoid (void)
{
  g_assert_cmpfloat_with_epsilon (laurel_log_sigmoid (0), -log (2), 1e-15);
  g_assert_cmpfloat (laurel_log_sigmoid (1e4), ==, 0);
  g_assert_cmpfloat (laurel_log_sigmoid (-1e4), ==, -1e4);
  g_assert_cmpfloat_with_epsilon (laurel_log_sigmoid (2), log (1 / (1 + exp (-2.0))), 1e-15);
}

static void
test_pair (void)
{
  const float scores[] = { 2, 0.5f };
  const int ranks[] = { 1, 2 };
  float dscores[2];
  LaurelRewardStats stats;
  double loss = laurel_reward_loss (&pairwise_drop, scores, ranks, NULL, 2, 1, dscores, &stats);
  double slope = -1 / (1 + exp (1.5));

  g_assert_cmpfloat_with_epsilon (loss, log1p (exp (-1.5)), 1e-12);
  g_assert_cmpfloat_with_epsilon (dscores[0], slope, 1e-7); /* stored as a float */
  g_assert_cmpfloat_with_epsilon (dscores[1], -slope, 1e-7);
  g_assert_cmpint (stats.n_counted, ==, 1);
  g_assert_cmpfloat (stats.n_right, ==, 1);
  g_assert_cmpfloat (stats.margin, ==, 1.5);
}

static void
test_counts (void)
{
  const int ranks[] = { 1, 2, 2, 4 };
  const int all_tied[] = { 3, 3, 3 };
  const int last_tied[] = { 1, 4, 2, 4 };
  const int order[] = { 1, 2, 3 };
  const int twins[] = { 0, 1, 0 };
  const float scores[] = { 1, 2, 3 };
  float dscores[] = { 9, 9, 9 };
  LaurelRewardStats stats;

  g_assert_cmpint (laurel_reward_count (&pairwise_drop, ranks, NULL, 4), ==, 5);
  g_assert_cmpint (laurel_reward_count (&pairwise_half, ranks, NULL, 4), ==, 6);
  g_assert_cmpint (laurel_reward_count (&pairwise_drop, order, twins, 3), ==, 2);
  /* One choice, three choices less one for the pair that is tied, or three. */
  g_assert_cmpint (laurel_reward_count (&best_drop, ranks, NULL, 4), ==, 1);
  g_assert_cmpint (laurel_reward_count (&best_drop, all_tied, NULL, 3), ==, 0);
  g_assert_cmpint (laurel_reward_count (&best_half, all_tied, NULL, 3), ==, 1);
  g_assert_cmpint (laurel_reward_count (&luce_drop, ranks, NULL, 4), ==, 3);
  g_assert_cmpint (laurel_reward_count (&luce_drop, last_tied, NULL, 4), ==, 2);
  g_assert_cmpint (laurel_reward_count (&luce_half, last_tied, NULL, 4), ==, 3);
  g_assert_cmpint (laurel_reward_count (&luce_half, order, twins, 3), ==, 1); /* two texts */
  g_assert_cmpint (laurel_reward_count_tied (last_tied, NULL, 4), ==, 2);
  /* Nothing to learn is zero, not 0/0. */
  for (gsize r = 0; r < G_N_ELEMENTS (all_rules); r += 2) {
    memset (dscores, 9, sizeof dscores);
    g_assert_cmpfloat (
        laurel_reward_loss (all_rules[r], scores, all_tied, NULL, 3, 1, dscores, &stats), ==, 0);
    g_assert_cmpint (stats.n_counted, ==, 0);
    for (int i = 0; i < 3; i++)
      g_assert_cmpfloat (dscores[i], ==, 0);
  }
}

/* Two completions are one comparison whatever it is called. */
static void
test_two (void)
{
  const float scores[] = { 0.3f, -0.9f };
  const int strict[] = { 2, 1 }, tied[] = { 1, 1 };

  for (gsize r = 0; r < G_N_ELEMENTS (all_rules); r++) {
    const LaurelRewardRule *pair = &pairwise_drop;
    float expected[2], dscores[2];
    double loss;

    if (all_rules[r]->ties == LAUREL_TIES_HALF)
      pair = &pairwise_half;
    for (int is_tied = 0; is_tied < 2; is_tied++) {
      const int *ranks = is_tied ? tied : strict;

      loss = laurel_reward_loss (pair, scores, ranks, NULL, 2, 1, expected, NULL);
      /* 1e-12: a few roundings of doubles of size 1. */
      g_assert_cmpfloat_with_epsilon (
          laurel_reward_loss (all_rules[r], scores, ranks, NULL, 2, 1, dscores, NULL), loss, 1e-12);
      for (int i = 0; i < 2; i++)
        g_assert_cmpfloat_with_epsilon (dscores[i], expected[i], 1e-7); /* stored as a float */
    }
  }
}

/* By hand: with all scores equal every choice is fair. */
static void
test_fair_choices (void)
{
  const float scores[] = { 5, 5, 5, 5 };
  const int order[] = { 3, 1, 4, 2 };
  const int first_tied[] = { 1, 1, 3, 4 };
  double luce = (log (4) + log (3) + log (2)) / 3;

  /* 1e-12: roundings of logarithms of size 5. */
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&best_drop, scores, order, NULL, 4, 1, NULL, NULL), log (4), 1e-12);
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&luce_drop, scores, order, NULL, 4, 1, NULL, NULL), luce, 1e-12);
  /* Two of 24 orders, and the mean over the two. */
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&luce_drop, scores, first_tied, NULL, 4, 1, NULL, NULL), log (12) / 3,
      1e-12);
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&luce_half, scores, first_tied, NULL, 4, 1, NULL, NULL), luce, 1e-12);
}

static void
assert_gradient (const LaurelRewardRule *rule,
                 const float *scores,
                 const int *ranks,
                 const int *twins,
                 int n)
{
  float dscores[8], moved[8];

  laurel_reward_loss (rule, scores, ranks, twins, n, 1, dscores, NULL);
  for (int i = 0; i < n; i++) {
    double high, low, width;

    for (int j = 0; j < n; j++)
      moved[j] = scores[j];
    moved[i] = scores[i] + 1e-2f;
    width = moved[i];
    high = laurel_reward_loss (rule, moved, ranks, twins, n, 1, NULL, NULL);
    moved[i] = scores[i] - 1e-2f;
    width -= moved[i];
    low = laurel_reward_loss (rule, moved, ranks, twins, n, 1, NULL, NULL);
    /* h²/6 times a third derivative of at most 1/8: 2e-6, and the float the gradient is stored in.
     */
    g_assert_cmpfloat_with_epsilon (dscores[i], (high - low) / width, 5e-6);
  }
}

static void
test_gradient (void)
{
  const int twins[] = { 0, 1, 2, 1, 4 };
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int round = 0; round < 100; round++) {
    float scores[5];
    int ranks[5];

    for (int i = 0; i < 5; i++) {
      scores[i] = (float) (2 * laurel_rng_normal (&rng));
      ranks[i] = 1 + (int) laurel_rng_below (&rng, 4); /* often tied */
    }
    for (gsize r = 0; r < G_N_ELEMENTS (all_rules); r++) {
      assert_gradient (all_rules[r], scores, ranks, NULL, 5);
      assert_gradient (all_rules[r], scores, ranks, twins, 5);
    }
  }
}

static void
test_extremes (void)
{
  const float scores[] = { -1e4f, 1e4f, 0 };
  const int ranks[] = { 1, 2, 2 };
  float dscores[3];
  double loss = laurel_reward_loss (&pairwise_half, scores, ranks, NULL, 3, 1, dscores, NULL);

  /* (20000 + 10000 + ½·10000) / 3, and softplus adds nothing a double can see. */
  g_assert_cmpfloat_with_epsilon (loss, 35000.0 / 3, 1e-9);
  for (int i = 0; i < 3; i++)
    g_assert_true (isfinite (dscores[i]));
  g_assert_cmpfloat_with_epsilon (dscores[0], -2.0 / 3, 1e-6);
  for (gsize r = 0; r < G_N_ELEMENTS (all_rules); r++) {
    g_assert_true (
        isfinite (laurel_reward_loss (all_rules[r], scores, ranks, NULL, 3, 1, dscores, NULL)));
    for (int i = 0; i < 3; i++)
      g_assert_true (isfinite (dscores[i]));
  }
  /* Of three, the best has the lowest score by 20000: chosen last, with the mean over one or two
   * choices. */
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&best_drop, scores, ranks, NULL, 3, 1, dscores, NULL), 20000, 1e-9);
  g_assert_cmpfloat_with_epsilon (
      laurel_reward_loss (&luce_drop, scores, ranks, NULL, 3, 1, dscores, NULL), 20000, 1e-9);
}

static void
test_scale (void)
{
  const float scores[] = { 0.3f, -1, 2 };
  const int ranks[] = { 2, 1, 3 };
  float once[3], quarter[3];

  laurel_reward_loss (&pairwise_drop, scores, ranks, NULL, 3, 1, once, NULL);
  laurel_reward_loss (&pairwise_drop, scores, ranks, NULL, 3, 0.25, quarter, NULL);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (quarter[i], once[i] / 4, 1e-7); /* float rounding */
  /* Only differences matter, so the gradient sums to nothing. */
  g_assert_cmpfloat_with_epsilon (once[0] + once[1] + once[2], 0, 1e-6);
}

/* --- Figures of tests/vectors/reward_vectors.py ------------------------------------- */

static LaurelRewardRule
read_rule (JsonObject *c)
{
  static const char *const losses[] = { "pairwise", "pick_best", "plackett_luce" };
  LaurelRewardRule rule = { LAUREL_REWARD_PAIRWISE, LAUREL_TIES_DROP };

  while (!g_str_equal (losses[rule.loss], json_object_get_string_member (c, "loss_name")))
    rule.loss++;
  if (g_str_equal (json_object_get_string_member (c, "ties"), "half"))
    rule.ties = LAUREL_TIES_HALF;
  return rule;
}

static void
check_case (JsonObject *c)
{
  const LaurelRewardRule rule = read_rule (c);
  JsonArray *gradient = json_object_get_array_member (c, "gradient");
  int n = (int) json_array_get_length (gradient);
  LaurelRewardStats stats;
  float scores[8], dscores[8];
  int ranks[8], twins[8];
  double loss;

  for (int i = 0; i < n; i++) {
    scores[i] = (float) json_array_get_double_element (
        json_object_get_array_member (c, "scores"), (guint) i);
    ranks[i] = (int) json_array_get_int_element (json_object_get_array_member (c, "ranks"),
                                                 (guint) i);
    twins[i] = (int) json_array_get_int_element (json_object_get_array_member (c, "twins"),
                                                 (guint) i);
  }
  loss = laurel_reward_loss (&rule, scores, ranks, twins, n, 1, dscores, &stats);
  g_assert_cmpint (stats.n_counted, ==, json_object_get_int_member (c, "count"));
  g_assert_cmpint (laurel_reward_count (&rule, ranks, twins, n), ==, stats.n_counted);
  /* 1e-12: both sides are doubles of size 1 to 10; the gradient is stored as a float. */
  g_assert_cmpfloat_with_epsilon (loss, json_object_get_double_member (c, "loss"), 1e-12);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (
        dscores[i], json_array_get_double_element (gradient, (guint) i), 1e-7);
}

static void
test_vectors (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "vectors", "reward", "losses.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_load (path, &error);
  JsonArray *cases;

  g_assert_no_error (error);
  cases = json_node_get_array (node);
  g_assert_cmpuint (json_array_get_length (cases), ==, 120);
  for (guint i = 0; i < json_array_get_length (cases); i++)
    check_case (json_array_get_object_element (cases, i));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/reward-loss/log-sigmoid", test_log_sigmoid);
  g_test_add_func ("/train/reward-loss/pair", test_pair);
  g_test_add_func ("/train/reward-loss/counts", test_counts);
  g_test_add_func ("/train/reward-loss/two", test_two);
  g_test_add_func ("/train/reward-loss/fair-choices", test_fair_choices);
  g_test_add_func ("/train/reward-loss/gradient", test_gradient);
  g_test_add_func ("/train/reward-loss/extremes", test_extremes);
  g_test_add_func ("/train/reward-loss/scale", test_scale);
  g_test_add_func ("/train/reward-loss/vectors", test_vectors);
  return g_test_run ();
}
