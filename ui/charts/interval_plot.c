/* interval_plot.c: names left, dots with whiskers between, shares and numbers right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/interval_plot.h"

#include <math.h>

#define GAP LAUREL_DRAW_GAP
#define DOT 8.f
#define WHISKER 2.f
/* Of the width, at most so much is for names. */
#define NAMES 0.36f

typedef struct {
  float line;   /* the height of a line of text */
  float row;    /* and of a row */
  float top;    /* where the rows begin */
  float names;  /* widths of the columns, gaps included */
  float shares;
  float numbers;
  graphene_rect_t plot;
  LaurelScale scale; /* percent */
} Layout;

static void
clear_row (gpointer data)
{
  g_free (((LaurelIntervalRow *) data)->name);
}

LaurelIntervalPlot *
laurel_interval_plot_new (const char *n_title)
{
  LaurelIntervalPlot *self = g_new0 (LaurelIntervalPlot, 1);

  self->rows = g_array_new (FALSE, FALSE, sizeof (LaurelIntervalRow));
  g_array_set_clear_func (self->rows, clear_row);
  self->lines[0] = self->lines[1] = NAN;
  self->n_title = g_strdup (n_title);
  return self;
}

void
laurel_interval_plot_free (LaurelIntervalPlot *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->rows);
  g_free (self->line_names[0]);
  g_free (self->line_names[1]);
  g_free (self->n_title);
  g_free (self);
}

void
laurel_interval_plot_add_heading (LaurelIntervalPlot *self, const char *name)
{
  LaurelIntervalRow row = { .name = g_strdup (name), .is_heading = TRUE };

  g_array_append_val (self->rows, row);
}

void
laurel_interval_plot_add (LaurelIntervalPlot *self, const char *name, double value, double low,
                          double high, int n)
{
  LaurelIntervalRow row = { g_strdup (name), FALSE, value, low, high, n };

  g_array_append_val (self->rows, row);
}

void
laurel_interval_plot_set_line (LaurelIntervalPlot *self, int line, double share, const char *name)
{
  g_return_if_fail (line >= 0 && line < 2);

  self->lines[line] = share;
  g_free (self->line_names[line]);
  self->line_names[line] = g_strdup (name);
}

/* --- Measuring --------------------------------------------------------------- */

static float
row_height (PangoContext *context)
{
  return roundf (1.5f * laurel_draw_measure_text (context, "0").height);
}

static int
count_line_names (const LaurelIntervalPlot *self)
{
  return !isnan (self->lines[0]) + !isnan (self->lines[1]);
}

float
laurel_interval_plot_measure (const LaurelIntervalPlot *self, PangoContext *context)
{
  float line = laurel_draw_measure_text (context, "0").height;

  return (float) count_line_names (self) * line + GAP
         + (float) self->rows->len * row_height (context) + line + 2 * GAP;
}

/* “68 % [63, 73]” without the interval where there is none. */
static char *
format_share (const LaurelIntervalRow *row)
{
  if (isnan (row->low) || isnan (row->high))
    return g_strdup_printf ("%.0f %%", 100 * row->value);
  return g_strdup_printf ("%.0f %% [%.0f, %.0f]", 100 * row->value, 100 * row->low,
                          100 * row->high);
}

static char *
format_number (const LaurelIntervalRow *row)
{
  return g_strdup_printf ("%d", row->n);
}

static float
measure_column (const LaurelIntervalPlot *self, PangoContext *context,
                char *(*format) (const LaurelIntervalRow *))
{
  float width = 0;

  for (guint i = 0; i < self->rows->len; i++) {
    const LaurelIntervalRow *row = &g_array_index (self->rows, LaurelIntervalRow, i);
    g_autofree char *text = row->is_heading ? g_strdup ("") : format (row);

    width = MAX (width, laurel_draw_measure_text (context, text).width);
  }
  return width;
}

static float
measure_names (const LaurelIntervalPlot *self, PangoContext *context)
{
  float width = 0;

  for (guint i = 0; i < self->rows->len; i++) {
    const LaurelIntervalRow *row = &g_array_index (self->rows, LaurelIntervalRow, i);

    if (!row->is_heading)
      width = MAX (width, laurel_draw_measure_text (context, row->name).width);
  }
  return width;
}

static void
measure (const LaurelIntervalPlot *self, PangoContext *context, graphene_size_t size, Layout *out)
{
  double low = 0.4, high = 0.6; /* an even share and what is beside it, at least */

  for (guint i = 0; i < self->rows->len; i++) {
    const LaurelIntervalRow *row = &g_array_index (self->rows, LaurelIntervalRow, i);

    if (row->is_heading)
      continue;
    low = MIN (low, isnan (row->low) ? row->value : row->low);
    high = MAX (high, isnan (row->high) ? row->value : row->high);
  }
  for (guint i = 0; i < G_N_ELEMENTS (self->lines); i++)
    high = fmax (high, self->lines[i]); /* not a NaN */
  out->line = laurel_draw_measure_text (context, "0").height;
  out->row = row_height (context);
  out->top = (float) count_line_names (self) * out->line + GAP;
  out->names = MIN (measure_names (self, context) + 4 * GAP, NAMES * size.width);
  out->shares = measure_column (self, context, format_share) + 2 * GAP;
  out->numbers = MAX (measure_column (self, context, format_number),
                      laurel_draw_measure_text (context, self->n_title).width)
                 + 2 * GAP;
  out->plot = GRAPHENE_RECT_INIT (
      out->names, out->top,
      MAX (size.width - out->names - out->shares - out->numbers - GAP, 20.f),
      (float) self->rows->len * out->row);
  laurel_scale_init (&out->scale, LAUREL_SCALE_LINEAR, 100 * floor (10 * low) / 10,
                     100 * MIN (ceil (10 * high - 1e-9) / 10, 1),
                     CLAMP ((int) (out->plot.size.width / (4 * out->line)) + 1, 2, 8), FALSE);
}

