/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/watch.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/best.h"
#include "core/project/data.h"
#include "core/project/gold.h"
#include "core/project/run_alarms.h"
#include "core/train/held_out.h"
#include "core/train/ppo_math.h"
#include "core/train/rows.h"

#include <math.h>

struct _LaurelWatch {
  LaurelJob *job;
  const LaurelHyperparameters *hp;
  const LaurelModel *reward;
  const LaurelRows *beside; /* held out of what is learned beside */
  LaurelAlarms *alarms;
  GPtrArray *prompts; /* (element-type LaurelTrainPrompt), held out */
  LaurelGold *gold;   /* NULL: none */
  LaurelBest best;    /* step −1: none yet */
  double last_gold;   /* of the newest evaluation */
  guint changed;      /* lights, since the evaluation began */
  gboolean stopped, checkpoint; /* what somebody asked for during an evaluation */
  gboolean ended;     /* the run is done with the best weights */
};

/* --- Lights ------------------------------------------------------------------------- */

static void
log_light (LaurelWatch *self, LaurelAlarmId id, int step)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  gboolean is_lit = laurel_alarms_get (self->alarms, id)->state == LAUREL_LIGHT_ALARM;
  g_autofree char *what = laurel_alarms_describe (self->alarms, id);
  g_autofree char *line = NULL;

  if (is_lit)
    line = g_strdup_printf ("Alarm at step %d: %s, %s. %s %s", step, info->title, what,
                            info->meaning, info->remedy);
  else
    line = g_strdup_printf ("The alarm about “%s” is over at step %d.", info->title, step);
  self->job->monitor.log (self->job, line);
}

static void
store_light (LaurelWatch *self, LaurelAlarmId id, int step)
{
  g_autofree char *key = g_strconcat ("alarm/", laurel_alarm_info (id)->name, NULL);
  gboolean is_lit = laurel_alarms_get (self->alarms, id)->state == LAUREL_LIGHT_ALARM;

  self->job->monitor.metric (self->job, step, key, is_lit ? 1 : 0);
}

void
laurel_watch_metric (LaurelWatch *self, int step, const char *key, double value)
{
  guint changed = laurel_alarms_feed (self->alarms, step, key, value);

  if (changed == 0)
    return;
  self->changed |= changed;
  for (int id = 0; id < LAUREL_N_ALARMS; id++) {
    if ((changed & 1u << id) == 0)
      continue;
    store_light (self, id, step);
    log_light (self, id, step);
  }
  laurel_job_show_alarms (self->job, laurel_alarms_count (self->alarms));
}

/* --- Held-out answers ------------------------------------------------------------------ */

static gboolean
answering_cb (int n_done, int n_all, gpointer user_data)
{
  LaurelWatch *self = user_data;
  LaurelVerdict verdict = self->job->monitor.poll (self->job);

  self->stopped |= verdict == LAUREL_STOP;
  self->checkpoint |= verdict == LAUREL_CHECKPOINT;
  return !self->stopped;
}

static gboolean
score_gold (const LaurelWatch *self, GPtrArray *answers, LaurelBest *out, GError **error)
{
  out->scores = g_array_sized_new (FALSE, FALSE, sizeof (double), answers->len);
  for (guint i = 0; i < answers->len; i++) {
    const LaurelHeldOutAnswer *answer = g_ptr_array_index (answers, i);
    double score;

    if (!laurel_gold_score (self->gold, answer->prompt->text, answer->text, answer->stopped, &score,
                            error))
      return FALSE;
    g_array_append_val (out->scores, score);
    out->gold += score / answers->len;
  }
  return TRUE;
}

/* The standard error of the mean difference to the best evaluation: the prompts are the same. */
static double
measure_fall_error (const LaurelBest *best, const LaurelBest *now)
{
  guint n = now->scores->len;
  g_autofree float *falls = NULL;

  if (best->scores == NULL || best->scores->len != n || n < 2)
    return 0;
  falls = g_new (float, n);
  for (guint i = 0; i < n; i++)
    falls[i] = (float) (g_array_index (best->scores, double, i)
                        - g_array_index (now->scores, double, i));
  return sqrt (laurel_masked_moments (falls, NULL, n).variance / (n - 1));
}

static void
report_gold (LaurelWatch *self, const LaurelBest *now, gboolean is_best)
{
  const LaurelMonitor *monitor = &self->job->monitor;

  monitor->metric (self->job, now->step, "eval/gold", now->gold);
  monitor->metric (self->job, now->step, "eval/gold_fall_error",
                   is_best ? 0 : measure_fall_error (&self->best, now));
  self->last_gold = now->gold;
}

