/* mojibake.c: UTF-8 that somebody read as Windows-1252.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/clean.h"
#include "core/corpus/decode.h"

#include <string.h>

#define MAX_ROUNDS 3
#define MIN_SHARE 0.9

/* A stretch of characters that are the bytes of one. */
typedef struct {
  guint8 bytes[4];
  gsize n;          /* bytes, and as many characters; 0: there is none here */
  const char *end;  /* of the stretch in the text */
  gboolean certain; /* nobody writes this on purpose */
} Sequence;

/* “â€…”, “â‚…”, “â„…” (dashes, quotes, the euro, the trade mark), “ï¿½” and “ï»¿”. */
static gboolean
is_certain (const Sequence *self)
{
  const guint8 *b = self->bytes;

  return (b[0] == 0xe2 && (b[1] == 0x80 || b[1] == 0x82 || b[1] == 0x84))
         || (b[0] == 0xef && ((b[1] == 0xbf && b[2] == 0xbd) || (b[1] == 0xbb && b[2] == 0xbf)));
}

static void
find_bytes (const char *at, const char *end, Sequence *out)
{
  gsize wanted;

  out->n = 0;
  out->end = at;
  while (out->n < 4 && out->end < end) {
    int byte = (guint8) *out->end < 0x80
               ? -1
               : laurel_windows_1252_from_unicode (g_utf8_get_char (out->end));

    if (byte < (out->n == 0 ? 0xc2 : 0x80) || (out->n > 0 && byte > 0xbf))
      break;
    out->bytes[out->n++] = (guint8) byte;
    out->end = g_utf8_next_char (out->end);
    wanted = out->bytes[0] < 0xe0 ? 2 : out->bytes[0] < 0xf0 ? 3 : 4;
    if (out->n == wanted)
      break;
  }
  if (out->n < 2 || laurel_utf8_sequence (out->bytes, out->n) != out->n)
    out->n = 0;
  out->certain = out->n == 3 && is_certain (out);
}

/* “Ã¢â‚¬…”: a sign that went wrong twice begins with two letters, which are as certain as the
 * rest of it. */
static void
find_sequence (const char *at, const char *end, Sequence *out)
{
  Sequence next;

  find_bytes (at, end, out);
  if (out->n != 2 || out->bytes[0] != 0xc3 || out->bytes[1] != 0xa2)
    return;
  find_bytes (out->end, end, &next);
  out->certain = next.certain;
}

/* The next character outside ASCII, or @end. */
static const char *
skip_ascii (const char *at, const char *end)
{
  while (end - at >= 8) {
    guint64 word;

    memcpy (&word, at, sizeof word);
    if ((word & G_GUINT64_CONSTANT (0x8080808080808080)) != 0)
      break;
    at += 8;
  }
  while (at < end && (guint8) *at < 0x80)
    at++;
  return at;
}

/* Whether there is anything to mend, and whether uncertain sequences are to be. */
static gboolean
weigh (const GString *text, gboolean *all)
{
  const char *end = text->str + text->len;
  guint64 n_within = 0, n_outside = 0, n_certain = 0;

  for (const char *at = skip_ascii (text->str, end); at < end; at = skip_ascii (at, end)) {
    Sequence sequence;

    find_sequence (at, end, &sequence);
    n_within += sequence.n;
    n_certain += sequence.certain;
    n_outside += sequence.n == 0;
    at = sequence.n > 0 ? sequence.end : g_utf8_next_char (at);
  }
  *all = (double) n_within >= MIN_SHARE * (double) (n_within + n_outside);
  return n_certain > 0 || (n_within > 0 && *all);
}

static guint64
mend_once (GString *text, gboolean all)
{
  g_autoptr (GString) mended = g_string_sized_new (text->len);
  const char *end = text->str + text->len, *done = text->str;
  guint64 n_mended = 0;

  for (const char *at = skip_ascii (text->str, end); at < end; at = skip_ascii (at, end)) {
    Sequence sequence;

    find_sequence (at, end, &sequence);
    if (sequence.n == 0 || !(all || sequence.certain)) {
      at = g_utf8_next_char (at);
      continue;
    }
    g_string_append_len (mended, done, at - done);
    g_string_append_len (mended, (const char *) sequence.bytes, (gssize) sequence.n);
    at = done = sequence.end;
    n_mended++;
  }
  g_string_append_len (mended, done, end - done);
  g_string_truncate (text, 0);
  g_string_append_len (text, mended->str, (gssize) mended->len);
  return n_mended;
}

guint64
laurel_mend_mojibake (GString *text)
{
  guint64 n_mended = 0;
  gboolean all;

  for (int round = 0; round < MAX_ROUNDS && weigh (text, &all); round++)
    n_mended += mend_once (text, all);
  return n_mended;
}
