/* plan.h: the memory that a gold judge asks for, beside laurel_train_plan_memory().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/train.h"

G_BEGIN_DECLS

/* What a run of an online stage holds at once beyond its plan because a reward model of the shape of @gold judges its
 * held-out answers. The rest is as for the plan. */
gsize laurel_train_plan_gold (LaurelStage stage, const LaurelModelConfig *config, const LaurelHyperparameters *hp, int longest, const LaurelModelConfig *gold);

G_END_DECLS
