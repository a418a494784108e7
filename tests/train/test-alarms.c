/* test-alarms.c: each light is lit by what it is for, and by nothing less.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/alarms.h"

#include <math.h>

static LaurelAlarms *
make (double target_kl)
{
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  hp.batch_size = 64;
  hp.target_kl = target_kl;
  return laurel_alarms_new (&hp);
}

static LaurelLightState
state_of (const LaurelAlarms *alarms, LaurelAlarmId id)
{
  return laurel_alarms_get (alarms, id)->state;
}

/* Lights that compare one number with one limit. */
typedef struct {
  LaurelAlarmId id;
  const char *key;
  int step;
  double good, bad;
} Limit;

static const Limit limits[] = {
  { LAUREL_ALARM_STEP_SIZE, "policy/approxkl_avg", 1, 0.0299, 0.0301 },
  { LAUREL_ALARM_CLIPPED, "policy/clipfrac_avg", 1, 0.299, 0.301 },
  { LAUREL_ALARM_RATIO, "val/ratio", 1, 0.901, 0.899 },
  { LAUREL_ALARM_RATIO, "val/ratio", 1, 1.099, 1.101 },
  { LAUREL_ALARM_VALUE, "val/explained_variance", 21, 0.01, -0.01 },
  { LAUREL_ALARM_KL, "objective/kl", 1, 11.9, 12.1 },
};

static void
test_limits (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++) {
    const Limit *limit = &limits[i];
    g_autoptr (LaurelAlarms) alarms = make (6);
    const LaurelLight *light = laurel_alarms_get (alarms, limit->id);
    guint bit = 1u << limit->id;

    g_assert_cmpint (light->state, ==, LAUREL_LIGHT_UNKNOWN);
    g_assert_cmpuint (laurel_alarms_feed (alarms, limit->step, limit->key, limit->good), ==, 0);
    g_assert_cmpint (light->state, ==, LAUREL_LIGHT_GOOD);
    g_assert_cmpuint (laurel_alarms_feed (alarms, limit->step + 1, limit->key, limit->bad), ==,
                      bit);
    g_assert_cmpint (light->state, ==, LAUREL_LIGHT_ALARM);
    g_assert_cmpint (light->since, ==, limit->step + 1);
    g_assert_cmpuint (laurel_alarms_feed (alarms, limit->step + 2, limit->key, limit->bad), ==, 0);
    g_assert_cmpint (laurel_alarms_count (alarms), ==, 1);
    g_assert_cmpuint (laurel_alarms_feed (alarms, limit->step + 3, limit->key, limit->good), ==,
                      bit);
    g_assert_cmpint (light->state, ==, LAUREL_LIGHT_GOOD);
    g_assert_cmpint (light->since, ==, -1);
    g_assert_cmpint (light->first_lit, ==, limit->step + 1);
    g_assert_cmpint (light->n_lit, ==, 2);
  }
}

/* A value network has 20 iterations to learn; without a target there is no KL to keep. */
static void
test_conditions (void)
{
  g_autoptr (LaurelAlarms) alarms = make (0);

  (void) laurel_alarms_feed (alarms, 20, "val/explained_variance", -1);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_VALUE), ==, LAUREL_LIGHT_GOOD);
  (void) laurel_alarms_feed (alarms, 21, "val/explained_variance", -1);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_VALUE), ==, LAUREL_LIGHT_ALARM);
  (void) laurel_alarms_feed (alarms, 21, "objective/kl", 1000);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_KL), ==, LAUREL_LIGHT_UNKNOWN);
  g_assert_cmpint (laurel_alarms_count (alarms), ==, 1);
}

