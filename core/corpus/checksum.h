/* checksum.h: a fast 64-bit checksum against damage on the way, not against malice.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LAUREL_CHECKSUM_BLOCK 64

/* The same bytes give the same sum, however they are cut into updates. */
typedef struct {
  guint64 lanes[LAUREL_CHECKSUM_BLOCK / 8];
  guint64 n_bytes;
  guint8 pending[LAUREL_CHECKSUM_BLOCK]; /* n_bytes mod 64 bytes of a block that is not full yet */
} LaurelChecksum;

void laurel_checksum_init (LaurelChecksum *self);
void laurel_checksum_update (LaurelChecksum *self, const void *bytes, gsize n_bytes);
guint64 laurel_checksum_end (const LaurelChecksum *self); /* @self can go on afterwards */

G_END_DECLS
