/* detokenizer.c: ids to text, one after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/detokenizer.h"

#include "core/text/tokenizer_private.h"

#include <string.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD */

struct _LaurelDetokenizer {
  const LaurelTokenizer *tokenizer;
  gboolean with_special;
  GString *text;   /* valid UTF-8, with one U+FFFD at its end for @rest */
  gsize n_certain; /* bytes of text without that */
  GString *rest;   /* the beginning of a character that the next id may go on with */
};

LaurelDetokenizer *
laurel_detokenizer_new (const LaurelTokenizer *tokenizer, gboolean with_special)
{
  LaurelDetokenizer *self = g_new0 (LaurelDetokenizer, 1);

  self->tokenizer = tokenizer;
  self->with_special = with_special;
  self->text = g_string_new (NULL);
  self->rest = g_string_new (NULL);
  return self;
}

void
laurel_detokenizer_free (LaurelDetokenizer *self)
{
  if (self == NULL)
    return;
  g_string_free (self->text, TRUE);
  g_string_free (self->rest, TRUE);
  g_free (self);
}

/* How many bytes at @at, where valid UTF-8 stops, one U+FFFD stands for: the longest start of a
 * character that is there, as Unicode recommends. @is_cut: it is the end that it lacks alone. */
static gsize
broken_length (const guint8 *at, gsize left, gboolean *is_cut)
{
  gsize wanted = at[0] < 0xc2 || at[0] > 0xf4 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
  guint8 low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
  guint8 high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
  gsize n = 1;

  while (n < wanted && n < left && at[n] >= low && at[n] <= high) {
    low = 0x80;
    high = 0xbf;
    n++;
  }
  *is_cut = n == left && n < wanted;
  return n;
}

/* Moves from the rest to the text what no further byte changes. */
static void
settle (LaurelDetokenizer *self)
{
  const char *at = self->rest->str;
  gsize left = self->rest->len;

  g_string_truncate (self->text, self->n_certain);
  while (left > 0) {
    gboolean is_cut;
    const char *bad;
    gsize n;

    if (g_utf8_validate (at, (gssize) left, &bad)) {
      g_string_append_len (self->text, at, (gssize) left);
      left = 0;
      break;
    }
    n = (gsize) (bad - at);
    g_string_append_len (self->text, at, (gssize) n);
    at += n;
    left -= n;
    n = broken_length ((const guint8 *) at, left, &is_cut);
    if (is_cut)
      break;
    g_string_append (self->text, REPLACEMENT);
    at += n;
    left -= n;
  }
  g_string_erase (self->rest, 0, (gssize) (self->rest->len - left));
  self->n_certain = self->text->len;
  if (left > 0)
    g_string_append (self->text, REPLACEMENT);
}

void
laurel_detokenizer_push (LaurelDetokenizer *self, gint32 id)
{
  const LaurelTokenizer *tokenizer = self->tokenizer;
  gboolean is_token = id >= 0 && (guint) id < tokenizer->flags->len;
  const char *token = REPLACEMENT;
  gsize length = strlen (REPLACEMENT);

  if (is_token && !self->with_special && tokenizer->flags->data[id] & LAUREL_TOKEN_SPECIAL)
    return;
  if (is_token)
    token = laurel_string_table_get (tokenizer->tokens, (guint32) id, &length);
  if (is_token && tokenizer->wordpiece != NULL)
    laurel_wordpiece_append_text (tokenizer->wordpiece, token, length, self->text->len == 0,
                                  self->rest);
  else
    g_string_append_len (self->rest, token, (gssize) length);
  settle (self);
}

const char *
laurel_detokenizer_get_text (const LaurelDetokenizer *self, gsize *out_certain)
{
  if (out_certain != NULL)
    *out_certain = self->n_certain;
  return self->text->str;
}
