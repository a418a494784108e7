/* samples.h: what a model writes while it learns, for the run's log.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/rows.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* Enough for a sentence or two. */
#define LAUREL_SAMPLES_MAX_TOKENS 60

/* Logs hp->eval_samples continuations of the beginnings of @rows: what stands before the first token that is learned, in
 * pretraining the end-of-text before a document, in SFT the prompt. Seeded by seed and step. Nothing without a tokenizer
 * or somebody who reads the log. */
gboolean laurel_samples_log (const LaurelModel *model, const LaurelRows *rows, const LaurelHyperparameters *hp, int step, int limit, const LaurelMonitor *monitor, GError **error);

G_END_DECLS
