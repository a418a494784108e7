/* matmul.h: matrix products on tiles (tile.h), and matrices packed for them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/math/tile.h"

G_BEGIN_DECLS

/* A matrix b (K, N) as ⌈N/32⌉ panels of (K, 32), zeros beyond N: floats, or bfloat16. Whoever holds the block
 * frees it. */
typedef struct {
  const float *floats;
  const guint16 *halves; /* used where @floats is NULL */
  int K, N;
} LaurelPanels;

/* Elements of a packed (K, N), padding included. */
gsize laurel_panels_size (int K, int N);
/* b (K, N) with rows ldb apart, or its transpose (N, K), into @out. On the OpenMP team. */
void laurel_panels_pack (float *out, const float *b, gsize ldb, gboolean transposed, int K, int N);
/* The same, rounded to the nearest bfloat16, ties to even. */
void laurel_panels_pack_bf16 (guint16 *out, const float *b, gsize ldb, gboolean transposed, int K, int N);
/* One panel, by the calling thread alone; @column is its first. */
void laurel_panel_pack (float *out, const float *b, gsize ldb, gboolean transposed, int K, int N, int column);

/* c (M, N) = residual + bias + a · b; the first two may be missing. */
typedef struct {
  int M, N, K;
  const float *a; /* a[i, k] at a[i · row_stride + k · k_stride]; one of the strides is 1 */
  gsize row_stride, k_stride;
  const LaurelPanels *panels; /* b, or NULL: then */
  const float *b;             /* b[k, j] at b[k · ldb + j], or b[j · ldb + k] if transposed */
  gsize ldb;
  gboolean b_transposed;
  const float *bias;     /* (N) */
  const float *residual; /* (M, N), rows ldc apart; may be c */
  gboolean gelu;         /* c = GELU of that */
  float *c;
  gsize ldc;
} LaurelProduct;

/* Runs on the OpenMP team of the calling thread. An element's bits depend on its row of a and column of b
 * alone (tile.h). */
void laurel_product_run (const LaurelProduct *product);

/* The same by the threads of a parallel region that all call it with the same @product, which must have
 * panels and k_stride 1; they part the panels. No barrier: the caller sets one before c is read. */
void laurel_product_share (const LaurelProduct *product);

G_END_DECLS
