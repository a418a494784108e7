/* test-estimate.c: what a dialog says of a run's memory is what the run will plan.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/project/fixture.h"

#include "core/text/template.h"
#include "core/train/plan.h"

#include <string.h>

/* Tokens that training sees of one text, between the two sides of the template. */
static int
count_tokens (Fixture *fixture, const char *prompt, const char *completion)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = laurel_tokenizer_load (fixture->tokenizer, &error);
  g_autoptr (LaurelTemplate) template = laurel_template_load (fixture->tokenizer, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_true (laurel_template_encode_prompt (template, tokenizer, prompt, ids, &error));
  if (completion != NULL)
    g_assert_true (laurel_template_encode_completion (template, tokenizer, completion, ids,
                                                      &error));
  return (int) ids->len;
}

/* That the estimate is the plan for sequences of @longest tokens, and for no other length. */
static void
assert_estimate (Fixture *fixture, LaurelProject *project, const LaurelTrainRequest *request,
                 int longest)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, request->model, &error);
  LaurelModelConfig config;
  double seconds = 0;
  gsize n_bytes = 0;
  int n_steps;

  g_assert_true (laurel_model_load_config (folder, &config, &error));
  g_assert_true (laurel_project_estimate (project, request, &n_bytes, &n_steps, &seconds, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_bytes, ==,
                    laurel_train_plan_memory (request->stage, &config, &request->hyperparameters,
                                              longest));
  if (longest != 0)
    g_assert_cmpuint (n_bytes, !=,
                      laurel_train_plan_memory (request->stage, &config,
                                                &request->hyperparameters, longest + 1));
  g_assert_cmpuint (n_bytes, >, 4 * 4 * 7000); /* four float blocks of its 7,000 parameters */
  g_assert_cmpfloat (seconds, <, 0);
}

static void
test_files (Fixture *fixture, gconstpointer unused)
{
  static const char rows[] =
      "{\"prompt\": \"a\", \"completion\": \"b\"}\n"
      "{\"prompt\": \"what is it?\", \"completion\": \"the colour of snow\"}\n"
      "{\"prompt\": \"c\", \"completion\": \"d\"}\n";
  static const char rankings[] =
      "{\"prompt\": \"what?\", \"chosen\": \"a colour\", \"rejected\": \"some other colour\"}\n";
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "some.jsonl");
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");
  int longest = count_tokens (fixture, "what is it?", "the colour of snow");

  request.data_files = files;
  fixture_write (path, rows);
  assert_estimate (fixture, project, &request, longest);
  /* What is longer than a sequence may be is left out. */
  request.hyperparameters.max_length = longest - 1;
  assert_estimate (fixture, project, &request,
                   MAX (count_tokens (fixture, "a", "b"), count_tokens (fixture, "c", "d")));

  request = fixture_request (LAUREL_STAGE_REWARD, "blank", "reward");
  request.data_files = files;
  fixture_write (path, rankings);
  assert_estimate (fixture, project, &request,
                   count_tokens (fixture, "what?", "some other colour"));
}

static void
test_prompts (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_PPO, "blank", "policy");
  int prompt = 0;

  /* The project's own training prompts: three of four, numbered by two digits at most. */
  for (int i = 0; i < 48; i++) {
    static const char *const things[] = { "snow", "grass", "blood", "coal", "milk", "the sky" };
    g_autofree char *text = g_strdup_printf ("%d: colour of %s?", i, things[i % 6]);

    if (i % 4 != 3)
      prompt = MAX (prompt, count_tokens (fixture, text, NULL));
  }
  assert_estimate (fixture, project, &request, prompt + request.hyperparameters.response_length);
  request.hyperparameters.response_length = 64; /* the whole context */
  assert_estimate (fixture, project, &request, 64);
}

