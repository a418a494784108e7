/* rounding.h: what decoding with weights of bfloat16 changes, measured on what it wrote.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/generate.h"

G_BEGIN_DECLS

/* How far the log-probabilities of sampled tokens are from those of the weights as they are, in nats. */
typedef struct {
  double mean, worst;
  int n_tokens;
} LaurelRoundingCost;

/* Of @samples (element-type LaurelSample), which were drawn for @prompts by @model at @temperature with
 * bf16_weights: runs some of them, spread evenly over all, through the model without rounding, and compares their
 * plain log-probabilities. What decoding does not round, embeddings, norms, biases and prompts, is the same in
 * both. FALSE and an error when memory is short. */
gboolean laurel_rounding_measure (const LaurelModel *model, const LaurelPromptTokens *prompts, GPtrArray *samples, double temperature,
                                  LaurelRoundingCost *out, GError **error);

/* In words. */
char *laurel_rounding_describe (const LaurelRoundingCost *cost) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
