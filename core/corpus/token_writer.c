/* token_writer.c: writing a token file as a stream.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/corpus/checksum.h"
#include "core/corpus/token_file.h"
#include "core/corpus/token_format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES 65536

struct _LaurelTokenWriter {
  char *path;
  LaurelFileWriter *file;
  LaurelChecksum checksum;
  guint32 vocab_size;
  guint32 token_bytes;
  guint64 n_tokens;
  guint64 n_documents;
  int table_fd; /* the documents' first tokens, in a file without a name */
  GByteArray *table;
  guint8 buffer[BUFFER_BYTES];
};

static gboolean
set_table_error (const LaurelTokenWriter *self, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
               "Could not write the token file “%s”: its table could not be kept beside it (%s); "
               "check the folder and the disk's space",
               self->path, g_strerror (errno));
  return FALSE;
}

static int
open_nameless_file (const char *path)
{
  g_autofree char *name = g_strdup_printf ("%s.XXXXXX", path);
  int fd = g_mkstemp (name);

  if (fd >= 0)
    unlink (name);
  return fd;
}

static gboolean
write_bytes (LaurelTokenWriter *self, const void *bytes, gsize n_bytes, GError **error)
{
  laurel_checksum_update (&self->checksum, bytes, n_bytes);
  return laurel_file_writer_write (self->file, bytes, n_bytes, error);
}

static gboolean
write_header (LaurelTokenWriter *self, const char *hash, int end_of_text, GError **error)
{
  LaurelTokenHeader header = {
    .byte_order = LAUREL_TOKEN_FILE_BYTE_ORDER,
    .version = LAUREL_TOKEN_FILE_VERSION,
    .token_bytes = self->token_bytes,
    .vocab_size = self->vocab_size,
    .end_of_text = end_of_text >= 0 ? (guint32) end_of_text : LAUREL_TOKEN_FILE_NO_ID,
  };

  memcpy (header.magic, LAUREL_TOKEN_FILE_MAGIC, sizeof header.magic);
  memcpy (header.tokenizer_hash, hash, sizeof header.tokenizer_hash);
  return write_bytes (self, &header, sizeof header, error);
}

LaurelTokenWriter *
laurel_token_writer_open (const char *path,
                          const char *tokenizer_hash,
                          int vocab_size,
                          int end_of_text,
                          GError **error)
{
  g_autoptr (LaurelTokenWriter) self = NULL;

  g_return_val_if_fail (strlen (tokenizer_hash) == LAUREL_TOKEN_FILE_HASH_LENGTH, NULL);
  g_return_val_if_fail (vocab_size >= 1 && end_of_text >= -1 && end_of_text < vocab_size, NULL);
  self = g_new0 (LaurelTokenWriter, 1);
  self->path = g_strdup (path);
  self->vocab_size = (guint32) vocab_size;
  self->token_bytes = laurel_token_bytes (self->vocab_size);
  self->table = g_byte_array_new ();
  laurel_checksum_init (&self->checksum);
  self->table_fd = open_nameless_file (path);
  if (self->table_fd < 0) {
    set_table_error (self, error);
    return NULL;
  }
  self->file = laurel_file_writer_open (path, error);
  if (self->file == NULL || !write_header (self, tokenizer_hash, end_of_text, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
check_ids (const LaurelTokenWriter *self, const gint32 *ids, gsize n, GError **error)
{
  guint32 largest = 0; /* negative ids are the largest of all */

  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, (guint32) ids[i]);
  if (n > 0 && largest < self->vocab_size)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not write the token file “%s”: document %" G_GUINT64_FORMAT " %s; "
               "encode it with the file's own tokenizer",
               self->path, self->n_documents + 1,
               n == 0 ? "has no tokens" : "has a token that the vocabulary has not");
  return FALSE;
}

static gboolean
flush_table (LaurelTokenWriter *self, GError **error)
{
  gsize done = 0;

  while (done < self->table->len) {
    gssize n = write (self->table_fd, self->table->data + done, self->table->len - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_table_error (self, error);
    done += (gsize) n;
  }
  g_byte_array_set_size (self->table, 0);
  return TRUE;
}

static gboolean
write_ids (LaurelTokenWriter *self, const gint32 *ids, gsize n, GError **error)
{
  guint16 *narrow = (guint16 *) (void *) self->buffer;
  gsize at_once = sizeof self->buffer / sizeof *narrow;

  if (self->token_bytes == 4)
    return write_bytes (self, ids, n * sizeof *ids, error);
  for (gsize at = 0; at < n; at += at_once) {
    gsize count = MIN (at_once, n - at);

    for (gsize i = 0; i < count; i++)
      narrow[i] = (guint16) ids[at + i];
    if (!write_bytes (self, narrow, count * sizeof *narrow, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_token_writer_add (LaurelTokenWriter *self, const gint32 *ids, gsize n, GError **error)
{
  if (!check_ids (self, ids, n, error) || !write_ids (self, ids, n, error))
    return FALSE;
  g_byte_array_append (self->table, (const guint8 *) &self->n_tokens, sizeof self->n_tokens);
  self->n_tokens += n;
  self->n_documents++;
  return self->table->len < BUFFER_BYTES || flush_table (self, error);
}

static gboolean
copy_table (LaurelTokenWriter *self, GError **error)
{
  guint64 n_left = self->n_documents * sizeof (guint64);

  if (!flush_table (self, error))
    return FALSE;
  if (lseek (self->table_fd, 0, SEEK_SET) != 0)
    return set_table_error (self, error);
  while (n_left > 0) {
    gssize n = read (self->table_fd, self->buffer, MIN (n_left, sizeof self->buffer));

    if (n < 0 && errno == EINTR)
      continue;
    if (n == 0)
      errno = EIO; /* it is shorter than what was written to it */
    if (n <= 0)
      return set_table_error (self, error);
    if (!write_bytes (self, self->buffer, (gsize) n, error))
      return FALSE;
    n_left -= (guint64) n;
  }
  return write_bytes (self, &self->n_tokens, sizeof self->n_tokens, error);
}

gboolean
laurel_token_writer_commit (LaurelTokenWriter *self, GError **error)
{
  static const guint8 zeros[8] = { 0 };
  LaurelTokenTrailer trailer = { self->n_tokens, self->n_documents };
  gsize n_padding = (8 - self->n_tokens * self->token_bytes % 8) % 8;

  if (self->n_documents == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not write the token file “%s”: there is no document to put in it; give "
                 "it text",
                 self->path);
    return FALSE;
  }
  if (!write_bytes (self, zeros, n_padding, error) || !copy_table (self, error))
    return FALSE;
  laurel_checksum_update (&self->checksum, &trailer,
                          G_STRUCT_OFFSET (LaurelTokenTrailer, checksum));
  trailer.checksum = laurel_checksum_end (&self->checksum);
  memcpy (trailer.end, LAUREL_TOKEN_FILE_END, sizeof trailer.end);
  return laurel_file_writer_write (self->file, &trailer, sizeof trailer, error)
         && laurel_file_writer_commit (self->file, error);
}

void
laurel_token_writer_free (LaurelTokenWriter *self)
{
  if (self == NULL)
    return;
  if (self->table_fd >= 0)
    close (self->table_fd);
  g_clear_pointer (&self->table, g_byte_array_unref);
  laurel_file_writer_free (self->file);
  g_free (self->path);
  g_free (self);
}
