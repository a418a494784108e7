/* prefill.h: a forward pass that also hands out keys and values, for generate.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/transformer.h"

G_BEGIN_DECLS

/* Called after each layer with its qkv (N, 3C), valid during the call. */
typedef void (*LaurelPrefillSink) (int layer, const float *qkv, gpointer user_data);

const float *laurel_transformer_prefill (const LaurelModel *model, const LaurelBatch *batch, LaurelActivations *acts, LaurelPrefillSink sink, gpointer user_data);

G_END_DECLS
