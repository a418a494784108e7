/* test-cli-policies.c: the ways to a policy beside PPO, from laurelctl.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "tests/cli/command.h"
#include "tests/project/fixture.h"

#include <math.h>
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
  /* For people a setting is a line, as short as its value. */
  run (&result, "--project", self->project, "run", "show", "1", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "\n  learning_rate        0.003\n"));
  g_assert_nonnull (strstr (result.out, "\n  batch_size           4\n"));
  /* The models are said once. */
  g_assert_nonnull (strstr (result.out, "\nmodel   blank\noutput  dpo-1\n"));
  g_assert_null (strstr (result.out, "\n  model "));
  g_assert_null (strstr (result.out, "\n  output "));
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

/* A reward model “reward-1” and a policy “dpo-1” of two steps each. */
static void
train_models (const Policies *self)
{
  g_auto (Result) result = { 0 };

  run (&result, "--project", self->project, "--quiet", "train", "reward", "--model", "blank",
       "--output", "reward-1", "--data", self->rankings, "--set", "max_steps=2", "--set",
       "eval_split=0", NULL);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, "--project", self->project, "--quiet", "train", "dpo", "--model", "blank",
       "--output", "dpo-1", "--data", self->rankings, "--set", "max_steps=2", "--set",
       "eval_split=0", NULL);
  g_assert_cmpint (result.code, ==, 0);
}

static double
get_value (JsonArray *rows, guint i, const char *member)
{
  JsonObject *row = json_array_get_object_element (rows, i);
  JsonNode *node = json_object_get_member (row, member);

  if (JSON_NODE_HOLDS_OBJECT (node))
    node = json_object_get_member (json_node_get_object (node), "value");
  return JSON_NODE_HOLDS_NULL (node) ? NAN : json_node_get_double (node);
}

/* With the proxy for a judge there is nothing that it could get wrong. */
static void
test_bon (Policies *self, gconstpointer unused)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *rows;

  train_models (self);
  run (&result, "--project", self->project, "--json", "evaluate", "bon", "--model", "blank",
       "--reward-model", "reward-1", "--judge", "reward-1", "--samples", "8", "--count", "3",
       "--max-tokens", "6", NULL);
  node = parse_output (&result);
  rows = json_node_get_array (node);
  g_assert_cmpuint (json_array_get_length (rows), ==, 4); /* 1, 2, 4, 8 */
  g_assert_cmpfloat_with_epsilon (get_value (rows, 0, "proxy_win_rate"), 0.5, 1e-12);
  g_assert_true (isnan (get_value (rows, 3, "win_rate")));
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpfloat (get_value (rows, i, "kl"), <=, get_value (rows, i, "kl_bound") + 1e-12);
    if (i < 3)
      g_assert_cmpfloat (get_value (rows, i, "proxy_win_rate"), <=,
                         get_value (rows, i, "win_rate_bound") + 1e-12);
    if (i > 0)
      g_assert_cmpfloat (get_value (rows, i, "proxy"), >=, get_value (rows, i - 1, "proxy"));
  }
  run (&result, "--project", self->project, "evaluate", "bon", "--model", "blank", "--reward-model",
       "reward-1", "--judge", "reward-1", "--samples", "4", "--n", "1,3", "--csv", "--count", "2",
       "--max-tokens", "4", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_true (g_str_has_prefix (result.out, "n,kl_bound,win_rate_bound,kl,kl_low,kl_high,"));
  g_assert_nonnull (strstr (result.out, "\n3,"));
  run (&result, "--project", self->project, "evaluate", "bon", "--model", "blank", "--reward-model",
       "reward-1", "--judge", "reward-1", "--samples", "4", "--n", "8", NULL);
  assert_error (&result, 2, "from 1 to the 4 samples");
  run (&result, "--project", self->project, "evaluate", "bon", "--model", "blank", "--reward-model",
       "blank", "--judge", "reward-1", NULL);
  assert_error (&result, 1, "a language model");
}

static void
test_compare (Policies *self, gconstpointer unused)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *rows;

  train_models (self);
  run (&result, "--project", self->project, "--json", "evaluate", "compare", "--models",
       "blank,dpo-1", "--judge", "reward-1", "--reward-model", "reward-1", "--best-of", "4",
       "--max-tokens", "6", NULL);
  node = parse_output (&result);
  rows = json_node_get_array (node);
  g_assert_cmpuint (json_array_get_length (rows), ==, 3);
  g_assert_true (
      json_object_get_boolean_member (json_array_get_object_element (rows, 0), "baseline"));
  g_assert_cmpstr (
      json_object_get_string_member (json_array_get_object_element (rows, 1), "model"), ==,
      "best of 4");
  g_assert_cmpfloat_with_epsilon (get_value (rows, 1, "kl_bound"), log (4) - 0.75, 1e-12);
  g_assert_true (isnan (get_value (rows, 1, "kl")));
  g_assert_cmpfloat (get_value (rows, 1, "proxy"), >, get_value (rows, 0, "proxy"));
  g_assert_cmpfloat (get_value (rows, 2, "kl"), >, 0);
  run (&result, "--project", self->project, "evaluate", "compare", "--models", "blank,dpo-1",
       "--judge", "reward-1", "--max-tokens", "6", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "win rate at equal length"));
  run (&result, "--project", self->project, "evaluate", "compare", "--models", "blank,dpo-1",
       "--judge", "reward-1", "--best-of", "4", NULL);
  assert_error (&result, 1, "no reward model is named");
}

/* The best of several is one of them, and is the same whenever it is asked for. */
static void
test_sample_best (Policies *self, gconstpointer unused)
{
  g_auto (Result) all = { 0 };
  g_auto (Result) best = { 0 };
  g_autoptr (JsonNode) samples = NULL;
  g_autoptr (JsonNode) kept = NULL;
  const char *text;
  int n_same = 0;

  train_models (self);
  run (&all, "--json", "--project", self->project, "sample", "run", "--model", "blank", "--prompt",
       "is it old?", "--completions", "6", "--max-tokens", "6", NULL);
  run (&best, "--json", "--project", self->project, "sample", "run", "--model", "blank", "--prompt",
       "is it old?", "--completions", "1", "--max-tokens", "6", "--best-of", "6", "--reward-model",
       "reward-1", NULL);
  samples = parse_output (&all);
  kept = parse_output (&best);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (kept)), ==, 1);
  text = json_object_get_string_member (
      json_array_get_object_element (json_node_get_array (kept), 0), "completion");
  for (guint i = 0; i < 6; i++)
    n_same += g_str_equal (
        text, json_object_get_string_member (
                  json_array_get_object_element (json_node_get_array (samples), i), "completion"));
  g_assert_cmpint (n_same, >=, 1);
  run (&best, "--project", self->project, "sample", "run", "--model", "blank", "--best-of", "6",
       NULL);
  assert_error (&best, 2, "--reward-model");
  run (&best, "--project", self->project, "--quiet", "sample", "run", "--model", "blank",
       "--best-of", "3", "--reward-model", "reward-1", "--task", "--prompts", "2", "--completions",
       "2", "--max-tokens", "4", NULL);
  g_test_message ("%s", best.err);
  g_assert_cmpint (best.code, ==, 0);
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
  add ("/cli/policies/bon", test_bon);
  add ("/cli/policies/compare", test_compare);
  add ("/cli/policies/sample-best", test_sample_best);
  return g_test_run ();
}
