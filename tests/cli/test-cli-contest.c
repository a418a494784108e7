/* test-cli-contest.c: laurelctl evaluate winrate and ratings, ranking simulate, queue and export.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "tests/project/fixture.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

static const char *program;

typedef struct {
  int code;
  char *out;
  char *err;
} Result;

static void
result_clear (Result *self)
{
  g_clear_pointer (&self->out, g_free);
  g_clear_pointer (&self->err, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Result, result_clear)

/* @line is split at its spaces. */
static void
run (Result *result, const char *project, const char *line)
{
  g_autofree char *whole = g_strdup_printf ("%s %s --project %s", program, line, project);
  g_auto (GStrv) argv = g_strsplit (whole, " ", -1);
  g_autoptr (GError) error = NULL;
  int status;

  result_clear (result);
  g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &result->out, &result->err, &status,
                &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  result->code = WEXITSTATUS (status);
}

static JsonObject *
run_json (JsonNode **node, const char *project, const char *line)
{
  g_autofree char *whole = g_strconcat (line, " --json", NULL);
  g_auto (Result) result = { 0 };
  g_autoptr (GError) error = NULL;

  g_clear_pointer (node, json_node_unref);
  run (&result, project, whole);
  g_test_message ("%s%s", result.out, result.err);
  g_assert_cmpint (result.code, ==, 0);
  *node = laurel_json_parse (result.out, "output", &error);
  g_assert_no_error (error);
  return JSON_NODE_HOLDS_OBJECT (*node) ? json_node_get_object (*node) : NULL;
}

static gint64
add_text (LaurelStore *store, gint64 prompt, const char *model, int number, int n_tokens)
{
  gint32 tokens[16] = { number };
  g_autofree char *text = g_strdup_printf ("text %d", number);
  LaurelCompletion completion = { .prompt_id = prompt,
                                  .model = (char *) model,
                                  .text = text,
                                  .tokens = tokens,
                                  .n_tokens = n_tokens };

  g_assert_true (laurel_store_add_completion (store, &completion, NULL));
  return completion.id;
}

/* Tasks of a completion of each of two models; the one by “ppo” is better in two of three, a third
 * of the others are ties. Ranked by a person, but for the last three. */
static char *
make_project (Fixture *fixture)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  gint64 ada = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_project_create_model (project, "other", fixture->config, fixture->tokenizer,
                                              9, &error));
  for (int i = 0; i < 21; i++) {
    g_autofree char *text = g_strdup_printf ("Prompt %d?", i);
    gint64 prompt = laurel_store_ensure_prompt (store, text, "train", "", NULL);
    const gint64 ids[2] = { add_text (store, prompt, "ppo", 1, 4 + i % 5),
                            add_text (store, prompt, "sft", 2, 5) };
    gint64 task = laurel_store_add_task (store, prompt, ids, 2, 1, "random", &error);
    LaurelRank ranks[2] = { { .completion_id = ids[0], .rank = i % 3 < 2 || i % 9 == 2 ? 1 : 2 },
                            { .completion_id = ids[1], .rank = i % 3 < 2 ? 2 : 1 } };
    LaurelRanking ranking = { .task_id = task, .labeler_id = ada, .ranks = ranks, .n = 2 };

    if (i < 18)
      g_assert_true (laurel_store_add_ranking (store, &ranking, &error));
  }
  laurel_project_close (project);
  return fixture_path (fixture, "p.laurel");
}

static double
get_value (JsonObject *object, const char *member, const char *part)
{
  return json_object_get_double_member (json_object_get_object_member (object, member), part);
}

static void
test_people (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture);
  g_autoptr (JsonNode) node = NULL;
  g_auto (Result) result = { 0 };
  JsonObject *object =
      run_json (&node, project, "evaluate winrate --model ppo --baseline sft --people");

  g_assert_cmpint (json_object_get_int_member (object, "wins"), ==, 12);
  g_assert_cmpint (json_object_get_int_member (object, "losses"), ==, 4);
  g_assert_cmpint (json_object_get_int_member (object, "ties"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (object, "prompts"), ==, 18);
  g_assert_cmpfloat_with_epsilon (get_value (object, "win_rate", "value"), 0.75, 1e-12);
  g_assert_cmpfloat_with_epsilon (get_value (object, "ties_half", "value"), 13.0 / 18, 1e-12);
  g_assert_cmpfloat (get_value (object, "length_controlled", "low"), <,
                     get_value (object, "length_controlled", "value"));
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (object, "p_sign"),
                                  json_object_get_double_member (object, "p_permutation"), 1e-12);
  object = run_json (&node, project, "evaluate ratings --labelers people --baseline sft");
  object = json_array_get_object_element (json_object_get_array_member (object, "models"), 0);
  g_assert_cmpstr (json_object_get_string_member (object, "model"), ==, "ppo");
  /* 13 of 18 with ties as halves, but for the prior: 1e-3 · θ over an information of 3.6. */
  g_assert_cmpfloat_with_epsilon (get_value (object, "rating", "value"), log (13.0 / 5), 1e-3);
  run (&result, project, "evaluate winrate --model ppo --baseline sft --labelers simulated");
  g_assert_cmpint (result.code, ==, 1);
  g_assert_nonnull (strstr (result.err, "no ranking by judges"));
  run (&result, project, "evaluate winrate --model ppo --baseline sft");
  g_assert_cmpint (result.code, ==, 2);
  run (&result, project, "evaluate winrate --model ppo --baseline sft --people --judge x.json");
  g_assert_cmpint (result.code, ==, 2);
  run (&result, project, "evaluate ratings --model ppo --model sft --model dpo --people");
  g_assert_cmpint (result.code, ==, 2); /* ratings have --labelers */
  run (&result, project, "evaluate ratings --model ppo --model sft --model dpo");
  g_assert_cmpint (result.code, ==, 1);
  g_assert_nonnull (strstr (result.err, "nothing connects"));
  run (&result, project, "evaluate winrate --model ppo --baseline sft --people");
  g_assert_cmpint (result.code, ==, 0);
  g_assert_true (g_str_has_prefix (result.out, "ppo beats sft: 75.0 % ["));
  g_assert_nonnull (strstr (result.out, "at equal length"));
}

