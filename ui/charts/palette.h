/* palette.h: the one home of colours that are drawn by hand.
 *
 * Series colours keep 3:1 against their background and differ in lightness as
 * well as in hue, so that they can be told apart with any colour vision.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gdk/gdk.h>

G_BEGIN_DECLS

#define LAUREL_N_SERIES_COLOURS 8

typedef struct {
  GdkRGBA series[LAUREL_N_SERIES_COLOURS];
  GdkRGBA text;
  GdkRGBA dim_text;
  GdkRGBA grid;
  GdkRGBA axis;
  GdkRGBA reference; /* reference lines such as ratio 1.00 */
  GdkRGBA cursor;
  GdkRGBA surface; /* behind value labels */
  GdkRGBA selection;
  GdkRGBA negative; /* the two ends of the diverging scale; its middle is clear */
  GdkRGBA positive;
  double raw_alpha; /* of the unsmoothed line behind the smoothed one */
} LaurelPalette;

const LaurelPalette *laurel_palette_get (gboolean dark, gboolean high_contrast);

/* The colour of @value on the diverging scale: −1 is negative, 0 clear, +1 positive; outside is
 * clamped, NaN is clear. The result is laid over the page's own background. */
void laurel_palette_diverge (const LaurelPalette *palette, double value, GdkRGBA *out_colour);

G_END_DECLS
