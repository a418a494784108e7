/* test-token-file.c: token files written, read again, and refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/corpus/checksum.h"
#include "core/corpus/token_file.h"
#include "core/corpus/token_format.h"

#include <glib/gstdio.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_HASH "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define N_DOCUMENTS 5

typedef struct {
  char *dir;
  char *path;
  char *bytes;
  gsize n_bytes;
} Fixture;

static gsize
length_of (int document)
{
  return (gsize) document * document + 1;
}

static gint32
id_of (int document, gsize i, int vocab_size)
{
  return (gint32) ((document * 7919 + i * 104729) % (gsize) vocab_size);
}

static void
write_documents (const char *path, int vocab_size, int n_documents)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenWriter) writer =
      laurel_token_writer_open (path, HASH, vocab_size, vocab_size - 1, &error);

  g_assert_no_error (error);
  for (int d = 0; d < n_documents; d++) {
    g_autofree gint32 *ids = g_new (gint32, length_of (d));

    for (gsize i = 0; i < length_of (d); i++)
      ids[i] = id_of (d, i, vocab_size);
    laurel_token_writer_add (writer, ids, length_of (d), &error);
    g_assert_no_error (error);
  }
  laurel_token_writer_commit (writer, &error);
  g_assert_no_error (error);
}

static void
load_bytes (Fixture *fixture)
{
  g_clear_pointer (&fixture->bytes, g_free);
  g_assert_true (g_file_get_contents (fixture->path, &fixture->bytes, &fixture->n_bytes, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->dir = g_dir_make_tmp ("laurel-tokens-XXXXXX", NULL);
  g_assert_nonnull (fixture->dir);
  fixture->path = g_build_filename (fixture->dir, "text.tokens", NULL);
  fixture->bytes = NULL;
  write_documents (fixture->path, 300, N_DOCUMENTS);
  load_bytes (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (laurel_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  g_free (fixture->path);
  g_free (fixture->bytes);
}

static void
check_documents (const LaurelTokenFile *file, int vocab_size, int n_documents)
{
  guint64 n_tokens = 0;

  g_assert_cmpuint (laurel_token_file_get_n_documents (file), ==, n_documents);
  g_assert_cmpint (laurel_token_file_get_vocab_size (file), ==, vocab_size);
  g_assert_cmpint (laurel_token_file_get_end_of_text (file), ==, vocab_size - 1);
  g_assert_cmpstr (laurel_token_file_get_tokenizer_hash (file), ==, HASH);
  for (int d = 0; d < n_documents; d++) {
    g_autofree gint32 *ids = g_new (gint32, length_of (d));
    guint64 first;

    g_assert_cmpuint (laurel_token_file_get_document (file, d, &first), ==, length_of (d));
    g_assert_cmpuint (first, ==, n_tokens);
    laurel_token_file_read (file, first, length_of (d), ids);
    for (gsize i = 0; i < length_of (d); i++)
      g_assert_cmpint (ids[i], ==, id_of (d, i, vocab_size));
    n_tokens += length_of (d);
  }
  g_assert_cmpuint (laurel_token_file_get_n_tokens (file), ==, n_tokens);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  /* Both sides of what fits two bytes; and a table that is larger than the writer's buffer. */
  static const struct {
    int vocab_size, n_documents, token_bytes;
  } cases[] = { { 1, 1, 2 }, { 65536, 40, 2 }, { 65537, 40, 4 }, { 3, 320, 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (LaurelTokenFile) file = NULL;

    write_documents (fixture->path, cases[i].vocab_size, cases[i].n_documents);
    file = laurel_token_file_open (fixture->path, HASH, &error);
    g_assert_no_error (error);
    check_documents (file, cases[i].vocab_size, cases[i].n_documents);
    load_bytes (fixture);
    g_assert_cmpuint (((LaurelTokenHeader *) (void *) fixture->bytes)->token_bytes, ==,
                      cases[i].token_bytes);
  }
}

