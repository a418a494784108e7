/* text_stream.c: decoding, holding back, and stop strings.
 *
 * Each token decodes the whole completion anew, so that the text is the one
 * that any decoding of these tokens gives, whatever the tokenizer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/text_stream.h"

#include <string.h>

#define REPLACEMENT "\357\277\275" /* U+FFFD, which a cut character decodes to */

struct _LaurelTextStream {
  const LaurelModel *model;
  const char *const *stop;
  const gint32 *stop_tokens;
  gsize longest; /* of the stop strings, in bytes */
  GArray *ids;   /* (element-type gint32) */
  char *text;
  gsize n_searched; /* bytes of text known to have no stop string that begins and ends in them */
  gsize n_certain;
  gsize n_taken;
  char *piece;
};

gint32 *
laurel_stop_find_tokens (const LaurelTokenizer *tokenizer, const char *const *stop)
{
  guint n = g_strv_length ((char **) stop);
  gint32 *tokens = g_new (gint32, n + 1);

  for (guint i = 0; i < n; i++)
    tokens[i] = -1;
  for (int id = 0; id < laurel_tokenizer_get_vocab_size (tokenizer); id++) {
    g_autofree char *name = NULL;
    gsize length;

    laurel_tokenizer_get_bytes (tokenizer, id, &length);
    if (length > 0)
      continue;
    name = laurel_tokenizer_label (tokenizer, id);
    for (guint i = 0; i < n; i++)
      if (g_str_equal (name, stop[i]))
        tokens[i] = id;
  }
  return tokens;
}

LaurelTextStream *
laurel_text_stream_new (const LaurelModel *model, const char *const *stop,
                        const gint32 *stop_tokens)
{
  LaurelTextStream *self = g_new0 (LaurelTextStream, 1);

  self->model = model;
  self->stop = stop;
  self->stop_tokens = stop_tokens;
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->text = g_strdup ("");
  for (int i = 0; stop != NULL && stop[i] != NULL; i++)
    self->longest = MAX (self->longest, strlen (stop[i]));
  return self;
}

void
laurel_text_stream_free (LaurelTextStream *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->ids);
  g_free (self->text);
  g_free (self->piece);
  g_free (self);
}

/* Bytes of @text without the broken characters at its end, which the next token may complete. */
static gsize
measure_whole (const char *text)
{
  gsize n = strlen (text), width = strlen (REPLACEMENT);

  while (n >= width && memcmp (text + n - width, REPLACEMENT, width) == 0)
    n -= width;
  return n;
}

/* The stop string that begins first in text from @from to @end; of several there, the longest. */
static int
find_stop (const LaurelTextStream *self, gsize from, gsize end, gsize *out_at)
{
  int found = -1;

  for (int i = 0; self->stop != NULL && self->stop[i] != NULL; i++) {
    const char *at = g_strstr_len (self->text + from, (gssize) (end - from), self->stop[i]);
    gsize place;

    if (at == NULL)
      continue;
    place = (gsize) (at - self->text);
    if (found >= 0 && (place > *out_at || (place == *out_at && strlen (self->stop[i])
                                                               <= strlen (self->stop[found]))))
      continue;
    found = i;
    *out_at = place;
  }
  return found;
}

/* How much of the end of text (@n bytes) may be the beginning of a stop string. */
static gsize
measure_held (const LaurelTextStream *self, gsize n)
{
  gsize held = self->longest > 0 ? MIN (n, self->longest - 1) : 0;

  for (; held > 0; held--)
    for (int i = 0; self->stop[i] != NULL; i++)
      if (strlen (self->stop[i]) > held
          && memcmp (self->text + n - held, self->stop[i], held) == 0)
        return held;
  return 0;
}

int
laurel_text_stream_push (LaurelTextStream *self, gint32 token)
{
  const char *lead = self->model->chat_template->completion_before;
  gsize whole, from, at = 0;
  int stop;

  g_array_append_val (self->ids, token);
  for (int i = 0; self->stop != NULL && self->stop[i] != NULL; i++)
    if (self->stop_tokens[i] == token)
      return i;
  g_free (self->text);
  self->text = laurel_template_decode_completion (self->model->chat_template,
                                                  self->model->tokenizer,
                                                  (const gint32 *) (gpointer) self->ids->data,
                                                  self->ids->len);
  /* What may become the template's lead is not the completion's yet. */
  if (lead[0] != '\0' && g_str_has_prefix (lead, self->text))
    return -1;
  whole = measure_whole (self->text);
  from = self->n_searched > self->longest ? self->n_searched - self->longest : 0;
  stop = from < whole ? find_stop (self, from, whole, &at) : -1;
  self->n_searched = whole;
  if (stop >= 0) {
    self->text[at] = '\0';
    self->n_certain = at;
  } else {
    self->n_certain = whole - measure_held (self, whole);
  }
  return stop;
}

const char *
laurel_text_stream_take (LaurelTextStream *self, gboolean is_last)
{
  gsize end = is_last ? strlen (self->text) : self->n_certain;

  g_free (self->piece);
  self->piece = g_strndup (self->text + MIN (self->n_taken, end),
                           end > self->n_taken ? end - self->n_taken : 0);
  self->n_taken = MAX (self->n_taken, end);
  return self->piece;
}

const char *
laurel_text_stream_get_text (const LaurelTextStream *self)
{
  return self->text;
}
