/* chart.c: measures and draws a line chart.
 *
 *   legend (overlays only)
 *   y tick labels │ plot: grid, band, reference, raw lines, smoothed lines, dots
 *                 └ x tick labels
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/chart.h"

#include "core/base/csv.h"
#include "ui/charts/draw.h"

#include <glib/gi18n.h>
#include <math.h>

#define GAP LAUREL_DRAW_GAP
#define LINE_WIDTH 2.
#define RAW_WIDTH 1.
#define DOT_RADIUS 3.
#define BAND_ALPHA .22
#define SPAN_ALPHA .18
#define SWATCH 10.f
#define VALUE_WIDTH 240

static gboolean
is_drawable (const LaurelChart *self, double y)
{
  return isfinite (y) && (!self->log_y || y > 0);
}

static gboolean
has_band (const LaurelChart *self)
{
  return self->band_high > self->band_low && is_drawable (self, self->band_low);
}

/* The interval of a series' point; NULL where it has none. */
static const LaurelSpan *
get_span (const LaurelChart *self, const LaurelSeries *series, guint i)
{
  const LaurelSpan *span =
    series->spans != NULL ? &g_array_index (series->spans, LaurelSpan, i) : NULL;

  return span != NULL && is_drawable (self, span->low) && is_drawable (self, span->high) ? span
                                                                                         : NULL;
}

/* --- Measuring ----------------------------------------------------------- */

static gboolean
find_range (const LaurelChart *self, double *x0, double *x1, double *y0, double *y1)
{
  *x0 = *y0 = INFINITY;
  *x1 = *y1 = -INFINITY;
  for (gsize s = 0; s < self->n_series; s++) {
    GArray *points = self->series[s]->points;

    for (guint i = 0; i < points->len; i++) {
      const LaurelPoint *point = &g_array_index (points, LaurelPoint, i);
      const LaurelSpan *span = get_span (self, self->series[s], i);

      if (!is_drawable (self, point->y))
        continue;
      *x0 = MIN (*x0, point->x);
      *x1 = MAX (*x1, point->x);
      *y0 = MIN (*y0, span != NULL ? MIN (span->low, point->y) : point->y);
      *y1 = MAX (*y1, span != NULL ? MAX (span->high, point->y) : point->y);
    }
  }
  if (*x0 > *x1)
    return FALSE;
  if (is_drawable (self, self->reference)) {
    *y0 = MIN (*y0, self->reference);
    *y1 = MAX (*y1, self->reference);
  }
  if (has_band (self)) {
    *y0 = MIN (*y0, self->band_low);
    *y1 = MAX (*y1, self->band_high);
  }
  if (!isnan (self->min_x))
    *x0 = self->min_x;
  if (!isnan (self->max_x))
    *x1 = MAX (self->max_x, *x0);
  return TRUE;
}

void
laurel_chart_measure (const LaurelChart *self, PangoContext *context, graphene_size_t size,
                      LaurelChartLayout *out)
{
  float line = laurel_draw_measure_text (context, "0").height;
  float top = self->legend ? line + GAP : line / 2;
  float height = MAX (size.height - top - line - GAP, 1.f);
  double x0, x1, y0, y1;
  float left;

  out->is_empty = !find_range (self, &x0, &x1, &y0, &y1);
  if (out->is_empty) {
    x0 = y0 = self->log_y ? .1 : 0;
    x1 = y1 = 1;
  }
  laurel_scale_init (&out->y, self->log_y ? LAUREL_SCALE_LOG : LAUREL_SCALE_LINEAR, y0, y1,
                     CLAMP ((int) (height / (2.4f * line)) + 1, 2, 8), TRUE);
  left = laurel_draw_measure_ticks (&out->y, context) + GAP;
  out->plot = GRAPHENE_RECT_INIT (left, top, MAX (size.width - left - GAP, 1.f), height);
  laurel_scale_init (&out->x, self->x_kind, x0, x1,
                     CLAMP ((int) (out->plot.size.width / (6.f * line)) + 1, 2, 9), FALSE);
}

static float
to_x (const LaurelChartLayout *layout, double x)
{
  return layout->plot.origin.x + (float) laurel_scale_to_unit (&layout->x,
                                                               x) * layout->plot.size.width;
}

static float
to_y (const LaurelChartLayout *layout, double y)
{
  double unit = CLAMP (laurel_scale_to_unit (&layout->y, y), -.02, 1.02);

  return layout->plot.origin.y + (float) (1 - unit) * layout->plot.size.height;
}

