/* generate.h: batched sampling with a key–value cache.
 *
 * The prompt's keys and values are computed once and shared by its K
 * completions. All live sequences decode in one batch; finished ones leave and
 * waiting ones join. Completion j of prompt i draws from its own stream
 * (seed, SAMPLE, prompts[i].stream, j), so it is the same whatever else is
 * sampled with it.
 *
 * A completion ends with end-of-text, with the token that completes a stop
 * string, or at its limit. Its tokens are all that were sampled, end-of-text
 * and stop string included; its text has neither, nor what a last token says
 * beyond the stop string.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rollout.h"
#include "core/model/model.h"
#include "core/model/sampling.h"

G_BEGIN_DECLS

typedef struct {
  const gint32 *tokens;
  int n_tokens; /* at least 1, less than n_positions */
  guint64 stream;
} LaurelPromptTokens;

typedef struct {
  int prompt;         /* index into prompts */
  int index;          /* which of the K */
  gint32 *tokens;     /* sampled ids, with the end-of-text or stop string that it stopped at */
  float *logprobs;       /* as drawn: under the sampler with all its options */
  float *plain_logprobs; /* softmax (logits / temperature) alone, which PPO's ratios are made of;
                          * at temperature 0 the model's own, at temperature 1 */
  int n_tokens;
  LaurelFinish finish;
  int stop;   /* which of the stop strings it stopped at; −1: none */
  char *text; /* (nullable) see laurel_sample_dup_text() */
} LaurelSample;

void laurel_sample_free (LaurelSample *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelSample, laurel_sample_free)

/* What a labeler reads: without the template's lead, end-of-text, and the stop string with all that
 * follows it. @model is the one that wrote it, and has a tokenizer. */
char *laurel_sample_dup_text (const LaurelSample *self, const LaurelModel *model) G_GNUC_WARN_UNUSED_RESULT;

/* Called after each decoding step and between the layers of a prefill with how many of all completions are done; FALSE stops with LAUREL_ERROR_CANCELLED. */
typedef gboolean (*LaurelGenerateProgress) (int n_done, int n_all, gpointer user_data);

/* Bytes that sampling asks for while it runs, with prompts of up to @longest tokens. */
gsize laurel_generate_size (const LaurelModelConfig *config, int n_prompts, int n_completions, int longest, int max_tokens);

/* (transfer full) (element-type LaurelSample): n_prompts × n_completions samples, prompt-major. */
GPtrArray *laurel_generate (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts, int n_completions,
                            const LaurelSamplingOptions *options, LaurelGenerateProgress progress, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One token as soon as it is drawn. */
typedef struct {
  int prompt, index; /* of its completion */
  int position;      /* in it, from 0 */
  gint32 token;
  float logprob, plain_logprob;
  const char *text; /* what has become certain of the completion's text: whole characters, no part of a
                     * stop string; often "". All of a completion's texts together are its text */
  const LaurelSample *finished; /* the whole completion when this is its last token, else NULL */
} LaurelSampledToken;

/* FALSE stops with LAUREL_ERROR_CANCELLED before any further token. */
typedef gboolean (*LaurelGenerateToken) (const LaurelSampledToken *token, gpointer user_data);

/* The same, with every token handed out as it comes, in the caller's thread. Completions of one batch
 * take turns. @model must have a tokenizer; @progress and @on_token get the same @user_data. */
GPtrArray *laurel_generate_stream (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts, int n_completions,
                                   const LaurelSamplingOptions *options, LaurelGenerateProgress progress, LaurelGenerateToken on_token, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
