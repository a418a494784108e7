/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>

LAUREL_CLONES void
laurel_layernorm_row (float *y, float *mean, float *rstd, const float *x, const float *w,
                      const float *b, int C, float epsilon)
{
  float sum = 0, squares = 0;
  float m, r;

  /* pass 1: the mean */
#pragma omp simd reduction(+ : sum)
  for (int c = 0; c < C; c++)
    sum += x[c];
  m = sum / (float) C;
  /* pass 2: the variance around it, which a one-pass sum would cancel away */
#pragma omp simd reduction(+ : squares)
  for (int c = 0; c < C; c++)
    squares += (x[c] - m) * (x[c] - m);
  r = 1.0f / sqrtf (squares / (float) C + epsilon);
  /* pass 3: normalise and scale */
#pragma omp simd
  for (int c = 0; c < C; c++)
    y[c] = (x[c] - m) * r * w[c] + b[c];
  *mean = m;
  *rstd = r;
}

void
laurel_layernorm_forward (float *y, float *mean, float *rstd, const float *x, const float *w,
                          const float *b, int N, int C, float epsilon)
{
#pragma omp parallel for schedule(static)
  for (int i = 0; i < N; i++)
    laurel_layernorm_row (y + (gsize) i * C, &mean[i], &rstd[i], x + (gsize) i * C, w, b, C,
                          epsilon);
}

LAUREL_CLONES static void
row_again (float *y, float mean, float rstd, const float *x, const float *w, const float *b, int C)
{
#pragma omp simd
  for (int c = 0; c < C; c++)
    y[c] = (x[c] - mean) * rstd * w[c] + b[c];
}

void
laurel_layernorm_again (float *y, const float *mean, const float *rstd, const float *x,
                        const float *w, const float *b, int N, int C)
{
#pragma omp parallel for schedule(static)
  for (int i = 0; i < N; i++)
    row_again (y + (gsize) i * C, mean[i], rstd[i], x + (gsize) i * C, w, b, C);
}

/* With n = (x − mean) rstd and g = dy w:  dx += rstd (g − mean (g) − n mean (g n)) */
LAUREL_CLONES static void
backward_row (float *dx, const float *dy, const float *x, float mean, float rstd, const float *w,
              int C)
{
  float sum_g = 0, sum_gn = 0;

#pragma omp simd reduction(+ : sum_g, sum_gn)
  for (int c = 0; c < C; c++) {
    float g = dy[c] * w[c];

    sum_g += g;
    sum_gn += g * (x[c] - mean) * rstd;
  }
  sum_g /= (float) C;
  sum_gn /= (float) C;
#pragma omp simd
  for (int c = 0; c < C; c++)
    dx[c] += rstd * (dy[c] * w[c] - sum_g - (x[c] - mean) * rstd * sum_gn);
}

LAUREL_CLONES static void
backward_columns (float *dw, float *db, const float *dy, const float *x, const float *mean,
                  const float *rstd, int N, int C, int start, int width)
{
  float sum_w[64] = { 0 }, sum_b[64] = { 0 };

  for (int i = 0; i < N; i++) {
    const float *dy_row = dy + (gsize) i * C + start;
    const float *x_row = x + (gsize) i * C + start;

    for (int c = 0; c < width; c++) {
      sum_w[c] += dy_row[c] * (x_row[c] - mean[i]) * rstd[i];
      sum_b[c] += dy_row[c];
    }
  }
  for (int c = 0; c < width; c++) {
    dw[start + c] += sum_w[c];
    db[start + c] += sum_b[c];
  }
}

void
laurel_layernorm_backward (float *dx, float *dw, float *db, const float *dy, const float *x,
                           const float *mean, const float *rstd, const float *w, int N, int C)
{
#pragma omp parallel
  {
#pragma omp for schedule(static) nowait
    for (int start = 0; start < C; start += 64)
      backward_columns (dw, db, dy, x, mean, rstd, N, C, start, MIN (64, C - start));
#pragma omp for schedule(static)
    for (int i = 0; i < N; i++)
      backward_row (dx + (gsize) i * C, dy + (gsize) i * C, x + (gsize) i * C, mean[i], rstd[i], w,
                    C);
  }
}
