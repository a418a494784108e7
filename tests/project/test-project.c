/* test-project.c: a project's folder, its models, and the whole loop on a tiny random model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/label/simulate.h"
#include "core/project/data.h"
#include "tests/project/fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void
test_create_open_close (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = fixture_path (fixture, "demo.laurel");
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelProject) project = laurel_project_create (path, NULL, &error);
  g_autoptr (LaurelProject) again = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (laurel_project_get_name (project), ==, "demo");
  laurel_project_close (project);
  g_assert_null (laurel_project_create (path, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);
  again = laurel_project_open (path, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_check (again, problems, &error));
  g_assert_cmpuint (problems->len, ==, 0);
  g_assert_null (laurel_project_get_job (again));
  laurel_project_close (again);
}

static void
test_open_refuses (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_project_open (fixture->folder, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

/* --- Models ------------------------------------------------------------------ */

static void
test_export_import (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_autofree char *dir = fixture_path (fixture, "exported");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelModelRecord) blank = NULL;
  g_autoptr (LaurelModelRecord) copy = NULL;

  g_assert_true (laurel_project_export_model (project, "blank", dir, NULL, &error));
  g_assert_true (laurel_project_import_model (project, "copy", dir, &error));
  blank = laurel_store_get_model (store, "blank", &error);
  copy = laurel_store_get_model (store, "copy", &error);
  g_assert_cmpstr (blank->sha256, ==, copy->sha256);
  g_assert_false (laurel_project_import_model (project, "copy", dir, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (laurel_project_import_model (project, "../up", dir, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_true (laurel_project_remove_model (project, "copy", &error));
  g_assert_false (laurel_project_remove_model (project, "copy", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **out = user_data;

  *out = g_object_ref (result);
}

static gboolean
import_in_background (LaurelProject *project, const char *name, const char *dir, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  laurel_project_import_model_async (project, name, dir, imported_cb, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return laurel_project_import_model_finish (project, result, error);
}

static void
test_import_in_background (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_autofree char *dir = fixture_path (fixture, "exported");
  g_autofree char *models = fixture_path (fixture, "p.laurel/models");
  g_autoptr (GDir) folder = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelModelRecord) copy = NULL;
  int n = 0;

  g_assert_true (laurel_project_export_model (project, "blank", dir, NULL, &error));
  g_assert_true (import_in_background (project, "copy", dir, &error));
  copy = laurel_store_get_model (store, "copy", &error);
  g_assert_nonnull (copy);
  g_assert_false (import_in_background (project, "copy", dir, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (import_in_background (project, "none", fixture->folder, &error));
  g_assert_nonnull (error);
  /* What failed leaves nothing behind. */
  folder = g_dir_open (models, 0, NULL);
  while (g_dir_read_name (folder) != NULL)
    n++;
  g_assert_cmpint (n, ==, 2);
}

static void
test_import_rankings (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "rankings.jsonl");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result = NULL;
  g_autoptr (LaurelTask) task = NULL;
  g_autofree char *label = NULL;
  const LaurelCompletion *first;

  fixture_write (path, "{\"prompt\":\"P\",\"completions\":[\"a\",\"b\"],\"ranks\":[1,2],"
                       "\"labeler\":\"Anna\"}\n");
  result = laurel_project_import_rankings (project, path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result->n_imported, ==, 1);
  task = laurel_store_get_task (laurel_project_get_store (project), 1, &error);
  first = task->completions->pdata[0];
  /* The text and the end of text. */
  g_assert_cmpint (first->n_tokens, >=, 2);
  label = laurel_project_label_token (project, "blank", first->tokens[first->n_tokens - 1]);
  g_assert_cmpstr (label, ==, "<|endoftext|>");
}

/* What is measured on is not learned from: rankings of held-out prompts stay out of training. */
static void
test_held_out_rankings (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_autofree char *path = fixture_path (fixture, "rankings.jsonl");
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_REWARD, "blank", "reward");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) first = NULL;
  g_autoptr (LaurelImportResult) second = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GPtrArray) log = NULL;
  gboolean is_told = FALSE;

  /* The fixture holds out every fourth of its prompts. */
  fixture_write (path, "{\"prompt\":\"3: colour of coal?\",\"completions\":[\"a\",\"b\"],"
                       "\"ranks\":[1,2],\"labeler\":\"Anna\"}\n");
  first = laurel_project_import_rankings (project, path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (first->n_imported, ==, 1);
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "1 rankings are of held-out prompts"));
  g_clear_error (&error);

  fixture_write (path, "{\"prompt\":\"2: colour of blood?\",\"completions\":[\"a\",\"b\"],"
                       "\"ranks\":[1,2],\"labeler\":\"Anna\"}\n");
  second = laurel_project_import_rankings (project, path, &error);
  g_assert_no_error (error);
  request.hyperparameters.eval_split = 0;
  request.hyperparameters.normalize_rewards = FALSE;
  run = laurel_store_get_run (store, laurel_project_start_training (project, &request, &error),
                              NULL);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (run->snapshot, "\"ranking_ids\":[2]"));
  g_assert_true (laurel_project_wait (project, run->id, &error));
  g_assert_no_error (error);
  log = laurel_store_list_log (store, run->id, NULL);
  for (guint i = 0; i < log->len; i++)
    is_told |= strstr (log->pdata[i], "Left out 1 ranking of held-out prompts") != NULL;
  g_assert_true (is_told);
}

/* What was cut at its limit did not end, in whichever tokens it is read. */
static void
test_cut_answer (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, "blank", &error);
  g_autoptr (LaurelModel) model = laurel_model_load (folder, &error);
  g_autoptr (GHashTable) fits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) cut = g_array_new (FALSE, FALSE, sizeof (gint32));
  LaurelCompletion completion = { .model = (char *) "elsewhere", .text = (char *) "It is white",
                                  .finish = LAUREL_FINISH_STOP };
  LaurelStore *store = laurel_project_get_store (project);

  g_assert_true (laurel_data_get_completion_ids (store, model, &completion, fits, whole, &error));
  completion.finish = LAUREL_FINISH_LENGTH;
  g_assert_true (laurel_data_get_completion_ids (store, model, &completion, fits, cut, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_array_index (whole, gint32, whole->len - 1), ==, model->config.eos_token_id);
  g_assert_cmpuint (cut->len, ==, whole->len - 1);
  g_assert_cmpmem (cut->data, cut->len * sizeof (gint32), whole->data,
                   cut->len * sizeof (gint32));
}

