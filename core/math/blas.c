/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

void
laurel_matmul (gboolean transpose_a, gboolean transpose_b, int M, int N, int K,
               float alpha, const float *a, int lda, const float *b, int ldb,
               float beta, float *c, int ldc)
{
  if (M == 0 || N == 0)
    return;
  if (M == 1 && !transpose_a && ldc >= N) {
    /* A row times a matrix: OpenBLAS's gemv reads the matrix at full bandwidth, its gemm does
     * not. */
    if (transpose_b)
      cblas_sgemv (CblasRowMajor, CblasNoTrans, N, K, alpha, b, ldb, a, 1, beta, c, 1);
    else
      cblas_sgemv (CblasRowMajor, CblasTrans, K, N, alpha, b, ldb, a, 1, beta, c, 1);
    return;
  }
  cblas_sgemm (CblasRowMajor,
               transpose_a ? CblasTrans : CblasNoTrans,
               transpose_b ? CblasTrans : CblasNoTrans,
               M, N, K, alpha, a, lda, b, ldb, beta, c, ldc);
}

const char *
laurel_blas_describe (void)
{
  static char text[160];
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    g_autofree char *config = g_strdup (openblas_get_config ());
    char *space = strchr (config, ' ');

    /* name and version are the first two words */
    space = space != NULL ? strchr (space + 1, ' ') : NULL;
    if (space != NULL)
      *space = '\0';
    g_snprintf (text, sizeof text, "%s %s", config, openblas_get_corename ());
    g_once_init_leave (&once, 1);
  }
  return text;
}

int
laurel_n_threads (void)
{
  return omp_get_max_threads ();
}

/* Fewer rows than this are filled sooner than a second thread wakes. */
#define PARALLEL_ROWS 64

void
laurel_linear_forward (float *y, const float *x, const float *w, const float *b, int N, int IC,
                       int OC)
{
  if (b != NULL) {
#pragma omp parallel for schedule(static) if (N >= PARALLEL_ROWS)
    for (int i = 0; i < N; i++)
      memcpy (y + (gsize) i * OC, b, (gsize) OC * sizeof *y);
  }
  laurel_matmul (FALSE, FALSE, N, OC, IC, 1.0f, x, IC, w, OC, b != NULL ? 1.0f : 0.0f, y, OC);
}

LAUREL_CLONES static void
add_row (float *y, const float *residual, const float *b, int OC)
{
#pragma omp simd
  for (int c = 0; c < OC; c++)
    y[c] = residual[c] + b[c];
}

void
laurel_linear_onto (float *y, const float *residual, const float *x, const float *w, const float *b,
                    int N, int IC, int OC)
{
#pragma omp parallel for schedule(static) if (N >= PARALLEL_ROWS)
  for (int i = 0; i < N; i++)
    add_row (y + (gsize) i * OC, residual + (gsize) i * OC, b, OC);
  laurel_matmul (FALSE, FALSE, N, OC, IC, 1.0f, x, IC, w, OC, 1.0f, y, OC);
}

#define COLUMN_BLOCK 64

/* Each block of columns belongs to one thread, so the sums have one order. */
static void
add_column_sums (float *sums, const float *x, int N, int columns)
{
#pragma omp parallel for schedule(static)
  for (int start = 0; start < columns; start += COLUMN_BLOCK) {
    int width = MIN (COLUMN_BLOCK, columns - start);
    float block[COLUMN_BLOCK] = { 0 };

    for (int i = 0; i < N; i++)
      for (int j = 0; j < width; j++)
        block[j] += x[(gsize) i * columns + start + j];
    for (int j = 0; j < width; j++)
      sums[start + j] += block[j];
  }
}

void
laurel_linear_backward (float *dx, float *dw, float *db, const float *dy, const float *x,
                        const float *w, int N, int IC, int OC)
{
  if (dx != NULL)
    laurel_matmul (FALSE, TRUE, N, IC, OC, 1.0f, dy, OC, w, OC, 0.0f, dx, IC);
  laurel_matmul (TRUE, FALSE, IC, OC, N, 1.0f, x, IC, dy, OC, 1.0f, dw, OC);
  if (db != NULL)
    add_column_sums (db, dy, N, OC);
}
