/* ppo.c: tuning the policy against the reward model on a KL leash.
 *
 * Per iteration: 1 take prompts, 2 sample, 3 read policy, reference and value,
 * 4 score, 5 pay each token, 6 estimate advantages (ppo_rollout.c), 7 train for
 * some epochs (ppo_update.c, ppo_ptx.c), 8 report (ppo_report.c), steer β, move
 * the average of the weights, checkpoint.
 *
 * What goes wrong silently elsewhere is an error here (ppo_check.c): a ratio
 * other than 1 before the first step, rewards that do not add up, a KL that is
 * not the one of the tokens drawn, a reference that moved.
 *
 * RLOO is the same with other advantages and no value: several rollouts of a
 * prompt, each measured against the others.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/ppo_audit.h"
#include "core/train/ppo_check.h"
#include "core/train/ppo_math.h"
#include "core/train/ppo_report.h"
#include "core/train/sequence.h"

#include <math.h>
#include <string.h>

const char *
laurel_ppo_get_name (const LaurelPpo *self)
{
  return self->stage == LAUREL_STAGE_RLOO ? "RLOO" : "PPO";
}

gboolean
laurel_ppo_has_value_network (const LaurelPpo *self)
{
  return self->value != NULL && !self->hp->vf_share_layers;
}

int
laurel_ppo_get_group_size (const LaurelPpo *self)
{
  return self->stage == LAUREL_STAGE_RLOO ? self->hp->num_generations : 1;
}

/* A policy that goes on from an earlier run is measured against where that one began. */
static gboolean
fits_reference (const LaurelPpo *self)
{
  const LaurelModel *policy = self->policy, *reference = self->reference;

  return reference == NULL
         || (reference->config.head == LAUREL_HEAD_LM
             && reference->config.vocab_size == policy->config.vocab_size
             && reference->config.n_positions >= policy->config.n_positions
             && g_str_equal (laurel_tokenizer_get_hash (policy->tokenizer),
                             laurel_tokenizer_get_hash (reference->tokenizer)));
}

static gboolean
check_models (const LaurelPpo *self, GError **error)
{
  const LaurelModel *policy = self->policy, *reward = self->reward;
  const char *why = NULL;

  if (policy->config.head != LAUREL_HEAD_LM)
    why = "the policy is a reward model; choose a language model";
  else if (reward->config.head != LAUREL_HEAD_SCORE)
    why = "the reward model has no score head; train a reward model first";
  else if (!g_str_equal (laurel_tokenizer_get_hash (policy->tokenizer),
                         laurel_tokenizer_get_hash (reward->tokenizer)))
    why = "policy and reward model have different tokenizers; train the reward model from this "
          "policy's family";
  /* Models of one tokenizer may have more rows than it has tokens, and a policy samples any of its
   * own. */
  else if (reward->config.vocab_size < policy->config.vocab_size)
    why = "the reward model has fewer tokens than the policy can write; train the reward model "
          "from this policy's family";
  else if (!fits_reference (self))
    why = "the reference is no language model of the policy's vocabulary and context; choose the "
          "model that the policy was tuned from";
  else if (!reward->config.normalized)
    why = "the reward model's scores are not normalised, so kl_coef would have no scale; "
          "train it with normalize_rewards";
  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH, "Could not start %s: %s",
               laurel_ppo_get_name (self), why);
  return FALSE;
}

static gboolean
check_prompts (const LaurelPpo *self, int context, int *out_longest, GError **error)
{
  GPtrArray *prompts = self->prompts;

  *out_longest = 0;
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, i);

    if (!laurel_tokens_check (prompt->tokens, prompt->n_tokens, &self->policy->config,
                              "prompt", (int) i + 1, error))
      return FALSE;
    if (prompt->n_tokens >= context) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not use prompt %u: it has %d tokens and the context of %d leaves no room "
                   "for a response; "
                   "shorten it",
                   i + 1, prompt->n_tokens, context);
      return FALSE;
    }
    *out_longest = MAX (*out_longest, prompt->n_tokens);
  }
  if (prompts->len > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not start %s: there are no prompts; add some", laurel_ppo_get_name (self));
  return FALSE;
}

static void
ppo_clear (LaurelPpo *self)
{
  g_clear_pointer (&self->policy_copy, laurel_model_free);
  g_clear_pointer (&self->value, laurel_model_free);
  g_free (self->reference_hash);
  g_free (self->reward_hash);
  g_free (self->order);
  g_free (self->row_order);
  g_free (self->ptx_order);
  laurel_ragged_clear (&self->ptx_batch);
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->policy_pass);
  laurel_pass_clear (&self->reference_pass);
  laurel_pass_clear (&self->value_pass);
  laurel_pass_clear (&self->reward_pass);
  laurel_ppo_batch_release (&self->batch);
  laurel_train_state_clear (&self->state);
  laurel_free_aligned (self->gradients);
  g_free (self->reference_scores);
}
typedef LaurelPpo Ppo;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ppo, ppo_clear)

