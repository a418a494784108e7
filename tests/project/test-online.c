/* test-online.c: mixed tasks and what their rankings say, reward models made anew, and the loop
 * that goes on by itself or in rounds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/label/simulate.h"
#include "core/project/online.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <string.h>

/* Shorter is better: enough to make rankings that differ. */
static double
score_cb (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return -(double) strlen (completion->text);
}

static int
rank (LaurelProject *project, int count)
{
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GError) error = NULL;
  gint64 labeler = laurel_store_ensure_labeler (store, "short", LAUREL_LABELER_RULES, &error);
  int n = laurel_label_simulate (store, labeler, score_cb, NULL, 0, 0, count, &error);

  g_assert_no_error (error);
  return n;
}

static void
finish (LaurelProject *project, gint64 run_id, GError *error)
{
  g_autoptr (GError) local = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (run_id, >, 0);
  g_assert_true (laurel_project_wait (project, run_id, &local));
  g_assert_no_error (local);
}

/* A project with the models “sft”, of kind sft, and “polite”, a policy made from it. */
static LaurelProject *
make_project (Fixture *fixture)
{
  LaurelProject *project = fixture_make_project (fixture, "p.laurel");
  char *files[] = { fixture->rows, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  g_autoptr (GError) error = NULL;

  request.data_files = files;
  finish (project, laurel_project_start_training (project, &request, &error), error);
  return project;
}

static void
add_policy (LaurelProject *project, const char *name, const char *parent)
{
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (LaurelModelRecord) record = laurel_store_get_model (store, parent, NULL);
  g_autofree char *path = g_build_filename ("models", parent, NULL);
  LaurelModelRecord copy = *record;
  g_autoptr (GError) error = NULL;

  /* The weights are the parent's: what matters here is whose name a completion carries. */
  copy.name = (char *) name;
  copy.kind = (char *) "policy";
  copy.parent = (char *) parent;
  copy.path = path;
  copy.created = record->created + 1;
  g_assert_true (laurel_store_put_model (store, &copy, &error));
  g_assert_no_error (error);
}

static void
load_settings (LaurelProject *project, LaurelOnlineSettings *settings)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (
      laurel_online_settings_load (laurel_project_get_store (project), settings, &error));
  g_assert_no_error (error);
  /* Tiny: a second a run. */
  json_object_set_int_member (settings->reward, "batch_size", 4);
  json_object_set_int_member (settings->reward, "warmup_steps", 0);
  json_object_set_double_member (settings->reward, "eval_split", 0.4);
  json_object_set_int_member (settings->ppo, "max_steps", 2);
  json_object_set_int_member (settings->ppo, "batch_size", 8);
  json_object_set_int_member (settings->ppo, "response_length", 8);
  json_object_set_int_member (settings->ppo, "num_mini_batches", 2);
}

/* --- Settings and names --------------------------------------------------------------- */

