/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/alarms.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_STEP_SIZE 0.03
#define MAX_CLIPPED 0.3
#define MIN_RATIO 0.9
#define MAX_RATIO 1.1
/* Updates that a value network has to learn its first batch's returns. */
#define VALUE_GRACE 20
#define MAX_KL_TIMES 2.0
#define MAX_STOPPING_FALL 0.2
#define MAX_VARIETY_FALL 0.5
/* A batch's share of ends has a standard error of some percent: the first and the last few are
 * compared. */
#define WINDOW 3
/* Standard errors that a fall of the gold score must have to be believed. */
#define FALL_ERRORS 2.0

#define MAX_KEYS 3

static const LaurelAlarmInfo infos[LAUREL_N_ALARMS] = {
  [LAUREL_ALARM_STEP_SIZE] = {
    "step-size", "policy/approxkl_avg", N_ ("Step size"), N_ ("above 0.03"),
    N_ ("The policy moves so far in one iteration that the rollouts no longer speak for it."),
    N_ ("Lower the learning rate or the number of PPO epochs.") },
  [LAUREL_ALARM_CLIPPED] = {
    "clipped", "policy/clipfrac_avg", N_ ("Clipped ratios"), N_ ("above 0.3"),
    N_ ("Nearly a third of the tokens have run into the clip and teach nothing more."),
    N_ ("Lower the learning rate or the number of PPO epochs.") },
  [LAUREL_ALARM_RATIO] = {
    "ratio", "val/ratio", N_ ("Ratio"), N_ ("outside 0.9 to 1.1"),
    N_ ("Old and new probabilities differ on average, though they sum to one: the step is too "
        "large, or the two were computed differently."),
    N_ ("Lower the learning rate; if it stays, look at the tokens on the Inspect page.") },
  [LAUREL_ALARM_VALUE] = {
    "value", "val/explained_variance", N_ ("Value network"), N_ ("below 0 after 20 iterations"),
    N_ ("The value network predicts returns worse than a constant would, so advantages are noise."),
    N_ ("Give it warm-up iterations or another value learning rate; see that the scores are "
        "normalised.") },
  [LAUREL_ALARM_KL] = {
    "kl", "objective/kl", N_ ("Distance from the reference"), N_ ("above twice the target"),
    N_ ("The leash does not hold: the policy goes farther than the KL coefficient can answer."),
    N_ ("Raise the KL coefficient, shorten the KL horizon, or lower the learning rate.") },
  [LAUREL_ALARM_STOPPING] = {
    "stopping", "val/num_eos_tokens", N_ ("Ended by itself"), N_ ("20 points below the start"),
    N_ ("Fewer answers end by themselves: the policy learns to ramble on."),
    N_ ("Raise the missing-end penalty or the response length; look at the newest samples.") },
  [LAUREL_ALARM_VARIETY] = {
    "variety", "objective/distinct_2", N_ ("Variety"), N_ ("half of the start's"),
    N_ ("Answers repeat the same phrases: the policy may have found one that the reward model "
        "likes."),
    N_ ("Read the newest samples; raise the KL coefficient, and have such answers ranked.") },
  [LAUREL_ALARM_AUDIT] = {
    "audit", "objective/scores", N_ ("Audit"), N_ ("above the audit line"),
    N_ ("The score is higher than any policy's can be at this distance from the reference, so the "
        "distance or the score is measured wrong."),
    N_ ("Do not trust this run; report it with its settings.") },
  [LAUREL_ALARM_OVEROPTIMISATION] = {
    "over-optimisation", "eval/gold", N_ ("Over-optimisation"),
    N_ ("gold down and proxy up in 3 evaluations"),
    N_ ("The reward model's score still rises while the gold score of held-out answers has fallen "
        "since its peak: the policy learns the reward model's mistakes."),
    N_ ("Keep the weights of the gold peak; rank answers of this policy and train the reward model "
        "again.") },
};

/* What each light needs of a step before it can be judged. */
static const char *const keys[LAUREL_N_ALARMS][MAX_KEYS] = {
  [LAUREL_ALARM_STEP_SIZE] = { "policy/approxkl_avg" },
  [LAUREL_ALARM_CLIPPED] = { "policy/clipfrac_avg" },
  [LAUREL_ALARM_RATIO] = { "val/ratio" },
  [LAUREL_ALARM_VALUE] = { "val/explained_variance" },
  [LAUREL_ALARM_KL] = { "objective/kl" },
  [LAUREL_ALARM_STOPPING] = { "val/num_eos_tokens" },
  [LAUREL_ALARM_VARIETY] = { "objective/distinct_2" },
  [LAUREL_ALARM_AUDIT] = { "objective/scores", "objective/audit_bound" },
  [LAUREL_ALARM_OVEROPTIMISATION] = { "eval/proxy", "eval/gold", "eval/gold_fall_error" },
};

/* The means of the first and of the last few values of a metric. */
typedef struct {
  double first, last[WINDOW];
  int n;
} Window;

typedef struct {
  LaurelLight light;
  int steps[MAX_KEYS]; /* of the values; −1: none yet */
  double values[MAX_KEYS];
  Window window;
} Watched;

