/* attention_decode.c: one query over cached keys and values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/attention.h"
#include "core/math/tile.h"

#include <math.h>
#include <string.h>

#define PANEL LAUREL_PANEL

static int
round_up (int n)
{
  return (n + PANEL - 1) / PANEL * PANEL;
}

gsize
laurel_head_cache_size (int capacity, int D)
{
  return (gsize) round_up (capacity) * (gsize) round_up (D);
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

gsize
laurel_attention_decode_scratch (int n_keys, int D)
{
  return 2 * (gsize) round_up (D) + (gsize) n_keys + 2 * PANEL;
}

void
laurel_attention_decode (float *y, const float *q, const LaurelHeadCache *caches, int n_caches,
                         int D, float *scratch)
{
  const LaurelTileSet *set = laurel_tile_set ();
  float scale = 1.0f / sqrtf ((float) D);
  float *query = scratch, *out = query + round_up (D), *scores = out + round_up (D);
  int n = 0;

  for (int d = 0; d < D; d++)
    query[d] = scale * q[d];
  /* A panel's tail falls where the next cache's scores, or nothing, will stand. */
  for (int c = 0; c < n_caches; c++) {
    for (int t = 0; t < caches[c].n; t += PANEL)
      set->rows[1](query, 0, caches[c].keys + (gsize) t * (gsize) D, D, scores + n + t, 0, TRUE);
    n += caches[c].n;
  }
  laurel_attention_softmax (scores, n, n);
  for (int d = 0; d < D; d += PANEL) {
    int before = 0;

    for (int c = 0; c < n_caches; c++) {
      set->rows[1](scores + before, 0, caches[c].values + (gsize) d * (gsize) caches[c].capacity,
                   caches[c].n, out + d, 0, c == 0);
      before += caches[c].n;
    }
  }
  memcpy (y, out, (gsize) D * sizeof *y);
}
