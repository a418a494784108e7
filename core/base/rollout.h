/* rollout.h: what every sampled token was paid.
 *
 * The record PPO trains on is the record the inspector shows: one struct, one
 * serialiser, no second computation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * LaurelTokenRecord:
 * @token: the sampled token's id
 * @logprob: its log-probability under the policy that sampled it (at the run's temperature)
 * @ref_logprob: the same under the frozen reference
 * @kl: @logprob − @ref_logprob, the per-token estimate (k1) that is paid for
 * @exact_kl: Σ_v π log(π/ρ) at this position, or NaN where it was not computed
 * @entropy: of the policy at this position, nats
 * @reward: −kl_coef·@kl, and on the last token + score
 * @value: V(s_t), the value network's estimate before this token
 * @advantage: after whitening, as the loss used it
 * @return_: unwhitened advantage + @value
 * @ratio: π_new/π_old in the last epoch that trained on this token
 * @clipped: nonzero when that ratio was clipped
 */
typedef struct {
  gint32 token;
  float logprob;
  float ref_logprob;
  float kl;
  float exact_kl;
  float entropy;
  float reward;
  float value;
  float advantage;
  float return_;
  float ratio;
  gint32 clipped;
} LaurelTokenRecord;

/* Why a completion ended. */
typedef enum {
  LAUREL_FINISH_STOP,   /* it produced end-of-text, its last token, or a stop string (sampling alone) */
  LAUREL_FINISH_LENGTH, /* it reached the token limit */
} LaurelFinish;

/**
 * LaurelRollout:
 * @step: PPO iteration, from 1
 * @row: its place in the batch
 * @prompt: the prompt's text
 * @prompt_tokens: ids with the template around the prompt, as the model saw them
 * @score: the reward model's score after the missing-EOS rule
 * @kl_coef: β in force when the rewards were made
 * @records: (array length=n_tokens): one per sampled token
 */
typedef struct {
  gint64 id; /* 0 until stored */
  gint64 run_id;
  int step;
  int row;
  char *prompt;
  char *completion;
  gint32 *prompt_tokens;
  int n_prompt_tokens;
  LaurelTokenRecord *records;
  int n_tokens;
  LaurelFinish finish;
  double score;
  double kl_coef;
} LaurelRollout;

void laurel_rollout_free (LaurelRollout *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRollout, laurel_rollout_free)

double laurel_rollout_sum_kl (const LaurelRollout *self);
double laurel_rollout_sum_reward (const LaurelRollout *self);

/* Token records to bytes and back: little-endian, 12 words of 4 bytes a token
 * in the order of the struct. */
GBytes *laurel_token_records_to_bytes (const LaurelTokenRecord *records, int n) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_token_records_from_bytes (const void *bytes, gsize n_bytes, LaurelTokenRecord **out_records, int *out_n, GError **error);

G_END_DECLS
