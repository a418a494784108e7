/* reward.c: a reward model from rankings.
 *
 * All completions of a prompt are one batch element: K passes, C(K, 2) pairs,
 * the mean over prompts (reward_loss.h). The score is read at the last token,
 * end-of-text. Whole prompts are held out. The scores are normalised on samples
 * of the SFT model, when training is done and, if asked for, before (normalize.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/train/comparison.h"
#include "core/train/loop.h"
#include "core/train/normalize.h"
#include "core/train/reward_walk.h"
#include "core/train/sequence.h"

typedef struct {
  GPtrArray *rows;      /* (element-type LaurelRewardRow) trained on */
  GPtrArray *eval_rows; /* and held out */
  int limit;
  LaurelRewardRule rule;
  LaurelRewardSums sums; /* of the last batch */
  GPtrArray *reference;  /* (element-type LaurelSequence); NULL: not sampled yet */
  LaurelLoop loop;
} Reward;

static void
reward_clear (Reward *self)
{
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->eval_rows);
  g_clear_pointer (&self->reference, g_ptr_array_unref);
  laurel_loop_clear (&self->loop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reward, reward_clear)

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
  if (!hp->normalize_rewards && !hp->normalize_before)
    return TRUE;
  if (sft == NULL || sft->config.head != LAUREL_HEAD_LM
      || !g_str_equal (laurel_tokenizer_get_hash (reward->tokenizer),
                       laurel_tokenizer_get_hash (sft->tokenizer))) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not train a reward model: normalising its scores needs an SFT model with "
                 "the same tokenizer; "
                 "choose one, or switch normalize_rewards and normalize_before off");
    return FALSE;
  }
  return TRUE;
}

/* What is left out, held out or trained on. Takes @row. */
static gboolean
sort_row (Reward *self, LaurelRewardRow *row, int number, int *n_skipped, GError **error)
{
  const LaurelComparison *comparison = row->comparison;
  int n_tied = laurel_reward_count_tied (comparison->ranks, row->twins, comparison->n);

  if (self->rule.loss == LAUREL_REWARD_PLACKETT_LUCE && n_tied > LAUREL_REWARD_MAX_TIED) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use ranking %d: it has %d completions tied with each other and "
                 "plackett_luce takes at most %d; set reward_loss to pairwise",
                 number, n_tied, LAUREL_REWARD_MAX_TIED);
    laurel_reward_row_free (row);
    return FALSE;
  }
  if (laurel_reward_count (&self->rule, comparison->ranks, row->twins, comparison->n) == 0) {
    (*n_skipped)++;
    laurel_reward_row_free (row);
    return TRUE;
  }
  g_ptr_array_add (laurel_comparison_is_held_out (self->loop.hp, comparison->prompt_id)
                       ? self->eval_rows
                       : self->rows,
                   row);
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

    if (!laurel_comparison_check (comparison, &reward->config, (int) i + 1, error))
      return FALSE;
    laurel_comparison_digest (comparison, fingerprint);
    row = laurel_reward_row_new (comparison, self->limit);
    *out_longest = MAX (*out_longest, row->n_tokens);
    if (!sort_row (self, row, (int) i + 1, &n_skipped, error))
      return FALSE;
  }
  if (n_skipped > 0)
    laurel_monitor_log (self->loop.monitor,
                        "%d rankings have nothing to learn from (%s) and were left out.", n_skipped,
                        self->rule.loss == LAUREL_REWARD_PICK_BEST ? "tied for the best"
                                                                   : "all tied");
  if (self->rows->len > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not train a reward model: of %u rankings none is left to train on after ties "
               "and held-out prompts; "
               "rank more prompts",
               comparisons->len);
  return FALSE;
}

static void
report_sums (LaurelLoop *loop, const LaurelRewardSums *sums, const char *prefix)
{
  g_autofree char *loss = g_strconcat (prefix, "loss", NULL);
  g_autofree char *accuracy = g_strconcat (prefix, "accuracy", NULL);
  g_autofree char *margin = g_strconcat (prefix, "margin", NULL);
  int step = loop->state.step;

  laurel_monitor_metric (loop->monitor, step, loss, sums->loss / sums->n_prompts);
  if (sums->n_strict == 0)
    return; /* nothing but ties: there is no pair to be right about */
  laurel_monitor_metric (loop->monitor, step, accuracy, sums->n_right / sums->n_strict);
  laurel_monitor_metric (loop->monitor, step, margin, sums->margin / sums->n_strict);
}

static void
report (LaurelLoop *loop)
{
  report_sums (loop, &((Reward *) loop->stage)->sums, "");
}