/* --- Drawing ------------------------------------------------------------- */

static void
trace_points (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout, GArray *points)
{
  gboolean has_pen = FALSE, is_single = FALSE;
  float x = 0, y = 0;

  for (guint i = 0; i < points->len; i++) {
    const LaurelPoint *point = &g_array_index (points, LaurelPoint, i);

    if (!is_drawable (self, point->y)) {
      if (is_single)
        cairo_line_to (cr, x, y);
      has_pen = is_single = FALSE;
      continue;
    }
    x = to_x (layout, point->x);
    y = to_y (layout, point->y);
    if (has_pen)
      cairo_line_to (cr, x, y);
    else
      cairo_move_to (cr, x, y);
    is_single = !has_pen;
    has_pen = TRUE;
  }
  /* A point alone is a segment of no length: its round ends make a dot. */
  if (is_single)
    cairo_line_to (cr, x, y);
}

/* One value that was measured once is easily overlooked. */
static gboolean
is_lone (const LaurelChart *self, GArray *points)
{
  guint n = 0;

  for (guint i = 0; i < points->len && n < 2; i++)
    if (is_drawable (self, g_array_index (points, LaurelPoint, i).y))
      n++;
  return n == 1;
}

static void
draw_points (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout, GArray *points,
             const GdkRGBA *colour, double width)
{
  g_autoptr (GArray) thin = laurel_points_decimate (points, layout->x.min, layout->x.max,
                                                    (int) layout->plot.size.width);

  gdk_cairo_set_source_rgba (cr, colour);
  cairo_set_line_width (cr, is_lone (self, thin) ? 3.5 * width : width);
  trace_points (cr, self, layout, thin);
  cairo_stroke (cr);
}

/* Dots may come in any order of y, so they are not thinned by columns. */
static void
draw_dots (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout, GArray *points,
           const GdkRGBA *colour)
{
  gdk_cairo_set_source_rgba (cr, colour);
  for (guint i = 0; i < points->len; i++) {
    const LaurelPoint *point = &g_array_index (points, LaurelPoint, i);

    if (!is_drawable (self, point->y))
      continue;
    cairo_arc (cr, to_x (layout, point->x), to_y (layout, point->y), DOT_RADIUS, 0, 2 * G_PI);
    cairo_fill (cr);
  }
}

/* From the lower ends to the right, and back over the upper ones. */
static void
draw_spans (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout,
            const LaurelSeries *series, const GdkRGBA *colour)
{
  GdkRGBA faint = *colour;
  int n = (int) series->points->len;

  for (int i = 0; i < 2 * n; i++) {
    guint at = (guint) (i < n ? i : 2 * n - 1 - i);
    const LaurelPoint *point = &g_array_index (series->points, LaurelPoint, at);
    const LaurelSpan *span = get_span (self, series, at);

    if (span != NULL)
      cairo_line_to (cr, to_x (layout, point->x), to_y (layout, i < n ? span->low : span->high));
  }
  faint.alpha = (float) SPAN_ALPHA;
  gdk_cairo_set_source_rgba (cr, &faint);
  cairo_close_path (cr);
  cairo_fill (cr);
}

static void
draw_series (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout,
             const LaurelPalette *palette)
{
  for (gsize s = 0; s < self->n_series; s++) {
    GdkRGBA faint = palette->series[self->series[s]->colour % LAUREL_N_SERIES_COLOURS];

    if (self->series[s]->spans != NULL)
      draw_spans (cr, self, layout, self->series[s], &faint);
    faint.alpha = (float) palette->raw_alpha;
    if (self->smoothing > 0 && !self->series[s]->is_dots)
      draw_points (cr, self, layout, self->series[s]->points, &faint, RAW_WIDTH);
  }
  for (gsize s = 0; s < self->n_series; s++) {
    const GdkRGBA *colour = &palette->series[self->series[s]->colour % LAUREL_N_SERIES_COLOURS];
    g_autoptr (GArray) smooth = NULL;

    if (self->series[s]->is_dots || self->series[s]->spans != NULL)
      draw_dots (cr, self, layout, self->series[s]->points, colour);
    if (self->series[s]->is_dots)
      continue;
    if (self->smoothing > 0)
      smooth = laurel_points_smooth (self->series[s]->points, self->smoothing);
    draw_points (cr, self, layout, smooth != NULL ? smooth : self->series[s]->points, colour,
                 LINE_WIDTH);
  }
}

