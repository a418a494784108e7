/* test-contest.c: reward models as labelers, as judges, and as those who choose what is asked next.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/label/agreement.h"
#include "core/project/contest.h"
#include "core/project/queue.h"
#include "core/project/rater.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <string.h>

#define N_TASKS 80

static double
score_cb (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return -(double) strlen (completion->text);
}

/* Tasks of four completions, some of them ranked by “Ada”, and two reward models of different
 * seeds. */
static LaurelProject *
make_project (Fixture *fixture)
{
  LaurelProject *project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  gint64 ada = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);
  LaurelSampleRequest sample = {
    .model = "blank", .n_completions = 4, .temperature = 1, .top_p = 1, .max_tokens = 8
  };
  g_autoptr (GError) error = NULL;

  while (laurel_store_count_tasks (store, FALSE, NULL) < N_TASKS) {
    gint64 id;

    sample.seed++;
    sample.n_prompts = MIN (36, N_TASKS - (int) laurel_store_count_tasks (store, FALSE, NULL));
    id = laurel_project_start_sampling (project, &sample, &error);
    g_assert_no_error (error);
    g_assert_true (laurel_project_wait (project, id, &error));
  }
  g_assert_cmpint (laurel_label_simulate (store, ada, score_cb, NULL, 0, 0, 10, &error), ==, 10);
  for (int i = 0; i < 2; i++) {
    LaurelTrainRequest reward =
        fixture_request (LAUREL_STAGE_REWARD, "blank", i == 0 ? "reward-a" : "reward-b");

    reward.hyperparameters.seed = i + 1;
    reward.hyperparameters.max_steps = 1;
    reward.hyperparameters.normalize_rewards = FALSE; /* samples for nothing */
    fixture_train (project, &reward);
  }
  return project;
}

static gboolean
stop_cb (int n_done, int n_all, gpointer user_data)
{
  g_assert_cmpint (n_done, <, n_all);
  *(int *) user_data = n_done;
  return FALSE;
}

static int
simulate (LaurelStore *store,
          LaurelRater *rater,
          gboolean all,
          LaurelSimulateProgress progress,
          int *n_done,
          GError **error)
{
  const LaurelSimulation simulation = { .labeler_id = laurel_rater_ensure_labeler (rater, NULL),
                                        .score = laurel_rater_score_tasks,
                                        .score_data = rater,
                                        .all_tasks = all,
                                        .progress = progress,
                                        .progress_data = n_done };

  return laurel_label_simulate_tasks (store, &simulation, error);
}

static const LaurelAgreement *
find_agreement (GPtrArray *list, LaurelAgreementGroup group)
{
  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);

    if (row->group == group)
      return row;
  }
  return NULL;
}

