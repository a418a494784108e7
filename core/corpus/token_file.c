/* token_file.c: mapping and checking a token file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/token_file.h"

#include "core/base/error.h"
#include "core/corpus/checksum.h"
#include "core/corpus/token_format.h"

#include <string.h>
#include <sys/mman.h>

/* The check walks the file in such pieces and lets go of each, so that a large file does not
 * push everything else out of memory. */
#define PIECE ((gsize) 8 << 20)

struct _LaurelTokenFile {
  gint ref_count;
  GMappedFile *map;
  const char *path; /* during the check alone */
  const LaurelTokenHeader *header;
  LaurelTokenTrailer trailer;
  const char *tokens;
  const guint64 *offsets; /* (n_documents + 1) */
  char tokenizer_hash[LAUREL_TOKEN_FILE_HASH_LENGTH + 1];
};

static gboolean
refuse (const LaurelTokenFile *self, int code, GError **error, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
refuse (const LaurelTokenFile *self, int code, GError **error, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, code, "Could not use the token file “%s”: %s", self->path, why);
  return FALSE;
}

static gboolean
refuse_damaged (const LaurelTokenFile *self, const char *what, GError **error)
{
  return refuse (self, LAUREL_ERROR_INVALID_DATA, error,
                 "%s, so it is damaged; prepare it again from the text", what);
}

static gboolean
check_kind (const LaurelTokenFile *self, gsize size, GError **error)
{
  const LaurelTokenHeader *header = self->header;

  if (size < 8 || memcmp (header->magic, LAUREL_TOKEN_FILE_MAGIC, 8) != 0)
    return refuse (self, LAUREL_ERROR_INVALID_DATA, error,
                   "it is none; give a file that “laurelctl corpus prepare” wrote");
  if (size < sizeof *header + sizeof (LaurelTokenTrailer))
    return refuse_damaged (self, "it is cut short", error);
  if (header->byte_order == GUINT32_SWAP_LE_BE (LAUREL_TOKEN_FILE_BYTE_ORDER))
    return refuse (self, LAUREL_ERROR_INVALID_DATA, error,
                   "it was written on a machine of the other byte order; prepare it again on "
                   "this one");
  if (header->byte_order != LAUREL_TOKEN_FILE_BYTE_ORDER)
    return refuse_damaged (self, "its byte order mark is none", error);
  if (header->version > LAUREL_TOKEN_FILE_VERSION)
    return refuse (self, LAUREL_ERROR_NEWER_VERSION, error,
                   "a newer Laurel wrote it (version %u, this one reads %d); update Laurel",
                   header->version, LAUREL_TOKEN_FILE_VERSION);
  if (header->version != LAUREL_TOKEN_FILE_VERSION)
    return refuse_damaged (self, "its version is none", error);
  return TRUE;
}

static gboolean
check_header (LaurelTokenFile *self, GError **error)
{
  const LaurelTokenHeader *header = self->header;

  if (header->vocab_size < 1 || header->vocab_size > G_MAXINT32)
    return refuse_damaged (self, "its vocabulary size is none", error);
  if (header->token_bytes != laurel_token_bytes (header->vocab_size))
    return refuse_damaged (self, "its token width does not suit its vocabulary", error);
  if (header->end_of_text != LAUREL_TOKEN_FILE_NO_ID && header->end_of_text >= header->vocab_size)
    return refuse_damaged (self, "its end-of-text is outside its vocabulary", error);
  for (int i = 0; i < LAUREL_TOKEN_FILE_HASH_LENGTH; i++)
    if (!g_ascii_isxdigit (header->tokenizer_hash[i]))
      return refuse_damaged (self, "its tokenizer's hash is none", error);
  memcpy (self->tokenizer_hash, header->tokenizer_hash, LAUREL_TOKEN_FILE_HASH_LENGTH);
  return TRUE;
}

/* Finds tokens and table; every sum is made so that it cannot pass 2^64. */
static gboolean
check_layout (LaurelTokenFile *self, gsize size, GError **error)
{
  const char *bytes = (const char *) self->header;
  gsize room = size - sizeof (LaurelTokenHeader) - sizeof (LaurelTokenTrailer);
  guint32 width = self->header->token_bytes;
  gsize n_bytes;

  memcpy (&self->trailer, bytes + size - sizeof self->trailer, sizeof self->trailer);
  if (memcmp (self->trailer.end, LAUREL_TOKEN_FILE_END, 8) != 0)
    return refuse_damaged (self, "its end is missing", error);
  if (self->trailer.n_documents < 1 || self->trailer.n_documents > self->trailer.n_tokens
      || self->trailer.n_tokens > room / width)
    return refuse_damaged (self, "it counts more than it holds", error);
  n_bytes = (self->trailer.n_tokens * width + 7) / 8 * 8;
  if (n_bytes > room || (room - n_bytes) / 8 != self->trailer.n_documents + 1
      || (room - n_bytes) % 8 != 0)
    return refuse_damaged (self, "its length is not what it states", error);
  self->tokens = bytes + sizeof (LaurelTokenHeader);
  self->offsets = (const guint64 *) (const void *) (self->tokens + n_bytes);
  return TRUE;
}

static gboolean
check_table (const LaurelTokenFile *self, GError **error)
{
  guint64 n = self->trailer.n_documents;

  if (self->offsets[0] != 0 || self->offsets[n] != self->trailer.n_tokens)
    return refuse_damaged (self, "its documents do not cover its tokens", error);
  for (guint64 i = 0; i < n; i++)
    if (self->offsets[i] >= self->offsets[i + 1])
      return refuse_damaged (self, "its documents overlap", error);
  return TRUE;
}

