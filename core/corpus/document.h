/* document.h: one document from raw bytes to clean text, its hash and its signature.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/clean.h"
#include "core/corpus/duplicates.h"
#include "core/corpus/reader.h"
#include "core/corpus/rules.h"

G_BEGIN_DECLS

typedef struct {
  const char *field;         /* the member of a row that has its text */
  const char *encoding_name; /* for LAUREL_ENCODING_NAMED */
  LaurelRules rules;
  gboolean signatures; /* make them */
} LaurelDocumentOptions;

typedef struct {
  LaurelRule rule; /* that removes it, or LAUREL_RULE_NONE */
  GString *text;   /* as far as it came */
  LaurelEncoding encoding;
  LaurelCleaning cleaning;
  LaurelRemovedLines lines;
  LaurelDocumentKey key;   /* of what is kept */
  LaurelMinhash signature; /* of what is kept; all ones when there is none */
} LaurelDocument;

/* Fills @out, which laurel_document_clear() empties. Any number of threads at once. */
void laurel_document_process (const LaurelDocumentOptions *options, const LaurelRawDocument *raw, LaurelDocument *out);
void laurel_document_clear (LaurelDocument *self);

G_END_DECLS
