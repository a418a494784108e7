/* plot.c: axes with titles, dots with whiskers, bars.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/plot.h"

#include <math.h>

#define GAP LAUREL_DRAW_GAP
#define DOT 7.f
#define WHISKER 2.f
#define REACH 12. /* how far from a dot it is still meant */

typedef struct {
  graphene_rect_t plot;
  LaurelScale x, y;
} Layout;

LaurelPlot *
laurel_plot_new (LaurelPlotKind kind, const char *x_title, const char *y_title)
{
  LaurelPlot *self = g_new0 (LaurelPlot, 1);

  self->kind = kind;
  self->points = g_array_new (FALSE, FALSE, sizeof (LaurelPlotPoint));
  self->line_x = NAN;
  self->max_x = self->max_y = 1;
  self->x_title = g_strdup (x_title);
  self->y_title = g_strdup (y_title);
  return self;
}

void
laurel_plot_free (LaurelPlot *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->points);
  g_free (self->x_title);
  g_free (self->y_title);
  g_free (self);
}

static void
measure (const LaurelPlot *self, PangoContext *context, graphene_size_t size, Layout *out)
{
  float line = laurel_draw_measure_text (context, "0").height;
  float top = line + GAP;
  float height = MAX (size.height - top - 2 * line - 2 * GAP, 1.f);
  float left;

  laurel_scale_init (&out->y, LAUREL_SCALE_LINEAR, self->min_y, self->max_y,
                     CLAMP ((int) (height / (2.4f * line)) + 1, 2, 8),
                     self->kind == LAUREL_PLOT_BARS);
  left = laurel_draw_measure_ticks (&out->y, context) + GAP;
  out->plot = GRAPHENE_RECT_INIT (left, top, MAX (size.width - left - 2 * GAP, 1.f), height);
  laurel_scale_init (&out->x, LAUREL_SCALE_LINEAR, self->min_x, self->max_x,
                     CLAMP ((int) (out->plot.size.width / (4.f * line)) + 1, 2, 9), FALSE);
}

static float
to_x (const Layout *layout, double x)
{
  return layout->plot.origin.x
         + (float) laurel_scale_to_unit (&layout->x, x) * layout->plot.size.width;
}

static float
to_y (const Layout *layout, double y)
{
  double unit = CLAMP (laurel_scale_to_unit (&layout->y, y), 0, 1);

  return layout->plot.origin.y + (float) (1 - unit) * layout->plot.size.height;
}

static void
draw_titles (GtkSnapshot *snapshot, const LaurelPlot *self, const Layout *layout,
             const LaurelPalette *palette, PangoContext *context, graphene_size_t size)
{
  g_autoptr (PangoLayout) x_title = laurel_draw_make_text (context, self->x_title, FALSE);
  g_autoptr (PangoLayout) y_title = laurel_draw_make_text (context, self->y_title, FALSE);
  int width, height;

  pango_layout_get_pixel_size (x_title, &width, &height);
  laurel_draw_text (snapshot, x_title,
                    layout->plot.origin.x + (layout->plot.size.width - (float) width) / 2,
                    size.height - (float) height, &palette->dim_text);
  laurel_draw_text (snapshot, y_title, 0, 0, &palette->dim_text);
}

static void
draw_dashes (GtkSnapshot *snapshot, const LaurelPlot *self, const Layout *layout,
             const LaurelPalette *palette)
{
  const double dashes[] = { 4, 4 };
  double low = MAX (layout->x.min, layout->y.min), high = MIN (layout->x.max, layout->y.max);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &layout->plot);

  cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  cairo_set_line_width (cr, 1);
  gdk_cairo_set_source_rgba (cr, &palette->reference);
  if (self->diagonal && low < high) {
    cairo_move_to (cr, to_x (layout, low), to_y (layout, low));
    cairo_line_to (cr, to_x (layout, high), to_y (layout, high));
  }
  if (self->line_x >= layout->x.min && self->line_x <= layout->x.max) {
    float x = roundf (to_x (layout, self->line_x)) + .5f;

    cairo_move_to (cr, x, layout->plot.origin.y);
    cairo_line_to (cr, x, layout->plot.origin.y + layout->plot.size.height);
  }
  cairo_stroke (cr);
  cairo_destroy (cr);
}