static void
draw_reference (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout,
                const LaurelPalette *palette)
{
  const double dashes[] = { 4, 4 };
  float y = roundf (to_y (layout, self->reference)) + .5f;

  cairo_save (cr);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_BUTT);
  cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  cairo_set_line_width (cr, 1);
  gdk_cairo_set_source_rgba (cr, &palette->reference);
  cairo_move_to (cr, layout->plot.origin.x, y);
  cairo_line_to (cr, layout->plot.origin.x + layout->plot.size.width, y);
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* Behind the lines; a thin edge keeps a narrow one visible. */
static void
draw_band (cairo_t *cr, const LaurelChart *self, const LaurelChartLayout *layout,
           const LaurelPalette *palette)
{
  float top = to_y (layout, self->band_high), bottom = to_y (layout, self->band_low);
  GdkRGBA colour = palette->positive;

  colour.alpha = (float) BAND_ALPHA;
  gdk_cairo_set_source_rgba (cr, &colour);
  cairo_rectangle (cr, layout->plot.origin.x, top, layout->plot.size.width,
                   MAX (bottom - top, 2.f));
  cairo_fill (cr);
}

/* The widest that a name may be: what short ones leave goes to the long ones. */
static float
share_legend (float room, const int *widths, gsize n)
{
  float share = room / (float) n;

  for (gsize round = 0; round < n; round++) {
    float left = room;
    gsize n_long = 0;

    for (gsize i = 0; i < n; i++)
      if ((float) widths[i] <= share)
        left -= (float) widths[i];
      else
        n_long++;
    if (n_long == 0)
      return share;
    share = left / (float) n_long;
  }
  return share;
}

static void
draw_legend (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelChartLayout *layout,
             const LaurelPalette *palette, PangoContext *context)
{
  float x = layout->plot.origin.x;
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree int *widths = g_new (int, MAX (self->n_series, 1));
  int height;
  float share;

  for (gsize s = 0; s < self->n_series; s++) {
    g_ptr_array_add (labels, laurel_draw_make_text (context, self->series[s]->name, FALSE));
    pango_layout_get_pixel_size (labels->pdata[s], &widths[s], &height);
  }
  share = share_legend (layout->plot.size.width - (float) self->n_series * (SWATCH + 3 * GAP),
                        widths, self->n_series);
  for (gsize s = 0; s < self->n_series; s++) {
    PangoLayout *label = labels->pdata[s];
    int width;

    if ((float) widths[s] > share) {
      pango_layout_set_ellipsize (label, PANGO_ELLIPSIZE_MIDDLE);
      pango_layout_set_width (label, (int) MAX (share, 1.f) * PANGO_SCALE);
    }
    pango_layout_get_pixel_size (label, &width, &height);
    laurel_draw_fill (snapshot, &palette->series[self->series[s]->colour % LAUREL_N_SERIES_COLOURS],
                      x, roundf ((float) height / 2) - 1, SWATCH, 3);
    laurel_draw_text (snapshot, label, x + SWATCH + GAP, 0, &palette->text);
    x += SWATCH + 3 * GAP + (float) width;
  }
}

static void
draw_nothing (GtkSnapshot *snapshot, const LaurelPalette *palette, PangoContext *context,
              graphene_size_t size)
{
  g_autoptr (PangoLayout) label = laurel_draw_make_text (context, _("No values yet"), FALSE);
  int width, height;

  pango_layout_get_pixel_size (label, &width, &height);
  laurel_draw_text (snapshot, label, (size.width - (float) width) / 2,
                    (size.height - (float) height) / 2, &palette->dim_text);
}

void
laurel_chart_draw (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelPalette *palette,
                   PangoContext *context, graphene_size_t size)
{
  LaurelChartLayout layout;
  cairo_t *cr;

  if (size.width < 40 || size.height < 40)
    return;
  laurel_chart_measure (self, context, size, &layout);
  if (self->legend)
    draw_legend (snapshot, self, &layout, palette, context);
  if (layout.is_empty) {
    draw_nothing (snapshot, palette, context, size);
    return;
  }
  laurel_draw_y_axis (snapshot, &layout.y, &layout.plot, palette, context);
  laurel_draw_x_axis (snapshot, &layout.x, &layout.plot, palette, context, size);
  /* Room for half a line's width around the plot. */
  cr = gtk_snapshot_append_cairo (snapshot,
                                  &GRAPHENE_RECT_INIT (floorf (layout.plot.origin.x) - 2,
                                                       floorf (layout.plot.origin.y) - 2,
                                                       ceilf (layout.plot.size.width) + 4,
                                                       ceilf (layout.plot.size.height) + 4));
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  if (has_band (self))
    draw_band (cr, self, &layout, palette);
  if (is_drawable (self, self->reference))
    draw_reference (cr, self, &layout, palette);
  draw_series (cr, self, &layout, palette);
  cairo_destroy (cr);
}