/* Weights that are not what was registered are found. */
static void
test_check_finds (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *weights = fixture_path (fixture, "p.laurel/models/blank/model.safetensors");
  g_autofree char *orphan = fixture_path (fixture, "p.laurel/models/nobody");
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (weights, &bytes, &length, NULL));
  bytes[length - 1] ^= 1;
  g_assert_true (laurel_file_write (weights, bytes, length, &error));
  g_assert_true (laurel_file_make_directory (orphan, &error));
  g_assert_true (laurel_project_check (project, problems, &error));
  g_assert_cmpuint (problems->len, ==, 2);
  g_assert_nonnull (strstr (g_ptr_array_index (problems, 0), "blank"));
  g_assert_nonnull (strstr (g_ptr_array_index (problems, 1), "nobody"));
}

/* --- Runs -------------------------------------------------------------------- */

/* Shorter is better: enough to make rankings that differ. */
static double
score_cb (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return -(double) strlen (completion->text);
}

static void
sample_and_rank (LaurelProject *project, const char *model)
{
  const LaurelSampleRequest request = { .model = model,
                                        .n_prompts = 16,
                                        .n_completions = 4,
                                        .temperature = 1,
                                        .top_p = 1,
                                        .max_tokens = 8,
                                        .seed = 3 };
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_project_start_sampling (project, &request, &error);
  gint64 labeler = laurel_store_ensure_labeler (store, "short", LAUREL_LABELER_RULES, &error);

  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  g_assert_cmpint (laurel_store_count_tasks (store, TRUE, &error), ==, 16);
  g_assert_cmpint (laurel_label_simulate (store, labeler, score_cb, NULL, 0, 0, 0, &error), ==, 16);
}

