/* simulate.h: labelers that are programs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"

G_BEGIN_DECLS

/* More is better. Not a number ends the simulation with an error. */
typedef double (*LaurelScoreFunc) (const char *prompt, const LaurelCompletion *completion, gpointer user_data);

/**
 * laurel_label_simulate:
 * @labeler_id: a labeler of kind rules or reward model
 * @noise: from 0 to 1: the share of rankings in which two neighbouring ranks are swapped
 * @seed: the same seed makes the same mistakes
 * @count: how many tasks at most, 0: all that are open
 *
 * Ranks open tasks by score: equal scores are ties. Each ranking is saved as it
 * is made, so that a simulation that is cut short goes on where it ended.
 *
 * Returns: the number of rankings, −1 on error
 */
int laurel_label_simulate (LaurelStore *store, gint64 labeler_id, LaurelScoreFunc score, gpointer user_data, double noise, guint64 seed, int count, GError **error);

G_END_DECLS
