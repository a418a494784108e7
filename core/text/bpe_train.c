/* bpe_train.c: byte-level BPE from text.
 *
 * Only distinct words are kept, each with how often it came. Their symbols are
 * linked lists over their bytes; every pair knows its count and the places
 * where it stood when it came to be, so that one merge touches only the places
 * where something changes. A pair exists from the merge that made the later of
 * its two symbols, and from then on its count only falls: a heap entry whose
 * count is out of date is put back with the right one when it comes up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/base/error.h"
#include "core/text/pretokenize.h"

#include <string.h>

#define NOWHERE G_MAXUINT32
#define GONE (-1)
#define MAX_VOCAB_SIZE (1 << 20)

/* A pair that comes only once says nothing about the text. */
#define MIN_COUNT 2

typedef struct {
  gint32 left;
  gint32 right;
  gint64 count;
  guint32 *places; /* rising */
  guint32 n_places;
  guint32 capacity;
} Pair;

typedef struct {
  gint64 count;
  guint32 pair;
} Candidate;

typedef struct {
  LaurelStringTable *words;
  GArray *word_counts; /* gint64 */
  gint32 *symbols;     /* at the byte where each starts; GONE elsewhere */
  guint32 *next;
  guint32 *before;
  guint32 *word_at;    /* the word that a byte belongs to */
  GArray *pairs;       /* Pair */
  guint32 *pair_slots; /* hash table: pair + 1, or 0 */
  gsize n_pair_slots;  /* a power of two */
  GArray *heap;        /* Candidate, the best first */
  LaurelTokenizer *tokenizer;
} Trainer;

static Trainer *
trainer_new (void)
{
  Trainer *self = g_new0 (Trainer, 1);

  self->words = laurel_string_table_new ();
  self->word_counts = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  self->n_pair_slots = 1 << 16;
  self->pair_slots = g_new0 (guint32, self->n_pair_slots);
  self->heap = g_array_new (FALSE, FALSE, sizeof (Candidate));
  self->tokenizer = laurel_tokenizer_new (LAUREL_TOKENIZER_BPE);
  return self;
}

static void
trainer_free (Trainer *self)
{
  for (guint i = 0; i < self->pairs->len; i++)
    g_free (g_array_index (self->pairs, Pair, i).places);
  laurel_string_table_free (self->words);
  g_array_unref (self->word_counts);
  g_array_unref (self->pairs);
  g_array_unref (self->heap);
  g_free (self->symbols);
  g_free (self->next);
  g_free (self->before);
  g_free (self->word_at);
  g_free (self->pair_slots);
  laurel_tokenizer_unref (self->tokenizer);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Trainer, trainer_free)

static void
count_words (Trainer *self, const char *text, gsize length)
{
  while (length > 0) {
    gsize n = laurel_pretokenize_next (text, length);
    guint32 word = laurel_string_table_add (self->words, text, n);
    const gint64 none = 0;

    if (word == self->word_counts->len)
      g_array_append_val (self->word_counts, none);
    g_array_index (self->word_counts, gint64, word)++;
    text += n;
    length -= n;
  }
}

static gboolean
read_texts (Trainer *self, const char *const *texts, const gsize *lengths, gsize n_texts,
            GError **error)
{
  for (gsize i = 0; i < n_texts; i++) {
    gsize length = lengths != NULL ? lengths[i] : strlen (texts[i]);
    const char *end;

    if (!g_utf8_validate (texts[i], (gssize) length, &end)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not train the tokenizer: byte %" G_GSIZE_FORMAT
                   " of text %" G_GSIZE_FORMAT " is not UTF-8 text; convert it to UTF-8",
                   (gsize) (end - texts[i]), i + 1);
      return FALSE;
    }
    count_words (self, texts[i], length);
  }
  if (self->word_counts->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train the tokenizer: there is no text; give it some");
    return FALSE;
  }
  if (laurel_string_table_get_total_length (self->words) >= NOWHERE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train the tokenizer: the distinct words are longer than 4 GiB; "
                 "use less text");
    return FALSE;
  }
  return TRUE;
}

static void
add_byte_tokens (LaurelTokenizer *tokenizer)
{
  for (int place = 0; place < 256; place++) {
    char byte = (char) laurel_byte_at_place (place);

    laurel_tokenizer_add_token (tokenizer, &byte, 1, FALSE);
    tokenizer->byte_ids[(guint8) byte] = place;
  }
}

static gsize
find_pair_slot (const Trainer *self, gint32 left, gint32 right)
{
  gsize slot = laurel_hash_pair (left, right) & (self->n_pair_slots - 1);

  while (self->pair_slots[slot] != 0) {
    const Pair *pair = &g_array_index (self->pairs, Pair, self->pair_slots[slot] - 1);

    if (pair->left == left && pair->right == right)
      break;
    slot = (slot + 1) & (self->n_pair_slots - 1);
  }
  return slot;
}

static void
grow_pair_slots (Trainer *self)
{
  self->n_pair_slots *= 2;
  g_free (self->pair_slots);
  self->pair_slots = g_new0 (guint32, self->n_pair_slots);
  for (guint i = 0; i < self->pairs->len; i++) {
    const Pair *pair = &g_array_index (self->pairs, Pair, i);

    self->pair_slots[find_pair_slot (self, pair->left, pair->right)] = i + 1;
  }
}

