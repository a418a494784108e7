/* plan.c: the memory that a stage will ask for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/plan.h"

#include "core/base/memory.h"
#include "core/model/generate.h"
#include "core/train/held_out.h"
#include "core/train/micro_batch.h"
#include "core/train/normalize.h"
#include "core/train/ppo.h"
#include "core/train/samples.h"
#include "core/train/sequence.h"
#include "core/train/train.h"

/* What threads keep between calls: chunks of logits, packed panels, attention's tiles. */
#define SCRATCH_BYTES ((gsize) 10 << 20)

/* Completions of a ranking, which a plan does not know. */
#define COMPLETIONS 4

typedef struct {
  LaurelStage stage;
  const LaurelModelConfig *config;
  const LaurelHyperparameters *hp;
  int longest;
  int beside;  /* of rows that are learned beside */
  gsize block; /* bytes of a model's weights */
} Plan;

static gsize
count_weights (const LaurelModelConfig *config)
{
  LaurelLayout *layout = laurel_layout_new (config);
  gsize n_bytes = laurel_alloc_size (layout->n_floats * sizeof (float));

  laurel_layout_unref (layout);
  return n_bytes;
}

static gsize
count_pass (const Plan *self, int n_tokens, gboolean for_backward)
{
  gsize dhidden = sizeof (float) * (gsize) n_tokens * (gsize) self->config->n_embd;

  return laurel_alloc_size (laurel_activations_size (self->config, n_tokens, for_backward))
         + (for_backward ? laurel_alloc_size (dhidden) : 0);
}

/* Weights, gradients and two moments, and the samples that are taken on the way. */
static gsize
count_language (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int rows = hp->batch_size * hp->gradient_accumulation_steps;
  int n_tokens = laurel_micro_batch_room (self->config, self->longest, rows);
  gsize samples = hp->eval_samples > 0
                      ? laurel_generate_size (self->config, hp->eval_samples, 1, self->longest,
                                              LAUREL_SAMPLES_MAX_TOKENS)
                      : 0;

  return 4 * self->block + count_pass (self, n_tokens, TRUE) + samples;
}

/* The SFT model's weights besides, and its samples, on which the scores are normalised. */
static gsize
count_reward (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int rows = hp->batch_size * hp->gradient_accumulation_steps;
  int n_tokens = laurel_micro_batch_room (self->config, COMPLETIONS * self->longest, rows);
  int prompt = MAX (self->longest - hp->response_length, 1);
  gsize samples = hp->normalize_rewards
                      ? laurel_generate_size (self->config, LAUREL_NORMALIZE_SAMPLES, 1, prompt,
                                              hp->response_length)
                      : 0;

  return 5 * self->block + count_pass (self, n_tokens, TRUE) + samples;
}

/* The policy in training, and the passes: the reference's log-probabilities are computed by the
 * policy before it moves. */
static gsize
count_dpo (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int rows = hp->batch_size * hp->gradient_accumulation_steps;
  int n_tokens = laurel_micro_batch_room (self->config, COMPLETIONS * self->longest, rows);

  return 4 * self->block + count_pass (self, n_tokens, TRUE);
}

/* Tokens of a micro-batch, whichever are more: a mini-batch's, or those that are learned beside. */
static int
count_ppo_tokens (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int rows = (hp->batch_size + hp->num_mini_batches - 1) / hp->num_mini_batches;
  int n_tokens = laurel_micro_batch_room (self->config, self->longest, rows);

  if (hp->ptx_coef == 0)
    return n_tokens;
  return MAX (n_tokens, laurel_micro_batch_room (self->config, self->beside, hp->ptx_batch_size));
}

/* For reading held-out answers with three models, and held-out text with the policy. */
static gsize
count_held_out (const Plan *self)
{
  int n_read = laurel_micro_batch_room (self->config, self->longest, LAUREL_HELD_OUT_AT_ONCE);
  int n_beside = laurel_micro_batch_room (self->config, self->beside, LAUREL_HELD_OUT_AT_ONCE);
  gsize answers = 3 * count_pass (self, n_read, FALSE);

  return self->hp->ptx_coef > 0 ? MAX (answers, count_pass (self, n_beside, FALSE)) : answers;
}

/* What is held for a while and given back: for sampling a batch's rollouts; for sampling held-out
 * answers or the reference's, a batch of prompts at once; for reading what is held out. */
