/* generate.h: batched sampling with a key–value cache.
 *
 * The prompt's keys and values are computed once and shared by its K
 * completions. All live sequences decode in one batch; finished ones leave and
 * waiting ones join. Completion j of prompt i draws from its own stream
 * (seed, SAMPLE, prompts[i].stream, j), so it is the same whatever else is
 * sampled with it.
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
  gint32 *tokens;     /* sampled ids, end-of-text included when it stopped there */
  float *logprobs;       /* as drawn: under the sampler with all its options */
  float *plain_logprobs; /* softmax (logits / temperature) alone, which PPO's ratios are made of;
                          * at temperature 0 the model's own, at temperature 1 */
  int n_tokens;
  LaurelFinish finish;
} LaurelSample;

void laurel_sample_free (LaurelSample *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelSample, laurel_sample_free)

/* Called after each decoding step with how many of all completions are done; FALSE stops with LAUREL_ERROR_CANCELLED. */
typedef gboolean (*LaurelGenerateProgress) (int n_done, int n_all, gpointer user_data);

/* (transfer full) (element-type LaurelSample): n_prompts × n_completions samples, prompt-major. */
GPtrArray *laurel_generate (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts, int n_completions,
                            const LaurelSamplingOptions *options, LaurelGenerateProgress progress, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
