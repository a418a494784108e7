/* bpe_encode.c: one piece of text to ids by merging the pair of lowest rank.
 *
 * A piece that is a token of its own is looked up, a short one is merged in a
 * small array. In a long one the symbols are a linked list over the bytes, and
 * the pairs that could be merged wait in a heap ordered by rank and then by
 * place. A pair that is no longer there is noticed when it comes up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/text/word_table.h"

#include <string.h>

#define NOWHERE G_MAXUINT32

/* Up to here looking at every pair for each merge is faster than a heap. */
#define SHORT_PIECE 48

struct _LaurelBpeScratch {
  gint32 *ids;     /* of the symbol that starts at a byte */
  guint32 *next;   /* where the symbol after it starts, or NOWHERE */
  guint32 *before; /* where the symbol before it starts, or NOWHERE */
  guint32 *ranks;  /* of the pair that starts there, or LAUREL_NO_MERGE */
  guint64 *heap;   /* rank in the high half, place in the low half */
  gsize n_heap;
  gsize capacity;
};

LaurelBpeScratch *
laurel_bpe_scratch_new (void)
{
  return g_new0 (LaurelBpeScratch, 1);
}

void
laurel_bpe_scratch_free (LaurelBpeScratch *self)
{
  if (self == NULL)
    return;
  g_free (self->ids);
  g_free (self->next);
  g_free (self->before);
  g_free (self->ranks);
  g_free (self->heap);
  g_free (self);
}

static void
reserve (LaurelBpeScratch *self, gsize length)
{
  if (length <= self->capacity)
    return;
  self->capacity = MAX (length, 2 * self->capacity);
  self->ids = g_renew (gint32, self->ids, self->capacity);
  self->next = g_renew (guint32, self->next, self->capacity);
  self->before = g_renew (guint32, self->before, self->capacity);
  self->ranks = g_renew (guint32, self->ranks, self->capacity);
  /* At most one pair a byte at first; each of the fewer than n merges takes one
   * out and puts two in. */
  self->heap = g_renew (guint64, self->heap, 2 * self->capacity);
}

static void
sift_down (LaurelBpeScratch *self, gsize at)
{
  guint64 item = self->heap[at];

  while (2 * at + 1 < self->n_heap) {
    gsize child = 2 * at + 1;

    if (child + 1 < self->n_heap && self->heap[child + 1] < self->heap[child])
      child++;
    if (item <= self->heap[child])
      break;
    self->heap[at] = self->heap[child];
    at = child;
  }
  self->heap[at] = item;
}

