/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json_check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
  const char *at;
  const char *why; /* NULL while all is well */
  guint depth;
  char open[LAUREL_JSON_MAX_DEPTH]; /* the brackets around @at */
} Check;

static gboolean
fail (Check *self, const char *why)
{
  self->why = why;
  return FALSE;
}

static void
skip_space (Check *self)
{
  while (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r')
    self->at++;
}

/* The four digits of \uXXXX; −1 when they are none. */
static int
read_unit (const char *at)
{
  int unit = 0;

  for (int i = 0; i < 4; i++) {
    if (!g_ascii_isxdigit (at[i]))
      return -1;
    unit = unit * 16 + g_ascii_xdigit_value (at[i]);
  }
  return unit;
}

/* After the backslash. */
static gboolean
check_escape (Check *self)
{
  int unit;

  if (*self->at == '\0' || strchr ("\"\\/bfnrtu", *self->at) == NULL)
    return fail (self, "a backslash stands before something that it cannot escape");
  if (*self->at++ != 'u')
    return TRUE;
  unit = read_unit (self->at);
  if (unit < 0)
    return fail (self, "\\u is not followed by four hexadecimal digits");
  if (unit == 0)
    return fail (self, "there is a zero character in a text");
  self->at += 4;
  if (unit < 0xd800 || unit > 0xdfff)
    return TRUE;
  if (unit < 0xdc00 && self->at[0] == '\\' && self->at[1] == 'u') {
    int low = read_unit (self->at + 2);

    if (low >= 0xdc00 && low <= 0xdfff) {
      self->at += 6;
      return TRUE;
    }
  }
  return fail (self, "there is half a surrogate pair in a text");
}

static gboolean
check_string (Check *self)
{
  for (self->at++; *self->at != '"';) {
    if (*self->at == '\0')
      return fail (self, "a text is never closed");
    if (*self->at++ == '\\' && !check_escape (self))
      return FALSE;
  }
  self->at++;
  return TRUE;
}

static gboolean
skip_digits (Check *self)
{
  if (!g_ascii_isdigit (*self->at))
    return fail (self, "a number lacks digits");
  while (g_ascii_isdigit (*self->at))
    self->at++;
  return TRUE;
}

static gboolean
check_number (Check *self)
{
  const char *start = self->at;
  gboolean whole = TRUE;

  self->at += *self->at == '-';
  if (self->at[0] == '0' && g_ascii_isdigit (self->at[1]))
    return fail (self, "a number begins with 0");
  if (!skip_digits (self))
    return FALSE;
  if (*self->at == '.') {
    self->at++;
    whole = FALSE;
    if (!skip_digits (self))
      return FALSE;
  }
  if (*self->at == 'e' || *self->at == 'E') {
    self->at++;
    self->at += *self->at == '-' || *self->at == '+';
    whole = FALSE;
    if (!skip_digits (self))
      return FALSE;
  }
  errno = 0;
  if (whole ? (g_ascii_strtoll (start, NULL, 10), errno == ERANGE)
            : isinf (g_ascii_strtod (start, NULL)))
    return fail (self, "a number is too large");
  return TRUE;
}

static gboolean
check_word (Check *self, const char *word)
{
  if (!g_str_has_prefix (self->at, word))
    return fail (self, "there is something that is no value");
  self->at += strlen (word);
  return TRUE;
}

static gboolean
check_key (Check *self)
{
  skip_space (self);
  if (*self->at != '"')
    return fail (self, "a member has no name in quotes");
  if (!check_string (self))
    return FALSE;
  skip_space (self);
  if (*self->at != ':')
    return fail (self, "there is no colon after a member's name");
  self->at++;
  return TRUE;
}

/* Up to the first value inside, or past an empty pair of brackets, which leaves @depth alone. */
static gboolean
open_bracket (Check *self)
{
  char bracket = *self->at++;

  if (self->depth == LAUREL_JSON_MAX_DEPTH)
    return fail (self, "it nests deeper than 256 values");
  skip_space (self);
  if (*self->at == (bracket == '{' ? '}' : ']')) {
    self->at++;
    return TRUE;
  }
  self->open[self->depth++] = bracket;
  return bracket == '[' || check_key (self);
}

/* Goes to the next value, or to the end with *@out_more FALSE. */
static gboolean
check_after_value (Check *self, gboolean *out_more)
{
  for (skip_space (self); self->depth > 0; skip_space (self)) {
    char open = self->open[self->depth - 1];

    if (*self->at == ',') {
      self->at++;
      return open == '[' || check_key (self);
    }
    if (*self->at != (open == '{' ? '}' : ']'))
      return fail (self, *self->at == '\0' ? "it ends within a value"
                                           : "there is no comma between two values");
    self->at++;
    self->depth--;
  }
  *out_more = FALSE;
  return *self->at == '\0' || fail (self, "there is something after the value");
}

static gboolean
check_text (Check *self)
{
  gboolean more = TRUE;

  while (more) {
    guint depth = self->depth;
    gboolean valid;

    skip_space (self);
    switch (*self->at) {
    case '{':
    case '[': valid = open_bracket (self); break;
    case '"': valid = check_string (self); break;
    case 't': valid = check_word (self, "true"); break;
    case 'f': valid = check_word (self, "false"); break;
    case 'n': valid = check_word (self, "null"); break;
    case '\0': valid = fail (self, "it ends where a value should be"); break;
    default:
      valid = *self->at == '-' || g_ascii_isdigit (*self->at)
                  ? check_number (self)
                  : fail (self, "there is something that is no value");
    }
    if (!valid || (self->depth == depth && !check_after_value (self, &more)))
      return FALSE;
  }
  return TRUE;
}

char *
laurel_json_find_fault (const char *text)
{
  Check check = { text };
  const char *end;
  guint line = 1;

  if (!g_utf8_validate (text, -1, &end)) {
    check.at = end;
    check.why = "there is a byte that is not UTF-8";
  } else {
    if (g_str_has_prefix (text, "\357\273\277"))
      check.at += 3;
    if (check_text (&check))
      return NULL;
  }
  for (const char *at = text; at < check.at; at++)
    line += *at == '\n';
  return g_strdup_printf ("line %u: %s", line, check.why);
}
