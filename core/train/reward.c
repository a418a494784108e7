/* reward.c: a reward model from rankings.
 *
 * All completions of a prompt are one batch element: K passes, C(K, 2) pairs,
 * the mean over prompts (reward_loss.h). The score is read at the last token,
 * end-of-text. Whole prompts are held out. When training is done the scores
 * are normalised on samples of the SFT model (normalize.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/train/normalize.h"
#include "core/train/reward_walk.h"
#include "core/train/schedule.h"
#include "core/train/sequence.h"
#include "core/train/state.h"

typedef struct {
  const LaurelHyperparameters *hp;
  const LaurelMonitor *monitor;
  GPtrArray *rows;      /* (element-type LaurelRewardRow) trained on */
  GPtrArray *eval_rows; /* and held out */
  int limit;
  int rows_per_step;
  int steps_per_epoch;
  int n_steps;
  guint32 *order;
  int ordered_epoch; /* whose order @order is; −1: none */
  LaurelMicroBatch *micro;
  LaurelPass pass;
  LaurelTrainState state;
} Reward;

static void
reward_clear (Reward *self)
{
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->eval_rows);
  g_free (self->order);
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->pass);
  laurel_train_state_clear (&self->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reward, reward_clear)

/* A prompt's side depends on the seed and its id alone, so it stays when rankings are added. */
static gboolean
is_held_out (const LaurelHyperparameters *hp, gint64 prompt_id)
{
  LaurelRng rng;

  laurel_rng_init (&rng, (guint64) hp->seed, LAUREL_RNG_SPLIT, (guint64) prompt_id, 0);
  return laurel_rng_uniform (&rng) < hp->eval_split;
}

static gboolean
check_models (const LaurelModel *reward,
              const LaurelModel *sft,
              const LaurelHyperparameters *hp,
              GError **error)
{
  if (reward->config.head != LAUREL_HEAD_SCORE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not train a reward model: the model has no score head; start from an SFT "
                 "model's trunk");
    return FALSE;
  }
  if (!hp->normalize_rewards)
    return TRUE;
  if (sft == NULL || sft->config.head != LAUREL_HEAD_LM
      || !g_str_equal (laurel_tokenizer_get_hash (reward->tokenizer),
                       laurel_tokenizer_get_hash (sft->tokenizer))) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not train a reward model: normalising its scores needs an SFT model with "
                 "the same tokenizer; "
                 "choose one, or switch normalize_rewards off");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_comparison (const LaurelComparison *comparison,
                  const LaurelModel *reward,
                  int row,
                  GError **error)
{
  for (int k = 0; k < comparison->n; k++)
    if (!laurel_tokens_check (comparison->completions[k]->tokens,
                              comparison->completions[k]->n_tokens, &reward->config, "ranking", row,
                              error))
      return FALSE;
  return TRUE;
}

static gboolean
sort_comparisons (Reward *self,
                  LaurelModel *reward,
                  GPtrArray *comparisons,
                  GChecksum *fingerprint,
                  int *out_longest,
                  GError **error)
{
  int n_skipped = 0;

  for (guint i = 0; i < comparisons->len; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (comparisons, i);
    LaurelRewardRow *row;

    if (!check_comparison (comparison, reward, (int) i + 1, error))
      return FALSE;
    for (int k = 0; k < comparison->n; k++) {
      laurel_data_digest_tokens (fingerprint, &comparison->ranks[k], 1);
      laurel_data_digest_tokens (fingerprint, comparison->completions[k]->tokens,
                                 comparison->completions[k]->n_tokens);
    }
    row = laurel_reward_row_new (comparison, self->limit);
    if (laurel_reward_count_pairs (comparison->ranks, row->twins, comparison->n, self->hp->ties)
        == 0) {
      n_skipped++;
      laurel_reward_row_free (row);
      continue;
    }
    *out_longest = MAX (*out_longest, row->n_tokens);
    g_ptr_array_add (is_held_out (self->hp, comparison->prompt_id) ? self->eval_rows : self->rows,
                     row);
  }
  if (n_skipped > 0)
    laurel_monitor_log (self->monitor,
                        "%d rankings have no pair to learn from (all tied) and were left out.",
                        n_skipped);
  if (self->rows->len > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not train a reward model: of %u rankings none is left to train on after ties "
               "and held-out prompts; "
               "rank more prompts",
               comparisons->len);
  return FALSE;
}