/* The span of the point nearest to @x, NULL where the series has none. */
static const LaurelSpan *
find_span (const LaurelSeries *series, double x)
{
  const LaurelPoint *point = laurel_series_find (series, x);

  if (series->spans == NULL || point == NULL)
    return NULL;
  return &g_array_index (series->spans, LaurelSpan,
                         (guint) (point - (const LaurelPoint *) (gpointer) series->points->data));
}

static char *
describe_cursor (const LaurelChart *self, double x)
{
  const LaurelSpan *span = self->n_series > 0 ? find_span (self->series[0], x) : NULL;

  if (span != NULL)
    return g_strdup (span->name);
  if (self->x_kind == LAUREL_SCALE_TIME)
    return laurel_format_seconds (x);
  if (self->x_kind == LAUREL_SCALE_INTEGER)
    return g_strdup_printf ("%.0f", x);
  return laurel_format_value (x);
}

/* “1.32”, “1.32 [1.28, 1.36]”. */
static char *
describe_value (const LaurelSeries *series, double x)
{
  const LaurelPoint *point = laurel_series_find (series, x);
  const LaurelSpan *span = find_span (series, x);
  g_autofree char *value = laurel_format_value (point != NULL ? point->y : NAN);
  g_autofree char *low = laurel_format_value (span != NULL ? span->low : NAN);
  g_autofree char *high = laurel_format_value (span != NULL ? span->high : NAN);

  if (span == NULL || isnan (span->low))
    return g_steal_pointer (&value);
  /* Translators: a value and its 95 % interval. */
  return g_strdup_printf (_("%s [%s, %s]"), value, low, high);
}

/* Lines “━ 1.32 name”, under a bold first line with x; returns the box's size. */
static graphene_size_t
draw_values (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelPalette *palette,
             PangoContext *context, double x, gboolean is_dry)
{
  g_autofree char *head = describe_cursor (self, x);
  g_autoptr (PangoLayout) title = laurel_draw_make_text (context, head, TRUE);
  float wide;
  int width, height;
  float y = GAP;

  pango_layout_get_pixel_size (title, &width, &height);
  wide = (float) width;
  if (!is_dry)
    laurel_draw_text (snapshot, title, GAP, y, &palette->text);
  y += (float) height;
  for (gsize s = 0; s < self->n_series; s++) {
    g_autofree char *value = describe_value (self->series[s], x);
    g_autofree char *text = self->n_series > 1
                            ? g_strdup_printf ("%s  %s", value, self->series[s]->name)
                                               : g_strdup (value);
    g_autoptr (PangoLayout) label = laurel_draw_make_text (context, text, FALSE);

    pango_layout_get_pixel_size (label, &width, &height);
    if (width > VALUE_WIDTH) { /* a long name gives way in its middle; the value is in front */
      pango_layout_set_ellipsize (label, PANGO_ELLIPSIZE_MIDDLE);
      pango_layout_set_width (label, VALUE_WIDTH * PANGO_SCALE);
      pango_layout_get_pixel_size (label, &width, &height);
    }
    wide = MAX (wide, (float) width + SWATCH + GAP);
    if (!is_dry) {
      laurel_draw_fill (snapshot,
                        &palette->series[self->series[s]->colour % LAUREL_N_SERIES_COLOURS], GAP,
                        y + roundf ((float) height / 2) - 1, SWATCH, 3);
      laurel_draw_text (snapshot, label, GAP + SWATCH + GAP, y, &palette->text);
    }
    y += (float) height;
  }
  return GRAPHENE_SIZE_INIT (wide + 2 * GAP, y + GAP);
}

