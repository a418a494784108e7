/* report.h: what was read, what went and why, with samples.
 *
 * Nothing in it depends on when or how fast it was made: the same inputs and
 * settings give the same report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/document.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Samples kept for each reason, drawn evenly from all that it removed. */
#define LAUREL_N_SAMPLES 5

typedef struct {
  char *file;
  guint64 number; /* of the document in it, from 1 */
  char *text;     /* its beginning */
  char *of_file;  /* of duplicates: the document that is kept instead; else NULL */
  guint64 of_number;
  double similarity; /* of near duplicates to that one, estimated */
} LaurelCorpusSample;

typedef struct {
  guint64 n_documents;
  guint64 n_bytes; /* of clean text as far as it came, else of what was read */
  guint64 n_lines; /* for rules about lines */
  GPtrArray *samples; /* (element-type LaurelCorpusSample) */
} LaurelCorpusCount;

typedef struct {
  guint64 n_read, n_bytes_read;   /* documents, bytes of the files */
  guint64 n_kept, n_bytes_kept;   /* documents, bytes of clean UTF-8 */
  guint64 n_tokens;               /* end-of-text included */
  guint64 n_documents_mended;     /* with mojibake */
  guint64 n_characters_mended;
  guint64 n_controls;             /* characters removed */
  guint64 n_replacement;          /* U+FFFD in what was read */
  guint64 n_encodings[LAUREL_N_ENCODINGS];
  LaurelCorpusCount removed[LAUREL_N_RULES];
} LaurelCorpusReport;

LaurelCorpusReport *laurel_corpus_report_new (void);
void laurel_corpus_report_free (LaurelCorpusReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelCorpusReport, laurel_corpus_report_free)

/* Counts a document that was read from @file, kept or not. */
void laurel_corpus_report_add_document (LaurelCorpusReport *self, const char *file, const LaurelRawDocument *raw, const LaurelDocument *document);

/* Counts a document as removed by @rule. Returns the sample to be filled for it (zeros, but for
 * what replaces it nothing is left to free), or NULL where it is not drawn. */
LaurelCorpusSample *laurel_corpus_report_add_removed (LaurelCorpusReport *self, LaurelRule rule, guint64 n_bytes);

/* (transfer full): the beginning of @text on one line. */
char *laurel_corpus_excerpt (const char *text, gsize n) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the report's members to the object that @builder is in. */
void laurel_corpus_report_build (const LaurelCorpusReport *self, const LaurelRules *rules, JsonBuilder *builder);
/* What laurel_corpus_report_build() wrote; NULL and an error when it is not that. */
LaurelCorpusReport *laurel_corpus_report_parse (JsonObject *object, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
