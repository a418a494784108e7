/* test-cli-reward.c: reward models as scripts train, evaluate and use them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/model.h"
#include "tests/cli/command.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define PROJECT "--project", project

/* The values of a metric of run @id, in order; (transfer full). */
static GArray *
read_metric (const char *project, const char *id, const char *key)
{
  g_autoptr (JsonNode) node = NULL;
  g_auto (Result) result = { 0 };
  GArray *values = g_array_new (FALSE, FALSE, sizeof (double));
  JsonArray *rows;

  run (&result, PROJECT, "run", "metrics", id, "--json", NULL);
  node = parse_output (&result);
  rows = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);
    double value = json_object_get_double_member (row, "value");

    if (g_str_equal (json_object_get_string_member (row, "key"), key))
      g_array_append_val (values, value);
  }
  return values;
}

/* A project with 40 ranked prompts. */
static char *
make_ranked (Fixture *fixture)
{
  g_autofree char *rankings = fixture_path (fixture, "rankings.jsonl");
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GString) rows = g_string_new (NULL);
  g_auto (Result) result = { 0 };
  char *path = fixture_path (fixture, "p.laurel");

  laurel_project_close (project);
  for (int i = 0; i < 40; i++)
    g_string_append_printf (rows,
                            "{\"prompt\": \"%d: colour of snow?\", \"completions\": [\"It is "
                            "white.\", \"It is red, number %d.\", \"black black black\"], "
                            "\"ranks\": [%d, 2, %d], \"labeler\": \"%s\"}\n",
                            i, i, i % 5 == 0 ? 3 : 1, i % 5 == 0 ? 1 : 3,
                            i % 2 == 0 ? "Ada" : "Ben");
  fixture_write (rankings, rows->str);
  run (&result, "--project", path, "ranking", "import", rankings, NULL);
  g_assert_cmpint (result.code, ==, 0);
  return path;
}

#define FAST "--set", "max_steps=6", "--set", "eval_split=0.3", "--set", "save_steps=2"

static char *
hash_model (const char *project, const char *model)
{
  g_autofree char *path = g_build_filename (project, "models", model, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  char *hash = laurel_file_sha256 (path, &error);

  g_assert_no_error (error);
  return hash;
}

/* --- Several seeds ----------------------------------------------------------------- */

static gboolean
has_folder (const char *project, const char *name)
{
  g_autofree char *path = g_build_filename (project, "runs", "1", name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* The kept model is the one of the best seed, to the byte what that seed makes alone. */
static void
test_seeds (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_autoptr (GArray) accuracies = NULL;
  g_autoptr (GArray) kept = NULL;
  g_autoptr (GArray) losses = NULL;
  g_autoptr (GArray) alone_accuracy = NULL;
  g_autofree char *seed = NULL;
  g_autofree char *best = NULL;
  g_autofree char *alone = NULL;
  g_auto (Result) result = { 0 };
  int number;

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "best", "--seeds", "3",
       "--set", "seed=7", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "Held-out accuracy by seed"));
  accuracies = read_metric (project, "1", "seeds/accuracy");
  kept = read_metric (project, "1", "seeds/kept");
  losses = read_metric (project, "1", "seed-3/loss");
  g_assert_cmpuint (accuracies->len, ==, 3);
  g_assert_cmpuint (kept->len, ==, 1);
  g_assert_cmpuint (losses->len, ==, 6);
  number = (int) g_array_index (kept, double, 0);
  for (guint k = 0; k < 3; k++)
    g_assert_cmpfloat (g_array_index (accuracies, double, k), <=,
                       g_array_index (accuracies, double, number - 1));
  g_assert_false (has_folder (project, "seed-1"));
  seed = g_strdup_printf ("seed=%d", 7 + number - 1);
  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "alone", "--set", seed,
       "--set", "split_seed=7", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  alone_accuracy = read_metric (project, "2", "eval/accuracy");
  g_assert_cmpfloat (g_array_index (alone_accuracy, double, alone_accuracy->len - 1), ==,
                     g_array_index (accuracies, double, number - 1));
  best = hash_model (project, "best");
  alone = hash_model (project, "alone");
  g_assert_cmpstr (best, ==, alone);
  run (&result, PROJECT, "evaluate", "reward", "--model", "best", NULL);
  g_assert_nonnull (strstr (result.out, "of 3 was kept"));
}

/* Nothing to compare the seeds on is said before anything is trained. */
static void
test_seeds_refuse (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_auto (Result) result = { 0 };

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "x", "--seeds", "2",
       "--set", "eval_split=0", NULL);
  assert_error (&result, 1, "held-out");
  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "x", "--seeds", "0",
       NULL);
  assert_error (&result, 1, "from 1 to 64");
}

