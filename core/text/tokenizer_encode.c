/* tokenizer_encode.c: one text, many texts and texts of any length to ids.
 *
 * Work is shared out in parts that end where no token can span: at texts' ends
 * and at seams. So the ids are the same on any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/encoder.h"

#include "core/base/error.h"
#include "core/text/pretokenize.h"
#include "core/text/text_stream.h"

#include <omp.h>
#include <string.h>

/* Texts from here on are worth remembering words for. */
#define LONG_TEXT 8192

/* What a thread takes at a time, and what a stream holds for each thread. */
#define PART_SIZE (256 * 1024)
#define BLOCK_SIZE (4 * 1024 * 1024)

typedef struct {
  const char *text;
  gsize length;
  gsize number;   /* which text it is a part of */
  gboolean first; /* of that text's parts */
  gsize n_ids;
} Part;

/* Parts that one thread encodes one after the other. */
typedef struct {
  guint first;
  guint n;
  GArray *ids;
} Batch;

static gboolean
check_utf8 (const char *text, gsize length, GError **error)
{
  const char *end;

  if (!g_utf8_validate (text, (gssize) length, &end)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not encode the text: byte %" G_GSIZE_FORMAT
                 " is not UTF-8 text; convert it to UTF-8",
                 (gsize) (end - text));
    return FALSE;
  }
  return TRUE;
}

static double
get_growth (const LaurelTokenizer *self)
{
  return self->normalizer != NULL ? laurel_normalizer_get_growth (self->normalizer) : 1.0;
}

/* What is encoded in one piece must fit in 2 GiB, whatever normalising makes of it. */
static gboolean
check_length (const LaurelTokenizer *self, gsize length, GError **error)
{
  double limit = (double) G_MAXINT32 / get_growth (self);

  if ((double) length <= limit)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not encode the text: %" G_GSIZE_FORMAT " bytes without a place to cut them "
               "are more than the %" G_GSIZE_FORMAT " that this tokenizer can take; encode it in "
               "parts",
               length, (gsize) limit);
  return FALSE;
}

static gboolean
check_parts (const LaurelTokenizer *self, const GArray *parts, GError **error)
{
  for (guint i = 0; i < parts->len; i++)
    if (!check_length (self, g_array_index (parts, Part, i).length, error))
      return FALSE;
  return TRUE;
}

gboolean
laurel_tokenizer_encode (const LaurelTokenizer *self, const char *text, gssize length, GArray *ids,
                         GError **error)
{
  gsize n = length < 0 ? strlen (text) : (gsize) length;
  g_autoptr (LaurelEncoder) encoder = NULL;

  if (!check_utf8 (text, n, error) || !check_length (self, n, error))
    return FALSE;
  encoder = laurel_encoder_new (self, n >= LONG_TEXT);
  laurel_encoder_encode (encoder, text, n, TRUE, ids);
  return TRUE;
}

static gsize
find_seam (const char *text, gsize length, gconstpointer tokenizer)
{
  const LaurelTokenizer *self = tokenizer;

  return self->has_seams ? laurel_pretokenize_find_seam (text, length) : 0;
}

/* The window grows where it holds no seam, so that this stays linear. */
static void
split_text (const LaurelTokenizer *self, const char *text, gsize length, gsize number,
            GArray *parts)
{
  gsize window = PART_SIZE, done = 0;

  while (length - done > window) {
    gsize n = find_seam (text + done, window, self);
    Part part = { text + done, n, number, done == 0, 0 };

    if (n > 0)
      g_array_append_val (parts, part);
    done += n;
    window = n > 0 ? PART_SIZE : 2 * window;
  }
  if (length > done || done == 0) {
    Part part = { text + done, length - done, number, done == 0, 0 };

    g_array_append_val (parts, part);
  }
}

static GArray *
gather_batches (const GArray *parts)
{
  GArray *batches = g_array_new (FALSE, TRUE, sizeof (Batch));
  gsize size = PART_SIZE;

  for (guint i = 0; i < parts->len; i++) {
    if (size >= PART_SIZE) {
      g_array_set_size (batches, batches->len + 1);
      g_array_index (batches, Batch, batches->len - 1).first = i;
      size = 0;
    }
    g_array_index (batches, Batch, batches->len - 1).n++;
    size += g_array_index (parts, Part, i).length;
  }
  return batches;
}