static Pair *
get_pair (Trainer *self, gint32 left, gint32 right)
{
  gsize slot = find_pair_slot (self, left, right);
  Pair fresh = { .left = left, .right = right };

  if (self->pair_slots[slot] != 0)
    return &g_array_index (self->pairs, Pair, self->pair_slots[slot] - 1);
  g_array_append_val (self->pairs, fresh);
  self->pair_slots[slot] = self->pairs->len;
  if ((gsize) self->pairs->len * 2 > self->n_pair_slots)
    grow_pair_slots (self);
  return &g_array_index (self->pairs, Pair, self->pairs->len - 1);
}

static void
add_place (Trainer *self, guint32 at, gint64 count)
{
  Pair *pair = get_pair (self, self->symbols[at], self->symbols[self->next[at]]);

  if (pair->n_places == pair->capacity) {
    pair->capacity = MAX (2, pair->capacity * 2);
    pair->places = g_renew (guint32, pair->places, pair->capacity);
  }
  pair->places[pair->n_places++] = at;
  pair->count += count;
}

static void
lay_out_word (Trainer *self, guint32 word, guint32 start)
{
  gsize length;
  const char *bytes = laurel_string_table_get (self->words, word, &length);

  for (guint32 i = 0; i < length; i++) {
    guint32 at = start + i;

    self->symbols[at] = self->tokenizer->byte_ids[(guint8) bytes[i]];
    self->next[at] = i + 1 < length ? at + 1 : NOWHERE;
    self->before[at] = i > 0 ? at - 1 : NOWHERE;
    self->word_at[at] = word;
    if (i > 0)
      add_place (self, at - 1, 0);
  }
}

static gint64
count_at (const Trainer *self, guint32 at)
{
  return g_array_index (self->word_counts, gint64, self->word_at[at]);
}

static gboolean
is_better (const Trainer *self, const Candidate *a, const Candidate *b)
{
  const Pair *left = &g_array_index (self->pairs, Pair, a->pair);
  const Pair *right = &g_array_index (self->pairs, Pair, b->pair);

  if (a->count != b->count)
    return a->count > b->count;
  return left->left != right->left ? left->left < right->left : left->right < right->right;
}

static void
push_candidate (Trainer *self, guint32 pair)
{
  Candidate fresh = { .count = g_array_index (self->pairs, Pair, pair).count, .pair = pair };
  Candidate *heap;
  gsize at = self->heap->len;

  if (fresh.count < MIN_COUNT)
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

static void
lay_out_words (Trainer *self)
{
  gsize total = laurel_string_table_get_total_length (self->words);
  guint32 start = 0;

  self->symbols = g_new (gint32, total);
  self->next = g_new (guint32, total);
  self->before = g_new (guint32, total);
  self->word_at = g_new (guint32, total);
  for (guint32 word = 0; word < self->word_counts->len; word++) {
    gsize length;

    laurel_string_table_get (self->words, word, &length);
    lay_out_word (self, word, start);
    start += (guint32) length;
  }
  for (guint i = 0; i < self->pairs->len; i++) {
    Pair *pair = &g_array_index (self->pairs, Pair, i);

    for (guint32 j = 0; j < pair->n_places; j++)
      pair->count += count_at (self, pair->places[j]);
    push_candidate (self, i);
  }
}

static void
drop_count (Trainer *self, guint32 at)
{
  get_pair (self, self->symbols[at], self->symbols[self->next[at]])->count -= count_at (self, at);
}

static void
merge_place (Trainer *self, guint32 at, gint32 merged)
{
  guint32 gone = self->next[at], next = self->next[gone], before = self->before[at];
  gint64 count = count_at (self, at);

  if (before != NOWHERE)
    drop_count (self, before);
  if (next != NOWHERE)
    drop_count (self, gone);
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

static void
merge_pair (Trainer *self, guint32 index, gint32 merged)
{
  Pair pair = g_array_index (self->pairs, Pair, index);
  guint n_before = self->pairs->len;

  g_array_index (self->pairs, Pair, index).places = NULL;
  for (guint32 i = 0; i < pair.n_places; i++) {
    guint32 at = pair.places[i];

    if (self->symbols[at] == pair.left && self->next[at] != NOWHERE
        && self->symbols[self->next[at]] == pair.right)
      merge_place (self, at, merged);
  }
  g_free (pair.places);
  g_array_index (self->pairs, Pair, index).count = 0;
  for (guint i = n_before; i < self->pairs->len; i++)
    push_candidate (self, i);
}

/* The pair of the highest count, or FALSE when none comes twice. */
static gboolean
choose_pair (Trainer *self, guint32 *out_pair)
{
  while (self->heap->len > 0) {
    Candidate best = pop_candidate (self);

    if (g_array_index (self->pairs, Pair, best.pair).count == best.count) {
      *out_pair = best.pair;
      return TRUE;
    }
    push_candidate (self, best.pair);
  }
  return FALSE;
}

static void
add_merge (Trainer *self, guint32 index)
{
  const Pair *pair = &g_array_index (self->pairs, Pair, index);
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
  merge_pair (self, index, merge.result);
}

LaurelTokenizer *
laurel_tokenizer_train_bpe (const char *const *texts, const gsize *lengths, gsize n_texts,
                            int vocab_size,
                            LaurelTokenizerProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (Trainer) trainer = NULL;
  int n_wanted = vocab_size - 257, n_merges = 0;
  guint32 pair;

  if (vocab_size < 257 || vocab_size > MAX_VOCAB_SIZE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not train the tokenizer: a vocabulary of %d is out of range; "
                 "choose 257 to %d",
                 vocab_size, MAX_VOCAB_SIZE);
    return NULL;
  }
  trainer = trainer_new ();
  if (!read_texts (trainer, texts, lengths, n_texts, error))
    return NULL;
  add_byte_tokens (trainer->tokenizer);
  lay_out_words (trainer);
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
