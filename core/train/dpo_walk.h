/* dpo_walk.h: rankings through a policy, all completions of a prompt together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/dpo_loss.h"
#include "core/train/micro_batch.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* A comparison with what training needs to know about it once. */
typedef struct {
  const LaurelComparison *comparison; /* borrowed */
  int *twins;           /* (n) the first completion with the same tokens */
  double *ref_logprobs; /* (n) Σ log ρ over the response, from laurel_dpo_refer() */
  int limit;            /* completions are cut to so many tokens */
  int n_tokens;         /* of all its completions */
} LaurelDpoRow;

LaurelDpoRow *laurel_dpo_row_new (const LaurelComparison *comparison, int limit) G_GNUC_WARN_UNUSED_RESULT;
void laurel_dpo_row_free (LaurelDpoRow *self);

/* Fills the rows' ref_logprobs with what @pass's model says, which needs no room for a backward pass. */
gboolean laurel_dpo_refer (LaurelPass *pass, LaurelMicroBatch *micro, GPtrArray *rows, const LaurelMonitor *monitor, GError **error);

typedef struct {
  double loss; /* Σ over prompts */
  int n_prompts;
  LaurelDpoStats pairs;
} LaurelDpoSums;

/* Walks rows (element-type LaurelDpoRow) @order[0 … n − 1] (NULL: 0 … n − 1). With @gradients adds the gradient of the
 * mean over the n prompts. */
gboolean laurel_dpo_walk (LaurelPass *pass, LaurelMicroBatch *micro, GPtrArray *rows, const guint32 *order, int n, const LaurelHyperparameters *hp, float *gradients, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, LaurelDpoSums *out, GError **error);

G_END_DECLS
