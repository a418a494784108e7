/* mutate.c: mutations that keep JSON well-formed, so that fuzzing gets past its parser.
 *
 * Half of the changes are the engine's own, to the bytes of one value or to
 * anything; the other half replace, copy, move, drop or nest whole values.
 * Afterwards the format's own repairs are made, such as of the length of a
 * header.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

size_t LLVMFuzzerMutate (guint8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator (guint8 *data, size_t size, size_t max_size, unsigned seed);

typedef struct {
  gsize start, end;
} Span;

static const char *const literals[] = {
  "0",      "1",         "-1",       "2",          "255",    "256",
  "65536",  "16777216",  "16777217", "2147483647", "2147483648",
  "-2147483648", "4294967295", "4294967296", "9007199254740993",
  "9223372036854775807", "9223372036854775808", "-9223372036854775808",
  "18446744073709551615", "18446744073709551617",
  "1e308",  "1e999",     "-1e999",   "1e-320",     "0.5",    "-0.0",  "1e5",
  "null",   "true",      "false",    "\"\"",       "[]",     "{}",    "\" \"",
  "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\xc4\xa0\"",
  "[[]]",   "[{}]",      "{\"\":0}", "[0,0]",      "[0,8]",  "[0]",
};

static gboolean
ends_scalar (char c)
{
  return strchr (",]} \t\r\n:\"[{", c) != NULL; /* the zero byte as well */
}

static gsize
skip_string (const char *text, gsize at, gsize end)
{
  for (at++; at < end && text[at] != '"'; at++)
    if (text[at] == '\\')
      at++;
  return MIN (at + 1, end);
}

/* Every value of @text and every key; brackets that never close count to the end. */
static GArray *
find_spans (const char *text, gsize start, gsize end)
{
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (Span));
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (gsize));

  for (gsize at = start; at < end;) {
    Span span = { at, at + 1 };

    if (text[at] == '{' || text[at] == '[') {
      g_array_append_val (open, at);
    } else if ((text[at] == '}' || text[at] == ']') && open->len > 0) {
      span.start = g_array_index (open, gsize, open->len - 1);
      g_array_set_size (open, open->len - 1);
      g_array_append_val (spans, span);
    } else if (text[at] == '"') {
      span.end = skip_string (text, at, end);
      g_array_append_val (spans, span);
    } else if (!ends_scalar (text[at])) {
      while (span.end < end && !ends_scalar (text[span.end]))
        span.end++;
      g_array_append_val (spans, span);
    }
    at = text[at] == '}' || text[at] == ']' ? at + 1 : span.end;
  }
  return spans;
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* With its key, when it is a member of an object. */
static Span
with_key (const char *text, const GArray *spans, Span span)
{
  gsize at = span.start;

  while (at > 0 && is_space (text[at - 1]))
    at--;
  if (at == 0 || text[at - 1] != ':')
    return span;
  at--;
  while (at > 0 && is_space (text[at - 1]))
    at--;
  for (guint i = 0; i < spans->len; i++)
    if (g_array_index (spans, Span, i).end == at)
      span.start = g_array_index (spans, Span, i).start;
  return span;
}

static void
replace (GString *text, Span span, const char *bytes, gsize length)
{
  g_string_erase (text, (gssize) span.start, (gssize) (span.end - span.start));
  g_string_insert_len (text, (gssize) span.start, bytes, (gssize) length);
}

/* Drops the value and one comma beside it. */
static void
drop (GString *text, const GArray *spans, Span span)
{
  span = with_key (text->str, spans, span);
  while (span.end < text->len && is_space (text->str[span.end]))
    span.end++;
  if (span.end < text->len && text->str[span.end] == ',') {
    span.end++;
  } else {
    gsize at = span.start;

    while (at > 0 && is_space (text->str[at - 1]))
      at--;
    if (at > 0 && text->str[at - 1] == ',')
      span.start = at - 1;
  }
  g_string_erase (text, (gssize) span.start, (gssize) (span.end - span.start));
}

static void
copy_beside (GString *text, const GArray *spans, Span what, Span where)
{
  g_autofree char *copy = NULL;

  what = with_key (text->str, spans, what);
  copy = g_strdup_printf (",%.*s", (int) (what.end - what.start), text->str + what.start);
  g_string_insert (text, (gssize) where.end, copy);
}

static void
nest (GString *text, Span span, GRand *rand)
{
  gint32 n = g_rand_int_range (rand, 0, 8) > 0 ? 1 : g_rand_int_range (rand, 1, 3000);
  gboolean array = g_rand_boolean (rand);

  for (gint32 i = 0; i < n; i++)
    g_string_insert (text, (gssize) span.end, array ? "]" : "}");
  for (gint32 i = 0; i < n; i++)
    g_string_insert (text, (gssize) span.start, array ? "[" : "{\"a\":");
}

