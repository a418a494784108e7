/* checksum.c: eight lanes of 64-bit words, each step of a lane one-to-one.
 *
 * A step xors a word into its lane, multiplies by an odd number and folds the
 * high half down; all three can be undone, so that a change of one word, or of
 * one bit, always changes the sum. Eight lanes keep the multiplier busy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/checksum.h"

#include <string.h>

#define N_LANES (LAUREL_CHECKSUM_BLOCK / 8)
/* Odd, with bits all over: 2^64 divided by the golden ratio. */
#define MULTIPLIER G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)

static inline guint64
mix (guint64 lane, guint64 word)
{
  lane = (lane ^ word) * MULTIPLIER;
  return lane ^ (lane >> 32);
}

static void
take_blocks (LaurelChecksum *self, const guint8 *bytes, gsize n_blocks)
{
  guint64 lanes[N_LANES];

  memcpy (lanes, self->lanes, sizeof lanes);
  for (gsize i = 0; i < n_blocks; i++, bytes += LAUREL_CHECKSUM_BLOCK) {
    guint64 words[N_LANES];

    memcpy (words, bytes, sizeof words);
    for (int j = 0; j < N_LANES; j++)
      lanes[j] = mix (lanes[j], GUINT64_FROM_LE (words[j]));
  }
  memcpy (self->lanes, lanes, sizeof lanes);
}

void
laurel_checksum_init (LaurelChecksum *self)
{
  memset (self, 0, sizeof *self);
  for (int j = 0; j < N_LANES; j++)
    self->lanes[j] = mix (0, (guint64) j + 1);
}

void
laurel_checksum_update (LaurelChecksum *self, const void *bytes, gsize n_bytes)
{
  const guint8 *at = bytes;
  gsize n_pending = self->n_bytes % LAUREL_CHECKSUM_BLOCK;
  gsize n_blocks;

  self->n_bytes += n_bytes;
  if (n_pending > 0) {
    gsize n = MIN (n_bytes, LAUREL_CHECKSUM_BLOCK - n_pending);

    memcpy (self->pending + n_pending, at, n);
    at += n;
    n_bytes -= n;
    if (n_pending + n < LAUREL_CHECKSUM_BLOCK)
      return;
    take_blocks (self, self->pending, 1);
  }
  n_blocks = n_bytes / LAUREL_CHECKSUM_BLOCK;
  take_blocks (self, at, n_blocks);
  at += n_blocks * LAUREL_CHECKSUM_BLOCK;
  if (n_bytes % LAUREL_CHECKSUM_BLOCK > 0)
    memcpy (self->pending, at, n_bytes % LAUREL_CHECKSUM_BLOCK);
}

guint64
laurel_checksum_end (const LaurelChecksum *self)
{
  LaurelChecksum last = *self;
  gsize n_pending = last.n_bytes % LAUREL_CHECKSUM_BLOCK;
  guint64 sum = last.n_bytes;

  if (n_pending > 0) {
    memset (last.pending + n_pending, 0, LAUREL_CHECKSUM_BLOCK - n_pending);
    take_blocks (&last, last.pending, 1);
  }
  for (int j = 0; j < N_LANES; j++)
    sum = mix (sum, last.lanes[j]);
  return sum;
}