static gboolean
add_gradient (LaurelLoop *loop, const guint32 *rows, int n, GError **error)
{
  Reward *self = loop->stage;

  return laurel_reward_walk (&loop->pass, loop->micro, self->rows, rows, n, self->limit,
                             &self->rule, loop->state.optimizer->gradients, loop->monitor,
                             &loop->state.checkpoint_wanted, &self->sums, error);
}

static gboolean
evaluate (LaurelLoop *loop, GError **error)
{
  const Reward *self = loop->stage;
  LaurelRewardSums sums;

  if (self->eval_rows->len == 0)
    return TRUE;
  if (!laurel_reward_walk (&loop->pass, loop->micro, self->eval_rows, NULL,
                           (int) self->eval_rows->len, self->limit, &self->rule, NULL,
                           loop->monitor, &loop->state.checkpoint_wanted, &sums, error))
    return FALSE;
  report_sums (loop, &sums, "eval/");
  return TRUE;
}

static gboolean
prepare (Reward *self, LaurelModel *reward, GPtrArray *comparisons, GError **error)
{
  LaurelLoop *loop = &self->loop;
  g_autoptr (GChecksum)
      fingerprint = laurel_train_state_start_fingerprint (LAUREL_STAGE_REWARD, loop->hp, reward);
  int longest = 1;

  self->limit = laurel_sequence_limit (&reward->config, loop->hp);
  self->rule = (LaurelRewardRule) { loop->hp->reward_loss, loop->hp->ties };
  if (!sort_comparisons (self, reward, comparisons, fingerprint, &longest, error))
    return FALSE;
  laurel_monitor_log (loop->monitor, "%u rankings to train on, %u held out.", self->rows->len,
                      self->eval_rows->len);
  loop->n_rows = self->rows->len;
  loop->stage = self;
  loop->add_gradient = add_gradient;
  loop->report = report;
  loop->evaluate = evaluate;
  return laurel_loop_prepare (loop, LAUREL_STAGE_REWARD, reward, longest,
                              g_steal_pointer (&fingerprint), error);
}

/* --- The scale of the scores --------------------------------------------------------- */

static gboolean
normalize (Reward *self,
           LaurelModel *reward,
           const LaurelModel *sft,
           GPtrArray *prompts,
           LaurelRewardScale *out,
           GError **error)
{
  if (self->reference == NULL)
    self->reference = laurel_reward_sample_reference (reward, sft, prompts, self->loop.hp,
                                                      self->loop.monitor, error);
  return self->reference != NULL && laurel_reward_normalize (reward, self->reference, out, error);
}

/* A resumed run's weights come from its checkpoint and have been scaled already. */
static gboolean
normalize_before (Reward *self,
                  LaurelModel *reward,
                  const LaurelModel *sft,
                  GPtrArray *prompts,
                  GError **error)
{
  const LaurelMonitor *monitor = self->loop.monitor;
  LaurelRewardScale scale;

  if (!self->loop.hp->normalize_before || self->loop.state.saved_step >= 0)
    return TRUE;
  if (!normalize (self, reward, sft, prompts, &scale, error))
    return FALSE;
  laurel_monitor_metric (monitor, 0, "normalize_before/gain", scale.gain);
  laurel_monitor_metric (monitor, 0, "normalize_before/bias", scale.bias);
  return TRUE;
}

/* The last checkpoint holds the raw weights, so a run stopped from here on comes back to this
 * line. */
static gboolean
normalize_after (Reward *self,
                 LaurelModel *reward,
                 const LaurelModel *sft,
                 GPtrArray *prompts,
                 GError **error)
{
  const LaurelMonitor *monitor = self->loop.monitor;
  int step = self->loop.state.step;
  LaurelRewardScale scale;

  if (!self->loop.hp->normalize_rewards)
    return TRUE;
  if (!normalize (self, reward, sft, prompts, &scale, error))
    return FALSE;
  reward->config.normalized = TRUE;
  reward->config.reward_gain = scale.gain;
  reward->config.reward_bias = scale.bias;
  laurel_monitor_metric (monitor, step, "normalize/gain", scale.gain);
  laurel_monitor_metric (monitor, step, "normalize/bias", scale.bias);
  laurel_monitor_metric (monitor, step, "normalize/mean", scale.mean);
  laurel_monitor_metric (monitor, step, "normalize/std", scale.std);
  return TRUE;
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
  g_auto (Reward) self = { .loop = { .hp = hp, .monitor = monitor } };

  self.rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);
  self.eval_rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);
  return laurel_hyperparameters_validate (hp, LAUREL_STAGE_REWARD, error)
         && check_models (reward, sft, hp, error) && prepare (&self, reward, comparisons, error)
         && normalize_before (&self, reward, sft, reference_prompts, error)
         && laurel_loop_run (&self.loop, error)
         && normalize_after (&self, reward, sft, reference_prompts, error);
}
