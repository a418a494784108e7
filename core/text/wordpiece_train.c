/* wordpiece_train.c: WordPiece from counted words, by its likelihood criterion.
 *
 * A pair's score is count(a b) / (count(a) · count(b)). One merge takes from the
 * counts of two symbols and so changes the score of every pair that either is
 * in: each symbol knows its pairs, and each pair its place in the heap.
 *
 * The score is highest for rare symbols that come nowhere but together, so it
 * needs a lower bound on count(a b). One bound either fills the vocabulary with
 * rare words or runs out of pairs; by default it is halved whenever no pair
 * reaches it, until the vocabulary is full.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/symbol_lists.h"
#include "core/text/train_private.h"

#include "core/text/characters.h"

#include <stdlib.h>
#include <string.h>

#define NOT_IN_HEAP G_MAXUINT

/* The counts that pairs need at first and at last, when no count is asked for. */
#define FIRST_STAGE ((gint64) 1 << 40)
#define LAST_STAGE 2

/* The ones that BERT's programs expect; [UNK] is the second. */
static const char *const special_names[] = { "[PAD]", LAUREL_UNKNOWN_TOKEN, "[CLS]", "[SEP]",
                                             "[MASK]" };

typedef struct {
  double score;
  guint heap_place;
} Rating;

typedef struct {
  LaurelSymbolLists *lists;
  LaurelTokenizer *tokenizer; /* a symbol's number is its token's id */
  GArray *counts;             /* gint64, of the symbols */
  GPtrArray *pairs_of;        /* GArray of guint a symbol */
  GArray *ratings;            /* Rating a pair */
  GArray *heap;               /* guint pairs, the best first */
  gint64 min_count;           /* of this stage */
  gint64 last_min_count;      /* of the last one */
} Trainer;

static void
trainer_free (Trainer *self)
{
  laurel_symbol_lists_free (self->lists);
  laurel_tokenizer_unref (self->tokenizer);
  g_array_unref (self->counts);
  g_ptr_array_unref (self->pairs_of);
  g_array_unref (self->ratings);
  g_array_unref (self->heap);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Trainer, trainer_free)

/* --- The heap -------------------------------------------------------------------- */

static Rating *
get_rating (const Trainer *self, guint pair)
{
  return &g_array_index (self->ratings, Rating, pair);
}

/* Ties go to the pair of lower ids, left before right. */
static gboolean
is_better (const Trainer *self, guint a, guint b)
{
  const LaurelPair *left = laurel_symbol_lists_get_pair (self->lists, a);
  const LaurelPair *right = laurel_symbol_lists_get_pair (self->lists, b);
  double difference = get_rating (self, a)->score - get_rating (self, b)->score;

  if (difference != 0.0)
    return difference > 0.0;
  return left->left != right->left ? left->left < right->left : left->right < right->right;
}

static void
put_in_heap (Trainer *self, guint place, guint pair)
{
  g_array_index (self->heap, guint, place) = pair;
  get_rating (self, pair)->heap_place = place;
}

static void
sift (Trainer *self, guint place)
{
  guint pair = g_array_index (self->heap, guint, place), n = self->heap->len;

  while (place > 0 && is_better (self, pair, g_array_index (self->heap, guint, (place - 1) / 2))) {
    put_in_heap (self, place, g_array_index (self->heap, guint, (place - 1) / 2));
    place = (place - 1) / 2;
  }
  while (2 * place + 1 < n) {
    guint child = 2 * place + 1;

    if (child + 1 < n
        && is_better (self, g_array_index (self->heap, guint, child + 1),
                      g_array_index (self->heap, guint, child)))
      child++;
    if (!is_better (self, g_array_index (self->heap, guint, child), pair))
      break;
    put_in_heap (self, place, g_array_index (self->heap, guint, child));
    place = child;
  }
  put_in_heap (self, place, pair);
}

static void
remove_from_heap (Trainer *self, guint pair)
{
  guint place = get_rating (self, pair)->heap_place;
  guint last = g_array_index (self->heap, guint, self->heap->len - 1);

  get_rating (self, pair)->heap_place = NOT_IN_HEAP;
  g_array_set_size (self->heap, self->heap->len - 1);
  if (last == pair)
    return;
  put_in_heap (self, place, last);
  sift (self, place);
}

