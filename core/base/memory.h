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
/* What such a block takes: large ones are whole huge pages. */
gsize laurel_alloc_size (gsize n_bytes);

/* What a thread keeps between calls instead of asking for it again. */
typedef enum {
  LAUREL_SCRATCH_ROWS,
  LAUREL_SCRATCH_LOGITS,
  LAUREL_SCRATCH_REF_LOGITS,
  LAUREL_SCRATCH_ATTENTION,
  LAUREL_SCRATCH_ROW_COPY,
  LAUREL_SCRATCH_PANEL,
  LAUREL_SCRATCH_SAMPLER,
  LAUREL_N_SCRATCHES,
} LaurelScratch;

/* The calling thread's own block for @purpose, at least @n_bytes, with whatever is in it. Valid until the
 * thread asks for the same purpose again; freed when the thread ends. NULL when memory is short. */
void *laurel_scratch_get (LaurelScratch purpose, gsize n_bytes) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
