/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rollout.h"

#include "core/base/error.h"

#include <string.h>

#define WORDS_PER_RECORD 12

G_STATIC_ASSERT (sizeof (LaurelTokenRecord) == WORDS_PER_RECORD * 4);

void
laurel_rollout_free (LaurelRollout *self)
{
  if (self == NULL)
    return;
  g_free (self->prompt);
  g_free (self->completion);
  g_free (self->prompt_tokens);
  g_free (self->records);
  g_free (self);
}

double
laurel_rollout_sum_kl (const LaurelRollout *self)
{
  double sum = 0;

  for (int t = 0; t < self->n_tokens; t++)
    sum += self->records[t].kl;
  return sum;
}

double
laurel_rollout_sum_reward (const LaurelRollout *self)
{
  double sum = 0;

  for (int t = 0; t < self->n_tokens; t++)
    sum += self->records[t].reward;
  return sum;
}

static void
swap_words (guint32 *words, gsize n)
{
  for (gsize i = 0; i < n; i++)
    words[i] = GUINT32_FROM_LE (words[i]); /* its own inverse; nothing on little-endian machines */
}

GBytes *
laurel_token_records_to_bytes (const LaurelTokenRecord *records, int n)
{
  gsize size = (gsize) n * sizeof *records;
  guint32 *words = g_malloc (MAX (size, 1));

  if (n > 0)
    memcpy (words, records, size);
  swap_words (words, size / 4);
  return g_bytes_new_take (words, size);
}

gboolean
laurel_token_records_from_bytes (const void *bytes, gsize n_bytes, LaurelTokenRecord **out_records,
                                 int *out_n, GError **error)
{
  if (n_bytes % sizeof (LaurelTokenRecord) != 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read the token records: %" G_GSIZE_FORMAT " bytes are no whole number "
                 "of records; the project's database is damaged, restore a backup",
                 n_bytes);
    return FALSE;
  }
  *out_n = (int) (n_bytes / sizeof (LaurelTokenRecord));
  *out_records = g_malloc (MAX (n_bytes, 1));
  if (n_bytes > 0)
    memcpy (*out_records, bytes, n_bytes);
  swap_words ((guint32 *) *out_records, n_bytes / 4);
  return TRUE;
}
