/* ppo.c: tuning the policy against the reward model on a KL leash.
 *
 * Per iteration: 1 take prompts, 2 sample, 3 read policy, reference and value,
 * 4 score, 5 pay each token, 6 estimate advantages (ppo_rollout.c), 7 train for
 * some epochs (ppo_update.c), 8 report (ppo_report.c), steer β, checkpoint.
 *
 * What goes wrong silently elsewhere is an error here: a ratio other than 1
 * before the first step, rewards that do not add up, a reference that moved.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/ppo_audit.h"
#include "core/train/ppo_math.h"
#include "core/train/ppo_report.h"
#include "core/train/sequence.h"

static gboolean
check_models (const LaurelModel *policy, const LaurelModel *reward, GError **error)
{
  const char *why = NULL;

  if (policy->config.head != LAUREL_HEAD_LM)
    why = "the policy is a reward model; choose a language model";
  else if (reward->config.head != LAUREL_HEAD_SCORE)
    why = "the reward model has no score head; train a reward model first";
  else if (!g_str_equal (laurel_tokenizer_get_hash (policy->tokenizer),
                         laurel_tokenizer_get_hash (reward->tokenizer)))
    why = "policy and reward model have different tokenizers; train the reward model from this "
          "policy's family";
  else if (!reward->config.normalized)
    why = "the reward model's scores are not normalised, so kl_coef would have no scale; "
          "train it with normalize_rewards";
  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH, "Could not start PPO: %s", why);
  return FALSE;
}

static gboolean
check_prompts (GPtrArray *prompts,
               const LaurelModel *policy,
               int context,
               int *out_longest,
               GError **error)
{
  *out_longest = 0;
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, i);

    if (!laurel_tokens_check (prompt->tokens, prompt->n_tokens, &policy->config, "prompt",
                              (int) i + 1, error))
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
               "Could not start PPO: there are no prompts; add some");
  return FALSE;
}

static void
reserve_batch (LaurelPpoBatch *batch, int n_rows, int longest, int max_response)
{
  gsize n = (gsize) n_rows * (gsize) max_response;

  batch->n_rows = n_rows;
  batch->stride = longest + max_response;
  batch->rows = g_new0 (LaurelPpoRow, n_rows);
  batch->tokens = g_new0 (gint32, (gsize) n_rows * (gsize) batch->stride);
  batch->sampler_logprobs = g_new0 (float, n);
  batch->logprobs = g_new0 (float, n);
  batch->ref_logprobs = g_new0 (float, n);
  batch->kl = g_new0 (float, n);
  batch->exact_kl = g_new0 (float, n);
  batch->entropies = g_new0 (float, n);
  batch->rewards = g_new0 (float, n);
  batch->paid = g_new0 (float, n);
  batch->values = g_new0 (float, n);
  batch->advantages = g_new0 (float, n);
  batch->returns = g_new0 (float, n);
  batch->ratios = g_new0 (float, n);
  batch->clipped = g_new0 (gint32, n);
}

static void
release_batch (LaurelPpoBatch *batch)
{
  g_free (batch->rows);
  g_free (batch->tokens);
  g_free (batch->sampler_logprobs);
  g_free (batch->logprobs);
  g_free (batch->ref_logprobs);
  g_free (batch->kl);
  g_free (batch->exact_kl);
  g_free (batch->entropies);
  g_free (batch->rewards);
  g_free (batch->paid);
  g_free (batch->values);
  g_free (batch->advantages);
  g_free (batch->returns);
  g_free (batch->ratios);
  g_free (batch->clipped);
}

static void
ppo_clear (LaurelPpo *self)
{
  g_clear_pointer (&self->reference, laurel_model_free);
  g_clear_pointer (&self->value, laurel_model_free);
  g_free (self->reference_hash);
  g_free (self->reward_hash);
  g_free (self->order);
  g_free (self->row_order);
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->policy_pass);
  laurel_pass_clear (&self->reference_pass);
  laurel_pass_clear (&self->value_pass);
  laurel_pass_clear (&self->reward_pass);
  release_batch (&self->batch);
  laurel_train_state_clear (&self->state);
  laurel_free_aligned (self->gradients);
  g_free (self->reference_scores);
}
typedef LaurelPpo Ppo;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ppo, ppo_clear)

static void
make_fingerprint (LaurelPpo *self)
{
  g_autoptr (GChecksum)
      checksum = laurel_train_state_start_fingerprint (LAUREL_STAGE_PPO, self->hp, self->policy);

  g_checksum_update (checksum, (const guchar *) self->reward_hash, -1);
  for (guint i = 0; i < self->prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (self->prompts, i);

    laurel_data_digest_tokens (checksum, prompt->tokens, prompt->n_tokens);
  }
  self->state.fingerprint = g_strdup (g_checksum_get_string (checksum));
}

/* A policy that goes on from an earlier run is still measured against where that one began. */
static const LaurelModel *
choose_reference (const LaurelPpo *self)
{
  return self->monitor != NULL && self->monitor->reference != NULL ? self->monitor->reference
                                                                   : self->policy;
}