/* The mean of the last three against that of the first three: 60 of 64, then @later. */
static LaurelLightState
fall (LaurelAlarmId id, const char *key, double first, double later)
{
  g_autoptr (LaurelAlarms) alarms = make (0);

  for (int step = 1; step <= 3; step++) {
    g_assert_cmpint (state_of (alarms, id), ==, LAUREL_LIGHT_UNKNOWN);
    (void) laurel_alarms_feed (alarms, step, key, first);
  }
  for (int step = 4; step <= 6; step++)
    (void) laurel_alarms_feed (alarms, step, key, later);
  return state_of (alarms, id);
}

static void
test_falls (void)
{
  /* 12 of 64 are 18.75 points, 13 are 20.3. */
  g_assert_cmpint (fall (LAUREL_ALARM_STOPPING, "val/num_eos_tokens", 60, 48), ==,
                   LAUREL_LIGHT_GOOD);
  g_assert_cmpint (fall (LAUREL_ALARM_STOPPING, "val/num_eos_tokens", 60, 47), ==,
                   LAUREL_LIGHT_ALARM);
  g_assert_cmpint (fall (LAUREL_ALARM_STOPPING, "val/num_eos_tokens", 30, 64), ==,
                   LAUREL_LIGHT_GOOD);
  g_assert_cmpint (fall (LAUREL_ALARM_VARIETY, "objective/distinct_2", 0.6, 0.31), ==,
                   LAUREL_LIGHT_GOOD);
  g_assert_cmpint (fall (LAUREL_ALARM_VARIETY, "objective/distinct_2", 0.6, 0.29), ==,
                   LAUREL_LIGHT_ALARM);
}

static void
test_audit (void)
{
  g_autoptr (LaurelAlarms) alarms = make (0);

  (void) laurel_alarms_feed (alarms, 1, "objective/scores", 2);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_AUDIT), ==, LAUREL_LIGHT_UNKNOWN);
  (void) laurel_alarms_feed (alarms, 2, "objective/audit_bound", 1);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_AUDIT), ==, LAUREL_LIGHT_UNKNOWN);
  (void) laurel_alarms_feed (alarms, 2, "objective/scores", 0.9);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_AUDIT), ==, LAUREL_LIGHT_GOOD);
  (void) laurel_alarms_feed (alarms, 3, "objective/scores", 1.1);
  (void) laurel_alarms_feed (alarms, 3, "objective/audit_bound", NAN);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_AUDIT), ==, LAUREL_LIGHT_GOOD);
  (void) laurel_alarms_feed (alarms, 4, "objective/audit_bound", 1);
  (void) laurel_alarms_feed (alarms, 4, "objective/scores", 1.1);
  g_assert_cmpint (state_of (alarms, LAUREL_ALARM_AUDIT), ==, LAUREL_LIGHT_ALARM);
}

static guint
evaluate (LaurelAlarms *alarms, int step, double proxy, double gold, double error)
{
  guint changed = laurel_alarms_feed (alarms, step, "eval/gold", gold);

  changed |= laurel_alarms_feed (alarms, step, "eval/gold_fall_error", error);
  return changed | laurel_alarms_feed (alarms, step, "eval/proxy", proxy);
}

