/* fuzz-checkpoint.c: a training checkpoint.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/train/checkpoint.h"

#include <string.h>

#define PREFIX_LENGTH 16
#define DIGEST_LENGTH 32
#define RUN "0123456789abcdef"

static gboolean
find_header (const guint8 *data, gsize size, gsize *out_start, gsize *out_end)
{
  guint32 length;

  if (size < PREFIX_LENGTH + DIGEST_LENGTH)
    return FALSE;
  memcpy (&length, data + PREFIX_LENGTH - sizeof length, sizeof length);
  length = GUINT32_FROM_LE (length);
  if (length > size - PREFIX_LENGTH - DIGEST_LENGTH)
    return FALSE;
  *out_start = PREFIX_LENGTH;
  *out_end = PREFIX_LENGTH + length;
  return TRUE;
}

/* The digest is against accidents; a hostile file's is right. */
static void
seal (guint8 *data, gsize size, gsize json_start, gsize json_end)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint32 length = GUINT32_TO_LE ((guint32) (json_end - json_start));
  gsize n = DIGEST_LENGTH;

  memcpy (data + PREFIX_LENGTH - sizeof length, &length, sizeof length);
  g_checksum_update (checksum, data, (gssize) (size - DIGEST_LENGTH));
  g_checksum_get_digest (checksum, data + size - DIGEST_LENGTH, &n);
}

const FuzzFormat fuzz_format = { find_header, seal };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *path = fuzz_write ("checkpoint", data, size);
  float weights[5] = { 0 }, moments[3] = { 0 };
  const LaurelBlock blocks[] = { { "weights", weights, G_N_ELEMENTS (weights) },
                                 { "moments", moments, G_N_ELEMENTS (moments) } };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) state = NULL;

  state = laurel_checkpoint_read (path, RUN, blocks, G_N_ELEMENTS (blocks), &error);
  fuzz_check (state != NULL, error);
  if (state != NULL) {
    g_autofree char *again = g_build_filename (fuzz_folder (), "again", NULL);
    g_autoptr (JsonObject) read = NULL;
    LaurelCheckpointWriter *writer;

    writer = laurel_checkpoint_begin (again, RUN, state, blocks, G_N_ELEMENTS (blocks), &error);
    g_assert_no_error (error);
    laurel_checkpoint_finish (writer, &error);
    g_assert_no_error (error);
    read = laurel_checkpoint_read (again, RUN, blocks, G_N_ELEMENTS (blocks), &error);
    g_assert_no_error (error);
    g_assert_cmpuint (json_object_get_size (read), ==, json_object_get_size (state));
  } else {
    /* Nothing is changed before all is known to be sound. */
    for (gsize i = 0; i < G_N_ELEMENTS (weights); i++)
      g_assert_true (weights[i] == 0);
  }
  return 0;
}