static void
make_fingerprint (LaurelPpo *self, gboolean reference_is_apart)
{
  g_autoptr (GChecksum)
      checksum = laurel_train_state_start_fingerprint (self->stage, self->hp, self->policy);

  g_checksum_update (checksum, (const guchar *) self->reward_hash, -1);
  if (reference_is_apart)
    g_checksum_update (checksum, (const guchar *) self->reference_hash, -1);
  for (guint i = 0; i < self->prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (self->prompts, i);

    laurel_data_digest_tokens (checksum, prompt->tokens, prompt->n_tokens);
  }
  if (self->ptx != NULL)
    laurel_rows_digest (self->ptx, checksum);
  self->state.fingerprint = g_strdup (g_checksum_get_string (checksum));
}

/* The copies, made before a checkpoint may replace the policy's weights. */
static gboolean
copy_models (LaurelPpo *self, GError **error)
{
  gboolean is_apart = self->reference != NULL;

  if (!is_apart)
    self->reference = self->policy_copy = laurel_model_copy (self->policy, error);
  if (self->reference == NULL)
    return FALSE;
  if (self->stage == LAUREL_STAGE_PPO) {
    self->value = self->hp->vf_share_layers ? laurel_model_new_score_head (self->policy, error)
                                            : laurel_model_copy (self->reward, error);
    if (self->value == NULL)
      return FALSE;
  }
  self->reference_hash = laurel_model_hash_weights (self->reference);
  self->reward_hash = laurel_model_hash_weights (self->reward);
  make_fingerprint (self, is_apart);
  return TRUE;
}

static gboolean
has_same_trunk (const LaurelModelConfig *a, const LaurelModelConfig *b)
{
  return a->n_layer == b->n_layer && a->n_embd == b->n_embd && a->n_head == b->n_head
         && a->n_inner == b->n_inner;
}

/* Policy and reference are read at once; value and reward model come after them, one by one, so
 * that they can do with room that another has left. A value head reads what the policy left, and
 * rows that are learned beside come after the policy's own. */
static gboolean
make_passes (LaurelPpo *self, int max_tokens, GError **error)
{
  const LaurelPass *room = &self->policy_pass;

  self->micro = laurel_micro_batch_new (max_tokens);
  if (!laurel_pass_init (&self->policy_pass, self->policy, max_tokens, TRUE, error)
      || !laurel_pass_init (&self->reference_pass, self->reference, max_tokens, FALSE, error))
    return FALSE;
  if (laurel_ppo_has_value_network (self)) {
    room = &self->value_pass;
    if (has_same_trunk (&self->policy->config, &self->value->config))
      laurel_pass_init_beside (&self->value_pass, self->value, &self->policy_pass);
    else if (!laurel_pass_init (&self->value_pass, self->value, max_tokens, TRUE, error))
      return FALSE;
  }
  if (!has_same_trunk (&room->model->config, &self->reward->config))
    return laurel_pass_init (&self->reward_pass, self->reward, max_tokens, FALSE, error);
  laurel_pass_init_beside (&self->reward_pass, self->reward, room);
  return TRUE;
}

static gboolean
make_optimizers (LaurelPpo *self, GError **error)
{
  gsize n_value = self->value != NULL ? self->value->layout->n_floats : 0;
  gsize n_floats = MAX (self->policy->layout->n_floats, n_value);
  LaurelTrainState *state = &self->state;

  self->gradients = laurel_alloc_aligned (n_floats * sizeof (float));
  if (self->gradients == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not start training: %" G_GSIZE_FORMAT " MiB for gradients are not there; "
                 "close other programs or use a smaller model",
                 n_floats * sizeof (float) >> 20);
    return FALSE;
  }
  state->optimizer =
      laurel_optimizer_new (self->policy->layout, self->hp, self->gradients, error);
  if (state->optimizer == NULL || self->value == NULL)
    return state->optimizer != NULL;
  state->value_optimizer =
      laurel_optimizer_new (self->value->layout, self->hp,
                            laurel_ppo_has_value_network (self) ? self->gradients : NULL, error);
  return state->value_optimizer != NULL;
}

