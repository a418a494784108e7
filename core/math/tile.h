/* tile.h: the one inner loop that all matrix products run on.
 *
 * A tile is up to LAUREL_TILE_ROWS rows of a times a panel of b: c (m, 32) += a (m, K) · b (K, 32).
 * Every element of c is one chain of multiply-adds over k = 0 … K − 1, begun with what c holds, so
 * its bits depend neither on m, nor on how a caller cuts rows, columns or K, nor on threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LAUREL_TILE_ROWS 12
#define LAUREL_PANEL 32 /* columns of b side by side in memory */

/* Bytes of a panel that are on their way: memory's latency at its speed. */
#define LAUREL_FETCH_AHEAD 3072

/* Floats between rows of a width that is a power of two, which keep them out of each other's cache sets. */
#define LAUREL_ROW_PADDING 16

/* @n columns, in whole panels. */
static inline int
laurel_round_to_panels (int n)
{
  return (n + LAUREL_PANEL - 1) / LAUREL_PANEL * LAUREL_PANEL;
}

/* What a tile has on its way from memory meanwhile: a cache line or two from @at + k · step at each k. */
typedef struct {
  const void *at;
  gsize step; /* bytes */
} LaurelFetch;

/* The panel's own rows. */
static inline LaurelFetch
laurel_fetch_ahead (const float *b)
{
  return (LaurelFetch) { (const char *) b + LAUREL_FETCH_AHEAD, LAUREL_PANEL * sizeof *b };
}

/* a[i, k] is a[i · row_stride + k]; b[k, j] is b[k · 32 + j]; all 32 columns of c are written.
 * @from_zero: c begins as 0, whatever it holds. */
typedef void (*LaurelTileRows) (const float *a, gsize row_stride, const float *b, int K, float *c, gsize ldc, gboolean from_zero, LaurelFetch fetch);
/* The same with a[i, k] at a[k · k_stride + i]. */
typedef void (*LaurelTileColumns) (const float *a, gsize k_stride, const float *b, int K, float *c, gsize ldc, gboolean from_zero, LaurelFetch fetch);
/* b of bfloat16: b[k, j] and b[k, j + 16] are b[k · 32 + 2 j] and the one after it, so that the halves of a
 * word widen to two numbers by a shift and a mask. */
typedef void (*LaurelTileBf16) (const float *a, gsize row_stride, const guint16 *b, int K, float *c, gsize ldc, gboolean from_zero, LaurelFetch fetch);

/* One instruction set's kernels, by number of rows; [0] is NULL. */
typedef struct {
  const char *name;
  gboolean one_pass; /* a tile's sums fit the registers: a is read once */
  LaurelTileRows rows[LAUREL_TILE_ROWS + 1];
  LaurelTileColumns columns[LAUREL_TILE_ROWS + 1];
  LaurelTileBf16 bf16[LAUREL_TILE_ROWS + 1];
} LaurelTileSet;

/* The best set that this processor runs. LAUREL_SIMD=avx512|avx2|plain asks for a lesser one. */
const LaurelTileSet *laurel_tile_set (void);

G_END_DECLS
