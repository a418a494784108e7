/* ppo_audit.h: what the reference earns, and so the most that the policy can (audit.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/ppo.h"

G_BEGIN_DECLS

/* Samples the reference on the run's own prompts and scores what it wrote as rollouts are scored. The same numbers each
 * time, so that a resumed run goes on with the same line. Nothing where nobody reads metrics, or without the exact KL. */
gboolean laurel_ppo_audit_prepare (LaurelPpo *self, GError **error);

/* The bound at the batch's KL, three standard errors up: of reference samples, mean score and KL. NaN without samples. */
double laurel_ppo_audit_line (const LaurelPpo *self);

G_END_DECLS
