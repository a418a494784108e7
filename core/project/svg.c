/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/svg.h"

#include <math.h>

/* In the user's units of the picture. */
#define WIDTH 460.0
#define HEIGHT 240.0
#define LEFT 58.0
#define RIGHT 12.0
#define TOP 30.0
#define BOTTOM 30.0
#define N_TICKS 4

typedef struct {
  double min_x, max_x, min_y, max_y;
} Range;

static void
widen (Range *range, double x, double y)
{
  range->min_x = fmin (range->min_x, x);
  range->max_x = fmax (range->max_x, x);
  range->min_y = fmin (range->min_y, y);
  range->max_y = fmax (range->max_y, y);
}

static int
measure (const LaurelSvgChart *chart, Range *range)
{
  int n = 0;

  *range = (Range){ INFINITY, -INFINITY, INFINITY, -INFINITY };
  for (int i = 0; i < chart->n; i++)
    if (isfinite (chart->y[i])) {
      widen (range, chart->x[i], chart->y[i]);
      n++;
    }
  if (n == 0)
    return 0;
  if (isfinite (chart->reference))
    widen (range, range->min_x, chart->reference);
  if (range->max_x <= range->min_x)
    range->max_x = range->min_x + 1;
  if (range->max_y <= range->min_y) {
    range->min_y -= 0.5;
    range->max_y += 0.5;
  }
  return n;
}

static double
place_x (const Range *range, double x)
{
  return LEFT + (x - range->min_x) / (range->max_x - range->min_x) * (WIDTH - LEFT - RIGHT);
}

static double
place_y (const Range *range, double y)
{
  return HEIGHT - BOTTOM
         - (y - range->min_y) / (range->max_y - range->min_y) * (HEIGHT - TOP - BOTTOM);
}

static void
append_grid (GString *out, const Range *range)
{
  for (int i = 0; i <= N_TICKS; i++) {
    double value = range->min_y + (range->max_y - range->min_y) * i / N_TICKS;
    double y = place_y (range, value);

    g_string_append_printf (
        out,
        "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
        "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
        LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, value);
  }
  g_string_append_printf (
      out,
      "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\">%g</text>"
      "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">step %g</text>\n",
      LEFT, HEIGHT - 10, range->min_x, WIDTH - RIGHT, HEIGHT - 10, range->max_x);
}

static void
append_line (GString *out, const LaurelSvgChart *chart, const Range *range)
{
  gboolean pen_down = FALSE;

  g_string_append (out, "<path class=\"line\" d=\"");
  for (int i = 0; i < chart->n; i++) {
    if (isfinite (chart->y[i]))
      g_string_append_printf (out, "%s%.1f %.1f", pen_down ? "L" : "M",
                              place_x (range, chart->x[i]), place_y (range, chart->y[i]));
    pen_down = isfinite (chart->y[i]);
  }
  g_string_append (out, "\"/>\n");
}

void
laurel_svg_append_chart (GString *out, const LaurelSvgChart *chart)
{
  g_autofree char *title = g_markup_escape_text (chart->title, -1);
  g_autofree char *unit = g_markup_escape_text (chart->unit, -1);
  Range range;

  g_string_append_printf (out,
                          "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n"
                          "<text class=\"title\" x=\"%g\" y=\"18\">%s%s%s</text>\n",
                          WIDTH, HEIGHT, title, LEFT, title, unit[0] != '\0' ? ", " : "", unit);
  if (measure (chart, &range) == 0) {
    g_string_append_printf (
        out, "<text class=\"axis\" x=\"%g\" y=\"%g\">nothing was measured</text>\n</svg>\n", LEFT,
        HEIGHT / 2);
    return;
  }
  append_grid (out, &range);
  if (isfinite (chart->reference))
    g_string_append_printf (
        out, "<line class=\"reference\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", LEFT,
        place_y (&range, chart->reference), WIDTH - RIGHT, place_y (&range, chart->reference));
  append_line (out, chart, &range);
  g_string_append (out, "</svg>\n");
}
