/* fuzz-tokens.c: a token file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/corpus/checksum.h"
#include "core/corpus/token_file.h"
#include "core/corpus/token_format.h"

#include <string.h>

/* The checksum is against accidents; a hostile file's is right. */
static void
set_checksum (guint8 *data, gsize size, gsize start, gsize end)
{
  gsize at = size - sizeof (LaurelTokenTrailer) + G_STRUCT_OFFSET (LaurelTokenTrailer, checksum);
  LaurelChecksum checksum;
  guint64 sum;

  if (size < sizeof (LaurelTokenHeader) + sizeof (LaurelTokenTrailer))
    return;
  laurel_checksum_init (&checksum);
  laurel_checksum_update (&checksum, data, at);
  sum = laurel_checksum_end (&checksum);
  memcpy (data + at, &sum, sizeof sum);
}

const FuzzFormat fuzz_format = { NULL, set_checksum };

static gint32 *
read_all (const LaurelTokenFile *file)
{
  guint64 n = laurel_token_file_get_n_tokens (file);
  gint32 *ids = g_new (gint32, n);

  laurel_token_file_read (file, 0, n, ids);
  for (guint64 i = 0; i < n; i++) {
    g_assert_cmpint (ids[i], >=, 0);
    g_assert_cmpint (ids[i], <, laurel_token_file_get_vocab_size (file));
  }
  return ids;
}

/* The documents written again are the same documents. */
static void
check_again (const LaurelTokenFile *file, const gint32 *ids)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), "again.tokens", NULL);
  const char *hash = laurel_token_file_get_tokenizer_hash (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenFile) again = NULL;
  g_autofree gint32 *read = NULL;
  g_autoptr (LaurelTokenWriter) writer =
      laurel_token_writer_open (path, hash, laurel_token_file_get_vocab_size (file),
                                laurel_token_file_get_end_of_text (file), &error);
  guint64 n = laurel_token_file_get_n_tokens (file), sum = 0;

  g_assert_no_error (error);
  for (guint64 i = 0; i < laurel_token_file_get_n_documents (file); i++) {
    guint64 first, length = laurel_token_file_get_document (file, i, &first);

    g_assert_cmpuint (first, ==, sum);
    g_assert_cmpuint (length, >, 0);
    sum += length;
    g_assert_cmpuint (sum, <=, n);
    laurel_token_writer_add (writer, ids + first, length, &error);
    g_assert_no_error (error);
  }
  g_assert_cmpuint (sum, ==, n);
  laurel_token_writer_commit (writer, &error);
  g_assert_no_error (error);
  again = laurel_token_file_open (path, hash, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (laurel_token_file_get_n_tokens (again), ==, n);
  g_assert_cmpuint (laurel_token_file_get_n_documents (again), ==,
                    laurel_token_file_get_n_documents (file));
  read = read_all (again);
  g_assert_cmpmem (read, n * sizeof *read, ids, n * sizeof *ids);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  const char *path = fuzz_write ("corpus.tokens", data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenFile) file = laurel_token_file_open (path, NULL, &error);

  fuzz_check (file != NULL, error);
  if (file != NULL) {
    g_autofree gint32 *ids = read_all (file);

    check_again (file, ids);
  }
  return 0;
}
