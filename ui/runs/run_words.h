/* run_words.h: runs in words and icons, the same on every page.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/records.h"

G_BEGIN_DECLS

const char *laurel_run_kind_label (const char *kind);            /* “Reward model” */
gboolean laurel_run_kind_has_rollouts (const char *kind);
const char *laurel_run_status_label (LaurelRunStatus status);    /* “Running” */
const char *laurel_run_status_icon (LaurelRunStatus status);     /* symbolic icon name */
const char *laurel_run_status_css_class (LaurelRunStatus status); /* "accent", "success", … */
gboolean laurel_run_can_resume (const LaurelRun *run);
/* “PPO · step 41 of 200 · 12 min” */
char *laurel_run_describe (const LaurelRun *run) G_GNUC_WARN_UNUSED_RESULT;
/* “Today, 14:05” or “3 Nov 2026, 14:05”, local time; @time in microseconds, 0 gives “–”. */
char *laurel_format_time (gint64 time) G_GNUC_WARN_UNUSED_RESULT;
/* The same where there is little room: “14:05”, “3 Nov” or “3 Nov 2025”. */
char *laurel_format_time_briefly (gint64 time) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