static void
test_settings (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_auto (LaurelOnlineSettings) again = { 0 };
  LaurelHyperparameters hp;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_online_settings_load (store, &settings, &error));
  g_assert_false (settings.enabled);
  g_assert_null (settings.model);
  g_assert_true (laurel_online_hyperparameters (&settings, LAUREL_STAGE_REWARD, &hp, &error));
  g_assert_cmpfloat (hp.num_train_epochs, ==, 1);
  settings.enabled = TRUE;
  settings.model = g_strdup ("blank");
  settings.every = 7;
  settings.low = 0;
  settings.n_tasks = 9;
  settings.n_completions = 6;
  settings.tune = TRUE;
  settings.gold = g_strdup ("judge.json");
  json_object_set_double_member (settings.ppo, "kl_coef", 0.5);
  g_assert_true (laurel_online_settings_save (store, &settings, &error));
  g_assert_true (laurel_online_settings_load (store, &again, &error));
  g_assert_true (again.enabled);
  g_assert_cmpstr (again.model, ==, "blank");
  g_assert_cmpint (again.every, ==, 7);
  g_assert_cmpint (again.low, ==, 0);
  g_assert_cmpint (again.n_tasks, ==, 9);
  g_assert_cmpint (again.n_completions, ==, 6);
  g_assert_true (again.tune);
  g_assert_cmpstr (again.gold, ==, "judge.json");
  g_assert_true (laurel_online_hyperparameters (&again, LAUREL_STAGE_PPO, &hp, &error));
  g_assert_cmpfloat (hp.kl_coef, ==, 0.5);

  g_assert_true (laurel_store_set_fact (store, "online", "[1]", &error));
  laurel_online_settings_clear (&again);
  g_assert_false (laurel_online_settings_load (store, &again, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
}

/* Numbers are not used twice, and policies of another model are not the reference's. */
static void
test_models (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autofree char *reference = NULL, *none = NULL, *policy = NULL, *name = NULL;
  g_autoptr (GError) error = NULL;

  load_settings (project, &settings);
  reference = laurel_online_find_reference (store, &settings, &error);
  g_assert_cmpstr (reference, ==, "sft");
  add_policy (project, "other", "blank");
  none = laurel_online_find_policy (store, "sft", &error);
  g_assert_no_error (error);
  g_assert_null (none);
  add_policy (project, "policy-3", "sft");
  add_policy (project, "policy-12", "policy-3");
  policy = laurel_online_find_policy (store, "sft", &error);
  g_assert_cmpstr (policy, ==, "policy-12");
  name = laurel_project_choose_name (project, "policy", &error);
  g_assert_cmpstr (name, ==, "policy-13");
}

/* --- Mixed tasks ---------------------------------------------------------------------- */

static gint64
mix (LaurelProject *project, const char *mixed, int n_mix, GError **error)
{
  const LaurelSampleRequest request = { .model = "polite",
                                        .mix = mixed,
                                        .n_mix = n_mix,
                                        .n_prompts = 12,
                                        .n_completions = 4,
                                        .temperature = 1,
                                        .top_p = 1,
                                        .max_tokens = 8,
                                        .seed = 3 };

  return laurel_project_start_sampling (project, &request, error);
}

static gboolean
is_same (const LaurelCompletion *a, const LaurelCompletion *b)
{
  return a->n_tokens == b->n_tokens
         && memcmp (a->tokens, b->tokens, (gsize) a->n_tokens * sizeof *a->tokens) == 0;
}

/* Each completion says whose it is. The two models have the same weights, so that the same numbers
 * drawn would give the same texts: they are not the same. */
static void
test_mix (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;
  int n_same = 0;

  add_policy (project, "polite", "sft");
  finish (project, mix (project, "sft", 0, &error), error);
  tasks = laurel_store_list_tasks (store, -1, 0, &error);
  g_assert_cmpuint (tasks->len, ==, 12);
  for (guint i = 0; i < tasks->len; i++) {
    g_autoptr (LaurelTask) task =
        laurel_store_get_task (store, ((LaurelTask *) tasks->pdata[i])->id, &error);
    int n_policy = 0;

    g_assert_cmpuint (task->completions->len, ==, 4);
    for (int j = 0; j < 4; j++) {
      const LaurelCompletion *completion = task->completions->pdata[j];

      n_policy += g_str_equal (completion->model, "polite");
      if (!g_str_equal (completion->model, "polite"))
        g_assert_cmpstr (completion->model, ==, "sft");
    }
    g_assert_cmpint (n_policy, ==, 2);
    n_same += is_same (task->completions->pdata[0], task->completions->pdata[2]);
  }
  g_assert_cmpint (n_same, <, 6); /* a short text may come twice by chance */

  g_assert_cmpint (mix (project, "polite", 0, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (mix (project, "sft", 4, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (mix (project, "nobody", 1, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static gint64
add_completion (LaurelStore *store, gint64 prompt, const char *model, gint32 token)
{
  float logprob = -1;
  LaurelCompletion completion = { .prompt_id = prompt,
                                  .model = (char *) model,
                                  .tokens = &token,
                                  .logprobs = &logprob,
                                  .n_tokens = 1,
                                  .text = (char *) "x",
                                  .temperature = 1,
                                  .top_p = 1 };
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_add_completion (store, &completion, &error));
  g_assert_no_error (error);
  return completion.id;
}

static void
add_ranked_task (LaurelStore *store, const char *prompt, const int *ranks)
{
  static const char *const models[] = { "polite", "polite", "sft", "sft" };
  static const gint32 tokens[] = { 5, 6, 7, 6 }; /* the policy's second is the reference's second */
  gint64 labeler = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);
  gint64 prompt_id = laurel_store_ensure_prompt (store, prompt, "train", "", NULL);
  LaurelRank rows[4] = { 0 };
  LaurelRanking ranking = { .labeler_id = labeler, .ranks = rows, .n = 4, .comment = (char *) "" };
  gint64 ids[4];
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 4; i++) {
    ids[i] = add_completion (store, prompt_id, models[i], tokens[i]);
    rows[i] = (LaurelRank){ ids[i], ranks[i], 0, 0 };
  }
  ranking.task_id = laurel_store_add_task (store, prompt_id, ids, 4, 1, "random", &error);
  g_assert_no_error (error);
  g_assert_true (laurel_store_add_ranking (store, &ranking, &error));
  g_assert_no_error (error);
}

/* By hand: four pairs a task, one of which has the same tokens twice and so is a tie.
 *   ranks 1 2 3 4: pairs 1<3, 1<4, 2<3 won, 2–4 tied by tokens: 3½ of 4
 *   ranks 4 3 2 1: none won, 2–4 tied: ½ of 4
 *   ranks 1 1 1 2: 1=3, 2=3 tied, 1<4 won, 2–4 tied: 2½ of 4
 * Together 6.5 of 12; drawn again, whole tasks come from ½ to 3½ of 4. */
static void
test_wins (Fixture *fixture, gconstpointer unused)
{
  static const int ranks[3][4] = { { 1, 2, 3, 4 }, { 4, 3, 2, 1 }, { 1, 1, 1, 2 } };
  static const char *const prompts[] = { "one?", "two?", "three?" };
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (LaurelPolicyWins) wins = NULL;
  g_autoptr (LaurelPolicyWins) none = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 3; i++)
    add_ranked_task (store, prompts[i], ranks[i]);
  outcomes = laurel_outcomes_collect (store, LAUREL_LABELERS_ALL, NULL, &error);
  g_assert_no_error (error);
  wins = laurel_online_get_wins (outcomes, "polite", "sft");
  g_assert_cmpint (wins->n_tasks, ==, 3);
  g_assert_cmpint (wins->n_wins, ==, 3 + 0 + 1);
  g_assert_cmpint (wins->n_losses, ==, 0 + 3 + 0);
  g_assert_cmpint (wins->n_ties, ==, 1 + 1 + 3);
  /* 1e-15: halves and quarters are exact, a division rounds once. */
  g_assert_cmpfloat_with_epsilon (wins->rate.value, 6.5 / 12, 1e-15);
  /* Of 27 draws one has the worst task three times, one the best: 3.7 % each, beyond the ends. */
  g_assert_cmpfloat (wins->rate.low, ==, 0.5 / 4);
  g_assert_cmpfloat (wins->rate.high, ==, 3.5 / 4);
  none = laurel_online_get_wins (outcomes, "polite", "blank");
  g_assert_cmpint (none->n_tasks, ==, 0);
  g_assert_true (isnan (none->rate.value));
  add_policy (project, "polite", "blank");
  list = laurel_online_list_wins (store, "sft", &error);
  g_assert_cmpuint (list->len, ==, 1);
}

/* --- Reward models --------------------------------------------------------------------- */

static double
last_metric (LaurelStore *store, gint64 run_id, const char *key)
{
  g_autoptr (GPtrArray) metrics = laurel_store_list_metrics (store, run_id, key, -1, NULL);

  g_assert_cmpuint (metrics->len, >, 0);
  return ((LaurelMetric *) metrics->pdata[metrics->len - 1])->value;
}

static gint64
retrain (LaurelProject *project, const LaurelOnlineSettings *settings)
{
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_project_start_retraining (project, settings, -1, &error);

  finish (project, id, error);
  return id;
}

static void
sample_tasks (LaurelProject *project, const LaurelOnlineSettings *settings, int n, guint64 seed)
{
  g_autoptr (GError) error = NULL;

  finish (project, laurel_project_start_mixing (project, settings, n, seed, -1, &error), error);
}

/* The second is measured beside the first, on the same pairs. What is measured is what training
 * itself reports of its held-out pairs: another way to the same number. */
static void
test_retrain (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (LaurelModelRecord) record = NULL;
  g_autoptr (GPtrArray) gains = NULL;
  g_autoptr (GError) error = NULL;
  const LaurelRewardGain *first, *second;
  gint64 runs[2];

  load_settings (project, &settings);
  g_assert_cmpint (laurel_project_start_retraining (project, &settings, -1, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  for (int i = 0; i < 2; i++) {
    sample_tasks (project, &settings, 20, (guint64) i);
    rank (project, 0);
    g_assert_cmpint (laurel_online_count_new (store, &error), ==, 20);
    runs[i] = retrain (project, &settings);
    g_assert_cmpint (laurel_online_count_new (store, &error), ==, 0);
  }
  gains = laurel_online_list_gains (store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (gains->len, ==, 2);
  first = gains->pdata[0];
  second = gains->pdata[1];
  g_assert_cmpstr (first->model, ==, "reward-1");
  g_assert_null (first->previous);
  g_assert_true (isnan (first->gain.value));
  g_assert_cmpint (first->n_new, ==, 20);
  g_assert_false (first->is_newest);
  g_assert_cmpstr (second->model, ==, "reward-2");
  g_assert_cmpstr (second->previous, ==, "reward-1");
  g_assert_cmpint (second->n_rankings, ==, 40);
  g_assert_cmpint (second->n_new, ==, 20);
  g_assert_true (second->is_newest);
  g_assert_cmpint (second->n_pairs, >, first->n_pairs);
  for (int i = 0; i < 2; i++) {
    const LaurelRewardGain *gain = gains->pdata[i];

    /* 1e-12: the same halves over the same number of pairs; normalising keeps the order. */
    g_assert_cmpfloat_with_epsilon (gain->accuracy.value,
                                    last_metric (store, runs[i], "eval/accuracy"), 1e-12);
    g_assert_cmpfloat (gain->accuracy.low, <=, gain->accuracy.value);
    g_assert_cmpfloat (gain->accuracy.high, >=, gain->accuracy.value);
  }
  g_assert_cmpfloat_with_epsilon (second->gain.value,
                                  second->accuracy.value - second->before.value, 1e-12);
  /* Made anew from the SFT model, not further from the one before. */
  record = laurel_store_get_model (store, "reward-2", &error);
  g_assert_cmpstr (record->parent, ==, "sft");
}

/* With other prompts held out the model before may have been trained on these: no comparison. */
static void
test_other_split (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (LaurelRewardGain) gain = NULL;

  load_settings (project, &settings);
  sample_tasks (project, &settings, 20, 0);
  rank (project, 0);
  retrain (project, &settings);
  json_object_set_double_member (settings.reward, "eval_split", 0.5);
  gain = laurel_online_get_gain (store, retrain (project, &settings), NULL);
  g_assert_null (gain->previous);
  g_assert_true (isnan (gain->before.value));
  g_assert_cmpfloat (gain->accuracy.value, >, 0);
}

/* --- By itself ------------------------------------------------------------------------- */

static gboolean
has_model (LaurelProject *project, const char *name)
{
  g_autoptr (LaurelModelRecord) record =
      laurel_store_get_model (laurel_project_get_store (project), name, NULL);

  return record != NULL;
}

/* Runs the main loop until the model is there; the test's time limit is the end of patience. */
static void
wait_for_model (LaurelProject *project, const char *name)
{
  while (!has_model (project, name))
    g_main_context_iteration (NULL, TRUE);
}

static void
spin (void)
{
  for (int i = 0; i < 50; i++)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
}

static void
error_cb (LaurelProject *project, const char *message, GPtrArray *messages)
{
  g_ptr_array_add (messages, g_strdup (message));
}

static gint64
start_endless (LaurelProject *project, Fixture *fixture)
{
  char *files[] = { fixture->rows, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "endless");
  g_autoptr (GError) error = NULL;
  gint64 id;

  request.data_files = files;
  request.hyperparameters.max_steps = 1000000;
  request.hyperparameters.save_steps = 0;
  id = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  return id;
}

/* Rankings make a reward model when there are enough of them and not before; it waits for what
 * runs, and rankings that come meanwhile are its own too. */
static void
test_watch (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LaurelRewardGain) gain = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;
  gint64 reward, endless;

  g_signal_connect (project, "error", G_CALLBACK (error_cb), messages);
  load_settings (project, &settings);
  sample_tasks (project, &settings, 30, 0);
  settings.enabled = TRUE;
  settings.every = 12;
  settings.low = 0;
  g_assert_true (laurel_online_settings_save (store, &settings, &error));
  laurel_project_start_loop (project);
  endless = start_endless (project, fixture);
  rank (project, 11);
  laurel_project_note_ranking (project);
  spin ();
  g_assert_cmpint (laurel_store_find_live_run (store, "reward", &error), ==, 0);
  rank (project, 1);
  laurel_project_note_ranking (project);
  spin ();
  reward = laurel_store_find_live_run (store, "reward", &error);
  run = laurel_store_get_run (store, reward, &error);
  g_assert_no_error (error);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_QUEUED);
  g_assert_cmpint (laurel_store_find_live_run (store, "sft", &error), ==, endless);
  rank (project, 13); /* enough for another one, which waits for the first */
  laurel_project_note_ranking (project);
  spin ();
  g_assert_cmpint (laurel_store_find_live_run (store, "reward", &error), ==, reward);
  laurel_project_stop_job (project);
  wait_for_model (project, "reward-1");
  gain = laurel_online_get_gain (store, reward, &error);
  g_assert_no_error (error);
  g_assert_cmpint (gain->n_rankings, ==, 25);
  spin ();
  g_assert_false (has_model (project, "reward-2"));
  g_assert_cmpint (laurel_store_find_live_run (store, "reward", &error), ==, 0);
  g_assert_cmpuint (messages->len, ==, 0);
}

/* A queue that runs low is filled once; when that fails it is said once. */
static void
test_watch_queue (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  g_signal_connect (project, "error", G_CALLBACK (error_cb), messages);
  load_settings (project, &settings);
  settings.enabled = TRUE;
  settings.low = 3;
  settings.n_tasks = 5;
  g_assert_true (laurel_online_settings_save (store, &settings, &error));
  laurel_project_start_loop (project);
  spin ();
  laurel_project_note_ranking (project);
  spin ();
  g_assert_cmpuint (messages->len, ==, 1); /* no SFT model */
  g_assert_nonnull (strstr (messages->pdata[0], "no SFT model"));
  settings.model = g_strdup ("blank");
  g_assert_true (laurel_online_settings_save (store, &settings, &error));
  laurel_project_note_ranking (project);
  while (laurel_store_count_tasks (store, TRUE, NULL) < 5)
    g_main_context_iteration (NULL, TRUE);
  spin ();
  rank (project, 2); /* three are left: not low yet */
  laurel_project_note_ranking (project);
  spin ();
  g_assert_cmpint (laurel_store_count_tasks (store, FALSE, NULL), ==, 5);
  rank (project, 1);
  laurel_project_note_ranking (project);
  while (laurel_store_count_tasks (store, FALSE, NULL) < 10)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (messages->len, ==, 1);
}

/* What the loop had queued when the project was closed goes on when it is opened again; what
 * somebody stopped does not. */
static void
test_watch_resumes (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  g_autofree char *path = g_strdup (laurel_project_get_path (project));
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (LaurelProject) again = NULL;
  g_autoptr (LaurelRun) stopped = NULL;
  g_autoptr (GError) error = NULL;
  gint64 endless;

  load_settings (project, &settings);
  sample_tasks (project, &settings, 20, 0);
  rank (project, 0);
  settings.enabled = TRUE;
  settings.low = 0;
  g_assert_true (
      laurel_online_settings_save (laurel_project_get_store (project), &settings, &error));
  endless = start_endless (project, fixture);
  g_assert_cmpint (laurel_project_start_retraining (project, &settings, -1, &error), >, 0);
  laurel_project_close (project);
  again = laurel_project_open (path, &error);
  g_assert_no_error (error);
  laurel_project_start_loop (again);
  wait_for_model (again, "reward-1");
  stopped = laurel_store_get_run (laurel_project_get_store (again), endless, &error);
  g_assert_cmpint (stopped->status, ==, LAUREL_RUN_INTERRUPTED); /* not the loop's */
}

/* --- In rounds --------------------------------------------------------------------------- */

static void
assert_step (LaurelProject *project, int round, LaurelRoundStep step)
{
  LaurelRoundState state;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_online_find_step (project, 2, 12, &state, &error));
  g_assert_no_error (error);
  g_assert_cmpint (state.round, ==, round);
  g_assert_cmpint (state.step, ==, step);
}

/* The reference of the second round's PPO is the SFT model, from which the policy has moved: the
 * KL does not begin at 0. */
static void
test_rounds (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (LaurelModelRecord) second = NULL;
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (LaurelPolicyWins) wins = NULL;
  g_autoptr (GPtrArray) rounds = NULL, metrics = NULL;
  g_autoptr (GError) error = NULL;

  load_settings (project, &settings);
  json_object_set_double_member (settings.ppo, "learning_rate", 0.01);
  json_object_set_double_member (settings.ppo, "kl_coef", 0);
  for (int round = 1; round <= 2; round++) {
    assert_step (project, round, LAUREL_ROUND_SAMPLE);
    finish (project,
            laurel_project_start_mixing (project, &settings, 12, (guint64) round, round, &error),
            error);
    assert_step (project, round, LAUREL_ROUND_RANK);
    rank (project, 5);
    assert_step (project, round, LAUREL_ROUND_RANK);
    rank (project, 7);
    assert_step (project, round, LAUREL_ROUND_REWARD);
    finish (project, laurel_project_start_retraining (project, &settings, round, &error), error);
    assert_step (project, round, LAUREL_ROUND_PPO);
    finish (project, laurel_project_start_tuning (project, &settings, round, &error), error);
  }
  assert_step (project, 3, LAUREL_ROUND_SAMPLE);
  finish (project, laurel_project_start_mixing (project, &settings, 12, 3, 3, &error), error);
  rank (project, 12);
  assert_step (project, 3, LAUREL_ROUND_DONE);

  rounds = laurel_online_list_rounds (project, &error);
  g_assert_cmpuint (rounds->len, ==, 2);
  second = laurel_store_get_model (store, "policy-2", &error);
  g_assert_cmpstr (second->parent, ==, "policy-1");
  metrics = laurel_store_list_metrics (store, second->run_id, "objective/exact_kl", -1, &error);
  g_assert_cmpfloat (((LaurelMetric *) metrics->pdata[0])->value, >, 0.01);
  outcomes = laurel_outcomes_collect (store, LAUREL_LABELERS_ALL, NULL, &error);
  wins = laurel_online_get_wins (outcomes, "policy-1", "sft");
  g_assert_cmpint (wins->n_tasks, ==, 12);
}

/* What has no tokens to compare, or is nowhere, is no reference. */
static void
test_reference (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_PPO, "sft", "policy");
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  load_settings (project, &settings);
  sample_tasks (project, &settings, 12, 0);
  rank (project, 0);
  retrain (project, &settings);
  request.reward_model = "reward-1";
  request.reference = "reward-1";
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_clear_error (&error);
  request.reference = "nobody";
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/project/online/settings", test_settings);
  add ("/project/online/models", test_models);
  add ("/project/online/mix", test_mix);
  add ("/project/online/wins", test_wins);
  add ("/project/online/retrain", test_retrain);
  add ("/project/online/other-split", test_other_split);
  add ("/project/online/watch", test_watch);
  add ("/project/online/watch-queue", test_watch_queue);
  add ("/project/online/watch-resumes", test_watch_resumes);
  add ("/project/online/rounds", test_rounds);
  add ("/project/online/reference", test_reference);
  return g_test_run ();
}
