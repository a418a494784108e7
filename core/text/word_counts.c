/* word_counts.c: a table of words, and a small one of those that came lately.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/word_counts.h"

#include "core/text/string_table.h"
#include "core/text/word_table.h"

/* Most words of a text are among these; a power of two. */
#define N_RECENT (1 << 15)

/* Counts from here on are never dropped for space. */
#define N_FLOORS 65536

typedef struct {
  LaurelWordKey key; /* high is 0 in a free slot */
  gint64 number;
} Recent;

struct _LaurelWordCounts {
  LaurelStringTable *words;
  GArray *counts; /* gint64 */
  Recent *recent;
  gsize max_bytes;
  gint64 error; /* how much a count may be too low */
};

LaurelWordCounts *
laurel_word_counts_new (gsize max_bytes)
{
  LaurelWordCounts *self = g_new0 (LaurelWordCounts, 1);

  self->words = laurel_string_table_new ();
  self->counts = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->recent = g_new0 (Recent, N_RECENT);
  self->max_bytes = max_bytes;
  return self;
}

void
laurel_word_counts_free (LaurelWordCounts *self)
{
  if (self == NULL)
    return;
  laurel_string_table_free (self->words);
  g_array_unref (self->counts);
  g_free (self->recent);
  g_free (self);
}

static void
add_count (LaurelWordCounts *self, const char *word, gsize length, gint64 count)
{
  guint32 number = laurel_string_table_add (self->words, word, length);
  const gint64 none = 0;

  if (number == self->counts->len)
    g_array_append_val (self->counts, none);
  g_array_index (self->counts, gint64, number) += count;
}

/* The highest count that must go for the rest to fit in half of the bound. */
static gint64
choose_floor (const LaurelWordCounts *self)
{
  g_autofree gsize *bytes = g_new0 (gsize, N_FLOORS);
  gsize left = laurel_string_table_get_total_length (self->words);
  gint64 floor = 0;

  for (guint i = 0; i < self->counts->len; i++) {
    gsize length;

    laurel_string_table_get (self->words, i, &length);
    bytes[MIN (g_array_index (self->counts, gint64, i), N_FLOORS - 1)] += length;
  }
  while (left > self->max_bytes / 2 && floor < N_FLOORS - 1)
    left -= bytes[++floor];
  return floor;
}

static void
drop_rare (LaurelWordCounts *self)
{
  LaurelStringTable *old = g_steal_pointer (&self->words);
  g_autoptr (GArray) old_counts = g_steal_pointer (&self->counts);
  gint64 floor;

  self->words = old;
  self->counts = old_counts;
  floor = choose_floor (self);
  self->words = laurel_string_table_new ();
  self->counts = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < old_counts->len; i++) {
    gint64 count = g_array_index (old_counts, gint64, i);
    gsize length;
    const char *word = laurel_string_table_get (old, i, &length);

    if (count > floor)
      add_count (self, word, length, count);
  }
  laurel_string_table_free (old);
  memset (self->recent, 0, N_RECENT * sizeof *self->recent);
  self->error += floor;
}

static void
add_new (LaurelWordCounts *self, const char *word, gsize length)
{
  if (laurel_string_table_get_total_length (self->words) + length > self->max_bytes)
    drop_rare (self);
  add_count (self, word, length, 1);
}

void
laurel_word_counts_add (LaurelWordCounts *self, const char *word, gsize length, gsize readable)
{
  LaurelWordKey key;
  Recent *recent;

  if (length > LAUREL_WORD_KEY_MAX) {
    add_new (self, word, length);
    return;
  }
  key = laurel_word_key (word, length, readable);
  recent = &self->recent[laurel_hash_word_key (key) & (N_RECENT - 1)];
  if (laurel_word_key_equal (recent->key, key)) {
    g_array_index (self->counts, gint64, recent->number)++;
    return;
  }
  add_new (self, word, length);
  *recent = (Recent){ key, laurel_string_table_find (self->words, word, length) };
}

guint
laurel_word_counts_get_n_words (const LaurelWordCounts *self)
{
  return self->counts->len;
}

gsize
laurel_word_counts_get_total_length (const LaurelWordCounts *self)
{
  return laurel_string_table_get_total_length (self->words);
}

const char *
laurel_word_counts_get_word (const LaurelWordCounts *self, guint i, gsize *out_length)
{
  return laurel_string_table_get (self->words, i, out_length);
}

gint64
laurel_word_counts_get_count (const LaurelWordCounts *self, guint i)
{
  return g_array_index (self->counts, gint64, i);
}

gint64
laurel_word_counts_get_error (const LaurelWordCounts *self)
{
  return self->error;
}
