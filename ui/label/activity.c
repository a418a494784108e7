/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/activity.h"

void
laurel_activity_start (LaurelActivity *self, gint64 now)
{
  self->last = now;
}

void
laurel_activity_touch (LaurelActivity *self, gint64 now, gint64 *out_active_ms, gint64 *out_idle_ms)
{
  gint64 elapsed = self->last > 0 ? MAX (now - self->last, 0) / 1000 : 0;

  *out_active_ms = MIN (elapsed, LAUREL_ACTIVITY_IDLE_AFTER_MS);
  *out_idle_ms = elapsed - *out_active_ms;
  if (self->last > 0) {
    /* Whole milliseconds only, so that many quick inputs lose nothing to rounding. */
    self->last += elapsed * 1000;
  }
}
