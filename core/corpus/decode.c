/* decode.c: telling encodings apart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/decode.h"

#include <gio/gio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* A text in a language of Western Europe has few letters outside ASCII; Cyrillic, Greek or Asian
 * text in eight bits has hardly any inside. */
#define MAX_HIGH_SHARE 0.25

/* UTF-16 without a mark: this share of the units has its high byte zero (spaces, line ends and
 * ASCII in the text) and next to none its low byte. */
#define MIN_ZERO_SHARE 0.1
#define MAX_OTHER_ZERO_SHARE 0.01
#define MIN_UNITS 4
#define MAX_STRAY_SHARE 0.2

static const guint16 windows_1252[32] = {
  0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
  0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
  0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static const struct {
  const char *name;
  guint unit;
} encodings[LAUREL_N_ENCODINGS] = {
  { "bytes", 1 },    { "utf-8", 1 },    { "windows-1252", 1 }, { "utf-16le", 2 },
  { "utf-16be", 2 }, { "utf-32le", 4 }, { "utf-32be", 4 },     { "named", 1 },
};

const char *
laurel_encoding_get_name (LaurelEncoding self)
{
  return encodings[self].name;
}

gsize
laurel_encoding_get_unit (LaurelEncoding self)
{
  return encodings[self].unit;
}

gunichar
laurel_windows_1252_to_unicode (guint8 byte)
{
  return byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte;
}

int
laurel_windows_1252_from_unicode (gunichar c)
{
  if (c < 0x100)
    return (int) c; /* holes and the rest of 80 … 9F alike: text read as Latin-1 has those */
  for (int i = 0; i < 32; i++)
    if (windows_1252[i] == c)
      return 0x80 + i;
  return -1;
}

gsize
laurel_utf8_sequence (const guint8 *bytes, gsize n)
{
  gsize length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc2 ? 0 : bytes[0] < 0xe0 ? 2
                 : bytes[0] < 0xf0 ? 3 : bytes[0] < 0xf5 ? 4 : 0;

  if (length > n)
    return 0;
  for (gsize i = 1; i < length; i++)
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
  if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f)
      || (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
    return 0;
  return length;
}

/* --- UTF-16 and UTF-32 --------------------------------------------------------------- */

static guint32
get_unit (const guint8 *at, LaurelEncoding encoding)
{
  switch (encoding) {
  case LAUREL_ENCODING_UTF_16_LE:
    return (guint32) at[0] | (guint32) at[1] << 8;
  case LAUREL_ENCODING_UTF_16_BE:
    return (guint32) at[1] | (guint32) at[0] << 8;
  case LAUREL_ENCODING_UTF_32_LE:
    return (guint32) at[0] | (guint32) at[1] << 8 | (guint32) at[2] << 16 | (guint32) at[3] << 24;
  default:
    return (guint32) at[3] | (guint32) at[2] << 8 | (guint32) at[1] << 16 | (guint32) at[0] << 24;
  }
}

/* The character at @bytes, and in *@length what it takes; U+FFFD for half a pair and for what is
 * no character. */
static gunichar
get_wide_char (const guint8 *bytes, gsize n, LaurelEncoding encoding, gsize *length)
{
  gsize unit = laurel_encoding_get_unit (encoding);
  guint32 c, low;

  *length = MIN (unit, n);
  if (n < unit)
    return 0xfffd;
  c = get_unit (bytes, encoding);
  if (unit == 2 && c >= 0xd800 && c < 0xdc00 && n >= 4) {
    low = get_unit (bytes + 2, encoding);
    if (low >= 0xdc00 && low < 0xe000) {
      *length = 4;
      return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return g_unichar_validate (c) ? c : 0xfffd;
}

static void
decode_wide (LaurelEncoding encoding, const guint8 *bytes, gsize n, GString *text)
{
  gsize length;

  for (gsize at = 0; at < n; at += length) {
    gunichar c = get_wide_char (bytes + at, n - at, encoding, &length);

    g_string_append_unichar (text, c != 0 ? c : 1);
  }
}

/* Whether @sample makes sense as @encoding: letters and signs that exist. */
static gboolean
reads_well (const guint8 *sample, gsize n, LaurelEncoding encoding)
{
  gsize n_chars = 0, n_odd = 0, length;

  n -= n % laurel_encoding_get_unit (encoding);
  for (gsize at = 0; at < n; at += length, n_chars++) {
    gunichar c = get_wide_char (sample + at, n - at, encoding, &length);

    n_odd += c == 0xfffd || !g_unichar_isdefined (c)
             || (g_unichar_iscntrl (c) && !g_unichar_isspace (c));
  }
  return n_odd * 50 <= n_chars;
}

/* Whether @sample is plain text with some zero bytes in it, as damaged files have them: UTF-8
 * without control characters once those are out. Units of other scripts are not, by their high
 * bytes; of ASCII's units every second byte would be zero, which is not some. */
static gboolean
is_narrow (const guint8 *sample, gsize n, double n_zeros)
{
  gsize length;

  if (n_zeros > MAX_STRAY_SHARE * (double) n)
    return FALSE;
  for (gsize at = 0; at < n; at += length) {
    length = laurel_utf8_sequence (sample + at, n - at);
    if (length == 0)
      return n - at < 4; /* a sequence that the end of the sample cuts */
    if (sample[at] != 0 && sample[at] < ' ' && !g_ascii_isspace ((char) sample[at]))
      return FALSE;
  }
  return TRUE;
}

static LaurelEncoding
detect_wide (const guint8 *sample, gsize n)
{
  static const LaurelEncoding wide[] = { LAUREL_ENCODING_UTF_32_LE, LAUREL_ENCODING_UTF_32_BE,
                                         LAUREL_ENCODING_UTF_16_LE, LAUREL_ENCODING_UTF_16_BE };
  gsize zeros[4] = { 0 };

  for (gsize i = 0; i < n; i++)
    zeros[i % 4] += sample[i] == 0;
  if (is_narrow (sample, n, (double) (zeros[0] + zeros[1] + zeros[2] + zeros[3])))
    return LAUREL_ENCODING_BYTES;
  for (guint i = 0; i < G_N_ELEMENTS (wide); i++) {
    gboolean is_32 = i < 2, is_big = i % 2 == 1;
    double n_units = (double) n / (is_32 ? 4 : 2);
    double high = is_32 ? zeros[is_big ? 0 : 3] : is_big ? zeros[0] + zeros[2]
                                                         : zeros[1] + zeros[3];
    double low = is_32 ? zeros[is_big ? 3 : 0] : is_big ? zeros[1] + zeros[3]
                                                        : zeros[0] + zeros[2];

    if (n_units >= MIN_UNITS && high >= (is_32 ? 0.99 : MIN_ZERO_SHARE) * n_units
        && low <= MAX_OTHER_ZERO_SHARE * n_units && reads_well (sample, n, wide[i]))
      return wide[i];
  }
  return LAUREL_ENCODING_BYTES;
}

LaurelEncoding
laurel_encoding_detect (const guint8 *sample, gsize n, gsize *out_mark)
{
  static const struct {
    const char *mark;
    gsize length;
    LaurelEncoding encoding;
  } marks[] = {
    { "\xff\xfe\0\0", 4, LAUREL_ENCODING_UTF_32_LE },
    { "\0\0\xfe\xff", 4, LAUREL_ENCODING_UTF_32_BE },
    { "\xff\xfe", 2, LAUREL_ENCODING_UTF_16_LE },
    { "\xfe\xff", 2, LAUREL_ENCODING_UTF_16_BE },
    { "\xef\xbb\xbf", 3, LAUREL_ENCODING_UTF_8 },
  };

  *out_mark = 0;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    if (n >= marks[i].length && memcmp (sample, marks[i].mark, marks[i].length) == 0) {
      *out_mark = marks[i].length;
      return marks[i].encoding;
    }
  return detect_wide (sample, n);
}

LaurelEncoding
laurel_encoding_from_name (const char *name)
{
  g_autoptr (GCharsetConverter) converter = NULL;
  g_autofree char *newline = NULL;
  gsize n_newline;

  for (int i = LAUREL_ENCODING_UTF_8; i < LAUREL_ENCODING_NAMED; i++)
    if (g_ascii_strcasecmp (name, encodings[i].name) == 0)
      return (LaurelEncoding) i;
  converter = g_charset_converter_new ("UTF-8", name, NULL);
  if (converter == NULL)
    return LAUREL_N_ENCODINGS;
  newline = g_convert ("\n", 1, name, "UTF-8", NULL, &n_newline, NULL);
  return newline != NULL && n_newline == 1 && newline[0] == '\n' ? LAUREL_ENCODING_NAMED
                                                                  : LAUREL_N_ENCODINGS;
}

/* --- Eight bits ---------------------------------------------------------------------- */

static void
append_utf8 (const guint8 *bytes, gsize n, GString *text)
{
  gsize length;

  for (gsize at = 0; at < n; at += MAX (length, 1)) {
    length = laurel_utf8_sequence (bytes + at, n - at);
    if (length == 0)
      g_string_append (text, REPLACEMENT);
    else if (bytes[at] == '\0')
      g_string_append_c (text, '\1');
    else
      g_string_append_len (text, (const char *) bytes + at, (gssize) length);
  }
}

static void
append_windows_1252 (const guint8 *bytes, gsize n, GString *text)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_unichar (
        text, bytes[i] != 0 ? laurel_windows_1252_to_unicode (bytes[i]) : 1);
}

static gboolean
may_be_windows_1252 (const guint8 *bytes, gsize n)
{
  gsize n_high = 0, n_black = 0;

  for (gsize i = 0; i < n; i++) {
    guint8 b = bytes[i];

    if (b >= 0x80 && b < 0xa0 && windows_1252[b - 0x80] == b)
      return FALSE; /* one of the five bytes that Windows-1252 has not */
    n_high += b >= 0x80;
    n_black += b > ' ';
  }
  return (double) n_high <= MAX_HIGH_SHARE * (double) n_black;
}

/* Text that is UTF-8 but for some damage has more whole sequences than broken bytes; in
 * Windows-1252 hardly ever do two letters look like one. */
static gboolean
is_mostly_utf8 (const guint8 *bytes, gsize n)
{
  gsize n_whole = 0, n_broken = 0, length;

  for (gsize at = 0; at < n; at += MAX (length, 1)) {
    length = laurel_utf8_sequence (bytes + at, n - at);
    n_whole += length > 1;
    n_broken += length == 0;
  }
  return n_broken == 0 || n_whole > n_broken;
}

static gboolean
decode_bytes (const guint8 *bytes, gsize n, GString *text, LaurelEncoding *found)
{
  *found = LAUREL_ENCODING_UTF_8;
  if (g_utf8_validate ((const char *) bytes, (gssize) n, NULL))
    g_string_append_len (text, (const char *) bytes, (gssize) n);
  else if (is_mostly_utf8 (bytes, n))
    append_utf8 (bytes, n, text);
  else if (may_be_windows_1252 (bytes, n)) {
    *found = LAUREL_ENCODING_WINDOWS_1252;
    append_windows_1252 (bytes, n, text);
  } else {
    return FALSE;
  }
  return TRUE;
}

static gboolean
decode_named (const char *name, const guint8 *bytes, gsize n, GString *text)
{
  gsize n_converted;
  g_autofree char *converted = NULL;

  if (n == 0) /* the bytes of an empty file have no address */
    return TRUE;
  converted = g_convert_with_fallback ((const char *) bytes, (gssize) n, "UTF-8", name, NULL, NULL,
                                       &n_converted, NULL);
  if (converted == NULL)
    return FALSE;
  append_utf8 ((const guint8 *) converted, n_converted, text);
  return TRUE;
}

gboolean
laurel_decode (LaurelEncoding encoding,
               const char *name,
               const guint8 *bytes,
               gsize n,
               GString *text,
               LaurelEncoding *found)
{
  *found = encoding;
  switch (encoding) {
  case LAUREL_ENCODING_BYTES:
    return decode_bytes (bytes, n, text, found);
  case LAUREL_ENCODING_UTF_8:
    append_utf8 (bytes, n, text);
    return TRUE;
  case LAUREL_ENCODING_WINDOWS_1252:
    append_windows_1252 (bytes, n, text);
    return TRUE;
  case LAUREL_ENCODING_NAMED:
    return decode_named (name, bytes, n, text);
  default:
    decode_wide (encoding, bytes, n, text);
    return TRUE;
  }
}
