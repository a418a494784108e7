/* interval_plot.h: shares with their intervals, a row each, as pure drawing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/draw.h"

G_BEGIN_DECLS

typedef struct {
  char *name;
  gboolean is_heading; /* a name alone, over the rows that follow */
  double value;        /* 0 … 1 */
  double low, high;    /* NaN: no interval */
  int n;
} LaurelIntervalRow;

/**
 * LaurelIntervalPlot:
 * @rows: (element-type LaurelIntervalRow)
 * @lines: (array fixed-size=2): shares with a dashed line over all rows, NaN for none
 * @line_names: (array fixed-size=2): what stands over them
 * @n_title: what the rows' numbers count
 */
typedef struct {
  GArray *rows;
  double lines[2];
  char *line_names[2];
  char *n_title;
} LaurelIntervalPlot;

LaurelIntervalPlot *laurel_interval_plot_new (const char *n_title) G_GNUC_WARN_UNUSED_RESULT;
void laurel_interval_plot_free (LaurelIntervalPlot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelIntervalPlot, laurel_interval_plot_free)

void laurel_interval_plot_add_heading (LaurelIntervalPlot *self, const char *name);
void laurel_interval_plot_add (LaurelIntervalPlot *self, const char *name, double value, double low, double high, int n);
void laurel_interval_plot_set_line (LaurelIntervalPlot *self, int line, double share, const char *name);

/* How high all rows are. */
float laurel_interval_plot_measure (const LaurelIntervalPlot *self, PangoContext *context);
/* Draws names, intervals, shares and numbers into 0,0 … @size. */
void laurel_interval_plot_draw (GtkSnapshot *snapshot, const LaurelIntervalPlot *self, const LaurelPalette *palette, PangoContext *context, graphene_size_t size);

G_END_DECLS
