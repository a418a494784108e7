/* test-runs.c: models, runs, metrics, rollouts and logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fixture.h"

#include "core/base/error.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gint64
add_run (LaurelStore *store,
         const char *model,
         const char *output,
         const char *config,
         LaurelRunStatus status)
{
  g_autoptr (LaurelRun) run = g_new0 (LaurelRun, 1);
  g_autoptr (GError) error = NULL;

  run->kind = g_strdup ("ppo");
  run->name = g_strdup (output);
  run->model = g_strdup (model);
  run->output = g_strdup (output);
  run->config = g_strdup (config);
  run->snapshot = g_strdup ("{}");
  run->message = g_strdup ("");
  run->seed = 7;
  run->n_steps = 100;
  run->status = status;
  laurel_store_add_run (store, run, &error);
  g_assert_no_error (error);
  return run->id;
}

static LaurelRunStatus
get_status (LaurelStore *store, gint64 id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRun) run = laurel_store_get_run (store, id, &error);

  g_assert_no_error (error);
  return run->status;
}

/* It stays, and the reason is @why. */
static void
assert_needed (Fixture *self, const char *name, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_store_remove_model (self->store, name, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_models (Fixture *self, gconstpointer data)
{
  LaurelModelRecord sft = {
    .name = (char *) "sft", .kind = (char *) "sft", .path = (char *) "models/sft", .created = 1
  };
  LaurelModelRecord child = { .name = (char *) "rm",
                              .kind = (char *) "reward",
                              .parent = (char *) "sft",
                              .path = (char *) "models/rm",
                              .created = 2 };
  g_autoptr (LaurelModelRecord) found = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_put_model (self->store, &sft, &error));
  g_assert_true (laurel_store_put_model (self->store, &child, &error));
  g_assert_false (laurel_store_put_model (self->store, &sft, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);
  found = laurel_store_get_model (self->store, "rm", &error);
  g_assert_cmpstr (found->parent, ==, "sft");
  g_assert_null (laurel_store_get_model (self->store, "none", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "sft, rm"));
  g_clear_error (&error);
  assert_needed (self, "sft", "the model rm was made from it"); /* has a child */
  add_run (self->store, "x", "y", "{\"reward_model\":\"rm\"}", LAUREL_RUN_DONE);
  assert_needed (self, "rm", "run 1 worked with it"); /* the run was paid by it */
  sft.name = (char *) "y";
  g_assert_true (laurel_store_put_model (self->store, &sft, &error));
  g_assert_true (laurel_store_remove_model (self->store, "y", &error)); /* its run is done */
  g_assert_no_error (error);
}

static void
put_model (Fixture *self, const char *name, gint64 run_id)
{
  LaurelModelRecord model = { .name = (char *) name,
                              .kind = (char *) "policy",
                              .run_id = run_id,
                              .path = (char *) "models/x",
                              .created = 1 };
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_put_model (self->store, &model, &error));
  g_assert_no_error (error);
}

/* A run that was stopped needs the model that it made. Of one that another run made meanwhile under
 * the same name it has nothing: it cannot go on before that is gone. */
static void
test_taken_output (Fixture *self, gconstpointer data)
{
  gint64 stopped = add_run (self->store, "sft", "polite", "{}", LAUREL_RUN_STOPPED);
  gint64 later = add_run (self->store, "sft", "polite", "{}", LAUREL_RUN_DONE);
  g_autoptr (GError) error = NULL;

  put_model (self, "polite", later);
  g_assert_true (laurel_store_remove_model (self->store, "polite", &error));
  g_assert_no_error (error);
  put_model (self, "polite", stopped);
  assert_needed (self, "polite", "run 1 made it and is not done");
  g_assert_true (
      laurel_store_set_run_status (self->store, stopped, LAUREL_RUN_DONE, NULL, &error));
  g_assert_true (laurel_store_remove_model (self->store, "polite", &error));
  g_assert_no_error (error);
}

static void
test_who_needs (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  /* Names of stages and settings are no models. */
  put_model (self, "ppo", 0);
  add_run (self->store, "sft", "x",
           "{\"stage\":\"ppo\",\"hyperparameters\":{\"lr_scheduler_type\":\"ppo\"}}",
           LAUREL_RUN_DONE);
  g_assert_true (laurel_store_remove_model (self->store, "ppo", &error));
  g_assert_no_error (error);

  put_model (self, "rm", 0);
  add_run (self->store, "sft", "x", "{\"reward_model\":\"rm\"}", LAUREL_RUN_DONE);
  assert_needed (self, "rm", ": run 2 worked with it; keep it");
  add_run (self->store, "rm", "x", "{}", LAUREL_RUN_DONE);
  assert_needed (self, "rm", ": runs 2 and 3 worked with it; keep it");
  add_run (self->store, "sft", "x", "{\"mix\":\"rm\"}", LAUREL_RUN_DONE);
  add_run (self->store, "sft", "x", "{\"gold\":\"rm\"}", LAUREL_RUN_DONE);
  assert_needed (self, "rm", ": runs 2, 3, 4 and 5 worked with it");
  add_run (self->store, "sft", "x", "{\"reference\":\"rm\"}", LAUREL_RUN_DONE);
  add_run (self->store, "sft", "x", "{\"previous\":\"rm\"}", LAUREL_RUN_DONE);
  assert_needed (self, "rm", ": runs 2, 3, 4 and 3 more worked with it");
}

static void
test_status (Fixture *self, gconstpointer data)
{
  gint64 id = add_run (self->store, "sft", "polite", "{}", LAUREL_RUN_QUEUED);
  g_autoptr (LaurelRun) running = NULL;
  g_autoptr (LaurelRun) done = NULL;
  g_autoptr (GPtrArray) runs = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_set_run_status (self->store, id, LAUREL_RUN_RUNNING, NULL, &error));
  g_assert_true (laurel_store_set_run_step (self->store, id, 41, 200, &error));
  running = laurel_store_get_run (self->store, id, &error);
  g_assert_cmpint (running->owner_pid, ==, getpid ());
  g_assert_cmpint (running->started, >, 0);
  g_assert_cmpint (running->finished, ==, 0);
  g_assert_cmpint (running->step, ==, 41);
  g_assert_cmpint (laurel_store_mark_interrupted (self->store, &error), ==, 0); /* we are alive */
  g_assert_true (laurel_store_set_run_status (self->store, id, LAUREL_RUN_DONE, "good", &error));
  done = laurel_store_get_run (self->store, id, &error);
  g_assert_cmpint (done->owner_pid, ==, 0);
  g_assert_cmpint (done->finished, >=, done->started);
  g_assert_cmpstr (done->message, ==, "good");
  g_assert_false (laurel_store_set_run_status (self->store, 99, LAUREL_RUN_DONE, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  add_run (self->store, "sft", "later", "{}", LAUREL_RUN_QUEUED);
  runs = laurel_store_list_runs (self->store, NULL);
  g_assert_cmpstr (((LaurelRun *) runs->pdata[0])->name, ==, "later");
}

/* A child starts a run and is killed: the run is listed as interrupted. */
static void
test_interrupted (Fixture *self, gconstpointer data)
{
  gint64 mine = add_run (self->store, "sft", "mine", "{}", LAUREL_RUN_RUNNING);
  pid_t child = fork ();

  if (child == 0) {
    LaurelStore *store = laurel_store_open (self->path, NULL);

    add_run (store, "sft", "theirs", "{}", LAUREL_RUN_RUNNING);
    kill (getpid (), SIGKILL);
  }
  g_assert_true (WIFSIGNALED (wait_for (child)));
  g_assert_cmpint (laurel_store_mark_interrupted (self->store, NULL), ==, 1);
  g_assert_cmpint (get_status (self->store, mine + 1), ==, LAUREL_RUN_INTERRUPTED);
  g_assert_cmpint (get_status (self->store, mine), ==, LAUREL_RUN_RUNNING);
  g_assert_cmpint (laurel_store_mark_interrupted (self->store, NULL), ==, 0);
}

static LaurelRollout *
make_rollout (int step, int row)
{
  LaurelRollout *rollout = g_new0 (LaurelRollout, 1);

  rollout->step = step;
  rollout->row = row;
  rollout->prompt = g_strdup ("Hi");
  rollout->completion = g_strdup ("Hello");
  rollout->n_prompt_tokens = 2;
  rollout->prompt_tokens = g_new0 (gint32, 2);
  rollout->prompt_tokens[1] = 77;
  rollout->n_tokens = 3;
  rollout->records = g_new0 (LaurelTokenRecord, 3);
  for (int t = 0; t < 3; t++) {
    rollout->records[t].token = 5 + t;
    rollout->records[t].exact_kl = NAN;
    rollout->records[t].advantage = 0.25f * (float) (t - 1);
  }
  rollout->finish = LAUREL_FINISH_STOP;
  rollout->score = 1.5;
  rollout->kl_coef = 0.05;
  return rollout;
}

static void
test_rollouts (Fixture *self, gconstpointer data)
{
  gint64 id = add_run (self->store, "sft", "polite", "{}", LAUREL_RUN_RUNNING);
  g_autoptr (LaurelRollout) wanted = make_rollout (2, 1);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GPtrArray) second = NULL;
  g_autoptr (GError) error = NULL;
  const LaurelRollout *found;

  for (int step = 1; step <= 3; step++)
    for (int row = 0; row < 2; row++) {
      g_autoptr (LaurelRollout) rollout = make_rollout (step, row);

      g_assert_true (laurel_store_add_rollout (self->store, id, rollout, &error));
    }
  all = laurel_store_list_rollouts (self->store, id, 0, -1, 0, &error);
  g_assert_cmpint (all->len, ==, 6);
  second = laurel_store_list_rollouts (self->store, id, 2, 1, 1, &error);
  g_assert_cmpint (second->len, ==, 1);
  found = g_ptr_array_index (second, 0);
  g_assert_cmpint (found->row, ==, 1);
  g_assert_cmpint (found->prompt_tokens[1], ==, 77);
  g_assert_cmpint (found->n_tokens, ==, 3);
  g_assert_cmpmem (found->records, 3 * sizeof *found->records, wanted->records,
                   3 * sizeof *wanted->records);
  g_assert_cmpfloat (found->score, ==, 1.5);
  g_assert_cmpint (laurel_store_last_rollout_step (self->store, id, &error), ==, 3);
  g_assert_true (laurel_store_truncate_run (self->store, id, 1, &error));
  g_assert_cmpint (laurel_store_last_rollout_step (self->store, id, &error), ==, 1);
  g_assert_no_error (error);
}

static void
test_metrics (Fixture *self, gconstpointer data)
{
  gint64 id = add_run (self->store, "sft", "polite", "{}", LAUREL_RUN_RUNNING);
  g_autoptr (GPtrArray) losses = NULL;
  g_autoptr (GPtrArray) kept = NULL;
  g_autoptr (GPtrArray) log = NULL;
  g_auto (GStrv) keys = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_store_begin (self->store, &error));
  for (int step = 1; step <= 5; step++) {
    g_assert_true (laurel_store_add_metric (self->store, id, step, "loss",
                                            step == 3 ? NAN : 1.0 / step, &error));
    g_assert_true (laurel_store_add_metric (self->store, id, step, "accuracy", 0.5, &error));
  }
  g_assert_true (laurel_store_commit (self->store, &error));
  keys = laurel_store_list_metric_keys (self->store, id, &error);
  g_assert_cmpint (g_strv_length (keys), ==, 2);
  g_assert_cmpstr (keys[0], ==, "accuracy");
  losses = laurel_store_list_metrics (self->store, id, "loss", 2, &error);
  g_assert_cmpint (losses->len, ==, 3);
  g_assert_true (isnan (((LaurelMetric *) losses->pdata[0])->value));
  g_assert_cmpfloat (((LaurelMetric *) losses->pdata[1])->value, ==, 0.25);
  g_assert_true (laurel_store_truncate_run (self->store, id, 4, &error));
  kept = laurel_store_list_metrics (self->store, id, NULL, -1, &error);
  g_assert_cmpint (kept->len, ==, 8);
  g_assert_true (laurel_store_add_log (self->store, id, "step 1", &error));
  g_assert_true (laurel_store_add_log (self->store, id, "step 2", &error));
  log = laurel_store_list_log (self->store, id, &error);
  g_assert_cmpint (log->len, ==, 2);
  g_assert_cmpstr (log->pdata[1], ==, "step 2");
  g_assert_false (laurel_store_add_metric (self->store, 99, 1, "loss", 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/store/runs/models", test_models);
  ADD_TEST ("/store/runs/taken-output", test_taken_output);
  ADD_TEST ("/store/runs/who-needs-a-model", test_who_needs);
  ADD_TEST ("/store/runs/status", test_status);
  ADD_TEST ("/store/runs/interrupted", test_interrupted);
  ADD_TEST ("/store/runs/rollouts", test_rollouts);
  ADD_TEST ("/store/runs/metrics", test_metrics);
  return g_test_run ();
}
