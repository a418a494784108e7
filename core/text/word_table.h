/* word_table.h: what short words become, by one look into memory.
 *
 * Nearly all pieces of a text are at most 15 bytes long. Such a piece is two
 * machine words, its length in the last byte, and compares as two numbers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

#define LAUREL_WORD_KEY_MAX 15

typedef struct {
  guint64 low;
  guint64 high; /* never 0: the length is in it */
} LaurelWordKey;

/* @length ≤ LAUREL_WORD_KEY_MAX bytes, of which @readable ≥ @length may be read. */
static inline LaurelWordKey
laurel_word_key (const char *bytes, gsize length, gsize readable)
{
  guint64 words[2] = { 0, 0 };
  LaurelWordKey key;

  if (readable >= sizeof words) {
    memcpy (words, bytes, sizeof words);
    words[0] = GUINT64_FROM_LE (words[0]);
    words[1] = GUINT64_FROM_LE (words[1]);
    if (length >= 8) {
      words[1] &= ((guint64) 1 << (8 * (length - 8))) - 1;
    } else {
      words[0] &= ((guint64) 1 << (8 * length)) - 1;
      words[1] = 0;
    }
  } else {
    memcpy (words, bytes, length);
    words[0] = GUINT64_FROM_LE (words[0]);
    words[1] = GUINT64_FROM_LE (words[1]);
  }
  key.low = words[0];
  key.high = words[1] | (guint64) length << 56;
  return key;
}

static inline gsize
laurel_hash_word_key (LaurelWordKey key)
{
  guint64 hash = key.low ^ (key.high >> 32 | key.high << 32);

  hash *= G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  hash = (hash ^ (hash >> 32) ^ key.high) * G_GUINT64_CONSTANT (0xd6e8feb86659fd93);
  return (gsize) (hash ^ (hash >> 32));
}

static inline gboolean
laurel_word_key_equal (LaurelWordKey a, LaurelWordKey b)
{
  return a.low == b.low && a.high == b.high;
}

/* A fixed set of words, each with its number. */
typedef struct _LaurelWordTable LaurelWordTable;

LaurelWordTable *laurel_word_table_new (gsize n_words); /* room for that many */
void laurel_word_table_free (LaurelWordTable *self);
void laurel_word_table_add (LaurelWordTable *self, LaurelWordKey key, gint32 number); /* not there yet */
gint32 laurel_word_table_find (const LaurelWordTable *self, LaurelWordKey key);       /* −1: not there */

G_END_DECLS