static void
kill_when (const char *project, const char *file)
{
  const char *argv[] = { get_program (), "--project",    project,        "--quiet",      "train",
                         "reward",       "--model",      "blank",        "--output",     "killed",
                         "--seeds",      "3",            "--set",        "max_steps=40", "--set",
                         "eval_split=0.3", "--set",      "save_steps=5", NULL };
  g_autofree char *path = g_build_filename (project, "runs", "1", file, NULL);
  g_autoptr (GError) error = NULL;
  int status;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 6000 && !g_file_test (path, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  waitpid (pid, &status, 0);
  g_assert_true (WIFSIGNALED (status)); /* it was killed and had not ended by itself */
}

/* Killed in the second seed, a run goes on there and ends in the bytes and numbers of a whole
 * one. */
static void
test_seeds_kill (Fixture *fixture, gconstpointer unused)
{
  static const char *const keys[] = { "seed-1/loss", "seed-2/loss", "seed-2/eval/accuracy",
                                      "seed-3/loss", "seeds/accuracy", "seeds/kept" };
  g_autofree char *project = make_ranked (fixture);
  g_autofree char *killed = NULL;
  g_autofree char *whole = NULL;
  g_auto (Result) result = { 0 };

  kill_when (project, "seed-2/checkpoint.laurel");
  run (&result, PROJECT, "train", "resume", "1", NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "whole", "--seeds", "3",
       "--set", "max_steps=40", "--set", "eval_split=0.3", "--set", "save_steps=5", NULL);
  g_assert_cmpint (result.code, ==, 0);
  killed = hash_model (project, "killed");
  whole = hash_model (project, "whole");
  g_assert_cmpstr (killed, ==, whole);
  for (gsize k = 0; k < G_N_ELEMENTS (keys); k++) {
    g_autoptr (GArray) a = read_metric (project, "1", keys[k]);
    g_autoptr (GArray) b = read_metric (project, "2", keys[k]);

    g_assert_cmpmem (a->data, a->len * sizeof (double), b->data, b->len * sizeof (double));
    g_assert_cmpuint (a->len, >, 0);
  }
}

/* --- Evaluation ---------------------------------------------------------------------- */

static JsonObject *
evaluate (Result *result, const char *project, const char *option, JsonNode **node)
{
  g_clear_pointer (node, json_node_unref);
  if (option != NULL)
    run (result, PROJECT, "evaluate", "reward", "--model", "rm", "--json", option, NULL);
  else
    run (result, PROJECT, "evaluate", "reward", "--model", "rm", "--json", NULL);
  *node = parse_output (result);
  return json_node_get_object (*node);
}

static double
get_value (JsonObject *object, const char *member)
{
  return json_object_get_double_member (json_object_get_object_member (object, member), "value");
}

static void
test_evaluate (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GArray) accuracy = NULL;
  g_auto (Result) result = { 0 };
  JsonObject *figures;
  gint64 n_held_out;

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "rm", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  accuracy = read_metric (project, "1", "eval/accuracy");
  figures = evaluate (&result, project, NULL, &node);
  n_held_out = json_object_get_int_member (figures, "rankings");
  /* What training measured at its end, on the same prompts. Normalising leaves the order, but for
   * what rounds to a tie: none here. */
  g_assert_cmpfloat_with_epsilon (get_value (figures, "accuracy"),
                                  g_array_index (accuracy, double, accuracy->len - 1), 1e-9);
  g_assert_cmpint (json_object_get_int_member (figures, "left_out") + n_held_out, ==, 40);
  g_assert_cmpint (json_object_get_int_member (figures, "pairs"), ==, 3 * n_held_out);
  g_assert_true (json_object_get_boolean_member (figures, "split_known"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (figures, "by_labeler")),
                    ==, 2);
  g_assert_true (json_object_has_member (figures, "ceiling"));
  g_assert_nonnull (json_object_get_string_member (figures, "verdict"));
  figures = evaluate (&result, project, "--all", &node);
  g_assert_cmpint (json_object_get_int_member (figures, "rankings"), ==, 40);
  g_assert_cmpint (json_object_get_int_member (figures, "left_out"), ==, 0);
  run (&result, PROJECT, "evaluate", "reward", "--model", "rm", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "accuracy, by prompts"));
  g_assert_nonnull (strstr (result.out, "Ada"));
  run (&result, PROJECT, "evaluate", "reward", "--model", "rm", "--labelers", "simulated", NULL);
  assert_error (&result, 1, "nothing has been ranked by such labelers");
  run (&result, PROJECT, "evaluate", "reward", "--model", "rm", "--labelers", "robots", NULL);
  assert_error (&result, 1, "robots");
  run (&result, PROJECT, "evaluate", "reward", "--model", "blank", NULL);
  assert_error (&result, 1, "language model");
}

