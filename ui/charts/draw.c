/* draw.c: texts, boxes and axes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/draw.h"

#include <math.h>

#define GAP LAUREL_DRAW_GAP

PangoLayout *
laurel_draw_make_text (PangoContext *context, const char *text, gboolean is_bold)
{
  PangoLayout *layout = pango_layout_new (context);
  PangoAttrList *attributes = pango_attr_list_new ();
  const PangoFontDescription *font = pango_context_get_font_description (context);
  int size = font != NULL ? pango_font_description_get_size (font) : 0;

  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  if (is_bold)
    pango_attr_list_insert (attributes, pango_attr_weight_new (PANGO_WEIGHT_BOLD));
  if (size > 0 && !pango_font_description_get_size_is_absolute (font))
    pango_attr_list_insert (attributes, pango_attr_size_new (size * 82 / 100));
  pango_layout_set_attributes (layout, attributes);
  pango_attr_list_unref (attributes);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

graphene_size_t
laurel_draw_measure_text (PangoContext *context, const char *text)
{
  g_autoptr (PangoLayout) layout = laurel_draw_make_text (context, text, FALSE);
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  return GRAPHENE_SIZE_INIT ((float) width, (float) height);
}

void
laurel_draw_text (GtkSnapshot *snapshot, PangoLayout *layout, float x, float y,
                  const GdkRGBA *colour)
{
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (roundf (x), roundf (y)));
  gtk_snapshot_append_layout (snapshot, layout, colour);
  gtk_snapshot_restore (snapshot);
}

void
laurel_draw_fill (GtkSnapshot *snapshot, const GdkRGBA *colour, float x, float y, float width,
                  float height)
{
  gtk_snapshot_append_color (snapshot, colour, &GRAPHENE_RECT_INIT (x, y, width, height));
}

float
laurel_draw_measure_ticks (const LaurelScale *scale, PangoContext *context)
{
  float width = 0;

  for (int i = 0; i < scale->n_ticks; i++) {
    g_autofree char *text = laurel_scale_format_tick (scale, scale->ticks[i]);

    width = MAX (width, laurel_draw_measure_text (context, text).width);
  }
  return width;
}

void
laurel_draw_y_axis (GtkSnapshot *snapshot, const LaurelScale *scale, const graphene_rect_t *plot,
                    const LaurelPalette *palette, PangoContext *context)
{
  for (int i = 0; i < scale->n_ticks; i++) {
    g_autofree char *text = laurel_scale_format_tick (scale, scale->ticks[i]);
    g_autoptr (PangoLayout) label = laurel_draw_make_text (context, text, FALSE);
    double unit = laurel_scale_to_unit (scale, scale->ticks[i]);
    float y = roundf (plot->origin.y + (float) (1 - unit) * plot->size.height);
    int width, height;

    pango_layout_get_pixel_size (label, &width, &height);
    laurel_draw_fill (snapshot, &palette->grid, plot->origin.x, y, plot->size.width, 1);
    laurel_draw_text (snapshot, label, plot->origin.x - GAP - (float) width,
                      y - (float) height / 2, &palette->dim_text);
  }
}

void
laurel_draw_x_axis (GtkSnapshot *snapshot, const LaurelScale *scale, const graphene_rect_t *plot,
                    const LaurelPalette *palette, PangoContext *context, graphene_size_t size)
{
  float bottom = plot->origin.y + plot->size.height;
  float last_end = -1;

  laurel_draw_fill (snapshot, &palette->axis, plot->origin.x, bottom, plot->size.width, 1);
  for (int i = 0; i < scale->n_ticks; i++) {
    g_autofree char *text = laurel_scale_format_tick (scale, scale->ticks[i]);
    g_autoptr (PangoLayout) label = laurel_draw_make_text (context, text, FALSE);
    double unit = laurel_scale_to_unit (scale, scale->ticks[i]);
    float x = plot->origin.x + (float) unit * plot->size.width;
    int width, height;
    float start;

    pango_layout_get_pixel_size (label, &width, &height);
    start = CLAMP (x - (float) width / 2, 0, size.width - (float) width);
    laurel_draw_fill (snapshot, &palette->axis, roundf (x), bottom, 1, 4);
    if (start < last_end + GAP)
      continue; /* would run into its neighbour */
    laurel_draw_text (snapshot, label, start, bottom + GAP - 1, &palette->dim_text);
    last_end = start + (float) width;
  }
}
