/* test-winrate.c: win rates against closed forms, enumeration and numpy, and outcomes from
 * rankings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/winrate.h"

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"

#include <math.h>

/* Sums of at most a thousand terms near one. */
#define TOLERANCE 1e-12

/* Binomials by hand: 2 · (45 + 10 + 1) / 1024 for 8 of 10, and 2 / 2⁵ for 5 of 5. */
static void
test_sign (void)
{
  g_assert_cmpfloat_with_epsilon (laurel_sign_test (8, 2), 0.109375, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (laurel_sign_test (2, 8), 0.109375, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (laurel_sign_test (0, 5), 0.0625, TOLERANCE);
  g_assert_cmpfloat (laurel_sign_test (4, 4), ==, 1);
  g_assert_true (isnan (laurel_sign_test (0, 0)));
}

static double
enumerate_signs (const int *net, int n)
{
  int sum = 0, n_far = 0;

  for (int i = 0; i < n; i++)
    sum += net[i];
  for (guint signs = 0; signs < 1u << n; signs++) {
    int other = 0;

    for (int i = 0; i < n; i++)
      other += signs >> i & 1 ? net[i] : -net[i];
    n_far += ABS (other) >= ABS (sum);
  }
  return n_far / pow (2, n);
}

static void
test_permutation (void)
{
  const int zeros[] = { 0, 0 };
  LaurelRng rng;
  int net[12], n_wins;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 12; i++)
      net[i] = (int) laurel_rng_below (&rng, 9) - 4;
    g_assert_cmpfloat_with_epsilon (laurel_permutation_test (net, 12), enumerate_signs (net, 12),
                                    TOLERANCE);
    n_wins = 0;
    for (int i = 0; i < 12; i++) {
      net[i] = laurel_rng_below (&rng, 3) > 0 ? 1 : -1;
      n_wins += net[i] > 0;
    }
    g_assert_cmpfloat_with_epsilon (laurel_permutation_test (net, 12),
                                    laurel_sign_test (n_wins, 12 - n_wins), TOLERANCE);
  }
  g_assert_true (isnan (laurel_permutation_test (zeros, 2)));
}

/* --- Lengths ------------------------------------------------------------------------ */

static double
logit (double p)
{
  return log (p / (1 - p));
}

/* Two gaps of one size: the fit goes through both shares, so that α is the mean of their logits and
 * β half their difference over tanh 1. */
static void
test_lengths_closed_form (void)
{
  int results[200];
  double gaps[200], weights[200], alpha, beta;

  for (int i = 0; i < 200; i++) {
    gaps[i] = i < 100 ? 12 : -12;
    weights[i] = 1;
    results[i] = i % 100 < (i < 100 ? 80 : 45) ? 1 : -1;
  }
  laurel_length_fit (results, gaps, weights, 200, 12, &alpha, &beta);
  /* The ridge of 1e-4 moves a parameter by 1e-4 · its size / information of about 40. */
  g_assert_cmpfloat_with_epsilon (alpha, (logit (0.8) + logit (0.45)) / 2, 1e-5);
  g_assert_cmpfloat_with_epsilon (beta, (logit (0.8) - logit (0.45)) / 2 / tanh (1), 1e-5);
}

/* Where the longer one always wins no maximum would be finite without the ridge; at equal length
 * nothing is decided. */
static void
test_lengths_separated (void)
{
  int results[20];
  double gaps[20], weights[20], alpha, beta;

  for (int i = 0; i < 20; i++) {
    gaps[i] = i < 10 ? 5 : -5;
    results[i] = i < 10 ? 1 : -1;
    weights[i] = 1;
  }
  laurel_length_fit (results, gaps, weights, 20, 5, &alpha, &beta);
  g_assert_cmpfloat_with_epsilon (alpha, 0, 1e-9); /* by symmetry */
  g_assert_cmpfloat (beta, >, 5);
  g_assert_true (isfinite (beta));
  laurel_length_fit (results, gaps, weights, 20, 0, &alpha, &beta);
  g_assert_cmpfloat (beta, ==, 0); /* no scale, no slope */
}

