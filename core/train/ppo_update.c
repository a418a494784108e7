/* ppo_update.c: step 7 of a PPO iteration, epochs of clipped updates on one batch of rollouts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/base/rng.h"
#include "core/train/ppo_check.h"
#include "core/train/ppo_math.h"
#include "core/train/schedule.h"

#include <string.h>

typedef struct {
  const LaurelPpo *ppo;
  double scale; /* 1 / sampled tokens of the whole mini-batch */
} PolicyLoss;

void
laurel_ppo_order_rows (LaurelPpo *self, int epoch)
{
  LaurelRng rng;

  for (int r = 0; r < self->batch.n_rows; r++)
    self->row_order[r] = (guint32) r;
  laurel_rng_init (&rng, (guint64) self->hp->seed, LAUREL_RNG_MINIBATCH, (guint64) self->state.step,
                   (guint64) epoch);
  laurel_rng_shuffle (&rng, self->row_order, (gsize) self->batch.n_rows);
}

int
laurel_ppo_mini_batch_start (const LaurelPpo *self, int m)
{
  return (int) ((gint64) self->batch.n_rows * m / self->hp->num_mini_batches);
}

int
laurel_ppo_pack (LaurelPpo *self, int from, int to)
{
  laurel_micro_batch_clear (self->micro);
  for (; from < to; from++) {
    const LaurelPpoRow *row = &self->batch.rows[self->row_order[from]];
    int n_tokens = row->n_prompt + row->n_response;

    if (!laurel_micro_batch_fits (self->micro, n_tokens))
      break;
    laurel_micro_batch_add (self->micro, row->tokens, n_tokens, row->n_prompt, row->first);
  }
  return from;
}

static LaurelPolicyLoss
get_policy_loss (const LaurelPpo *self, int label, float logprob)
{
  int at = self->micro->sources[label];

  return laurel_ppo_policy_loss (logprob, self->batch.logprobs[at], self->batch.advantages[at],
                                 self->hp->cliprange);
}

/* Called from several threads at once: it reads and writes nothing shared. */
static double
policy_loss_cb (int i, float logprob, double *dlogprob, gpointer user_data)
{
  const PolicyLoss *self = user_data;
  LaurelPolicyLoss l = get_policy_loss (self->ppo, i, logprob);

  *dlogprob = l.dlogprob * self->scale;
  return l.loss * self->scale;
}

/* Kept by token, so that every statistic of them comes from one routine. */
static void
keep_policy_loss (LaurelPpo *self, int label, float logprob)
{
  LaurelPpoBatch *batch = &self->batch;
  LaurelPolicyLoss l = get_policy_loss (self, label, logprob);
  int at = self->micro->sources[label];

  batch->policy_losses[at] = (float) l.loss;
  batch->step_kls[at] = (float) laurel_ppo_half_square_kl (logprob, batch->logprobs[at]);
  batch->ratios[at] = (float) l.ratio;
  batch->clips[at] = l.clipped ? 1 : 0;
  batch->taken[at] = 1;
}

/* The value loss of what @pass has run: adds to its dhidden and to the value head's gradient. */
static void
add_value_loss (LaurelPpo *self, LaurelPass *pass, double scale)
{
  LaurelMicroBatch *micro = self->micro;

  laurel_score_head_forward (self->value, pass->hidden, micro->positions, micro->n_labels,
                             micro->outputs);
  for (int i = 0; i < micro->n_labels; i++) {
    int at = micro->sources[i];
    LaurelValueLoss l = laurel_ppo_value_loss (micro->outputs[i], self->batch.values[at],
                                               self->batch.returns[at], self->hp->cliprange_value);

    self->batch.value_losses[at] = (float) l.loss;
    self->batch.value_clips[at] = l.clipped ? 1 : 0;
    micro->doutputs[i] = (float) (self->hp->vf_coef * l.dvalue * scale);
  }
  laurel_score_head_backward (self->value, pass->hidden, micro->positions, micro->n_labels,
                              micro->doutputs, pass->dhidden,
                              self->state.value_optimizer->gradients);
}

static void
add_policy_gradient (LaurelPpo *self, double scale)
{
  LaurelPass *pass = &self->policy_pass;
  LaurelLabels labels = laurel_micro_batch_as_labels (self->micro);
  PolicyLoss loss = { self, scale };

  laurel_pass_forward (pass, self->micro);
  laurel_lm_head_loss (self->policy, pass->hidden, &labels, self->hp->temperature, policy_loss_cb,
                       &loss, 1, self->micro->outputs, pass->dhidden,
                       self->state.optimizer->gradients);
  for (int i = 0; i < labels.n; i++)
    keep_policy_loss (self, i, self->micro->outputs[i]);
  if (self->value != NULL && !laurel_ppo_has_value_network (self))
    add_value_loss (self, pass, scale);
  laurel_pass_backward (pass, self->micro, self->state.optimizer->gradients);
}

static void
add_value_gradient (LaurelPpo *self, double scale)
{
  laurel_pass_forward (&self->value_pass, self->micro);
  add_value_loss (self, &self->value_pass, scale);
  laurel_pass_backward (&self->value_pass, self->micro, self->state.value_optimizer->gradients);
}

