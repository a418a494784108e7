/* prefill.h: a forward pass that also hands out keys and values, for decode.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/transformer.h"

G_BEGIN_DECLS

/* Called after each layer with its qkv (N, 3C), valid during the call. FALSE stops the pass. */
typedef gboolean (*LaurelPrefillSink) (int layer, const float *qkv, gpointer user_data);

/* As laurel_transformer_forward(); NULL when @sink stopped it. @sink may be NULL. */
const float *laurel_transformer_prefill (const LaurelModel *model, const LaurelBatch *batch, LaurelActivations *acts, LaurelPrefillSink sink, gpointer user_data);

G_END_DECLS