static JsonObject *
load_expected (JsonNode **out_node)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "vectors", "ratings", "expected.json", NULL);
  g_autoptr (GError) error = NULL;

  *out_node = laurel_json_load (path, &error);
  g_assert_no_error (error);
  return json_object_get_object_member (json_node_get_object (*out_node), "lengths");
}

static void
test_lengths_numpy (void)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *expected = load_expected (&node);
  JsonArray *results = json_object_get_array_member (expected, "results");
  JsonArray *gaps = json_object_get_array_member (expected, "gaps");
  int n = (int) json_array_get_length (results);
  g_autofree int *own_results = g_new (int, n);
  g_autofree double *own_gaps = g_new (double, n);
  g_autofree double *weights = g_new (double, n);
  double alpha, beta;

  for (int i = 0; i < n; i++) {
    own_results[i] = (int) json_array_get_int_element (results, (guint) i);
    own_gaps[i] = (double) json_array_get_int_element (gaps, (guint) i);
    weights[i] = 1;
  }
  laurel_length_fit (own_results, own_gaps, weights, n,
                     json_object_get_double_member (expected, "scale"), &alpha, &beta);
  /* numpy stops at gradients of 1e-11 where the information is about 10. */
  g_assert_cmpfloat_with_epsilon (alpha, json_object_get_double_member (expected, "alpha"), 1e-10);
  g_assert_cmpfloat_with_epsilon (beta, json_object_get_double_member (expected, "beta"), 1e-10);
}

/* --- Summaries ------------------------------------------------------------------------ */

static void
add_outcome (GArray *outcomes, gint64 prompt_id, int result, double gap)
{
  LaurelOutcome outcome = { prompt_id, 0, 1, result, gap };

  g_array_append_val (outcomes, outcome);
}

/* Answers are worth the same, but a judge likes long ones and A's are longer. */
static void
test_length_bias (void)
{
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  g_autoptr (GArray) turned = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  LaurelWinSummary summary, other;
  LaurelRng rng;

  laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 2000; i++) {
    double gap = round (10 + 8 * laurel_rng_normal (&rng));
    int result = laurel_rng_uniform (&rng) < 1 / (1 + exp (-2 * tanh (gap / 12.8))) ? 1 : -1;

    add_outcome (outcomes, i, result, gap);
    add_outcome (turned, i, -result, -gap);
  }
  laurel_win_rate_summarise (outcomes, 200, 0, &summary);
  laurel_win_rate_summarise (turned, 200, 0, &other);
  /* Expected is the mean of σ(2·tanh(g/12.8)) over the gaps, about 0.72, give or take 0.01. */
  g_assert_cmpfloat (summary.strict.low, >, 0.65);
  g_assert_cmpfloat (summary.p_sign, <, 1e-6);
  /* The rate's standard error at no gap is about 0.02. */
  g_assert_cmpfloat_with_epsilon (summary.controlled.value, 0.5, 0.07);
  g_assert_cmpfloat (summary.controlled.low, <, 0.5);
  g_assert_cmpfloat (summary.controlled.high, >, 0.5);
  g_assert_cmpfloat (summary.controlled.low, >, 0.4);
  g_assert_cmpfloat_with_epsilon (summary.controlled.value, 1 - other.controlled.value, 1e-9);
  g_assert_cmpfloat_with_epsilon (summary.half.value, 1 - other.half.value, TOLERANCE);
}

/* The same comparison ten times over says nothing new: Wilson's interval does not know, the one
 * from drawing prompts again does. */
