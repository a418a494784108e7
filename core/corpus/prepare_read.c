/* prepare_read.c: files to clean texts with hashes and signatures, a batch at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/prepare_private.h"

#include "core/base/error.h"

#include <omp.h>

/* Documents of a batch, however short they are. */
#define BATCH_DOCUMENTS 8192
/* Text that is encoded once, to tell how long encoding will take. */
#define PROBE_BYTES 65536

/* FALSE on errors; an empty batch is the end. */
static gboolean
read_batch (LaurelReader *reader, gsize n_bytes, GPtrArray *batch, GError **error)
{
  gsize n = 0;

  g_ptr_array_set_size (batch, 0);
  while (n < n_bytes && batch->len < BATCH_DOCUMENTS) {
    g_autoptr (GError) local = NULL;
    LaurelRawDocument *document = laurel_reader_next (reader, &local);

    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (document == NULL)
      break;
    n += document->n;
    g_ptr_array_add (batch, document);
  }
  return TRUE;
}

static void
process_batch (const LaurelCorpusJob *self, GPtrArray *batch, LaurelDocument *documents)
{
  int n = (int) batch->len;

#pragma omp parallel for schedule(dynamic, 4)
  for (int i = 0; i < n; i++)
    laurel_document_process (&self->document, g_ptr_array_index (batch, i), &documents[i]);
}

static gboolean
keep_document (LaurelCorpusJob *self, const LaurelRawDocument *raw, const LaurelDocument *document,
               GError **error)
{
  LaurelDocumentRecord record = {
    .text_start = self->n_text_bytes,
    .text_length = (guint32) document->text->len,
    .file = raw->file,
    .number = raw->number,
    .key = document->key,
  };

  if (self->n_documents == G_MAXUINT32) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not prepare “%s”: there are more than 4,294,967,295 documents; prepare "
                 "them in parts",
                 self->options->output);
    return FALSE;
  }
  self->n_documents++;
  self->n_text_bytes += document->text->len;
  return laurel_work_file_append (&self->texts, document->text->str, document->text->len, error)
         && laurel_work_file_append (&self->documents, &record, sizeof record, error)
         && (!self->document.signatures
             || laurel_work_file_append (&self->signatures, &document->signature,
                                         sizeof document->signature, error));
}

static gboolean
take_batch (LaurelCorpusJob *self, GPtrArray *batch, LaurelDocument *documents, GError **error)
{
  for (guint i = 0; i < batch->len; i++) {
    const LaurelRawDocument *raw = g_ptr_array_index (batch, i);

    laurel_corpus_report_add_document (self->report, self->options->inputs[raw->file], raw,
                                       &documents[i]);
    if (documents[i].rule == LAUREL_RULE_NONE
        && !keep_document (self, raw, &documents[i], error))
      return FALSE;
    self->n_done += raw->n_consumed;
  }
  return TRUE;
}

static void
probe_encoding (LaurelCorpusJob *self, guint n, const LaurelDocument *documents)
{
  gint64 start = g_get_monotonic_time ();
  gsize n_bytes = 0;

  for (guint i = 0; i < n && n_bytes < PROBE_BYTES; i++) {
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    const GString *text = documents[i].text;

    if (documents[i].rule != LAUREL_RULE_NONE || text->len > 16 * PROBE_BYTES)
      continue;
    (void) laurel_tokenizer_encode (self->options->tokenizer, text->str, (gssize) text->len, ids,
                                    NULL);
    n_bytes += text->len;
  }
  if (n_bytes > 0)
    self->encode_seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC
                           / (double) n_bytes / omp_get_max_threads ();
}

static gboolean
do_batch (LaurelCorpusJob *self, GPtrArray *batch, GError **error)
{
  LaurelDocument *documents = g_new0 (LaurelDocument, batch->len);
  gboolean ok;

  process_batch (self, batch, documents);
  if (self->encode_seconds == 0.0)
    probe_encoding (self, batch->len, documents);
  ok = take_batch (self, batch, documents, error);
  for (guint i = 0; i < batch->len; i++)
    laurel_document_clear (&documents[i]);
  g_free (documents);
  return ok;
}

gboolean
laurel_corpus_job_read (LaurelCorpusJob *self, GError **error)
{
  g_autoptr (GPtrArray) batch =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_raw_document_free);
  g_autoptr (LaurelReader) reader =
      laurel_reader_new (self->options->inputs, &self->options->reader, &self->position);

  laurel_corpus_job_begin (self, LAUREL_CORPUS_READ, self->report->n_bytes_read);
  for (;;) {
    if (!read_batch (reader, self->options->batch_bytes, batch, error))
      return FALSE;
    if (batch->len == 0)
      break;
    if (!do_batch (self, batch, error))
      return FALSE;
    laurel_reader_get_position (reader, &self->position);
    if (!laurel_corpus_job_step (self, self->n_done, self->n_input_bytes, error))
      return FALSE;
  }
  self->phase = LAUREL_CORPUS_COMPARE;
  return laurel_corpus_job_save (self, error);
}
