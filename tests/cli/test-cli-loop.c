/* test-cli-loop.c: laurelctl loop online, whole and killed again and again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "tests/cli/command.h"
#include "tests/project/fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define N_KILLS 4

static char *judge;

static char *
make_project (Fixture *fixture, const char *name)
{
  LaurelProject *project = fixture_make_project (fixture, name);
  char *path = g_strdup (laurel_project_get_path (project));
  g_auto (Result) result = { 0 };

  laurel_project_close (project);
  g_object_unref (project);
  run (&result, "--project", path, "train", "sft", "--model", "blank", "--output", "sft", "--data",
       fixture->rows, "--set", "max_steps=6", "--quiet", NULL);
  g_assert_cmpint (result.code, ==, 0);
  return path;
}

/* Two rounds of twelve labels, with runs of a second and a judge of their own. */
#define ONLINE                                                                                     \
  "loop", "online", "--rounds", "2", "--labels", "12", "--noise", "0.2", "--seed", "5", "--set",   \
      "reward.batch_size=4", "--set", "reward.eval_split=0.4", "--set", "reward.save_steps=1",     \
      "--set", "ppo.max_steps=3", "--set", "ppo.batch_size=8", "--set", "ppo.response_length=16",  \
      "--set", "ppo.num_mini_batches=2", "--set", "ppo.save_steps=1", "--set",           \
      "ppo.eval_steps=1", "--gold", judge, "--judge", judge

/* What the loop printed as JSON. */
static char *
run_online (const char *project)
{
  g_auto (Result) result = { 0 };

  run (&result, "--project", project, ONLINE, "--json", NULL);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 0);
  return g_steal_pointer (&result.out);
}

static char *
hash_model (const char *project, const char *model)
{
  g_autofree char *path = g_build_filename (project, "models", model, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  char *hash = laurel_file_sha256 (path, &error);

  g_assert_no_error (error);
  return hash;
}

static double
get_value (JsonObject *object, const char *member)
{
  return json_object_get_double_member (json_object_get_object_member (object, member), "value");
}

/* Each round has its models and figures, and asking once more changes nothing. */
static void
test_online (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture, "p.laurel");
  g_autofree char *first = run_online (project);
  g_auto (Result) again = { 0 };
  g_auto (Result) table = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *models;
  JsonObject *last;

  run (&again, "--project", project, ONLINE, "--json", NULL);
  g_assert_cmpstr (first, ==, again.out);
  node = parse_output (&again);
  models = json_object_get_array_member (json_node_get_object (node), "reward_models");
  g_assert_cmpuint (json_array_get_length (models), ==, 2);
  last = json_array_get_object_element (models, 1);
  g_assert_cmpint (json_object_get_int_member (last, "round"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (last, "rankings"), ==, 24);
  g_assert_cmpint (json_object_get_int_member (last, "new_rankings"), ==, 12);
  g_assert_cmpstr (json_object_get_string_member (last, "reward_model"), ==, "reward-2");
  g_assert_cmpstr (json_object_get_string_member (last, "policy"), ==, "policy-2");
  g_assert_true (json_object_get_boolean_member (last, "newest"));
  g_assert_cmpint (json_object_get_int_member (last, "ranked_tasks"), ==, 12);
  g_assert_cmpfloat (get_value (last, "win_rate"), >=, 0);
  g_assert_cmpfloat (get_value (last, "win_rate"), <=, 1);
  g_assert_cmpfloat (get_value (last, "accuracy"), >, 0);
  g_assert_true (json_object_has_member (last, "score"));
  run (&table, "--project", project, "run", "metrics", "4", "--csv", NULL);
  g_assert_nonnull (strstr (table.out, "eval/gold"));
  run (&table, "--project", project, ONLINE, NULL);
  g_assert_nonnull (strstr (table.out, "reward-2 (newest)"));
}

static gboolean
has_score (const char *project, const char *by)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonObject *score;

  run (&result, "--project", project, "loop", "status", "--judge", by, "--json", NULL);
  node = parse_output (&result);
  score = json_object_get_object_member (json_node_get_object (node), "reference_score");
  return json_object_get_int_member (score, "n") > 0;
}

/* What a judge thought is kept for that judge; another one, or the same one of another mind, has
 * yet to judge. */
static void
test_other_judge (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture, "p.laurel");
  g_autofree char *out = run_online (project);
  g_autofree char *name = g_path_get_basename (judge);
  g_autofree char *folder = fixture_path (fixture, "elsewhere");
  g_autofree char *copy = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autofree char *other = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (has_score (project, judge));
  text = laurel_file_read_text (judge, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_file_make_directory (folder, &error));
  fixture_write (copy, text);
  g_assert_true (has_score (project, copy));
  other = g_strconcat (text, "\n", NULL);
  fixture_write (copy, other);
  g_assert_false (has_score (project, copy));
}

/* Starts the loop and kills it @microseconds later. Whether it was still at work. */
static gboolean
start_and_kill (const char *project, gulong microseconds)
{
  const char *argv[] = { get_program (), "--project", project, ONLINE, "--json", NULL };
  g_autoptr (GError) error = NULL;
  int status;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL
                     | G_SPAWN_STDERR_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  g_usleep (microseconds);
  kill (pid, SIGKILL);
  waitpid (pid, &status, 0);
  return WIFSIGNALED (status);
}

