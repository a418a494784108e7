/* test-hyperparameters.c: the settings table, its parser, and the schedules.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/train/hyperparameters.h"
#include "core/train/schedule.h"

#include <math.h>
#include <string.h>

static void
test_table (void)
{
  int n;
  const LaurelSetting *settings = laurel_settings (&n);

  g_assert_cmpint (n, >, 30);
  for (int i = 0; i < n; i++) {
    const LaurelSetting *s = &settings[i];

    g_assert_true (laurel_setting_find (s->key) == s);
    g_assert_cmpuint (s->stages, !=, 0);
    g_assert_true (s->title != NULL && s->title[0] != '\0');
    g_assert_true (s->description != NULL && g_str_has_suffix (s->description, "."));
    g_assert_true (s->source != NULL && s->unit != NULL);
    g_assert_cmpint (s->choices != NULL, ==, s->type == LAUREL_SETTING_CHOICE);
  }
  g_assert_null (laurel_setting_find ("no_such_setting"));
}

static void
test_defaults (void)
{
  LaurelHyperparameters hp;
  g_autoptr (GError) error = NULL;

  for (LaurelStage stage = 0; stage < LAUREL_N_STAGES; stage++) {
    laurel_hyperparameters_init (&hp, stage);
    g_assert_true (laurel_hyperparameters_validate (&hp, stage, &error));
    g_assert_no_error (error);
  }
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  g_assert_cmpfloat (hp.kl_coef, ==, 0.2);
  g_assert_cmpint (hp.max_steps, ==, 30);
  g_assert_cmpint (hp.lr_scheduler_type, ==, LAUREL_SCHEDULE_LINEAR);
}

static void
assert_refused (const char *key, const char *value, const char *part)
{
  LaurelHyperparameters hp, before;
  g_autoptr (GError) error = NULL;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  before = hp;
  g_assert_false (laurel_hyperparameters_set (&hp, LAUREL_STAGE_PPO, key, value, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, part));
  g_assert_cmpmem (&hp, sizeof hp, &before, sizeof before);
}

static void
test_set (void)
{
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  g_assert_true (laurel_hyperparameters_set (&hp, LAUREL_STAGE_PPO, "learning_rate", "1e-4", NULL));
  g_assert_cmpfloat (hp.learning_rate, ==, 1e-4);
  g_assert_true (
      laurel_hyperparameters_set (&hp, LAUREL_STAGE_PPO, "lr_scheduler_type", "cosine", NULL));
  g_assert_cmpint (hp.lr_scheduler_type, ==, LAUREL_SCHEDULE_COSINE);
  g_assert_true (
      laurel_hyperparameters_set (&hp, LAUREL_STAGE_PPO, "whiten_rewards", "true", NULL));
  g_assert_true (hp.whiten_rewards);
  g_assert_true (
      laurel_hyperparameters_set (&hp, LAUREL_STAGE_PPO, "seed", "9007199254740991", NULL));
  g_assert_cmpint (hp.seed, ==, G_GINT64_CONSTANT (9007199254740991));
}

static void
test_refusals (void)
{
  assert_refused ("learning_rat", "1", "did you mean “learning_rate”");
  assert_refused ("kl_coeff", "1", "did you mean “kl_coef”");
  assert_refused ("ties", "drop", "has no such setting");
  assert_refused ("gamma", "1.5", "from 0 to 1");
  assert_refused ("gamma", "nan", "from 0 to 1");
  assert_refused ("gamma", "one", "from 0 to 1");
  assert_refused ("gamma", "", "from 0 to 1");
  assert_refused ("temperature", "0", "from 0.05");
  assert_refused ("batch_size", "2.5", "whole number");
  assert_refused ("batch_size", "8 rows", "whole number");
  assert_refused ("whiten_rewards", "yes", "true or false");
  assert_refused ("lr_scheduler_type", "polynomial", "constant, linear, cosine");
  assert_refused ("top_k", "50", "cut the support");
  assert_refused ("top_p", "0.9", "cut the support");
  assert_refused ("repetition_penalty", "1.1", "cut the support");
  assert_refused ("gradient_accumulation_steps", "2", "lower num_mini_batches");
}

static void
test_validate (void)
{
  LaurelHyperparameters hp;
  g_autoptr (GError) error = NULL;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  hp.num_mini_batches = hp.batch_size + 1;
  g_assert_false (laurel_hyperparameters_validate (&hp, LAUREL_STAGE_PPO, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_SFT);
  hp.adam_beta1 = 1;
  g_assert_false (laurel_hyperparameters_validate (&hp, LAUREL_STAGE_SFT, &error));
  g_assert_nonnull (strstr (error->message, "adam_beta1"));
  g_clear_error (&error);
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_RLOO);
  hp.num_generations = 3; /* of 64 rollouts */
  g_assert_false (laurel_hyperparameters_validate (&hp, LAUREL_STAGE_RLOO, &error));
  g_assert_nonnull (strstr (error->message, "num_generations"));
}