static void
step_number (GString *text, Span span, GRand *rand)
{
  gint64 value = g_ascii_strtoll (text->str + span.start, NULL, 10);
  guint64 bits = (guint64) value;
  g_autofree char *number = NULL;

  switch (g_rand_int_range (rand, 0, 5)) {
  case 0: bits++; break;
  case 1: bits--; break;
  case 2: bits *= 2; break;
  case 3: bits = G_GUINT64_CONSTANT (1) << g_rand_int_range (rand, 0, 64); break;
  default: bits = 0 - bits; break;
  }
  number = g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) bits);
  replace (text, span, number, strlen (number));
}

static void
mutate_inside (GString *text, Span span)
{
  gsize length = span.end - span.start, room = 2 * length + 64;
  g_autofree guint8 *bytes = g_malloc (room);

  /* A string keeps its quotes. */
  if (length >= 2 && text->str[span.start] == '"') {
    span.start++;
    span.end--;
    length -= 2;
  }
  memcpy (bytes, text->str + span.start, length);
  length = LLVMFuzzerMutate (bytes, length, room);
  replace (text, span, (const char *) bytes, length);
}

static void
mutate_json (GString *text, GRand *rand)
{
  g_autoptr (GArray) spans = find_spans (text->str, 0, text->len);
  const char *literal = literals[g_rand_int_range (rand, 0, G_N_ELEMENTS (literals))];
  g_autofree char *copy = NULL;
  Span span, other;

  if (spans->len == 0) {
    g_string_append (text, literal);
    return;
  }
  span = g_array_index (spans, Span, g_rand_int_range (rand, 0, (gint32) spans->len));
  other = g_array_index (spans, Span, g_rand_int_range (rand, 0, (gint32) spans->len));
  switch (g_rand_int_range (rand, 0, 9)) {
  case 0: replace (text, span, literal, strlen (literal)); break;
  case 1:
    copy = g_strndup (text->str + other.start, other.end - other.start);
    replace (text, span, copy, strlen (copy));
    break;
  case 2: drop (text, spans, span); break;
  case 3: copy_beside (text, spans, other, span); break;
  case 4: nest (text, span, rand); break;
  case 5: step_number (text, span, rand); break;
  default: mutate_inside (text, span); break;
  }
}

/* One of the parts of an input. */
static void
choose_part (const guint8 *data, gsize size, GRand *rand, gsize *out_start, gsize *out_end)
{
  FuzzPart parts[8];
  int chosen, n = 0;

  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  for (int i = 0; i < (int) G_N_ELEMENTS (parts); i++)
    if (parts[i].length > 0)
      n = i + 1;
  chosen = g_rand_int_range (rand, 0, MAX (n, 1));
  *out_start = (gsize) (parts[chosen].bytes - (const char *) data);
  *out_end = *out_start + parts[chosen].length;
}

size_t
LLVMFuzzerCustomMutator (guint8 *data, size_t size, size_t max_size, unsigned seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GString) json = NULL;
  gsize start = 0, end = size, rest;
  int kind = g_rand_int_range (rand, 0, 16);

  if (size == 0 || kind == 0)
    return LLVMFuzzerMutate (data, size, max_size); /* anything, lengths included */
  if (fuzz_format.find_json == NULL && fuzz_format.repair != NULL) {
    gsize changed = LLVMFuzzerMutate (data, size, max_size);

    fuzz_format.repair (data, changed, 0, changed);
    return changed;
  }
  if (fuzz_format.find_json == NULL)
    choose_part (data, size, rand, &start, &end);
  else if (!fuzz_format.find_json (data, size, &start, &end))
    return LLVMFuzzerMutate (data, size, max_size);

  if (kind < 5) {
    gsize changed = LLVMFuzzerMutate (data, size, max_size);

    if (fuzz_format.repair != NULL && fuzz_format.find_json (data, changed, &start, &end))
      fuzz_format.repair (data, changed, start, end);
    return changed;
  }
  json = g_string_new_len ((const char *) data + start, (gssize) (end - start));
  for (int i = g_rand_int_range (rand, 1, 4); i > 0; i--)
    mutate_json (json, rand);
  rest = size - end;
  if (start + json->len + rest > max_size)
    return LLVMFuzzerMutate (data, size, max_size);
  memmove (data + start + json->len, data + end, rest);
  memcpy (data + start, json->str, json->len);
  if (fuzz_format.repair != NULL)
    fuzz_format.repair (data, start + json->len + rest, start, start + json->len);
  return start + json->len + rest;
}
