/* attention.c: causal self-attention on tiles, a block of queries at a time.
 *
 *   S = scale Q Kᵀ   P = softmax (S) over keys ≤ query   Y = P V
 * dV += Pᵀ dY   dP = dY Vᵀ   dS = scale P ∘ (dP − rowsum (dY ∘ Y))   dQ = dS K   dK += dSᵀ Q
 *
 * Every (sequence, head) is one piece of work for one thread, which keeps what it needs packed for
 * the tiles (tile.h): as panels of 32 keys (D, 32) where keys are columns, or as panels of 32
 * channels (T, 32) where they are summed over. A block of QUERY_BLOCK rows of S lives in the
 * thread's scratch and nowhere else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"
#include "core/math/attention.h"
#include "core/math/kernels.h"
#include "core/math/matmul.h"
#include "core/math/simd.h"
#include "core/math/tile.h"

#include <math.h>
#include <string.h>

#define QUERY_BLOCK (4 * LAUREL_TILE_ROWS)
#define PANEL LAUREL_PANEL

static int
longest_sequence (const gint32 *offsets, int B)
{
  int longest = 0;

  for (int b = 0; b < B; b++)
    longest = MAX (longest, offsets[b + 1] - offsets[b]);
  return longest;
}

/* --- Packing one head ------------------------------------------------------------ */

void
laurel_attention_pack_across (float *out, const float *x, gsize stride, int T, int D)
{
  for (int t = 0; t < T; t += PANEL)
    laurel_panel_pack (out + (gsize) t * (gsize) D, x, stride, TRUE, D, T, t);
}

void
laurel_attention_pack_along (float *out, const float *x, gsize stride, int T, int D, int capacity)
{
  for (int d = 0; d < D; d += PANEL)
    laurel_panel_pack (out + (gsize) d * (gsize) capacity, x, stride, FALSE, T, D, d);
}

/* c (rows, columns) = a · panels of K rows each, @panel_stride apart. The tail of the last panel is
 * written too: c's rows must have room for it. */
static void
multiply_rows (const LaurelTileSet *set, float *c, gsize ldc, const float *a, gsize a_stride,
               const float *panels, gsize panel_stride, int rows, int columns, int K)
{
  for (int j = 0; j < columns; j += PANEL)
    for (int i = 0; i < rows; i += LAUREL_TILE_ROWS)
      set->rows[MIN (LAUREL_TILE_ROWS, rows - i)](a + (gsize) i * a_stride, a_stride,
                                                 panels + (gsize) (j / PANEL) * panel_stride, K,
                                                 c + (gsize) i * ldc + j, ldc, TRUE,
                                                 laurel_fetch_ahead (panels));
}

/* c (rows, columns) += aᵀ · panels, a (K, rows) with rows @a_stride apart. */
static void
add_transposed (const LaurelTileSet *set, float *c, gsize ldc, const float *a, gsize a_stride,
                const float *panels, gsize panel_stride, int rows, int columns, int K)
{
  for (int j = 0; j < columns; j += PANEL)
    for (int i = 0; i < rows; i += LAUREL_TILE_ROWS)
      set->columns[MIN (LAUREL_TILE_ROWS, rows - i)](a + i, a_stride,
                                                    panels + (gsize) (j / PANEL) * panel_stride, K,
                                                    c + (gsize) i * ldc + j, ldc, FALSE,
                                                    laurel_fetch_ahead (panels));
}

LAUREL_CLONES static void
copy_scaled (float *out, gsize out_stride, const float *x, gsize stride, int rows, int D,
             float scale)
{
  for (int i = 0; i < rows; i++)
    for (int d = 0; d < D; d++)
      out[(gsize) i * out_stride + d] = scale * x[(gsize) i * stride + d];
}

/* --- Softmax --------------------------------------------------------------------- */

LAUREL_CLONES float
laurel_attention_softmax (float *scores, int n_keys, int columns)
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

/* --- Forward --------------------------------------------------------------------- */

typedef struct {
  int T, D, padded_d, columns; /* columns: T in whole panels */
  float *keys, *values;        /* (columns, D) across; (D, columns) along */
  float *queries;              /* (QUERY_BLOCK, padded_d) */
  float *scores;               /* (QUERY_BLOCK, columns) */
  float *out;                  /* (QUERY_BLOCK, padded_d) */
} ForwardScratch;

static gsize
forward_floats (int T, int D)
{
  gsize columns = (gsize) laurel_round_to_panels (T), d = (gsize) laurel_round_to_panels (D);

  return 2 * columns * d + 2 * QUERY_BLOCK * d + QUERY_BLOCK * columns;
}

