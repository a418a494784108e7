/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

#include "core/base/error.h"
#include "core/train/schedule.h"
#include "core/train/sequence.h"
#include "core/train/state.h"

static const LaurelSequence *
get_row (GPtrArray *sequences, const guint32 *order, int i)
{
  return g_ptr_array_index (sequences, order != NULL ? order[i] : (guint32) i);
}

static gint64
count_labels (GPtrArray *sequences, const guint32 *order, int n, int limit)
{
  gint64 n_labels = 0;

  for (int i = 0; i < n; i++) {
    const LaurelSequence *row = get_row (sequences, order, i);

    n_labels += laurel_sequence_count_labels (row, MIN (row->n_tokens, limit));
  }
  return n_labels;
}

/* Fills @micro from row @from on; returns the first row that did not fit. */
static int
pack (LaurelMicroBatch *micro,
      GPtrArray *sequences,
      const guint32 *order,
      int from,
      int n,
      int limit)
{
  laurel_micro_batch_clear (micro);
  for (; from < n; from++) {
    const LaurelSequence *row = get_row (sequences, order, from);
    int n_tokens = MIN (row->n_tokens, limit);

    if (!laurel_micro_batch_fits (micro, n_tokens))
      break;
    laurel_micro_batch_add_masked (micro, row->tokens, row->learned, n_tokens,
                                   laurel_sequence_first_label (row), 0);
  }
  return from;
}

static double
sum_losses (LaurelPass *pass, LaurelMicroBatch *micro, const LaurelLabels *labels)
{
  double loss = 0;

  laurel_lm_head_logprobs (pass->model, pass->hidden, labels, 1, micro->outputs, NULL);
  for (int i = 0; i < labels->n; i++)
    loss -= micro->outputs[i];
  return loss;
}

gboolean
laurel_language_walk (LaurelPass *pass,
                      LaurelMicroBatch *micro,
                      GPtrArray *sequences,
                      const guint32 *order,
                      int n,
                      int limit,
                      float *gradients,
                      const LaurelMonitor *monitor,
                      gboolean *checkpoint_wanted,
                      double *out_loss,
                      gint64 *out_n,
                      GError **error)
{
  gint64 n_labels = count_labels (sequences, order, n, limit);
  double scale = n_labels > 0 ? 1.0 / (double) n_labels : 0;
  double loss = 0;

  for (int at = 0; at < n;) {
    LaurelLabels labels;

    if (!laurel_monitor_go_on (monitor, checkpoint_wanted, error))
      return FALSE;
    at = pack (micro, sequences, order, at, n, limit);
    laurel_pass_forward (pass, micro);
    labels = laurel_micro_batch_as_labels (micro);
    if (gradients == NULL) {
      loss += sum_losses (pass, micro, &labels);
      continue;
    }
    loss += laurel_lm_head_loss (pass->model, pass->hidden, &labels, 1, NULL, NULL, scale, NULL,
                                 pass->dhidden, gradients)
            / scale;
    laurel_pass_backward (pass, micro, gradients);
  }
  *out_loss = loss;
  *out_n = n_labels;
  return TRUE;
}

typedef struct {
  GPtrArray *sequences;
  GPtrArray *eval_sequences;
  const LaurelHyperparameters *hp;
  const LaurelMonitor *monitor;
  int limit;
  int rows_per_step;
  int steps_per_epoch;
  int n_steps;
  guint32 *order;
  int ordered_epoch; /* whose order @order is; −1: none */
  LaurelMicroBatch *micro;
  LaurelPass pass;
  LaurelTrainState state;
} Language;

static void
language_clear (Language *self)
{
  g_free (self->order);
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->pass);
  laurel_train_state_clear (&self->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Language, language_clear)

/* Every row has a label within the limit, every token is in the vocabulary. Returns the longest, 0
 * on an error. */
static int
check_rows (GPtrArray *sequences,
            const LaurelModel *model,
            int limit,
            const char *what,
            const LaurelMonitor *monitor,
            GError **error)
{
  int longest = 0, n_cut = 0;

  for (guint i = 0; sequences != NULL && i < sequences->len; i++) {
    const LaurelSequence *row = g_ptr_array_index (sequences, i);

    if (!laurel_tokens_check (row->tokens, row->n_tokens, &model->config, what, (int) i + 1, error))
      return 0;
    if (laurel_sequence_count_labels (row, MIN (row->n_tokens, limit)) == 0) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not train on %s %u: of its %d tokens the first %d are the prompt and at "
                   "most %d are used, "
                   "so there is nothing to learn; shorten the prompt or leave the row out",
                   what, i + 1, row->n_tokens, row->n_prompt, limit);
      return 0;
    }
    n_cut += row->n_tokens > limit;
    longest = MAX (longest, MIN (row->n_tokens, limit));
  }
  if (n_cut > 0)
    laurel_monitor_log (monitor, "%d sequences were cut to %d tokens.", n_cut, limit);
  return longest;
}

static void
digest_rows (GChecksum *checksum, GPtrArray *sequences)
{
  for (guint i = 0; i < sequences->len; i++) {
    const LaurelSequence *row = g_ptr_array_index (sequences, i);

    laurel_data_digest_tokens (checksum, &row->n_prompt, 1);
    laurel_data_digest_tokens (checksum, row->tokens, row->n_tokens);
    if (row->learned != NULL)
      g_checksum_update (checksum, row->learned, row->n_tokens);
  }
}

