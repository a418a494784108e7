/* reader.h: files of any size, a document at a time, still in their own encoding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/decode.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What is longer is not one document: of a text file an error, of the rest a reason to remove it. */
#define LAUREL_MAX_DOCUMENT_BYTES ((gsize) 16 << 20)

/* How the documents of a text file are told apart. */
typedef enum {
  LAUREL_DOCUMENT_FILE,       /* the file is one */
  LAUREL_DOCUMENT_BLANK_LINE, /* empty lines part them */
  LAUREL_DOCUMENT_LINE,       /* each line is one */
  LAUREL_DOCUMENT_SEPARATOR,  /* lines that say nothing but the separator part them */
} LaurelDocumentRule;

typedef enum {
  LAUREL_FORMAT_AUTO, /* by name: .jsonl and .ndjson are rows, the rest text */
  LAUREL_FORMAT_TEXT,
  LAUREL_FORMAT_JSONL,
} LaurelInputFormat;

typedef struct {
  LaurelInputFormat format;
  LaurelDocumentRule rule;
  const char *separator;   /* UTF-8, for its rule */
  LaurelEncoding encoding; /* LAUREL_ENCODING_BYTES: to be told */
  const char *encoding_name; /* for LAUREL_ENCODING_NAMED, to find the separator */
} LaurelReaderOptions;

/* Where the next document begins. */
typedef struct {
  guint32 file;
  guint64 offset;
  guint64 number; /* of the last document, for rows of the last line, of that file */
} LaurelReaderPosition;

typedef struct {
  guint8 *bytes;
  gsize n;
  guint32 file;
  guint64 number;     /* from 1: rows by their line, others one after the other */
  guint64 n_consumed; /* bytes of the file that it took, separators included */
  LaurelEncoding encoding;
  gboolean jsonl;
  gboolean too_long; /* @bytes are its beginning */
} LaurelRawDocument;

void laurel_raw_document_free (LaurelRawDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRawDocument, laurel_raw_document_free)

typedef struct _LaurelReader LaurelReader;

/* Both arguments stay the caller's and must outlive the reader; @from may be NULL. */
LaurelReader *laurel_reader_new (const char *const *paths, const LaurelReaderOptions *options, const LaurelReaderPosition *from);
void laurel_reader_free (LaurelReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelReader, laurel_reader_free)

/* (transfer full): the next document; NULL without an error at the end of the last file. */
LaurelRawDocument *laurel_reader_next (LaurelReader *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_reader_get_position (const LaurelReader *self, LaurelReaderPosition *out);

gboolean laurel_input_is_jsonl (const char *path, LaurelInputFormat format);

G_END_DECLS
