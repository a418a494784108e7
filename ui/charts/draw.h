/* draw.h: the strokes and texts that all drawings share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "ui/charts/palette.h"
#include "ui/charts/scale.h"

G_BEGIN_DECLS

/* Between a text and what it belongs to, in pixels. */
#define LAUREL_DRAW_GAP 6.f

/* A little smaller than the page's text, digits of one width. */
PangoLayout *laurel_draw_make_text (PangoContext *context, const char *text, gboolean is_bold) G_GNUC_WARN_UNUSED_RESULT;
graphene_size_t laurel_draw_measure_text (PangoContext *context, const char *text);
/* With its top left corner at @x, @y, on whole pixels. */
void laurel_draw_text (GtkSnapshot *snapshot, PangoLayout *layout, float x, float y, const GdkRGBA *colour);
void laurel_draw_fill (GtkSnapshot *snapshot, const GdkRGBA *colour, float x, float y, float width, float height);

/* Ticks and their labels, and a line over the plot at each of y's. Labels of x that would run into each other are left
 * out. @size: of the whole drawing. */
void laurel_draw_x_axis (GtkSnapshot *snapshot, const LaurelScale *scale, const graphene_rect_t *plot, const LaurelPalette *palette, PangoContext *context, graphene_size_t size);
void laurel_draw_y_axis (GtkSnapshot *snapshot, const LaurelScale *scale, const graphene_rect_t *plot, const LaurelPalette *palette, PangoContext *context);
/* The width of the widest label of a tick. */
float laurel_draw_measure_ticks (const LaurelScale *scale, PangoContext *context);

G_END_DECLS
