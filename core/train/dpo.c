/* dpo.c: a policy straight from rankings, by direct preference optimisation.
 *
 * The reference is the model that training starts from. What it says of the
 * rankings' completions is computed once, before the first step, so that only
 * one model is in memory (dpo_loss.h has the loss). Whole prompts are held out,
 * the same ones as for a reward model with the same seed and share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/train/comparison.h"
#include "core/train/dpo_walk.h"
#include "core/train/loop.h"
#include "core/train/sequence.h"

typedef struct {
  GPtrArray *rows;      /* (element-type LaurelDpoRow) trained on */
  GPtrArray *eval_rows; /* and held out */
  LaurelDpoSums sums;   /* of the last batch */
  LaurelLoop loop;
} Dpo;

static void
dpo_clear (Dpo *self)
{
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->eval_rows);
  laurel_loop_clear (&self->loop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Dpo, dpo_clear)

static gboolean
check_model (const LaurelModel *model, GError **error)
{
  if (model->config.head == LAUREL_HEAD_LM)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not train by DPO: the model is a reward model and predicts no tokens; choose "
               "a language model");
  return FALSE;
}

static gboolean
check_responses (const LaurelComparison *comparison, int limit, int row, GError **error)
{
  for (int k = 0; k < comparison->n; k++) {
    const LaurelSequence *completion = comparison->completions[k];

    if (laurel_sequence_count_labels (completion, MIN (completion->n_tokens, limit)) > 0)
      continue;
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use ranking %d: within %d tokens there is nothing of completion %d to "
                 "learn from; raise max_length or shorten the prompt",
                 row, limit, k + 1);
    return FALSE;
  }
  return TRUE;
}

static gboolean
sort_comparisons (Dpo *self,
                  const LaurelModel *model,
                  GPtrArray *comparisons,
                  GChecksum *fingerprint,
                  int *out_longest,
                  GError **error)
{
  int limit = laurel_sequence_limit (&model->config, self->loop.hp);
  int n_skipped = 0;

  for (guint i = 0; i < comparisons->len; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (comparisons, i);
    LaurelDpoRow *row;

    if (!laurel_comparison_check (comparison, &model->config, (int) i + 1, error)
        || !check_responses (comparison, limit, (int) i + 1, error))
      return FALSE;
    laurel_comparison_digest (comparison, fingerprint);
    row = laurel_dpo_row_new (comparison, limit);
    if (laurel_dpo_count_pairs (comparison->ranks, row->twins, comparison->n) == 0) {
      n_skipped++;
      laurel_dpo_row_free (row);
      continue;
    }
    *out_longest = MAX (*out_longest, row->n_tokens);
    g_ptr_array_add (laurel_comparison_is_held_out (self->loop.hp, comparison->prompt_id)
                         ? self->eval_rows
                         : self->rows,
                     row);
  }
  if (n_skipped > 0)
    laurel_monitor_log (self->loop.monitor,
                        "%d rankings have no pair to learn from (all tied) and were left out.",
                        n_skipped);
  if (self->rows->len > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not train by DPO: of %u rankings none is left to train on after ties and "
               "held-out prompts; rank more prompts",
               comparisons->len);
  return FALSE;
}

/* Before a checkpoint is read: the weights are still those that the run started from. */
static gboolean
refer (Dpo *self, const LaurelModel *model, int longest, GError **error)
{
  const LaurelHyperparameters *hp = self->loop.hp;
  int room = laurel_micro_batch_room (&model->config, longest,
                                      hp->batch_size * hp->gradient_accumulation_steps);
  g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (room);
  LaurelPass pass = { 0 };
  gboolean done;

  laurel_monitor_log (self->loop.monitor,
                      "%u rankings to train on, %u held out; the start model's log-probabilities "
                      "of their completions come first.",
                      self->rows->len, self->eval_rows->len);
  done = laurel_pass_init (&pass, model, micro->max_tokens, FALSE, error)
         && laurel_dpo_refer (&pass, micro, self->rows, self->loop.monitor, error)
         && laurel_dpo_refer (&pass, micro, self->eval_rows, self->loop.monitor, error);
  laurel_pass_clear (&pass);
  return done;
}

