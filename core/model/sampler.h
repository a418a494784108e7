/* sampler.h: one token from one row of logits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rng.h"
#include "core/model/sampling.h"

G_BEGIN_DECLS

/* What the row follows: for the repetition penalty, and for biases of several tokens. Ids under V. */
typedef struct {
  const gint32 *prompt;
  int n_prompt;
  const gint32 *own; /* the completion so far */
  int n_own;
} LaurelSamplerContext;

typedef struct {
  int token;
  float logprob;       /* as it was drawn: after all of @options, renormalised; 0 at temperature 0 */
  float plain_logprob; /* softmax (logits / temperature) without anything else, as PPO has it; at
                        * temperature 0 that of the model itself, at temperature 1 */
} LaurelDraw;

typedef enum {
  LAUREL_DRAW_DONE,
  LAUREL_DRAW_NOT_FINITE, /* no distribution: a logit is not a number, or +∞ */
  LAUREL_DRAW_ALL_BANNED, /* the biases leave no token */
  LAUREL_DRAW_NO_MEMORY,
} LaurelDrawResult;

/* Draws from @logits (V). Takes one number of @rng, whatever the options. Among equally likely tokens
 * the lowest ids come first: at temperature 0 and where top-p cuts. Any thread. */
LaurelDrawResult laurel_sampler_draw (const LaurelSamplingOptions *options, const float *logits, int V, const LaurelSamplerContext *context, LaurelRng *rng, LaurelDraw *out);

G_END_DECLS
