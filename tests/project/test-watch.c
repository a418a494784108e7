/* test-watch.c: held-out answers, a gold judge that thinks the opposite, and what is kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/model.h"
#include "core/project/run_alarms.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <string.h>

/* One for all tests, as the models take longer to make than the tests to run. */
static Fixture fixture;
static LaurelProject *project;
static char *gold; /* a reward model that says the opposite of the project's */

/* Short answers are better than long ones. */
static void
write_pairs (const char *path)
{
  g_autoptr (GString) rows = g_string_new (NULL);

  for (int i = 0; i < 24; i++)
    g_string_append_printf (rows,
                            "{\"prompt\": \"%d: colour of snow?\", \"chosen\": \"It is.\","
                            " \"rejected\": \"It is white, said number %d.\"}\n",
                            i, i);
  fixture_write (path, rows->str);
}

/* The reward model with every score's sign turned round. */
static char *
make_contrary (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, "reward", &error);
  g_autoptr (LaurelModel) model = laurel_model_load (folder, &error);
  char *path = fixture_path (&fixture, "contrary");

  g_assert_no_error (error);
  for (int c = 0; c < model->config.n_embd; c++)
    model->weights[model->at.head + (gsize) c] *= -1;
  g_assert_true (laurel_file_make_directory (path, &error));
  g_assert_true (laurel_model_save (model, path, LAUREL_DTYPE_F32, &error));
  g_assert_no_error (error);
  return path;
}

static void
make_project (void)
{
  g_autofree char *pairs = fixture_path (&fixture, "pairs.jsonl");
  char *rows[] = { fixture.rows, NULL };
  char *comparisons[] = { pairs, NULL };
  LaurelTrainRequest sft = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  LaurelTrainRequest reward = fixture_request (LAUREL_STAGE_REWARD, "sft", "reward");

  project = fixture_make_project (&fixture, "p.laurel");
  write_pairs (pairs);
  sft.data_files = rows;
  sft.hyperparameters.max_steps = 60;
  sft.hyperparameters.save_steps = 0; /* a checkpoint waits for the disk */
  sft.hyperparameters.learning_rate = 5e-3;
  fixture_train (project, &sft);
  reward.data_files = comparisons;
  reward.hyperparameters.max_steps = 20;
  reward.hyperparameters.save_steps = 0;
  reward.hyperparameters.learning_rate = 3e-3;
  fixture_train (project, &reward);
  gold = make_contrary ();
}

/* Learns fast and far: the reward model is soon fooled. */
static LaurelTrainRequest
make_request_for (LaurelStage stage,
                  const char *output,
                  const char *judge,
                  LaurelOverOptimised then,
                  int max_steps)
{
  LaurelTrainRequest request = fixture_request (stage, "sft", output);
  LaurelHyperparameters *hp = &request.hyperparameters;

  request.reward_model = "reward";
  request.gold = judge;
  request.on_overoptimisation = then;
  hp->batch_size = 16;
  hp->response_length = 10;
  hp->num_ppo_epochs = 4;
  hp->max_steps = max_steps;
  hp->lr_scheduler_type = LAUREL_SCHEDULE_CONSTANT;
  hp->learning_rate = 3e-3;
  hp->value_learning_rate = 3e-3;
  hp->kl_coef = 0;
  hp->eval_steps = 1;
  hp->eval_rows = 0;
  hp->save_steps = 0;
  return request;
}

static LaurelTrainRequest
make_request (const char *output, const char *judge, LaurelOverOptimised then, int max_steps)
{
  return make_request_for (LAUREL_STAGE_PPO, output, judge, then, max_steps);
}

static LaurelAlarms *
read_alarms (gint64 run_id)
{
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (LaurelRun) run = laurel_store_get_run (store, run_id, NULL);
  g_autoptr (GError) error = NULL;
  LaurelAlarms *alarms = laurel_run_read_alarms (store, run, &error);

  g_assert_no_error (error);
  return alarms;
}

