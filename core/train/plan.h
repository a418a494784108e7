/* plan.h: the memory that rows to learn beside and a gold judge ask for, beyond
 * laurel_train_plan_memory().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/train.h"

G_BEGIN_DECLS

/* What a run of an online stage holds at once beyond its plan because a reward model of the shape of @gold judges its
 * held-out answers. The rest is as for the plan. */
gsize laurel_train_plan_gold (LaurelStage stage, const LaurelModelConfig *config, const LaurelHyperparameters *hp, int longest, const LaurelModelConfig *gold);

/* The same because a row that a policy learns beside (ptx_coef), or that it is measured on and does not learn, has
 * @beside tokens, when rollouts have no more than @longest. */
gsize laurel_train_plan_beside (LaurelStage stage, const LaurelModelConfig *config, const LaurelHyperparameters *hp, int longest, int beside);

G_END_DECLS
