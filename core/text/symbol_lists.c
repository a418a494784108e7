/* symbol_lists.c: linked lists over one array, and a hash table of pairs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/symbol_lists.h"

#include "core/text/tokenizer_private.h"

#define NOWHERE G_MAXUINT32
#define GONE (-1)

struct _LaurelSymbolLists {
  gint32 *symbols; /* GONE where one was merged into the one before it */
  guint32 *next;
  guint32 *before;
  guint32 *word_at; /* the word that a symbol belongs to */
  guint32 n_symbols;
  GArray *counts;      /* gint64, of the words */
  GArray *pairs;       /* LaurelPair */
  guint32 *pair_slots; /* hash table: pair + 1, or 0 */
  gsize n_pair_slots;  /* a power of two */
};

LaurelSymbolLists *
laurel_symbol_lists_new (gsize n_symbols)
{
  LaurelSymbolLists *self = g_new0 (LaurelSymbolLists, 1);

  self->symbols = g_new (gint32, n_symbols);
  self->next = g_new (guint32, n_symbols);
  self->before = g_new (guint32, n_symbols);
  self->word_at = g_new (guint32, n_symbols);
  self->counts = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->pairs = g_array_new (FALSE, FALSE, sizeof (LaurelPair));
  self->n_pair_slots = 1 << 16;
  self->pair_slots = g_new0 (guint32, self->n_pair_slots);
  return self;
}

void
laurel_symbol_lists_free (LaurelSymbolLists *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->pairs->len; i++)
    g_free (g_array_index (self->pairs, LaurelPair, i).places);
  g_array_unref (self->counts);
  g_array_unref (self->pairs);
  g_free (self->symbols);
  g_free (self->next);
  g_free (self->before);
  g_free (self->word_at);
  g_free (self->pair_slots);
  g_free (self);
}

static gsize
find_pair_slot (const LaurelSymbolLists *self, gint32 left, gint32 right)
{
  gsize slot = laurel_hash_pair (left, right) & (self->n_pair_slots - 1);

  while (self->pair_slots[slot] != 0) {
    const LaurelPair *pair = &g_array_index (self->pairs, LaurelPair, self->pair_slots[slot] - 1);

    if (pair->left == left && pair->right == right)
      break;
    slot = (slot + 1) & (self->n_pair_slots - 1);
  }
  return slot;
}

static void
grow_pair_slots (LaurelSymbolLists *self)
{
  self->n_pair_slots *= 2;
  g_free (self->pair_slots);
  self->pair_slots = g_new0 (guint32, self->n_pair_slots);
  for (guint i = 0; i < self->pairs->len; i++) {
    const LaurelPair *pair = &g_array_index (self->pairs, LaurelPair, i);

    self->pair_slots[find_pair_slot (self, pair->left, pair->right)] = i + 1;
  }
}

static LaurelPair *
get_pair (LaurelSymbolLists *self, gint32 left, gint32 right)
{
  gsize slot = find_pair_slot (self, left, right);
  LaurelPair fresh = { .left = left, .right = right };

  if (self->pair_slots[slot] != 0)
    return &g_array_index (self->pairs, LaurelPair, self->pair_slots[slot] - 1);
  g_array_append_val (self->pairs, fresh);
  self->pair_slots[slot] = self->pairs->len;
  if ((gsize) self->pairs->len * 2 > self->n_pair_slots)
    grow_pair_slots (self);
  return &g_array_index (self->pairs, LaurelPair, self->pairs->len - 1);
}

static void
add_place (LaurelSymbolLists *self, guint32 at, gint64 count)
{
  LaurelPair *pair = get_pair (self, self->symbols[at], self->symbols[self->next[at]]);

  if (pair->n_places == pair->capacity) {
    pair->capacity = MAX (2, pair->capacity * 2);
    pair->places = g_renew (guint32, pair->places, pair->capacity);
  }
  pair->places[pair->n_places++] = at;
  pair->count += count;
}

void
laurel_symbol_lists_add_word (LaurelSymbolLists *self, const gint32 *symbols, gsize n, gint64 count)
{
  guint32 start = self->n_symbols;

  for (guint32 i = 0; i < n; i++) {
    guint32 at = start + i;

    self->symbols[at] = symbols[i];
    self->next[at] = i + 1 < n ? at + 1 : NOWHERE;
    self->before[at] = i > 0 ? at - 1 : NOWHERE;
    self->word_at[at] = self->counts->len;
    if (i > 0)
      add_place (self, at - 1, count);
  }
  self->n_symbols += (guint32) n;
  g_array_append_val (self->counts, count);
}

guint
laurel_symbol_lists_get_n_pairs (const LaurelSymbolLists *self)
{
  return self->pairs->len;
}

const LaurelPair *
laurel_symbol_lists_get_pair (const LaurelSymbolLists *self, guint pair)
{
  return &g_array_index (self->pairs, LaurelPair, pair);
}

static void
drop_count (LaurelSymbolLists *self, guint32 at, gint64 count)
{
  get_pair (self, self->symbols[at], self->symbols[self->next[at]])->count -= count;
}

static void
merge_place (LaurelSymbolLists *self, guint32 at, gint32 merged, gint64 count)
{
  guint32 gone = self->next[at], next = self->next[gone], before = self->before[at];

  if (before != NOWHERE)
    drop_count (self, before, count);
  if (next != NOWHERE)
    drop_count (self, gone, count);
  self->symbols[at] = merged;
  self->symbols[gone] = GONE;
  self->next[at] = next;
  if (next != NOWHERE) {
    self->before[next] = at;
    add_place (self, at, count);
  }
  if (before != NOWHERE)
    add_place (self, before, count);
}

gint64
laurel_symbol_lists_merge (LaurelSymbolLists *self, guint index, gint32 merged)
{
  LaurelPair pair = g_array_index (self->pairs, LaurelPair, index);
  gint64 total = 0;

  g_array_index (self->pairs, LaurelPair, index).places = NULL;
  for (guint32 i = 0; i < pair.n_places; i++) {
    guint32 at = pair.places[i];
    gint64 count = g_array_index (self->counts, gint64, self->word_at[at]);

    if (self->symbols[at] != pair.left || self->next[at] == NOWHERE
        || self->symbols[self->next[at]] != pair.right)
      continue;
    merge_place (self, at, merged, count);
    total += count;
  }
  g_free (pair.places);
  g_array_index (self->pairs, LaurelPair, index).count = 0;
  return total;
}
