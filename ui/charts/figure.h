/* figure.h: a widget that shows a drawing which is not a line chart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/interval_plot.h"
#include "ui/charts/plot.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_FIGURE (laurel_figure_get_type ())
G_DECLARE_FINAL_TYPE (LaurelFigure, laurel_figure, LAUREL, FIGURE, GtkWidget)

/* @summary: for screen readers. @tips (nullable): what to say of each mark, as many as there are. Both take the plot. */
GtkWidget *laurel_figure_new_plot (LaurelPlot *plot, const char *summary, GPtrArray *tips);
GtkWidget *laurel_figure_new_intervals (LaurelIntervalPlot *plot, const char *summary);

G_END_DECLS
