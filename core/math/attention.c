/* attention.c: causal self-attention, a block of queries at a time.
 *
 *   S = scale Q Kᵀ   P = softmax (S) over keys ≤ query   Y = P V
 * dV += Pᵀ dY   dP = dY Vᵀ   dS = P ∘ (dP − rowsum (dY ∘ Y))   dQ = scale dS K   dK += scale dSᵀ Q
 *
 * Every (sequence, head) is one piece of work for one thread; a block of
 * QUERY_BLOCK rows of S lives in that thread's scratch and nowhere else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>

#define QUERY_BLOCK 64

static int
longest_sequence (const gint32 *offsets, int B)
{
  int longest = 0;

  for (int b = 0; b < B; b++)
    longest = MAX (longest, offsets[b + 1] - offsets[b]);
  return longest;
}

/* scores (columns) of which the first @n_keys count: into weights; the rest become 0. Returns
 * log Σ exp. */
LAUREL_CLONES static float
softmax_row (float *scores, int n_keys, int columns)
{
  float max = -INFINITY, sum = 0, inverse;

#pragma omp simd reduction(max : max)
  for (int k = 0; k < n_keys; k++)
    max = scores[k] > max ? scores[k] : max;
#pragma omp simd reduction(+ : sum)
  for (int k = 0; k < n_keys; k++) {
    scores[k] = laurel_expf (scores[k] - max);
    sum += scores[k];
  }
  inverse = 1.0f / sum;
#pragma omp simd
  for (int k = 0; k < n_keys; k++)
    scores[k] *= inverse;
  for (int k = n_keys; k < columns; k++)
    scores[k] = 0;
  return max + logf (sum);
}

static void
forward_head (float *y, float *log_sums, const float *qkv, int T, int head, int H, int C,
              float *scratch)
{
  int D = C / H, stride = 3 * C;
  float scale = 1.0f / sqrtf ((float) D);
  const float *q = qkv + head * D, *k = q + C, *v = k + C;

  for (int start = 0; start < T; start += QUERY_BLOCK) {
    int rows = MIN (QUERY_BLOCK, T - start), keys = start + rows;

    laurel_matmul (FALSE, TRUE, rows, keys, D, scale, q + (gsize) start * stride, stride, k, stride,
                   0.0f, scratch, keys);
    for (int i = 0; i < rows; i++)
      log_sums[(gsize) (start + i) * H + head] = softmax_row (scratch + (gsize) i * keys,
                                                              start + i + 1, keys);
    laurel_matmul (FALSE, FALSE, rows, D, keys, 1.0f, scratch, keys, v, stride, 0.0f,
                   y + (gsize) start * C + head * D, C);
  }
}

void
laurel_attention_forward (float *y, float *log_sums, const float *qkv, const gint32 *offsets, int B,
                          int H, int C)
{
  gsize scratch_size = (gsize) QUERY_BLOCK * (gsize) longest_sequence (offsets, B);

#pragma omp parallel
  {
    float *scratch = laurel_scratch_get (LAUREL_SCRATCH_ATTENTION, scratch_size * sizeof (float));

#pragma omp for schedule(dynamic) collapse(2)
    for (int b = 0; b < B; b++)
      for (int h = 0; h < H; h++) {
        gsize first = (gsize) offsets[b];

        forward_head (y + first * C, log_sums + first * H, qkv + first * 3 * C,
                      offsets[b + 1] - offsets[b], h, H, C, scratch);
      }
  }
}

/* weights: scores in, softmax weights out. dweights: dP in, scale · dS out. */
LAUREL_CLONES static void
backward_row (float *weights, float *dweights, float log_sum, float sum_dy_y, float scale,
              int n_keys, int columns)
{
#pragma omp simd
  for (int k = 0; k < n_keys; k++) {
    weights[k] = laurel_expf (weights[k] - log_sum);
    dweights[k] = scale * weights[k] * (dweights[k] - sum_dy_y);
  }
  for (int k = n_keys; k < columns; k++)
    weights[k] = dweights[k] = 0;
}

