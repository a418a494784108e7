/* test-cli-policies.c: the ways to a policy beside PPO, from laurelctl.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "tests/cli/command.h"
#include "tests/project/fixture.h"

#include <string.h>

typedef struct {
  Fixture base;
  char *project;  /* with a random model “blank” and prompts, which nobody has open */
  char *rankings; /* a file of them */
} Policies;

static void
set_up (Policies *self, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = NULL;

  fixture_set_up (&self->base, NULL);
  self->project = fixture_path (&self->base, "p.laurel");
  self->rankings = fixture_path (&self->base, "rankings.jsonl");
  project = fixture_make_project (&self->base, "p.laurel");
  laurel_project_close (project);
  fixture_write (
      self->rankings,
      "{\"prompt\": \"is it warm?\", \"completions\": [\"yes\", \"no\", \"so\"], \"ranks\": [1, 2, "
      "2]}\n"
      "{\"prompt\": \"is it wet?\", \"chosen\": \"yes\", \"rejected\": \"no\"}\n"
      "{\"prompt\": \"is it old?\", \"completions\": [\"yes\", \"no\"], \"ranks\": [1, 1]}\n"
      "{\"prompt\": \"is it far?\", \"chosen\": \"yes\", \"rejected\": \"so\"}\n");
}

static void
tear_down (Policies *self, gconstpointer unused)
{
  g_free (self->project);
  g_free (self->rankings);
  fixture_tear_down (&self->base, NULL);
}

static double
last_metric (const Policies *self, const char *run_id, const char *key)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *rows;
  double value = -1e9;

  run (&result, "--project", self->project, "--json", "run", "metrics", run_id, NULL);
  node = parse_output (&result);
  rows = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);

    if (g_str_equal (json_object_get_string_member (row, "key"), key))
      value = json_object_get_double_member (row, "value");
  }
  return value;
}

static void
test_dpo (Policies *self, gconstpointer unused)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;

  run (&result, "--project", self->project, "--json", "--quiet", "train", "dpo", "--model", "blank",
       "--output", "dpo-1", "--data", self->rankings, "--set", "max_steps=12", "--set",
       "batch_size=4", "--set", "learning_rate=0.003", "--set", "eval_split=0", NULL);
  g_test_message ("%s%s", result.out, result.err);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "\"status\":\"done\""));
  g_assert_cmpfloat (last_metric (self, "1", "rewards/accuracies"), ==, 1);
  g_assert_cmpfloat (last_metric (self, "1", "rewards/margins"), >, 0.1);
  run (&result, "--project", self->project, "--json", "model", "show", "dpo-1", NULL);
  node = parse_output (&result);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "kind"), ==,
                   "policy");
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "parent"), ==,
                   "blank");
}

static void
test_dpo_refuses (Policies *self, gconstpointer unused)
{
  g_auto (Result) result = { 0 };

  run (&result, "--project", self->project, "train", "dpo", "--model", "blank", "--output", "x",
       NULL);
  assert_error (&result, 1, "nothing has been ranked");
  run (&result, "--project", self->project, "train", "dpo", "--model", "blank", "--output", "x",
       "--data", self->rankings, "--set", "loss_type=hinge", NULL);
  assert_error (&result, 1, "sigmoid, ipo");
  run (&result, "--project", self->project, "train", "dpo", "--model", "blank", "--output", "x",
       "--data", self->rankings, "--set", "kl_coef=1", NULL);
  assert_error (&result, 1, "has no such setting");
}

static void
test_chosen (Policies *self, gconstpointer unused)
{
  g_auto (Result) result = { 0 };

  run (&result, "--project", self->project, "train", "sft", "--chosen", "--model", "blank",
       "--output", "chosen", "--data", self->rankings, "--set", "max_steps=2", "--set",
       "eval_split=0", NULL);
  g_test_message ("%s%s", result.out, result.err);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "Data: 3 sequences, 0 held out, 4 rankings"));
  g_assert_nonnull (strstr (result.out, "1 with all completions tied (ranking 3)"));
}

static void
add (const char *path, void (*test) (Policies *, gconstpointer))
{
  g_test_add (path, Policies, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/cli/policies/dpo", test_dpo);
  add ("/cli/policies/dpo-refuses", test_dpo_refuses);
  add ("/cli/policies/chosen", test_chosen);
  return g_test_run ();
}
