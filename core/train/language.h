/* language.h: next-token training, which pretraining and SFT share.
 *
 * The two differ in their data alone: pretraining has a label on every token
 * but the first, SFT on the completion's tokens and end-of-text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/train.h"

G_BEGIN_DECLS

gboolean laurel_language_train (LaurelStage stage, LaurelModel *model, GPtrArray *sequences, GPtrArray *eval_sequences, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* Walks rows @order[0 … n − 1] (NULL: 0 … n − 1) of @sequences, cut to @limit tokens, in micro-batches that the monitor
 * is asked between. Returns Σ −log p in @out_loss, the number of labels in @out_n. With @gradients (a block, @pass made
 * for backward) adds the gradient of the mean over all their labels. */
gboolean laurel_language_walk (LaurelPass *pass, LaurelMicroBatch *micro, GPtrArray *sequences, const guint32 *order, int n, int limit, float *gradients, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, double *out_loss, gint64 *out_n, GError **error);

G_END_DECLS