static gsize
count_passing (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int response = MIN (hp->response_length, self->config->n_positions - 1);
  int prompt = MAX (self->longest - response, 1);
  int n_each = self->stage == LAUREL_STAGE_RLOO ? hp->num_generations : 1;
  int n_held_out = hp->eval_rows > 0 ? MIN (hp->batch_size, hp->eval_rows) : hp->batch_size;
  int n_fresh =
      self->config->vocab_size <= LAUREL_PPO_MAX_EXACT_VOCAB ? hp->batch_size : n_held_out;
  gsize rollouts =
      laurel_generate_size (self->config, hp->batch_size / n_each, n_each, prompt, response);
  gsize fresh = laurel_generate_size (self->config, n_fresh, 1, prompt, response);

  return MAX (MAX (rollouts, fresh), count_held_out (self));
}

/* Weights and two moments of the policy and of a value network, unless the value is a head on the
 * policy or there is none; one block of gradients, reference and reward model, and the average of
 * the weights; the room that all passes but the reference's share; the batch, and what passes. */
static gsize
count_ppo (const Plan *self)
{
  const LaurelHyperparameters *hp = self->hp;
  int n_tokens = count_ppo_tokens (self);
  int response = MIN (hp->response_length, self->config->n_positions - 1);
  gsize n_trained = self->stage == LAUREL_STAGE_RLOO || hp->vf_share_layers ? 1 : 2;
  gsize n_averages = hp->ema_decay > 0 ? 1 : 0;

  return (3 * n_trained + 3 + n_averages) * self->block
         + laurel_train_state_reserve_size (3 * n_trained * self->block)
         + count_pass (self, n_tokens, TRUE) + count_pass (self, n_tokens, FALSE)
         + (gsize) hp->batch_size
               * ((sizeof (float) * LAUREL_PPO_N_ARRAYS + 1) * (gsize) response
                  + sizeof (gint32) * (gsize) self->longest)
         + count_passing (self);
}

/* What @longest is when nobody knows. */
static int
guess_longest (LaurelStage stage, const LaurelModelConfig *config, const LaurelHyperparameters *hp)
{
  if (laurel_stage_is_online (stage))
    return config->n_positions;
  return laurel_sequence_limit (config, hp);
}

static Plan
make_plan (LaurelStage stage,
           const LaurelModelConfig *config,
           const LaurelHyperparameters *hp,
           int longest)
{
  int tokens = longest > 0 ? longest : guess_longest (stage, config, hp);

  return (Plan) { stage, config, hp, tokens, tokens, count_weights (config) };
}

gsize
laurel_train_plan_memory (LaurelStage stage,
                          const LaurelModelConfig *config,
                          const LaurelHyperparameters *hp,
                          int longest)
{
  const Plan plan = make_plan (stage, config, hp, longest);

  switch (stage) {
  case LAUREL_STAGE_PRETRAIN:
  case LAUREL_STAGE_SFT:
    return SCRATCH_BYTES + count_language (&plan);
  case LAUREL_STAGE_REWARD:
    return SCRATCH_BYTES + count_reward (&plan);
  case LAUREL_STAGE_DPO:
    return SCRATCH_BYTES + count_dpo (&plan);
  case LAUREL_STAGE_PPO:
  case LAUREL_STAGE_RLOO:
    return SCRATCH_BYTES + count_ppo (&plan);
  case LAUREL_N_STAGES:
    break;
  }
  g_return_val_if_reached (0);
}

/* It judges answers one by one, when all of them have been read and that room is free again. */
gsize
laurel_train_plan_gold (LaurelStage stage,
                        const LaurelModelConfig *config,
                        const LaurelHyperparameters *hp,
                        int longest,
                        const LaurelModelConfig *gold)
{
  const Plan plan = make_plan (stage, config, hp, longest);
  gsize passing = count_passing (&plan);
  int n_tokens = MIN (plan.longest, gold->n_positions);
  gsize pass = laurel_alloc_size (laurel_activations_size (gold, n_tokens, FALSE));

  return count_weights (gold) + (pass > passing ? pass - passing : 0);
}

gsize
laurel_train_plan_beside (LaurelStage stage,
                          const LaurelModelConfig *config,
                          const LaurelHyperparameters *hp,
                          int longest,
                          int beside)
{
  Plan plan = make_plan (stage, config, hp, longest);
  gsize without = count_ppo (&plan), with;

  plan.beside = beside;
  with = count_ppo (&plan);
  return with > without ? with - without : 0;
}
