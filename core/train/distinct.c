/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/distinct.h"

#include <math.h>

void
laurel_distinct_add (GArray *pairs, const gint32 *tokens, int n)
{
  for (int t = 1; t < n; t++) {
    guint64 pair = (guint64) (guint32) tokens[t - 1] << 32 | (guint32) tokens[t];

    g_array_append_val (pairs, pair);
  }
}

static int
compare_pairs (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return (x > y) - (x < y);
}

double
laurel_distinct_share (GArray *pairs)
{
  guint n_different = 0;

  if (pairs->len == 0)
    return NAN;
  g_array_sort (pairs, compare_pairs);
  for (guint i = 0; i < pairs->len; i++)
    n_different += i == 0
                   || g_array_index (pairs, guint64, i - 1) != g_array_index (pairs, guint64, i);
  return (double) n_different / pairs->len;
}
