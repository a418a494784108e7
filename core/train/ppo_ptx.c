/* ppo_ptx.c: what the policy must not forget, learned beside (PPO-ptx, Ouyang et al. 2022).
 *
 * Each mini-batch takes ptx_batch_size rows of ordinary text and adds ptx_coef
 * times the gradient of their mean loss per token to the policy's own, before
 * the same step. Which rows is a function of the mini-batch's number, so that a
 * resumed run takes the same ones.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

#include "core/base/error.h"
#include "core/train/language.h"
#include "core/train/sequence.h"

/* Epochs of these rows are shuffled as no epoch of the prompts is. */
#define FIRST_EPOCH ((guint64) 1 << 32)

gboolean
laurel_ppo_prepare_ptx (LaurelPpo *self, const LaurelRows *rows, int *out_longest, GError **error)
{
  const LaurelModelConfig *config = &self->policy->config;
  gsize n = rows != NULL ? laurel_rows_count (rows) : 0;

  *out_longest = 0;
  if (self->hp->ptx_coef == 0)
    return TRUE;
  if (n == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not start %s: ptx_coef is %g and there are no rows to learn beside; name "
                 "data for it or leave it at 0",
                 laurel_ppo_get_name (self), self->hp->ptx_coef);
    return FALSE;
  }
  if (!laurel_rows_check (rows, config, config->n_positions, "ptx row", self->monitor, error))
    return FALSE;
  self->ptx = rows;
  self->ptx_order = g_new (guint32, n);
  self->ptx_ordered_epoch = -1;
  laurel_ragged_init (&self->ptx_batch);
  *out_longest = laurel_rows_get_longest (rows, config->n_positions);
  return TRUE;
}

static gsize
take_row (LaurelPpo *self, gint64 at)
{
  gsize n = laurel_rows_count (self->ptx);
  gint64 epoch = at / (gint64) n;

  if (epoch != self->ptx_ordered_epoch)
    laurel_data_order (self->ptx_order, n, self->hp->seed, FIRST_EPOCH + (guint64) epoch,
                       self->hp->shuffle);
  self->ptx_ordered_epoch = epoch;
  return self->ptx_order[at % (gint64) n];
}

gboolean
laurel_ppo_add_ptx (LaurelPpo *self, gint64 number, double *loss, GError **error)
{
  LaurelRagged *batch = &self->ptx_batch;
  double sum = 0;

  laurel_ragged_restart (batch);
  for (int i = 0; i < self->hp->ptx_batch_size; i++)
    laurel_rows_gather (self->ptx, take_row (self, number * self->hp->ptx_batch_size + i),
                        self->policy->config.n_positions, batch);
  if (!laurel_language_walk (&self->policy_pass, self->micro, batch, self->hp->ptx_coef,
                             self->state.optimizer->gradients, self->monitor,
                             &self->state.checkpoint_wanted, &sum, error))
    return FALSE;
  *loss += sum / (double) batch->n_labels;
  return TRUE;
}