/* What a reward model ranked says nothing of how good it is, also where its folder names it. */
static void
test_own_rankings (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_autofree char *folder = g_build_filename (project, "models", "rm", NULL);
  g_auto (Result) result = { 0 };

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "rm", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "ranking", "simulate", "--judge", "rm", "--tasks", "all", NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "evaluate", "reward", "--model", "rm", "--labelers", "simulated", NULL);
  assert_error (&result, 1, "nothing has been ranked by such labelers");
  run (&result, PROJECT, "evaluate", "reward", "--model", folder, "--labelers", "simulated", NULL);
  assert_error (&result, 1, "nothing has been ranked by such labelers");
}

/* A folder that is called like a model of the project may hold another one. */
static void
test_same_name (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_autofree char *folder = fixture_path (fixture, "elsewhere/rm");
  g_auto (Result) result = { 0 };

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "rm", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "other", "--set",
       "seed=9", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "model", "export", "other", folder, NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "ranking", "simulate", "--judge", "rm", "--tasks", "all", "--count", "3",
       NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "ranking", "simulate", "--judge", folder, "--tasks", "all", NULL);
  assert_error (&result, 1, "by a model with other weights");
  run (&result, PROJECT, "ranking", "simulate", "--judge", "rm", "--tasks", "all", NULL);
  g_assert_cmpint (result.code, ==, 0);
}

static char *
simulate (const char *project, const char *judge)
{
  g_autoptr (JsonNode) node = NULL;
  g_auto (Result) result = { 0 };

  run (&result, PROJECT, "ranking", "simulate", "--judge", judge, "--tasks", "all", "--count", "3",
       "--json", NULL);
  g_assert_cmpint (result.code, ==, 0);
  node = parse_output (&result);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "rankings"), ==, 3);
  return g_strdup (json_object_get_string_member (json_node_get_object (node), "labeler"));
}

/* A file of rules that was edited, or another of the same name, ranks under a name of its own. */
static void
test_same_file_name (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *starter = g_test_build_filename (G_TEST_DIST, "..", "data", "starter",
                                                    "judge.json", NULL);
  g_autofree char *project = make_ranked (fixture);
  g_autofree char *judge = fixture_path (fixture, "rules.json");
  g_autofree char *one = laurel_file_read_text (starter, NULL, NULL);
  g_autofree char *two = g_strconcat (one, "\n", NULL);
  g_autofree char *first = NULL;
  g_autofree char *edited = NULL;
  g_autofree char *back = NULL;
  g_autofree char *again = NULL;

  fixture_write (judge, one);
  first = simulate (project, judge);
  fixture_write (judge, two);
  edited = simulate (project, judge);
  again = simulate (project, judge);
  fixture_write (judge, one);
  back = simulate (project, judge);
  g_assert_cmpstr (first, ==, "rules.json");
  g_assert_true (g_str_has_prefix (edited, "rules.json ("));
  g_assert_cmpstr (again, ==, edited);
  g_assert_cmpstr (back, ==, first);
}

/* --- What PPO refuses ------------------------------------------------------------------ */

/* A second world with a tokenizer of its own. */
static void
make_stranger (Fixture *fixture, const char *project)
{
  g_autofree char *text = fixture_path (fixture, "other.txt");
  g_autofree char *tokenizer = fixture_path (fixture, "other-tokenizer");
  g_auto (Result) result = { 0 };

  fixture_write (text, "Quick zebras jump over lazy dogs; quick foxes jump over lazy zebras.");
  run (&result, PROJECT, "tokenizer", "train", "--vocab-size", "300", "--output", tokenizer, text,
       NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "model", "create", "stranger", "--config", fixture->config, "--tokenizer",
       tokenizer, NULL);
  g_assert_cmpint (result.code, ==, 0);
}

static void
test_ppo_refuses (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_ranked (fixture);
  g_auto (Result) result = { 0 };

  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "raw", "--set",
       "normalize_rewards=false", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, PROJECT, "train", "ppo", "--model", "blank", "--reward-model", "raw", "--output",
       "x", NULL);
  assert_error (&result, 1, "not normalised");
  run (&result, PROJECT, "train", "reward", "--model", "blank", "--output", "rm", FAST, NULL);
  g_assert_cmpint (result.code, ==, 0);
  make_stranger (fixture, project);
  run (&result, PROJECT, "train", "ppo", "--model", "stranger", "--reward-model", "rm", "--output",
       "x", NULL);
  assert_error (&result, 1, "different tokenizers");
  run (&result, PROJECT, "run", "list", "--json", NULL);
  g_assert_null (strstr (result.out, "\"ppo\"")); /* refused before there was a run */
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
  add ("/cli/reward/seeds", test_seeds);
  add ("/cli/reward/seeds-refuse", test_seeds_refuse);
  add ("/cli/reward/seeds-kill", test_seeds_kill);
  add ("/cli/reward/evaluate", test_evaluate);
  add ("/cli/reward/own-rankings", test_own_rankings);
  add ("/cli/reward/same-name", test_same_name);
  add ("/cli/reward/same-file-name", test_same_file_name);
  add ("/cli/reward/ppo-refuses", test_ppo_refuses);
  return g_test_run ();
}
