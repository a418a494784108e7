/* test-ptx.c: what a policy learns beside, and what of it is held out and measured.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/label/exchange.h"
#include "core/model/model.h"
#include "core/train/train.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <string.h>

/* The split that the policy was fine-tuned with, which takes a third of the fixture's rows. */
#define SPLIT_SEED 5
#define SPLIT_SHARE 0.3
#define N_ROWS 48

static Fixture fixture;
static LaurelProject *project;
static gint64 sft_run;

static void
make_project (void)
{
  g_autofree char *pairs = fixture_path (&fixture, "pairs.jsonl");
  char *rows[] = { fixture.rows, NULL };
  char *comparisons[] = { pairs, NULL };
  LaurelTrainRequest sft = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  LaurelTrainRequest whole = fixture_request (LAUREL_STAGE_SFT, "blank", "whole");
  LaurelTrainRequest reward = fixture_request (LAUREL_STAGE_REWARD, "blank", "reward");

  project = fixture_make_project (&fixture, "p.laurel");
  fixture_write (pairs,
                 "{\"prompt\": \"a?\", \"chosen\": \"It is.\", \"rejected\": \"No.\"}\n"
                 "{\"prompt\": \"b?\", \"chosen\": \"It is.\", \"rejected\": \"So, so.\"}\n");
  sft.data_files = whole.data_files = rows;
  sft.hyperparameters.seed = SPLIT_SEED;
  sft.hyperparameters.eval_split = SPLIT_SHARE;
  sft_run = fixture_train (project, &sft);
  fixture_train (project, &whole); /* its split takes two rows or three */
  reward.data_files = comparisons;
  reward.hyperparameters.eval_split = 0;
  fixture_train (project, &reward);
}

static LaurelTrainRequest
make_request (const char *model, const char *output, char **files)
{
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_RLOO, model, output);
  LaurelHyperparameters *hp = &request.hyperparameters;

  request.reward_model = "reward";
  request.ptx_files = files;
  hp->ptx_coef = 1;
  hp->ptx_batch_size = 8;
  hp->learning_rate = 3e-3;
  hp->max_steps = 5;
  hp->eval_steps = 2;
  hp->eval_rows = 0;
  hp->save_steps = 0;
  return request;
}

/* --- What the metric should be --------------------------------------------------------- */

/* The split's rule, as its header states it. */
static gboolean
is_held_out (guint row)
{
  LaurelRng rng;

  laurel_rng_init (&rng, SPLIT_SEED, LAUREL_RNG_SPLIT, 0, row);
  return laurel_rng_uniform (&rng) < SPLIT_SHARE;
}

/* Σ −log p of the answer's tokens and their end, and their number. */
static void
add_loss (const LaurelModel *model, JsonObject *row, double *sum, int *n)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  LaurelSequence *sequence;
  float logprobs[256];
  guint n_prompt;

  g_assert_true (laurel_template_encode_prompt (model->chat_template, model->tokenizer,
                                                json_object_get_string_member (row, "prompt"), ids,
                                                &error));
  n_prompt = ids->len;
  g_assert_true (laurel_template_encode_completion (
      model->chat_template, model->tokenizer, json_object_get_string_member (row, "completion"),
      ids, &error));
  g_assert_cmpuint (ids->len, <, G_N_ELEMENTS (logprobs));
  sequence = laurel_sequence_new ((gint32 *) (void *) ids->data, (int) ids->len, (int) n_prompt);
  g_assert_true (laurel_evaluate_logprobs (model, sequence, logprobs, &error));
  g_assert_no_error (error);
  for (guint t = n_prompt; t < ids->len; t++)
    *sum -= (double) logprobs[t - 1];
  *n += (int) (ids->len - n_prompt);
  laurel_sequence_free (sequence);
}

static gboolean
none (guint row)
{
  return FALSE;
}

/* Over the rows that the split holds out, but for those that @skips. */
static double
compute_loss (const char *name, gboolean (*skips) (guint row))
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, name, &error);
  g_autoptr (LaurelModel) model = laurel_model_load (folder, &error);
  g_autofree char *text = laurel_file_read_text (fixture.rows, NULL, &error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  double sum = 0;
  int n = 0;

  g_assert_no_error (error);
  for (guint i = 0; i < N_ROWS; i++) {
    g_autoptr (JsonNode) row = laurel_json_parse (lines[i], "row", &error);

    if (is_held_out (i) && !skips (i))
      add_loss (model, json_node_get_object (row), &sum, &n);
  }
  return sum / n;
}

/* --- What it is ------------------------------------------------------------------------ */

static char *
dup_snapshot (gint64 run_id)
{
  g_autoptr (LaurelRun) run =
      laurel_store_get_run (laurel_project_get_store (project), run_id, NULL);

  return g_strdup (run->snapshot);
}