/* The weights that are kept are those that a run has which ends there. */
static void
assert_kept_is_peak (LaurelStage stage, gint64 run_id, int peak)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *kept = laurel_project_keep_best (project, run_id, NULL, &error);
  g_autofree char *name = g_strconcat ("shorter-", laurel_stage_name (stage), NULL);
  LaurelTrainRequest shorter =
      make_request_for (stage, name, gold, LAUREL_OVEROPTIMISED_GO_ON, MAX (peak, 1));

  g_assert_no_error (error);
  if (peak > 0)
    fixture_train (project, &shorter);
  fixture_assert_same_weights (project, kept, peak > 0 ? name : "sft");
}

static void
test_stops (gconstpointer data)
{
  LaurelStage stage = *(const LaurelStage *) data;
  g_autofree char *name = g_strconcat ("far-", laurel_stage_name (stage), NULL);
  LaurelTrainRequest request =
      make_request_for (stage, name, gold, LAUREL_OVEROPTIMISED_STOP, 20);
  gint64 id = fixture_start (project, &request);
  g_autoptr (LaurelAlarms) alarms = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (LaurelRun) again = NULL;
  g_autoptr (GError) error = NULL;
  int peak;

  g_assert_false (laurel_project_wait (project, id, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_assert_nonnull (strstr (error->message, "over-optimised"));
  g_assert_nonnull (strstr (error->message, "keep-best"));
  g_clear_error (&error);
  run = laurel_store_get_run (laurel_project_get_store (project), id, NULL);
  alarms = read_alarms (id);
  peak = laurel_alarms_get_peak (alarms);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_STOPPED);
  g_assert_cmpint (run->step, <, 20);
  g_assert_cmpint (run->step, >=, peak + 3);
  g_assert_cmpfloat (fixture_metric (project, id, "alarm/over-optimisation", run->step), ==, 1);
  g_assert_cmpint (laurel_project_get_best_step (project, id), ==, peak);
  assert_kept_is_peak (stage, id, peak);
  /* Whoever goes on has been told: it does not stop again for the same evaluations. */
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  (void) laurel_project_wait (project, id, NULL);
  again = laurel_store_get_run (laurel_project_get_store (project), id, NULL);
  g_assert_cmpint (again->step, >, run->step);
}

static void
wait_until_halted (void)
{
  for (;;) {
    g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (project);

    if (job != NULL && job->halted && job->status == LAUREL_RUN_PAUSED) {
      g_assert_cmpint (job->n_alarms, >=, 1);
      return;
    }
    g_main_context_iteration (NULL, TRUE);
  }
}

/* After a new peak it may be over-optimised once more. */
static void
go_on_to_end (gint64 run_id)
{
  for (;;) {
    g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (project);
    g_autoptr (LaurelRun) run =
        laurel_store_get_run (laurel_project_get_store (project), run_id, NULL);

    if (run->status == LAUREL_RUN_DONE)
      return;
    g_assert_cmpint (run->status, <=, LAUREL_RUN_PAUSED);
    if (job != NULL && job->halted)
      laurel_project_resume_job (project);
    g_main_context_iteration (NULL, TRUE);
  }
}

static void
test_pauses (void)
{
  LaurelTrainRequest request = make_request ("farther", gold, LAUREL_OVEROPTIMISED_PAUSE, 12);
  gint64 id = fixture_start (project, &request);
  g_autofree char *checkpoint =
      g_strdup_printf ("%s/runs/%" G_GINT64_FORMAT "/checkpoint.laurel",
                       laurel_project_get_path (project), id);
  g_autofree char *kept = NULL;
  g_autoptr (GError) error = NULL;

  wait_until_halted ();
  g_assert_true (g_file_test (checkpoint, G_FILE_TEST_EXISTS));
  kept = laurel_project_keep_best (project, id, "kept", &error);
  g_assert_no_error (error);
  laurel_project_resume_job (project);
  go_on_to_end (id);
}

/* Everything but times, as text. */
static char *
print_metrics (gint64 run_id)
{
  g_autoptr (GPtrArray) metrics = laurel_store_list_metrics (laurel_project_get_store (project),
                                                             run_id, NULL, -1, NULL);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < metrics->len; i++) {
    const LaurelMetric *metric = g_ptr_array_index (metrics, i);

    if (!g_str_has_prefix (metric->key, "time/"))
      g_string_append_printf (out, "%d %s %.17g\n", metric->step, metric->key, metric->value);
  }
  return g_string_free (out, FALSE);
}