/* Whoever set filters for this policy is told that they do not count here. */
static void
log_ignored_filters (const LaurelPpo *self)
{
  const LaurelGenerationConfig *generation = &self->policy->generation;

  if (generation->top_k == 0 && generation->top_p == 1 && generation->min_p == 0
      && generation->repetition_penalty == 1)
    return;
  laurel_monitor_log (self->monitor,
                      "The policy's generation_config.json filters what it writes (top_k %d, top_p "
                      "%g, min_p %g, repetition_penalty %g); rollouts do not: that would cut the "
                      "support, and ratios and KL would be of tokens that were never drawn so.",
                      generation->top_k, generation->top_p, generation->min_p,
                      generation->repetition_penalty);
}

static void
prepare_batch (LaurelPpo *self, int context, int longest)
{
  const LaurelHyperparameters *hp = self->hp;

  self->max_response = MIN (hp->response_length, self->policy->config.n_positions - 1);
  /* The sampler knows the policy's context alone; a reward model with a shorter one binds every
   * prompt. */
  if (context < self->policy->config.n_positions)
    self->max_response = MIN (hp->response_length, context - longest);
  self->has_exact_kl = self->policy->config.vocab_size <= LAUREL_PPO_MAX_EXACT_VOCAB;
  self->n_iterations = laurel_data_count_steps (
      self->prompts->len, hp->batch_size / laurel_ppo_get_group_size (self), hp);
  self->order = g_new (guint32, self->prompts->len);
  self->ordered_epoch = -1;
  self->row_order = g_new (guint32, hp->batch_size);
  laurel_ppo_batch_reserve (&self->batch, hp->batch_size, longest, self->max_response);
}

/* Tokens of a micro-batch: for a mini-batch, or for the rows that are learned beside it. */
static int
make_budget (const LaurelPpo *self, int longest_ptx)
{
  const LaurelHyperparameters *hp = self->hp;
  int n_rows = (hp->batch_size + hp->num_mini_batches - 1) / hp->num_mini_batches;
  int longest = self->batch.stride;
  int budget = MIN (laurel_micro_batch_room (&self->policy->config, longest, n_rows),
                    laurel_micro_batch_room (&self->reward->config, longest, n_rows));

  if (self->ptx == NULL)
    return budget;
  return MAX (budget,
              laurel_micro_batch_room (&self->policy->config, longest_ptx, hp->ptx_batch_size));
}

static gboolean
prepare (LaurelPpo *self, const LaurelRows *ptx_rows, GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  int context = MIN (self->policy->config.n_positions, self->reward->config.n_positions);
  LaurelTrainState *state = &self->state;
  int longest, longest_ptx;

  if (!check_models (self, error)
      || !check_prompts (self, context, &longest, error)
      || !laurel_ppo_prepare_ptx (self, ptx_rows, &longest_ptx, error)
      || !copy_models (self, error))
    return FALSE;
  prepare_batch (self, context, longest);
  log_ignored_filters (self);
  state->stage = self->stage;
  state->monitor = self->monitor;
  state->save_steps = hp->save_steps;
  state->kl_coef = hp->kl_coef;
  state->model = self->policy;
  state->value = self->value;
  return make_optimizers (self, error)
         && make_passes (self, make_budget (self, longest_ptx), error)
         && laurel_train_state_reserve (state, error)
         && (hp->ema_decay == 0 || laurel_train_state_start_average (state, error))
         && laurel_train_state_resume (state, error);
}

double
laurel_ppo_seconds_since (gint64 since)
{
  return (double) (g_get_monotonic_time () - since) / G_USEC_PER_SEC;
}

/* Always FALSE. Without a way back there is nothing that a checkpoint could be made of, which is
 * then what went wrong. */
static gboolean
go_back (LaurelTrainState *state, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!laurel_train_state_go_back (state, &local)) {
    g_clear_error (error);
    g_propagate_error (error, g_steal_pointer (&local));
  }
  return FALSE;
}

/* The policy as it was sampled is too far from the reference: it is what the run ends with, and not
 * trained on. */
static gboolean
end_early (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  double kl = laurel_ppo_budget_kl (self);

  state->kl_gap = self->kl_gap;
  state->step++;
  state->ended = TRUE;
  laurel_ppo_report (self, NULL, state->kl_coef);
  laurel_monitor_metric (self->monitor, state->step, "stop/kl_budget", kl);
  laurel_monitor_log (self->monitor,
                      "The run ends at iteration %d of %d: its rollouts are %.3g nats from the "
                      "reference and kl_budget is %g. The model is the one that wrote them; it was "
                      "not trained on them.",
                      state->step, self->n_iterations, kl, self->hp->kl_budget);
  laurel_monitor_progress (self->monitor, state->step, state->step);
  return laurel_train_state_save (state, error);
}

