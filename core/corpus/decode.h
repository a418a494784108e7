/* decode.h: bytes of unknown encoding to UTF-8, or a refusal.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_ENCODING_BYTES, /* one of the next two, to be told document by document */
  LAUREL_ENCODING_UTF_8,
  LAUREL_ENCODING_WINDOWS_1252, /* Latin-1 is the same but for its control characters */
  LAUREL_ENCODING_UTF_16_LE,
  LAUREL_ENCODING_UTF_16_BE,
  LAUREL_ENCODING_UTF_32_LE,
  LAUREL_ENCODING_UTF_32_BE,
  LAUREL_ENCODING_NAMED, /* what the user says it is */
  LAUREL_N_ENCODINGS,
} LaurelEncoding;

const char *laurel_encoding_get_name (LaurelEncoding self);
gsize laurel_encoding_get_unit (LaurelEncoding self); /* bytes a code unit: 1, 2 or 4 */

/* What @sample, the first bytes of a file, says of all of it: a byte order mark, whose length goes
 * to *@out_mark (else 0), or UTF-16 and UTF-32 without one, which show by their zero bytes and by
 * decoding well; LAUREL_ENCODING_BYTES for all the rest. */
LaurelEncoding laurel_encoding_detect (const guint8 *sample, gsize n, gsize *out_mark);

/* The encoding that @name spells; LAUREL_ENCODING_NAMED for any other that the system converts
 * from and whose line ends are one byte, LAUREL_N_ENCODINGS for what it does not know. */
LaurelEncoding laurel_encoding_from_name (const char *name);

/* Appends the text of @bytes as UTF-8 to @text. Zero bytes become U+0001, single broken sequences
 * U+FFFD. *@found is what the encoding was. FALSE when it is none that can be told. */
gboolean laurel_decode (LaurelEncoding encoding, const char *name, const guint8 *bytes, gsize n, GString *text, LaurelEncoding *found);

/* U+0080 … of byte 80 … 9F in Windows-1252; its five holes are the control characters of Latin-1. */
gunichar laurel_windows_1252_to_unicode (guint8 byte);
/* The byte that stands for @c in Windows-1252, or −1. */
int laurel_windows_1252_from_unicode (gunichar c);

/* The length of the UTF-8 sequence that @bytes start with (overlong forms, surrogates and what is
 * past U+10FFFF are none), or 0. A zero byte is a sequence of one. */
gsize laurel_utf8_sequence (const guint8 *bytes, gsize n);

G_END_DECLS
