/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/micro_batch.h"

#include "core/base/error.h"
#include "core/base/memory.h"

#include <string.h>

#define MAX_TOKENS 4096
#define MIN_TOKENS 512
#define MAX_ACTIVATION_BYTES ((gsize) 128 << 20)

LaurelMicroBatch *
laurel_micro_batch_new (int max_tokens)
{
  LaurelMicroBatch *self = g_new0 (LaurelMicroBatch, 1);

  self->max_tokens = max_tokens;
  self->tokens = g_new0 (gint32, max_tokens);
  self->offsets = g_new0 (gint32, max_tokens + 1);
  self->positions = g_new0 (gint32, max_tokens);
  self->targets = g_new0 (gint32, max_tokens);
  self->sources = g_new0 (gint32, max_tokens);
  self->outputs = g_new0 (float, max_tokens);
  self->doutputs = g_new0 (float, max_tokens);
  return self;
}

void
laurel_micro_batch_free (LaurelMicroBatch *self)
{
  if (self == NULL)
    return;
  g_free (self->tokens);
  g_free (self->offsets);
  g_free (self->positions);
  g_free (self->targets);
  g_free (self->sources);
  g_free (self->outputs);
  g_free (self->doutputs);
  g_free (self);
}

void
laurel_micro_batch_clear (LaurelMicroBatch *self)
{
  self->n_tokens = 0;
  self->n_sequences = 0;
  self->n_labels = 0;
}

gboolean
laurel_micro_batch_fits (const LaurelMicroBatch *self, int n_tokens)
{
  return self->n_tokens + n_tokens <= self->max_tokens;
}

void
laurel_micro_batch_add (LaurelMicroBatch *self,
                        const gint32 *tokens,
                        int n_tokens,
                        int first_label,
                        int source)
{
  laurel_micro_batch_add_masked (self, tokens, NULL, n_tokens, first_label, source);
}

void
laurel_micro_batch_add_masked (LaurelMicroBatch *self,
                               const gint32 *tokens,
                               const guint8 *learned,
                               int n_tokens,
                               int first_label,
                               int source)
{
  int base = self->n_tokens;

  g_assert (laurel_micro_batch_fits (self, n_tokens) && first_label >= 1);

  memcpy (self->tokens + base, tokens, sizeof *tokens * (gsize) n_tokens);
  for (int t = first_label; t < n_tokens; t++) {
    if (learned != NULL && !learned[t])
      continue;
    self->positions[self->n_labels] = base + t - 1;
    self->targets[self->n_labels] = tokens[t];
    self->sources[self->n_labels] = source + t - first_label;
    self->n_labels++;
  }
  self->n_tokens += n_tokens;
  self->n_sequences++;
  self->offsets[self->n_sequences] = self->n_tokens;
}

LaurelBatch
laurel_micro_batch_as_batch (const LaurelMicroBatch *self)
{
  return (LaurelBatch) { self->tokens, self->offsets, self->n_sequences };
}

LaurelLabels
laurel_micro_batch_as_labels (const LaurelMicroBatch *self)
{
  return (LaurelLabels) { self->positions, self->targets, self->n_labels };
}

int
laurel_micro_batch_budget (const LaurelModelConfig *config, int longest)
{
  int budget = MAX_TOKENS;

  while (budget > MIN_TOKENS
         && laurel_activations_size (config, budget, TRUE) > MAX_ACTIVATION_BYTES)
    budget /= 2;
  return MAX (budget, longest);
}

int
laurel_micro_batch_room (const LaurelModelConfig *config, int longest, int n_rows)
{
  gint64 budget = laurel_micro_batch_budget (config, longest);

  return (int) MIN (budget, (gint64) MAX (longest, 1) * MAX (n_rows, 1));
}

gboolean
laurel_pass_init (LaurelPass *self,
                  const LaurelModel *model,
                  int max_tokens,
                  gboolean for_backward,
                  GError **error)
{
  gsize n_bytes = sizeof (float) * (gsize) max_tokens * (gsize) model->config.n_embd;

  self->model = model;
  self->acts = laurel_activations_new (&model->config, max_tokens, for_backward, error);
  if (self->acts == NULL)
    return FALSE;
  if (!for_backward)
    return TRUE;
  self->dhidden = laurel_alloc_aligned (n_bytes);
  if (self->dhidden == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not start training: %" G_GSIZE_FORMAT
                 " MiB for the gradients of hidden states are not there; "
                 "close other programs or use a smaller model",
                 n_bytes >> 20);
    return FALSE;
  }
  return TRUE;
}

void
laurel_pass_init_beside (LaurelPass *self, const LaurelModel *model, const LaurelPass *owner)
{
  *self = *owner;
  self->model = model;
  self->borrowed = TRUE;
}

void
laurel_pass_clear (LaurelPass *self)
{
  if (self->borrowed)
    return;
  g_clear_pointer (&self->acts, laurel_activations_free);
  g_clear_pointer (&self->dhidden, laurel_free_aligned);
}

void
laurel_pass_forward (LaurelPass *self, const LaurelMicroBatch *micro)
{
  LaurelBatch batch = laurel_micro_batch_as_batch (micro);

  self->hidden = laurel_transformer_forward (self->model, &batch, self->acts);
  if (self->dhidden != NULL)
    memset (self->dhidden, 0,
            sizeof (float) * (gsize) micro->n_tokens * (gsize) self->model->config.n_embd);
}

void
laurel_pass_backward (LaurelPass *self, const LaurelMicroBatch *micro, float *gradients)
{
  LaurelBatch batch = laurel_micro_batch_as_batch (micro);

  laurel_transformer_backward (self->model, &batch, self->acts, self->dhidden, gradients);
}

void
laurel_pass_score (LaurelPass *self, LaurelMicroBatch *micro, float *scores)
{
  for (int b = 0; b < micro->n_sequences; b++)
    micro->positions[b] = micro->offsets[b + 1] - 1;
  laurel_pass_forward (self, micro);
  laurel_score_head_forward (self->model, self->hidden, micro->positions, micro->n_sequences,
                             scores);
}
