/* language.h: next-token training, which pretraining and SFT share.
 *
 * The two differ in their data alone: pretraining has a label on every token
 * but the first, SFT on the answers' tokens and their ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/rows.h"
#include "core/train/train.h"

G_BEGIN_DECLS

gboolean laurel_language_train (LaurelStage stage, LaurelModel *model, const LaurelRows *rows, const LaurelRows *eval_rows, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

/* Walks @batch in micro-batches that the monitor is asked between; none of its sequences is longer than one may be.
 * Adds Σ −log p to @loss. With @gradients (a block, @pass made for backward) adds @weight times the gradient of the mean
 * over all the labels of @batch. */
gboolean laurel_language_walk (LaurelPass *pass, LaurelMicroBatch *micro, const LaurelRagged *batch, double weight, float *gradients, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, double *loss, GError **error);

/* Σ −log p over the labels of @n rows (at least 1), spread evenly over all of @rows, and how many labels they are. */
gboolean laurel_language_measure (LaurelPass *pass, LaurelMicroBatch *micro, const LaurelRows *rows, gsize n, int limit, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, double *out_loss, gint64 *out_n_labels, GError **error);

G_END_DECLS
