/* activity.h: how long a labeler worked on a task, and how long they were away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A pause longer than this counts as active for this long and as idle for the rest. */
#define LAUREL_ACTIVITY_IDLE_AFTER_MS 30000

typedef struct {
  gint64 last; /* microseconds of the monotonic clock, 0: stopped */
} LaurelActivity;

void laurel_activity_start (LaurelActivity *self, gint64 now);
/* Input arrived at @now: the time since the last input, told apart in milliseconds. 0 and 0 when stopped. */
void laurel_activity_touch (LaurelActivity *self, gint64 now, gint64 *out_active_ms, gint64 *out_idle_ms);

G_END_DECLS
