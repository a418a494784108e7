/* plot.h: points with intervals, and bars, as pure drawing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/draw.h"

G_BEGIN_DECLS

typedef struct {
  double x;
  double y;
  double low, high; /* of an upright interval; NaN: none */
} LaurelPlotPoint;

typedef enum { LAUREL_PLOT_POINTS, LAUREL_PLOT_BARS } LaurelPlotKind;

/**
 * LaurelPlot:
 * @points: (element-type LaurelPlotPoint): bars stand on 0, @bar_width wide, with @x at their left edge
 * @min_x, @max_x, @min_y, @max_y: what the axes span; bars' y begins at 0
 * @diagonal: whether there is a dashed line y = x
 * @line_x: x of a dashed upright line, NaN for none; bars left of it have another colour
 * @x_title, @y_title: under and above the axes
 */
typedef struct {
  LaurelPlotKind kind;
  GArray *points;
  double bar_width;
  double min_x, max_x, min_y, max_y;
  gboolean diagonal;
  double line_x;
  char *x_title;
  char *y_title;
} LaurelPlot;

LaurelPlot *laurel_plot_new (LaurelPlotKind kind, const char *x_title, const char *y_title) G_GNUC_WARN_UNUSED_RESULT;
void laurel_plot_free (LaurelPlot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelPlot, laurel_plot_free)

/* Draws axes, marks and lines into 0,0 … @size. */
void laurel_plot_draw (GtkSnapshot *snapshot, const LaurelPlot *self, const LaurelPalette *palette, PangoContext *context, graphene_size_t size);

/* The index of the mark at @x, @y of a drawing of @size, −1 where there is none. */
int laurel_plot_find (const LaurelPlot *self, PangoContext *context, graphene_size_t size, double x, double y);

G_END_DECLS
