/* sequence.c: the stages' data, and the check that every row passes first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/sequence.h"

#include "core/base/error.h"

LaurelSequence *
laurel_sequence_new (const gint32 *tokens, int n_tokens, int n_prompt)
{
  LaurelSequence *self = g_new0 (LaurelSequence, 1);

  self->tokens = g_memdup2 (tokens, sizeof *tokens * (gsize) n_tokens);
  self->n_tokens = n_tokens;
  self->n_prompt = n_prompt;
  return self;
}

LaurelSequence *
laurel_sequence_new_masked (const gint32 *tokens, const guint8 *learned, int n_tokens)
{
  LaurelSequence *self = laurel_sequence_new (tokens, n_tokens, 1);

  self->learned = g_memdup2 (learned, (gsize) n_tokens);
  while (self->n_prompt < n_tokens && !learned[self->n_prompt])
    self->n_prompt++;
  return self;
}

void
laurel_sequence_free (LaurelSequence *self)
{
  if (self == NULL)
    return;
  g_free (self->learned);
  g_free (self->tokens);
  g_free (self);
}

void
laurel_comparison_free (LaurelComparison *self)
{
  if (self == NULL)
    return;
  for (int i = 0; i < self->n; i++)
    laurel_sequence_free (self->completions[i]);
  g_free (self->completions);
  g_free (self->ranks);
  g_free (self->completion_ids);
  g_free (self);
}

void
laurel_train_prompt_free (LaurelTrainPrompt *self)
{
  if (self == NULL)
    return;
  g_free (self->tokens);
  g_free (self->text);
  g_free (self);
}

int
laurel_sequence_first_label (const LaurelSequence *self)
{
  return MAX (self->n_prompt, 1);
}

int
laurel_sequence_count_labels (const LaurelSequence *self, int n_tokens)
{
  int first = laurel_sequence_first_label (self);
  int n = 0;

  if (self->learned == NULL)
    return MAX (n_tokens - first, 0);
  for (int t = first; t < n_tokens; t++)
    n += self->learned[t] != 0;
  return n;
}

gboolean
laurel_tokens_check (const gint32 *tokens,
                     int n_tokens,
                     const LaurelModelConfig *config,
                     const char *what,
                     int row,
                     GError **error)
{
  if (n_tokens < 1) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use %s %d: it is empty; leave it out", what, row);
    return FALSE;
  }
  for (int t = 0; t < n_tokens; t++) {
    if (tokens[t] < 0 || tokens[t] >= config->vocab_size) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                   "Could not use %s %d: token %d is not in the model's vocabulary of %d; "
                   "encode it with the model's own tokenizer",
                   what, row, tokens[t], config->vocab_size);
      return FALSE;
    }
  }
  return TRUE;
}

int
laurel_sequence_limit (const LaurelModelConfig *config, const LaurelHyperparameters *hp)
{
  return hp->max_length > 0 ? MIN (hp->max_length, config->n_positions) : config->n_positions;
}

gboolean
laurel_data_is_held_out (const LaurelHyperparameters *hp, guint64 index)
{
  LaurelRng rng;

  laurel_rng_init (&rng, (guint64) hp->seed, LAUREL_RNG_SPLIT, 0, index);
  return laurel_rng_uniform (&rng) < hp->eval_split;
}

void
laurel_data_digest_tokens (GChecksum *checksum, const gint32 *tokens, int n_tokens)
{
  gint32 length = n_tokens;

  g_checksum_update (checksum, (const guchar *) &length, sizeof length);
  g_checksum_update (checksum, (const guchar *) tokens,
                     (gssize) (sizeof *tokens * (gsize) n_tokens));
}

void
laurel_data_order (guint32 *order, gsize n, gint64 seed, guint64 epoch, gboolean shuffle)
{
  LaurelRng rng;

  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  if (!shuffle)
    return;
  laurel_rng_init (&rng, (guint64) seed, LAUREL_RNG_SHUFFLE, epoch, 0);
  laurel_rng_shuffle (&rng, order, n);
}

int
laurel_data_count_steps (gsize n_rows, int rows_per_step, const LaurelHyperparameters *hp)
{
  gsize per_epoch = (n_rows + (gsize) rows_per_step - 1) / (gsize) rows_per_step;
  double steps = hp->num_train_epochs * (double) per_epoch;

  if (hp->max_steps > 0)
    return hp->max_steps;
  return (int) CLAMP (steps + 0.999999, 1, G_MAXINT / 2);
}
