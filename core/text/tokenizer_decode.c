/* tokenizer_decode.c: ids to text, and to labels for a screen.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/detokenizer.h"
#include "core/text/tokenizer_private.h"

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
  g_autoptr (LaurelDetokenizer) all = laurel_detokenizer_new (self, with_special);

  for (gsize i = 0; i < n; i++)
    laurel_detokenizer_push (all, ids[i]);
  return g_strdup (laurel_detokenizer_get_text (all, NULL));
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
