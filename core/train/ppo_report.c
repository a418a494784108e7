/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo_report.h"

#include "core/train/distinct.h"
#include "core/train/ppo_audit.h"
#include "core/train/ppo_math.h"
#include "core/train/schedule.h"

#include <math.h>

double
laurel_ppo_mean_kl (const LaurelPpoBatch *batch)
{
  return laurel_masked_moments (batch->kl, NULL, (gsize) batch->n_tokens).mean * batch->n_tokens
         / batch->n_rows;
}

static LaurelRollout *
make_rollout (const LaurelPpo *self, int r, double kl_coef)
{
  const LaurelPpoBatch *batch = &self->batch;
  const LaurelPpoRow *row = &batch->rows[r];
  const LaurelTrainPrompt *prompt = g_ptr_array_index (self->prompts, row->prompt);
  LaurelRollout *rollout = g_new0 (LaurelRollout, 1);
  const gint32 *response = row->tokens + row->n_prompt;

  rollout->step = self->state.step;
  rollout->row = r;
  rollout->prompt = g_strdup (prompt->text);
  rollout->completion = laurel_template_decode_completion (
      self->policy->chat_template, self->policy->tokenizer, response, (gsize) row->n_response);
  rollout->prompt_tokens = g_memdup2 (row->tokens, sizeof (gint32) * (gsize) row->n_prompt);
  rollout->n_prompt_tokens = row->n_prompt;
  rollout->n_tokens = row->n_response;
  rollout->finish = row->finish;
  rollout->score = row->score;
  rollout->kl_coef = kl_coef;
  rollout->records = g_new0 (LaurelTokenRecord, MAX (row->n_response, 1));
  for (int t = 0; t < row->n_response; t++) {
    int at = row->first + t;

    rollout->records[t] = (LaurelTokenRecord) {
      .token = response[t],
      .logprob = batch->logprobs[at],
      .ref_logprob = batch->ref_logprobs[at],
      .kl = batch->kl[at],
      .exact_kl = batch->exact_kl[at],
      .entropy = batch->entropies[at],
      .reward = batch->rewards[at],
      .value = batch->values[at],
      .advantage = batch->advantages[at],
      .return_ = batch->returns[at],
      .ratio = batch->ratios[at],
      .clipped = batch->clips[at] != 0,
    };
  }
  return rollout;
}

double
laurel_ppo_budget_kl (const LaurelPpo *self)
{
  const LaurelPpoBatch *batch = &self->batch;

  if (!self->has_exact_kl)
    return laurel_ppo_mean_kl (batch);
  return laurel_masked_moments (batch->exact_kl, NULL, (gsize) batch->n_tokens).mean
         * batch->n_tokens / batch->n_rows;
}

/* How far objective/kl can be trusted, and what it estimates where that is known. */
static void
report_exact_kl (const LaurelPpo *self)
{
  const LaurelPpoBatch *batch = &self->batch;
  LaurelMoments rows = laurel_masked_moments (batch->row_kls, NULL, (gsize) batch->n_rows);
  int step = self->state.step;

  if (rows.n >= 2)
    laurel_monitor_metric (self->monitor, step, "objective/kl_se", laurel_standard_error (&rows));
  if (!self->has_exact_kl)
    return;
  laurel_monitor_metric (self->monitor, step, "objective/exact_kl", laurel_ppo_budget_kl (self));
  laurel_monitor_metric (self->monitor, step, "objective/kl_gap_se",
                         laurel_kl_gap_in_errors (&self->kl_gap));
}

static void
report_objective (const LaurelPpo *self, double kl_coef)
{
  const LaurelPpoBatch *batch = &self->batch;
  gsize n = (gsize) batch->n_tokens;
  double per_row = (double) batch->n_tokens / batch->n_rows;
  double kl = laurel_ppo_mean_kl (batch);
  double scores = laurel_masked_moments (batch->scores, NULL, (gsize) batch->n_rows).mean;
  int n_stopped = 0;
  int step = self->state.step;

  for (int r = 0; r < batch->n_rows; r++)
    n_stopped += batch->rows[r].finish == LAUREL_FINISH_STOP;
  laurel_monitor_metric (self->monitor, step, "objective/kl", kl);
  report_exact_kl (self);
  laurel_monitor_metric (self->monitor, step, "objective/kl_coef", kl_coef);
  laurel_monitor_metric (self->monitor, step, "objective/entropy",
                         -laurel_masked_moments (batch->logprobs, NULL, n).mean * per_row);
  laurel_monitor_metric (self->monitor, step, "objective/scores", scores);
  laurel_monitor_metric (self->monitor, step, "objective/non_score_reward", -kl_coef * kl);
  laurel_monitor_metric (self->monitor, step, "objective/rlhf_reward", scores - kl_coef * kl);
  laurel_monitor_metric (self->monitor, step, "objective/response_length", per_row);
  laurel_monitor_metric (self->monitor, step, "policy/entropy_avg",
                         laurel_masked_moments (batch->entropies, NULL, n).mean);
  laurel_monitor_metric (self->monitor, step, "val/num_eos_tokens", n_stopped);
  if (self->value != NULL)
    laurel_monitor_metric (self->monitor, step, "val/explained_variance",
                           laurel_ppo_explained_variance (batch->values, batch->returns, n));
  laurel_monitor_metric (self->monitor, step, "episode", (double) step * batch->n_rows);
}