static gboolean
log_has (gint64 run_id, const char *text)
{
  g_autoptr (GPtrArray) log =
      laurel_store_list_log (laurel_project_get_store (project), run_id, NULL);

  for (guint i = 0; i < log->len; i++)
    if (strstr (g_ptr_array_index (log, i), text) != NULL)
      return TRUE;
  return FALSE;
}

/* --- Tests ----------------------------------------------------------------------------- */

/* Where answers are measured, the plain mean over the rows that fine-tuning held out. */
static void
test_value (void)
{
  char *files[] = { fixture.rows, NULL };
  LaurelTrainRequest request = make_request ("sft", "beside", files);
  gint64 id = fixture_train (project, &request);
  g_autofree char *snapshot = dup_snapshot (id);
  double before = compute_loss ("sft", none), after = compute_loss ("beside", none);

  /* Each token's loss is the same bits in any batch; sums of doubles differ by their order. */
  g_assert_cmpfloat_with_epsilon (fixture_metric (project, id, "eval/ptx_loss", 0), before, 1e-9);
  g_assert_cmpfloat_with_epsilon (fixture_metric (project, id, "eval/ptx_loss", 5), after, 1e-9);
  g_assert_cmpfloat_with_epsilon (fixture_metric (project, sft_run, "eval/loss", 6), before, 1e-9);
  g_assert_cmpfloat (fabs (before - after), >, 1e-3);
  for (int step = 0; step <= 5; step++) {
    g_assert_cmpint (isnan (fixture_metric (project, id, "eval/ptx_loss", step)), ==,
                     isnan (fixture_metric (project, id, "eval/proxy", step)));
    g_assert_cmpint (isnan (fixture_metric (project, id, "eval/ptx_loss", step)), ==,
                     step == 1 || step == 3);
  }
  g_assert_cmpfloat (fixture_metric (project, id, "time/eval", 2), >, 0);
  g_assert_nonnull (strstr (snapshot, "\"ptx_split\":{\"seed\":5,\"eval_split\":0.2999"));
}

/* Other answers in the rows that are held out change the metric and nothing of the policy; and the
 * rows of a policy's policy are those of the fine-tuned one. */
