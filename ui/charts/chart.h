/* chart.h: line charts as pure drawing: the same arguments make the same render node.
 *
 * No widget, no display, no clock: charts are drawn in tests and exported to
 * files by the function that draws them in the window.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "ui/charts/palette.h"
#include "ui/charts/scale.h"
#include "ui/charts/series.h"

G_BEGIN_DECLS

/**
 * LaurelChart:
 * @series: (array length=n_series)
 * @smoothing: weight of the moving average, 0: none; above 0 the raw line is drawn faintly behind
 * @log_y: whether y is logarithmic; values that are not above 0 become gaps
 * @x_kind: INTEGER or TIME (or LINEAR)
 * @reference: y of a dashed line, NaN for none
 * @band_low, @band_high: a shaded range of y; none where @band_high is not above @band_low
 * @legend: whether the series are named above the plot
 * @min_x, @max_x: the span of x; NaN: that of the points
 */
typedef struct {
  LaurelSeries **series;
  gsize n_series;
  double smoothing;
  gboolean log_y;
  LaurelScaleKind x_kind;
  double reference;
  double band_low, band_high;
  gboolean legend;
  double min_x, max_x;
} LaurelChart;

/* Where things lie, for mapping the pointer to data. */
typedef struct {
  graphene_rect_t plot;
  LaurelScale x;
  LaurelScale y;
  gboolean is_empty; /* no finite point: the scales span 0 … 1 */
} LaurelChartLayout;

void laurel_chart_measure (const LaurelChart *self, PangoContext *context, graphene_size_t size, LaurelChartLayout *out);

/* Draws axes, grid, lines, reference and legend into 0,0 … @size. */
void laurel_chart_draw (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelPalette *palette, PangoContext *context, graphene_size_t size);

/* Draws the crosshair at @x with the values of the points nearest to it. Nothing when @x lies outside. */
void laurel_chart_draw_cursor (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelPalette *palette, PangoContext *context, graphene_size_t size, double x);

/* One line for a screen reader: how many points, first, last, lowest and highest value of each series. */
char *laurel_chart_summarize (const LaurelChart *self, const char *title) G_GNUC_WARN_UNUSED_RESULT;

/* “series,x,y” rows, every point unsmoothed, numbers in full. */
char *laurel_chart_to_csv (const LaurelChart *self, const char *x_name, const char *y_name) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
