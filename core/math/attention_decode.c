/* attention_decode.c: new queries over cached keys and values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/attention.h"
#include "core/math/tile.h"

#include <math.h>
#include <string.h>

#define PANEL LAUREL_PANEL
#define CACHE_LINE 16 /* floats */
#define FETCHED_LINES 12

gsize
laurel_head_cache_size (int capacity, int D)
{
  return (gsize) laurel_round_to_panels (capacity) * (gsize) laurel_round_to_panels (D);
}

void
laurel_head_cache_put (float *keys, float *values, int capacity, int t, const float *key,
                       const float *value, int D)
{
  float *to = keys + (gsize) (t / PANEL) * (gsize) (D * PANEL) + t % PANEL;

  for (int d = 0; d < D; d++)
    to[(gsize) d * PANEL] = key[d];
  for (int d = 0; d < D; d += PANEL)
    memcpy (values + (gsize) d * (gsize) capacity + (gsize) t * PANEL, value + d,
            (gsize) MIN (PANEL, D - d) * sizeof *values);
}

/* A row of scores holds all keys and the tail of the last panel. */
static gsize
score_stride (int n_keys)
{
  return (gsize) laurel_round_to_panels (n_keys) + PANEL + LAUREL_ROW_PADDING;
}

gsize
laurel_attention_decode_scratch (int n_keys, int D)
{
  return LAUREL_DECODE_ROWS * (2 * (gsize) laurel_round_to_panels (D) + score_stride (n_keys));
}

/* Has the beginning of a cache on its way while another is read. */
static void
fetch (const LaurelHeadCache *cache)
{
  for (int i = 0; i < FETCHED_LINES; i++) {
    __builtin_prefetch (cache->keys + i * CACHE_LINE);
    __builtin_prefetch (cache->values + i * CACHE_LINE);
  }
}

/* A panel's tail falls where the next cache's scores, or nothing, will stand. */
static void
score (const LaurelTileSet *set, const LaurelHeadCache *cache, const float *queries,
       gsize query_stride, int rows, int D, float *scores, gsize stride)
{
  for (int t = 0; t < cache->n; t += PANEL) {
    const float *panel = cache->keys + (gsize) t * (gsize) D;

    set->rows[rows](queries, query_stride, panel, D, scores + t, stride, TRUE,
                    laurel_fetch_ahead (panel));
  }
}

static void
sum_values (const LaurelTileSet *set, const LaurelHeadCache *cache, const float *weights,
            gsize stride, int rows, int D, float *out, gsize out_stride, gboolean from_zero)
{
  for (int d = 0; d < D; d += PANEL) {
    const float *panel = cache->values + (gsize) d * (gsize) cache->capacity;

    set->rows[rows](weights, stride, panel, cache->n, out + d, out_stride, from_zero,
                    laurel_fetch_ahead (panel));
  }
}

void
laurel_attention_decode (float *y, gsize y_stride, const float *q, gsize q_stride, int rows,
                         const LaurelHeadCache *shared, const LaurelHeadCache *own, int D,
                         float *scratch)
{
  const LaurelTileSet *set = laurel_tile_set ();
  float scale = 1.0f / sqrtf ((float) D);
  gsize d_stride = (gsize) laurel_round_to_panels (D), stride;
  float *queries = scratch, *out = queries + LAUREL_DECODE_ROWS * d_stride;
  float *scores = out + LAUREL_DECODE_ROWS * d_stride;
  int longest = 0;

  for (int r = 0; r < rows; r++) {
    longest = MAX (longest, own[r].n);
    for (int d = 0; d < D; d++)
      queries[(gsize) r * d_stride + d] = scale * q[(gsize) r * q_stride + d];
  }
  stride = score_stride (shared->n + longest);
  fetch (&own[0]);
  score (set, shared, queries, d_stride, rows, D, scores, stride);
  for (int r = 0; r < rows; r++) {
    float *row = scores + (gsize) r * stride;

    if (r + 1 < rows)
      fetch (&own[r + 1]);
    score (set, &own[r], queries + (gsize) r * d_stride, 0, 1, D, row + shared->n, 0);
    laurel_attention_softmax (row, shared->n + own[r].n, shared->n + own[r].n);
  }
  sum_values (set, shared, scores, stride, rows, D, out, d_stride, TRUE);
  for (int r = 0; r < rows; r++) {
    float *sum = out + (gsize) r * d_stride;

    sum_values (set, &own[r], scores + (gsize) r * stride + shared->n, 0, 1, D, sum, 0, FALSE);
    memcpy (y + (gsize) r * y_stride, sum, (gsize) D * sizeof *y);
  }
}
