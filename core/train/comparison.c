/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/comparison.h"

#include "core/train/sequence.h"

#include <string.h>

gint64
laurel_comparison_split_seed (const LaurelHyperparameters *hp)
{
  return hp->split_seed >= 0 ? hp->split_seed : hp->seed;
}

gboolean
laurel_comparison_is_held_out (const LaurelHyperparameters *hp, gint64 prompt_id)
{
  LaurelRng rng;

  laurel_rng_init (&rng, (guint64) laurel_comparison_split_seed (hp), LAUREL_RNG_SPLIT,
                   (guint64) prompt_id, 0);
  return laurel_rng_uniform (&rng) < hp->eval_split;
}

gboolean
laurel_comparison_check (const LaurelComparison *self,
                         const LaurelModelConfig *config,
                         int row,
                         GError **error)
{
  for (int k = 0; k < self->n; k++)
    if (!laurel_tokens_check (self->completions[k]->tokens, self->completions[k]->n_tokens, config,
                              "ranking", row, error))
      return FALSE;
  return TRUE;
}

void
laurel_comparison_digest (const LaurelComparison *self, GChecksum *checksum)
{
  for (int k = 0; k < self->n; k++) {
    laurel_data_digest_tokens (checksum, &self->ranks[k], 1);
    laurel_data_digest_tokens (checksum, self->completions[k]->tokens,
                               self->completions[k]->n_tokens);
  }
}

static gboolean
is_same (const LaurelSequence *a, const LaurelSequence *b)
{
  return a->n_tokens == b->n_tokens
         && memcmp (a->tokens, b->tokens, sizeof *a->tokens * (gsize) a->n_tokens) == 0;
}

int *
laurel_comparison_find_twins (const LaurelComparison *self)
{
  int *twins = g_new0 (int, self->n);

  for (int i = 0; i < self->n; i++)
    while (!is_same (self->completions[twins[i]], self->completions[i]))
      twins[i]++;
  return twins;
}
