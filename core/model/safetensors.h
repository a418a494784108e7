/* safetensors.h: reading and writing the format's one file.
 *
 *   8 bytes      length n of the header, little-endian
 *   n bytes      JSON: { "name": { "dtype", "shape", "data_offsets": [begin, end] }, "__metadata__": {…} }
 *   the rest     data; offsets count from here
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

#define LAUREL_MAX_DIMENSIONS 8

typedef struct {
  char *name;
  const char *unreadable; /* the type's name when it is none of LaurelDtype's ("I64"); NULL otherwise */
  LaurelDtype dtype;
  int n_dims;
  gsize shape[LAUREL_MAX_DIMENSIONS];
  gsize n;            /* elements */
  gsize begin, end;   /* data_offsets */
  const guchar *data; /* in the mapped file */
} LaurelFileTensor;

/* A mapped file. Opening checks the whole header by the format's rules (no name twice, every byte of the data
 * in exactly one tensor), so that no tensor reaches past the file or into another one. */
typedef struct {
  char *path;
  GMappedFile *map;
  GHashTable *tensors; /* name → LaurelFileTensor */
} LaurelSafetensors;

LaurelSafetensors *laurel_safetensors_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_safetensors_free (LaurelSafetensors *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelSafetensors, laurel_safetensors_free)

/* The tensors of @layout from @weights, stored as @dtype, atomically. A number that @dtype cannot hold is an error,
 * since the file would not be read again. */
gboolean laurel_safetensors_write (const char *path, const LaurelLayout *layout, const float *weights, LaurelDtype dtype, GError **error);

G_END_DECLS
