/* rows.h: what next-token training goes through: numbered rows of sequences, wherever they are kept.
 *
 * A batch takes whole rows. A row is one sequence that is held in memory, or
 * what packed documents of a token file make of one (packed.h); only the rows
 * of a batch are ever copied.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/packed.h"
#include "core/train/train.h"

G_BEGIN_DECLS

LaurelRows *laurel_rows_new (void) G_GNUC_WARN_UNUSED_RESULT;

/* Each of @sequences (element-type LaurelSequence), of which a reference is kept, is a row. */
void laurel_rows_add_sequences (LaurelRows *self, GPtrArray *sequences);
/* Takes @packed. */
void laurel_rows_add_packed (LaurelRows *self, LaurelPacked *packed);

gsize laurel_rows_count (const LaurelRows *self);
/* Tokens of the longest sequence when all are cut to @limit. */
int laurel_rows_get_longest (const LaurelRows *self, int limit);

/* Every sequence in memory has a label within @limit and tokens of the vocabulary; @what names it in errors. */
gboolean laurel_rows_check (const LaurelRows *self, const LaurelModelConfig *config, int limit, const char *what, const LaurelMonitor *monitor, GError **error);
void laurel_rows_digest (const LaurelRows *self, GChecksum *checksum);

/* Appends the sequences of row @row, cut to @limit, to @out. */
void laurel_rows_gather (const LaurelRows *self, gsize row, int limit, LaurelRagged *out);

G_END_DECLS
