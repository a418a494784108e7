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

typedef gboolean (*LaurelDuplicatesGoOn) (double share, gpointer user_data, GError **error);

/* Fills @out (n). Texts of the same hash are exact duplicates. With @signatures (n; NULL: exact
 * ones only), of the rest those are near that share a band and whose estimated similarity is at
 * least @threshold; documents that are near are joined, and of each group that hangs together the
 * first is kept. In a band where more than 1,024 documents agree, each is compared with the first
 * 1,024 alone. Needs up to 56 bytes of memory a document. @keys begin @stride bytes apart. FALSE
 * when @go_on says so. */
gboolean laurel_duplicates_find (const LaurelDocumentKey *keys, gsize stride, const LaurelMinhash *signatures, guint32 n, double threshold, LaurelDuplicate *out, LaurelDuplicatesGoOn go_on, gpointer user_data, GError **error);

G_END_DECLS
