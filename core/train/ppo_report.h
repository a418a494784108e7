/* ppo_report.h: an iteration's metrics and rollouts on their way to the monitor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/ppo.h"

G_BEGIN_DECLS

/* Mean over rollouts of Σ kl: what the adaptive coefficient is steered by. */
double laurel_ppo_mean_kl (const LaurelPpoBatch *batch);
/* The same with the exact KL where that is known: what is held against kl_budget. */
double laurel_ppo_budget_kl (const LaurelPpo *self);

/* For the iteration that has just become state.step; @kl_coef is the β it was paid with. @stats NULL: it trained on nothing. */
void laurel_ppo_report (const LaurelPpo *self, const LaurelPpoStats *stats, double kl_coef);

G_END_DECLS
