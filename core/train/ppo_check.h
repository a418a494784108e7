/* ppo_check.h: what must hold of a batch of rollouts, checked in every run.
 *
 * Each says with a LAUREL_ERROR_FAILED what is off; the run stops rather than
 * train on it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/ppo.h"

G_BEGIN_DECLS

/* Sampler and full model agree on every token; nothing is infinite; no exact KL is below 0. */
gboolean laurel_ppo_check_tokens (const LaurelPpo *self, GError **error);
/* Scores are finite; in the first iteration also that a rollout scores alone what it scores in its batch. */
gboolean laurel_ppo_check_scores (const LaurelPpo *self, GError **error);
/* Σ reward = score − β Σ KL, and the score is on the last token alone. */
gboolean laurel_ppo_check_pay (const LaurelPpo *self, const LaurelPpoRow *row, GError **error);
/* After GAE: the last token's return is what it was paid, as there is no value beyond the end. */
gboolean laurel_ppo_check_end (const LaurelPpo *self, const LaurelPpoRow *row, GError **error);
/* Over the run k1 is the exact KL but for chance; kl_gap must be up to date. */
gboolean laurel_ppo_check_kl (const LaurelPpo *self, GError **error);
/* Whitened advantages have mean 0 and variance 1. */
gboolean laurel_ppo_check_whitened (const LaurelPpo *self, double variance_before, GError **error);
/* The advantages of each prompt's rollouts sum to 0. */
gboolean laurel_ppo_check_groups (const LaurelPpo *self, GError **error);
/* After the policy's walk over a mini-batch: each of its @n_tokens tokens was counted once, and before the @first step on
 * a batch every ratio is 1 and the loss is −(mean advantage). */
gboolean laurel_ppo_check_walk (const LaurelPpo *self, int n_tokens, gboolean first, GError **error);
/* Reference and reward model are those that the run began with. */
gboolean laurel_ppo_check_frozen (const LaurelPpo *self, GError **error);

G_END_DECLS
