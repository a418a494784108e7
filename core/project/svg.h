/* svg.h: one chart as a piece of SVG, for reports that are read in a browser.
 *
 * Pure: the same arguments give the same text. Colours come from the page's
 * style (classes “line”, “grid”, “axis”), so that a chart follows light and dark.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *title;
  const char *unit; /* of y; "" when it has none */
  const double *x;  /* (n), rising */
  const double *y;  /* (n); what is not finite is left out */
  int n;
  double reference; /* a dashed line at this y; NaN: none */
} LaurelSvgChart;

void laurel_svg_append_chart (GString *out, const LaurelSvgChart *chart);

G_END_DECLS
