/* packed.h: documents of a token file as rows of whole sequences.
 *
 * A document is its tokens between two end-of-texts: the first is what its
 * first token is predicted from, the second is its last. One that is longer
 * than a sequence is split into pieces that overlap by one token, so that every
 * token but the first end-of-text is predicted once an epoch. Each piece is a
 * sequence of its own: neither attention nor positions cross a boundary. A row
 * is as many neighbouring pieces as fit into the limit together; short
 * documents share one, and a batch of so many rows has about so many tokens.
 *
 * The file stays mapped; memory holds the place of every sixteenth row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/token_file.h"
#include "core/train/hyperparameters.h"
#include "core/train/ragged.h"

G_BEGIN_DECLS

typedef struct _LaurelPacked LaurelPacked;

/* The documents of @file that are held out, or those that are not. @first_document: how many documents came before in
 * the run's data, by which they are held out. @limit: tokens of a sequence and of a row, at least 2. Keeps a reference
 * to @file. */
LaurelPacked *laurel_packed_new (LaurelTokenFile *file, const LaurelHyperparameters *hp, gboolean held_out, guint64 first_document, int limit) G_GNUC_WARN_UNUSED_RESULT;
void laurel_packed_free (LaurelPacked *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelPacked, laurel_packed_free)

gsize laurel_packed_count_rows (const LaurelPacked *self);
guint64 laurel_packed_count_documents (const LaurelPacked *self);
int laurel_packed_get_longest (const LaurelPacked *self); /* tokens of the longest sequence */
void laurel_packed_digest (const LaurelPacked *self, GChecksum *checksum);
/* Appends the sequences of row @row to @out. */
void laurel_packed_gather (const LaurelPacked *self, gsize row, LaurelRagged *out);

G_END_DECLS