/* What the alarm lights need beyond the usual (alarms.h). */
static void
report_watched (const LaurelPpo *self)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (guint64));
  double line = laurel_ppo_audit_line (self);

  for (int r = 0; r < self->batch.n_rows; r++) {
    const LaurelPpoRow *row = &self->batch.rows[r];

    laurel_distinct_add (pairs, row->tokens + row->n_prompt, row->n_response);
  }
  laurel_monitor_metric (self->monitor, self->state.step, "objective/distinct_2",
                         laurel_distinct_share (pairs));
  if (!isnan (line))
    laurel_monitor_metric (self->monitor, self->state.step, "objective/audit_bound", line);
}

static void
report_update (const LaurelPpo *self, const LaurelPpoStats *stats)
{
  int step = self->state.step;
  double n = stats->n_mini_batches;
  double ratio = stats->ratio / n;
  double factor = laurel_schedule_factor (self->hp->lr_scheduler_type, step - 1, self->n_iterations,
                                          self->hp->warmup_steps);
  gboolean warming_up = step <= self->hp->value_warmup_steps;

  laurel_monitor_metric (self->monitor, step, "learning_rate",
                         warming_up ? 0 : self->hp->learning_rate * factor);
  laurel_monitor_metric (self->monitor, step, "grad_norm", stats->policy_norm / n);
  laurel_monitor_metric (self->monitor, step, "policy/approxkl_avg", stats->approx_kl / n);
  laurel_monitor_metric (self->monitor, step, "policy/clipfrac_avg", stats->policy_clipfrac / n);
  laurel_monitor_metric (self->monitor, step, "loss/policy_avg", stats->policy_loss / n);
  laurel_monitor_metric (self->monitor, step, "val/ratio", 1 + ratio);
  laurel_monitor_metric (self->monitor, step, "val/ratio_var",
                         MAX (stats->ratio_squares / n - ratio * ratio, 0));
  if (self->ptx != NULL && !warming_up)
    laurel_monitor_metric (self->monitor, step, "loss/ptx", stats->ptx_loss / n);
  if (self->value == NULL)
    return;
  laurel_monitor_metric (self->monitor, step, "loss/value_avg", stats->value_loss / n);
  laurel_monitor_metric (self->monitor, step, "val/clipfrac_avg", stats->value_clipfrac / n);
  laurel_monitor_metric (self->monitor, step, "value/learning_rate",
                         self->hp->value_learning_rate * factor);
  laurel_monitor_metric (self->monitor, step, "value/grad_norm", stats->value_norm / n);
}

static void
report_times (const LaurelPpo *self)
{
  const LaurelPpoTimes *times = &self->times;
  int step = self->state.step;

  laurel_monitor_metric (self->monitor, step, "time/rollout", times->rollout);
  laurel_monitor_metric (self->monitor, step, "time/sampling", times->sampling);
  laurel_monitor_metric (self->monitor, step, "time/scoring", times->scoring);
  laurel_monitor_metric (self->monitor, step, "time/update", times->update);
  laurel_monitor_metric (self->monitor, step, "time/optimizer", times->optimizer);
}

void
laurel_ppo_report (const LaurelPpo *self, const LaurelPpoStats *stats, double kl_coef)
{
  report_objective (self, kl_coef);
  report_watched (self);
  if (stats != NULL)
    report_update (self, stats);
  report_times (self);
  if (self->monitor != NULL && self->monitor->rollout != NULL) {
    for (int r = 0; r < self->batch.n_rows; r++) {
      g_autoptr (LaurelRollout) rollout = make_rollout (self, r, kl_coef);

      self->monitor->rollout (self->monitor->user_data, rollout);
    }
  }
  laurel_monitor_progress (self->monitor, self->state.step, self->n_iterations);
}
