/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/best_of.h"

#include "core/base/error.h"
#include "core/train/train.h"

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

/* Prompt and completion as they were sampled, within the reward model's context. */
static LaurelSequence *
make_sequence (const LaurelModel *reward,
               const LaurelPromptTokens *prompt,
               const LaurelSample *sample)
{
  int n = prompt->n_tokens + sample->n_tokens;
  g_autofree gint32 *tokens = g_new (gint32, n);

  memcpy (tokens, prompt->tokens, sizeof *tokens * (gsize) prompt->n_tokens);
  memcpy (tokens + prompt->n_tokens, sample->tokens, sizeof *tokens * (gsize) sample->n_tokens);
  return laurel_sequence_new (tokens, MIN (n, reward->config.n_positions), prompt->n_tokens);
}

gboolean
laurel_best_of_score (const LaurelBestOf *self,
                      const LaurelPromptTokens *prompts,
                      GPtrArray *samples,
                      double *scores,
                      GError **error)
{
  g_autoptr (GPtrArray) sequences =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  g_autofree float *read = g_new (float, samples->len + 1);

  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);

    g_ptr_array_add (sequences, make_sequence (self->reward, &prompts[sample->prompt], sample));
  }
  if (!laurel_reward_score (self->reward, (LaurelSequence *const *) sequences->pdata,
                            (int) sequences->len, read, error))
    return FALSE;
  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);

    scores[i] = (double) read[i];
    if (sample->finish != LAUREL_FINISH_STOP)
      scores[i] -= self->missing_eos_penalty;
  }
  return TRUE;
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
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sample_free);
  g_autoptr (GPtrArray) samples = NULL;
  g_autofree double *scores = NULL;

  if (!laurel_best_of_check (self, model, error))
    return NULL;
  samples = laurel_generate (model, prompts, n_prompts, n_completions * self->n, options, progress,
                             user_data, error);
  if (samples == NULL)
    return NULL;
  scores = g_new (double, samples->len + 1);
  if (!laurel_best_of_score (self, prompts, samples, scores, error))
    return NULL;
  for (guint first = 0; first < samples->len; first += (guint) self->n) {
    guint best = first;
    LaurelSample *sample;

    for (guint i = first + 1; i < first + (guint) self->n; i++)
      if (scores[i] > scores[best])
        best = i;
    sample = g_steal_pointer (&g_ptr_array_index (samples, best));
    sample->index /= self->n;
    if (out_scores != NULL)
      out_scores[kept->len] = scores[best];
    g_ptr_array_add (kept, sample);
  }
  return g_steal_pointer (&kept);
}