static void
report_metric (LaurelLoop *loop, const char *prefix, const char *name, double value)
{
  g_autofree char *key = g_strconcat (prefix, name, NULL);

  laurel_monitor_metric (loop->monitor, loop->state.step, key, value);
}

static void
report_sums (LaurelLoop *loop, const LaurelDpoSums *sums, const char *prefix)
{
  const LaurelDpoStats *pairs = &sums->pairs;
  double n = pairs->n_pairs; /* at least one: rows without a strict pair were left out */

  report_metric (loop, prefix, "loss", sums->loss / sums->n_prompts);
  report_metric (loop, prefix, "rewards/chosen", pairs->chosen / n);
  report_metric (loop, prefix, "rewards/rejected", pairs->rejected / n);
  report_metric (loop, prefix, "rewards/accuracies", pairs->n_right / n);
  report_metric (loop, prefix, "rewards/margins", (pairs->chosen - pairs->rejected) / n);
  report_metric (loop, prefix, "logps/chosen", pairs->logps_chosen / n);
  report_metric (loop, prefix, "logps/rejected", pairs->logps_rejected / n);
}

static void
report (LaurelLoop *loop)
{
  report_sums (loop, &((Dpo *) loop->stage)->sums, "");
}

static gboolean
add_gradient (LaurelLoop *loop, const guint32 *rows, int n, GError **error)
{
  Dpo *self = loop->stage;

  return laurel_dpo_walk (&loop->pass, loop->micro, self->rows, rows, n, loop->hp,
                          loop->state.optimizer->gradients, loop->monitor,
                          &loop->state.checkpoint_wanted, &self->sums, error);
}

static gboolean
evaluate (LaurelLoop *loop, GError **error)
{
  const Dpo *self = loop->stage;
  LaurelDpoSums sums;

  if (self->eval_rows->len == 0)
    return TRUE;
  if (!laurel_dpo_walk (&loop->pass, loop->micro, self->eval_rows, NULL,
                        (int) self->eval_rows->len, loop->hp, NULL, loop->monitor,
                        &loop->state.checkpoint_wanted, &sums, error))
    return FALSE;
  report_sums (loop, &sums, "eval/");
  return TRUE;
}

static gboolean
prepare (Dpo *self, LaurelModel *model, GPtrArray *comparisons, GError **error)
{
  LaurelLoop *loop = &self->loop;
  g_autoptr (GChecksum)
      fingerprint = laurel_train_state_start_fingerprint (LAUREL_STAGE_DPO, loop->hp, model);
  int longest = 1;

  if (!sort_comparisons (self, model, comparisons, fingerprint, &longest, error)
      || !refer (self, model, longest, error))
    return FALSE;
  loop->n_rows = self->rows->len;
  loop->stage = self;
  loop->add_gradient = add_gradient;
  loop->report = report;
  loop->evaluate = evaluate;
  return laurel_loop_prepare (loop, LAUREL_STAGE_DPO, model, longest,
                              g_steal_pointer (&fingerprint), error);
}

gboolean
laurel_train_dpo (LaurelModel *model,
                  GPtrArray *comparisons,
                  const LaurelHyperparameters *hp,
                  const LaurelMonitor *monitor,
                  GError **error)
{
  g_auto (Dpo) self = { .loop = { .hp = hp, .monitor = monitor } };

  self.rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_dpo_row_free);
  self.eval_rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_dpo_row_free);
  return laurel_hyperparameters_validate (hp, LAUREL_STAGE_DPO, error)
         && check_model (model, error) && prepare (&self, model, comparisons, error)
         && laurel_loop_run (&self.loop, error);
}
