/* monitor.h: speaking to whoever runs a stage; each call minds a NULL monitor and NULL members.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/train.h"

G_BEGIN_DECLS

void laurel_monitor_metric (const LaurelMonitor *self, int step, const char *key, double value);
void laurel_monitor_progress (const LaurelMonitor *self, int step, int n_steps);
void laurel_monitor_log (const LaurelMonitor *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Once a micro-batch. FALSE and LAUREL_ERROR_CANCELLED to stop; sets *@checkpoint when one is wanted. */
gboolean laurel_monitor_go_on (const LaurelMonitor *self, gboolean *checkpoint, GError **error);

/* Has a policy evaluated at @step when somebody does that. FALSE and LAUREL_ERROR_CANCELLED to stop; sets *@checkpoint when
 * one is wanted at once. */
gboolean laurel_monitor_evaluate (const LaurelMonitor *self, int step, const LaurelModel *policy, const LaurelModel *reference, gboolean *checkpoint, GError **error);

/* What was reported so far is on the disk. */
gboolean laurel_monitor_sync (const LaurelMonitor *self, GError **error);

G_END_DECLS
