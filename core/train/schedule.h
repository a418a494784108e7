/* schedule.h: the learning rate at each step.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

/* The share of the full rate that step @step (from 0) of @n_steps uses. The warm-up rises in equal
 * parts and its last step uses 1; after it linear and cosine fall and would reach 0 at step @n_steps. */
double laurel_schedule_factor (LaurelSchedule schedule, int step, int n_steps, int warmup_steps);

G_END_DECLS
