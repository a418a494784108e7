/* plan.c: the memory that a stage will ask for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/train/micro_batch.h"
#include "core/train/train.h"

/* Keys and values of a whole batch while it is sampled. */
static gsize
count_cache (const LaurelModelConfig *config, int n_rows)
{
  return sizeof (float) * 2 * (gsize) config->n_layer * (gsize) config->n_embd
         * (gsize) config->n_positions * (gsize) n_rows;
}

static gsize
count_pass (const LaurelModelConfig *config, gboolean for_backward)
{
  int n_tokens = laurel_micro_batch_budget (config, config->n_positions);
  gsize dhidden = for_backward ? sizeof (float) * (gsize) n_tokens * (gsize) config->n_embd : 0;

  return laurel_activations_size (config, n_tokens, for_backward) + dhidden;
}

gsize
laurel_train_plan_memory (LaurelStage stage,
                          const LaurelModelConfig *config,
                          const LaurelHyperparameters *hp)
{
  LaurelLayout *layout = laurel_layout_new (config);
  gsize block = layout->n_floats * sizeof (float);

  laurel_layout_unref (layout);
  switch (stage) {
  case LAUREL_STAGE_PRETRAIN:
  case LAUREL_STAGE_SFT:
    return 4 * block + count_pass (config, TRUE); /* weights, gradients, two moments */
  case LAUREL_STAGE_REWARD:
    return 5 * block
           + MAX (count_pass (config, TRUE), count_cache (config, 1)); /* and the SFT model */
  case LAUREL_STAGE_PPO:
    /* Policy and value with theirs and a kept copy of each three, reference, reward model. */
    return (2 * 4 + 2 * 3 + 2) * block + 2 * count_pass (config, TRUE)
           + 2 * count_pass (config, FALSE) + count_cache (config, hp->batch_size);
  case LAUREL_N_STAGES:
    break;
  }
  g_return_val_if_reached (0);
}