/* The copies, made before a checkpoint may replace the policy's weights. */
static gboolean
copy_models (LaurelPpo *self, GError **error)
{
  self->reference = laurel_model_copy (choose_reference (self), error);
  if (self->reference == NULL)
    return FALSE;
  self->value = self->hp->vf_share_layers ? laurel_model_new_score_head (self->policy, error)
                                          : laurel_model_copy (self->reward, error);
  if (self->value == NULL)
    return FALSE;
  self->reference_hash = laurel_model_hash_weights (self->reference);
  self->reward_hash = laurel_model_hash_weights (self->reward);
  make_fingerprint (self);
  return TRUE;
}

static gboolean
has_same_trunk (const LaurelModelConfig *a, const LaurelModelConfig *b)
{
  return a->n_layer == b->n_layer && a->n_embd == b->n_embd && a->n_head == b->n_head
         && a->n_inner == b->n_inner;
}

/* Policy and reference are read at once; value and reward model come after them, one by one, so
 * that they can do with room that another has left. A value head reads what the policy left. */
static gboolean
make_passes (LaurelPpo *self, int max_tokens, GError **error)
{
  const LaurelPass *room = &self->policy_pass;

  self->micro = laurel_micro_batch_new (max_tokens);
  if (!laurel_pass_init (&self->policy_pass, self->policy, max_tokens, TRUE, error)
      || !laurel_pass_init (&self->reference_pass, self->reference, max_tokens, FALSE, error))
    return FALSE;
  if (!self->hp->vf_share_layers) {
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
  gsize n_floats = MAX (self->policy->layout->n_floats, self->value->layout->n_floats);
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
  if (state->optimizer == NULL)
    return FALSE;
  state->value_optimizer =
      laurel_optimizer_new (self->value->layout, self->hp,
                            self->hp->vf_share_layers ? NULL : self->gradients, error);
  return state->value_optimizer != NULL;
}

static gboolean
prepare (LaurelPpo *self, GError **error)
{
  const LaurelHyperparameters *hp = self->hp;
  int context = MIN (self->policy->config.n_positions, self->reward->config.n_positions);
  int longest, n_rows, budget;

  if (!check_models (self->policy, self->reward, error)
      || !check_prompts (self->prompts, self->policy, context, &longest, error)
      || !copy_models (self, error))
    return FALSE;
  self->max_response = MIN (hp->response_length, self->policy->config.n_positions - 1);
  /* The sampler knows the policy's context alone; a reward model with a shorter one binds every
   * prompt. */
  if (context < self->policy->config.n_positions)
    self->max_response = MIN (hp->response_length, context - longest);
  self->n_iterations = laurel_data_count_steps (self->prompts->len, hp->batch_size, hp);
  self->order = g_new (guint32, self->prompts->len);
  self->ordered_epoch = -1;
  self->row_order = g_new (guint32, hp->batch_size);
  reserve_batch (&self->batch, hp->batch_size, longest, self->max_response);
  n_rows = (hp->batch_size + hp->num_mini_batches - 1) / hp->num_mini_batches;
  budget = MIN (laurel_micro_batch_room (&self->policy->config, self->batch.stride, n_rows),
                laurel_micro_batch_room (&self->reward->config, self->batch.stride, n_rows));
  self->state.stage = LAUREL_STAGE_PPO;
  self->state.monitor = self->monitor;
  self->state.save_steps = hp->save_steps;
  self->state.kl_coef = hp->kl_coef;
  self->state.model = self->policy;
  self->state.value = self->value;
  return make_optimizers (self, error)
         && make_passes (self, budget, error)
         && laurel_train_state_reserve (&self->state, error)
         && laurel_train_state_resume (&self->state, error);
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

/* One iteration. An interrupted one leaves everything as it was before it. */
static gboolean
iterate (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
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
  start = g_get_monotonic_time ();
  if (!laurel_ppo_update (self, &stats, error))
    return go_back (state, error);
  if (self->hp->target_kl > 0)
    state->kl_coef = laurel_ppo_adapt_kl_coef (kl_coef, laurel_ppo_mean_kl (&self->batch),
                                               self->hp->target_kl, self->batch.n_rows,
                                               self->hp->kl_horizon);
  self->times.update = laurel_ppo_seconds_since (start);
  state->step++;
  laurel_ppo_report (self, &stats, kl_coef);
  return laurel_train_state_save_if_due (state, state->step == self->n_iterations, error);
}

/* Between iterations, so that a policy is measured as it will be saved. */
static gboolean
evaluate_if_due (LaurelPpo *self, GError **error)
{
  LaurelTrainState *state = &self->state;
  gboolean due = state->step == self->n_iterations
                 || (self->hp->eval_steps > 0 && state->step % self->hp->eval_steps == 0);
  gboolean checkpoint = FALSE;

  return !due
         || (laurel_monitor_evaluate (self->monitor, state->step, self->policy, self->reference,
                                      &checkpoint, error)
             && (!checkpoint || laurel_train_state_save (state, error)));
}

static gboolean
go_through (LaurelPpo *self, GError **error)
{
  if (!laurel_ppo_audit_prepare (self, error))
    return FALSE;
  while (self->state.step < self->n_iterations)
    if (!evaluate_if_due (self, error) || !iterate (self, error))
      return FALSE;
  return evaluate_if_due (self, error);
}

static gboolean
check_frozen (const LaurelPpo *self, GError **error)
{
  g_autofree char *reference_hash = laurel_model_hash_weights (self->reference);
  g_autofree char *reward_hash = laurel_model_hash_weights (self->reward);
  const char *moved = !g_str_equal (reference_hash, self->reference_hash) ? "reference"
                      : !g_str_equal (reward_hash, self->reward_hash)     ? "reward model"
                                                                          : NULL;

  if (moved == NULL)
    return TRUE;
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
      "Could not trust this run: the weights of the %s changed while it went on; run it again",
      moved);
  return FALSE;
}

gboolean
laurel_train_ppo (LaurelModel *policy,
                  const LaurelModel *reward,
                  GPtrArray *prompts,
                  const LaurelHyperparameters *hp,
                  const LaurelMonitor *monitor,
                  GError **error)
{
  g_auto (Ppo) self = { .hp = hp,
                        .monitor = monitor,
                        .prompts = prompts,
                        .policy = policy,
                        .reward = reward };
  g_autoptr (GError) local = NULL;

  if (!laurel_hyperparameters_validate (hp, LAUREL_STAGE_PPO, error) || !prepare (&self, error))
    return FALSE;
  if (!go_through (&self, &local)) {
    laurel_train_state_interrupted (&self.state, &local);
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return check_frozen (&self, error);
}