/* Rows that are learned beside may be longer than rollouts, and documents fill the context. */
static void
test_beside (Fixture *fixture, gconstpointer unused)
{
  static const char rows[] =
      "{\"prompt\": \"a\", \"completion\": \"b\"}\n"
      "{\"prompt\": \"what colour is it of all the colours?\","
      " \"completion\": \"It is the colour of snow, said number 7.\"}\n";
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "some.jsonl");
  char *files[] = { path, NULL };
  char *texts[] = { path, fixture->corpus, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_RLOO, "blank", "policy");
  const LaurelHyperparameters *hp = &request.hyperparameters;
  int longest = count_tokens (fixture, "what colour is it of all the colours?",
                              "It is the colour of snow, said number 7.");
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, "blank", &error);
  LaurelModelConfig config;
  gsize without, with_rows, with_text;
  int n_steps, rollout = 0;
  double seconds;

  g_assert_true (laurel_model_load_config (folder, &config, &error));
  fixture_write (path, rows);
  g_assert_true (
      laurel_project_estimate (project, &request, &without, &n_steps, &seconds, &error));
  for (int n = 9; n < 64 && rollout == 0; n++)
    if (laurel_train_plan_memory (request.stage, &config, hp, n) == without)
      rollout = n;
  g_assert_cmpint (rollout, <, longest);
  request.hyperparameters.ptx_coef = 1;
  request.ptx_files = files;
  g_assert_true (
      laurel_project_estimate (project, &request, &with_rows, &n_steps, &seconds, &error));
  request.ptx_files = texts;
  g_assert_true (
      laurel_project_estimate (project, &request, &with_text, &n_steps, &seconds, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (with_rows, >, without);
  g_assert_cmpuint (with_rows, ==,
                    laurel_train_plan_memory (request.stage, &config, hp, rollout)
                        + laurel_train_plan_beside (request.stage, &config, hp, rollout, longest));
  g_assert_cmpuint (with_text, ==,
                    laurel_train_plan_memory (request.stage, &config, hp, rollout)
                        + laurel_train_plan_beside (request.stage, &config, hp, rollout, 64));
}

/* A gold judge that is a model is in memory all the time; rules are no model. */
static void
test_gold (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *rules = fixture_path (fixture, "rules.json");
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_RLOO, "blank", "policy");
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, "blank", &error);
  LaurelModelConfig config;
  gsize without, with_rules, with_model;
  int n_steps;
  double seconds;

  g_assert_true (laurel_model_load_config (folder, &config, &error));
  request.hyperparameters.response_length = 64; /* the whole context */
  fixture_write (rules, "{}");
  g_assert_true (
      laurel_project_estimate (project, &request, &without, &n_steps, &seconds, &error));
  request.gold = rules;
  g_assert_true (
      laurel_project_estimate (project, &request, &with_rules, &n_steps, &seconds, &error));
  request.gold = "blank";
  g_assert_true (
      laurel_project_estimate (project, &request, &with_model, &n_steps, &seconds, &error));
  g_assert_cmpuint (with_rules, ==, without);
  g_assert_cmpuint (with_model - without, ==,
                    laurel_train_plan_gold (request.stage, &config, &request.hyperparameters, 64,
                                            &config));
  g_assert_cmpuint (with_model - without, >=, 4 * 7000); /* float weights of 7,000 parameters */
}

/* Where the data is too much to look at, or not fit to run, the context counts. */
static void
test_unknown (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "some.jsonl");
  g_autofree char *large = g_strnfill (5 << 20, '\n');
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "sft");

  assert_estimate (fixture, project, &request, 0); /* no demonstrations */
  request.data_files = files;
  assert_estimate (fixture, project, &request, 0); /* no such file */
  memcpy (large, "{\"prompt\": \"a\", \"completion\": \"b\"}", 34);
  fixture_write (path, large);
  assert_estimate (fixture, project, &request, 0);
  large[1 << 20] = '\0';
  fixture_write (path, large);
  assert_estimate (fixture, project, &request, count_tokens (fixture, "a", "b"));
}

/* The time is that of the last such run, as often as there are seeds. */
static void
test_seeds (Fixture *fixture, gconstpointer unused)
{
  static const char rankings[] =
      "{\"prompt\": \"what?\", \"chosen\": \"a colour\", \"rejected\": \"some other colour\"}\n";
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "some.jsonl");
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_REWARD, "blank", "reward");
  g_autoptr (GError) error = NULL;
  double one = -1, three = -1, four = -1;
  gsize n_bytes;
  int n_steps;
  gint64 run;

  fixture_write (path, rankings);
  request.data_files = files;
  request.hyperparameters.eval_split = 0;
  run = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, run, &error));
  g_assert_true (laurel_project_estimate (project, &request, &n_bytes, &n_steps, &one, &error));
  request.hyperparameters.num_seeds = 3;
  g_assert_true (laurel_project_estimate (project, &request, &n_bytes, &n_steps, &three, &error));
  g_assert_cmpfloat (one, >, 0);
  g_assert_cmpfloat_with_epsilon (three, 3 * one, 1e-9 * one); /* the order of factors */
  /* Four batches to a step take four times as long. */
  request.hyperparameters.gradient_accumulation_steps = 4;
  g_assert_true (laurel_project_estimate (project, &request, &n_bytes, &n_steps, &four, &error));
  g_assert_cmpfloat_with_epsilon (four, 4 * three, 1e-9 * one);
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
  add ("/project/estimate/files", test_files);
  add ("/project/estimate/prompts", test_prompts);
  add ("/project/estimate/beside", test_beside);
  add ("/project/estimate/gold", test_gold);
  add ("/project/estimate/unknown", test_unknown);
  add ("/project/estimate/seeds", test_seeds);
  return g_test_run ();
}