static gboolean
prepare (Reward *self, LaurelModel *reward, GPtrArray *comparisons, GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  g_autoptr (GChecksum)
      fingerprint = laurel_train_state_start_fingerprint (LAUREL_STAGE_REWARD, hp, reward);
  int longest = 1;

  self->limit = laurel_sequence_limit (&reward->config, hp);
  if (!sort_comparisons (self, reward, comparisons, fingerprint, &longest, error))
    return FALSE;
  laurel_monitor_log (self->monitor, "%u rankings to train on, %u held out.", self->rows->len,
                      self->eval_rows->len);
  self->rows_per_step = hp->batch_size * hp->gradient_accumulation_steps;
  self->steps_per_epoch = (int) ((self->rows->len + (guint) self->rows_per_step - 1)
                                 / (guint) self->rows_per_step);
  self->n_steps = laurel_data_count_steps (self->rows->len, self->rows_per_step, hp);
  self->order = g_new (guint32, self->rows->len);
  self->ordered_epoch = -1;
  self->micro = laurel_micro_batch_new (laurel_micro_batch_budget (&reward->config, longest));
  self->state.stage = LAUREL_STAGE_REWARD;
  self->state.monitor = self->monitor;
  self->state.save_steps = hp->save_steps;
  self->state.model = reward;
  self->state.fingerprint = g_strdup (g_checksum_get_string (fingerprint));
  self->state.optimizer = laurel_optimizer_new (reward->layout, hp, error);
  return self->state.optimizer != NULL
         && laurel_pass_init (&self->pass, reward, self->micro->max_tokens, TRUE, error)
         && laurel_train_state_resume (&self->state, error);
}

static const guint32 *
take_rows (Reward *self, int step, int *out_n)
{
  int epoch = step / self->steps_per_epoch;
  int from = step % self->steps_per_epoch * self->rows_per_step;

  if (epoch != self->ordered_epoch)
    laurel_data_order (self->order, self->rows->len, self->hp->seed, (guint64) epoch,
                       self->hp->shuffle);
  self->ordered_epoch = epoch;
  *out_n = MIN (self->rows_per_step, (int) self->rows->len - from);
  return self->order + from;
}

static void
report (Reward *self, const LaurelRewardSums *sums, const char *prefix)
{
  g_autofree char *loss = g_strconcat (prefix, "loss", NULL);
  g_autofree char *accuracy = g_strconcat (prefix, "accuracy", NULL);
  g_autofree char *margin = g_strconcat (prefix, "margin", NULL);
  int step = self->state.step;

  laurel_monitor_metric (self->monitor, step, loss, sums->loss / sums->n_prompts);
  if (sums->n_strict == 0)
    return; /* nothing but ties: there is no pair to be right about */
  laurel_monitor_metric (self->monitor, step, accuracy, sums->n_right / sums->n_strict);
  laurel_monitor_metric (self->monitor, step, margin, sums->margin / sums->n_strict);
}

static gboolean
evaluate (Reward *self, GError **error)
{
  LaurelRewardSums sums;

  if (self->eval_rows->len == 0)
    return TRUE;
  if (!laurel_reward_walk (&self->pass, self->micro, self->eval_rows, NULL,
                           (int) self->eval_rows->len, self->limit, self->hp->ties, NULL,
                           self->monitor, &self->state.checkpoint_wanted, &sums, error))
    return FALSE;
  report (self, &sums, "eval/");
  return TRUE;
}

static gboolean
train_step (Reward *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  double learning_rate = self->hp->learning_rate
                         * laurel_schedule_factor (self->hp->lr_scheduler_type, state->step,
                                                   self->n_steps, self->hp->warmup_steps);
  LaurelRewardSums sums;
  double norm;
  int n_rows;
  const guint32 *rows = take_rows (self, state->step, &n_rows);

  laurel_optimizer_clear (state->optimizer);
  if (!laurel_reward_walk (&self->pass, self->micro, self->rows, rows, n_rows, self->limit,
                           self->hp->ties, state->optimizer->gradients, self->monitor,
                           &state->checkpoint_wanted, &sums, error)
      || !laurel_optimizer_step (state->optimizer, state->model->weights, learning_rate, &norm,
                                 error))
    return FALSE;
  state->step++;
  report (self, &sums, "");
  laurel_monitor_metric (self->monitor, state->step, "learning_rate", learning_rate);
  laurel_monitor_metric (self->monitor, state->step, "grad_norm", norm);
  laurel_monitor_progress (self->monitor, state->step, self->n_steps);
  return TRUE;
}

static gboolean
train_and_report (Reward *self, GError **error)
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
laurel_train_reward (LaurelModel *reward,
                     GPtrArray *comparisons,
                     const LaurelModel *sft,
                     GPtrArray *reference_prompts,
                     const LaurelHyperparameters *hp,
                     const LaurelMonitor *monitor,
                     GError **error)
{
  g_auto (Reward) self = { .hp = hp, .monitor = monitor };
  g_autoptr (GError) local = NULL;

  self.rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);
  self.eval_rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);
  if (!laurel_hyperparameters_validate (hp, LAUREL_STAGE_REWARD, error)
      || !check_models (reward, sft, hp, error)
      || !prepare (&self, reward, comparisons, error))
    return FALSE;
  while (self.state.step < self.n_steps) {
    if (!train_and_report (&self, &local)) {
      laurel_train_state_interrupted (&self.state, &local);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  /* The last checkpoint holds the raw weights, so a run stopped from here on comes back to this
   * line. */
  return !hp->normalize_rewards
         || laurel_reward_normalize (reward, sft, reference_prompts, hp, self.state.step, monitor,
                                     error);
}