/* What was asked for is what is stored, and the text ends where the stop string begins. */
static void
test_sampling_settings (Fixture *fixture, gconstpointer unused)
{
  static const char *const stop[] = { "aa", NULL }, *const bias[] = { "a=1000", NULL };
  const LaurelSampleRequest request = { .model = "blank",
                                        .prompt = "why?",
                                        .n_completions = 2,
                                        .temperature = 0.5,
                                        .top_p = 1,
                                        .max_tokens = 8,
                                        .repetition_penalty = 1.25,
                                        .stop = stop,
                                        .logit_bias = bias };
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (LaurelTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_project_start_sampling (project, &request, &error);

  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, id, &error));
  tasks = laurel_store_list_tasks (store, 1, 0, &error);
  task = laurel_store_get_task (store, ((LaurelTask *) g_ptr_array_index (tasks, 0))->id, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    g_assert_cmpstr (completion->text, ==, "");
    g_assert_cmpint (completion->n_tokens, ==, 2);
    g_assert_cmpint (completion->finish, ==, LAUREL_FINISH_STOP);
    g_assert_cmpfloat (completion->logprobs[1], ==, 0);
    g_assert_cmpfloat (completion->plain_logprobs[1], <, -1);
    g_assert_cmpfloat (completion->repetition_penalty, ==, 1.25);
    g_assert_cmpstr (completion->stop, ==, "[\"aa\"]");
    g_assert_cmpstr (completion->logit_bias, ==, "[\"a=1000\"]");
  }
}

/* How many of the tasks that a run makes want two labelers; the others want one. */
static int
sample_shared (LaurelProject *project, double shared)
{
  const LaurelSampleRequest request = { .model = "blank",
                                        .n_completions = 2,
                                        .temperature = 1,
                                        .top_p = 1,
                                        .max_tokens = 2,
                                        .seed = 7,
                                        .shared = shared };
  LaurelStore *store = laurel_project_get_store (project);
  int before = (int) laurel_store_count_tasks (store, FALSE, NULL), n_shared = 0;
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_project_start_sampling (project, &request, &error);

  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, id, &error));
  tasks = laurel_store_list_tasks (store, -1, before, &error);
  g_assert_cmpuint (tasks->len, >=, 16);
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);

    g_assert_cmpint (task->n_wanted, >=, 1);
    g_assert_cmpint (task->n_wanted, <=, 2);
    n_shared += task->n_wanted == 2;
  }
  return n_shared;
}

