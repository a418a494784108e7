/* run_alarms.h: the alarm lights of a run, and the weights of its best evaluation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"
#include "core/train/alarms.h"

G_BEGIN_DECLS

/* The lights of a run before it has measured anything, by its settings. */
LaurelAlarms *laurel_run_new_alarms (const LaurelRun *run, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The lights as the metrics in the store make them; all unknown for a run that has none. */
LaurelAlarms *laurel_run_read_alarms (LaurelStore *store, const LaurelRun *run, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The step of the best gold evaluation whose weights are kept; −1 when there are none. */
int laurel_project_get_best_step (LaurelProject *self, gint64 run_id);

/* Makes the model @name of them; NULL: the run's output with “-best” behind it, and a number where that is taken.
 * Returns the name. */
char *laurel_project_keep_best (LaurelProject *self, gint64 run_id, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
