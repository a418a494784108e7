/* widget.h: a chart with its title, the note on how it is computed, and its menu.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/canvas.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_CHART_WIDGET (laurel_chart_widget_get_type ())
G_DECLARE_FINAL_TYPE (LaurelChartWidget, laurel_chart_widget, LAUREL, CHART_WIDGET, GtkWidget)

/* Actions: chart.copy, chart.export, chart.table. Signal "picked" (double x), from the canvas. */

GtkWidget *laurel_chart_widget_new (void);
/* @how: a note for the ⓘ button, NULL for none. @x_name: "step", "seconds": for tables and files. */
void laurel_chart_widget_set_title (LaurelChartWidget *self, const char *title, const char *how);
void laurel_chart_widget_set_x_name (LaurelChartWidget *self, const char *x_name);
LaurelChartCanvas *laurel_chart_widget_get_canvas (LaurelChartWidget *self);

G_END_DECLS
