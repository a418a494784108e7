/* ppo.h: what the parts of the PPO stage share; ppo.c is the loop, to be read first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/rows.h"
#include "core/train/state.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* The exact KL sums over the vocabulary at every token: up to here it costs little beside the logits. */
#define LAUREL_PPO_MAX_EXACT_VOCAB 4096

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

/* A batch of rollouts. */
typedef struct {
  int n_rows;
  int n_tokens;
  int stride; /* room for a row's tokens */
  LaurelPpoRow *rows;
  gint32 *tokens;
  float *scores;  /* one a rollout: its score */
  float *row_kls; /* its Σ kl */

  float *floats; /* what the arrays below lie in: one number a sampled token */
  float *sampler_logprobs;
  float *logprobs; /* by the same full forward that training uses */
  float *ref_logprobs;
  float *kl;
  float *exact_kl; /* NaN where the vocabulary is too large for it */
  float *entropies;
  float *rewards;
  float *paid;   /* the rewards as GAE sees them: whitened when that is asked for */
  float *values; /* of the value network; RLOO: the baseline that a rollout was measured against */
  float *advantages;
  float *returns;
  float *ratios; /* of the last epoch, like what follows */
  float *clips;  /* 1 where that ratio was clipped, else 0 */
  float *policy_losses;
  float *step_kls; /* ½ (new − old log-probability)² */
  float *value_losses;
  float *value_clips;
  guint8 *taken; /* 1 for the tokens of the mini-batch that is worked on */
} LaurelPpoBatch;

/* Arrays of @batch's floats: what a plan of memory counts. */
#define LAUREL_PPO_N_ARRAYS 17

/* Room for @n_rows rollouts of prompts up to @longest tokens and responses up to @max_response. */
void laurel_ppo_batch_reserve (LaurelPpoBatch *batch, int n_rows, int longest, int max_response);
void laurel_ppo_batch_release (LaurelPpoBatch *batch);

/* Sums of what an iteration's mini-batches came to, each weighing the same. */
typedef struct {
  int n_mini_batches;
  double policy_loss, value_loss, approx_kl, policy_clipfrac, value_clipfrac;
  double ratio, ratio_squares; /* of ratio − 1, so that a variance near 0 keeps its digits */
  double policy_norm, value_norm;
  double ptx_loss;
} LaurelPpoStats;

/* Seconds of an iteration. Sampling and scoring are parts of the rollout, optimizer steps of the update. */
typedef struct {
  double rollout, sampling, scoring, update, optimizer;
} LaurelPpoTimes;

typedef struct {
  LaurelStage stage; /* ppo, or rloo: the same without a value */
  const LaurelHyperparameters *hp;
  const LaurelMonitor *monitor;
  GPtrArray *prompts;
  const LaurelModel *reward;
  LaurelModel *policy;    /* trained in place */
  const LaurelModel *reference; /* frozen: what the KL is measured to */
  LaurelModel *policy_copy;     /* the reference where none is given */
  LaurelModel *value;     /* trained: a copy of the reward model, with vf_share_layers a head alone; rloo: NULL */
  char *reference_hash;
  char *reward_hash;
  int max_response;
  int n_iterations;
  gboolean has_exact_kl;
  guint32 *order; /* of prompts */
  gint64 ordered_epoch;
  guint32 *row_order; /* of rows within an epoch of the update */
  const LaurelRows *ptx; /* rows that are learned beside; NULL: none */
  guint32 *ptx_order;
  gint64 ptx_ordered_epoch;
  LaurelRagged ptx_batch;
  LaurelMicroBatch *micro;
  float *gradients; /* policy and value network take turns in this block */
  LaurelPass policy_pass, reference_pass, value_pass, reward_pass;
  LaurelPpoBatch batch;
  LaurelTrainState state;
  LaurelKlGap kl_gap;   /* the state's with this iteration's, which is the state's when it is done */
  LaurelPpoTimes times; /* of this iteration, as far as it is done */
  double *reference_scores; /* (n_reference_scores) what the reference earns, for the audit line; NULL: not asked for */
  int n_reference_scores;
} LaurelPpo;

/* “PPO” or “RLOO”. */
const char *laurel_ppo_get_name (const LaurelPpo *self);
/* Whether the value is a network of its own, with a pass of its own. */
gboolean laurel_ppo_has_value_network (const LaurelPpo *self);
/* Rollouts of a prompt, which stand one after the other. */
int laurel_ppo_get_group_size (const LaurelPpo *self);

/* Seconds since @since, a monotonic time. */
double laurel_ppo_seconds_since (gint64 since);

/* Steps 1 to 6: sample the batch, score it, pay each token, estimate advantages. */
gboolean laurel_ppo_rollout (LaurelPpo *self, GError **error);

/* Step 7: the epochs of clipped updates. */
gboolean laurel_ppo_update (LaurelPpo *self, LaurelPpoStats *stats, GError **error);

/* The rows of an epoch in their order, and the part of it that mini-batch @m has. */
void laurel_ppo_order_rows (LaurelPpo *self, int epoch);
int laurel_ppo_mini_batch_start (const LaurelPpo *self, int m);
/* Rows of pretraining or fine-tuning data, of which every mini-batch learns some: checks them and returns the tokens of
 * the longest, 0 for none. */
gboolean laurel_ppo_prepare_ptx (LaurelPpo *self, const LaurelRows *rows, int *out_longest, GError **error);
/* Adds ptx_coef times the gradient of their mean loss per token to the policy's. @number: of the run's mini-batches. */
gboolean laurel_ppo_add_ptx (LaurelPpo *self, gint64 number, double *loss, GError **error);

/* Packs rows row_order[from … to − 1] into the micro-batch; returns the first that did not fit. */
int laurel_ppo_pack (LaurelPpo *self, int from, int to);

G_END_DECLS
