/* test-memory.c: blocks are zero, aligned, and refused rather than cut short.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"

#include <stdint.h>

static void
test_aligned_and_zero (void)
{
  const gsize sizes[] = { 0, 1, 63, 64, 65, 4096, (4 << 20) - 1, (4 << 20) + 1, 9 << 20 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint8 *block = laurel_alloc_aligned (sizes[i]);
    guint8 any = 0;

    g_assert_nonnull (block);
    g_assert_cmpuint ((uintptr_t) block % 64, ==, 0);
    for (gsize k = 0; k < sizes[i]; k++) {
      any |= block[k];
      block[k] = 0xff; /* all of it is ours to write */
    }
    g_assert_cmpuint (any, ==, 0);
    laurel_free_aligned (block);
  }
  laurel_free_aligned (NULL);
}

/* A size that no machine has, and whose rounding up would wrap around to a small one. */
static void
test_refused (void)
{
  g_assert_null (laurel_alloc_aligned (G_MAXSIZE));
  g_assert_null (laurel_alloc_aligned (G_MAXSIZE - 100));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/memory/aligned-and-zero", test_aligned_and_zero);
  g_test_add_func ("/base/memory/refused", test_refused);
  return g_test_run ();
}
