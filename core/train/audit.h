/* audit.h: the most that a policy can earn at a given distance from its reference.
 *
 * Donsker and Varadhan: for any policy π, reference ρ, reward r and b > 0
 *
 *   E_π[r] ≤ b·KL(π‖ρ) + b·log E_ρ[e^(r/b)]
 *
 * The reference's expectation is estimated from samples of it. A mean reward
 * above the least of these bounds says that KL or reward are not what they are
 * said to be, whatever the reward is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double bound;          /* the least over b */
  double b;              /* where it is */
  double standard_error; /* of the bound, from the number of samples */
} LaurelAuditBound;

/* From the scores (@n ≥ 2) of reference samples, at @kl nats (below 0 counts as 0). A small b leans on a handful of the
 * best samples, which says little of the reference: b stops where the weights e^(r/b) are worth 16 samples, or a quarter
 * of them where there are fewer than 64. The bound holds there too, it is less tight. */
LaurelAuditBound laurel_audit_bound (const double *scores, int n, double kl);

G_END_DECLS