static void
test_shared (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  const LaurelSampleRequest wrong = { .model = "blank", .n_completions = 2, .shared = 1.5 };
  g_autoptr (GError) error = NULL;
  int half = sample_shared (project, 0.5);
  int n = (int) laurel_store_count_tasks (laurel_project_get_store (project), FALSE, NULL);

  /* Of 16 or more draws at one half, all alike would come once in 32,768 seeds. */
  g_assert_cmpint (half, >, 0);
  g_assert_cmpint (half, <, n);
  g_assert_cmpint (sample_shared (project, 0.5), ==, half);
  g_assert_cmpint (sample_shared (project, 0), ==, 0);
  g_assert_cmpint (sample_shared (project, 1), ==, n);
  g_assert_cmpint (laurel_project_start_sampling (project, &wrong, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

static void
count_cb (LaurelProject *project, gpointer user_data)
{
  ++*(int *) user_data;
}

/* The same policy by RLOO, which learns fine-tuning rows and plain text beside. */
static void
tune_by_rloo (LaurelProject *project, char **ptx_files)
{
  LaurelStore *store = laurel_project_get_store (project);
  LaurelTrainRequest rloo = fixture_request (LAUREL_STAGE_RLOO, "sft", "policy-2");
  g_autoptr (LaurelModelRecord) policy = NULL;
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (GPtrArray) rollouts = NULL;
  g_autofree char *log = NULL;
  g_autoptr (GError) error = NULL;

  rloo.reward_model = "reward";
  rloo.hyperparameters.ptx_coef = 0.5;
  rloo.hyperparameters.ptx_batch_size = 4;
  rloo.ptx_files = ptx_files;
  fixture_train (project, &rloo);
  policy = laurel_store_get_model (store, "policy-2", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (policy->kind, ==, "policy");
  rollouts = laurel_store_list_rollouts (store, policy->run_id, 0, -1, 0, &error);
  g_assert_cmpuint (rollouts->len, ==, 16);
  lines = laurel_store_list_log (store, policy->run_id, &error);
  g_ptr_array_add (lines, NULL);
  log = g_strjoinv ("\n", (char **) lines->pdata);
  g_assert_nonnull (strstr (log, "rows to learn beside, 36 prompts"));
}

/* What is learned beside must be there, and must count. */
static void
assert_ptx_refused (LaurelProject *project, char **ptx_files, double ptx_coef, int code)
{
  LaurelTrainRequest ppo = fixture_request (LAUREL_STAGE_PPO, "sft", "policy-3");
  g_autoptr (GError) error = NULL;

  ppo.reward_model = "reward";
  ppo.hyperparameters.ptx_coef = ptx_coef;
  ppo.ptx_files = ptx_files;
  g_assert_cmpint (laurel_project_start_training (project, &ppo, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, code);
}

static void
test_loop (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  char *files[] = { fixture->rows, NULL };
  char *ptx_files[] = { fixture->rows, fixture->corpus, NULL };
  LaurelTrainRequest sft = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  LaurelTrainRequest reward = fixture_request (LAUREL_STAGE_REWARD, "sft", "reward");
  LaurelTrainRequest ppo = fixture_request (LAUREL_STAGE_PPO, "sft", "policy");
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GPtrArray) rollouts = NULL;
  g_autoptr (LaurelModelRecord) policy = NULL;
  g_autoptr (GError) error = NULL;
  int n_models = 0, n_tasks = 0;

  g_signal_connect (project, "models-changed", G_CALLBACK (count_cb), &n_models);
  g_signal_connect (project, "tasks-changed", G_CALLBACK (count_cb), &n_tasks);
  sft.data_files = files;
  ppo.reward_model = "reward";
  fixture_train (project, &sft);
  sample_and_rank (project, "sft");
  fixture_train (project, &reward);
  fixture_train (project, &ppo);
  policy = laurel_store_get_model (store, "policy", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (policy->parent, ==, "sft");
  g_assert_cmpstr (policy->kind, ==, "policy");
  rollouts = laurel_store_list_rollouts (store, policy->run_id, 0, -1, 0, &error);
  g_assert_cmpuint (rollouts->len, ==, 16); /* 2 iterations of 8 */
  for (guint i = 0; i < rollouts->len; i++) {
    const LaurelRollout *rollout = g_ptr_array_index (rollouts, i);
    double expected = rollout->score - rollout->kl_coef * laurel_rollout_sum_kl (rollout);

    /* 1e-4: eight float32 rewards of about 1 are added. */
    g_assert_cmpfloat_with_epsilon (laurel_rollout_sum_reward (rollout), expected, 1e-4);
  }
  tune_by_rloo (project, ptx_files);
  assert_ptx_refused (project, ptx_files, 0, LAUREL_ERROR_INVALID_ARGUMENT);
  assert_ptx_refused (project, NULL, 0.5, LAUREL_ERROR_NOT_FOUND); /* no demonstrations */
  g_assert_cmpint (n_models, >=, 1);
  g_assert_cmpint (n_tasks, >=, 1);
  g_assert_null (laurel_project_get_job (project));
}

static void
test_requests_refused (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  g_autofree char *bad = fixture_path (fixture, "bad.jsonl");
  char *files[] = { bad, NULL };
  g_autoptr (GError) error = NULL;

  fixture_write (bad, "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"}\n{]\n");
  request.data_files = files;
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "row 2: it has no “completion”, row 3: "));
  g_clear_error (&error);

  request.data_files = NULL; /* no demonstrations */
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_clear_error (&error);

  request.output = "blank";
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);

  request = fixture_request (LAUREL_STAGE_PPO, "blank", "policy");
  request.reward_model = "blank";
  g_assert_cmpint (laurel_project_start_training (project, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
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
  add ("/project/create-open-close", test_create_open_close);
  add ("/project/open/refuses", test_open_refuses);
  add ("/project/models/export-import", test_export_import);
  add ("/project/models/import-in-background", test_import_in_background);
  add ("/project/rankings/import", test_import_rankings);
  add ("/project/rankings/held-out", test_held_out_rankings);
  add ("/project/rankings/cut-answer", test_cut_answer);
  add ("/project/check/finds", test_check_finds);
  add ("/project/loop", test_loop);
  add ("/project/sampling-settings", test_sampling_settings);
  add ("/project/shared", test_shared);
  add ("/project/requests/refused", test_requests_refused);
  return g_test_run ();
}