static void
test_clusters (void)
{
  g_autoptr (GArray) once = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  g_autoptr (GArray) often = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  LaurelWinSummary single, repeated;
  LaurelInterval half;

  for (int i = 0; i < 60; i++)
    for (int k = 0; k < 10; k++) {
      int result = i % 3 == 0 ? -1 : i % 10 == 1 ? 0 : 1;

      add_outcome (often, i, result, NAN);
      if (k == 0)
        add_outcome (once, i, result, NAN);
    }
  laurel_win_rate_summarise (once, 500, 7, &single);
  laurel_win_rate_summarise (often, 500, 7, &repeated);
  half = laurel_win_rate_half (often, 500, 7);
  g_assert_cmpfloat (half.value, ==, repeated.half.value);
  g_assert_cmpfloat (half.low, ==, repeated.half.low);
  g_assert_cmpfloat (half.high, ==, repeated.half.high);
  g_assert_cmpint (single.n_wins + single.n_losses + single.n_ties, ==, 60);
  g_assert_cmpint (repeated.n_prompts, ==, 60);
  g_assert_cmpint (repeated.n_ties, ==, 10 * single.n_ties);
  g_assert_cmpfloat_with_epsilon (repeated.half.value, single.half.value, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (repeated.half.low, single.half.low, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (repeated.clustered.high, single.clustered.high, TOLERANCE);
  g_assert_cmpfloat (repeated.strict.low, >, single.strict.low + 0.05);
  g_assert_cmpfloat_with_epsilon (repeated.p_permutation, single.p_permutation, TOLERANCE);
  g_assert_cmpfloat (repeated.p_sign, <, single.p_sign / 100);
  g_assert_true (isnan (single.controlled.value)); /* no lengths */
  g_assert_true (isnan (single.length_gap));
}

static void
test_ties_only (void)
{
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  LaurelWinSummary summary;

  laurel_win_rate_summarise (outcomes, 100, 0, &summary);
  g_assert_true (isnan (summary.half.value));
  for (int i = 0; i < 5; i++)
    add_outcome (outcomes, i, 0, 0);
  laurel_win_rate_summarise (outcomes, 100, 0, &summary);
  g_assert_true (isnan (summary.strict.value));
  g_assert_true (isnan (summary.p_permutation));
  g_assert_cmpfloat (summary.half.value, ==, 0.5);
  g_assert_cmpfloat_with_epsilon (summary.controlled.value, 0.5, TOLERANCE);
}

/* Each prompt was won as often as lost: both tests say that nothing could look more alike. */
static void
test_even_prompts (void)
{
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  LaurelWinSummary summary;

  for (int i = 0; i < 6; i++)
    add_outcome (outcomes, i / 2, i % 2 == 0 ? 1 : -1, 0);
  laurel_win_rate_summarise (outcomes, 100, 0, &summary);
  g_assert_cmpfloat (summary.p_sign, ==, 1);
  g_assert_cmpfloat (summary.p_permutation, ==, 1);
}

/* Six wins of six are no certainty, by whichever rule. */
static void
test_only_wins (void)
{
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  LaurelInterval six = laurel_wilson_interval (6, 6);
  LaurelWinSummary summary;

  for (int i = 0; i < 6; i++)
    add_outcome (outcomes, i, 1, i % 3);
  laurel_win_rate_summarise (outcomes, 200, 0, &summary);
  g_assert_cmpfloat (summary.strict.low, ==, six.low);
  g_assert_cmpfloat (summary.clustered.low, ==, six.low);
  g_assert_cmpfloat (summary.half.low, ==, six.low);
  g_assert_cmpfloat (summary.controlled.low, <, 0.7);
  /* A tie says nothing of the strict rate. */
  add_outcome (outcomes, 6, 0, 0);
  laurel_win_rate_summarise (outcomes, 200, 0, &summary);
  g_assert_cmpfloat (summary.clustered.low, ==, six.low);
}

/* --- Rankings ---------------------------------------------------------------------------- */

static gint64
add_text (LaurelStore *store, gint64 prompt, const char *model, const char *text, int n_tokens)
{
  gint32 tokens[8] = { text[0], 1, 2, 3, 4, 5, 6, 7 };
  LaurelCompletion completion = { .prompt_id = prompt,
                                  .model = (char *) model,
                                  .text = (char *) text,
                                  .tokens = tokens,
                                  .n_tokens = n_tokens };

  g_assert_true (laurel_store_add_completion (store, &completion, NULL));
  return completion.id;
}

static void
rank (LaurelStore *store,
      gint64 task,
      const char *name,
      LaurelLabelerKind kind,
      const gint64 *ids,
      const int *ranks)
{
  gint64 labeler = laurel_store_ensure_labeler (store, name, kind, NULL);
  LaurelRank list[4];
  LaurelRanking ranking = { .task_id = task, .labeler_id = labeler, .ranks = list, .n = 4 };

  for (int i = 0; i < 4; i++)
    list[i] = (LaurelRank){ .completion_id = ids[i], .rank = ranks[i] };
  g_assert_true (laurel_store_add_ranking (store, &ranking, NULL));
}

static void
test_outcomes (void)
{
  g_autofree char *dir = g_dir_make_tmp ("laurel-outcomes-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "project.sqlite", NULL);
  g_autoptr (LaurelStore) store = laurel_store_open (path, NULL);
  gint64 prompt = laurel_store_ensure_prompt (store, "Why?", "train", "", NULL);
  const gint64 ids[4] = { add_text (store, prompt, "sft", "a", 3),
                          add_text (store, prompt, "sft", "b", 8),
                          add_text (store, prompt, "ppo", "a", 3),
                          add_text (store, prompt, "ppo", "c", 5) };
  gint64 task = laurel_store_add_task (store, prompt, ids, 4, 2, "random", NULL);
  g_autoptr (LaurelOutcomes) all = NULL;
  g_autoptr (LaurelOutcomes) people = NULL;
  g_autoptr (GArray) forth = NULL;
  g_autoptr (GArray) back = NULL;
  int sum = 0;
  double gap = 0;

  rank (store, task, "Ada", LAUREL_LABELER_PERSON, ids, (int[]){ 2, 4, 3, 1 });
  rank (store, task, "rules", LAUREL_LABELER_RULES, ids, (int[]){ 1, 1, 2, 2 });
  all = laurel_outcomes_collect (store, LAUREL_LABELERS_ALL, NULL, NULL);
  people = laurel_outcomes_collect (store, LAUREL_LABELERS_PEOPLE, NULL, NULL);
  g_assert_cmpuint (all->outcomes->len, ==, 8); /* 2 · 2 pairs of different models, twice */
  g_assert_cmpuint (people->outcomes->len, ==, 4);
  g_assert_cmpuint (people->models->len, ==, 2);
  forth = laurel_outcomes_between (people, laurel_outcomes_find_model (people, "ppo"),
                                   laurel_outcomes_find_model (people, "sft"));
  back = laurel_outcomes_between (people, laurel_outcomes_find_model (people, "sft"),
                                  laurel_outcomes_find_model (people, "ppo"));
  g_assert_cmpuint (forth->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    const LaurelOutcome *outcome = &g_array_index (forth, LaurelOutcome, i);

    g_assert_cmpint (outcome->result, ==, -g_array_index (back, LaurelOutcome, i).result);
    sum += outcome->result;
    gap += outcome->length_gap;
  }
  /* ppo's c beats both of sft's, its a beats b, and is the same as sft's a, whatever the ranks say.
   */
  g_assert_cmpint (sum, ==, 3);
  g_assert_cmpfloat (gap, ==, 2 * (3 + 5) - 2 * (3 + 8));
  g_assert_cmpint (laurel_outcomes_find_model (people, "dpo"), ==, -1);
  laurel_file_remove_tree (dir, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/winrate/sign-test", test_sign);
  g_test_add_func ("/label/winrate/permutation-test", test_permutation);
  g_test_add_func ("/label/winrate/lengths/closed-form", test_lengths_closed_form);
  g_test_add_func ("/label/winrate/lengths/separated", test_lengths_separated);
  g_test_add_func ("/label/winrate/lengths/numpy", test_lengths_numpy);
  g_test_add_func ("/label/winrate/length-bias", test_length_bias);
  g_test_add_func ("/label/winrate/clusters", test_clusters);
  g_test_add_func ("/label/winrate/ties-only", test_ties_only);
  g_test_add_func ("/label/winrate/even-prompts", test_even_prompts);
  g_test_add_func ("/label/winrate/only-wins", test_only_wins);
  g_test_add_func ("/label/outcomes/rankings", test_outcomes);
  return g_test_run ();
}
