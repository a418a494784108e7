/* text_stream.c: holding back what may change, and stop strings.
 *
 * A token costs what it adds to the text: nothing that became certain before
 * is decoded, searched or measured again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/text_stream.h"

#include "core/text/detokenizer.h"

#include <string.h>

struct _LaurelTextStream {
  const LaurelModel *model;
  const char *const *stop;
  const gint32 *stop_tokens;
  gsize longest; /* of the stop strings, in bytes */
  LaurelDetokenizer *all;
  gboolean has_begun; /* what there is has become the template's lead, or never will */
  gsize begin;        /* bytes of the lead, which are none of the completion */
  char *stopped;      /* (nullable): the completion before its stop string */
  gsize n_searched;   /* bytes of it that no stop string begins and ends in */
  gsize n_certain;    /* bytes of it */
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
  self->all = laurel_detokenizer_new (model->tokenizer, FALSE);
  for (int i = 0; stop != NULL && stop[i] != NULL; i++)
    self->longest = MAX (self->longest, strlen (stop[i]));
  return self;
}

void
laurel_text_stream_free (LaurelTextStream *self)
{
  if (self == NULL)
    return;
  laurel_detokenizer_free (self->all);
  g_free (self->stopped);
  g_free (self->piece);
  g_free (self);
}

/* The stop string that begins first in @text from @from to @end; of several there, the longest. */
static int
find_stop (const LaurelTextStream *self, const char *text, gsize from, gsize end, gsize *out_at)
{
  int found = -1;

  for (int i = 0; self->stop != NULL && self->stop[i] != NULL; i++) {
    const char *at = g_strstr_len (text + from, (gssize) (end - from), self->stop[i]);
    gsize place;

    if (at == NULL)
      continue;
    place = (gsize) (at - text);
    if (found >= 0 && (place > *out_at || (place == *out_at && strlen (self->stop[i])
                                                               <= strlen (self->stop[found]))))
      continue;
    found = i;
    *out_at = place;
  }
  return found;
}

/* How much of the end of @text (@n bytes) may be the beginning of a stop string. */
static gsize
measure_held (const LaurelTextStream *self, const char *text, gsize n)
{
  gsize held = self->longest > 0 ? MIN (n, self->longest - 1) : 0;

  for (; held > 0; held--)
    for (int i = 0; self->stop[i] != NULL; i++)
      if (strlen (self->stop[i]) > held && memcmp (text + n - held, self->stop[i], held) == 0)
        return held;
  return 0;
}

/* Looks for the template's lead at the beginning of @text (@n bytes of it are certain). */
static void
look_for_lead (LaurelTextStream *self, const char *text, gsize n)
{
  const char *lead = self->model->chat_template->completion_before;
  gsize length = strlen (lead);

  if (n < length && memcmp (text, lead, n) == 0)
    return;
  self->has_begun = TRUE;
  self->begin = strncmp (text, lead, length) == 0 ? length : 0;
}

int
laurel_text_stream_push (LaurelTextStream *self, gint32 token)
{
  const char *text;
  gsize certain, from, at = 0;
  int stop = -1;

  for (int i = 0; self->stop != NULL && self->stop[i] != NULL; i++)
    if (token >= 0 && self->stop_tokens[i] == token)
      return i;
  laurel_detokenizer_push (self->all, token);
  text = laurel_detokenizer_get_text (self->all, &certain);
  if (!self->has_begun)
    look_for_lead (self, text, certain);
  if (!self->has_begun)
    return -1;
  text += self->begin;
  certain -= self->begin;
  from = self->n_searched > self->longest ? self->n_searched - self->longest : 0;
  stop = find_stop (self, text, from, certain, &at);
  self->n_searched = certain;
  if (stop >= 0)
    self->stopped = g_strndup (text, at);
  self->n_certain = stop >= 0 ? at : certain - measure_held (self, text, certain);
  return stop;
}

const char *
laurel_text_stream_take (LaurelTextStream *self, gboolean is_last)
{
  const char *text = laurel_text_stream_get_text (self);
  gsize end = is_last ? strlen (text) : self->n_certain;

  g_free (self->piece);
  self->piece = g_strndup (text + MIN (self->n_taken, end),
                           end > self->n_taken ? end - self->n_taken : 0);
  self->n_taken = MAX (self->n_taken, end);
  return self->piece;
}

const char *
laurel_text_stream_get_text (const LaurelTextStream *self)
{
  const char *lead = self->model->chat_template->completion_before;
  const char *text = laurel_detokenizer_get_text (self->all, NULL);

  if (self->stopped != NULL)
    return self->stopped;
  if (!self->has_begun && g_str_has_prefix (text, lead))
    return text + strlen (lead);
  return text + self->begin;
}