/* What the mini-batch whose tokens are taken came to. */
static void
add_stats (const LaurelPpo *self, LaurelPpoStats *stats)
{
  const LaurelPpoBatch *batch = &self->batch;
  const guint8 *taken = batch->taken;
  gsize n = (gsize) batch->n_tokens;
  LaurelMoments ratios = laurel_masked_moments (batch->ratios, taken, n);

  stats->n_mini_batches++;
  stats->policy_loss += laurel_masked_moments (batch->policy_losses, taken, n).mean;
  stats->approx_kl += laurel_masked_moments (batch->step_kls, taken, n).mean;
  stats->policy_clipfrac += laurel_masked_moments (batch->clips, taken, n).mean;
  stats->ratio += ratios.mean - 1;
  stats->ratio_squares += ratios.variance + (ratios.mean - 1) * (ratios.mean - 1);
  if (self->value == NULL)
    return;
  stats->value_loss += laurel_masked_moments (batch->value_losses, taken, n).mean;
  stats->value_clipfrac += laurel_masked_moments (batch->value_clips, taken, n).mean;
}

static gboolean
apply (LaurelPpo *self,
       LaurelOptimizer *optimizer,
       float *weights,
       double learning_rate,
       double *norm,
       GError **error)
{
  gint64 start = g_get_monotonic_time ();
  double factor = laurel_schedule_factor (self->hp->lr_scheduler_type, self->state.step,
                                          self->n_iterations, self->hp->warmup_steps);
  double added = 0;

  if (!laurel_optimizer_step (optimizer, weights, learning_rate * factor, &added, error))
    return FALSE;
  *norm += added;
  self->times.optimizer += laurel_ppo_seconds_since (start);
  return TRUE;
}

typedef void (*AddGradient) (LaurelPpo *self, double scale);

/* The gradient over rows @from … @to − 1 of the epoch, into @optimizer. */
static gboolean
walk (LaurelPpo *self,
      LaurelOptimizer *optimizer,
      AddGradient add_gradient,
      int from,
      int to,
      double scale,
      GError **error)
{
  laurel_optimizer_clear (optimizer);
  for (int at = from; at < to;) {
    if (!laurel_monitor_go_on (self->monitor, &self->state.checkpoint_wanted, error))
      return FALSE;
    at = laurel_ppo_pack (self, at, to);
    add_gradient (self, scale);
  }
  return TRUE;
}

/* The policy's step on its own gradient and, when there is one, that of the rows learned beside. */
static gboolean
step_policy (LaurelPpo *self, LaurelPpoStats *stats, GError **error)
{
  gint64 per_iteration = (gint64) self->hp->num_ppo_epochs * self->hp->num_mini_batches;
  gint64 number = self->state.step * per_iteration + stats->n_mini_batches;

  if (self->state.step < self->hp->value_warmup_steps)
    return TRUE;
  if (self->ptx != NULL && !laurel_ppo_add_ptx (self, number, &stats->ptx_loss, error))
    return FALSE;
  return apply (self, self->state.optimizer, self->policy->weights, self->hp->learning_rate,
                &stats->policy_norm, error);
}

static gboolean
step_value (LaurelPpo *self, LaurelPpoStats *stats, GError **error)
{
  return apply (self, self->state.value_optimizer, self->value->weights,
                self->hp->value_learning_rate, &stats->value_norm, error);
}

/* The policy's step, then the value network's: neither reads what the other has changed. A value
 * head gets its gradient in the policy's walk. */
static gboolean
train_mini_batch (LaurelPpo *self,
                  int from,
                  int to,
                  gboolean first,
                  LaurelPpoStats *stats,
                  GError **error)
{
  LaurelTrainState *state = &self->state;
  int n_tokens = 0;

  for (int i = from; i < to; i++)
    n_tokens += self->batch.rows[self->row_order[i]].n_response;
  memset (self->batch.taken, 0, (gsize) self->batch.n_tokens);
  if (self->value != NULL && !laurel_ppo_has_value_network (self))
    laurel_optimizer_clear (state->value_optimizer);
  if (!walk (self, state->optimizer, add_policy_gradient, from, to, 1.0 / n_tokens, error)
      || !laurel_ppo_check_walk (self, n_tokens, first, error)
      || !step_policy (self, stats, error))
    return FALSE;
  if (laurel_ppo_has_value_network (self)
      && !walk (self, state->value_optimizer, add_value_gradient, from, to, 1.0 / n_tokens, error))
    return FALSE;
  add_stats (self, stats);
  return self->value == NULL || step_value (self, stats, error);
}

gboolean
laurel_ppo_update (LaurelPpo *self, LaurelPpoStats *stats, GError **error)
{
  *stats = (LaurelPpoStats) { 0 };
  for (int epoch = 0; epoch < self->hp->num_ppo_epochs; epoch++) {
    laurel_ppo_order_rows (self, epoch);
    for (int m = 0; m < self->hp->num_mini_batches; m++)
      if (!train_mini_batch (self, laurel_ppo_mini_batch_start (self, m),
                             laurel_ppo_mini_batch_start (self, m + 1), epoch == 0 && m == 0, stats,
                             error))
        return FALSE;
  }
  return TRUE;
}