static void
test_judge (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture);
  g_autofree char *judge =
      g_test_build_filename (G_TEST_DIST, "..", "data", "starter", "judge.json", NULL);
  g_autofree char *winrate = g_strdup_printf (
      "evaluate winrate --model blank --baseline other --max-tokens 8 --judge %s", judge);
  g_autofree char *ratings = g_strdup_printf (
      "evaluate ratings --model blank --model other --max-tokens 8 --judge %s", judge);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object = run_json (&node, project, winrate);

  g_assert_cmpint (json_object_get_int_member (object, "prompts"), ==, 12);
  g_assert_cmpint (json_object_get_int_member (object, "wins")
                       + json_object_get_int_member (object, "losses")
                       + json_object_get_int_member (object, "ties"),
                   ==, 12);
  object = run_json (&node, project, ratings);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "models")), ==, 2);
}

static int
count_lines (const char *path)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, NULL);
  int n = 0;

  for (const char *at = text; *at != '\0'; at++)
    n += *at == '\n';
  return n;
}

/* What programs ranked can be told apart wherever rankings leave the project. */
static void
test_simulated (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture);
  g_autofree char *judge =
      g_test_build_filename (G_TEST_DIST, "..", "data", "starter", "judge.json", NULL);
  g_autofree char *file = fixture_path (fixture, "rankings.jsonl");
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;
  static const struct {
    const char *labelers;
    int n;
  } groups[] = { { "people", 18 }, { "simulated", 21 }, { "all", 39 } };

  for (int i = 0; i < 3; i++) {
    static const int expected[] = { 3, 18, 0 };
    g_autofree char *line =
        g_strdup_printf ("ranking simulate --judge %s --tasks %s", judge, i == 0 ? "open" : "all");

    object = run_json (&node, project, line);
    g_assert_cmpint (json_object_get_int_member (object, "rankings"), ==, expected[i]);
    g_assert_cmpstr (json_object_get_string_member (object, "labeler_kind"), ==, "rules");
  }
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++) {
    g_autofree char *line =
        g_strdup_printf ("ranking export %s --labelers %s", file, groups[i].labelers);

    run_json (&node, project, line);
    g_assert_cmpint (count_lines (file), ==, groups[i].n);
  }
  text = laurel_file_read_text (file, NULL, NULL);
  g_assert_nonnull (strstr (text, "\"labeler_kind\":\"rules\""));
  g_assert_nonnull (strstr (text, "\"sampler\":\"random\",\"priority\":null"));
  run_json (&node, project, "ranking agreement");
  object = json_array_get_object_element (json_node_get_array (node), 1);
  g_assert_cmpstr (json_object_get_string_member (object, "group"), ==, "people-simulated");
  g_assert_cmpint (json_object_get_int_member (object, "tasks"), ==, 18);
}

static void
test_queue (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture);
  g_autoptr (JsonNode) node = NULL;
  g_auto (Result) result = { 0 };
  JsonObject *object = run_json (&node, project, "ranking queue --strategy random --seed 3");

  g_assert_cmpint (json_object_get_int_member (object, "tasks"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (object, "random"), ==, 3);
  run (&result, project, "ranking queue --strategy uncertainty --reward-model blank");
  g_assert_cmpint (result.code, ==, 1);
  g_assert_nonnull (strstr (result.err, "it needs 2 reward models"));
  run (&result, project, "ranking queue --strategy near-tie --reward-model blank");
  g_assert_cmpint (result.code, ==, 1);
  g_assert_nonnull (strstr (result.err, "it is a language model"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  program = g_getenv ("LAURELCTL");
  g_assert_nonnull (program);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/cli/contest/people", test_people);
  ADD ("/cli/contest/judge", test_judge);
  ADD ("/cli/contest/simulated", test_simulated);
  ADD ("/cli/contest/queue", test_queue);
  return g_test_run ();
}
