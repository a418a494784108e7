/* memory.h: large blocks of floats.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Zeroed memory, aligned to 64 bytes; blocks over 4 MiB ask for huge pages.
 * NULL when the machine has not that much. Free with laurel_free_aligned(). */
void *laurel_alloc_aligned (gsize n_bytes) G_GNUC_WARN_UNUSED_RESULT;
void laurel_free_aligned (void *block);

/* Bytes of this process that are in memory now, and the most there ever were. */
gsize laurel_memory_resident (void);
gsize laurel_memory_peak (void);

G_END_DECLS