static ForwardScratch
forward_carve (float *block, int T, int D)
{
  ForwardScratch s = { T, D, laurel_round_to_panels (D), laurel_round_to_panels (T), block };
  gsize columns = (gsize) s.columns, d = (gsize) s.padded_d;

  s.values = s.keys + columns * d;
  s.queries = s.values + columns * d;
  s.out = s.queries + QUERY_BLOCK * d;
  s.scores = s.out + QUERY_BLOCK * d;
  return s;
}

static void
forward_head (float *y, float *log_sums, const float *qkv, int T, int head, int H, int C,
              float *block)
{
  const LaurelTileSet *set = laurel_tile_set ();
  int D = C / H;
  gsize stride = 3 * (gsize) C;
  float scale = 1.0f / sqrtf ((float) D);
  const float *q = qkv + head * D, *k = q + C, *v = k + C;
  ForwardScratch s = forward_carve (block, T, D);

  laurel_attention_pack_across (s.keys, k, stride, T, D);
  laurel_attention_pack_along (s.values, v, stride, T, D, T);
  for (int start = 0; start < T; start += QUERY_BLOCK) {
    int rows = MIN (QUERY_BLOCK, T - start), keys = start + rows;

    copy_scaled (s.queries, (gsize) s.padded_d, q + (gsize) start * stride, stride, rows, D, scale);
    multiply_rows (set, s.scores, (gsize) s.columns, s.queries, (gsize) s.padded_d, s.keys,
                   (gsize) D * PANEL, rows, keys, D);
    for (int i = 0; i < rows; i++)
      log_sums[(gsize) (start + i) * H + head] =
          laurel_attention_softmax (s.scores + (gsize) i * s.columns, start + i + 1, keys);
    multiply_rows (set, s.out, (gsize) s.padded_d, s.scores, (gsize) s.columns, s.values,
                   (gsize) T * PANEL, rows, D, keys);
    copy_scaled (y + (gsize) start * C + head * D, (gsize) C, s.out, (gsize) s.padded_d, rows, D,
                 1.0f);
  }
}

void
laurel_attention_forward (float *y, float *log_sums, const float *qkv, const gint32 *offsets, int B,
                          int H, int C)
{
  gsize size = forward_floats (longest_sequence (offsets, B), C / H) * sizeof (float);

#pragma omp parallel
  {
    float *block = laurel_scratch_get (LAUREL_SCRATCH_ATTENTION, size);

#pragma omp for schedule(dynamic) collapse(2)
    for (int b = 0; b < B; b++)
      for (int h = 0; h < H; h++) {
        gsize first = (gsize) offsets[b];

        forward_head (y + first * C, log_sums + first * H, qkv + first * 3 * C,
                      offsets[b + 1] - offsets[b], h, H, C, block);
      }
  }
}

/* --- Backward -------------------------------------------------------------------- */

typedef struct {
  int padded_d, columns;
  float *keys, *values;               /* across */
  float *keys_along;                  /* along */
  float *queries;                     /* (QUERY_BLOCK, padded_d), scaled */
  float *queries_along, *dy_along;    /* (QUERY_BLOCK) rows, along */
  float *dkeys, *dvalues;             /* (columns, padded_d) */
  float *out;                         /* (QUERY_BLOCK, padded_d) */
  float *weights, *dweights;          /* (QUERY_BLOCK, columns) */
} BackwardScratch;

static gsize
backward_floats (int T, int D)
{
  gsize columns = (gsize) laurel_round_to_panels (T), d = (gsize) laurel_round_to_panels (D);

  return 5 * columns * d + 4 * QUERY_BLOCK * d + 2 * QUERY_BLOCK * columns;
}