static guint32
find_largest (const LaurelTokenFile *self, guint64 first, gsize n)
{
  guint32 largest = 0;

  if (self->header->token_bytes == 2) {
    const guint16 *tokens = (const guint16 *) (const void *) self->tokens + first;
    guint16 narrow = 0;

    for (gsize i = 0; i < n; i++)
      narrow = MAX (narrow, tokens[i]);
    return narrow;
  }
  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, ((const guint32 *) (const void *) self->tokens)[first + i]);
  return largest;
}

/* Largest id and checksum together, while a piece is in the cache. */
static gboolean
check_contents (const LaurelTokenFile *self, gsize size, GError **error)
{
  const guint8 *bytes = (const guint8 *) self->header;
  gsize end = size - sizeof (LaurelTokenTrailer) + G_STRUCT_OFFSET (LaurelTokenTrailer, checksum);
  gsize per_piece = PIECE / self->header->token_bytes;
  guint64 n_seen = 0;
  guint32 largest = 0;
  LaurelChecksum checksum;

  laurel_checksum_init (&checksum);
  for (gsize at = 0; at < end; at += PIECE) {
    gsize n = MIN (per_piece, self->trailer.n_tokens - n_seen);

    laurel_checksum_update (&checksum, bytes + at, MIN (PIECE, end - at));
    largest = MAX (largest, find_largest (self, n_seen, n));
    n_seen += n;
    (void) madvise ((void *) (guintptr) (bytes + at), MIN (PIECE, size - at), MADV_DONTNEED);
  }
  if (laurel_checksum_end (&checksum) != self->trailer.checksum)
    return refuse_damaged (self, "its checksum does not match", error);
  if (largest >= self->header->vocab_size)
    return refuse_damaged (self, "it has a token that its vocabulary has not", error);
  return TRUE;
}

static gboolean
check_tokenizer (const LaurelTokenFile *self, const char *hash, GError **error)
{
  if (hash == NULL || g_ascii_strcasecmp (hash, self->tokenizer_hash) == 0)
    return TRUE;
  return refuse (self, LAUREL_ERROR_MISMATCH, error,
                 "it was made with another tokenizer (%.12s…, not %.12s…); prepare the text "
                 "again with this one",
                 self->tokenizer_hash, hash);
}

LaurelTokenFile *
laurel_token_file_open (const char *path, const char *tokenizer_hash, GError **error)
{
  g_autoptr (LaurelTokenFile) self = g_new0 (LaurelTokenFile, 1);
  g_autoptr (GError) local = NULL;
  gsize size;

  self->ref_count = 1;
  self->path = path;
  self->map = g_mapped_file_new (path, FALSE, &local);
  if (self->map == NULL) {
    refuse (self,
            g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? LAUREL_ERROR_NOT_FOUND
                                                                      : LAUREL_ERROR_IO,
            error, "%s; check the path", local->message);
    return NULL;
  }
  size = g_mapped_file_get_length (self->map);
  self->header = (const void *) g_mapped_file_get_contents (self->map);
  if (!check_kind (self, size, error) || !check_header (self, error)
      || !check_tokenizer (self, tokenizer_hash, error) || !check_layout (self, size, error)
      || !check_table (self, error) || !check_contents (self, size, error))
    return NULL;
  self->path = NULL;
  return g_steal_pointer (&self);
}

LaurelTokenFile *
laurel_token_file_ref (LaurelTokenFile *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
laurel_token_file_unref (LaurelTokenFile *self)
{
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_clear_pointer (&self->map, g_mapped_file_unref);
  g_free (self);
}

guint64
laurel_token_file_get_n_tokens (const LaurelTokenFile *self)
{
  return self->trailer.n_tokens;
}

guint64
laurel_token_file_get_n_documents (const LaurelTokenFile *self)
{
  return self->trailer.n_documents;
}

int
laurel_token_file_get_vocab_size (const LaurelTokenFile *self)
{
  return (int) self->header->vocab_size;
}

int
laurel_token_file_get_end_of_text (const LaurelTokenFile *self)
{
  guint32 id = self->header->end_of_text;

  return id != LAUREL_TOKEN_FILE_NO_ID ? (int) id : -1;
}

const char *
laurel_token_file_get_tokenizer_hash (const LaurelTokenFile *self)
{
  return self->tokenizer_hash;
}

guint64
laurel_token_file_get_checksum (const LaurelTokenFile *self)
{
  return self->trailer.checksum;
}

guint64
laurel_token_file_get_document (const LaurelTokenFile *self,
                                guint64 document,
                                guint64 *out_first)
{
  g_return_val_if_fail (document < self->trailer.n_documents, 0);
  if (out_first != NULL)
    *out_first = self->offsets[document];
  return self->offsets[document + 1] - self->offsets[document];
}

void
laurel_token_file_release (const LaurelTokenFile *self)
{
  (void) madvise ((void *) (guintptr) self->header, g_mapped_file_get_length (self->map),
                  MADV_DONTNEED);
}

void
laurel_token_file_read (const LaurelTokenFile *self, guint64 first, gsize n, gint32 *ids)
{
  g_return_if_fail (first <= self->trailer.n_tokens && n <= self->trailer.n_tokens - first);
  if (n == 0)
    return;
  if (self->header->token_bytes == 2) {
    const guint16 *tokens = (const guint16 *) (const void *) self->tokens + first;

    for (gsize i = 0; i < n; i++)
      ids[i] = tokens[i];
  } else {
    memcpy (ids, self->tokens + first * sizeof (guint32), n * sizeof (guint32));
  }
}
