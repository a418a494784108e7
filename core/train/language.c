/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/language.h"

#include "core/base/error.h"
#include "core/train/loop.h"
#include "core/train/samples.h"
#include "core/train/sequence.h"

/* Fills @micro from sequence @from of @batch on; returns the first that did not fit. */
static int
pack (LaurelMicroBatch *micro, const LaurelRagged *batch, int from)
{
  const gint32 *tokens = (const gint32 *) (const void *) batch->tokens->data;
  const guint8 *learned = (const guint8 *) batch->learned->data;
  const gint32 *offsets = (const gint32 *) (const void *) batch->offsets->data;

  laurel_micro_batch_clear (micro);
  for (; from < laurel_ragged_count (batch); from++) {
    gint32 start = offsets[from];
    int n = offsets[from + 1] - start;

    if (!laurel_micro_batch_fits (micro, n))
      break;
    laurel_micro_batch_add_masked (micro, tokens + start, learned + start, n, 1, 0);
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
                      const LaurelRagged *batch,
                      double weight,
                      float *gradients,
                      const LaurelMonitor *monitor,
                      gboolean *checkpoint_wanted,
                      double *loss,
                      GError **error)
{
  double scale = batch->n_labels > 0 ? weight / (double) batch->n_labels : 0;

  for (int at = 0; at < laurel_ragged_count (batch);) {
    LaurelLabels labels;

    if (!laurel_monitor_go_on (monitor, checkpoint_wanted, error))
      return FALSE;
    at = pack (micro, batch, at);
    laurel_pass_forward (pass, micro);
    labels = laurel_micro_batch_as_labels (micro);
    if (gradients == NULL) {
      *loss += sum_losses (pass, micro, &labels);
      continue;
    }
    *loss += laurel_lm_head_loss (pass->model, pass->hidden, &labels, 1, NULL, NULL, scale, NULL,
                                  pass->dhidden, gradients)
             / scale;
    laurel_pass_backward (pass, micro, gradients);
  }
  return TRUE;
}

gboolean
laurel_language_measure (LaurelPass *pass,
                         LaurelMicroBatch *micro,
                         const LaurelRows *rows,
                         gsize n,
                         int limit,
                         const LaurelMonitor *monitor,
                         gboolean *checkpoint_wanted,
                         double *out_loss,
                         gint64 *out_n_labels,
                         GError **error)
{
  g_auto (LaurelRagged) batch = { 0 };
  gsize n_rows = laurel_rows_count (rows);

  laurel_ragged_init (&batch);
  *out_loss = 0;
  *out_n_labels = 0;
  for (gsize i = 0; i < n; i++) {
    laurel_rows_gather (rows, (gsize) ((double) i * (double) n_rows / (double) n), limit, &batch);
    if (i + 1 < n && batch.tokens->len < (guint) micro->max_tokens)
      continue;
    if (!laurel_language_walk (pass, micro, &batch, 1, NULL, monitor, checkpoint_wanted,
                               out_loss, error))
      return FALSE;
    *out_n_labels += batch.n_labels;
    laurel_ragged_restart (&batch);
  }
  return TRUE;
}

/* --- The stage --------------------------------------------------------------------- */

typedef struct {
  const LaurelRows *rows;
  const LaurelRows *eval_rows; /* NULL: none */
  int limit;
  LaurelRagged batch;
  double loss; /* of the last batch */
  LaurelLoop loop;
} Language;

static void
language_clear (Language *self)
{
  laurel_ragged_clear (&self->batch);
  laurel_loop_clear (&self->loop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Language, language_clear)

static gboolean
add_gradient (LaurelLoop *loop, const guint32 *rows, int n, GError **error)
{
  Language *self = loop->stage;

  laurel_ragged_restart (&self->batch);
  for (int i = 0; i < n; i++)
    laurel_rows_gather (self->rows, rows[i], self->limit, &self->batch);
  self->loss = 0;
  return laurel_language_walk (&loop->pass, loop->micro, &self->batch, 1,
                               loop->state.optimizer->gradients, loop->monitor,
                               &loop->state.checkpoint_wanted, &self->loss, error);
}

static void
report (LaurelLoop *loop)
{
  const Language *self = loop->stage;

  laurel_monitor_metric (loop->monitor, loop->state.step, "loss",
                         self->loss / (double) self->batch.n_labels);
}

static gboolean
evaluate (LaurelLoop *loop, GError **error)
{
  const Language *self = loop->stage;
  gsize n = self->eval_rows != NULL ? laurel_rows_count (self->eval_rows) : 0;
  double loss;
  gint64 n_labels;

  if (loop->hp->eval_rows > 0)
    n = MIN (n, (gsize) loop->hp->eval_rows);
  if (n > 0) {
    if (!laurel_language_measure (&loop->pass, loop->micro, self->eval_rows, n, self->limit,
                                  loop->monitor, &loop->state.checkpoint_wanted, &loss, &n_labels,
                                  error))
      return FALSE;
    laurel_monitor_metric (loop->monitor, loop->state.step, "eval/loss",
                           loss / (double) n_labels);
  }
  return laurel_samples_log (loop->state.model, n > 0 ? self->eval_rows : self->rows, loop->hp,
                             loop->state.step, self->limit, loop->monitor, error);
}

static gboolean
check_data (Language *self, const LaurelModel *model, GError **error)
{
  if (model->config.head != LAUREL_HEAD_LM) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not train: the model is a reward model and predicts no tokens; choose a "
                 "language model");
    return FALSE;
  }
  if (laurel_rows_count (self->rows) == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train: there are no sequences to train on; add data");
    return FALSE;
  }
  return laurel_rows_check (self->rows, &model->config, self->limit, "row", self->loop.monitor,
                            error)
         && (self->eval_rows == NULL
             || laurel_rows_check (self->eval_rows, &model->config, self->limit, "held-out row",
                                   self->loop.monitor, error));
}

static gboolean
prepare (Language *self, LaurelStage stage, LaurelModel *model, GError **error)
{
  LaurelLoop *loop = &self->loop;
  GChecksum *fingerprint;
  int longest;

  self->limit = laurel_sequence_limit (&model->config, loop->hp);
  if (!check_data (self, model, error))
    return FALSE;
  longest = laurel_rows_get_longest (self->rows, self->limit);
  if (self->eval_rows != NULL)
    longest = MAX (longest, laurel_rows_get_longest (self->eval_rows, self->limit));
  loop->n_rows = laurel_rows_count (self->rows);
  loop->stage = self;
  loop->add_gradient = add_gradient;
  loop->report = report;
  loop->evaluate = evaluate;
  fingerprint = laurel_train_state_start_fingerprint (stage, loop->hp, model);
  laurel_rows_digest (self->rows, fingerprint);
  return laurel_loop_prepare (loop, stage, model, longest, fingerprint, error);
}

gboolean
laurel_language_train (LaurelStage stage,
                       LaurelModel *model,
                       const LaurelRows *rows,
                       const LaurelRows *eval_rows,
                       const LaurelHyperparameters *hp,
                       const LaurelMonitor *monitor,
                       GError **error)
{
  g_auto (Language) self = { .rows = rows,
                             .eval_rows = eval_rows,
                             .loop = { .hp = hp, .monitor = monitor } };

  laurel_ragged_init (&self.batch);
  return laurel_hyperparameters_validate (hp, stage, error) && prepare (&self, stage, model, error)
         && laurel_loop_run (&self.loop, error);
}
