/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/simd.h"

#define SQRT_2_OVER_PI 0.7978845608028654f
#define CUBIC 0.044715f
#define BLOCK 4096

/* ½ (1 + tanh u) is the logistic function of 2u. */
LAUREL_CLONES void
laurel_gelu_few (float *y, const float *x, gsize n)
{
#pragma omp simd
  for (gsize i = 0; i < n; i++) {
    float u = SQRT_2_OVER_PI * (x[i] + CUBIC * x[i] * x[i] * x[i]);

    y[i] = x[i] / (1.0f + laurel_expf (-2.0f * u));
  }
}

LAUREL_CLONES static void
backward_block (float *dx, const float *dy, const float *x, gsize n)
{
#pragma omp simd
  for (gsize i = 0; i < n; i++) {
    float u = SQRT_2_OVER_PI * (x[i] + CUBIC * x[i] * x[i] * x[i]);
    float du = SQRT_2_OVER_PI * (1.0f + 3.0f * CUBIC * x[i] * x[i]);
    float s = 1.0f / (1.0f + laurel_expf (-2.0f * u));

    dx[i] = dy[i] * (s + x[i] * s * (1.0f - s) * 2.0f * du);
  }
}

void
laurel_gelu_forward (float *y, const float *x, gsize n)
{
#pragma omp parallel for schedule(static)
  for (gsize start = 0; start < n; start += BLOCK)
    laurel_gelu_few (y + start, x + start, MIN (BLOCK, n - start));
}

void
laurel_gelu_backward (float *dx, const float *dy, const float *x, gsize n)
{
#pragma omp parallel for schedule(static)
  for (gsize start = 0; start < n; start += BLOCK)
    backward_block (dx + start, dy + start, x + start, MIN (BLOCK, n - start));
}
