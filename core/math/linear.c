/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/matmul.h"

#include <omp.h>

int
laurel_n_threads (void)
{
  return omp_get_max_threads ();
}

void
laurel_linear_forward (float *y, gsize y_stride, const float *residual, const float *x,
                       gsize x_stride, const float *w, const float *b, int N, int IC, int OC)
{
  laurel_product_run (&(LaurelProduct) { .M = N, .N = OC, .K = IC, .a = x, .row_stride = x_stride,
                                         .k_stride = 1, .b = w, .ldb = (gsize) OC, .bias = b,
                                         .residual = residual, .c = y, .ldc = y_stride });
}

#define COLUMN_BLOCK 64

/* Each block of columns belongs to one thread, so the sums have one order. */
static void
add_column_sums (float *sums, const float *x, gsize stride, int N, int columns)
{
#pragma omp parallel for schedule(static)
  for (int start = 0; start < columns; start += COLUMN_BLOCK) {
    int width = MIN (COLUMN_BLOCK, columns - start);
    float block[COLUMN_BLOCK] = { 0 };

    for (int i = 0; i < N; i++)
      for (int j = 0; j < width; j++)
        block[j] += x[(gsize) i * stride + (gsize) (start + j)];
    for (int j = 0; j < width; j++)
      sums[start + j] += block[j];
  }
}

void
laurel_linear_backward (float *dx, float *dw, float *db, const float *dy, gsize dy_stride,
                        const float *x, gsize x_stride, const float *w, int N, int IC, int OC)
{
  laurel_matmul (TRUE, FALSE, IC, OC, N, x, (int) x_stride, dy, (int) dy_stride, TRUE, dw, OC);
  if (db != NULL)
    add_column_sums (db, dy, dy_stride, N, OC);
  if (dx != NULL)
    laurel_matmul (FALSE, TRUE, N, IC, OC, dy, (int) dy_stride, w, OC, FALSE, dx, (int) x_stride);
}