static float
to_x (const Layout *layout, double share)
{
  double unit = CLAMP (laurel_scale_to_unit (&layout->scale, 100 * share), 0, 1);

  return layout->plot.origin.x + (float) unit * layout->plot.size.width;
}

/* --- Drawing ------------------------------------------------------------------- */

static void
draw_lines (GtkSnapshot *snapshot, const LaurelIntervalPlot *self, const Layout *layout,
            const LaurelPalette *palette, PangoContext *context)
{
  const double dashes[] = { 4, 4 };
  float y = 0;

  for (int i = 0; i < 2; i++) {
    g_autoptr (PangoLayout) name = NULL;
    cairo_t *cr;
    int width, height;
    float x;

    if (isnan (self->lines[i]))
      continue;
    x = to_x (layout, self->lines[i]);
    name = laurel_draw_make_text (context, self->line_names[i], FALSE);
    pango_layout_get_pixel_size (name, &width, &height);
    laurel_draw_text (snapshot, name,
                      CLAMP (x - (float) width / 2, 0,
                             layout->plot.origin.x + layout->plot.size.width - (float) width),
                      y, &palette->dim_text);
    y += (float) height;
    cr = gtk_snapshot_append_cairo (
        snapshot, &GRAPHENE_RECT_INIT (x - 2, y, 4,
                                       layout->top + layout->plot.size.height - y));
    cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
    cairo_set_line_width (cr, 1);
    gdk_cairo_set_source_rgba (cr, &palette->reference);
    cairo_move_to (cr, roundf (x) + .5f, y);
    cairo_line_to (cr, roundf (x) + .5f, layout->top + layout->plot.size.height);
    cairo_stroke (cr);
    cairo_destroy (cr);
  }
}

static void
draw_cell (GtkSnapshot *snapshot, PangoContext *context, const char *text, float right, float y,
           float row, const GdkRGBA *colour)
{
  g_autoptr (PangoLayout) label = laurel_draw_make_text (context, text, FALSE);
  int width, height;

  pango_layout_get_pixel_size (label, &width, &height);
  laurel_draw_text (snapshot, label, right - (float) width, y + (row - (float) height) / 2,
                    colour);
}

static void
draw_name (GtkSnapshot *snapshot, const Layout *layout, const LaurelIntervalRow *row, float y,
           const LaurelPalette *palette, PangoContext *context, graphene_size_t size)
{
  g_autoptr (PangoLayout) label = laurel_draw_make_text (context, row->name, row->is_heading);
  float room = row->is_heading ? size.width : layout->names - 3 * GAP;
  int width, height;

  pango_layout_set_ellipsize (label, PANGO_ELLIPSIZE_END);
  pango_layout_set_width (label, (int) room * PANGO_SCALE);
  pango_layout_get_pixel_size (label, &width, &height);
  laurel_draw_text (snapshot, label, row->is_heading ? 0 : GAP,
                    y + (layout->row - (float) height) / 2, &palette->text);
}

static void
draw_interval (GtkSnapshot *snapshot, const Layout *layout, const LaurelIntervalRow *row, float y,
               const LaurelPalette *palette)
{
  float middle = y + layout->row / 2, x = to_x (layout, row->value);
  GskRoundedRect dot;

  if (!isnan (row->low) && !isnan (row->high)) {
    float left = to_x (layout, row->low), right = to_x (layout, row->high);

    laurel_draw_fill (snapshot, &palette->series[0], left, roundf (middle - WHISKER / 2),
                      MAX (right - left, 1.f), WHISKER);
  }
  gsk_rounded_rect_init_from_rect (
      &dot, &GRAPHENE_RECT_INIT (x - DOT / 2, middle - DOT / 2, DOT, DOT), DOT / 2);
  gtk_snapshot_push_rounded_clip (snapshot, &dot);
  gtk_snapshot_append_color (snapshot, &palette->series[0], &dot.bounds);
  gtk_snapshot_pop (snapshot);
}

void
laurel_interval_plot_draw (GtkSnapshot *snapshot, const LaurelIntervalPlot *self,
                           const LaurelPalette *palette, PangoContext *context,
                           graphene_size_t size)
{
  Layout layout;

  if (size.width < 120 || size.height < 40)
    return;
  measure (self, context, size, &layout);
  laurel_draw_x_axis (snapshot, &layout.scale, &layout.plot, palette, context, size);
  draw_lines (snapshot, self, &layout, palette, context);
  draw_cell (snapshot, context, self->n_title, size.width, layout.top - layout.line, layout.line,
             &palette->dim_text);
  for (guint i = 0; i < self->rows->len; i++) {
    const LaurelIntervalRow *row = &g_array_index (self->rows, LaurelIntervalRow, i);
    float y = layout.top + (float) i * layout.row;
    g_autofree char *share = row->is_heading ? NULL : format_share (row);
    g_autofree char *number = row->is_heading ? NULL : format_number (row);

    draw_name (snapshot, &layout, row, y, palette, context, size);
    if (row->is_heading)
      continue;
    draw_interval (snapshot, &layout, row, y, palette);
    draw_cell (snapshot, context, share, size.width - layout.numbers, y, layout.row,
               &palette->text);
    draw_cell (snapshot, context, number, size.width, y, layout.row, &palette->dim_text);
  }
}
