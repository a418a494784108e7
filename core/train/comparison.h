/* comparison.h: what the stages that learn from rankings ask of one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/train.h"

G_BEGIN_DECLS

/* hp->split_seed, or the seed of all else where that is −1. */
gint64 laurel_comparison_split_seed (const LaurelHyperparameters *hp);

/* Whether the prompt is held out: a function of the split seed and its id alone, so that it stays on its side when rankings
 * are added, in every stage alike. */
gboolean laurel_comparison_is_held_out (const LaurelHyperparameters *hp, gint64 prompt_id);

/* All its tokens in @config's vocabulary; @row (from 1) names it in errors. */
gboolean laurel_comparison_check (const LaurelComparison *self, const LaurelModelConfig *config, int row, GError **error);

void laurel_comparison_digest (const LaurelComparison *self, GChecksum *checksum);

/* (n): of each completion the first one with the same tokens. */
int *laurel_comparison_find_twins (const LaurelComparison *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
