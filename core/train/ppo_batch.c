/* ppo_batch.c: the room for a batch of rollouts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/ppo.h"

void
laurel_ppo_batch_reserve (LaurelPpoBatch *batch, int n_rows, int longest, int max_response)
{
  float **arrays[LAUREL_PPO_N_ARRAYS] = {
    &batch->sampler_logprobs, &batch->logprobs, &batch->ref_logprobs,  &batch->kl,
    &batch->exact_kl,         &batch->entropies, &batch->rewards,      &batch->paid,
    &batch->values,           &batch->advantages, &batch->returns,     &batch->ratios,
    &batch->clips,            &batch->policy_losses, &batch->step_kls, &batch->value_losses,
    &batch->value_clips,
  };
  gsize n = (gsize) n_rows * (gsize) max_response;

  batch->n_rows = n_rows;
  batch->stride = longest + max_response;
  batch->rows = g_new0 (LaurelPpoRow, n_rows);
  batch->tokens = g_new0 (gint32, (gsize) n_rows * (gsize) batch->stride);
  batch->scores = g_new0 (float, n_rows);
  batch->row_kls = g_new0 (float, n_rows);
  batch->floats = g_new0 (float, LAUREL_PPO_N_ARRAYS * n);
  batch->taken = g_new0 (guint8, n);
  for (gsize i = 0; i < LAUREL_PPO_N_ARRAYS; i++)
    *arrays[i] = batch->floats + i * n;
}

void
laurel_ppo_batch_release (LaurelPpoBatch *batch)
{
  g_free (batch->rows);
  g_free (batch->tokens);
  g_free (batch->scores);
  g_free (batch->row_kls);
  g_free (batch->floats);
  g_free (batch->taken);
}