/* The run @output in one piece; and in three, the second of which goes on. */
static void
train_in_parts (LaurelTrainRequest *request, const char *output, gint64 *whole, gint64 *parts)
{
  g_autofree char *other = g_strconcat (output, "-parts", NULL);
  g_autoptr (GError) error = NULL;

  request->output = output;
  *whole = fixture_start (project, request);
  g_assert_true (laurel_project_wait (project, *whole, &error));
  request->output = other;
  *parts = fixture_start (project, request);
  for (int stop = 3; stop <= 9; stop += 6) {
    fixture_wait_for_step (project, stop);
    laurel_project_stop_job (project);
    g_assert_false (laurel_project_wait (project, *parts, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
    g_clear_error (&error);
    g_assert_cmpint (laurel_project_resume_run (project, *parts, &error), ==, *parts);
  }
  g_assert_true (laurel_project_wait (project, *parts, &error));
  g_assert_no_error (error);
  fixture_assert_same_weights (project, output, other);
}

/* Lights, evaluations and the best weights come back with the checkpoint, alike for both stages
 * that tune a policy against a reward model. */
static void
test_resumes (gconstpointer data)
{
  static const char *const keys[] = { "eval/gold", "eval/gold_fall_error", "eval/proxy", "eval/kl",
                                      "eval/length", "eval/stopped", "alarm/over-optimisation",
                                      "objective/audit_bound", "objective/distinct_2" };
  LaurelStage stage = *(const LaurelStage *) data;
  LaurelTrainRequest request =
      make_request_for (stage, NULL, gold, LAUREL_OVEROPTIMISED_GO_ON, 14);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (LaurelAlarms) alarms = NULL;
  gint64 whole, parts;

  train_in_parts (&request, laurel_stage_name (stage), &whole, &parts);
  first = print_metrics (whole);
  second = print_metrics (parts);
  g_assert_cmpstr (first, ==, second);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_assert_nonnull (strstr (first, keys[i]));
  alarms = read_alarms (whole);
  g_assert_cmpint (laurel_project_get_best_step (project, whole), ==,
                   laurel_alarms_get_peak (alarms));
  g_assert_cmpint (laurel_project_get_best_step (project, whole), ==,
                   laurel_project_get_best_step (project, parts));
}

/* What the rounds of a loop need: the run is done where it is found over-optimised, and its model
 * is the peak. If it died just before it made its model it goes no further when it is resumed. */
static void
test_keeps (void)
{
  LaurelTrainRequest request = make_request ("peak", gold, LAUREL_OVEROPTIMISED_KEEP_BEST, 20);
  LaurelTrainRequest shorter = make_request ("to-peak", gold, LAUREL_OVEROPTIMISED_GO_ON, 1);
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (LaurelAlarms) alarms = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (LaurelRun) again = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *model = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id = fixture_start (project, &request);

  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  run = laurel_store_get_run (store, id, NULL);
  alarms = read_alarms (id);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_DONE);
  g_assert_cmpint (run->step, <, 20);
  g_assert_cmpint (run->n_steps, ==, run->step);
  g_assert_cmpfloat (fixture_metric (project, id, "alarm/over-optimisation", run->step), ==, 1);
  shorter.hyperparameters.max_steps = laurel_alarms_get_peak (alarms);
  g_assert_cmpint (shorter.hyperparameters.max_steps, >, 0);
  fixture_train (project, &shorter);
  fixture_assert_same_weights (project, "peak", "to-peak");

  first = print_metrics (id);
  model = laurel_project_resolve_model (project, "peak", &error);
  g_assert_true (laurel_store_remove_model (store, "peak", &error));
  g_assert_true (laurel_file_remove_tree (model, &error));
  g_assert_true (laurel_store_set_run_status (store, id, LAUREL_RUN_INTERRUPTED, "", &error));
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  again = laurel_store_get_run (store, id, NULL);
  second = print_metrics (id);
  g_assert_cmpint (again->step, ==, run->step);
  g_assert_cmpstr (first, ==, second);
  fixture_assert_same_weights (project, "peak", "to-peak");
}

/* Without a judge there is the reward model's word alone, and nothing is kept. */
static void
test_no_gold (void)
{
  LaurelTrainRequest request = make_request ("plain", NULL, LAUREL_OVEROPTIMISED_STOP, 3);
  g_autofree char *kept = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id;

  request.hyperparameters.eval_steps = 2;
  id = fixture_start (project, &request);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  /* It is the reference yet. */
  g_assert_cmpfloat (fixture_metric (project, id, "eval/kl", 0), ==, 0);
  g_assert_true (isnan (fixture_metric (project, id, "eval/kl", 1)));
  g_assert_cmpfloat (fixture_metric (project, id, "eval/kl", 2), >, 0);
  g_assert_false (isnan (fixture_metric (project, id, "eval/proxy", 3))); /* the end is measured */
  g_assert_cmpfloat (fixture_metric (project, id, "eval/length", 3), >, 0);
  g_assert_cmpfloat (fixture_metric (project, id, "eval/length", 3), <=, 10);
  g_assert_true (isnan (fixture_metric (project, id, "eval/gold", 3)));
  kept = laurel_project_keep_best (project, id, NULL, &error);
  g_assert_null (kept);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static void
test_refuses (void)
{
  g_autofree char *judge = g_test_build_filename (G_TEST_DIST, "..", "data", "starter",
                                                  "judge.json", NULL);
  g_autofree char *rules = fixture_path (&fixture, "rules.json");
  g_autofree char *text = laurel_file_read_text (judge, NULL, NULL);
  g_autofree char *changed = g_strconcat (text, "\n", NULL);
  LaurelTrainRequest request = make_request ("ruled", "sft", LAUREL_OVEROPTIMISED_STOP, 1000);
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id;

  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_clear_error (&error);
  fixture_write (rules, text);
  request.gold = rules;
  request.on_overoptimisation = LAUREL_OVEROPTIMISED_GO_ON;
  id = fixture_start (project, &request);
  fixture_wait_for_step (project, 1);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_clear_error (&error);
  g_assert_false (isnan (fixture_metric (project, id, "eval/gold", 0)));
  fixture_write (rules, changed);
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_assert_nonnull (strstr (error->message, "has changed"));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  fixture_set_up (&fixture, NULL);
  make_project ();
  g_test_add_data_func ("/project/watch/stops/ppo", &(LaurelStage){ LAUREL_STAGE_PPO },
                        test_stops);
  g_test_add_data_func ("/project/watch/stops/rloo", &(LaurelStage){ LAUREL_STAGE_RLOO },
                        test_stops);
  g_test_add_func ("/project/watch/pauses", test_pauses);
  g_test_add_data_func ("/project/watch/resumes/ppo", &(LaurelStage){ LAUREL_STAGE_PPO },
                        test_resumes);
  g_test_add_data_func ("/project/watch/resumes/rloo", &(LaurelStage){ LAUREL_STAGE_RLOO },
                        test_resumes);
  g_test_add_func ("/project/watch/keeps", test_keeps);
  g_test_add_func ("/project/watch/no-gold", test_no_gold);
  g_test_add_func ("/project/watch/refuses", test_refuses);
  status = g_test_run ();
  g_object_unref (project);
  g_free (gold);
  fixture_tear_down (&fixture, NULL);
  return status;
}
