/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE 64
#define HUGE_PAGE (2u << 20)

static gsize
choose_alignment (gsize n_bytes)
{
  return n_bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
}

gsize
laurel_alloc_size (gsize n_bytes)
{
  gsize alignment = choose_alignment (n_bytes);

  return (MAX (n_bytes, 1) + alignment - 1) / alignment * alignment;
}

void *
laurel_alloc_aligned (gsize n_bytes)
{
  gsize alignment = choose_alignment (n_bytes);
  gsize size;
  void *block = NULL;

  if (n_bytes > G_MAXSSIZE)
    return NULL; /* rounding up would wrap around */
  size = laurel_alloc_size (n_bytes);
  if (posix_memalign (&block, alignment, size) != 0)
    return NULL;
  if (alignment == HUGE_PAGE)
    (void) madvise (block, size, MADV_HUGEPAGE);
  memset (block, 0, size);
  return block;
}

void
laurel_free_aligned (void *block)
{
  free (block);
}

typedef struct {
  void *blocks[LAUREL_N_SCRATCHES];
  gsize sizes[LAUREL_N_SCRATCHES];
} Scratches;

static void
scratches_free (gpointer data)
{
  Scratches *self = data;

  for (int i = 0; i < LAUREL_N_SCRATCHES; i++)
    laurel_free_aligned (self->blocks[i]);
  g_free (self);
}

static GPrivate scratches = G_PRIVATE_INIT (scratches_free);

void *
laurel_scratch_get (LaurelScratch purpose, gsize n_bytes)
{
  Scratches *self = g_private_get (&scratches);

  if (self == NULL) {
    self = g_new0 (Scratches, 1);
    g_private_set (&scratches, self);
  }
  if (self->sizes[purpose] < n_bytes) {
    laurel_free_aligned (self->blocks[purpose]);
    self->blocks[purpose] = laurel_alloc_aligned (n_bytes);
    self->sizes[purpose] = self->blocks[purpose] != NULL ? n_bytes : 0;
  }
  return self->blocks[purpose];
}