/* 20,000 documents of one token: 160 KB of table through a buffer of 64 KB. */
static void
test_many_documents (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTokenWriter) writer =
      laurel_token_writer_open (fixture->path, HASH, 300, -1, NULL);
  g_autoptr (LaurelTokenFile) file = NULL;
  gint32 ids[16];

  for (gint32 i = 0; i < 20000; i++) {
    gint32 id = i % 300;

    g_assert_true (laurel_token_writer_add (writer, &id, 1, NULL));
  }
  g_assert_true (laurel_token_writer_commit (writer, NULL));
  file = laurel_token_file_open (fixture->path, NULL, NULL);
  g_assert_nonnull (file);
  g_assert_cmpint (laurel_token_file_get_end_of_text (file), ==, -1);
  g_assert_cmpuint (laurel_token_file_get_n_documents (file), ==, 20000);
  laurel_token_file_read (file, 19984, 16, ids); /* across documents */
  for (int i = 0; i < 16; i++)
    g_assert_cmpint (ids[i], ==, (19984 + i) % 300);
}

static void
test_atomic (Fixture *fixture, gconstpointer data)
{
  static const gint32 ids[] = { 1, 2, 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  g_autofree char *now = NULL;
  gsize n;

  {
    g_autoptr (LaurelTokenWriter) writer =
        laurel_token_writer_open (fixture->path, HASH, 300, 299, NULL);

    g_assert_true (laurel_token_writer_add (writer, ids, 3, NULL));
  }
  g_assert_true (g_file_get_contents (fixture->path, &now, &n, NULL));
  g_assert_cmpmem (now, n, fixture->bytes, fixture->n_bytes);
  dir = g_dir_open (fixture->dir, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "text.tokens");
  g_assert_null (g_dir_read_name (dir)); /* nothing left behind */
}

static void
test_writer_refuses (Fixture *fixture, gconstpointer data)
{
  static const gint32 wrong[][2] = { { 0, 300 }, { 0, -1 }, { G_MININT32, 0 } };
  g_autoptr (LaurelTokenWriter) writer =
      laurel_token_writer_open (fixture->path, HASH, 300, 299, NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_assert_false (laurel_token_writer_add (writer, wrong[i], 2, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_clear_error (&error);
  }
  g_assert_false (laurel_token_writer_add (writer, wrong[0], 0, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_clear_error (&error);
  g_assert_false (laurel_token_writer_commit (writer, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
}

/* A file that is new need not be on the disk before its bytes are. */
static void
store_bytes (Fixture *fixture, gsize n_bytes)
{
  g_unlink (fixture->path);
  g_assert_true (g_file_set_contents (fixture->path, fixture->bytes, (gssize) n_bytes, NULL));
}

static void
assert_refused (Fixture *fixture, gsize n_bytes, int code)
{
  g_autoptr (GError) error = NULL;
  LaurelTokenFile *file;

  store_bytes (fixture, n_bytes);
  file = laurel_token_file_open (fixture->path, HASH, &error);
  g_assert_null (file);
  g_assert_error (error, LAUREL_ERROR, code);
  g_assert_nonnull (strstr (error->message, "text.tokens"));
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  for (gsize n = 0; n < fixture->n_bytes; n++)
    assert_refused (fixture, n, LAUREL_ERROR_INVALID_DATA);
}

static void
test_every_bit (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < fixture->n_bytes * 8; i++) {
    LaurelTokenFile *file;

    fixture->bytes[i / 8] ^= (char) (1 << i % 8);
    store_bytes (fixture, fixture->n_bytes);
    file = laurel_token_file_open (fixture->path, NULL, NULL);
    g_assert_null (file);
    fixture->bytes[i / 8] ^= (char) (1 << i % 8);
  }
}

/* --- Hostile files: everything but one thing is right, checksum included ------------- */

static LaurelTokenTrailer *
trailer_of (Fixture *fixture)
{
  return (LaurelTokenTrailer *) (void *) (fixture->bytes + fixture->n_bytes
                                          - sizeof (LaurelTokenTrailer));
}

static guint64 *
table_of (Fixture *fixture)
{
  return (guint64 *) (void *) trailer_of (fixture) - (N_DOCUMENTS + 1);
}

static void
assert_hostile_refused (Fixture *fixture, int code)
{
  LaurelTokenTrailer *trailer = trailer_of (fixture);
  LaurelChecksum checksum;

  laurel_checksum_init (&checksum);
  laurel_checksum_update (&checksum, fixture->bytes,
                          (gsize) ((char *) &trailer->checksum - fixture->bytes));
  trailer->checksum = laurel_checksum_end (&checksum);
  assert_refused (fixture, fixture->n_bytes, code);
}

static void
test_hostile_header (Fixture *fixture, gconstpointer data)
{
  LaurelTokenHeader *header = (LaurelTokenHeader *) (void *) fixture->bytes;
  LaurelTokenHeader good = *header;

  header->byte_order = 0x04030201u;
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
  *header = good;
  header->version = 2;
  assert_hostile_refused (fixture, LAUREL_ERROR_NEWER_VERSION);
  *header = good;
  memcpy (header->tokenizer_hash, OTHER_HASH, 64);
  assert_hostile_refused (fixture, LAUREL_ERROR_MISMATCH);
  *header = good;
  header->token_bytes = 4;
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
  *header = good;
  header->vocab_size = 0;
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
  *header = good;
  header->vocab_size = 0x80000001u;
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
  *header = good;
  header->end_of_text = 300;
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
  *header = good;
  header->tokenizer_hash[3] = '\0';
  assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
}

static void
test_hostile_table (Fixture *fixture, gconstpointer data)
{
  guint64 *table = table_of (fixture);
  guint64 n = table[N_DOCUMENTS];
  const struct {
    int entry;
    guint64 value;
  } cases[] = {
    { 0, 1 }, { 1, 0 }, { 2, table[1] }, { 2, table[3] + 1 }, { 3, G_MAXUINT64 },
    { N_DOCUMENTS, n - 1 }, { N_DOCUMENTS, n + 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint64 good = table[cases[i].entry];

    table[cases[i].entry] = cases[i].value;
    assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
    table[cases[i].entry] = good;
  }
}

static void
test_hostile_counts (Fixture *fixture, gconstpointer data)
{
  LaurelTokenTrailer *trailer = trailer_of (fixture);
  LaurelTokenTrailer good = *trailer;
  const guint64 counts[] = { 0, 1, good.n_tokens + 4, G_MAXUINT64, G_MAXUINT64 / 2 + 1,
                             G_GUINT64_CONSTANT (1) << 61 };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    trailer->n_tokens = counts[i];
    assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
    *trailer = good;
    trailer->n_documents = counts[i];
    assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
    trailer->n_tokens = counts[i];
    assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
    *trailer = good;
  }
}

static void
test_hostile_id (Fixture *fixture, gconstpointer data)
{
  guint16 *tokens = (guint16 *) (void *) (fixture->bytes + sizeof (LaurelTokenHeader));
  gsize n = trailer_of (fixture)->n_tokens;
  gsize places[] = { 0, n / 2, n - 1 };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    guint16 good = tokens[places[i]];

    tokens[places[i]] = 300;
    assert_hostile_refused (fixture, LAUREL_ERROR_INVALID_DATA);
    tokens[places[i]] = good;
  }
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_null (laurel_token_file_open (fixture->path, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static void
test_checksum_pieces (void)
{
  guint8 bytes[1000];
  LaurelChecksum whole, longer;
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) laurel_rng_below (&rng, 256);
  laurel_checksum_init (&whole);
  laurel_checksum_update (&whole, bytes, sizeof bytes);
  for (int round = 0; round < 200; round++) {
    LaurelChecksum pieces;
    gsize at = 0;

    laurel_checksum_init (&pieces);
    while (at < sizeof bytes) {
      gsize n = laurel_rng_below (&rng, 150);

      n = MIN (n, sizeof bytes - at);
      laurel_checksum_update (&pieces, bytes + at, n);
      at += n;
    }
    g_assert_cmpuint (laurel_checksum_end (&pieces), ==, laurel_checksum_end (&whole));
  }
  longer = whole;
  laurel_checksum_update (&longer, "", 1); /* a zero byte more */
  g_assert_cmpuint (laurel_checksum_end (&longer), !=, laurel_checksum_end (&whole));
}

#define ADD(path, function) \
  g_test_add ("/corpus/token-file/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("round-trip", test_round_trip);
  ADD ("many-documents", test_many_documents);
  ADD ("atomic", test_atomic);
  ADD ("writer-refuses", test_writer_refuses);
  ADD ("truncated", test_truncated);
  ADD ("every-bit", test_every_bit);
  ADD ("hostile-header", test_hostile_header);
  ADD ("hostile-table", test_hostile_table);
  ADD ("hostile-counts", test_hostile_counts);
  ADD ("hostile-id", test_hostile_id);
  ADD ("missing", test_missing);
  g_test_add_func ("/corpus/checksum/pieces", test_checksum_pieces);
  return g_test_run ();
}
