/* attention.h: a head's keys and values as the tiles want them, and attention of new tokens over
 * such caches. kernels.h has attention over whole sequences.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* x (T, D), rows @stride apart, as panels of 32 rows: out[(t / 32) D 32 + d 32 + t % 32]. What is beyond T in
 * the last panel is 0. */
void laurel_attention_pack_across (float *out, const float *x, gsize stride, int T, int D);
/* x (T, D) as panels of 32 channels: out[(d / 32) capacity 32 + t 32 + d % 32], zeros beyond D. */
void laurel_attention_pack_along (float *out, const float *x, gsize stride, int T, int D, int capacity);

/* scores (columns), of which the first @n_keys count, into weights; the rest become 0. Returns log Σ exp. */
float laurel_attention_softmax (float *scores, int n_keys, int columns);

/* One head's keys, packed across, and values, packed along, of @n tokens. */
typedef struct {
  const float *keys, *values;
  int n, capacity; /* tokens that there are, and that there is room for */
} LaurelHeadCache;

/* Floats of one head's keys, or values, of @capacity tokens. */
gsize laurel_head_cache_size (int capacity, int D);
/* Takes token @t's key and value (D) in. */
void laurel_head_cache_put (float *keys, float *values, int capacity, int t, const float *key, const float *value, int D);

/* Most queries of one call. */
#define LAUREL_DECODE_ROWS 12

/* Floats of scratch for queries that see at most @n_keys keys each. */
gsize laurel_attention_decode_scratch (int n_keys, int D);
/* One head of @rows queries, by the calling thread alone: query q + r · q_stride (D) sees all of @shared and then
 * own[r], and gives y + r · y_stride (D). The bits are those that laurel_attention_forward() gives for the last
 * token of the same sequence. */
void laurel_attention_decode (float *y, gsize y_stride, const float *q, gsize q_stride, int rows, const LaurelHeadCache *shared, const LaurelHeadCache *own, int D, float *scratch);

G_END_DECLS
