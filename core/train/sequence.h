/* sequence.h: what the stages ask of their data, and the order they take it in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rng.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* The index of the first token with a label. */
int laurel_sequence_first_label (const LaurelSequence *self);
/* Labels among its first @n_tokens. */
int laurel_sequence_count_labels (const LaurelSequence *self, int n_tokens);

/* Tokens in the vocabulary, at least one; @what and @row (from 1) name it in errors. */
gboolean laurel_tokens_check (const gint32 *tokens, int n_tokens, const LaurelModelConfig *config, const char *what, int row, GError **error);

/* The most tokens of a sequence: max_length, within the model's context. */
int laurel_sequence_limit (const LaurelModelConfig *config, const LaurelHyperparameters *hp);

/* Whether document or row @index is held out: the same ones whatever else is in the data. */
gboolean laurel_data_is_held_out (const LaurelHyperparameters *hp, guint64 index);

void laurel_data_digest_tokens (GChecksum *checksum, const gint32 *tokens, int n_tokens);

/* The order (n) of rows in an epoch: a function of seed and epoch, so resuming needs no state. */
void laurel_data_order (guint32 *order, gsize n, gint64 seed, guint64 epoch, gboolean shuffle);

/* max_steps, or what num_train_epochs come to; the last batch of an epoch may be short. */
int laurel_data_count_steps (gsize n_rows, int rows_per_step, const LaurelHyperparameters *hp);

G_END_DECLS
