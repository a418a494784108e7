/* pretokenize.c: GPT-2's pattern, written by hand, and BERT's words.
 *
 * GPT-2's pattern, first alternative that matches, each as long as it can be:
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * where \s is Unicode's White_Space. Every character is exactly one of letter,
 * number, space or other, which makes it a matter of runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/pretokenize.h"

#include "core/text/characters.h"

#include <string.h>

static LaurelCharacterClass
classify_at (const guint8 *classes, const char *at, gsize *out_length)
{
  return (LaurelCharacterClass) classes[laurel_read_character (at, out_length)];
}

static gsize
match_contraction (const char *text, gsize length)
{
  if (length < 2)
    return 0;
  switch (text[1]) {
  case 's':
  case 't':
  case 'm':
  case 'd': return 2;
  case 'r':
  case 'v': return length > 2 && text[2] == 'e' ? 3 : 0;
  case 'l': return length > 2 && text[2] == 'l' ? 3 : 0;
  default: return 0;
  }
}

static const char *
skip_class (const guint8 *classes, const char *at, const char *end, LaurelCharacterClass wanted)
{
  gsize n;

  while (at < end && classify_at (classes, at, &n) == wanted)
    at += n;
  return at;
}

/* A run of spaces leaves its last one to what follows, unless nothing follows
 * or it is the only one. */
static gsize
match_space (const guint8 *classes, const char *text, const char *end)
{
  const char *last = text, *at = text;
  gsize n;

  while (at < end && classify_at (classes, at, &n) == LAUREL_CHARACTER_SPACE) {
    last = at;
    at += n;
  }
  return (gsize) ((at == end || last == text ? at : last) - text);
}

gsize
laurel_pretokenize_next (const char *text, gsize length)
{
  const guint8 *classes = laurel_character_classes ();
  const char *end = text + length, *at = text;
  LaurelCharacterClass first;
  gsize n;

  if (*text == '\'') {
    n = match_contraction (text, length);
    if (n > 0)
      return n;
  }
  first = classify_at (classes, at, &n);
  if (*text == ' ' && length > 1) {
    gsize n_next;
    LaurelCharacterClass next = classify_at (classes, text + 1, &n_next);

    if (next != LAUREL_CHARACTER_SPACE) {
      first = next;
      n = 1 + n_next;
    }
  }
  if (first == LAUREL_CHARACTER_SPACE)
    return match_space (classes, text, end);
  return (gsize) (skip_class (classes, at + n, end, first) - text);
}

/* All of ASCII that is no letter, digit or space counts, symbols too. */
static gboolean
is_punctuation (gunichar c)
{
  if (c < 0x80)
    return g_ascii_ispunct ((char) c);
  switch (g_unichar_type (c)) {
  case G_UNICODE_CONNECT_PUNCTUATION:
  case G_UNICODE_DASH_PUNCTUATION:
  case G_UNICODE_CLOSE_PUNCTUATION:
  case G_UNICODE_FINAL_PUNCTUATION:
  case G_UNICODE_INITIAL_PUNCTUATION:
  case G_UNICODE_OTHER_PUNCTUATION:
  case G_UNICODE_OPEN_PUNCTUATION: return TRUE;
  default: return FALSE;
  }
}

gsize
laurel_pretokenize_next_bert (const char *text, gsize length, gsize *out_skipped)
{
  const guint8 *classes = laurel_character_classes ();
  const char *end = text + length, *begin, *at;
  gsize n;

  at = begin = skip_class (classes, text, end, LAUREL_CHARACTER_SPACE);
  *out_skipped = (gsize) (begin - text);
  for (; at < end; at += n) {
    gunichar c = laurel_read_character (at, &n);

    if (is_punctuation (c))
      return at == begin ? n : (gsize) (at - begin);
    if (classes[c] == LAUREL_CHARACTER_SPACE)
      break;
  }
  return (gsize) (at - begin);
}

/* BERT's cleaning takes the other two of ASCII, vertical tab and form feed, out as control
 * characters, and what stood around them becomes one word. */
static gboolean
is_lasting_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* GPT-2's pieces have a space only at their start or are nothing but spaces,
 * BERT's have none, so where a space follows something else, a piece ends whatever comes before or
 * after. */
gsize
laurel_pretokenize_find_seam (const char *text, gsize length)
{
  for (gsize at = length; at-- > 1;) {
    guint8 before = (guint8) text[at - 1];

    if (is_lasting_space (text[at]) && before > ' ' && before < 0x7f)
      return at;
  }
  return 0;
}
