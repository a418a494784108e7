/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/loop.h"

#include "core/train/schedule.h"
#include "core/train/sequence.h"

void
laurel_loop_clear (LaurelLoop *self)
{
  g_clear_pointer (&self->order, g_free);
  g_clear_pointer (&self->micro, laurel_micro_batch_free);
  laurel_pass_clear (&self->pass);
  laurel_train_state_clear (&self->state);
}

gboolean
laurel_loop_prepare (LaurelLoop *self,
                     LaurelStage stage,
                     LaurelModel *model,
                     int longest,
                     GChecksum *fingerprint,
                     GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  g_autoptr (GChecksum) mine = fingerprint;
  int budget;

  self->rows_per_step = hp->batch_size * hp->gradient_accumulation_steps;
  budget = laurel_micro_batch_room (&model->config, longest, self->rows_per_step);
  self->steps_per_epoch =
      (self->n_rows + (gsize) self->rows_per_step - 1) / (gsize) self->rows_per_step;
  self->n_steps = laurel_data_count_steps (self->n_rows, self->rows_per_step, hp);
  self->order = g_new (guint32, self->n_rows);
  self->ordered_epoch = -1;
  self->micro = laurel_micro_batch_new (budget);
  self->state.stage = stage;
  self->state.monitor = self->monitor;
  self->state.save_steps = hp->save_steps;
  self->state.model = model;
  self->state.fingerprint = g_strdup (g_checksum_get_string (mine));
  self->state.optimizer = laurel_optimizer_new (model->layout, hp, NULL, error);
  return self->state.optimizer != NULL
         && laurel_pass_init (&self->pass, model, budget, TRUE, error)
         && laurel_train_state_resume (&self->state, error);
}

/* The rows of step @step within the order of its epoch. */
static const guint32 *
take_rows (LaurelLoop *self, int step, int *out_n)
{
  gint64 epoch = step / (gint64) self->steps_per_epoch;
  gsize from = (gsize) step % self->steps_per_epoch * (gsize) self->rows_per_step;

  if (epoch != self->ordered_epoch)
    laurel_data_order (self->order, self->n_rows, self->hp->seed, (guint64) epoch,
                       self->hp->shuffle);
  self->ordered_epoch = epoch;
  *out_n = (int) MIN ((gsize) self->rows_per_step, self->n_rows - from);
  return self->order + from;
}

static gboolean
train_step (LaurelLoop *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  double learning_rate = self->hp->learning_rate
                         * laurel_schedule_factor (self->hp->lr_scheduler_type, state->step,
                                                   self->n_steps, self->hp->warmup_steps);
  int n_rows;
  const guint32 *rows = take_rows (self, state->step, &n_rows);
  double norm;

  laurel_optimizer_clear (state->optimizer);
  if (!self->add_gradient (self, rows, n_rows, error)
      || !laurel_optimizer_step (state->optimizer, state->model->weights, learning_rate, &norm,
                                 error))
    return FALSE;
  state->step++;
  self->report (self);
  laurel_monitor_metric (self->monitor, state->step, "learning_rate", learning_rate);
  laurel_monitor_metric (self->monitor, state->step, "grad_norm", norm);
  laurel_monitor_progress (self->monitor, state->step, self->n_steps);
  return TRUE;
}

static gboolean
train_and_report (LaurelLoop *self, GError **error)
{
  int eval_steps = self->hp->eval_steps;
  gboolean last;

  if (!train_step (self, error))
    return FALSE;
  last = self->state.step == self->n_steps;
  if ((last || (eval_steps > 0 && self->state.step % eval_steps == 0))
      && !self->evaluate (self, error))
    return FALSE;
  return laurel_train_state_save_if_due (&self->state, last, error);
}

gboolean
laurel_loop_run (LaurelLoop *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  while (self->state.step < self->n_steps) {
    if (!train_and_report (self, &local)) {
      laurel_train_state_interrupted (&self->state, &local);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  return TRUE;
}
