/* run_charts.h: the grid of charts of one run and those laid over it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/store/records.h"
#include "ui/runs/run_data.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RUN_CHARTS (laurel_run_charts_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRunCharts, laurel_run_charts, LAUREL, RUN_CHARTS, GtkWidget)

/* Signal "picked" (int step): a click at a point of the first run, when x is the step. */

/* @datas (element-type LaurelRunData, borrowed until the next call): the selected run first. @kind orders the charts. */
void laurel_run_charts_set_runs (LaurelRunCharts *self, const char *kind, GPtrArray *datas);
/* The data grew: draws again, adds charts for new keys. */
void laurel_run_charts_refresh (LaurelRunCharts *self);
/* Lays the bundled reference run over the charts, or takes it away. */
void laurel_run_charts_toggle_reference (LaurelRunCharts *self);

G_END_DECLS