static float
dot (const float *a, const float *b, int n)
{
  float sum = 0;

#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static void
backward_head (float *dqkv, const float *dy, const float *y, const float *log_sums,
               const float *qkv, int T, int head, int H, int C, float *weights, float *dweights)
{
  int D = C / H, stride = 3 * C;
  float scale = 1.0f / sqrtf ((float) D);
  const float *q = qkv + head * D, *k = q + C, *v = k + C;
  float *dq = dqkv + head * D, *dk = dq + C, *dv = dk + C;

  for (int t = 0; t < T; t++)
    for (int d = 0; d < D; d++)
      dk[(gsize) t * stride + d] = dv[(gsize) t * stride + d] = 0;

  for (int start = 0; start < T; start += QUERY_BLOCK) {
    int rows = MIN (QUERY_BLOCK, T - start), keys = start + rows;
    const float *q_block = q + (gsize) start * stride;
    const float *dy_block = dy + (gsize) start * C + head * D;

    laurel_matmul (FALSE, TRUE, rows, keys, D, scale, q_block, stride, k, stride, 0.0f, weights,
                   keys);
    laurel_matmul (FALSE, TRUE, rows, keys, D, 1.0f, dy_block, C, v, stride, 0.0f, dweights, keys);
    for (int i = 0; i < rows; i++) {
      gsize row = (gsize) (start + i) * C + (gsize) (head * D);

      backward_row (weights + (gsize) i * keys, dweights + (gsize) i * keys,
                    log_sums[(gsize) (start + i) * H + head],
                    dot (dy + row, y + row, D), scale, start + i + 1, keys);
    }
    laurel_matmul (TRUE, FALSE, keys, D, rows, 1.0f, weights, keys, dy_block, C, 1.0f, dv, stride);
    laurel_matmul (FALSE, FALSE, rows, D, keys, 1.0f, dweights, keys, k, stride, 0.0f,
                   dq + (gsize) start * stride, stride);
    laurel_matmul (TRUE, FALSE, keys, D, rows, 1.0f, dweights, keys, q_block, stride, 1.0f, dk,
                   stride);
  }
}

void
laurel_attention_backward (float *dqkv, const float *dy, const float *y, const float *log_sums,
                           const float *qkv, const gint32 *offsets, int B, int H, int C)
{
  gsize scratch_size = (gsize) QUERY_BLOCK * (gsize) longest_sequence (offsets, B);

#pragma omp parallel
  {
    float *scratch =
        laurel_scratch_get (LAUREL_SCRATCH_ATTENTION, 2 * scratch_size * sizeof (float));

#pragma omp for schedule(dynamic) collapse(2)
    for (int b = 0; b < B; b++)
      for (int h = 0; h < H; h++) {
        gsize first = (gsize) offsets[b];

        backward_head (dqkv + first * 3 * C, dy + first * C, y + first * C, log_sums + first * H,
                       qkv + first * 3 * C,
                       offsets[b + 1] - offsets[b], h, H, C, scratch, scratch + scratch_size);
      }
  }
}

LAUREL_CLONES static void
decode_head (float *y, const float *q, const LaurelCacheView *cache, int C, int D, float *weights)
{
  float scale = 1.0f / sqrtf ((float) D);
  int n_prompt = cache->n_prompt, n = n_prompt + cache->n_own;

  for (int t = 0; t < n; t++) {
    const float *k = t < n_prompt ? cache->prompt_k + (gsize) t * C : cache->own_k
                     + (gsize) (t - n_prompt) * C;
    float sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int d = 0; d < D; d++)
      sum += q[d] * k[d];
    weights[t] = sum * scale;
  }
  softmax_row (weights, n, n);
  for (int d = 0; d < D; d++)
    y[d] = 0;
  for (int t = 0; t < n; t++) {
    const float *v = t < n_prompt ? cache->prompt_v + (gsize) t * C : cache->own_v
                     + (gsize) (t - n_prompt) * C;

#pragma omp simd
    for (int d = 0; d < D; d++)
      y[d] += weights[t] * v[d];
  }
}

void
laurel_attention_decode (float *y, const float *q, int q_stride, const LaurelCacheView *caches,
                         int rows, int H, int C)
{
  int D = C / H, longest = 0;

  for (int r = 0; r < rows; r++)
    longest = MAX (longest, caches[r].n_prompt + caches[r].n_own);

#pragma omp parallel
  {
    float *weights =
        laurel_scratch_get (LAUREL_SCRATCH_ATTENTION, (gsize) longest * sizeof (float));

#pragma omp for schedule(dynamic) collapse(2)
    for (int r = 0; r < rows; r++)
      for (int h = 0; h < H; h++) {
        LaurelCacheView view = caches[r];

        view.prompt_k += h * D;
        view.prompt_v += h * D;
        view.own_k += h * D;
        view.own_v += h * D;
        decode_head (y + (gsize) r * C + h * D, q + (gsize) r * q_stride + h * D, &view, C, D,
                     weights);
      }
  }
}
