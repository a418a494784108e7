/* run_alarms.h: a run's alarm lights as a calm list, and those that are lit in a line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/train/alarms.h"

G_BEGIN_DECLS

/* Empties @list first. Rows of lights that were ever lit lead to the step (action runs.go-to-step). */
void laurel_run_show_alarms (GtkListBox *list, const LaurelAlarms *alarms);

/* “Clipped ratios: 0.34, above 0.3 since step 12” or “2 alarms: Step size, Ratio”; NULL when no light is lit. */
char *laurel_run_summarize_alarms (const LaurelAlarms *alarms) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