/* Killed at points that only the clock knows, it comes to the same bytes. */
static void
test_kill (Fixture *fixture, gconstpointer unused)
{
  static const char *const models[] = { "reward-1", "policy-1", "reward-2", "policy-2" };
  g_autofree char *whole = make_project (fixture, "whole.laurel");
  g_autofree char *killed = make_project (fixture, "killed.laurel");
  g_autofree char *whole_out = run_online (whole);
  g_autofree char *killed_out = NULL;
  int n_killed = 0;

  for (int i = 0; i < N_KILLS; i++)
    n_killed += start_and_kill (killed, (gulong) (60000 + 130000 * i));
  g_assert_cmpint (n_killed, >, 0);
  killed_out = run_online (killed);
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree char *a = hash_model (whole, models[i]);
    g_autofree char *b = hash_model (killed, models[i]);

    g_assert_cmpstr (a, ==, b);
  }
  g_assert_cmpstr (whole_out, ==, killed_out);
}

/* Without a judge it waits for whoever ranks in another process. */
static void
test_people (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture, "p.laurel");
  const char *argv[] = { get_program (), "--project",  project, "--quiet", "loop",
                         "online",       "--rounds",   "1",     "--labels", "8",
                         "--set",        "ppo.max_steps=1", "--set", "ppo.batch_size=8",
                         "--set",        "ppo.response_length=8", "--set",
                         "ppo.num_mini_batches=2", NULL };
  g_auto (Result) result = { 0 };
  g_autoptr (GError) error = NULL;
  int status, n_ranked = 0;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  while (waitpid (pid, &status, WNOHANG) == 0) {
    g_autoptr (JsonNode) node = NULL;

    run (&result, "--project", project, "ranking", "simulate", "--judge", judge, "--json", NULL);
    node = parse_output (&result);
    n_ranked += (int) json_object_get_int_member (json_node_get_object (node), "rankings");
    g_usleep (200000);
  }
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpint (n_ranked, ==, 16); /* the round's and the last policy's */
}

static void
test_verbs (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = make_project (fixture, "p.laurel");
  g_auto (Result) set = { 0 };
  g_auto (Result) result = { 0 };

  run (&set, "--project", project, "loop", "settings", "--enable", "on", "--every", "30", "--set",
       "ppo.kl_coef=0.3", "--gold", judge, "--json", NULL);
  run (&result, "--project", project, "loop", "settings", "--json", NULL);
  g_assert_cmpstr (set.out, ==, result.out);
  g_assert_nonnull (strstr (result.out, "\"every\":30"));
  g_assert_nonnull (strstr (result.out, judge));
  run (&result, "--project", project, "loop", "settings", "--gold", "", "--json", NULL);
  g_assert_null (strstr (result.out, judge));
  run (&result, "--project", project, "loop", "settings", "--gold", "nobody", NULL);
  assert_error (&result, 1, "nobody");
  run (&result, "--project", project, "loop", "settings", "--enable", "maybe", NULL);
  assert_error (&result, 2, "neither on nor off");
  run (&result, "--project", project, "loop", "settings", "--set", "sft.seed=1", NULL);
  assert_error (&result, 2, "sft.seed");
  run (&result, "--project", project, "loop", "settings", "--set", "ppo.kl_coef=-1", NULL);
  assert_error (&result, 1, "kl_coef");
  run (&result, "--project", project, "loop", "settings", "--model", "nobody", NULL);
  assert_error (&result, 1, "nobody");
  run (&result, "--project", project, "loop", "retrain", NULL);
  assert_error (&result, 1, "nothing has been ranked");
  run (&result, "--project", project, "loop", "online", "--rounds", "1", "--labels", "1000", NULL);
  assert_error (&result, 1, "36 training prompts for 1000 labels");
  run (&result, "--project", project, "sample", "run", "--model", "sft", "--shared", "0.2", NULL);
  assert_error (&result, 2, "--task");
  run (&result, "--project", project, "sample", "run", "--model", "sft", "--mix", "blank", NULL);
  assert_error (&result, 2, "--task");
  run (&result, "--project", project, "sample", "run", "--model", "sft", "--mix", "blank", "--task",
       "--prompts", "3", "--max-tokens", "4", "--quiet", NULL);
  g_assert_cmpint (result.code, ==, 0);
}

int
main (int argc, char **argv)
{
  g_autofree char *starter = laurel_project_find_starter ();

  g_test_init (&argc, &argv, NULL);
  g_assert_nonnull (starter);
  judge = g_build_filename (starter, "judge.json", NULL);
  g_test_add ("/cli/loop/online", Fixture, NULL, fixture_set_up, test_online, fixture_tear_down);
  g_test_add ("/cli/loop/other-judge", Fixture, NULL, fixture_set_up, test_other_judge,
              fixture_tear_down);
  g_test_add ("/cli/loop/kill", Fixture, NULL, fixture_set_up, test_kill, fixture_tear_down);
  g_test_add ("/cli/loop/people", Fixture, NULL, fixture_set_up, test_people, fixture_tear_down);
  g_test_add ("/cli/loop/verbs", Fixture, NULL, fixture_set_up, test_verbs, fixture_tear_down);
  return g_test_run ();
}
