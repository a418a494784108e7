/* ppo.h: what the parts of the PPO stage share; ppo.c is the loop, to be read first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/state.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* One rollout of the batch. Its sampled tokens are @first … first + n_response − 1 of the flat arrays. */
typedef struct {
  int prompt; /* index into prompts */
  gint32 *tokens; /* prompt and response as one run of ids */
  int n_prompt;
  int n_response;
  int first;
  LaurelFinish finish;
  double score; /* after the missing-end rule */
} LaurelPpoRow;

/* A batch of rollouts. The flat arrays hold one element per sampled token. */
typedef struct {
  int n_rows;
  int n_tokens;
  int stride; /* room for a row's tokens */
  LaurelPpoRow *rows;
  gint32 *tokens;
  float *sampler_logprobs;
  float *logprobs; /* by the same full forward that training uses */
  float *ref_logprobs;
  float *kl;
  float *exact_kl;
  float *entropies;
  float *rewards;
  float *paid; /* the rewards as GAE sees them: whitened when that is asked for */
  float *values;
  float *advantages;
  float *returns;
  float *ratios; /* of the last epoch */
  gint32 *clipped;
} LaurelPpoBatch;

/* Sums over an iteration's mini-batches, each weighing the same. */
typedef struct {
  int n_mini_batches;
  double policy_loss, value_loss, approx_kl, policy_clipfrac, value_clipfrac;
  double ratio, ratio_squares; /* of ratio − 1, so that a variance near 0 keeps its digits */
  double policy_norm, value_norm;
} LaurelPpoStats;

/* Seconds of an iteration. Sampling and scoring are parts of the rollout, optimizer steps of the update. */
typedef struct {
  double rollout, sampling, scoring, update, optimizer;
} LaurelPpoTimes;

typedef struct {
  const LaurelHyperparameters *hp;
  const LaurelMonitor *monitor;
  GPtrArray *prompts;
  const LaurelModel *reward;
  LaurelModel *policy;    /* trained in place */
  LaurelModel *reference; /* its frozen copy */
  LaurelModel *value;     /* trained: a copy of the reward model, or with vf_share_layers a head alone */
  char *reference_hash;
  char *reward_hash;
  int max_response;
  int n_iterations;
  guint32 *order; /* of prompts */
  gint64 ordered_epoch;
  guint32 *row_order; /* of rows within an epoch of the update */
  LaurelMicroBatch *micro;
  float *gradients; /* policy and value network take turns in this block */
  LaurelPass policy_pass, reference_pass, value_pass, reward_pass;
  LaurelPpoBatch batch;
  LaurelTrainState state;
  LaurelPpoTimes times; /* of this iteration, as far as it is done */
  double *reference_scores; /* (n_reference_scores) what the reference earns, for the audit line; NULL: not asked for */
  int n_reference_scores;
} LaurelPpo;

/* Seconds since @since, a monotonic time. */
double laurel_ppo_seconds_since (gint64 since);

/* Steps 1 to 6: sample the batch, score it, pay each token, estimate advantages. */
gboolean laurel_ppo_rollout (LaurelPpo *self, GError **error);

/* Step 7: the epochs of clipped updates. */
gboolean laurel_ppo_update (LaurelPpo *self, LaurelPpoStats *stats, GError **error);

/* The rows of an epoch in their order, and the part of it that mini-batch @m has. */
void laurel_ppo_order_rows (LaurelPpo *self, int epoch);
int laurel_ppo_mini_batch_start (const LaurelPpo *self, int m);
/* Packs rows row_order[from … to − 1] into the micro-batch; returns the first that did not fit. */
int laurel_ppo_pack (LaurelPpo *self, int from, int to);

G_END_DECLS
