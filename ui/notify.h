/* notify.h: tells the desktop that a run has ended.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/records.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* "PPO “polite-2” is done", … */
char *laurel_run_describe_end (const LaurelRun *run) G_GNUC_WARN_UNUSED_RESULT;

/* Sends @body when some notification service is on the bus; without one GLib would only log a warning. */
void laurel_notify_run_ended (GApplication *application, const LaurelRun *run);

G_END_DECLS