static gboolean
prepare (Language *self, LaurelStage stage, LaurelModel *model, GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  g_autoptr (GChecksum) fingerprint = NULL;
  int longest, longest_eval = 0, budget;

  if (model->config.head != LAUREL_HEAD_LM) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not train: the model is a reward model and predicts no tokens; choose a "
                 "language model");
    return FALSE;
  }
  if (self->sequences->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train: there are no sequences to train on; add data");
    return FALSE;
  }
  self->limit = laurel_sequence_limit (&model->config, hp);
  longest = check_rows (self->sequences, model, self->limit, "row", self->monitor, error);
  if (longest == 0)
    return FALSE;
  if (self->eval_sequences != NULL && self->eval_sequences->len > 0) {
    longest_eval = check_rows (self->eval_sequences, model, self->limit, "held-out row",
                               self->monitor, error);
    if (longest_eval == 0)
      return FALSE;
  }
  self->rows_per_step = hp->batch_size * hp->gradient_accumulation_steps;
  self->steps_per_epoch = (int) ((self->sequences->len + (guint) self->rows_per_step - 1)
                                 / (guint) self->rows_per_step);
  self->n_steps = laurel_data_count_steps (self->sequences->len, self->rows_per_step, hp);
  self->order = g_new (guint32, self->sequences->len);
  self->ordered_epoch = -1;
  budget = laurel_micro_batch_budget (&model->config, MAX (longest, longest_eval));
  self->micro = laurel_micro_batch_new (budget);
  fingerprint = laurel_train_state_start_fingerprint (stage, hp, model);
  digest_rows (fingerprint, self->sequences);
  self->state.stage = stage;
  self->state.monitor = self->monitor;
  self->state.save_steps = hp->save_steps;
  self->state.model = model;
  self->state.fingerprint = g_strdup (g_checksum_get_string (fingerprint));
  self->state.optimizer = laurel_optimizer_new (model->layout, hp, error);
  return self->state.optimizer != NULL
         && laurel_pass_init (&self->pass, model, budget, TRUE, error)
         && laurel_train_state_resume (&self->state, error);
}

/* The rows of step @step within the order of its epoch. */
static const guint32 *
take_rows (Language *self, int step, int *out_n)
{
  int epoch = step / self->steps_per_epoch;
  int from = step % self->steps_per_epoch * self->rows_per_step;

  if (epoch != self->ordered_epoch)
    laurel_data_order (self->order, self->sequences->len, self->hp->seed, (guint64) epoch,
                       self->hp->shuffle);
  self->ordered_epoch = epoch;
  *out_n = MIN (self->rows_per_step, (int) self->sequences->len - from);
  return self->order + from;
}

static gboolean
evaluate (Language *self, GError **error)
{
  double loss;
  gint64 n;

  if (self->eval_sequences == NULL || self->eval_sequences->len == 0)
    return TRUE;
  if (!laurel_language_walk (&self->pass, self->micro, self->eval_sequences, NULL,
                             (int) self->eval_sequences->len, self->limit, NULL, self->monitor,
                             &self->state.checkpoint_wanted, &loss, &n, error))
    return FALSE;
  laurel_monitor_metric (self->monitor, self->state.step, "eval/loss", loss / (double) n);
  return TRUE;
}

static gboolean
train_step (Language *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  double learning_rate = self->hp->learning_rate
                         * laurel_schedule_factor (self->hp->lr_scheduler_type, state->step,
                                                   self->n_steps, self->hp->warmup_steps);
  double loss, norm;
  gint64 n_labels;
  int n_rows;
  const guint32 *rows = take_rows (self, state->step, &n_rows);

  laurel_optimizer_clear (state->optimizer);
  if (!laurel_language_walk (&self->pass, self->micro, self->sequences, rows, n_rows, self->limit,
                             state->optimizer->gradients, self->monitor, &state->checkpoint_wanted,
                             &loss, &n_labels, error)
      || !laurel_optimizer_step (state->optimizer, state->model->weights, learning_rate, &norm,
                                 error))
    return FALSE;
  state->step++;
  laurel_monitor_metric (self->monitor, state->step, "loss", loss / (double) n_labels);
  laurel_monitor_metric (self->monitor, state->step, "learning_rate", learning_rate);
  laurel_monitor_metric (self->monitor, state->step, "grad_norm", norm);
  laurel_monitor_progress (self->monitor, state->step, self->n_steps);
  return TRUE;
}

static gboolean
train_and_report (Language *self, GError **error)
{
  gboolean last;

  if (!train_step (self, error))
    return FALSE;
  last = self->state.step == self->n_steps;
  if (last || (self->hp->eval_steps > 0 && self->state.step % self->hp->eval_steps == 0))
    if (!evaluate (self, error))
      return FALSE;
  return laurel_train_state_save_if_due (&self->state, last, error);
}

gboolean
laurel_language_train (LaurelStage stage,
                       LaurelModel *model,
                       GPtrArray *sequences,
                       GPtrArray *eval_sequences,
                       const LaurelHyperparameters *hp,
                       const LaurelMonitor *monitor,
                       GError **error)
{
  g_auto (Language) self = { .sequences = sequences,
                             .eval_sequences = eval_sequences,
                             .hp = hp,
                             .monitor = monitor };
  g_autoptr (GError) local = NULL;

  if (!laurel_hyperparameters_validate (hp, stage, error) || !prepare (&self, stage, model, error))
    return FALSE;
  while (self.state.step < self.n_steps) {
    if (!train_and_report (&self, &local)) {
      laurel_train_state_interrupted (&self.state, &local);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  return TRUE;
}
