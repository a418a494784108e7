/* token_file.h: token ids of many documents in one memory-mapped file.
 *
 * All numbers are in the byte order of the machine that wrote the file, which
 * a mark in the header states:
 *
 *   header, 128 bytes
 *      0  magic, 8 bytes: 89 “LTOK” 0d 0a 1a
 *      8  uint32  byte order mark, 01020304 hex
 *     12  uint32  version, 1
 *     16  uint32  bytes a token: 2 (vocabulary of at most 65,536) or 4
 *     20  uint32  vocabulary size
 *     24  uint32  id of end-of-text, ffffffff hex when there is none
 *     28  zero bytes
 *     64  the tokenizer's SHA-256, 64 hexadecimal digits
 *   tokens, document after document, then zero bytes up to a multiple of 8
 *   n_documents + 1 × uint64: each document's first token, and n_tokens
 *   trailer, 32 bytes
 *      0  uint64  n_tokens
 *      8  uint64  n_documents
 *     16  uint64  checksum of every byte before it
 *     24  magic of the end, 8 bytes: “KOTL” 89 0d 0a 1a
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* --- Reading ------------------------------------------------------------------------- */

/* Immutable once opened; any thread may read it. Replacing the file (rename) does no
 * harm; cutting it short in place while it is open ends the process, as for any mapping. */
typedef struct _LaurelTokenFile LaurelTokenFile;

/* Maps @path and checks all of it in one pass: sizes, checksum, document table, every id
 * below the vocabulary's size; whatever is read later is sound. With @tokenizer_hash
 * (laurel_tokenizer_get_hash(); NULL: any), a file of another tokenizer is
 * LAUREL_ERROR_MISMATCH. Takes about a second for 2 GB that are not in memory yet. */
LaurelTokenFile *laurel_token_file_open (const char *path, const char *tokenizer_hash, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelTokenFile *laurel_token_file_ref (LaurelTokenFile *self);
void laurel_token_file_unref (LaurelTokenFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTokenFile, laurel_token_file_unref)

guint64 laurel_token_file_get_n_tokens (const LaurelTokenFile *self);
guint64 laurel_token_file_get_n_documents (const LaurelTokenFile *self); /* at least 1 */
int laurel_token_file_get_vocab_size (const LaurelTokenFile *self);
int laurel_token_file_get_end_of_text (const LaurelTokenFile *self); /* −1 when there is none */
const char *laurel_token_file_get_tokenizer_hash (const LaurelTokenFile *self);
guint64 laurel_token_file_get_checksum (const LaurelTokenFile *self); /* of all of it: what tells two files apart */

/* The number of tokens of document @document (0 … n_documents − 1), at least 1; *@out_first
 * (may be NULL) is the position of its first one among all tokens of the file. */
guint64 laurel_token_file_get_document (const LaurelTokenFile *self, guint64 document, guint64 *out_first);

/* Copies the tokens @first … @first + @n − 1 of the file to @ids (n), across documents
 * where they meet. @first + @n is at most n_tokens. */
void laurel_token_file_read (const LaurelTokenFile *self, guint64 first, gsize n, gint32 *ids);

/* Lets go of the pages that reading has touched, after a walk over much of the file: the system keeps them as long as
 * it has room, but they count as the process's no more. */
void laurel_token_file_release (const LaurelTokenFile *self);

/* --- Writing ------------------------------------------------------------------------- */

/* Appears at its path whole, at commit, or not at all. Memory does not grow with the file:
 * the document table waits in a nameless file in the same folder. */
typedef struct _LaurelTokenWriter LaurelTokenWriter;

/* @vocab_size is 1 to 2^31 − 1; @end_of_text −1 when there is none. */
LaurelTokenWriter *laurel_token_writer_open (const char *path, const char *tokenizer_hash, int vocab_size, int end_of_text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends one document of @n ids, at least 1, each below the vocabulary's size. The ids
 * are stored as they are: an end-of-text is the caller's to add. */
gboolean laurel_token_writer_add (LaurelTokenWriter *self, const gint32 *ids, gsize n, GError **error);
gboolean laurel_token_writer_commit (LaurelTokenWriter *self, GError **error);
void laurel_token_writer_free (LaurelTokenWriter *self); /* discards if not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTokenWriter, laurel_token_writer_free)

G_END_DECLS
