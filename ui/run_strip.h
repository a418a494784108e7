/* run_strip.h: the bar at the bottom of the window while a job lives.
 *
 * It also keeps the computer awake meanwhile, and says when a run has ended.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RUN_STRIP (laurel_run_strip_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRunStrip, laurel_run_strip, LAUREL, RUN_STRIP, GtkWidget)

/* Property "project" (LaurelProject). Signal "ended" (gint64 run_id): that run's job is over, however it ended. */

/* A job waits, runs or is paused. */
gboolean laurel_run_strip_is_live (LaurelRunStrip *self);

/* "PPO", "Reward model", … for a run's kind; the kind itself when it is new to us. */
const char *laurel_run_kind_get_title (const char *kind);

G_END_DECLS