struct _LaurelAlarms {
  LaurelHyperparameters hp;
  Watched watched[LAUREL_N_ALARMS];
  double peak_gold, peak_proxy;
  int peak_step;
  int n_worse; /* evaluations in a row with gold below and proxy above the peak's */
};

const LaurelAlarmInfo *
laurel_alarm_info (LaurelAlarmId id)
{
  g_return_val_if_fail ((int) id >= 0 && id < LAUREL_N_ALARMS, NULL);
  return &infos[id];
}

LaurelAlarms *
laurel_alarms_new (const LaurelHyperparameters *hp)
{
  LaurelAlarms *self = g_new0 (LaurelAlarms, 1);

  self->hp = *hp;
  self->peak_step = -1;
  for (int id = 0; id < LAUREL_N_ALARMS; id++) {
    Watched *watched = &self->watched[id];

    watched->light = (LaurelLight) { LAUREL_LIGHT_UNKNOWN, NAN, NAN, -1, -1, -1, 0 };
    for (int k = 0; k < MAX_KEYS; k++)
      watched->steps[k] = -1;
  }
  return self;
}

void
laurel_alarms_free (LaurelAlarms *self)
{
  g_free (self);
}

/* --- Judging one step ------------------------------------------------------------------- */

/* Takes a value in; FALSE while the first and the last few are still the same ones. */
static gboolean
slide (Window *window, double value, double *out_first, double *out_last)
{
  double sum = 0;

  if (window->n < WINDOW)
    window->first += value / WINDOW;
  window->last[window->n++ % WINDOW] = value;
  for (int i = 0; i < WINDOW; i++)
    sum += window->last[i];
  *out_first = window->first;
  *out_last = sum / WINDOW;
  return window->n > WINDOW;
}

static LaurelLightState
compare (LaurelLight *light, double value, double limit, gboolean is_alarm)
{
  light->value = value;
  light->limit = limit;
  return is_alarm ? LAUREL_LIGHT_ALARM : LAUREL_LIGHT_GOOD;
}

static LaurelLightState
judge_fall (Watched *watched, double value, double max_fall, gboolean relative)
{
  double first, last, change;

  if (!slide (&watched->window, value, &first, &last))
    return LAUREL_LIGHT_UNKNOWN;
  change = relative ? last / first - 1 : last - first;
  return compare (&watched->light, change, -max_fall, change < -max_fall);
}

/* Compared with the best evaluation so far, not with the last: what is lost since the peak is the
 * matter, and one evaluation's noise does not start the count again. */
static LaurelLightState
judge_evaluation (LaurelAlarms *self, Watched *watched)
{
  double proxy = watched->values[0], gold = watched->values[1], error = watched->values[2];
  LaurelLightState state;

  if (self->peak_step < 0 || gold > self->peak_gold) {
    self->peak_gold = gold;
    self->peak_proxy = proxy;
    self->peak_step = watched->steps[1];
    self->n_worse = 0;
  } else if (proxy > self->peak_proxy && self->peak_gold - gold > FALL_ERRORS * error) {
    self->n_worse++;
  } else {
    self->n_worse = 0;
  }
  state = compare (&watched->light, self->n_worse, LAUREL_OVEROPTIMISATION_EVALUATIONS,
                   self->n_worse >= LAUREL_OVEROPTIMISATION_EVALUATIONS);
  return state == LAUREL_LIGHT_GOOD && self->n_worse > 0 ? LAUREL_LIGHT_WARNING : state;
}

static LaurelLightState
judge (LaurelAlarms *self, LaurelAlarmId id, int step)
{
  Watched *watched = &self->watched[id];
  LaurelLight *light = &watched->light;
  double value = watched->values[0];

  switch (id) {
  case LAUREL_ALARM_STEP_SIZE: return compare (light, value, MAX_STEP_SIZE, value > MAX_STEP_SIZE);
  case LAUREL_ALARM_CLIPPED: return compare (light, value, MAX_CLIPPED, value > MAX_CLIPPED);
  case LAUREL_ALARM_RATIO:
    return compare (light, value, value < 1 ? MIN_RATIO : MAX_RATIO,
                    value < MIN_RATIO || value > MAX_RATIO);
  case LAUREL_ALARM_VALUE: return compare (light, value, 0, value < 0 && step > VALUE_GRACE);
  case LAUREL_ALARM_KL:
    if (!(self->hp.target_kl > 0))
      return LAUREL_LIGHT_UNKNOWN;
    return compare (light, value, MAX_KL_TIMES * self->hp.target_kl,
                    value > MAX_KL_TIMES * self->hp.target_kl);
  case LAUREL_ALARM_STOPPING:
    return judge_fall (watched, value / MAX (self->hp.batch_size, 1), MAX_STOPPING_FALL, FALSE);
  case LAUREL_ALARM_VARIETY: return judge_fall (watched, value, MAX_VARIETY_FALL, TRUE);
  case LAUREL_ALARM_AUDIT:
    return compare (light, value, watched->values[1], value > watched->values[1]);
  case LAUREL_ALARM_OVEROPTIMISATION: return judge_evaluation (self, watched);
  case LAUREL_N_ALARMS: break;
  }
  g_return_val_if_reached (LAUREL_LIGHT_UNKNOWN);
}