/* Stopped, it goes on with what is left, and never ranks a task twice. */
static void
test_simulate (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRater) rater =
      laurel_rater_load (store, laurel_project_get_path (project), "reward-a", &error);
  g_autoptr (GPtrArray) agreements = NULL;
  g_autofree char *key = NULL;
  const LaurelAgreement *mixed;
  int n_done = 0;

  g_assert_no_error (error);
  g_assert_cmpint (rater->kind, ==, LAUREL_LABELER_REWARD_MODEL);
  g_assert_cmpint (simulate (store, rater, FALSE, stop_cb, &n_done, &error), ==, -1);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (n_done, >, 0);
  g_assert_cmpint (laurel_store_count_rankings_by (store, LAUREL_LABELERS_SIMULATED, NULL), ==,
                   n_done);
  g_assert_cmpint (simulate (store, rater, FALSE, NULL, NULL, &error), ==, N_TASKS - 10 - n_done);
  g_assert_no_error (error);
  g_assert_cmpint (simulate (store, rater, TRUE, NULL, NULL, &error), ==, 10); /* Ada's */
  g_assert_cmpint (simulate (store, rater, TRUE, NULL, NULL, &error), ==, 0);
  g_assert_cmpint (laurel_store_count_rankings_by (store, LAUREL_LABELERS_PEOPLE, NULL), ==, 10);
  agreements = laurel_label_list_agreement (
      store, &(LaurelAgreementRequest){ .n_resamples = 100 }, &error);
  mixed = find_agreement (agreements, LAUREL_AGREEMENT_MIXED);
  g_assert_cmpint (mixed->n_tasks, ==, 10);
  g_assert_null (find_agreement (agreements, LAUREL_AGREEMENT_PEOPLE)); /* there is one person */
  g_assert_cmpint (find_agreement (agreements, LAUREL_AGREEMENT_PAIR)->kind_b, ==,
                   LAUREL_LABELER_REWARD_MODEL);
  /* Other weights under the name are another labeler. */
  key = g_strdup_printf ("labeler-%" G_GINT64_FORMAT "-sha256",
                         laurel_rater_ensure_labeler (rater, &error));
  g_assert_true (laurel_store_set_fact (store, key, "0123456789abcdef", NULL));
  g_assert_cmpint (laurel_rater_ensure_labeler (rater, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

/* A batch gives the scores that each task has alone, to the bit. */
static void
test_scores (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRater) rater =
      laurel_rater_load (store, laurel_project_get_path (project), "reward-a", &error);
  g_autoptr (LaurelRater) language = NULL;
  g_autoptr (GArray) ids = laurel_store_list_task_ids (store, 0, TRUE, &error);
  g_autoptr (GPtrArray) tasks = laurel_label_load_batch (store, ids, 0, &error);
  int n = laurel_label_count_completions (tasks);
  g_autofree double *scores = g_new (double, n);

  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 4 * (int) tasks->len);
  g_assert_true (laurel_rater_score_tasks (tasks, scores, rater, &error));
  for (guint i = 0; i < tasks->len; i++) {
    g_autoptr (GPtrArray) one = g_ptr_array_new ();
    double alone[4];

    g_ptr_array_add (one, g_ptr_array_index (tasks, i));
    g_assert_true (laurel_rater_score_tasks (one, alone, rater, &error));
    for (int k = 0; k < 4; k++)
      g_assert_cmpfloat (alone[k], ==, scores[4 * i + (guint) k]);
  }
  language = laurel_rater_load (store, laurel_project_get_path (project), "blank", &error);
  g_assert_null (language);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

static GHashTable *
list_random (LaurelStore *store)
{
  g_autoptr (GArray) ids = laurel_store_list_task_ids (store, 0, FALSE, NULL);
  GHashTable *set = g_hash_table_new (g_direct_hash, g_direct_equal);

  for (guint i = 0; i < ids->len; i++) {
    gint64 id = g_array_index (ids, gint64, i);
    g_autoptr (LaurelTask) task = laurel_store_get_task (store, id, NULL);

    if (g_str_equal (task->sampler, "random"))
      g_hash_table_add (set, GINT_TO_POINTER ((int) id));
  }
  return set;
}

/* What is drawn is drawn once: another order finds what a rule has left, which is no sample. */
static void
test_queue_again (Fixture *fixture, gconstpointer unused)
{
  static const char *const models[] = { "reward-a", "reward-b", NULL };
  static const LaurelStrategy strategies[] = { LAUREL_STRATEGY_NEAR_TIE, LAUREL_STRATEGY_RANDOM };
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  const char *path = laurel_project_get_path (project);
  LaurelQueueRequest request = { .strategy = LAUREL_STRATEGY_UNCERTAINTY,
                                 .reward_models = models,
                                 .random_share = LAUREL_RANDOM_SHARE };
  g_autoptr (GHashTable) first = NULL;
  LaurelQueueResult result;

  g_assert_true (laurel_queue_order (store, path, &request, &result, NULL));
  first = list_random (store);
  for (guint i = 0; i < G_N_ELEMENTS (strategies); i++) {
    g_autoptr (GHashTable) again = NULL;
    GHashTableIter iter;
    gpointer id;

    request.strategy = strategies[i];
    request.seed++;
    g_assert_true (laurel_queue_order (store, path, &request, &result, NULL));
    again = list_random (store);
    g_assert_cmpuint (g_hash_table_size (again), ==, g_hash_table_size (first));
    g_assert_cmpint (result.n_random, ==, (int) g_hash_table_size (first));
    g_hash_table_iter_init (&iter, again);
    while (g_hash_table_iter_next (&iter, &id, NULL))
      g_assert_true (g_hash_table_contains (first, id));
  }
}

static void
test_queue (Fixture *fixture, gconstpointer unused)
{
  static const char *const models[] = { "reward-a", "reward-b", NULL };
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  const char *path = laurel_project_get_path (project);
  LaurelQueueRequest request = { .strategy = LAUREL_STRATEGY_UNCERTAINTY,
                                 .reward_models = models,
                                 .random_share = LAUREL_RANDOM_SHARE };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = NULL;
  LaurelQueueResult result;
  double last = INFINITY;
  int n_random = 0, n_done = 0;

  g_assert_true (laurel_queue_order (store, path, &request, &result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (result.n_tasks, ==, N_TASKS - 10);
  g_assert_cmpint (result.n_random, ==, 14);
  ids = laurel_store_list_task_ids (store, 0, FALSE, &error);
  for (guint i = 0; i < ids->len; i++) {
    g_autoptr (LaurelTask) task =
        laurel_store_get_task (store, g_array_index (ids, gint64, i), &error);

    g_assert_cmpfloat (task->priority, >=, 0);
    if (g_str_equal (task->sampler, "random")) {
      n_random++;
      continue;
    }
    g_assert_cmpstr (task->sampler, ==, "uncertainty");
    g_assert_cmpfloat (task->priority, <=, last);
    last = task->priority;
  }
  g_assert_cmpint (n_random, ==, 14);
  g_assert_cmpfloat (last, >, 0); /* other seeds, other opinions */
  request.progress = stop_cb;
  request.user_data = &n_done;
  request.strategy = LAUREL_STRATEGY_NEAR_TIE;
  g_assert_false (laurel_queue_order (store, path, &request, &result, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_clear_error (&error);
  request.progress = NULL;
  request.strategy = LAUREL_STRATEGY_UNCERTAINTY;
  request.reward_models = models + 1;
  g_assert_false (laurel_queue_order (store, path, &request, &result, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

/* A model against itself is all ties; against another the judge's scores decide, one prompt each.
 */
static void
test_contest (Fixture *fixture, gconstpointer unused)
{
  static const char *const same[] = { "blank", "blank", NULL };
  static const char *const two[] = { "blank", "other", NULL };
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  const char *path = laurel_project_get_path (project);
  g_autoptr (LaurelOutcomes) tied = NULL;
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (GArray) between = NULL;
  g_autoptr (GError) error = NULL;
  LaurelContest contest;
  LaurelWinSummary wins;

  g_assert_true (laurel_project_create_model (project, "other", fixture->config, fixture->tokenizer,
                                              9, &error));
  laurel_contest_init (&contest);
  contest.judge = "reward-a";
  contest.models = same;
  contest.max_tokens = 8;
  tied = laurel_contest_run (store, path, &contest, &error);
  g_assert_no_error (error);
  between = laurel_outcomes_between (tied, 0, 1);
  laurel_win_rate_summarise (between, 10, 0, &wins);
  g_assert_cmpint (wins.n_ties, ==, 12); /* held-out prompts */
  g_assert_cmpint (wins.n_wins + wins.n_losses, ==, 0);
  g_array_unref (g_steal_pointer (&between));
  contest.models = two;
  outcomes = laurel_contest_run (store, path, &contest, &error);
  g_assert_no_error (error);
  between = laurel_outcomes_between (outcomes, 0, 1);
  laurel_win_rate_summarise (between, 10, 0, &wins);
  g_assert_cmpint (wins.n_wins + wins.n_losses, >, 0);
  g_assert_cmpint (wins.n_prompts, ==, 12);
  contest.judge = NULL;
  g_assert_null (laurel_contest_run (store, path, &contest, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

/* A reward model may learn from people alone. */
static void
test_labelers (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_REWARD, "blank", "reward-c");
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;
  gint64 rules = laurel_store_ensure_labeler (store, "rules", LAUREL_LABELER_RULES, NULL);
  gint64 id;

  g_assert_cmpint (laurel_label_simulate (store, rules, score_cb, NULL, 0, 0, 5, &error), ==, 5);
  request.labelers = LAUREL_LABELERS_SIMULATED;
  request.hyperparameters.max_steps = 1;
  request.hyperparameters.normalize_rewards = FALSE;
  id = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, id, &error));
  run = laurel_store_get_run (store, id, NULL);
  g_assert_nonnull (strstr (run->snapshot, "\"ranking_ids\":[11,12,13,14,15]"));
  g_assert_nonnull (strstr (run->config, "\"labelers\":\"simulated\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/project/contest/simulate", test_simulate);
  ADD ("/project/contest/scores", test_scores);
  ADD ("/project/contest/queue", test_queue);
  ADD ("/project/contest/queue-again", test_queue_again);
  ADD ("/project/contest/win-rate", test_contest);
  ADD ("/project/contest/labelers", test_labelers);
  return g_test_run ();
}
