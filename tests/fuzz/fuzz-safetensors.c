/* fuzz-safetensors.c: a file of tensors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/model/safetensors.h"

#include <string.h>

#define LENGTH_BYTES 8

static gboolean
find_header (const guint8 *data, gsize size, gsize *out_start, gsize *out_end)
{
  guint64 length;

  if (size < LENGTH_BYTES)
    return FALSE;
  memcpy (&length, data, LENGTH_BYTES);
  length = GUINT64_FROM_LE (length);
  if (length > size - LENGTH_BYTES)
    return FALSE;
  *out_start = LENGTH_BYTES;
  *out_end = LENGTH_BYTES + (gsize) length;
  return TRUE;
}

static void
set_length (guint8 *data, gsize size, gsize json_start, gsize json_end)
{
  guint64 length = GUINT64_TO_LE ((guint64) (json_end - json_start));

  memcpy (data, &length, LENGTH_BYTES);
}

const FuzzFormat fuzz_format = { find_header, set_length };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *path = fuzz_write ("model.safetensors", data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelSafetensors) file = laurel_safetensors_open (path, &error);
  GHashTableIter iter;
  gpointer value;

  fuzz_check (file != NULL, error);
  if (file == NULL)
    return 0;
  g_hash_table_iter_init (&iter, file->tensors);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const LaurelFileTensor *tensor = value;
    g_autofree float *out = NULL;

    if (tensor->unreadable != NULL)
      continue;
    /* No tensor is larger than the file, so a buffer of its size can always be had. */
    g_assert_cmpuint (tensor->n, <=, size);
    out = g_new (float, MAX (tensor->n, 1));
    (void) laurel_dtype_to_float (tensor->dtype, tensor->data, out, tensor->n);
  }
  return 0;
}