/* TRUE when an alarm began or ended. */
static gboolean
judge_step (LaurelAlarms *self, LaurelAlarmId id, int step)
{
  LaurelLight *light = &self->watched[id].light;
  gboolean was_alarm = light->state == LAUREL_LIGHT_ALARM;

  light->step = step;
  light->state = judge (self, id, step);
  if (light->state == LAUREL_LIGHT_ALARM) {
    light->n_lit++;
    if (!was_alarm)
      light->since = step;
    if (light->first_lit < 0)
      light->first_lit = step;
    return !was_alarm;
  }
  light->since = -1;
  return was_alarm;
}

/* Whether all that a light needs of @step is there. A number that is none, as of a step without
 * pairs of tokens, is nothing to judge by. */
static gboolean
is_complete (const Watched *watched, LaurelAlarmId id, int step)
{
  for (int k = 0; k < MAX_KEYS && keys[id][k] != NULL; k++)
    if (watched->steps[k] != step || !isfinite (watched->values[k]))
      return FALSE;
  return TRUE;
}

guint
laurel_alarms_feed (LaurelAlarms *self, int step, const char *key, double value)
{
  guint changed = 0;

  for (int id = 0; id < LAUREL_N_ALARMS; id++) {
    Watched *watched = &self->watched[id];

    for (int k = 0; k < MAX_KEYS && keys[id][k] != NULL; k++) {
      if (!g_str_equal (keys[id][k], key) || step <= watched->light.step)
        continue;
      watched->steps[k] = step;
      watched->values[k] = value;
      if (is_complete (watched, id, step) && judge_step (self, id, step))
        changed |= 1u << id;
    }
  }
  return changed;
}

/* --- What came of it ---------------------------------------------------------------------- */

const LaurelLight *
laurel_alarms_get (const LaurelAlarms *self, LaurelAlarmId id)
{
  g_return_val_if_fail ((int) id >= 0 && id < LAUREL_N_ALARMS, NULL);
  return &self->watched[id].light;
}

int
laurel_alarms_count (const LaurelAlarms *self)
{
  int n = 0;

  for (int id = 0; id < LAUREL_N_ALARMS; id++)
    n += self->watched[id].light.state == LAUREL_LIGHT_ALARM;
  return n;
}

int
laurel_alarms_get_peak (const LaurelAlarms *self)
{
  return self->peak_step;
}

/* The number that a light compares, as people read it. */
static char *
format_value (const LaurelLight *light, LaurelAlarmId id)
{
  if (id == LAUREL_ALARM_STOPPING)
    return g_strdup_printf ("%+.0f points since the start", 100 * light->value);
  if (id == LAUREL_ALARM_VARIETY)
    return g_strdup_printf ("%+.0f %% since the start", 100 * light->value);
  return g_strdup_printf ("%.3g", light->value);
}

char *
laurel_alarms_describe (const LaurelAlarms *self, LaurelAlarmId id)
{
  const LaurelLight *light = laurel_alarms_get (self, id);
  const LaurelAlarmInfo *info = &infos[id];
  g_autofree char *value = format_value (light, id);

  switch (light->state) {
  case LAUREL_LIGHT_ALARM:
    if (id == LAUREL_ALARM_OVEROPTIMISATION)
      return g_strdup_printf ("%s, the third at step %d", info->limit, light->since);
    return g_strdup_printf ("%s, %s since step %d", value, info->limit, light->since);
  case LAUREL_LIGHT_WARNING:
    return g_strdup_printf ("%.0f of %d evaluations with gold down and proxy up", light->value,
                            LAUREL_OVEROPTIMISATION_EVALUATIONS);
  case LAUREL_LIGHT_GOOD:
    if (id == LAUREL_ALARM_OVEROPTIMISATION)
      return g_strdup ("no sign at the last evaluation");
    if (light->n_lit > 0)
      return g_strdup_printf ("%s; lit at %d steps from step %d on", value, light->n_lit,
                              light->first_lit);
    return g_steal_pointer (&value);
  case LAUREL_LIGHT_UNKNOWN: break;
  }
  return g_strdup ("not measured");
}

/* --- Published runs ------------------------------------------------------------------------- */

/* The only published figures of these are in the repository of Huang et al., who repeat Stiennon's
 * run with its settings (T 0.7, β 0.05, clip 0.2, four epochs); Ziegler et al. and Stiennon et al.
 * print settings, not these curves. */
#define NPLUS \
  "Huang et al. 2024 (N+), reference_output/ppo.txt: Stiennon's settings, four epochs a batch"

static const LaurelHealthyRange ranges[] = {
  { "policy/approxkl_avg", 0.003, 0.008, NPLUS },
  { "policy/clipfrac_avg", 0.025, 0.073, NPLUS },
  { "val/ratio", 0.9987, 1.0022, NPLUS },
};

const LaurelHealthyRange *
laurel_healthy_range (const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (g_str_equal (ranges[i].key, key))
      return &ranges[i];
  return NULL;
}