/* One iteration. An interrupted one leaves everything as it was before it. */
static gboolean
iterate (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  const LaurelHyperparameters *hp = self->hp;
  double kl_coef = state->kl_coef;
  LaurelPpoStats stats;
  gint64 start;

  if (!laurel_train_state_keep (state, error))
    return FALSE;
  self->times = (LaurelPpoTimes) { 0 };
  start = g_get_monotonic_time ();
  if (!laurel_ppo_rollout (self, error))
    return FALSE;
  self->times.rollout = laurel_ppo_seconds_since (start);
  if (hp->kl_budget > 0 && laurel_ppo_budget_kl (self) > hp->kl_budget)
    return end_early (self, error);
  start = g_get_monotonic_time ();
  if (!laurel_ppo_update (self, &stats, error))
    return go_back (state, error);
  if (hp->target_kl > 0)
    state->kl_coef = laurel_ppo_adapt_kl_coef (kl_coef, laurel_ppo_mean_kl (&self->batch),
                                               hp->target_kl, self->batch.n_rows, hp->kl_horizon);
  if (state->average != NULL)
    laurel_move_average (state->average, self->policy->weights, self->policy->layout->n_floats,
                         hp->ema_decay);
  state->kl_gap = self->kl_gap;
  self->times.update = laurel_ppo_seconds_since (start);
  state->step++;
  laurel_ppo_report (self, &stats, kl_coef);
  return laurel_train_state_save_if_due (state, state->step == self->n_iterations, error);
}

/* Between iterations, so that a policy is measured as it will be saved: with its average's weights
 * where there is one. */
static gboolean
evaluate_if_due (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  float *weights = self->policy->weights;
  gboolean due = state->step == self->n_iterations || state->ended
                 || (self->hp->eval_steps > 0 && state->step % self->hp->eval_steps == 0);
  gboolean checkpoint = FALSE, done;

  if (!due)
    return TRUE;
  if (state->average != NULL)
    self->policy->weights = state->average;
  done = laurel_monitor_evaluate (self->monitor, state->step, self->policy, self->reference,
                                  &checkpoint, error);
  self->policy->weights = weights;
  return done && (!checkpoint || laurel_train_state_save (state, error));
}

static gboolean
go_through (LaurelPpo *self, GError **error)
{
  if (!laurel_ppo_audit_prepare (self, error))
    return FALSE;
  while (self->state.step < self->n_iterations && !self->state.ended)
    if (!evaluate_if_due (self, error) || !iterate (self, error))
      return FALSE;
  return evaluate_if_due (self, error);
}

/* The last checkpoint has both; what goes out of here is the average. */
static void
take_average (LaurelPpo *self)
{
  const LaurelTrainState *state = &self->state;
  double decay = self->hp->ema_decay;
  /* It stands still while the policy does. */
  int n_moved = MAX (state->step - state->ended - self->hp->value_warmup_steps, 0);

  if (state->average == NULL)
    return;
  memcpy (self->policy->weights, state->average,
          self->policy->layout->n_floats * sizeof (float));
  laurel_monitor_log (self->monitor,
                      "The model is the moving average of the policy's weights (ema_decay %g over "
                      "%d iterations): %.3g %% of it are the weights that the run began with.",
                      decay, n_moved, 100 * pow (decay, n_moved));
}

static gboolean
run (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  g_autoptr (GError) local = NULL;

  if (!go_through (self, &local)) {
    laurel_train_state_interrupted (state, &local);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!laurel_ppo_check_frozen (self, error))
    return FALSE;
  take_average (self);
  return TRUE;
}

gboolean
laurel_train_policy (LaurelStage stage,
                     LaurelModel *policy,
                     const LaurelModel *reference,
                     const LaurelModel *reward,
                     GPtrArray *prompts,
                     const LaurelRows *ptx_rows,
                     const LaurelHyperparameters *hp,
                     const LaurelMonitor *monitor,
                     GError **error)
{
  g_auto (Ppo) self = { .stage = stage,
                        .hp = hp,
                        .monitor = monitor,
                        .prompts = prompts,
                        .policy = policy,
                        .reference = reference,
                        .reward = reward };

  g_return_val_if_fail (laurel_stage_is_online (stage), FALSE);
  return laurel_hyperparameters_validate (hp, stage, error)
         && prepare (&self, ptx_rows, error)
         && run (&self, error);
}

gboolean
laurel_train_ppo (LaurelModel *policy,
                  const LaurelModel *reward,
                  GPtrArray *prompts,
                  const LaurelHyperparameters *hp,
                  const LaurelMonitor *monitor,
                  GError **error)
{
  return laurel_train_policy (LAUREL_STAGE_PPO, policy, NULL, reward, prompts, NULL, hp, monitor,
                              error);
}
