/* duplicates.h: which documents say what an earlier one said.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/minhash.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define LAUREL_DOCUMENT_HASH_LENGTH 16

/* What is compared of a document. */
typedef struct {
  guint8 hash[LAUREL_DOCUMENT_HASH_LENGTH]; /* the first half of the SHA-256 of its text */
  guint32 has_signature;                    /* whether it has words */
} LaurelDocumentKey;

typedef struct {
  guint32 first; /* the document that is kept in its place; its own number when that is kept */
  guint32 exact; /* whether it is removed because another has its very text */
} LaurelDuplicate;

/* What the search is made of; @keys begin @stride bytes apart. */
typedef struct {
  const LaurelDocumentKey *keys; /* (n) */
  gsize stride;
  const LaurelMinhash *signatures; /* (n); NULL: exact duplicates only */
  guint32 n;
  double threshold; /* Jaccard similarity */
  /* The text of @document, to @text, which is empty. */
  gboolean (*read) (guint32 document, GString *text, gpointer user_data, GError **error);
  /* Every few thousand comparisons, @share being done; FALSE to stop. */
  gboolean (*go_on) (double share, gpointer user_data, GError **error);
  gpointer user_data;
} LaurelDuplicateSearch;

/* Fills @out (n). Texts of the same hash are exact duplicates. Of the rest, those are near that
 * share a band and are similar: by their signatures' estimate where that is more than 0.1 (three
 * standard deviations) from the threshold, else by all their shingles. Documents that are near
 * are joined, and of each group that hangs together the first is kept. In a band where more than
 * 1,024 documents agree, each is compared with the first 1,024 alone. Needs up to 56 bytes of
 * memory a document. FALSE when a function of the search says so. */
gboolean laurel_duplicates_find (const LaurelDuplicateSearch *search, LaurelDuplicate *out, GError **error);

G_END_DECLS
