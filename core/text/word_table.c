/* word_table.c: an open-addressing table whose slots hold the words themselves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/word_table.h"

typedef struct {
  LaurelWordKey key; /* high is 0 in a free slot */
  gint64 number;
} Slot;

struct _LaurelWordTable {
  gsize n_slots; /* a power of two, at least twice the words */
  Slot slots[];
};

LaurelWordTable *
laurel_word_table_new (gsize n_words)
{
  gsize n_slots = 64;
  LaurelWordTable *self;

  while (n_slots < 2 * n_words)
    n_slots *= 2;
  self = g_malloc0 (sizeof *self + n_slots * sizeof (Slot));
  self->n_slots = n_slots;
  return self;
}

void
laurel_word_table_free (LaurelWordTable *self)
{
  g_free (self);
}

static gsize
find_slot (const LaurelWordTable *self, LaurelWordKey key)
{
  gsize slot = laurel_hash_word_key (key) & (self->n_slots - 1);

  while (self->slots[slot].key.high != 0 && !laurel_word_key_equal (self->slots[slot].key, key))
    slot = (slot + 1) & (self->n_slots - 1);
  return slot;
}

void
laurel_word_table_add (LaurelWordTable *self, LaurelWordKey key, gint32 number)
{
  self->slots[find_slot (self, key)] = (Slot){ key, number };
}

gint32
laurel_word_table_find (const LaurelWordTable *self, LaurelWordKey key)
{
  const Slot *slot = &self->slots[find_slot (self, key)];

  return slot->key.high != 0 ? (gint32) slot->number : -1;
}
