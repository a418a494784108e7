/* tile_kernel.h: tile.h's kernels for one instruction set. The file that
 * includes it defines WIDTH (floats in a vector), SUB_ROWS (rows whose sums
 * stay in registers) and SET (the name of the LaurelTileSet to define).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile.h"

#include <string.h>

typedef float Vector __attribute__ ((vector_size (4 * WIDTH)));
typedef float LooseVector __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));
typedef guint16 HalfWords __attribute__ ((vector_size (2 * WIDTH), aligned (2), may_alias));
typedef guint32 Words __attribute__ ((vector_size (4 * WIDTH)));

#define COLUMNS (2 * WIDTH)
/* How far ahead a panel is fetched: 24 rows are 3 KiB, about what memory delivers in its latency. */
#define AHEAD 24

#define COLUMN_AHEAD 12

#define INLINE static inline __attribute__ ((always_inline))

INLINE Vector
load (const float *p)
{
  return *(const LooseVector *) p;
}

INLINE void
store (float *p, Vector v)
{
  *(LooseVector *) p = v;
}

INLINE Vector
widen (const guint16 *p)
{
  return (Vector) (__builtin_convertvector (*(const HalfWords *) p, Words) << 16);
}

/* @m is a constant wherever this is inlined, so that sums live in registers. */
INLINE void
multiply (const int m, const float *a, gsize row_stride, gsize k_stride, const float *b,
          const guint16 *half_b, int K, float *c, gsize ldc, gboolean from_zero)
{
  Vector sums[SUB_ROWS][2];

#pragma GCC unroll 12
  for (int i = 0; i < m; i++) {
    sums[i][0] = from_zero ? (Vector) { 0 } : load (c + i * ldc);
    sums[i][1] = from_zero ? (Vector) { 0 } : load (c + i * ldc + WIDTH);
  }
  for (int k = 0; k < K; k++) {
    Vector b0, b1;

    if (half_b != NULL) {
      b0 = widen (half_b + (gsize) k * LAUREL_PANEL);
      b1 = widen (half_b + (gsize) k * LAUREL_PANEL + WIDTH);
      __builtin_prefetch (half_b + (gsize) (k + 2 * AHEAD) * LAUREL_PANEL);
    } else {
      b0 = load (b + (gsize) k * LAUREL_PANEL);
      b1 = load (b + (gsize) k * LAUREL_PANEL + WIDTH);
      __builtin_prefetch (b + (gsize) (k + AHEAD) * LAUREL_PANEL);
      if (COLUMNS > 16)
        __builtin_prefetch (b + (gsize) (k + AHEAD) * LAUREL_PANEL + 16);
    }
    if (row_stride == 1) /* columns of a stand pages apart */
      __builtin_prefetch (a + (k + COLUMN_AHEAD) * k_stride);
#pragma GCC unroll 12
    for (int i = 0; i < m; i++) {
      float x = a[i * row_stride + k * k_stride];

      sums[i][0] += x * b0;
      sums[i][1] += x * b1;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < m; i++) {
    store (c + i * ldc, sums[i][0]);
    store (c + i * ldc + WIDTH, sums[i][1]);
  }
}

/* A whole tile: as many pieces of SUB_ROWS × COLUMNS as it takes. */
INLINE void
tile (const int m, const float *a, gsize row_stride, gsize k_stride, const float *b,
      const guint16 *half_b, int K, float *c, gsize ldc, gboolean from_zero)
{
#pragma GCC unroll 8
  for (int j = 0; j < LAUREL_PANEL; j += COLUMNS) {
    const float *part = b != NULL ? b + j : NULL;
    const guint16 *half = half_b != NULL ? half_b + j : NULL;

    if (m > SUB_ROWS) {
      multiply (SUB_ROWS, a, row_stride, k_stride, part, half, K, c + j, ldc, from_zero);
      multiply (m > SUB_ROWS ? m - SUB_ROWS : 1, a + SUB_ROWS * row_stride, row_stride, k_stride,
                part, half, K, c + SUB_ROWS * ldc + j, ldc, from_zero);
    } else {
      multiply (m < SUB_ROWS ? m : SUB_ROWS, a, row_stride, k_stride, part, half, K, c + j, ldc,
                from_zero);
    }
  }
}

#define DEFINE(m)                                                                                  \
  static void rows_##m (const float *a, gsize stride, const float *b, int K, float *c, gsize ldc,  \
                        gboolean from_zero)                                                        \
  {                                                                                                \
    tile (m, a, stride, 1, b, NULL, K, c, ldc, from_zero);                                         \
  }                                                                                                \
  static void columns_##m (const float *a, gsize stride, const float *b, int K, float *c,          \
                           gsize ldc, gboolean from_zero)                                          \
  {                                                                                                \
    tile (m, a, 1, stride, b, NULL, K, c, ldc, from_zero);                                         \
  }                                                                                                \
  static void bf16_##m (const float *a, gsize stride, const guint16 *b, int K, float *c,           \
                        gsize ldc, gboolean from_zero)                                             \
  {                                                                                                \
    tile (m, a, stride, 1, NULL, b, K, c, ldc, from_zero);                                         \
  }

DEFINE (1)
DEFINE (2)
DEFINE (3)
DEFINE (4)
DEFINE (5)
DEFINE (6)
DEFINE (7)
DEFINE (8)
DEFINE (9)
DEFINE (10)
DEFINE (11)
DEFINE (12)

#define LIST(kind)                                                                                 \
  { NULL, kind##_1, kind##_2, kind##_3, kind##_4, kind##_5, kind##_6, kind##_7, kind##_8,          \
    kind##_9, kind##_10, kind##_11, kind##_12 }

const LaurelTileSet SET = { SET_NAME, LIST (rows), LIST (columns), LIST (bf16) };
