/* evaluate.c: losses, log-probabilities and scores without training.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/train/language.h"
#include "core/train/sequence.h"

static gboolean
check_fits (const LaurelModel *model, const LaurelSequence *sequence, int row, GError **error)
{
  if (!laurel_tokens_check (sequence->tokens, sequence->n_tokens, &model->config, "sequence", row,
                            error))
    return FALSE;
  if (sequence->n_tokens > model->config.n_positions) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
        "Could not use sequence %d: it has %d tokens, the model's context holds %d; shorten it",
        row, sequence->n_tokens, model->config.n_positions);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_head (const LaurelModel *model, LaurelHead head, GError **error)
{
  if (model->config.head == head)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not evaluate: the model is %s; choose %s",
               head == LAUREL_HEAD_LM ? "a reward model" : "a language model",
               head == LAUREL_HEAD_LM ? "a language model" : "a reward model");
  return FALSE;
}

gboolean
laurel_evaluate_loss (const LaurelModel *model,
                      const LaurelRows *rows,
                      double *out_loss,
                      gint64 *out_n_tokens,
                      GError **error)
{
  int limit = model->config.n_positions;
  int longest = laurel_rows_get_longest (rows, limit);
  g_autoptr (LaurelMicroBatch) micro = NULL;
  LaurelPass pass = { 0 };
  gboolean done;

  if (!check_head (model, LAUREL_HEAD_LM, error)
      || !laurel_rows_check (rows, &model->config, limit, "row", NULL, error))
    return FALSE;
  micro = laurel_micro_batch_new (laurel_micro_batch_room (
      &model->config, longest, (int) MIN (laurel_rows_count (rows), G_MAXINT)));
  done = laurel_pass_init (&pass, model, micro->max_tokens, FALSE, error)
         && laurel_language_measure (&pass, micro, rows, laurel_rows_count (rows), limit, NULL,
                                     NULL, out_loss, out_n_tokens, error);
  laurel_pass_clear (&pass);
  if (done && *out_n_tokens == 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
        "Could not measure the loss: the sequences have no token to predict; give longer ones");
    return FALSE;
  }
  if (done)
    *out_loss /= (double) *out_n_tokens;
  return done;
}

gboolean
laurel_evaluate_logprobs (const LaurelModel *model,
                          const LaurelSequence *sequence,
                          float *logprobs,
                          GError **error)
{
  g_autoptr (LaurelMicroBatch) micro = NULL;
  LaurelPass pass = { 0 };
  LaurelLabels labels;

  if (!check_head (model, LAUREL_HEAD_LM, error) || !check_fits (model, sequence, 1, error))
    return FALSE;
  micro = laurel_micro_batch_new (sequence->n_tokens);
  if (!laurel_pass_init (&pass, model, micro->max_tokens, FALSE, error))
    return FALSE;
  laurel_micro_batch_add (micro, sequence->tokens, sequence->n_tokens, 1, 0);
  laurel_pass_forward (&pass, micro);
  labels = laurel_micro_batch_as_labels (micro);
  laurel_lm_head_logprobs (model, pass.hidden, &labels, 1, logprobs, NULL);
  laurel_pass_clear (&pass);
  return TRUE;
}

static void
score_all (LaurelPass *pass,
           LaurelMicroBatch *micro,
           LaurelSequence *const *sequences,
           int n,
           float *scores)
{
  for (int at = 0; at < n;) {
    int from = at;

    laurel_micro_batch_clear (micro);
    for (; at < n && laurel_micro_batch_fits (micro, sequences[at]->n_tokens); at++)
      laurel_micro_batch_add (micro, sequences[at]->tokens, sequences[at]->n_tokens,
                              sequences[at]->n_tokens, 0);
    laurel_pass_score (pass, micro, scores + from);
  }
}

gboolean
laurel_reward_score (const LaurelModel *reward,
                     LaurelSequence *const *sequences,
                     int n,
                     float *scores,
                     GError **error)
{
  g_autoptr (LaurelMicroBatch) micro = NULL;
  LaurelPass pass = { 0 };
  int longest = 1;

  if (!check_head (reward, LAUREL_HEAD_SCORE, error))
    return FALSE;
  for (int i = 0; i < n; i++) {
    if (!check_fits (reward, sequences[i], i + 1, error))
      return FALSE;
    longest = MAX (longest, sequences[i]->n_tokens);
  }
  micro = laurel_micro_batch_new (laurel_micro_batch_room (&reward->config, longest, n));
  if (!laurel_pass_init (&pass, reward, micro->max_tokens, FALSE, error))
    return FALSE;
  score_all (&pass, micro, sequences, n, scores);
  laurel_pass_clear (&pass);
  return TRUE;
}