static void
report_answers (LaurelWatch *self, int step, GPtrArray *answers)
{
  const LaurelMonitor *monitor = &self->job->monitor;
  double score = 0, kl = 0, length = 0, stopped = 0;

  for (guint i = 0; i < answers->len; i++) {
    const LaurelHeldOutAnswer *answer = g_ptr_array_index (answers, i);

    score += answer->score / answers->len;
    kl += answer->kl / answers->len;
    length += (double) answer->n_tokens / answers->len;
    stopped += (double) answer->stopped / answers->len;
  }
  monitor->metric (self->job, step, "eval/kl", kl);
  monitor->metric (self->job, step, "eval/length", length);
  monitor->metric (self->job, step, "eval/stopped", stopped);
  monitor->metric (self->job, step, "eval/proxy", score);
}

/* A run that measures a step again finds it the best once more, and keeps what is there. */
static gboolean
keep_if_best (LaurelWatch *self, LaurelBest *now, const LaurelModel *policy, GError **error)
{
  if (!laurel_best_save (now, policy, self->job->folder,
                         laurel_job_checkpoint_step (self->job->folder), error))
    return FALSE;
  laurel_best_clear (&self->best);
  self->best = *now;
  *now = (LaurelBest) { .step = -1 };
  return TRUE;
}

static gboolean
measure_answers (LaurelWatch *self,
                 int step,
                 const LaurelModel *policy,
                 const LaurelModel *reference,
                 GError **error)
{
  const LaurelHeldOutRequest request = { policy,   reference,    self->reward, self->prompts,
                                         self->hp, answering_cb, self };
  g_autoptr (GPtrArray) answers = laurel_held_out_answer (&request, error);
  g_auto (LaurelBest) now = { .step = step };
  gboolean is_best;

  if (answers == NULL || (self->gold != NULL && !score_gold (self, answers, &now, error)))
    return FALSE;
  is_best = self->gold != NULL && (self->best.step < 0 || now.gold > self->best.gold);
  if (self->gold != NULL)
    report_gold (self, &now, is_best || step == self->best.step);
  report_answers (self, step, answers);
  return !is_best || keep_if_best (self, &now, policy, error);
}