static void
test_overoptimisation (void)
{
  g_autoptr (LaurelAlarms) alarms = make (0);
  const LaurelLight *light = laurel_alarms_get (alarms, LAUREL_ALARM_OVEROPTIMISATION);

  g_assert_cmpint (laurel_alarms_get_peak (alarms), ==, -1);
  evaluate (alarms, 0, 0.0, 0.5, 0);
  g_assert_cmpint (light->state, ==, LAUREL_LIGHT_GOOD);
  evaluate (alarms, 5, 0.5, 0.9, 0);
  g_assert_cmpint (laurel_alarms_get_peak (alarms), ==, 5);
  /* Two in a row, then one that has not fallen by twice its error: the count starts again. */
  evaluate (alarms, 10, 0.8, 0.7, 0.05);
  g_assert_cmpint (light->state, ==, LAUREL_LIGHT_WARNING);
  evaluate (alarms, 15, 0.9, 0.7, 0.05);
  evaluate (alarms, 20, 1.0, 0.81, 0.05);
  g_assert_cmpint (light->state, ==, LAUREL_LIGHT_GOOD);
  g_assert_cmpuint (evaluate (alarms, 25, 1.1, 0.6, 0.05), ==, 0);
  /* A reward model whose score has fallen too is not what is being fooled. */
  evaluate (alarms, 30, 0.4, 0.5, 0.05);
  g_assert_cmpint (light->state, ==, LAUREL_LIGHT_GOOD);
  evaluate (alarms, 35, 1.2, 0.6, 0.05);
  evaluate (alarms, 40, 1.3, 0.6, 0.05);
  g_assert_cmpuint (evaluate (alarms, 45, 1.4, 0.6, 0.05), ==,
                    1u << LAUREL_ALARM_OVEROPTIMISATION);
  g_assert_cmpint (light->state, ==, LAUREL_LIGHT_ALARM);
  g_assert_cmpint (light->since, ==, 45);
  g_assert_cmpint (laurel_alarms_get_peak (alarms), ==, 5);
  g_assert_cmpuint (evaluate (alarms, 50, 1.5, 0.6, 0.05), ==, 0);
  g_assert_cmpuint (evaluate (alarms, 55, 1.6, 1.0, 0), ==, 1u << LAUREL_ALARM_OVEROPTIMISATION);
  g_assert_cmpint (laurel_alarms_get_peak (alarms), ==, 55);
}

/* A resumed run measures its checkpoint's step again; the store gives keys in another order. */
static void
test_again_and_order (void)
{
  g_autoptr (LaurelAlarms) live = make (0);
  g_autoptr (LaurelAlarms) stored = make (0);

  for (int i = 0; i < 5; i++) {
    (void) laurel_alarms_feed (stored, i, "eval/proxy", i);
    (void) laurel_alarms_feed (stored, i, "eval/gold_fall_error", 0.01);
    (void) laurel_alarms_feed (stored, i, "eval/gold", -i);
    evaluate (live, i, i, -i, 0.01);
    g_assert_cmpuint (evaluate (live, i, i, -i, 0.01), ==, 0);
    g_assert_cmpint (state_of (live, LAUREL_ALARM_OVEROPTIMISATION), ==,
                     state_of (stored, LAUREL_ALARM_OVEROPTIMISATION));
  }
  g_assert_cmpint (laurel_alarms_get (live, LAUREL_ALARM_OVEROPTIMISATION)->since, ==, 3);
  g_assert_cmpint (laurel_alarms_get (stored, LAUREL_ALARM_OVEROPTIMISATION)->since, ==, 3);
}

/* Every light says what it means in whole sentences, and looks at a metric that is explained. */
static void
test_words (void)
{
  for (int id = 0; id < LAUREL_N_ALARMS; id++) {
    const LaurelAlarmInfo *info = laurel_alarm_info (id);
    g_autoptr (LaurelAlarms) alarms = make (0);
    g_autofree char *what = laurel_alarms_describe (alarms, id);

    g_assert_nonnull (laurel_metric_find (info->key));
    g_assert_true (g_str_has_suffix (info->meaning, "."));
    g_assert_true (g_str_has_suffix (info->remedy, "."));
    g_assert_cmpstr (what, ==, "not measured");
  }
  g_assert_nonnull (laurel_healthy_range ("val/ratio"));
  g_assert_null (laurel_healthy_range ("loss"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/alarms/limits", test_limits);
  g_test_add_func ("/train/alarms/conditions", test_conditions);
  g_test_add_func ("/train/alarms/falls", test_falls);
  g_test_add_func ("/train/alarms/audit", test_audit);
  g_test_add_func ("/train/alarms/over-optimisation", test_overoptimisation);
  g_test_add_func ("/train/alarms/again-and-order", test_again_and_order);
  g_test_add_func ("/train/alarms/words", test_words);
  return g_test_run ();
}