static void
push (LaurelBpeScratch *self, guint64 item)
{
  gsize at = self->n_heap++;

  while (at > 0 && item < self->heap[(at - 1) / 2]) {
    self->heap[at] = self->heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  self->heap[at] = item;
}

static guint64
pop (LaurelBpeScratch *self)
{
  guint64 top = self->heap[0];

  self->heap[0] = self->heap[--self->n_heap];
  if (self->n_heap > 0)
    sift_down (self, 0);
  return top;
}

static guint64
rank_pair (const LaurelTokenizer *self, LaurelBpeScratch *scratch, guint32 at)
{
  guint32 next = scratch->next[at];

  scratch->ranks[at] = LAUREL_NO_MERGE;
  if (next != NOWHERE)
    scratch->ranks[at] = laurel_tokenizer_find_merge (self, scratch->ids[at], scratch->ids[next]);
  return (guint64) scratch->ranks[at] << 32 | at;
}

static void
rank_pair_again (const LaurelTokenizer *self, LaurelBpeScratch *scratch, guint32 at)
{
  guint64 item = rank_pair (self, scratch, at);

  if (scratch->ranks[at] != LAUREL_NO_MERGE)
    push (scratch, item);
}

static void
start (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes, guint32 length)
{
  reserve (scratch, length);
  for (guint32 i = 0; i < length; i++) {
    scratch->ids[i] = self->byte_ids[(guint8) bytes[i]];
    scratch->next[i] = i + 1 < length ? i + 1 : NOWHERE;
    scratch->before[i] = i > 0 ? i - 1 : NOWHERE;
  }
  scratch->n_heap = 0;
  for (guint32 i = 0; i < length; i++) {
    guint64 item = rank_pair (self, scratch, i);

    if (scratch->ranks[i] != LAUREL_NO_MERGE)
      scratch->heap[scratch->n_heap++] = item;
  }
  for (gsize i = scratch->n_heap / 2; i-- > 0;)
    sift_down (scratch, i);
}

static void
merge_at (const LaurelTokenizer *self, LaurelBpeScratch *scratch, guint32 at)
{
  guint32 gone = scratch->next[at], next = scratch->next[gone], before = scratch->before[at];

  scratch->ids[at] = g_array_index (self->merges, LaurelMerge, scratch->ranks[at]).result;
  scratch->ranks[gone] = LAUREL_NO_MERGE;
  scratch->next[at] = next;
  if (next != NOWHERE)
    scratch->before[next] = at;
  rank_pair_again (self, scratch, at);
  if (before != NOWHERE)
    rank_pair_again (self, scratch, before);
}

static void
merge_all (const LaurelTokenizer *self, LaurelBpeScratch *scratch)
{
  while (scratch->n_heap > 0) {
    guint64 item = pop (scratch);
    guint32 at = (guint32) item;

    if (scratch->ranks[at] == (guint32) (item >> 32))
      merge_at (self, scratch, at);
  }
}

static void
encode_long (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes,
             gsize length, GArray *ids)
{
  start (self, scratch, bytes, (guint32) length);
  merge_all (self, scratch);
  for (guint32 at = 0; at != NOWHERE; at = scratch->next[at])
    g_array_append_val (ids, scratch->ids[at]);
}

/* The same by looking at all pairs: returns how many symbols are left in @symbols. */
static guint
merge_short (const LaurelTokenizer *self, gint32 *symbols, guint n)
{
  guint32 ranks[SHORT_PIECE];

  for (guint i = 0; i + 1 < n; i++)
    ranks[i] = laurel_tokenizer_find_merge (self, symbols[i], symbols[i + 1]);
  while (n > 1) {
    guint best = 0;

    for (guint i = 1; i + 1 < n; i++)
      if (ranks[i] < ranks[best])
        best = i;
    if (ranks[best] == LAUREL_NO_MERGE)
      break;
    symbols[best] = g_array_index (self->merges, LaurelMerge, ranks[best]).result;
    n--;
    memmove (symbols + best + 1, symbols + best + 2, (n - best - 1) * sizeof *symbols);
    memmove (ranks + best, ranks + best + 1, (n - best) * sizeof *ranks);
    if (best + 1 < n)
      ranks[best] = laurel_tokenizer_find_merge (self, symbols[best], symbols[best + 1]);
    if (best > 0)
      ranks[best - 1] = laurel_tokenizer_find_merge (self, symbols[best - 1], symbols[best]);
  }
  return n;
}

static void
encode_short (const LaurelTokenizer *self, const char *bytes, gsize length, GArray *ids)
{
  gint32 symbols[SHORT_PIECE];

  for (gsize i = 0; i < length; i++)
    symbols[i] = self->byte_ids[(guint8) bytes[i]];
  g_array_append_vals (ids, symbols, merge_short (self, symbols, (guint) length));
}

void
laurel_bpe_merge_piece (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes,
                        gsize length, GArray *ids)
{
  if (length > SHORT_PIECE)
    encode_long (self, scratch, bytes, length, ids);
  else if (length > 0)
    encode_short (self, bytes, length, ids);
}

void
laurel_bpe_encode_piece (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes,
                         gsize length, GArray *ids)
{
  gint64 whole = -1;

  if (length <= self->longest_token)
    whole = laurel_string_table_find (self->tokens, bytes, length);
  if (whole >= 0 && (self->flags->data[whole] & LAUREL_TOKEN_WHOLE) != 0) {
    gint32 id = (gint32) whole;

    g_array_append_val (ids, id);
    return;
  }
  laurel_bpe_merge_piece (self, scratch, bytes, length, ids);
}
