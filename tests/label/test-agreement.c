/* test-agreement.c: agreement against counts by hand, and simulated labelers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/agreement.h"
#include "core/label/simulate.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/statistics.h"

#include <math.h>
#include <string.h>

/* Sums of a few small fractions: rounding stays far below this. */
#define TOLERANCE 1e-12

static void
test_counts (void)
{
  /* Pairs 01 02 03 12 13 23: a orders < < < = < <, b orders > = < < < =. */
  const int a[] = { 1, 2, 2, 4 }, b[] = { 2, 1, 2, 3 };
  LaurelPairCounts counts = { 0 };
  LaurelAgreement agreement = { 0 };

  laurel_agreement_count_pairs (a, b, 4, &counts);
  g_assert_cmpint (counts.n_pairs, ==, 6);
  g_assert_cmpint (counts.n_concordant, ==, 3); /* 03 13 23 */
  g_assert_cmpint (counts.n_discordant, ==, 1); /* 01 */
  g_assert_cmpint (counts.n_tied_a, ==, 1);     /* 12 */
  g_assert_cmpint (counts.n_tied_b, ==, 1);     /* 02 */
  g_assert_cmpint (counts.n_tied_both, ==, 0);
  laurel_agreement_estimate (&counts, 1, 100, 1, &agreement);
  g_assert_cmpfloat_with_epsilon (agreement.strict.value, 3.0 / 4, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (agreement.half.value, 4.0 / 6, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (agreement.tau_b.value, 2.0 / 5,
                                  TOLERANCE); /* (3 − 1) / √(5 · 5) */
  g_assert_true (isnan (agreement.strict.low));
  g_assert_nonnull (agreement.strict.reason); /* one task has no interval */
}

static void
test_undefined (void)
{
  const int a[] = { 1, 1, 1 }, b[] = { 1, 2, 3 };
  LaurelPairCounts counts[2] = { { 0 }, { 0 } };
  LaurelAgreement agreement = { 0 };

  laurel_agreement_estimate (NULL, 0, 100, 1, &agreement);
  g_assert_true (isnan (agreement.half.value));
  g_assert_cmpstr (agreement.half.reason, ==, "they have ranked no task in common");
  for (int i = 0; i < 2; i++)
    laurel_agreement_count_pairs (a, b, 3, &counts[i]);
  laurel_agreement_estimate (counts, 2, 100, 1, &agreement);
  g_assert_true (isnan (agreement.strict.value));
  g_assert_nonnull (agreement.strict.reason);
  g_assert_true (isnan (agreement.tau_b.value));
  g_assert_nonnull (agreement.tau_b.reason);
  g_assert_cmpfloat_with_epsilon (agreement.half.value, 0.5, TOLERANCE);
  g_assert_null (agreement.half.reason);
}

static void
test_interval (void)
{
  LaurelPairCounts tasks[100];
  LaurelAgreement agreement = { 0 }, again = { 0 };

  /* 70 agree, 30 do not: the share's standard error is √(0.7 · 0.3 / 100) = 0.046. */
  for (int i = 0; i < 100; i++)
    tasks[i] = (LaurelPairCounts){ .n_pairs = 1, .n_concordant = i < 70, .n_discordant = i >= 70 };
  laurel_agreement_estimate (tasks, 100, 2000, 1, &agreement);
  laurel_agreement_estimate (tasks, 100, 2000, 1, &again);
  g_assert_null (agreement.strict.reason);
  g_assert_cmpfloat_with_epsilon (agreement.strict.value, 0.7, TOLERANCE);
  /* A quantile of 2000 resamples of a share in hundredths is within 0.02 of the normal one. */
  g_assert_cmpfloat_with_epsilon (agreement.strict.low, 0.7 - 1.96 * 0.0458, 0.02);
  g_assert_cmpfloat_with_epsilon (agreement.strict.high, 0.7 + 1.96 * 0.0458, 0.02);
  g_assert_cmpfloat (agreement.strict.low, ==, again.strict.low);
}

/* Who agreed ten times of ten may yet disagree; tasks of ties alone do not count. */
static void
test_alike (void)
{
  LaurelPairCounts tasks[15] = { 0 };
  LaurelAgreement agreement = { 0 };
  double low = laurel_wilson_interval (10, 10).low;

  for (int i = 0; i < 15; i++)
    tasks[i] = (LaurelPairCounts){ .n_pairs = 1, .n_concordant = i < 10, .n_tied_both = i >= 10 };
  laurel_agreement_estimate (tasks, 15, 500, 1, &agreement);
  g_assert_cmpfloat (agreement.strict.value, ==, 1);
  g_assert_cmpfloat_with_epsilon (agreement.strict.low, low, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (agreement.tau_b.low, 2 * low - 1, TOLERANCE);
  g_assert_cmpfloat_with_epsilon (agreement.half.low, laurel_wilson_interval (15, 15).low,
                                  TOLERANCE);
  g_assert_cmpfloat (agreement.half.high, ==, 1);
}

static LaurelStore *
make_store (char **out_dir, int n_tasks)
{
  g_autofree char *path = NULL;
  LaurelStore *store;

  *out_dir = g_dir_make_tmp ("laurel-agreement-XXXXXX", NULL);
  path = g_build_filename (*out_dir, "project.sqlite", NULL);
  store = laurel_store_open (path, NULL);
  g_assert_nonnull (store);
  g_assert_true (laurel_store_begin (store, NULL));
  for (int i = 0; i < n_tasks; i++) {
    g_autofree char *prompt = g_strdup_printf ("Prompt %d", i);
    gint64 prompt_id = laurel_store_ensure_prompt (store, prompt, "train", "", NULL);
    gint64 ids[4];

    for (int k = 0; k < 4; k++) {
      g_autofree char *text =
        g_strnfill (k == 3 ? 3 : k + 1, 'x'); /* the last two are as long as one another */
      LaurelCompletion completion = { .prompt_id = prompt_id,
                                      .model = (char *) "sft",
                                      .text = text };

      g_assert_true (laurel_store_add_completion (store, &completion, NULL));
      ids[k] = completion.id;
    }
    g_assert_cmpint (laurel_store_add_task (store, prompt_id, ids, 4, 2, "random", NULL), >, 0);
  }
  g_assert_true (laurel_store_commit (store, NULL));
  return store;
}

static double
score_length (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return user_data != NULL ? NAN : (double) strlen (completion->text);
}

static int
find_rank (const LaurelRanking *ranking, int place)
{
  for (int i = 0; i < ranking->n; i++)
    if ((ranking->ranks[i].completion_id - 1) % 4 == place)
      return ranking->ranks[i].rank;
  g_assert_not_reached ();
}

static void
test_simulate (void)
{
  enum { N = 200 };
  g_autofree char *dir = NULL;
  g_autoptr (LaurelStore) store = make_store (&dir, N);
  g_autoptr (GPtrArray) rankings = NULL;
  g_autoptr (GPtrArray) agreements = NULL;
  g_autoptr (GError) error = NULL;
  gint64 exact = laurel_store_ensure_labeler (store, "exact", LAUREL_LABELER_RULES, NULL);
  gint64 noisy = laurel_store_ensure_labeler (store, "noisy", LAUREL_LABELER_RULES, NULL);
  const LaurelAgreementRequest request = { .n_resamples = 200, .seed = 1 };
  const LaurelAgreement *pair;
  int n_slips = 0;

  g_assert_cmpint (laurel_label_simulate (store, exact, score_length, NULL, 0, 1, 3, &error), ==,
                   3);
  g_assert_cmpint (laurel_label_simulate (store, exact, score_length, NULL, 0, 1, 0, &error), ==,
                   N - 3);
  g_assert_cmpint (laurel_label_simulate (store, exact, score_length, NULL, 0, 1, 0, &error), ==,
                   0);
  g_assert_cmpint (laurel_label_simulate (store, noisy, score_length, NULL, 0.3, 1, 0, &error), ==,
                   N);
  g_assert_no_error (error);
  rankings = laurel_store_list_rankings (store, 0, NULL);
  g_assert_cmpint (rankings->len, ==, 2 * N);
  for (guint i = 0; i < rankings->len; i++) {
    const LaurelRanking *ranking = g_ptr_array_index (rankings, i);
    gboolean is_exact =
      find_rank (ranking, 0) == 3 && find_rank (ranking, 1) == 2 && find_rank (ranking, 2) == 1;

    g_assert_cmpint (find_rank (ranking, 2), ==,
                     find_rank (ranking, 3)); /* equal scores are ties */
    if (ranking->labeler_id == exact)
      g_assert_true (is_exact);
    else
      n_slips += !is_exact;
  }
  /* 60 expected of 200, standard deviation 6.5: four of them. */
  g_assert_cmpint (n_slips, >=, 34);
  g_assert_cmpint (n_slips, <=, 86);

  agreements = laurel_label_list_agreement (store, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpint (agreements->len, ==, 2);
  pair = g_ptr_array_index (agreements, 1);
  g_assert_cmpstr (pair->labeler_a, ==, "exact");
  g_assert_cmpint (pair->n_tasks, ==, N);
  g_assert_cmpint (pair->n_pairs, ==, 6 * N);
  g_assert_cmpfloat (pair->strict.low, <, pair->strict.value);
  g_assert_cmpfloat (pair->strict.value, <, 1);
  g_assert_cmpfloat (pair->strict.value, >,
                     0.8); /* a slip turns at most two of a ranking's five strict pairs */
  laurel_file_remove_tree (dir, NULL);
}

static gboolean
stop_at_once (int n_done, int n_all, gpointer user_data)
{
  g_assert_cmpint (n_done, ==, 0);
  g_assert_cmpint (n_all, ==, 1); /* nobody has ranked: everybody together alone */
  return FALSE;
}

static void
test_stopped (void)
{
  const LaurelAgreementRequest request = { .n_resamples = 200, .progress = stop_at_once };
  g_autofree char *dir = NULL;
  g_autoptr (LaurelStore) store = make_store (&dir, 1);
  g_autoptr (GPtrArray) agreements = NULL;
  g_autoptr (GError) error = NULL;

  agreements = laurel_label_list_agreement (store, &request, &error);
  g_assert_null (agreements);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  laurel_file_remove_tree (dir, NULL);
}

static void
test_simulate_errors (void)
{
  g_autofree char *dir = NULL;
  g_autoptr (LaurelStore) store = make_store (&dir, 1);
  g_autoptr (GError) error = NULL;
  gint64 labeler = laurel_store_ensure_labeler (store, "rules", LAUREL_LABELER_RULES, NULL);

  g_assert_cmpint (laurel_label_simulate (store, labeler, score_length, store, 0, 1, 0, &error), ==,
                   -1);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE);
  g_clear_error (&error);
  g_assert_cmpint (laurel_label_simulate (store, labeler, score_length, NULL, 1.5, 1, 0, &error),
                   ==, -1);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (laurel_store_count_rankings (store, 0, 0, NULL), ==, 0);
  laurel_file_remove_tree (dir, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/agreement/counts", test_counts);
  g_test_add_func ("/label/agreement/undefined", test_undefined);
  g_test_add_func ("/label/agreement/interval", test_interval);
  g_test_add_func ("/label/agreement/alike", test_alike);
  g_test_add_func ("/label/agreement/stopped", test_stopped);
  g_test_add_func ("/label/simulate/ranks-by-score", test_simulate);
  g_test_add_func ("/label/simulate/errors", test_simulate_errors);
  return g_test_run ();
}
