/* prepare_compare.c: which of the clean texts are kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/prepare_private.h"

#include "core/base/error.h"
#include "core/base/file.h"

#include <string.h>

static gboolean
go_on_cb (double share, gpointer user_data, GError **error)
{
  LaurelCorpusJob *self = user_data;

  return laurel_corpus_job_step (self, (guint64) (share * 1000.0), 1000, error);
}

static gboolean
read_cb (guint32 document, GString *text, gpointer user_data, GError **error)
{
  LaurelCorpusJob *self = user_data;
  LaurelDocumentRecord record;

  if (!laurel_work_file_read (&self->documents, document * (guint64) sizeof record, &record,
                              sizeof record, error))
    return FALSE;
  g_string_set_size (text, record.text_length);
  return laurel_work_file_read (&self->texts, record.text_start, text->str, text->len, error);
}

static GMappedFile *
map_file (const LaurelWorkFile *file, GError **error)
{
  g_autoptr (GError) local = NULL;
  GMappedFile *map = g_mapped_file_new (file->path, FALSE, &local);

  if (map == NULL)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not read the work file “%s”: %s; check the disk", file->path,
                 local->message);
  return map;
}

/* To the document that is kept. The twin of an exact duplicate may itself be a near one of that. */
static double
measure_similarity (const LaurelDocumentRecord *records, const LaurelMinhash *signatures, guint32 i,
                    guint32 kept)
{
  if (signatures == NULL
      || memcmp (records[i].key.hash, records[kept].key.hash, sizeof records[i].key.hash) == 0)
    return 1.0;
  return laurel_minhash_compare (&signatures[i], &signatures[kept]);
}

static gboolean
add_removed (LaurelCorpusJob *self, const LaurelDocumentRecord *records,
             const LaurelMinhash *signatures, guint32 i, const LaurelDuplicate *duplicate,
             GError **error)
{
  LaurelRule rule = duplicate->exact ? LAUREL_RULE_DUPLICATE_EXACT : LAUREL_RULE_DUPLICATE_NEAR;
  const LaurelDocumentRecord *record = &records[i], *first = &records[duplicate->first];
  LaurelCorpusSample *sample =
      laurel_corpus_report_add_removed (self->report, rule, record->text_length);
  char beginning[1024];
  gsize n = MIN (record->text_length, sizeof beginning);

  self->report->n_kept--;
  self->report->n_bytes_kept -= record->text_length;
  if (sample == NULL)
    return TRUE;
  sample->file = g_strdup (self->options->inputs[record->file]);
  sample->number = record->number;
  sample->of_file = g_strdup (self->options->inputs[first->file]);
  sample->of_number = first->number;
  sample->similarity = measure_similarity (records, signatures, i, duplicate->first);
  if (!laurel_work_file_read (&self->texts, record->text_start, beginning, n, error))
    return FALSE;
  sample->text = laurel_corpus_excerpt (beginning, n);
  return TRUE;
}

/* One byte a document: 1 for what is kept. */
static gboolean
write_verdicts (LaurelCorpusJob *self, const LaurelDuplicate *duplicates, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "kept", NULL);
  g_autofree guint8 *kept = g_malloc (self->n_documents + 1);

  for (guint32 i = 0; i < self->n_documents; i++)
    kept[i] = duplicates[i].first == i;
  return laurel_file_write (path, kept, self->n_documents, error);
}

static gboolean
find_duplicates (LaurelCorpusJob *self, LaurelDuplicate *duplicates, GError **error)
{
  g_autoptr (GMappedFile) documents = map_file (&self->documents, error);
  g_autoptr (GMappedFile) signatures = map_file (&self->signatures, error);
  const LaurelDocumentRecord *records;
  const LaurelMinhash *minhashes = NULL;
  LaurelDuplicateSearch search;

  if (documents == NULL || signatures == NULL)
    return FALSE;
  records = (const void *) g_mapped_file_get_contents (documents);
  if (self->document.signatures)
    minhashes = (const void *) g_mapped_file_get_contents (signatures);
  search = (LaurelDuplicateSearch){
    .keys = &records->key,
    .stride = sizeof *records,
    .signatures = minhashes,
    .n = self->n_documents,
    .threshold = self->document.rules.threshold[LAUREL_RULE_DUPLICATE_NEAR],
    .read = read_cb,
    .go_on = go_on_cb,
    .user_data = self,
  };
  if (!laurel_duplicates_find (&search, duplicates, error))
    return FALSE;
  for (guint32 i = 0; i < self->n_documents; i++)
    if (duplicates[i].first != i
        && !add_removed (self, records, minhashes, i, &duplicates[i], error))
      return FALSE;
  return TRUE;
}

gboolean
laurel_corpus_job_compare (LaurelCorpusJob *self, GError **error)
{
  g_autofree LaurelDuplicate *duplicates = g_new (LaurelDuplicate, (gsize) self->n_documents + 1);

  laurel_corpus_job_begin (self, LAUREL_CORPUS_COMPARE, 0);
  if (self->options->duplicates == LAUREL_DUPLICATES_KEEP || self->n_documents == 0) {
    for (guint32 i = 0; i < self->n_documents; i++)
      duplicates[i] = (LaurelDuplicate){ i, FALSE };
  } else if (!find_duplicates (self, duplicates, error)) {
    return FALSE;
  }
  if (!write_verdicts (self, duplicates, error))
    return FALSE;
  self->phase = LAUREL_CORPUS_ENCODE;
  return laurel_corpus_job_save (self, error);
}
