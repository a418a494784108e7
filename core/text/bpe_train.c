/* bpe_train.c: byte-level BPE from counted words.
 *
 * The pairs wait in a heap, the best first. Their counts only fall: an entry
 * whose count is out of date is put back with the right one when it comes up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/symbol_lists.h"
#include "core/text/train_private.h"

#include <string.h>

typedef struct {
  gint64 count;
  guint pair;
} Candidate;

typedef struct {
  LaurelSymbolLists *lists;
  GArray *heap; /* Candidate, the best first */
  gint64 min_count;
  LaurelTokenizer *tokenizer;
} Trainer;

static void
trainer_free (Trainer *self)
{
  laurel_symbol_lists_free (self->lists);
  g_array_unref (self->heap);
  laurel_tokenizer_unref (self->tokenizer);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Trainer, trainer_free)

static void
add_byte_tokens (LaurelTokenizer *tokenizer)
{
  for (int place = 0; place < 256; place++) {
    char byte = (char) laurel_byte_at_place (place);

    laurel_tokenizer_add_token (tokenizer, &byte, 1, FALSE);
    tokenizer->byte_ids[(guint8) byte] = place;
  }
}

static const LaurelPair *
get_pair (const Trainer *self, guint pair)
{
  return laurel_symbol_lists_get_pair (self->lists, pair);
}

static gboolean
is_better (const Trainer *self, const Candidate *a, const Candidate *b)
{
  const LaurelPair *left = get_pair (self, a->pair);
  const LaurelPair *right = get_pair (self, b->pair);

  if (a->count != b->count)
    return a->count > b->count;
  return left->left != right->left ? left->left < right->left : left->right < right->right;
}

static void
push_candidate (Trainer *self, guint pair)
{
  Candidate fresh = { .count = get_pair (self, pair)->count, .pair = pair };
  Candidate *heap;
  gsize at = self->heap->len;

  if (fresh.count < self->min_count)
    return;
  g_array_append_val (self->heap, fresh);
  heap = (Candidate *) self->heap->data;
  while (at > 0 && is_better (self, &fresh, &heap[(at - 1) / 2])) {
    heap[at] = heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  heap[at] = fresh;
}

static Candidate
pop_candidate (Trainer *self)
{
  Candidate *heap = (Candidate *) self->heap->data;
  Candidate top = heap[0], item = heap[self->heap->len - 1];
  gsize n = self->heap->len - 1, at = 0;

  g_array_set_size (self->heap, (guint) n);
  while (2 * at + 1 < n) {
    gsize child = 2 * at + 1;

    if (child + 1 < n && is_better (self, &heap[child + 1], &heap[child]))
      child++;
    if (is_better (self, &item, &heap[child]))
      break;
    heap[at] = heap[child];
    at = child;
  }
  if (n > 0)
    heap[at] = item;
  return top;
}

/* The pair of the highest count, or FALSE when none comes often enough. */
static gboolean
choose_pair (Trainer *self, guint *out_pair)
{
  while (self->heap->len > 0) {
    Candidate best = pop_candidate (self);

    if (get_pair (self, best.pair)->count == best.count) {
      *out_pair = best.pair;
      return TRUE;
    }
    push_candidate (self, best.pair);
  }
  return FALSE;
}

static void
add_merge (Trainer *self, guint index)
{
  const LaurelPair *pair = get_pair (self, index);
  guint n_before = laurel_symbol_lists_get_n_pairs (self->lists);
  g_autoptr (GString) bytes = g_string_new (NULL);
  LaurelMerge merge = { pair->left, pair->right,
                        laurel_tokenizer_get_vocab_size (self->tokenizer) };
  const char *part;
  gsize length;

  part = laurel_string_table_get (self->tokenizer->tokens, (guint32) pair->left, &length);
  g_string_append_len (bytes, part, (gssize) length);
  part = laurel_string_table_get (self->tokenizer->tokens, (guint32) pair->right, &length);
  g_string_append_len (bytes, part, (gssize) length);

  /* Two pairs never make the same bytes: every place where those bytes stand as
   * whole symbols went through the same merges, so it was merged the first time. */
  laurel_tokenizer_add_token (self->tokenizer, bytes->str, bytes->len, FALSE);
  laurel_tokenizer_add_merge (self->tokenizer, merge);
  laurel_symbol_lists_merge (self->lists, index, merge.result);
  for (guint i = n_before; i < laurel_symbol_lists_get_n_pairs (self->lists); i++)
    push_candidate (self, i);
}

static void
lay_out_words (Trainer *self, const LaurelWordCounts *words)
{
  g_autoptr (GArray) symbols = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint i = 0; i < laurel_word_counts_get_n_words (words); i++) {
    gsize length;
    const char *bytes = laurel_word_counts_get_word (words, i, &length);

    g_array_set_size (symbols, (guint) length);
    for (gsize at = 0; at < length; at++)
      g_array_index (symbols, gint32, at) = self->tokenizer->byte_ids[(guint8) bytes[at]];
    laurel_symbol_lists_add_word (self->lists, (const gint32 *) (void *) symbols->data, length,
                                  laurel_word_counts_get_count (words, i));
  }
  for (guint i = 0; i < laurel_symbol_lists_get_n_pairs (self->lists); i++)
    push_candidate (self, i);
}

static Trainer *
trainer_new (const LaurelWordCounts *words, gint64 min_count)
{
  Trainer *self = g_new0 (Trainer, 1);

  self->lists = laurel_symbol_lists_new (laurel_word_counts_get_total_length (words));
  self->heap = g_array_new (FALSE, FALSE, sizeof (Candidate));
  self->min_count = min_count;
  self->tokenizer = laurel_tokenizer_new (LAUREL_TOKENIZER_BPE);
  add_byte_tokens (self->tokenizer);
  lay_out_words (self, words);
  return self;
}

LaurelTokenizer *
laurel_bpe_train (const LaurelWordCounts *words, const LaurelTokenizerOptions *options,
                  LaurelTokenizerProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (Trainer) trainer = trainer_new (words, options->min_count);
  int n_wanted = options->vocab_size - 257, n_merges = 0;
  guint pair;

  while (n_merges < n_wanted && choose_pair (trainer, &pair)) {
    add_merge (trainer, pair);
    n_merges++;
    if (progress != NULL)
      progress (n_merges, n_wanted, user_data);
  }
  laurel_tokenizer_add_token (trainer->tokenizer, LAUREL_END_OF_TEXT, strlen (LAUREL_END_OF_TEXT),
                              TRUE);
  if (!laurel_tokenizer_seal (trainer->tokenizer, "new", error))
    return NULL;
  return g_steal_pointer (&trainer->tokenizer);
}
