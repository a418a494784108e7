/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ragged.h"

#include <string.h>

void
laurel_ragged_init (LaurelRagged *self)
{
  self->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->learned = g_array_new (FALSE, FALSE, sizeof (guint8));
  self->offsets = g_array_new (FALSE, FALSE, sizeof (gint32));
  laurel_ragged_restart (self);
}

void
laurel_ragged_clear (LaurelRagged *self)
{
  g_clear_pointer (&self->tokens, g_array_unref);
  g_clear_pointer (&self->learned, g_array_unref);
  g_clear_pointer (&self->offsets, g_array_unref);
}

void
laurel_ragged_restart (LaurelRagged *self)
{
  const gint32 start = 0;

  g_array_set_size (self->tokens, 0);
  g_array_set_size (self->learned, 0);
  g_array_set_size (self->offsets, 0);
  g_array_append_val (self->offsets, start);
  self->n_labels = 0;
}

gint32 *
laurel_ragged_add (LaurelRagged *self, int n)
{
  guint start = self->tokens->len;
  gint32 end = (gint32) start + n;

  g_array_set_size (self->tokens, (guint) end);
  g_array_set_size (self->learned, (guint) end);
  g_array_append_val (self->offsets, end);
  memset (self->learned->data + start, 1, (gsize) n);
  self->learned->data[start] = 0;
  self->n_labels += n - 1;
  return &g_array_index (self->tokens, gint32, start);
}

void
laurel_ragged_add_masked (LaurelRagged *self,
                          const gint32 *tokens,
                          const guint8 *learned,
                          int n,
                          int first_label)
{
  guint start = self->tokens->len;
  guint8 *mask;

  memcpy (laurel_ragged_add (self, n), tokens, sizeof *tokens * (gsize) n);
  mask = (guint8 *) self->learned->data + start;
  for (int t = 1; t < n; t++) {
    if (t >= first_label && (learned == NULL || learned[t] != 0))
      continue;
    mask[t] = 0;
    self->n_labels--;
  }
}