/* Brings the pair's score and its place up to date; FALSE when it is out for good. */
static gboolean
rate (Trainer *self, guint index)
{
  const LaurelPair *pair = laurel_symbol_lists_get_pair (self->lists, index);
  Rating *rating = get_rating (self, index);

  if (pair->count < self->min_count) {
    if (rating->heap_place != NOT_IN_HEAP)
      remove_from_heap (self, index);
    return FALSE;
  }
  rating->score = (double) pair->count
                  / ((double) g_array_index (self->counts, gint64, pair->left)
                     * (double) g_array_index (self->counts, gint64, pair->right));
  if (rating->heap_place == NOT_IN_HEAP) {
    rating->heap_place = self->heap->len;
    g_array_append_val (self->heap, index);
  }
  sift (self, rating->heap_place);
  return TRUE;
}

static void
rate_pairs_of (Trainer *self, gint32 symbol)
{
  GArray *pairs = self->pairs_of->pdata[symbol];
  guint n = 0;

  for (guint i = 0; i < pairs->len; i++) {
    guint pair = g_array_index (pairs, guint, i);

    if (rate (self, pair))
      g_array_index (pairs, guint, n++) = pair;
  }
  g_array_set_size (pairs, n);
}

static void
list_pair (Trainer *self, guint index)
{
  const LaurelPair *pair = laurel_symbol_lists_get_pair (self->lists, index);

  if (!rate (self, index))
    return;
  g_array_append_val ((GArray *) self->pairs_of->pdata[pair->left], index);
  if (pair->right != pair->left)
    g_array_append_val ((GArray *) self->pairs_of->pdata[pair->right], index);
}

static void
list_new_pairs (Trainer *self, guint first)
{
  const Rating none = { 0.0, NOT_IN_HEAP };

  for (guint i = first; i < laurel_symbol_lists_get_n_pairs (self->lists); i++) {
    g_array_append_val (self->ratings, none);
    list_pair (self, i);
  }
}

/* Half as often is often enough now. */
static void
start_next_stage (Trainer *self)
{
  self->min_count = MAX (self->min_count / 2, self->last_min_count);
  for (guint i = 0; i < self->pairs_of->len; i++)
    g_array_set_size (self->pairs_of->pdata[i], 0);
  for (guint i = 0; i < self->ratings->len; i++)
    list_pair (self, i);
}

/* --- Characters ------------------------------------------------------------------ */

typedef struct {
  gint64 count;
  guint32 number;
} Frequent;

static int
compare_frequent (const void *a, const void *b)
{
  const Frequent *left = a, *right = b;

  if (left->count != right->count)
    return left->count > right->count ? -1 : 1;
  return left->number < right->number ? -1 : 1;
}

static gint32
add_symbol (Trainer *self, const char *form, gsize length)
{
  const gint64 none = 0;
  gint32 id = (gint32) laurel_string_table_find (self->tokenizer->tokens, form, length);

  if (id >= 0)
    return id;
  laurel_tokenizer_add_token (self->tokenizer, form, length, FALSE);
  g_array_append_val (self->counts, none);
  g_ptr_array_add (self->pairs_of, g_array_new (FALSE, FALSE, sizeof (guint)));
  return (gint32) self->counts->len - 1;
}

/* Calls for each character of each word: its form, ## before it when it is not the first. */
static void
count_characters (const LaurelWordCounts *words, LaurelStringTable *forms, GArray *counts)
{
  for (guint i = 0; i < laurel_word_counts_get_n_words (words); i++) {
    gsize length, n;
    const char *word = laurel_word_counts_get_word (words, i, &length);

    for (gsize at = 0; at < length; at += n) {
      char form[8] = LAUREL_CONTINUATION;
      gsize prefix = at > 0 ? strlen (LAUREL_CONTINUATION) : 0;
      const Frequent none = { 0 };
      guint32 number;

      laurel_read_character (word + at, &n);
      memcpy (form + prefix, word + at, n);
      number = laurel_string_table_add (forms, form, prefix + n);
      if (number == counts->len)
        g_array_append_val (counts, none);
      g_array_index (counts, Frequent, number).number = number;
      g_array_index (counts, Frequent, number).count += laurel_word_counts_get_count (words, i);
    }
  }
}

/* All characters, or as many of the most frequent ones as the vocabulary has room for. */
static void
add_characters (Trainer *self, const LaurelWordCounts *words, guint max)
{
  g_autoptr (LaurelStringTable) forms = laurel_string_table_new ();
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (Frequent));

  count_characters (words, forms, counts);
  g_array_sort (counts, compare_frequent);
  for (guint i = 0; i < MIN (counts->len, max); i++) {
    gsize length;
    const char *form =
        laurel_string_table_get (forms, g_array_index (counts, Frequent, i).number, &length);

    add_symbol (self, form, length);
  }
}

