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
 * laurel_label_simulate_tasks() over the open tasks, one completion at a time.
 *
 * Returns: the number of rankings, −1 on error
 */
int laurel_label_simulate (LaurelStore *store, gint64 labeler_id, LaurelScoreFunc score, gpointer user_data, double noise, guint64 seed, int count, GError **error);

/* The scores of every completion of @tasks (element-type LaurelTask), task by task in stored order, into @scores. */
typedef gboolean (*LaurelScoreTasksFunc) (GPtrArray *tasks, double *scores, gpointer user_data, GError **error);

/* FALSE stops. */
typedef gboolean (*LaurelSimulateProgress) (int n_done, int n_all, gpointer user_data);

typedef struct {
  gint64 labeler_id; /* of kind rules or reward model */
  LaurelScoreTasksFunc score;
  gpointer score_data;
  double noise;       /* as above */
  guint64 seed;
  int count;          /* how many tasks at most; 0: all */
  gboolean all_tasks; /* those too that have as many rankings as they want */
  LaurelSimulateProgress progress; /* NULL: none; after each batch */
  gpointer progress_data;
} LaurelSimulation;

/* Ranks tasks by score, in the order of the queue: equal scores are ties. Tasks that this labeler has ranked already are
 * left out, and each batch of rankings is saved as a whole, so that a simulation that is cut short goes on where it
 * ended. CANCELLED when @progress stopped it. Returns the number of rankings, −1 on error. */
int laurel_label_simulate_tasks (LaurelStore *store, const LaurelSimulation *simulation, GError **error);

/* Tasks of @ids from @first on, as many as a batch has, with their completions. */
GPtrArray *laurel_label_load_batch (LaurelStore *store, const GArray *ids, guint first, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Completions of all of @tasks together. */
int laurel_label_count_completions (GPtrArray *tasks);

G_END_DECLS