static void
draw_value_box (GtkSnapshot *snapshot, const LaurelChart *self, const LaurelChartLayout *layout,
                const LaurelPalette *palette, PangoContext *context, graphene_size_t size, double x)
{
  graphene_size_t box = draw_values (snapshot, self, palette, context, x, TRUE);
  float line_x = to_x (layout, x);
  float left = line_x + 2 * GAP;
  GskRoundedRect outline;

  if (left + box.width > size.width)
    left = line_x - 2 * GAP - box.width;
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (roundf (MAX (left, 0)),
                                                          layout->plot.origin.y));
  gsk_rounded_rect_init_from_rect (&outline, &GRAPHENE_RECT_INIT (0, 0, box.width, box.height), 6);
  gtk_snapshot_push_rounded_clip (snapshot, &outline);
  laurel_draw_fill (snapshot, &palette->surface, 0, 0, box.width, box.height);
  gtk_snapshot_pop (snapshot);
  gtk_snapshot_append_border (snapshot, &outline, (float[4]) { 1, 1, 1, 1 },
                              (GdkRGBA[4]) { palette->grid, palette->grid, palette->grid,
                                             palette->grid });
  draw_values (snapshot, self, palette, context, x, FALSE);
  gtk_snapshot_restore (snapshot);
}

void
laurel_chart_draw_cursor (GtkSnapshot *snapshot, const LaurelChart *self,
                          const LaurelPalette *palette, PangoContext *context, graphene_size_t size,
                          double x)
{
  LaurelChartLayout layout;

  if (size.width < 40 || size.height < 40 || isnan (x))
    return;
  laurel_chart_measure (self, context, size, &layout);
  if (layout.is_empty || x < layout.x.min || x > layout.x.max)
    return;
  laurel_draw_fill (snapshot, &palette->cursor, roundf (to_x (&layout, x)), layout.plot.origin.y, 1,
                    layout.plot.size.height);
  for (gsize s = 0; s < self->n_series; s++) {
    const LaurelPoint *point = laurel_series_find (self->series[s], x);
    GskRoundedRect dot;

    if (point == NULL || !is_drawable (self, point->y))
      continue;
    gsk_rounded_rect_init_from_rect (&dot, &GRAPHENE_RECT_INIT (to_x (&layout, point->x) - 4,
                                                                to_y (&layout, point->y) - 4, 8, 8),
                                                                4);
    gtk_snapshot_push_rounded_clip (snapshot, &dot);
    gtk_snapshot_append_color (snapshot,
                               &palette->series[self->series[s]->colour % LAUREL_N_SERIES_COLOURS],
                               &dot.bounds);
    gtk_snapshot_pop (snapshot);
  }
  draw_value_box (snapshot, self, &layout, palette, context, size, x);
}

/* --- Words --------------------------------------------------------------- */

static void
summarize_series (const LaurelChart *self, const LaurelSeries *series, GString *out)
{
  double low = INFINITY, high = -INFINITY, first = NAN, last = NAN;
  int n = 0;

  for (guint i = 0; i < series->points->len; i++) {
    double y = g_array_index (series->points, LaurelPoint, i).y;

    if (!isfinite (y))
      continue;
    first = n == 0 ? y : first;
    last = y;
    low = MIN (low, y);
    high = MAX (high, y);
    n++;
  }
  if (n > 0) {
    g_autofree char *a = laurel_format_value (first);
    g_autofree char *b = laurel_format_value (last);
    g_autofree char *c = laurel_format_value (low);
    g_autofree char *d = laurel_format_value (high);

    /* Translators: name of a line in a chart, number of points, then four numbers. */
    g_string_append_printf (out, ngettext ("; %s: %d value, from %s to %s, lowest %s, highest %s",
                                           "; %s: %d values, from %s to %s, lowest %s, highest %s",
                                           n),
                            series->name, n, a, b, c, d);
  }
}

char *
laurel_chart_summarize (const LaurelChart *self, const char *title)
{
  GString *out = g_string_new (title);
  gsize length = out->len;

  for (gsize s = 0; s < self->n_series; s++)
    summarize_series (self, self->series[s], out);
  if (out->len == length)
    g_string_append (out, _("; no values yet"));
  return g_string_free (out, FALSE);
}

char *
laurel_chart_to_csv (const LaurelChart *self, const char *x_name, const char *y_name)
{
  GString *out = g_string_new ("series,");

  laurel_csv_append (out, x_name);
  g_string_append_c (out, ',');
  laurel_csv_append (out, y_name);
  g_string_append_c (out, '\n');
  for (gsize s = 0; s < self->n_series; s++) {
    GArray *points = self->series[s]->points;

    for (guint i = 0; i < points->len; i++) {
      const LaurelPoint *point = &g_array_index (points, LaurelPoint, i);
      char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE];

      laurel_csv_append (out, self->series[s]->name);
      g_string_append_printf (out, ",%s,%s\n", g_ascii_dtostr (x, sizeof x, point->x),
                              isnan (point->y) ? "" : g_ascii_dtostr (y, sizeof y, point->y));
    }
  }
  return g_string_free (out, FALSE);
}