/* FALSE when the word has a character that the vocabulary has no room for. */
static gboolean
spell (const Trainer *self, const char *word, gsize length, GArray *symbols)
{
  gsize n;

  g_array_set_size (symbols, 0);
  for (gsize at = 0; at < length; at += n) {
    char form[8] = LAUREL_CONTINUATION;
    gsize prefix = at > 0 ? strlen (LAUREL_CONTINUATION) : 0;
    gint32 id;

    laurel_read_character (word + at, &n);
    memcpy (form + prefix, word + at, n);
    id = (gint32) laurel_string_table_find (self->tokenizer->tokens, form, prefix + n);
    if (id < 0)
      return FALSE;
    g_array_append_val (symbols, id);
  }
  return TRUE;
}

static void
lay_out_words (Trainer *self, const LaurelWordCounts *words)
{
  g_autoptr (GArray) symbols = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint i = 0; i < laurel_word_counts_get_n_words (words); i++) {
    gint64 count = laurel_word_counts_get_count (words, i);
    gsize length;
    const char *word = laurel_word_counts_get_word (words, i, &length);

    if (!spell (self, word, length, symbols))
      continue;
    for (guint at = 0; at < symbols->len; at++)
      g_array_index (self->counts, gint64, g_array_index (symbols, gint32, at)) += count;
    laurel_symbol_lists_add_word (self->lists, (const gint32 *) (void *) symbols->data,
                                  symbols->len, count);
  }
  list_new_pairs (self, 0);
}

/* --- Merging ----------------------------------------------------------------------- */

static void
merge_best (Trainer *self)
{
  guint best = g_array_index (self->heap, guint, 0);
  LaurelPair pair = *laurel_symbol_lists_get_pair (self->lists, best);
  guint n_before = laurel_symbol_lists_get_n_pairs (self->lists);
  g_autoptr (GString) form = g_string_new (NULL);
  const char *part;
  gsize length;
  gint32 merged;
  gint64 count;

  part = laurel_string_table_get (self->tokenizer->tokens, (guint32) pair.left, &length);
  g_string_append_len (form, part, (gssize) length);
  part = laurel_string_table_get (self->tokenizer->tokens, (guint32) pair.right, NULL);
  g_string_append (form, part + strlen (LAUREL_CONTINUATION));
  merged = add_symbol (self, form->str, form->len);
  count = laurel_symbol_lists_merge (self->lists, best, merged);
  g_array_index (self->counts, gint64, pair.left) -= count;
  g_array_index (self->counts, gint64, pair.right) -= count;
  g_array_index (self->counts, gint64, merged) += count;
  rate_pairs_of (self, pair.left);
  rate_pairs_of (self, pair.right);
  list_new_pairs (self, n_before);
}

static Trainer *
trainer_new (const LaurelWordCounts *words, const LaurelTokenizerOptions *options)
{
  Trainer *self = g_new0 (Trainer, 1);

  self->lists = laurel_symbol_lists_new (laurel_word_counts_get_total_length (words));
  self->tokenizer = laurel_tokenizer_new (LAUREL_TOKENIZER_WORDPIECE);
  self->counts = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->pairs_of = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  self->ratings = g_array_new (FALSE, FALSE, sizeof (Rating));
  self->heap = g_array_new (FALSE, FALSE, sizeof (guint));
  self->min_count = options->min_count > 0 ? options->min_count : FIRST_STAGE;
  self->last_min_count = options->min_count > 0 ? options->min_count : LAST_STAGE;
  for (gsize i = 0; i < G_N_ELEMENTS (special_names); i++) {
    add_symbol (self, special_names[i], strlen (special_names[i]));
    laurel_tokenizer_mark_added (self->tokenizer, (gint32) i, LAUREL_ADDED_SPECIAL);
  }
  self->tokenizer->wordpiece->unknown = 1;
  self->tokenizer->normalizer = laurel_normalizer_new_bert (!options->cased);
  add_characters (self, words,
                  (guint) options->vocab_size - 1 - (guint) G_N_ELEMENTS (special_names));
  lay_out_words (self, words);
  return self;
}

LaurelTokenizer *
laurel_wordpiece_train (const LaurelWordCounts *words, const LaurelTokenizerOptions *options,
                        LaurelTokenizerProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (Trainer) trainer = trainer_new (words, options);
  int n_wanted = options->vocab_size - 1 - (int) trainer->counts->len, n_merges = 0;

  while (n_merges < n_wanted) {
    if (trainer->heap->len == 0) {
      if (trainer->min_count == trainer->last_min_count)
        break;
      start_next_stage (trainer);
      continue;
    }
    merge_best (trainer);
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
