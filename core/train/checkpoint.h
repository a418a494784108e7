/* checkpoint.h: all that a run needs to go on as if it had never stopped.
 *
 * One file, written whole or not at all:
 *
 *   bytes   what
 *   8       "LAURELCK"
 *   4       version, 1 (little-endian, like every number here)
 *   4       H, length of the header
 *   H       JSON: {"run": …, "state": {…}, "blocks": [{"name": …, "floats": N}, …]}
 *   4 ΣN    the blocks in that order, float32
 *   32      SHA-256 of everything before
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define LAUREL_CHECKPOINT_VERSION 1

typedef struct {
  const char *name;
  float *floats; /* borrowed */
  gsize n;
} LaurelBlock;

/* A checkpoint on its way to the disk. */
typedef struct _LaurelCheckpointWriter LaurelCheckpointWriter;

/* Copies everything to a new file beside @path, then leaves the slow part (digest, disk, taking @path's place) to a
 * thread: @blocks and @state may change as soon as this returns. The copy is in the system's file cache, so that it
 * takes no memory of the process. @run: a fingerprint of what the run is made of. */
LaurelCheckpointWriter *laurel_checkpoint_begin (const char *path, const char *run, JsonObject *state, const LaurelBlock *blocks, int n_blocks, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_checkpoint_is_done (LaurelCheckpointWriter *self);
/* Waits, and frees @self. A failure leaves the file that was there before. */
gboolean laurel_checkpoint_finish (LaurelCheckpointWriter *self, GError **error);
/* Files beside @path that a process which was killed has left half written. */
void laurel_checkpoint_remove_leftovers (const char *path);

/* Fills @blocks, which must be those that were written, by name and length, by a run of the same fingerprint.
 * Everything is checked before the first float is changed. Returns the state (transfer full). */
JsonObject *laurel_checkpoint_read (const char *path, const char *run, const LaurelBlock *blocks, int n_blocks, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The step of the checkpoint at @path; 0 where there is none. Anything else that can't be read is an error; damage
 * behind the header is seen only with @whole, which reads it all. */
gboolean laurel_checkpoint_read_step (const char *path, gboolean whole, int *out_step, GError **error);

G_END_DECLS
