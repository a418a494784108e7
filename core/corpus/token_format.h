/* token_format.h: the records of a token file, for its reader and its writer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LAUREL_TOKEN_FILE_MAGIC "\x89LTOK\r\n\x1a"
#define LAUREL_TOKEN_FILE_END "KOTL\x89\r\n\x1a"
#define LAUREL_TOKEN_FILE_BYTE_ORDER 0x01020304u
#define LAUREL_TOKEN_FILE_VERSION 1
#define LAUREL_TOKEN_FILE_NO_ID G_MAXUINT32
#define LAUREL_TOKEN_FILE_HASH_LENGTH 64

typedef struct {
  char magic[8];
  guint32 byte_order;
  guint32 version;
  guint32 token_bytes;
  guint32 vocab_size;
  guint32 end_of_text;
  guint8 zeros[36];
  char tokenizer_hash[LAUREL_TOKEN_FILE_HASH_LENGTH];
} LaurelTokenHeader;

typedef struct {
  guint64 n_tokens;
  guint64 n_documents;
  guint64 checksum;
  char end[8];
} LaurelTokenTrailer;

G_STATIC_ASSERT (sizeof (LaurelTokenHeader) == 128);
G_STATIC_ASSERT (sizeof (LaurelTokenTrailer) == 32);

/* A vocabulary of 65,536 has ids up to 65,535. */
static inline guint32
laurel_token_bytes (guint32 vocab_size)
{
  return vocab_size <= 65536 ? 2 : 4;
}

G_END_DECLS