static void
draw_dot (GtkSnapshot *snapshot, const Layout *layout, const LaurelPlotPoint *point,
          const GdkRGBA *colour)
{
  float x = to_x (layout, point->x), y = to_y (layout, point->y);
  GskRoundedRect dot;

  if (!isnan (point->low) && !isnan (point->high)) {
    float top = to_y (layout, point->high), bottom = to_y (layout, point->low);

    laurel_draw_fill (snapshot, colour, roundf (x - WHISKER / 2), roundf (top), WHISKER,
                      MAX (roundf (bottom - top), 1.f));
  }
  gsk_rounded_rect_init_from_rect (
      &dot, &GRAPHENE_RECT_INIT (x - DOT / 2, y - DOT / 2, DOT, DOT), DOT / 2);
  gtk_snapshot_push_rounded_clip (snapshot, &dot);
  gtk_snapshot_append_color (snapshot, colour, &dot.bounds);
  gtk_snapshot_pop (snapshot);
}

static void
draw_bar (GtkSnapshot *snapshot, const LaurelPlot *self, const Layout *layout,
          const LaurelPlotPoint *point, const LaurelPalette *palette)
{
  float left = to_x (layout, point->x), right = to_x (layout, point->x + self->bar_width);
  float top = to_y (layout, point->y), bottom = layout->plot.origin.y + layout->plot.size.height;
  gboolean is_left = point->x + self->bar_width / 2 < self->line_x;

  if (point->y > 0)
    laurel_draw_fill (snapshot, &palette->series[is_left ? 1 : 0], roundf (left) + 1, top,
                      MAX (roundf (right) - roundf (left) - 1, 1.f), MAX (bottom - top, 1.f));
}

void
laurel_plot_draw (GtkSnapshot *snapshot, const LaurelPlot *self, const LaurelPalette *palette,
                  PangoContext *context, graphene_size_t size)
{
  Layout layout;

  if (size.width < 40 || size.height < 40)
    return;
  measure (self, context, size, &layout);
  draw_titles (snapshot, self, &layout, palette, context, size);
  laurel_draw_y_axis (snapshot, &layout.y, &layout.plot, palette, context);
  laurel_draw_x_axis (snapshot, &layout.x, &layout.plot, palette, context, size);
  if (self->kind == LAUREL_PLOT_BARS)
    for (guint i = 0; i < self->points->len; i++)
      draw_bar (snapshot, self, &layout, &g_array_index (self->points, LaurelPlotPoint, i),
                palette);
  draw_dashes (snapshot, self, &layout, palette);
  if (self->kind == LAUREL_PLOT_POINTS)
    for (guint i = 0; i < self->points->len; i++)
      draw_dot (snapshot, &layout, &g_array_index (self->points, LaurelPlotPoint, i),
                &palette->series[0]);
}

int
laurel_plot_find (const LaurelPlot *self, PangoContext *context, graphene_size_t size, double x,
                  double y)
{
  Layout layout;
  double best = REACH;
  int found = -1;

  measure (self, context, size, &layout);
  for (guint i = 0; i < self->points->len; i++) {
    const LaurelPlotPoint *point = &g_array_index (self->points, LaurelPlotPoint, i);
    double distance = fabs (to_x (&layout, point->x) - x);

    if (self->kind == LAUREL_PLOT_BARS) {
      if (x >= to_x (&layout, point->x) && x < to_x (&layout, point->x + self->bar_width)
          && y >= layout.plot.origin.y)
        return (int) i;
    } else if (distance < best) {
      best = distance;
      found = (int) i;
    }
  }
  return found;
}
