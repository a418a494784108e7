/* tile_kernel.h: tile.h's kernels for one instruction set. The file that
 * includes it defines WIDTH (floats in a vector), SUB_ROWS (rows whose sums
 * stay in registers) and SET (the name of the LaurelTileSet to define).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile.h"

#include <string.h>

typedef float Vector __attribute__ ((vector_size (4 * WIDTH)));
typedef float LooseVector __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));
typedef guint32 Words __attribute__ ((vector_size (4 * WIDTH)));
typedef guint32 LooseWords __attribute__ ((vector_size (4 * WIDTH), aligned (2), may_alias));

/* A piece of a tile takes two vectors of columns this far apart. */
#define HALF_PANEL (LAUREL_PANEL / 2)
/* How many rows ahead columns of a are fetched, which stand pages apart. */
#define COLUMN_AHEAD 12

typedef enum { ROWS, COLUMNS, BF16 } Kind;

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

/* @kind and @m are constants wherever this is inlined, so that sums live in registers. */
INLINE void
multiply (const Kind kind, const int m, const float *a, gsize stride, const void *b, int K,
          float *c, gsize ldc, gboolean from_zero, LaurelFetch fetch)
{
  const gsize row_stride = kind == COLUMNS ? 1 : stride, k_stride = kind == COLUMNS ? stride : 1;
  const float *floats = b;
  const guint16 *halves = b;
  const char *fetched = fetch.at;
  Vector sums[SUB_ROWS][2];

#pragma GCC unroll 12
  for (int i = 0; i < m; i++) {
    sums[i][0] = from_zero ? (Vector) { 0 } : load (c + i * ldc);
    sums[i][1] = from_zero ? (Vector) { 0 } : load (c + i * ldc + HALF_PANEL);
  }
  for (int k = 0; k < K; k++) {
    Vector b0, b1;

    if (kind == BF16) {
      const Words words = *(const LooseWords *) (halves + (gsize) k * LAUREL_PANEL);

      b0 = (Vector) (words << 16);
      b1 = (Vector) (words & 0xffff0000u);
      __builtin_prefetch (fetched);
    } else {
      b0 = load (floats + (gsize) k * LAUREL_PANEL);
      b1 = load (floats + (gsize) k * LAUREL_PANEL + HALF_PANEL);
      __builtin_prefetch (fetched);
      __builtin_prefetch (fetched + 64);
    }
    fetched += fetch.step;
    if (kind == COLUMNS)
      __builtin_prefetch (a + (gsize) (k + COLUMN_AHEAD) * k_stride);
#pragma GCC unroll 12
    for (int i = 0; i < m; i++) {
      float x = a[i * row_stride + (gsize) k * k_stride];

      sums[i][0] += x * b0;
      sums[i][1] += x * b1;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < m; i++) {
    store (c + i * ldc, sums[i][0]);
    store (c + i * ldc + HALF_PANEL, sums[i][1]);
  }
}

/* A whole tile: as many pieces of SUB_ROWS rows and two vectors of columns as it takes. */
INLINE void
tile (const Kind kind, const int m, const float *a, gsize stride, const void *b, int K, float *c,
      gsize ldc, gboolean from_zero, LaurelFetch fetch)
{
  const gsize row_stride = kind == COLUMNS ? 1 : stride;

#pragma GCC unroll 4
  for (int j = 0; j < HALF_PANEL; j += WIDTH) {
    const void *part = kind == BF16 ? (const void *) ((const guint16 *) b + 2 * j)
                                    : (const void *) ((const float *) b + j);

    multiply (kind, m < SUB_ROWS ? m : SUB_ROWS, a, stride, part, K, c + j, ldc, from_zero, fetch);
    if (m > SUB_ROWS)
      multiply (kind, m > SUB_ROWS ? m - SUB_ROWS : 1, a + SUB_ROWS * row_stride, stride, part, K,
                c + SUB_ROWS * ldc + j, ldc, from_zero, fetch);
  }
}

#define DEFINE(m)                                                                                  \
  static void rows_##m (const float *a, gsize stride, const float *b, int K, float *c, gsize ldc,  \
                        gboolean from_zero, LaurelFetch fetch)                                     \
  {                                                                                                \
    tile (ROWS, m, a, stride, b, K, c, ldc, from_zero, fetch);                                     \
  }                                                                                                \
  static void columns_##m (const float *a, gsize stride, const float *b, int K, float *c,          \
                           gsize ldc, gboolean from_zero, LaurelFetch fetch)                       \
  {                                                                                                \
    tile (COLUMNS, m, a, stride, b, K, c, ldc, from_zero, fetch);                                  \
  }                                                                                                \
  static void bf16_##m (const float *a, gsize stride, const guint16 *b, int K, float *c,           \
                        gsize ldc, gboolean from_zero, LaurelFetch fetch)                          \
  {                                                                                                \
    tile (BF16, m, a, stride, b, K, c, ldc, from_zero, fetch);                                     \
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

const LaurelTileSet SET = { SET_NAME, SUB_ROWS * WIDTH == LAUREL_TILE_ROWS * HALF_PANEL,
                            LIST (rows), LIST (columns), LIST (bf16) };