static gboolean
measure_beside (LaurelWatch *self, int step, const LaurelModel *policy, GError **error)
{
  const LaurelMonitor *monitor = &self->job->monitor;
  GError *local = NULL;
  double loss;

  if (laurel_held_out_loss (policy, self->beside, self->hp, monitor, &self->checkpoint, &loss,
                            &local)) {
    monitor->metric (self->job, step, "eval/ptx_loss", loss);
    return TRUE;
  }
  self->stopped |= g_error_matches (local, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
measure (LaurelWatch *self,
         int step,
         const LaurelModel *policy,
         const LaurelModel *reference,
         GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if ((laurel_rows_count (self->beside) > 0 && !measure_beside (self, step, policy, error))
      || (self->prompts->len > 0 && !measure_answers (self, step, policy, reference, error)))
    return FALSE;
  self->job->monitor.metric (self->job, step, "time/eval",
                             (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  return TRUE;
}

/* What a run does that has gone too far is set where it was started. */
static LaurelVerdict
answer_overoptimisation (LaurelWatch *self, int step)
{
  const char *then = json_object_get_string_member_with_default (self->job->config,
                                                                 "on_overoptimisation", "go-on");
  gboolean stop = g_str_equal (then, "stop");
  g_autofree char *line = NULL;

  if ((!stop && !g_str_equal (then, "pause")) || step >= self->job->n_steps)
    return LAUREL_GO_ON; /* at the end there is nothing left to stop */
  line = g_strdup_printf (
      "over-optimised at step %d: the gold score was best at step %d (%.3f, now %.3f); take those "
      "weights with “laurelctl run keep-best %" G_GINT64_FORMAT "”, or go on from here",
      step, self->best.step, self->best.gold, self->last_gold, self->job->run->id);
  self->job->monitor.log (self->job, line);
  laurel_job_halt (self->job, stop, line);
  return stop ? LAUREL_STOP : LAUREL_CHECKPOINT;
}

static gboolean
is_overoptimised (const LaurelWatch *self)
{
  return laurel_alarms_get (self->alarms, LAUREL_ALARM_OVEROPTIMISATION)->state
         == LAUREL_LIGHT_ALARM;
}

/* Not where the light begins alone: a run that was killed before it could end finds it lit. */
static gboolean
ends_at_best (LaurelWatch *self, int step)
{
  const char *then = json_object_get_string_member_with_default (self->job->config,
                                                                 "on_overoptimisation", "go-on");
  g_autofree char *line = NULL;

  if (!g_str_equal (then, "keep-best") || !is_overoptimised (self))
    return FALSE;
  line = g_strdup_printf ("Over-optimised at step %d: the run ends with the weights of step %d, "
                          "where the gold score was best (%.3f, now %.3f).",
                          step, self->best.step, self->best.gold, self->last_gold);
  self->job->monitor.log (self->job, line);
  self->job->monitor.progress (self->job, step, step);
  self->ended = TRUE;
  return TRUE;
}

static LaurelVerdict
evaluate_cb (gpointer user_data, int step, const LaurelModel *policy, const LaurelModel *reference)
{
  LaurelJob *job = user_data;
  LaurelWatch *self = job->watch;
  GError *error = NULL;

  self->changed = 0;
  self->checkpoint = FALSE;
  if (!measure (self, step, policy, reference, &error)) {
    if (self->stopped)
      g_clear_error (&error);
    else
      laurel_job_fail (job, error);
    return LAUREL_STOP;
  }
  if (ends_at_best (self, step))
    return LAUREL_STOP;
  if ((self->changed & 1u << LAUREL_ALARM_OVEROPTIMISATION) != 0 && is_overoptimised (self))
    return answer_overoptimisation (self, step);
  return self->checkpoint ? LAUREL_CHECKPOINT : LAUREL_GO_ON;
}

char *
laurel_watch_dup_ending (const LaurelWatch *self)
{
  return self->ended ? laurel_best_get_model (&self->best, self->job->folder) : NULL;
}

void
laurel_watch_finish (LaurelWatch *self)
{
  g_autofree char *line = NULL;

  if (self->gold == NULL || self->best.step < 0 || !(self->last_gold < self->best.gold))
    return;
  line = g_strdup_printf ("The gold score was best at step %d (%.3f, at the end %.3f); “laurelctl "
                          "run keep-best %" G_GINT64_FORMAT "” makes a model of those weights.",
                          self->best.step, self->best.gold, self->last_gold, self->job->run->id);
  self->job->monitor.log (self->job, line);
}

/* --- Beginning ---------------------------------------------------------------------------- */

static gboolean
load_prompts (LaurelWatch *self, const LaurelModel *policy, GError **error)
{
  LaurelJob *job = self->job;

  self->prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_train_prompt_free);
  return !json_object_has_member (job->snapshot, "heldout_prompt_ids")
         || laurel_data_load_prompts (job->store,
                                      json_object_get_array_member (job->snapshot,
                                                                    "heldout_prompt_ids"),
                                      policy, self->prompts, error);
}

static gboolean
load_gold (LaurelWatch *self, GError **error)
{
  LaurelJob *job = self->job;
  const char *name = json_object_get_string_member_with_default (job->config, "gold", "");
  const char *was = json_object_get_string_member_with_default (job->config, "gold_sha256", "");

  if (name[0] == '\0')
    return TRUE;
  self->gold = laurel_gold_load (job->store, job->project_path, name, error);
  if (self->gold == NULL)
    return FALSE;
  if (g_str_equal (laurel_gold_get_identity (self->gold), was))
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not go on with the run: the judge “%s” has changed since it began; put back "
               "what it was, or start a new run",
               name);
  return FALSE;
}

LaurelWatch *
laurel_watch_new (LaurelJob *job,
                  const LaurelHyperparameters *hp,
                  const LaurelModel *policy,
                  const LaurelModel *reward,
                  const LaurelRows *beside,
                  GError **error)
{
  g_autoptr (LaurelWatch) self = g_new0 (LaurelWatch, 1);
  int step = job->monitor.resume ? laurel_job_checkpoint_step (job->folder) : -1;

  self->job = job;
  self->hp = hp;
  self->reward = reward;
  self->beside = beside;
  self->best.step = -1;
  self->last_gold = NAN;
  self->alarms = laurel_run_read_alarms (job->store, job->run, error);
  if (self->alarms == NULL || !load_prompts (self, policy, error) || !load_gold (self, error))
    return NULL;
  laurel_best_forget (job->folder, step);
  laurel_best_find (job->folder, step, &self->best);
  if (self->prompts->len > 0 || laurel_rows_count (beside) > 0)
    job->monitor.evaluate = evaluate_cb;
  if (self->prompts->len == 0 && self->gold != NULL)
    job->monitor.log (job,
                      "There are no held-out prompts, so the gold judge has nothing to judge.");
  laurel_job_show_alarms (job, laurel_alarms_count (self->alarms));
  return g_steal_pointer (&self);
}

void
laurel_watch_free (LaurelWatch *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->alarms, laurel_alarms_free);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
  g_clear_pointer (&self->gold, laurel_gold_free);
  laurel_best_clear (&self->best);
  g_free (self);
}