static BackwardScratch
backward_carve (float *block, int T, int D)
{
  BackwardScratch s = { laurel_round_to_panels (D), laurel_round_to_panels (T), block };
  gsize keyed = (gsize) s.columns * (gsize) s.padded_d;
  gsize queried = QUERY_BLOCK * (gsize) s.padded_d;

  s.values = s.keys + keyed;
  s.keys_along = s.values + keyed;
  s.dkeys = s.keys_along + keyed;
  s.dvalues = s.dkeys + keyed;
  s.queries = s.dvalues + keyed;
  s.queries_along = s.queries + queried;
  s.dy_along = s.queries_along + queried;
  s.out = s.dy_along + queried;
  s.weights = s.out + queried;
  s.dweights = s.weights + QUERY_BLOCK * (gsize) s.columns;
  return s;
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

LAUREL_CLONES static float
dot (const float *a, const float *b, int n)
{
  float sum = 0;

#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

/* Queries start … start + rows − 1 of one head. All pointers but s's are to the head's columns of
 * the sequence's first row. */
static void
backward_block (const LaurelTileSet *set, const BackwardScratch *s, float *dq, const float *q,
                const float *dy, const float *y, const float *log_sums, int start, int rows, int H,
                int C)
{
  int D = C / H, keys = start + rows;
  gsize stride = 3 * (gsize) C, d = (gsize) s->padded_d, columns = (gsize) s->columns;
  float scale = 1.0f / sqrtf ((float) D);
  const float *dy_block = dy + (gsize) start * C;

  copy_scaled (s->queries, d, q + (gsize) start * stride, stride, rows, D, scale);
  multiply_rows (set, s->weights, columns, s->queries, d, s->keys, (gsize) D * PANEL, rows, keys,
                 D);
  multiply_rows (set, s->dweights, columns, dy_block, (gsize) C, s->values, (gsize) D * PANEL, rows,
                 keys, D);
  for (int i = 0; i < rows; i++) {
    gsize row = (gsize) (start + i) * C;

    backward_row (s->weights + (gsize) i * columns, s->dweights + (gsize) i * columns,
                  log_sums[(gsize) (start + i) * H], dot (dy + row, y + row, D), scale,
                  start + i + 1, keys);
  }
  laurel_attention_pack_along (s->dy_along, dy_block, (gsize) C, rows, D, QUERY_BLOCK);
  add_transposed (set, s->dvalues, d, s->weights, columns, s->dy_along,
                  (gsize) QUERY_BLOCK * PANEL, keys, D, rows);
  multiply_rows (set, s->out, d, s->dweights, columns, s->keys_along, columns * PANEL, rows, D,
                 keys);
  copy_scaled (dq + (gsize) start * stride, stride, s->out, d, rows, D, 1.0f);
  laurel_attention_pack_along (s->queries_along, q + (gsize) start * stride, stride, rows, D,
                               QUERY_BLOCK);
  add_transposed (set, s->dkeys, d, s->dweights, columns, s->queries_along,
                  (gsize) QUERY_BLOCK * PANEL, keys, D, rows);
}

static void
backward_head (float *dqkv, const float *dy, const float *y, const float *log_sums,
               const float *qkv, int T, int head, int H, int C, float *block)
{
  const LaurelTileSet *set = laurel_tile_set ();
  int D = C / H;
  gsize stride = 3 * (gsize) C;
  const float *q = qkv + head * D, *k = q + C, *v = k + C;
  float *dq = dqkv + head * D, *dk = dq + C, *dv = dk + C;
  BackwardScratch s = backward_carve (block, T, D);
  gsize keyed = (gsize) s.columns * (gsize) s.padded_d;

  laurel_attention_pack_across (s.keys, k, stride, T, D);
  laurel_attention_pack_across (s.values, v, stride, T, D);
  laurel_attention_pack_along (s.keys_along, k, stride, T, D, s.columns);
  memset (s.dkeys, 0, 2 * keyed * sizeof (float)); /* and dvalues */
  for (int start = 0; start < T; start += QUERY_BLOCK)
    backward_block (set, &s, dq, q, dy + head * D, y + head * D, log_sums + head, start,
                    MIN (QUERY_BLOCK, T - start), H, C);
  copy_scaled (dk, stride, s.dkeys, (gsize) s.padded_d, T, D, 1.0f);
  copy_scaled (dv, stride, s.dvalues, (gsize) s.padded_d, T, D, 1.0f);
}

void
laurel_attention_backward (float *dqkv, const float *dy, const float *y, const float *log_sums,
                           const float *qkv, const gint32 *offsets, int B, int H, int C)
{
  gsize size = backward_floats (longest_sequence (offsets, B), C / H) * sizeof (float);

#pragma omp parallel
  {
    float *block = laurel_scratch_get (LAUREL_SCRATCH_ATTENTION, size);

#pragma omp for schedule(dynamic) collapse(2)
    for (int b = 0; b < B; b++)
      for (int h = 0; h < H; h++) {
        gsize first = (gsize) offsets[b];

        backward_head (dqkv + first * 3 * C, dy + first * C, y + first * C, log_sums + first * H,
                       qkv + first * 3 * C, offsets[b + 1] - offsets[b], h, H, C, block);
      }
  }
}
