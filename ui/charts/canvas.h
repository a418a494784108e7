/* canvas.h: the drawing part of a chart: hover, crosshair, keys, cached picture.
 *
 * ←/→ move the crosshair by one point, Home and End to the ends, Escape takes
 * it away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/chart.h"
#include "ui/charts/cursor.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_CHART_CANVAS (laurel_chart_canvas_get_type ())
G_DECLARE_FINAL_TYPE (LaurelChartCanvas, laurel_chart_canvas, LAUREL, CHART_CANVAS, GtkWidget)

/* Signal "picked" (double x): a click at a point. */

/* @series (element-type LaurelSeries); the canvas keeps a reference to each. Call again after they grew. */
void laurel_chart_canvas_set_series (LaurelChartCanvas *self, GPtrArray *series);
/* The spec to change; call laurel_chart_canvas_changed() afterwards. Its series are the canvas's own. */
LaurelChart *laurel_chart_canvas_get_chart (LaurelChartCanvas *self);
void laurel_chart_canvas_changed (LaurelChartCanvas *self);
void laurel_chart_canvas_set_title (LaurelChartCanvas *self, const char *title); /* for the accessible summary */
void laurel_chart_canvas_set_cursor (LaurelChartCanvas *self, LaurelChartCursor *cursor);
/* Whether the crosshair is a selection, which stays when the pointer leaves. */
void laurel_chart_canvas_set_sticky (LaurelChartCanvas *self, gboolean is_sticky);

/* The palette of the theme that is in force now. */
const LaurelPalette *laurel_palette_current (void);

G_END_DECLS
