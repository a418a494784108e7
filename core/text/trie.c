/* trie.c: all edges in one hash table, so that a step is one look into memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/trie.h"

typedef struct {
  guint64 key; /* (node << 8 | byte) + 1; 0 in a free slot */
  guint32 child;
} Edge;

struct _LaurelTrie {
  Edge *edges;
  gsize n_slots; /* a power of two */
  gsize n_edges;
  GArray *numbers; /* gint32 a node; −1: no string ends there */
};

LaurelTrie *
laurel_trie_new (void)
{
  LaurelTrie *self = g_new0 (LaurelTrie, 1);
  const gint32 none = -1;

  self->n_slots = 1024;
  self->edges = g_new0 (Edge, self->n_slots);
  self->numbers = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_array_append_val (self->numbers, none);
  return self;
}

void
laurel_trie_free (LaurelTrie *self)
{
  if (self == NULL)
    return;
  g_free (self->edges);
  g_array_unref (self->numbers);
  g_free (self);
}

static gsize
find_slot (const LaurelTrie *self, guint64 key)
{
  guint64 hash = key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  gsize slot = (gsize) (hash >> 32) & (self->n_slots - 1);

  while (self->edges[slot].key != 0 && self->edges[slot].key != key)
    slot = (slot + 1) & (self->n_slots - 1);
  return slot;
}

static guint64
make_key (guint32 node, char byte)
{
  return ((guint64) node << 8 | (guint8) byte) + 1;
}

static void
grow (LaurelTrie *self)
{
  g_autofree Edge *old = self->edges;
  gsize n_old = self->n_slots;

  self->n_slots *= 2;
  self->edges = g_new0 (Edge, self->n_slots);
  for (gsize i = 0; i < n_old; i++)
    if (old[i].key != 0)
      self->edges[find_slot (self, old[i].key)] = old[i];
}

static guint32
add_step (LaurelTrie *self, guint32 node, char byte)
{
  guint64 key = make_key (node, byte);
  gsize slot = find_slot (self, key);
  const gint32 none = -1;

  if (self->edges[slot].key == 0) {
    self->edges[slot] = (Edge){ key, self->numbers->len };
    g_array_append_val (self->numbers, none);
    self->n_edges++;
    if (2 * self->n_edges > self->n_slots)
      grow (self);
    return self->numbers->len - 1;
  }
  return self->edges[slot].child;
}

void
laurel_trie_add (LaurelTrie *self, const char *bytes, gsize length, gint32 number)
{
  guint32 node = 0;

  for (gsize i = 0; i < length; i++)
    node = add_step (self, node, bytes[i]);
  g_array_index (self->numbers, gint32, node) = number;
}

gsize
laurel_trie_match (const LaurelTrie *self, const char *text, gsize length, gint32 *out_number)
{
  guint32 node = 0;
  gsize longest = 0;

  for (gsize i = 0; i < length; i++) {
    const Edge *edge = &self->edges[find_slot (self, make_key (node, text[i]))];

    if (edge->key == 0)
      break;
    node = edge->child;
    if (g_array_index (self->numbers, gint32, node) >= 0) {
      *out_number = g_array_index (self->numbers, gint32, node);
      longest = i + 1;
    }
  }
  return longest;
}
