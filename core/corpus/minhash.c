/* minhash.c: shingles, and the least of each of 128 orders of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/minhash.h"

#include "core/corpus/rules_private.h"

#include <string.h>

/* One source, several instruction sets, as in core/math/simd.h, which this folder does not know. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) \
  && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__ ((target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#define MULTIPLIER G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)
/* Shingles are hashed against all orders in such runs, which stay in the nearest cache. */
#define RUN 1024

typedef struct {
  guint64 words[LAUREL_MINHASH_SHINGLE]; /* hashes of the last words, round and round */
  gsize n_words;
  GArray *shingles;
} Shingler;

/* A word at a time in registers: orders[i] is x ↦ x · a + b over 32 bits, a odd, which is
 * one-to-one; that the shingles are well mixed before makes the minima fair. */
CLONES __attribute__ ((optimize ("O3"))) static void
take_minima (guint32 *restrict minima,
             const guint32 *restrict factors,
             const guint32 *restrict terms,
             const guint32 *restrict shingles,
             gsize n)
{
  for (int i = 0; i < LAUREL_MINHASH_SIZE; i++) {
    guint32 least = minima[i], a = factors[i], b = terms[i];

    for (gsize j = 0; j < n; j++) {
      guint32 value = shingles[j] * a + b;

      least = value < least ? value : least;
    }
    minima[i] = least;
  }
}

void
laurel_minhash_sign (const GArray *shingles, LaurelMinhash *out)
{
  const guint32 *values = (const guint32 *) (const void *) shingles->data;
  guint32 factors[LAUREL_MINHASH_SIZE], terms[LAUREL_MINHASH_SIZE];
  guint64 state = MULTIPLIER;

  for (int i = 0; i < LAUREL_MINHASH_SIZE; i++) {
    state = (state ^ (state >> 29)) * MULTIPLIER + (guint64) i;
    factors[i] = (guint32) (state >> 32) | 1;
    state = (state ^ (state >> 31)) * MULTIPLIER + 1;
    terms[i] = (guint32) (state >> 32);
  }
  memset (out, 0xff, sizeof *out);
  for (guint at = 0; at < shingles->len; at += RUN)
    take_minima (out->minima, factors, terms, values + at, MIN (RUN, shingles->len - at));
}

/* The last @n words, oldest first. */
static void
add_shingle (Shingler *self, gsize n)
{
  guint64 hash = n;
  guint32 shingle;

  for (gsize i = self->n_words - n; i < self->n_words; i++) {
    hash = (hash ^ self->words[i % LAUREL_MINHASH_SHINGLE]) * MULTIPLIER;
    hash ^= hash >> 32;
  }
  hash *= MULTIPLIER;
  shingle = (guint32) (hash >> 32);
  g_array_append_val (self->shingles, shingle);
}

static void
add_word (Shingler *self, guint64 hash)
{
  self->words[self->n_words++ % LAUREL_MINHASH_SHINGLE] = hash;
  if (self->n_words >= LAUREL_MINHASH_SHINGLE)
    add_shingle (self, LAUREL_MINHASH_SHINGLE);
}

static gboolean
is_word_char (gunichar c)
{
  return c < 0x80 ? g_ascii_isalnum ((char) c) : g_unichar_isalnum (c) || g_unichar_ismark (c);
}

void
laurel_minhash_shingle (const char *text, gsize n, GArray *shingles)
{
  const char *end = text + n;
  Shingler shingler = { .shingles = shingles };
  guint64 word = 0; /* hash of the word so far; 0: between words */

  for (const char *at = text; at < end; at = g_utf8_next_char (at)) {
    gunichar c = (guint8) *at < 0x80 ? (gunichar) *at : g_utf8_get_char (at);
    gboolean alone = c >= 0x1100 && g_unichar_iswide (c);
    gboolean part = is_word_char (c);

    if (word != 0 && (!part || alone)) {
      add_word (&shingler, word);
      word = 0;
    }
    if (!part)
      continue;
    c = c < 0x80 ? (gunichar) g_ascii_tolower ((char) c) : g_unichar_tolower (c);
    word = ((word ^ c) + 1) * MULTIPLIER;
    word ^= word >> 32;
    word += word == 0;
    if (alone) {
      add_word (&shingler, word);
      word = 0;
    }
  }
  if (word != 0)
    add_word (&shingler, word);
  if (shingler.n_words > 0 && shingler.n_words < LAUREL_MINHASH_SHINGLE)
    add_shingle (&shingler, shingler.n_words);
}

static int
compare_shingles (gconstpointer a, gconstpointer b)
{
  guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;

  return (x > y) - (x < y);
}

static void
make_set (GArray *shingles)
{
  guint32 *values = (guint32 *) (void *) shingles->data;
  guint n = 0;

  g_array_sort (shingles, compare_shingles);
  for (guint i = 0; i < shingles->len; i++)
    if (i == 0 || values[i] != values[i - 1])
      values[n++] = values[i];
  g_array_set_size (shingles, n);
}

double
laurel_minhash_measure (GArray *a, GArray *b)
{
  guint i = 0, j = 0, n_both = 0;

  make_set (a);
  make_set (b);
  while (i < a->len && j < b->len) {
    guint32 x = g_array_index (a, guint32, i), y = g_array_index (b, guint32, j);

    n_both += x == y;
    i += x <= y;
    j += y <= x;
  }
  return (double) n_both / MAX (a->len + b->len - n_both, 1);
}

double
laurel_minhash_compare (const LaurelMinhash *a, const LaurelMinhash *b)
{
  int n_equal = 0;

  for (int i = 0; i < LAUREL_MINHASH_SIZE; i++)
    n_equal += a->minima[i] == b->minima[i];
  return (double) n_equal / LAUREL_MINHASH_SIZE;
}

guint64
laurel_minhash_get_band (const LaurelMinhash *self, int band)
{
  return laurel_hash_bytes ((const char *) (self->minima + band * LAUREL_MINHASH_ROWS),
                            LAUREL_MINHASH_ROWS * sizeof (guint32));
}