static void
encode_batch (LaurelEncoder *encoder, Batch *batch, Part *parts)
{
  batch->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint i = batch->first; i < batch->first + batch->n; i++) {
    guint before = batch->ids->len;

    laurel_encoder_encode (encoder, parts[i].text, parts[i].length, parts[i].first, batch->ids);
    parts[i].n_ids = batch->ids->len - before;
  }
}

/* Appends the ids of all parts, and frees nothing but what it made. */
static void
encode_parts (const LaurelTokenizer *self, GArray *parts, GArray *ids)
{
  g_autoptr (GArray) batches = gather_batches (parts);
  Batch *batch = (Batch *) (void *) batches->data;
  int n_batches = (int) batches->len;

#pragma omp parallel num_threads(CLAMP(n_batches, 1, omp_get_max_threads())) if (n_batches > 1)
  {
    g_autoptr (LaurelEncoder) encoder = laurel_encoder_new (self, TRUE);

#pragma omp for schedule(dynamic)
    for (int i = 0; i < n_batches; i++)
      encode_batch (encoder, &batch[i], (Part *) (void *) parts->data);
  }
  for (int i = 0; i < n_batches; i++) {
    g_array_append_vals (ids, batch[i].ids->data, batch[i].ids->len);
    g_array_unref (batch[i].ids);
  }
}

static gboolean
check_texts (const LaurelTokenizer *self, const char *const *texts, const gsize *lengths,
             gsize n_texts, GError **error)
{
  double total = 0.0, growth = get_growth (self);

  for (gsize i = 0; i < n_texts; i++) {
    total += (double) lengths[i] * growth;
    if (!check_utf8 (texts[i], lengths[i], error)) {
      g_prefix_error (error, "Text %" G_GSIZE_FORMAT ": ", i + 1);
      return FALSE;
    }
  }
  if (total >= (double) G_MAXUINT32) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not encode the texts: together they are longer than 4 GiB; give them in "
                 "several calls");
    return FALSE;
  }
  return TRUE;
}

gboolean
laurel_tokenizer_encode_texts (const LaurelTokenizer *self, const char *const *texts,
                               const gsize *lengths, gsize n_texts, GArray *ids, gsize *ends,
                               GError **error)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));
  gsize end = ids->len;

  if (!check_texts (self, texts, lengths, n_texts, error))
    return FALSE;
  for (gsize i = 0; i < n_texts; i++)
    split_text (self, texts[i], lengths[i], i, parts);
  if (!check_parts (self, parts, error))
    return FALSE;
  encode_parts (self, parts, ids);
  for (guint i = 0; i < parts->len; i++) {
    const Part *part = &g_array_index (parts, Part, i);

    end += part->n_ids;
    ends[part->number] = end;
  }
  return TRUE;
}

typedef struct {
  const LaurelTokenizer *tokenizer;
  LaurelTokenSink sink;
  gpointer user_data;
  GArray *ids;
} Stream;

static gboolean
encode_block (const char *text, gsize length, gboolean first, gpointer user_data, GError **error)
{
  Stream *self = user_data;
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (Part));

  split_text (self->tokenizer, text, length, 0, parts);
  g_array_index (parts, Part, 0).first = first;
  if (!check_parts (self->tokenizer, parts, error))
    return FALSE;
  g_array_set_size (self->ids, 0);
  encode_parts (self->tokenizer, parts, self->ids);
  return self->sink ((const gint32 *) (void *) self->ids->data, self->ids->len, self->user_data,
                     error);
}

gboolean
laurel_tokenizer_encode_stream (const LaurelTokenizer *self, GInputStream *input, const char *name,
                                LaurelTokenSink sink, gpointer user_data, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  Stream stream = { self, sink, user_data, ids };
  gsize block_size = (gsize) BLOCK_SIZE * (gsize) omp_get_max_threads ();

  return laurel_text_stream_foreach (input, name, block_size, find_seam, self, encode_block,
                                     &stream, error);
}
