/* clean.c: one pass over a text that leaves lines of printable characters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/clean.h"

#include <string.h>

static gboolean
is_line_end (gunichar c)
{
  return c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static gboolean
is_no_text (gunichar c)
{
  return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0xad
         || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xfdd0 && c <= 0xfdef)
         || (c & 0xfffe) == 0xfffe;
}

static void
end_line (char *start, char **to)
{
  char *end = *to;

  while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  /* Two line ends part paragraphs; more say no more. */
  if (end == start || (end - start >= 2 && end[-1] == '\n' && end[-2] == '\n')) {
    *to = end;
    return;
  }
  *end++ = '\n';
  *to = end;
}

/* Writes behind where it reads: nothing gets longer. */
static void
keep_text (GString *text, LaurelCleaning *cleaning)
{
  char *start = text->str, *to = text->str;
  const char *at = text->str, *end = text->str + text->len, *next;

  for (; at < end; at = next, cleaning->n_chars++) {
    gunichar c = (guint8) *at;

    next = at + 1;
    if (c >= ' ' && c < 0x7f) {
      *to++ = *at;
      continue;
    }
    if (c >= 0x80) {
      c = g_utf8_get_char (at);
      next = g_utf8_next_char (at);
    }
    if (c == '\n' || is_line_end (c)) {
      if (c == '\r' && next < end && *next == '\n')
        next++;
      end_line (start, &to);
    } else if (is_no_text (c)) {
      cleaning->n_controls++;
    } else {
      cleaning->n_replacement += c == 0xfffd;
      memmove (to, at, (gsize) (next - at));
      to += next - at;
    }
  }
  while (to > start && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\n'))
    to--;
  g_string_truncate (text, (gsize) (to - start));
}

void
laurel_clean (GString *text, LaurelCleaning *cleaning)
{
  memset (cleaning, 0, sizeof *cleaning);
  cleaning->n_mojibake = laurel_mend_mojibake (text);
  keep_text (text, cleaning);
}
