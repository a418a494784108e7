/* palette.c: light, dark and high-contrast colours of charts and heat strips.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/palette.h"

#include <math.h>

#define CHANNEL(hex, shift) (((hex) >> (shift) & 0xff) / 255.f)
#define RGBA(hex, alpha) { CHANNEL (hex, 16), CHANNEL (hex, 8), CHANNEL (hex, 0), alpha }
#define RGB(hex) RGBA (hex, 1.f)

static const LaurelPalette light = {
  .series = { RGB (0x0069a8), RGB (0xc95500), RGB (0x007a5a), RGB (0xa23b7b),
              RGB (0x7c6400), RGB (0x5b4bb3), RGB (0x30859c), RGB (0x555555) },
  .text = RGBA (0x000000, .80f),
  .dim_text = RGBA (0x000000, .58f),
  .grid = RGBA (0x000000, .09f),
  .axis = RGBA (0x000000, .30f),
  .reference = RGBA (0x000000, .55f),
  .cursor = RGBA (0x000000, .45f),
  .surface = RGBA (0xffffff, .94f),
  .selection = RGB (0x1c71d8),
  .negative = RGB (0xd9730d),
  .positive = RGB (0x2a7fd4),
  .raw_alpha = .28,
};

static const LaurelPalette dark = {
  .series = { RGB (0x62b6ee), RGB (0xf2a03d), RGB (0x3fcba0), RGB (0xe997c4),
              RGB (0xe3d55a), RGB (0xb1a6f5), RGB (0x7fd5e6), RGB (0xbdbdbd) },
  .text = RGBA (0xffffff, .90f),
  .dim_text = RGBA (0xffffff, .62f),
  .grid = RGBA (0xffffff, .09f),
  .axis = RGBA (0xffffff, .32f),
  .reference = RGBA (0xffffff, .60f),
  .cursor = RGBA (0xffffff, .50f),
  .surface = RGBA (0x2e2e2e, .95f),
  .selection = RGB (0x78aeed),
  .negative = RGB (0xe8853a),
  .positive = RGB (0x4c9be8),
  .raw_alpha = .30,
};

static const LaurelPalette light_contrast = {
  .series = { RGB (0x00497a), RGB (0x943d00), RGB (0x00573f), RGB (0x7d1f5b),
              RGB (0x574600), RGB (0x3f2f94), RGB (0x0f5a6e), RGB (0x333333) },
  .text = RGB (0x000000),
  .dim_text = RGBA (0x000000, .85f),
  .grid = RGBA (0x000000, .25f),
  .axis = RGBA (0x000000, .80f),
  .reference = RGB (0x000000),
  .cursor = RGB (0x000000),
  .surface = RGB (0xffffff),
  .selection = RGB (0x0d3f80),
  .negative = RGB (0xe06c00),
  .positive = RGB (0x1a73d9),
  .raw_alpha = .45,
};

static const LaurelPalette dark_contrast = {
  .series = { RGB (0x8fd0ff), RGB (0xffba66), RGB (0x6ff0c7), RGB (0xffb8de),
              RGB (0xfff07a), RGB (0xcfc7ff), RGB (0xa8ecf9), RGB (0xffffff) },
  .text = RGB (0xffffff),
  .dim_text = RGBA (0xffffff, .88f),
  .grid = RGBA (0xffffff, .28f),
  .axis = RGBA (0xffffff, .85f),
  .reference = RGB (0xffffff),
  .cursor = RGB (0xffffff),
  .surface = RGB (0x000000),
  .selection = RGB (0xa8ccff),
  .negative = RGB (0xf08a2c),
  .positive = RGB (0x4ba3ff),
  .raw_alpha = .45,
};

const LaurelPalette *
laurel_palette_get (gboolean is_dark, gboolean high_contrast)
{
  if (high_contrast)
    return is_dark ? &dark_contrast : &light_contrast;
  return is_dark ? &dark : &light;
}

void
laurel_palette_diverge (const LaurelPalette *palette, double value, GdkRGBA *out_colour)
{
  double strength = isnan (value) ? 0 : CLAMP (value, -1, 1);

  *out_colour = strength < 0 ? palette->negative : palette->positive;
  /* 0.75 at the ends keeps the token's text readable on its colour. */
  out_colour->alpha = (float) (.75 * fabs (strength));
}
