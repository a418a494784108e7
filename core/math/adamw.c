/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>

#define BLOCK 8192

LAUREL_CLONES static void
update_block (float *w, const float *g, float *m, float *v, gsize n, const LaurelAdamW *params)
{
  float beta1 = (float) params->beta1, beta2 = (float) params->beta2;
  float rest1 = (float) (1.0 - params->beta1), rest2 = (float) (1.0 - params->beta2);
  float scale = (float) params->gradient_scale;
  float keep = (float) (1.0 - params->learning_rate * params->weight_decay);
  float size = (float) (params->learning_rate / (1.0 - pow (params->beta1, params->step)));
  float root = (float) (1.0 / sqrt (1.0 - pow (params->beta2, params->step)));
  float epsilon = (float) params->epsilon;

#pragma omp simd
  for (gsize i = 0; i < n; i++) {
    float gradient = g[i] * scale;
    float m_new = beta1 * m[i] + rest1 * gradient;
    float v_new = beta2 * v[i] + rest2 * gradient * gradient;

    m[i] = m_new;
    v[i] = v_new;
    w[i] = w[i] * keep - size * m_new / (sqrtf (v_new) * root + epsilon);
  }
}

void
laurel_adamw_update (float *w, const float *g, float *m, float *v, gsize n,
                     const LaurelAdamW *params)
{
#pragma omp parallel for schedule(static)
  for (gsize start = 0; start < n; start += BLOCK)
    update_block (w + start, g + start, m + start, v + start, MIN (BLOCK, n - start), params);
}

LAUREL_CLONES static double
sum_block (const float *x, gsize n)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (gsize i = 0; i < n; i++)
    sum += (double) x[i] * (double) x[i];
  return sum;
}

/* Blocks are summed apart and added in order, so the result does not depend on the threads. */
double
laurel_sum_squares (const float *x, gsize n)
{
  gsize n_blocks = (n + BLOCK - 1) / BLOCK;
  g_autofree double *sums = g_new (double, MAX (n_blocks, 1));
  double sum = 0;

#pragma omp parallel for schedule(static)
  for (gsize b = 0; b < n_blocks; b++)
    sums[b] = sum_block (x + b * BLOCK, MIN (BLOCK, n - b * BLOCK));
  for (gsize b = 0; b < n_blocks; b++)
    sum += sums[b];
  return sum;
}