static void
test_trains_nothing (void)
{
  g_autofree char *text = laurel_file_read_text (fixture.rows, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *path = fixture_path (&fixture, "other.jsonl");
  g_autoptr (GString) other = g_string_new (NULL);
  char *files[] = { fixture.corpus, path, NULL };
  char *plain[] = { fixture.corpus, fixture.rows, NULL };
  LaurelTrainRequest first = make_request ("beside", "first", plain);
  LaurelTrainRequest second = make_request ("beside", "second", files);
  gint64 a, b;
  guint n = 0;

  for (guint i = 0; i < N_ROWS; i++) {
    if (is_held_out (i))
      g_string_append_printf (other, "{\"prompt\": \"%u?\", \"completion\": \"No.\"}\n", i);
    else
      g_string_append_printf (other, "%s\n", lines[i]);
    n += is_held_out (i);
  }
  g_assert_cmpuint (n, >=, 8);
  fixture_write (path, other->str);
  a = fixture_train (project, &first);
  b = fixture_train (project, &second);
  fixture_assert_same_weights (project, "first", "second");
  g_assert_cmpfloat (fabs (fixture_metric (project, a, "eval/ptx_loss", 0)
                           - fixture_metric (project, b, "eval/ptx_loss", 0)),
                     >, 1e-3);
}

/* --- The project's own demonstrations ---------------------------------------------------- */

/* Every fourth of the rows has a prompt that is held out in the project. */
static gboolean
is_to_measure (guint row)
{
  return row % 4 == 3;
}

/* From the rows of the fixture, and one whose prompt has a line's end too many. */
static void
import_demonstrations (void)
{
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) imported =
      laurel_import_demonstrations (store, fixture.rows, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (imported->n_imported, ==, N_ROWS);
  g_assert_true (
      laurel_store_add_demonstration (store, " 3: colour of coal?\n", "It is red.", &error));
  g_assert_no_error (error);
}

/* Those of held-out prompts train nothing: the model is that of a file without them. */
static void
test_held_out_prompts (void)
{
  g_autofree char *text = laurel_file_read_text (fixture.rows, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *path = fixture_path (&fixture, "train.jsonl");
  g_autoptr (GString) kept = g_string_new (NULL);
  char *files[] = { path, NULL };
  LaurelTrainRequest own = fixture_request (LAUREL_STAGE_SFT, "blank", "own-sft");
  LaurelTrainRequest same = fixture_request (LAUREL_STAGE_SFT, "blank", "same-sft");
  g_autofree char *snapshot = NULL;
  gint64 id;

  import_demonstrations ();
  for (guint i = 0; i < N_ROWS; i++)
    if (!is_to_measure (i))
      g_string_append_printf (kept, "%s\n", lines[i]);
  fixture_write (path, kept->str);
  own.hyperparameters.eval_split = same.hyperparameters.eval_split = 0;
  same.data_files = files;
  id = fixture_train (project, &own);
  fixture_train (project, &same);
  fixture_assert_same_weights (project, "own-sft", "same-sft");
  g_assert_true (log_has (id, "Left out 13 demonstrations of held-out prompts, which are"));
  snapshot = dup_snapshot (id);
  g_assert_nonnull (
      strstr (snapshot, "\"held_out_demonstration_ids\":[4,8,12,16,20,24,28,32,36,40,44,48,49]"));
}

/* The same beside a policy, where what fine-tuning held out is held out too. */
static void
test_demonstrations (void)
{
  LaurelTrainRequest request = make_request ("sft", "own", NULL);
  gint64 id = fixture_train (project, &request);

  g_assert_true (log_has (id, "Left out 13 demonstrations of held-out prompts, which are"));
  g_assert_cmpfloat_with_epsilon (fixture_metric (project, id, "eval/ptx_loss", 0),
                                  compute_loss ("sft", is_to_measure), 1e-9);
  g_assert_cmpfloat_with_epsilon (fixture_metric (project, id, "eval/ptx_loss", 5),
                                  compute_loss ("own", is_to_measure), 1e-9);
}

static void
test_nothing_left (void)
{
  g_autoptr (LaurelProject) other = fixture_make_project (&fixture, "other.laurel");
  LaurelStore *store = laurel_project_get_store (other);
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  g_autoptr (GError) error = NULL;

  g_assert_true (
      laurel_store_add_demonstration (store, "3: colour of coal?", "It is black.", &error));
  g_assert_cmpint (laurel_project_start_training (other, &request, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "no demonstrations but of held-out prompts"));
}

static void
test_few (void)
{
  char *files[] = { fixture.rows, NULL };
  LaurelTrainRequest request = make_request ("whole", "few", files);
  g_autofree char *snapshot = NULL;
  gint64 id;

  request.hyperparameters.max_steps = 2;
  id = fixture_train (project, &request);
  snapshot = dup_snapshot (id);
  g_assert_null (strstr (snapshot, "ptx_split"));
  g_assert_true (isnan (fixture_metric (project, id, "eval/ptx_loss", 0)));
  g_assert_true (isnan (fixture_metric (project, id, "eval/ptx_loss", 2)));
  g_assert_false (isnan (fixture_metric (project, id, "eval/proxy", 2)));
  g_assert_true (log_has (id, "48 rows to learn beside, 36 prompts"));
}

/* The split is the run's own: the fine-tuning that it came from may be forgotten meanwhile. */
static void
test_resumes (void)
{
  char *files[] = { fixture.rows, NULL };
  LaurelTrainRequest whole = make_request ("sft", "in-one", files);
  LaurelTrainRequest parts = make_request ("sft", "in-two", files);
  g_autoptr (GError) error = NULL;
  gint64 a, b;

  whole.hyperparameters.max_steps = parts.hyperparameters.max_steps = 40;
  a = fixture_train (project, &whole);
  b = fixture_start (project, &parts);
  fixture_wait_for_step (project, 3);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, b, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (laurel_project_resume_run (project, b, &error), ==, b);
  g_assert_true (laurel_project_wait (project, b, &error));
  g_assert_no_error (error);
  fixture_assert_same_weights (project, "in-one", "in-two");
  for (int step = 0; step <= 40; step += 2)
    g_assert_cmpfloat (fixture_metric (project, a, "eval/ptx_loss", step), ==,
                       fixture_metric (project, b, "eval/ptx_loss", step));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  fixture_set_up (&fixture, NULL);
  make_project ();
  /* Each has models of the ones before. */
  g_test_add_func ("/project/ptx/value", test_value);
  g_test_add_func ("/project/ptx/trains-nothing", test_trains_nothing);
  g_test_add_func ("/project/ptx/held-out-prompts", test_held_out_prompts);
  g_test_add_func ("/project/ptx/demonstrations", test_demonstrations);
  g_test_add_func ("/project/ptx/nothing-left", test_nothing_left);
  g_test_add_func ("/project/ptx/few", test_few);
  g_test_add_func ("/project/ptx/resumes", test_resumes);
  status = g_test_run ();
  g_object_unref (project);
  fixture_tear_down (&fixture, NULL);
  return status;
}
