/* prepare_encode.c: texts to ids on all cores, and ids to the token file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/prepare_private.h"

#include "core/base/error.h"
#include "core/corpus/token_file.h"

#include <string.h>

#define BATCH_DOCUMENTS 8192
/* Of the token file between two questions whether to go on. */
#define WRITE_STEP ((guint64) 1 << 24)

/* One document on its way. */
typedef struct {
  LaurelDocumentRecord record;
  GArray *ids;
  GError *error;
} Item;

static void
item_clear (gpointer data)
{
  Item *self = data;

  g_clear_pointer (&self->ids, g_array_unref);
  g_clear_error (&self->error);
}

/* The next kept documents of up to batch_bytes together. */
static gboolean
collect (LaurelCorpusJob *self, const guint8 *kept, GArray *batch, GError **error)
{
  gsize n_bytes = 0;

  g_array_set_size (batch, 0);
  while (self->next_document < self->n_documents && n_bytes < self->options->batch_bytes
         && batch->len < BATCH_DOCUMENTS) {
    guint32 i = self->next_document++;
    Item item = { 0 };

    if (!kept[i])
      continue;
    if (!laurel_work_file_read (&self->documents, i * (guint64) sizeof item.record, &item.record,
                                sizeof item.record, error))
      return FALSE;
    n_bytes += item.record.text_length;
    g_array_append_val (batch, item);
  }
  return TRUE;
}

static void
encode_item (const LaurelCorpusJob *self, Item *item)
{
  gsize n = item->record.text_length;
  g_autofree char *text = g_malloc (n + 1);
  gint32 end = laurel_tokenizer_get_end_of_text (self->options->tokenizer);

  item->ids = g_array_sized_new (FALSE, FALSE, sizeof (gint32), (guint) (n / 3 + 16));
  text[n] = '\0';
  if (!laurel_work_file_read (&self->texts, item->record.text_start, text, n, &item->error)
      || !laurel_tokenizer_encode (self->options->tokenizer, text, (gssize) n, item->ids,
                                   &item->error))
    return;
  g_array_append_val (item->ids, end);
}

static gboolean
encode_batch (LaurelCorpusJob *self, GArray *batch, GError **error)
{
  int n = (int) batch->len;

#pragma omp parallel for schedule(dynamic, 4)
  for (int i = 0; i < n; i++)
    encode_item (self, &g_array_index (batch, Item, i));
  for (int i = 0; i < n; i++) {
    Item *item = &g_array_index (batch, Item, i);
    guint32 length = item->ids->len;

    if (item->error != NULL) {
      g_propagate_error (error, g_steal_pointer (&item->error));
      return FALSE;
    }
    if (!laurel_work_file_append (&self->lengths, &length, sizeof length, error)
        || !laurel_work_file_append (&self->ids, item->ids->data, length * sizeof (gint32), error))
      return FALSE;
    self->n_encoded++;
    self->n_ids += length;
    self->n_done += item->record.text_length;
  }
  return TRUE;
}

static gboolean
refuse_nothing (const LaurelCorpusJob *self, GError **error)
{
  const LaurelCorpusReport *report = self->report;
  LaurelRule most = LAUREL_RULE_TOO_LONG;
  g_autofree char *why = NULL;

  for (int i = 0; i < LAUREL_N_RULES; i++)
    if (report->removed[i].n_documents > report->removed[most].n_documents)
      most = (LaurelRule) i;
  why = laurel_rule_describe (most, self->document.rules.threshold[most]);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not prepare “%s”: nothing is left of %" G_GUINT64_FORMAT
               " documents, %" G_GUINT64_FORMAT " went for the rule %s (%s); look at the report "
               "beside it and choose other rules",
               self->options->output, report->n_read, report->removed[most].n_documents,
               laurel_rule_get_info (most)->name, why);
  return FALSE;
}

static guint8 *
read_verdicts (LaurelCorpusJob *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "kept", NULL);
  g_autofree char *kept = NULL;
  gsize n = 0;

  if (g_file_get_contents (path, &kept, &n, NULL) && n == self->n_documents)
    return (guint8 *) g_steal_pointer (&kept);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not go on with the work in “%s”: the list of what is kept is damaged; remove "
               "the folder to start over",
               self->folder);
  return NULL;
}

static guint64
count_done (LaurelCorpusJob *self, const guint8 *kept, GError **error)
{
  LaurelDocumentRecord record = { 0 };
  guint64 n = 0;

  for (guint32 i = 0; i < self->next_document; i++)
    if (kept[i] && laurel_work_file_read (&self->documents, i * (guint64) sizeof record, &record,
                                          sizeof record, error))
      n += record.text_length;
  return n;
}

gboolean
laurel_corpus_job_encode (LaurelCorpusJob *self, GError **error)
{
  g_autofree guint8 *kept = read_verdicts (self, error);
  g_autoptr (GArray) batch = g_array_new (FALSE, FALSE, sizeof (Item));

  if (kept == NULL)
    return FALSE;
  if (self->report->n_kept == 0)
    return refuse_nothing (self, error);
  g_array_set_clear_func (batch, item_clear);
  laurel_corpus_job_begin (self, LAUREL_CORPUS_ENCODE, count_done (self, kept, NULL));
  while (self->next_document < self->n_documents)
    if (!collect (self, kept, batch, error) || !encode_batch (self, batch, error)
        || !laurel_corpus_job_step (self, self->n_done, self->report->n_bytes_kept, error))
      return FALSE;
  self->report->n_tokens = self->n_ids;
  self->phase = LAUREL_CORPUS_WRITE;
  return laurel_corpus_job_save (self, error);
}

/* --- The token file ------------------------------------------------------------------ */

static gboolean
copy_document (LaurelCorpusJob *self, LaurelTokenWriter *writer, guint32 i, guint64 *n_done,
               GArray *ids, GError **error)
{
  guint32 length;

  if (!laurel_work_file_read (&self->lengths, i * (guint64) sizeof length, &length, sizeof length,
                              error))
    return FALSE;
  g_array_set_size (ids, length);
  if (!laurel_work_file_read (&self->ids, *n_done * sizeof (gint32), ids->data,
                              length * sizeof (gint32), error))
    return FALSE;
  *n_done += length;
  return laurel_token_writer_add (writer, (const gint32 *) (void *) ids->data, length, error);
}

gboolean
laurel_corpus_job_write (LaurelCorpusJob *self, GError **error)
{
  const LaurelTokenizer *tokenizer = self->options->tokenizer;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (LaurelTokenWriter) writer = NULL;
  guint64 n_done = 0, next_step = 0;

  laurel_corpus_job_begin (self, LAUREL_CORPUS_WRITE, 0);
  writer = laurel_token_writer_open (
      self->options->output, laurel_tokenizer_get_hash (tokenizer),
      laurel_tokenizer_get_vocab_size (tokenizer), laurel_tokenizer_get_end_of_text (tokenizer),
      error);
  if (writer == NULL)
    return FALSE;
  for (guint32 i = 0; i < self->n_encoded; i++) {
    if (!copy_document (self, writer, i, &n_done, ids, error))
      return FALSE;
    if (n_done < next_step)
      continue;
    if (!laurel_corpus_job_step (self, n_done, self->n_ids, error))
      return FALSE;
    next_step = n_done + WRITE_STEP;
  }
  return laurel_token_writer_commit (writer, error);
}
