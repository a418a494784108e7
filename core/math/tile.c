/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/tile_private.h"

static const LaurelTileSet *
choose (void)
{
#if defined(__x86_64__)
  const char *wanted = g_getenv ("LAUREL_SIMD");
  gboolean plain = g_strcmp0 (wanted, "plain") == 0;
  gboolean avx2 = g_strcmp0 (wanted, "avx2") == 0;

  if (!plain && !avx2 && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq"))
    return &laurel_tile_set_avx512;
  if (!plain && __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return &laurel_tile_set_avx2;
#endif
  return &laurel_tile_set_plain;
}

const LaurelTileSet *
laurel_tile_set (void)
{
  static gsize chosen = 0;

  if (g_once_init_enter (&chosen))
    g_once_init_leave (&chosen, (gsize) choose ());
  return (const LaurelTileSet *) chosen;
}
