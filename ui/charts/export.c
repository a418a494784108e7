/* export.c: PNG, SVG and CSV of a chart, by the function that draws it on the screen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/export.h"

#include "core/base/error.h"
#include "core/base/file.h"

#include <cairo-svg.h>
#include <glib/gi18n.h>

#define WIDTH 800
#define HEIGHT 450
#define MARGIN 16
#define TITLE_HEIGHT 28

static GskRenderNode *
draw_page (const LaurelChart *chart, const char *title, PangoContext *context)
{
  const LaurelPalette *palette = laurel_palette_get (FALSE, FALSE);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (PangoLayout) layout = pango_layout_new (context);
  GdkRGBA paper = palette->surface;

  paper.alpha = 1;
  gtk_snapshot_append_color (snapshot, &paper, &GRAPHENE_RECT_INIT (0, 0, WIDTH, HEIGHT));
  pango_layout_set_text (layout, title, -1);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (MARGIN, MARGIN));
  gtk_snapshot_append_layout (snapshot, layout, &palette->text);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (0, TITLE_HEIGHT));
  laurel_chart_draw (snapshot, chart, palette, context,
                     GRAPHENE_SIZE_INIT (WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN - TITLE_HEIGHT));
  return gtk_snapshot_to_node (snapshot);
}

static cairo_status_t
append_bytes (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static GByteArray *
paint (GskRenderNode *node, gboolean is_svg)
{
  GByteArray *bytes = g_byte_array_new ();
  double scale = is_svg ? 1 : 2;
  cairo_surface_t *surface =
      is_svg ? cairo_svg_surface_create_for_stream (append_bytes, bytes, WIDTH, HEIGHT)
             : cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 2 * WIDTH, 2 * HEIGHT);
  cairo_t *cr = cairo_create (surface);

  cairo_scale (cr, scale, scale);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  if (!is_svg)
    cairo_surface_write_to_png_stream (surface, append_bytes, bytes);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  return bytes;
}

gboolean
laurel_chart_export (const LaurelChart *chart,
                     const char *title,
                     const char *x_name,
                     PangoContext *context,
                     const char *path,
                     GError **error)
{
  gboolean is_svg = g_str_has_suffix (path, ".svg");

  if (g_str_has_suffix (path, ".csv")) {
    g_autofree char *csv = laurel_chart_to_csv (chart, x_name, title);

    return laurel_file_write (path, csv, strlen (csv), error);
  }
  if (!is_svg && !g_str_has_suffix (path, ".png")) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 _("Could not export “%s”: the ending says neither PNG, SVG nor CSV; end the name "
                   "in .png, .svg or .csv"),
                    path);
    return FALSE;
  }
  g_autoptr (GskRenderNode) node = draw_page (chart, title, context);
  g_autoptr (GByteArray) bytes = paint (node, is_svg);

  return laurel_file_write (path, bytes->data, bytes->len, error);
}
