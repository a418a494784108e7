/* transformer.h: GPT-2 forward and backward over ragged batches.
 *
 *   x = wte[token] + wpe[position]
 *   per layer:  x += attention (LN1 (x)) · attn_w;   x += GELU (LN2 (x) · fc_w) · proj_w
 *   hidden = LNf (x)
 *
 * N tokens in all, C = n_embd, B sequences. There is no padding: sequence b is
 * tokens offsets[b] … offsets[b+1] − 1 of one flat run.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct {
  const gint32 *tokens;  /* (N) */
  const gint32 *offsets; /* (B + 1) */
  int n_sequences;       /* B */
} LaurelBatch;

/* Everything a forward pass leaves for its backward pass. Sized once; no allocation per step. */
typedef struct _LaurelActivations LaurelActivations;

/* @for_backward: keep what backward needs; without it layers share one scratch. */
LaurelActivations *laurel_activations_new (const LaurelModelConfig *config, int max_tokens, gboolean for_backward, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gsize laurel_activations_size (const LaurelModelConfig *config, int max_tokens, gboolean for_backward); /* bytes */
void laurel_activations_free (LaurelActivations *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelActivations, laurel_activations_free)

/* Returns hidden (N, C), owned by @acts and valid until its next forward. Tokens must be in the vocabulary,
 * no sequence longer than n_positions, N at most @acts' max_tokens (asserted; callers check data first). */
const float *laurel_transformer_forward (const LaurelModel *model, const LaurelBatch *batch, LaurelActivations *acts);

/* Adds to @gradients (a block of model->layout) what @dhidden (N, C) makes of it. @dhidden is overwritten.
 * Must follow the forward of the same batch with @acts made for backward. */
void laurel_transformer_backward (const LaurelModel *model, const LaurelBatch *batch, LaurelActivations *acts, float *dhidden, float *gradients);

G_END_DECLS
