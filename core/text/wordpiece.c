/* wordpiece.c: greedy matching, and joining again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/wordpiece.h"

#include <string.h>

/* Longer tokens are no words whose spelling could be cleaned up. */
#define MAX_CLEAN 256

LaurelWordPiece *
laurel_wordpiece_new (void)
{
  LaurelWordPiece *self = g_new0 (LaurelWordPiece, 1);

  self->starts = laurel_trie_new ();
  self->continuations = laurel_trie_new ();
  self->prefix = g_strdup (LAUREL_CONTINUATION);
  self->max_characters = LAUREL_MAX_WORD_CHARACTERS;
  self->cleanup = TRUE;
  return self;
}

void
laurel_wordpiece_free (LaurelWordPiece *self)
{
  if (self == NULL)
    return;
  laurel_trie_free (self->starts);
  laurel_trie_free (self->continuations);
  g_free (self->prefix);
  g_free (self);
}

static gsize
measure_prefix (const LaurelWordPiece *self, const char *form, gsize length)
{
  gsize n = strlen (self->prefix);

  return length > n && memcmp (form, self->prefix, n) == 0 ? n : 0;
}

/* A token with the prefix can also start a word that has the prefix's characters. */
void
laurel_wordpiece_add (LaurelWordPiece *self, const char *form, gsize length, gint32 id)
{
  gsize n = measure_prefix (self, form, length);

  laurel_trie_add (self->starts, form, length, id);
  if (n > 0 || *self->prefix == '\0')
    laurel_trie_add (self->continuations, form + n, length - n, id);
}

void
laurel_wordpiece_encode (const LaurelWordPiece *self, const char *word, gsize length, GArray *ids)
{
  guint before = ids->len;
  gsize at = 0;

  if (g_utf8_strlen (word, (gssize) length) <= self->max_characters) {
    while (at < length) {
      gint32 id;
      gsize n = laurel_trie_match (at == 0 ? self->starts : self->continuations, word + at,
                                   length - at, &id);

      if (n == 0)
        break;
      g_array_append_val (ids, id);
      at += n;
    }
  }
  if (at < length) {
    g_array_set_size (ids, before);
    g_array_append_val (ids, self->unknown);
  }
}

static void
clean_up (GString *text)
{
  static const char *const pairs[][2] = {
    { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },
    { " ' ", "'" },  { " n't", "n't" }, { " 'm", "'m" },   { " do not", " don't" },
    { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    g_string_replace (text, pairs[i][0], pairs[i][1], 0);
}

void
laurel_wordpiece_append_text (const LaurelWordPiece *self, const char *form, gsize length,
                              gboolean first, GString *text)
{
  gsize n = first ? 0 : measure_prefix (self, form, length);
  gboolean goes_on = n > 0 || *self->prefix == '\0';
  g_autoptr (GString) part = g_string_new (first || goes_on ? "" : " ");

  g_string_append_len (part, form + n, (gssize) (length - n));
  if (self->cleanup && part->len <= MAX_CLEAN)
    clean_up (part);
  g_string_append_len (text, part->str, (gssize) part->len);
}
