/* added_tokens.c: the leftmost token, and of those at one place the longest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/added_tokens.h"

#include "core/text/characters.h"
#include "core/text/trie.h"

#include <string.h>

struct _LaurelAddedFinder {
  LaurelTrie *trie; /* number = place in tokens */
  const GArray *tokens;
  gboolean starts[256]; /* bytes that a token starts with */
  gboolean has_seams;
};

static gboolean
is_space (const char *at, gsize *out_length)
{
  return laurel_character_classes ()[laurel_read_character (at, out_length)]
         == LAUREL_CHARACTER_SPACE;
}

static void
add (LaurelAddedFinder *self, const LaurelAddedToken *token, gint32 place,
     const LaurelNormalizer *normalizer)
{
  g_autoptr (GString) content = g_string_new (token->content);

  if ((token->flags & LAUREL_ADDED_NORMALIZED) != 0 && normalizer != NULL)
    laurel_normalizer_apply (normalizer, content, TRUE);
  if (content->len == 0)
    return;
  laurel_trie_add (self->trie, content->str, content->len, place);
  self->starts[(guint8) content->str[0]] = TRUE;
  if ((token->flags & LAUREL_ADDED_RSTRIP) != 0)
    self->has_seams = FALSE;
  for (gsize at = 0, n; at < content->len; at += n)
    if (is_space (content->str + at, &n))
      self->has_seams = FALSE;
}

/* The special ones are in it too: what they cover is not searched for others. */
LaurelAddedFinder *
laurel_added_finder_new (const GArray *tokens, gboolean normalized,
                         const LaurelNormalizer *normalizer)
{
  LaurelAddedFinder *self = NULL;
  gboolean any = FALSE;

  for (guint i = 0; i < tokens->len; i++)
    any |= (g_array_index (tokens, LaurelAddedToken, i).flags & LAUREL_ADDED_SPECIAL) == 0;
  if (!any)
    return NULL;
  self = g_new0 (LaurelAddedFinder, 1);
  self->trie = laurel_trie_new ();
  self->tokens = tokens;
  self->has_seams = TRUE;
  for (guint i = 0; i < tokens->len; i++) {
    const LaurelAddedToken *token = &g_array_index (tokens, LaurelAddedToken, i);

    if (((token->flags & LAUREL_ADDED_NORMALIZED) != 0) == normalized)
      add (self, token, (gint32) i, normalizer);
  }
  return self;
}

void
laurel_added_finder_free (LaurelAddedFinder *self)
{
  if (self == NULL)
    return;
  laurel_trie_free (self->trie);
  g_free (self);
}

/* What regular expressions call \w. */
static gboolean
is_word (gunichar c)
{
  switch (g_unichar_type (c)) {
  case G_UNICODE_SPACING_MARK:
  case G_UNICODE_ENCLOSING_MARK:
  case G_UNICODE_NON_SPACING_MARK:
  case G_UNICODE_CONNECT_PUNCTUATION:
  case G_UNICODE_DECIMAL_NUMBER:
  case G_UNICODE_LETTER_NUMBER: return TRUE;
  default:
    return laurel_character_classes ()[c] == LAUREL_CHARACTER_LETTER || c == 0x200c || c == 0x200d
           || (c >= 0x24b6 && c <= 0x24e9);
  }
}

static gboolean
is_within_word (const char *text, gsize length, gsize begin, gsize end)
{
  gsize n;

  return (begin > 0 && is_word (g_utf8_get_char (g_utf8_prev_char (text + begin))))
         || (end < length && is_word (laurel_read_character (text + end, &n)));
}

static void
take_spaces (const LaurelAddedToken *token, const char *text, gsize length, gsize done,
             gsize *begin, gsize *end)
{
  gsize n;

  while ((token->flags & LAUREL_ADDED_LSTRIP) != 0 && *begin > done) {
    const char *before = g_utf8_prev_char (text + *begin);

    if (!is_space (before, &n))
      break;
    *begin = (gsize) (before - text);
  }
  while ((token->flags & LAUREL_ADDED_RSTRIP) != 0 && *end < length && is_space (text + *end, &n))
    *end += n;
}

gint32
laurel_added_finder_next (const LaurelAddedFinder *self, const char *text, gsize length,
                          gsize *from, gsize done, gsize *out_begin, gsize *out_end)
{
  gsize at = *from, n = 0;

  for (; at < length; at += MAX (n, 1)) {
    const LaurelAddedToken *token;
    gint32 place = -1;

    n = self->starts[(guint8) text[at]]
            ? laurel_trie_match (self->trie, text + at, length - at, &place)
            : 0;
    if (n == 0)
      continue;
    token = &g_array_index (self->tokens, LaurelAddedToken, place);
    if ((token->flags & LAUREL_ADDED_SPECIAL) != 0 || at < done
        || ((token->flags & LAUREL_ADDED_SINGLE_WORD) != 0
            && is_within_word (text, length, at, at + n)))
      continue;
    *out_begin = at;
    *out_end = at + n;
    *from = at + n;
    take_spaces (token, text, length, done, out_begin, out_end);
    return token->id;
  }
  *from = length;
  return -1;
}

gboolean
laurel_added_finder_has_seams (const LaurelAddedFinder *self)
{
  return self->has_seams;
}
