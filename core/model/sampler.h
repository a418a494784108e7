/* sampler.h: one token from one row of logits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rng.h"
#include "core/model/generate.h"

G_BEGIN_DECLS

/* @logits (V) become log-probabilities at the temperature. Filters apply in transformers' order: temperature,
 * top-k, top-p, min-p. *@logprob is the token's log-probability after them, renormalised.
 * @order (V) is scratch of the caller's.
 * Returns the token. Greedy (temperature 0) takes the lowest id among equals and gives log-probability 0. */
int laurel_sampler_draw (const LaurelSamplingOptions *options, float *logits, int V, LaurelRng *rng, int *order, float *logprob);

G_END_DECLS
