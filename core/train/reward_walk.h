/* reward_walk.h: comparisons through a reward model, all completions of a prompt together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/reward_loss.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* A comparison with what training needs to know about it once. */
typedef struct {
  const LaurelComparison *comparison; /* borrowed */
  int *twins;   /* (n) the first completion with the same tokens */
  int n_tokens; /* of all its completions, cut to the limit */
} LaurelRewardRow;

void laurel_reward_row_free (LaurelRewardRow *self);
LaurelRewardRow *laurel_reward_row_new (const LaurelComparison *comparison, int limit) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  double loss; /* Σ over prompts */
  int n_prompts;
  int n_strict;
  double n_right;
  double margin;
} LaurelRewardSums;

/* Walks rows (element-type LaurelRewardRow) @order[0 … n − 1] (NULL: 0 … n − 1). With @gradients adds the gradient of
 * the mean over the n prompts. */
gboolean laurel_reward_walk (LaurelPass *pass, LaurelMicroBatch *micro, GPtrArray *rows, const guint32 *order, int n, int limit, const LaurelRewardRule *rule, float *gradients, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, LaurelRewardSums *out, GError **error);

G_END_DECLS
