/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/best_of.h"

#include "core/base/error.h"
#include "core/train/answers.h"

gboolean
laurel_best_of_check (const LaurelBestOf *self, const LaurelModel *model, GError **error)
{
  if (self->reward->config.head != LAUREL_HEAD_SCORE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not score samples: the model that is to score them is a language model; "
                 "choose a reward model");
    return FALSE;
  }
  if (g_strcmp0 (laurel_tokenizer_get_hash (self->reward->tokenizer),
                 laurel_tokenizer_get_hash (model->tokenizer))
      == 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not score samples: model and reward model have different tokenizers; train "
               "the reward model from the same SFT model");
  return FALSE;
}

/* The first of the @n answers from @first on that no other is better than. */
static LaurelAnswer *
choose (GPtrArray *answers, guint first, guint n)
{
  LaurelAnswer *best = g_ptr_array_index (answers, first);

  for (guint i = first + 1; i < first + n; i++) {
    LaurelAnswer *one = g_ptr_array_index (answers, i);

    if (one->score > best->score)
      best = one;
  }
  return best;
}

GPtrArray *
laurel_best_of_generate (const LaurelBestOf *self,
                         const LaurelModel *model,
                         const LaurelPromptTokens *prompts,
                         int n_prompts,
                         int n_completions,
                         const LaurelSamplingOptions *options,
                         LaurelGenerateProgress progress,
                         gpointer user_data,
                         double *out_scores,
                         GError **error)
{
  const LaurelAnswersRequest wanted = {
    .model = model,
    .prompts = prompts,
    .n_prompts = n_prompts,
    .n_completions = n_completions * self->n,
    .options = options,
    .progress = progress,
    .user_data = user_data,
    .reward = self->reward,
    .missing_eos_penalty = self->missing_eos_penalty,
  };
  g_autoptr (GPtrArray) answers = NULL;
  GPtrArray *kept;

  if (!laurel_best_of_check (self, model, error))
    return NULL;
  answers = laurel_answers_new (&wanted, error);
  if (answers == NULL)
    return NULL;
  kept = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sample_free);
  for (guint first = 0; first < answers->len; first += (guint) self->n) {
    LaurelAnswer *best = choose (answers, first, (guint) self->n);

    best->sample->index /= self->n;
    if (out_scores != NULL)
      out_scores[kept->len] = best->score;
    g_ptr_array_add (kept, g_steal_pointer (&best->sample));
  }
  return kept;
}
