/* pretokenize.c: GPT-2's pattern, written by hand.
 *
 * The pattern, first alternative that matches, each as long as it can be:
 *   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * where \s is Unicode's White_Space. Every character is exactly one of letter,
 * number, space or other, which makes it a matter of runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/pretokenize.h"

#include <string.h>

typedef enum {
  CLASS_LETTER,
  CLASS_NUMBER,
  CLASS_SPACE,
  CLASS_OTHER,
} CharacterClass;

/* GLib's own g_unichar_isspace() leaves out some of White_Space. */
static gboolean
is_white_space (gunichar c)
{
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
         || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f
         || c == 0x205f || c == 0x3000;
}

static CharacterClass
classify (gunichar c)
{
  if (is_white_space (c))
    return CLASS_SPACE;
  if (c < 0x80)
    return g_ascii_isalpha (c) ? CLASS_LETTER : g_ascii_isdigit (c) ? CLASS_NUMBER : CLASS_OTHER;
  switch (g_unichar_type (c)) {
  case G_UNICODE_LOWERCASE_LETTER:
  case G_UNICODE_MODIFIER_LETTER:
  case G_UNICODE_OTHER_LETTER:
  case G_UNICODE_TITLECASE_LETTER:
  case G_UNICODE_UPPERCASE_LETTER:
    return CLASS_LETTER;
  case G_UNICODE_DECIMAL_NUMBER:
  case G_UNICODE_LETTER_NUMBER:
  case G_UNICODE_OTHER_NUMBER:
    return CLASS_NUMBER;
  default:
    return CLASS_OTHER;
  }
}

static gsize
match_contraction (const char *text, gsize length)
{
  static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };

  if (*text != '\'')
    return 0;
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    gsize n = strlen (endings[i]);

    if (n < length && memcmp (text + 1, endings[i], n) == 0)
      return n + 1;
  }
  return 0;
}

static const char *
skip_class (const char *at, const char *end, CharacterClass wanted)
{
  while (at < end && classify (g_utf8_get_char (at)) == wanted)
    at = g_utf8_next_char (at);
  return at;
}

/* A run of spaces leaves its last one to what follows, unless nothing follows
 * or it is the only one. */
static gsize
match_space (const char *text, const char *end)
{
  const char *last = text, *at = text;

  while (at < end && classify (g_utf8_get_char (at)) == CLASS_SPACE) {
    last = at;
    at = g_utf8_next_char (at);
  }
  return (gsize) ((at == end || last == text ? at : last) - text);
}

gsize
laurel_pretokenize_next (const char *text, gsize length)
{
  const char *end = text + length, *at = text;
  gsize n_contraction = match_contraction (text, length);
  CharacterClass first;

  if (n_contraction > 0)
    return n_contraction;
  if (length > 1 && *at == ' ' && classify (g_utf8_get_char (at + 1)) != CLASS_SPACE)
    at++;
  first = classify (g_utf8_get_char (at));
  if (first == CLASS_SPACE)
    return match_space (text, end);
  return (gsize) (skip_class (at, end, first) - text);
}
