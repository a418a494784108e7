/* sampling.h: how freely a model writes.
 *
 * What happens to a row of logits, in the order of Hugging Face's generate():
 * logit bias → repetition penalty → temperature → top-k → top-p → min-p → draw.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer.h"

G_BEGIN_DECLS

/* Added to the logit of the last of @tokens whenever prompt and completion end with those before it; of
 * one token alone, always. −INFINITY bans it. */
typedef struct {
  const gint32 *tokens;
  int n_tokens; /* at least 1 */
  float value;
} LaurelLogitBias;

/* Borrows what it points to. */
typedef struct {
  double temperature;        /* 0: the likeliest token, whatever the filters */
  int top_k;                 /* keeps the k likeliest, and those as likely as the last of them; 0: off */
  double top_p;              /* keeps the fewest likeliest that together reach it; 1: off */
  double min_p;              /* keeps those at least so likely as the likeliest times it; 0: off */
  int max_tokens;            /* per completion; also bounded by n_positions */
  guint64 seed;
  double repetition_penalty; /* Keskar et al. 2019: logits of tokens in prompt or completion are divided
                              * by it when over 0, else multiplied; 1 or 0: off */
  const LaurelLogitBias *biases;
  int n_biases;
  const char *const *stop;   /* (nullable) NULL-terminated: texts that end a completion; the name of a
                              * special token is that token */
  gboolean bf16_weights;     /* decode with the weights rounded to bfloat16: half the memory traffic */
  int max_rows;              /* the most completions decoded together; 0: what memory allows, up to 64 */
} LaurelSamplingOptions;

#define LAUREL_SAMPLING_DEFAULTS { .temperature = 1.0, .top_p = 1.0, .max_tokens = 64, .repetition_penalty = 1.0 }

/* What is wrong with @options, as words that go on after a colon; NULL: nothing. */
const char *laurel_sampling_options_find_fault (const LaurelSamplingOptions *options);
gboolean laurel_sampling_options_validate (const LaurelSamplingOptions *options, GError **error);

/* (element-type LaurelLogitBias), owning their tokens: each of @specs (nullable, NULL-terminated) is
 * "TOKEN=VALUE". TOKEN is an id, or a text as it stands in a completion, of one token or more; in
 * double quotes it is a text even when it is a number. VALUE is a number or -inf. @tokenizer is needed
 * for texts alone. */
GArray *laurel_logit_bias_parse (const char *const *specs, const LaurelTokenizer *tokenizer, int vocab_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
