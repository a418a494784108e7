/* alarms.h: what goes wrong in RLHF, noticed in the metrics of a run.
 *
 * A pure state machine: metrics in, lights out. It knows no trainer, no clock
 * and no store, so the window, laurelctl and a resumed run see the same lights
 * as the trainer did, from the metrics that are kept anyway. Metrics of one
 * step may come in any order, steps in ascending order; a step that comes
 * again changes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

typedef enum {
  LAUREL_ALARM_STEP_SIZE,        /* policy/approxkl_avg */
  LAUREL_ALARM_CLIPPED,          /* policy/clipfrac_avg */
  LAUREL_ALARM_RATIO,            /* val/ratio */
  LAUREL_ALARM_VALUE,            /* val/explained_variance */
  LAUREL_ALARM_KL,               /* objective/kl against target_kl */
  LAUREL_ALARM_STOPPING,         /* val/num_eos_tokens */
  LAUREL_ALARM_VARIETY,          /* objective/distinct_2 */
  LAUREL_ALARM_AUDIT,            /* objective/scores against objective/audit_bound */
  LAUREL_ALARM_OVEROPTIMISATION, /* eval/proxy against eval/gold */
  LAUREL_N_ALARMS,
} LaurelAlarmId;

/* The evaluations in a row that make over-optimisation certain enough to stop for. */
#define LAUREL_OVEROPTIMISATION_EVALUATIONS 3

typedef struct {
  const char *name;    /* "step-size": the metric “alarm/step-size” is 1 where it lights and 0 where it goes out */
  const char *key;     /* the metric that is looked at */
  const char *title;   /* N_(): “Step size” */
  const char *limit;   /* N_(): when it lights: “above 0.03” */
  const char *meaning; /* N_(): what it says */
  const char *remedy;  /* N_(): what to do */
} LaurelAlarmInfo;

typedef enum {
  LAUREL_LIGHT_UNKNOWN, /* nothing to judge by yet, or never with these settings */
  LAUREL_LIGHT_GOOD,
  LAUREL_LIGHT_WARNING, /* over-optimisation in the last evaluation or two */
  LAUREL_LIGHT_ALARM,
} LaurelLightState;

typedef struct {
  LaurelLightState state;
  double value;   /* what was compared, at the newest step; a fall is negative */
  double limit;   /* with what; NaN before the first comparison */
  int step;       /* of the newest comparison; −1: none */
  int since;      /* the step from which it is an alarm without a break; −1: it is none */
  int first_lit;  /* the first step at which it was ever one; −1: never */
  int n_lit;      /* at how many steps it was */
} LaurelLight;

const LaurelAlarmInfo *laurel_alarm_info (LaurelAlarmId id);

typedef struct _LaurelAlarms LaurelAlarms;

/* For a run with the settings @hp, which are copied. */
LaurelAlarms *laurel_alarms_new (const LaurelHyperparameters *hp) G_GNUC_WARN_UNUSED_RESULT;
void laurel_alarms_free (LaurelAlarms *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelAlarms, laurel_alarms_free)

/* The bits (1 << LaurelAlarmId) of the lights whose alarm began or ended with this. Keys that no light looks at are 0. */
guint laurel_alarms_feed (LaurelAlarms *self, int step, const char *key, double value);

const LaurelLight *laurel_alarms_get (const LaurelAlarms *self, LaurelAlarmId id);
int laurel_alarms_count (const LaurelAlarms *self); /* alarms now */

/* The evaluation with the best gold score so far: its step, −1 for none. */
int laurel_alarms_get_peak (const LaurelAlarms *self);

/* “0.34, above 0.3 since step 12”, or what else is to say of a light; untranslated for logs and terminals. */
char *laurel_alarms_describe (const LaurelAlarms *self, LaurelAlarmId id) G_GNUC_WARN_UNUSED_RESULT;

/* Where a metric lies in published runs that went well. */
typedef struct {
  const char *key;
  double low, high;
  const char *source;
} LaurelHealthyRange;

const LaurelHealthyRange *laurel_healthy_range (const char *key); /* NULL: none is known */

G_END_DECLS
