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
#define RUN 256

typedef struct {
  guint64 words[LAUREL_MINHASH_SHINGLE]; /* hashes of the last words, round and round */
  gsize n_words;
  guint32 shingles[RUN];
  gsize n_shingles;
  LaurelMinhash *out;
} Signer;

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

static void
flush (Signer *self)
{
  guint32 factors[LAUREL_MINHASH_SIZE], terms[LAUREL_MINHASH_SIZE];
  guint64 state = MULTIPLIER;

  for (int i = 0; i < LAUREL_MINHASH_SIZE; i++) {
    state = (state ^ (state >> 29)) * MULTIPLIER + (guint64) i;
    factors[i] = (guint32) (state >> 32) | 1;
    state = (state ^ (state >> 31)) * MULTIPLIER + 1;
    terms[i] = (guint32) (state >> 32);
  }
  take_minima (self->out->minima, factors, terms, self->shingles, self->n_shingles);
  self->n_shingles = 0;
}

/* The last @n words, oldest first. */
static void
add_shingle (Signer *self, gsize n)
{
  guint64 hash = n;

  for (gsize i = self->n_words - n; i < self->n_words; i++) {
    hash = (hash ^ self->words[i % LAUREL_MINHASH_SHINGLE]) * MULTIPLIER;
    hash ^= hash >> 32;
  }
  hash *= MULTIPLIER;
  self->shingles[self->n_shingles++] = (guint32) (hash >> 32);
  if (self->n_shingles == RUN)
    flush (self);
}

static void
add_word (Signer *self, guint64 hash)
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

gboolean
laurel_minhash_sign (const char *text, gsize n, LaurelMinhash *out)
{
  const char *end = text + n;
  Signer signer = { .out = out };
  guint64 word = 0; /* hash of the word so far; 0: between words */

  memset (out, 0xff, sizeof *out);
  for (const char *at = text; at < end; at = g_utf8_next_char (at)) {
    gunichar c = (guint8) *at < 0x80 ? (gunichar) *at : g_utf8_get_char (at);
    gboolean alone = c >= 0x1100 && g_unichar_iswide (c);
    gboolean part = is_word_char (c);

    if (word != 0 && (!part || alone)) {
      add_word (&signer, word);
      word = 0;
    }
    if (!part)
      continue;
    c = c < 0x80 ? (gunichar) g_ascii_tolower ((char) c) : g_unichar_tolower (c);
    word = ((word ^ c) + 1) * MULTIPLIER;
    word ^= word >> 32;
    word += word == 0;
    if (alone) {
      add_word (&signer, word);
      word = 0;
    }
  }
  if (word != 0)
    add_word (&signer, word);
  if (signer.n_words > 0 && signer.n_words < LAUREL_MINHASH_SHINGLE)
    add_shingle (&signer, signer.n_words);
  flush (&signer);
  return signer.n_words > 0;
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