static void
test_json (void)
{
  LaurelHyperparameters hp, read;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_REWARD);
  hp.learning_rate = 1.0 / 3; /* needs all seventeen digits */
  hp.ties = LAUREL_TIES_HALF;
  hp.normalize_rewards = FALSE;
  hp.seed = 77;
  node = laurel_hyperparameters_to_json (&hp, LAUREL_STAGE_REWARD);
  object = json_node_get_object (node);
  g_assert_false (json_object_has_member (object, "kl_coef"));
  laurel_hyperparameters_init (&read, LAUREL_STAGE_REWARD);
  g_assert_true (laurel_hyperparameters_from_json (&read, LAUREL_STAGE_REWARD, object, &error));
  g_assert_cmpmem (&hp, sizeof hp, &read, sizeof read);

  json_object_set_null_member (object, "seed");
  g_assert_false (laurel_hyperparameters_from_json (&read, LAUREL_STAGE_REWARD, object, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (read.seed, ==, 77);
}

static void
test_format (void)
{
  struct { const char *key; double value; const char *text; } cases[] = {
    { "learning_rate", 3e-4, "0.0003" },
    { "adam_epsilon", 1e-8, "1e-08" },
    { "seed", 9007199254740991.0, "9007199254740991" },
    { "shuffle", 1, "true" },
    { "ties", 1, "half" },
    { "gamma", 0.1 + 0.2, "0.30000000000000004" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = laurel_setting_format (laurel_setting_find (cases[i].key),
                                                   cases[i].value);

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_metrics (void)
{
  static const char *const keys[] = {
    "loss",
    "accuracy",
    "margin",
    "grad_norm",
    "learning_rate",
    "eval/loss",
    "eval/accuracy",
    "eval/ptx_loss",
    "objective/kl",
    "objective/entropy",
    "objective/scores",
    "objective/rlhf_reward",
    "objective/non_score_reward",
    "policy/approxkl_avg",
    "policy/clipfrac_avg",
    "policy/entropy_avg",
    "loss/policy_avg",
    "loss/value_avg",
    "val/clipfrac_avg",
    "val/ratio",
    "val/num_eos_tokens",
    "val/explained_variance",
    "time/rollout",
    "time/update",
    "time/eval",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_assert_nonnull (laurel_metric_find (keys[i]));
  g_assert_null (laurel_metric_find ("objective/nothing"));
  /* One of several seeds' is the same metric; the seeds' own is another. */
  g_assert_true (laurel_metric_find ("seed-12/eval/loss") == laurel_metric_find ("eval/loss"));
  g_assert_cmpstr (laurel_metric_skip_seed ("seed-12/eval/loss"), ==, "eval/loss");
  g_assert_cmpstr (laurel_metric_skip_seed ("seeds/loss"), ==, "seeds/loss");
  g_assert_nonnull (laurel_metric_find ("seeds/kept"));
}

static void
test_schedules (void)
{
  /* 1e-12: a handful of double operations on numbers of size 1. */
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_CONSTANT, 7, 10, 0), 1,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_LINEAR, 0, 10, 0), 1,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_LINEAR, 9, 10, 0), 0.1,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_LINEAR, 10, 10, 0), 0,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_COSINE, 5, 10, 0), 0.5,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_COSINE, 10, 10, 0), 0,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_COSINE, 0, 100, 4), 0.25,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_COSINE, 3, 100, 4), 1,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_COSINE, 4, 100, 4), 1,
                                  1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_LINEAR, 52, 100, 4), 0.5,
                                  1e-12);
  /* A run shorter than its warm-up stays finite. */
  g_assert_cmpfloat_with_epsilon (laurel_schedule_factor (LAUREL_SCHEDULE_LINEAR, 4, 3, 4), 1,
                                  1e-12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/hyperparameters/table", test_table);
  g_test_add_func ("/train/hyperparameters/defaults", test_defaults);
  g_test_add_func ("/train/hyperparameters/set", test_set);
  g_test_add_func ("/train/hyperparameters/refusals", test_refusals);
  g_test_add_func ("/train/hyperparameters/validate", test_validate);
  g_test_add_func ("/train/hyperparameters/json", test_json);
  g_test_add_func ("/train/hyperparameters/format", test_format);
  g_test_add_func ("/train/hyperparameters/metrics", test_metrics);
  g_test_add_func ("/train/schedule/factors", test_schedules);
  return g_test_run ();
}
