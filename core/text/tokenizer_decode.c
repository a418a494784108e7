/* tokenizer_decode.c: ids to text, and to labels for a screen.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#define REPLACEMENT "\357\277\275" /* U+FFFD */

/* How many bytes at @at, where valid UTF-8 stops, one U+FFFD stands for: the
 * longest start of a character that is there, as Unicode recommends. */
static gsize
broken_length (const guint8 *at, gsize left)
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
  return n;
}

static char *
make_valid (const GString *bytes)
{
  GString *text = g_string_sized_new (bytes->len);
  const char *at = bytes->str;
  gsize left = bytes->len;

  while (left > 0) {
    const char *bad;
    gsize n;

    if (g_utf8_validate (at, (gssize) left, &bad)) {
      g_string_append_len (text, at, (gssize) left);
      break;
    }
    n = (gsize) (bad - at);
    g_string_append_len (text, at, (gssize) n);
    g_string_append (text, REPLACEMENT);
    n += broken_length ((const guint8 *) bad, left - n);
    at += n;
    left -= n;
  }
  return g_string_free (text, FALSE);
}

static gboolean
is_token (const LaurelTokenizer *self, gint32 id)
{
  return id >= 0 && (guint) id < self->flags->len;
}

static gboolean
is_special (const LaurelTokenizer *self, gint32 id)
{
  return (self->flags->data[id] & LAUREL_TOKEN_SPECIAL) != 0;
}

char *
laurel_tokenizer_decode (const LaurelTokenizer *self, const gint32 *ids, gsize n,
                         gboolean with_special)
{
  g_autoptr (GString) bytes = g_string_new (NULL);

  for (gsize i = 0; i < n; i++) {
    gsize length;
    const char *token;

    if (!is_token (self, ids[i])) {
      g_string_append (bytes, REPLACEMENT);
      continue;
    }
    token = laurel_string_table_get (self->tokens, (guint32) ids[i], &length);
    if (is_special (self, ids[i]) && !with_special)
      continue;
    if (self->wordpiece != NULL)
      laurel_wordpiece_append_text (self->wordpiece, token, length, bytes->len == 0, bytes);
    else
      g_string_append_len (bytes, token, (gssize) length);
  }
  return make_valid (bytes);
}

const char *
laurel_tokenizer_get_bytes (const LaurelTokenizer *self, int id, gsize *out_length)
{
  if (is_token (self, id) && self->wordpiece != NULL) {
    gsize begin = id > 0 ? g_array_index (self->text_ends, gsize, id - 1) : 0;

    if (out_length != NULL)
      *out_length = g_array_index (self->text_ends, gsize, id) - begin - 1;
    return (const char *) self->texts->data + begin;
  }
  if (is_token (self, id) && !is_special (self, id))
    return laurel_string_table_get (self->tokens, (guint32) id, out_length);
  if (out_length != NULL)
    *out_length = 0;
  return "";
}

static void
append_label (GString *label, gunichar c)
{
  if (c == '\n')
    g_string_append (label, "\\n");
  else if (c == '\t')
    g_string_append (label, "\\t");
  else if (c == '\r')
    g_string_append (label, "\\r");
  else if (c == '\\')
    g_string_append (label, "\\\\");
  else if (g_unichar_isprint (c))
    g_string_append_unichar (label, c);
  else
    g_string_append_printf (label, "\\u{%X}", c);
}

char *
laurel_tokenizer_label (const LaurelTokenizer *self, int id)
{
  GString *label;
  const char *at;
  gsize left;

  if (!is_token (self, id))
    return g_strdup_printf ("#%d", id);
  at = laurel_string_table_get (self->tokens, (guint32) id, &left);
  label = g_string_sized_new (left);
  while (left > 0) {
    gunichar c = g_utf8_get_char_validated (at, (gssize) left);
    gsize n = 1;

    if (c < 0x110000) {
      append_label (label, c);
      n = (gsize) g_unichar_to_utf8 (c, NULL);
    } else {
      g_string_append_printf (label, "\\x%02X", (guint8) *at);
    }
    at += n;
    left -= n;
  }
  return g_string_free (label, FALSE);
}
