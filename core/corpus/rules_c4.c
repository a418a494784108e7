/* rules_c4.c: the rules of C4 (Raffel et al. 2020, section 2.2).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/rules_private.h"

/* Lengths in characters of what a report shows. */
#define SAMPLE_LENGTH 160

static const char *const policies[] = { "terms of use", "privacy policy", "cookie policy",
                                        "uses cookies", "use of cookies", "use cookies" };

/* ASCII letters alone are folded: every needle is ASCII. */
static gboolean
contains (const char *text, gsize n, const char *needle)
{
  gsize n_needle = strlen (needle);
  char both[3] = { needle[0], g_ascii_toupper (needle[0]), '\0' };

  for (gsize at = 0; at + n_needle <= n; at++) {
    if (text[at] != both[0] && text[at] != both[1])
      continue;
    if (g_ascii_strncasecmp (text + at, needle, n_needle) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
ends_with (const char *text, gsize n, const char *ending)
{
  gsize n_ending = strlen (ending);

  return n >= n_ending && memcmp (text + n - n_ending, ending, n_ending) == 0;
}

static gboolean
is_closing (const char *text, gsize n)
{
  return ends_with (text, n, "\"") || ends_with (text, n, "”") || ends_with (text, n, "’")
         || ends_with (text, n, "'") || ends_with (text, n, "»");
}

/* “A period, exclamation mark, question mark, or end quotation mark”; three dots are none, as
 * the published code has it. */
static gboolean
ends_a_sentence (const char *text, gsize n)
{
  if (ends_with (text, n, "...") || ends_with (text, n, "…"))
    return FALSE;
  return n > 0 && (strchr (".!?", text[n - 1]) != NULL || ends_with (text, n, "\"")
                   || ends_with (text, n, "”"));
}

static int
count_words (const char *text, gsize n)
{
  int n_words = 0;

  for (gsize i = 0; i < n; i++)
    n_words += text[i] != ' ' && text[i] != '\t' && (i == 0 || text[i - 1] == ' '
                                                     || text[i - 1] == '\t');
  return n_words;
}

static gboolean
is_wanted (const LaurelRules *self, LaurelRule rule)
{
  return self->on[rule] && self->threshold[rule] > 0.0;
}

static LaurelRule
judge_line (const LaurelRules *self, const char *line, gsize n)
{
  if (self->on[LAUREL_RULE_C4_LINE_WORDS]
      && count_words (line, n) < self->threshold[LAUREL_RULE_C4_LINE_WORDS])
    return LAUREL_RULE_C4_LINE_WORDS;
  if (is_wanted (self, LAUREL_RULE_C4_LINE_END) && !ends_a_sentence (line, n))
    return LAUREL_RULE_C4_LINE_END;
  if (is_wanted (self, LAUREL_RULE_C4_LINE_JAVASCRIPT) && contains (line, n, "javascript"))
    return LAUREL_RULE_C4_LINE_JAVASCRIPT;
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    if (is_wanted (self, LAUREL_RULE_C4_LINE_POLICY) && contains (line, n, policies[i]))
      return LAUREL_RULE_C4_LINE_POLICY;
  return LAUREL_RULE_NONE;
}

/* The end of “[12]”, “[edit]” or “[citation needed]” at @at, or NULL. */
static const char *
skip_citation (const char *at)
{
  static const char *const notes[] = { "[edit]", "[citation needed]" };
  const char *digit = at + 1;

  for (guint i = 0; i < G_N_ELEMENTS (notes); i++)
    if (g_str_has_prefix (at, notes[i]))
      return at + strlen (notes[i]);
  while (g_ascii_isdigit (*digit))
    digit++;
  return digit > at + 1 && *digit == ']' ? digit + 1 : NULL;
}

static void
remove_citations (GString *text)
{
  char *to = strchr (text->str, '[');
  const char *at = to;

  if (to == NULL)
    return;
  while (*at != '\0') {
    const char *end = *at == '[' ? skip_citation (at) : NULL;

    if (end != NULL)
      at = end;
    else
      *to++ = *at++;
  }
  g_string_truncate (text, (gsize) (to - text->str));
}

static void
count_line (LaurelRemovedLines *lines, LaurelRule rule, const char *line, gsize n)
{
  lines->n_lines[rule]++;
  if (lines->sample[rule] == NULL) {
    gsize n_chars = (gsize) g_utf8_strlen (line, (gssize) n);

    lines->sample[rule] = g_utf8_substring (line, 0, (glong) MIN (n_chars, SAMPLE_LENGTH));
  }
}

static void
filter_lines (const LaurelRules *self, GString *text, LaurelRemovedLines *lines)
{
  const char *at = text->str, *end = text->str + text->len, *stop;
  char *to = text->str;

  for (; at < end; at = stop + 1) {
    const char *newline = memchr (at, '\n', (gsize) (end - at));
    LaurelRule rule = LAUREL_RULE_NONE;
    gsize n;

    stop = newline != NULL ? newline : end;
    n = (gsize) (stop - at);
    if (n > 0)
      rule = judge_line (self, at, n);
    if (rule != LAUREL_RULE_NONE) {
      count_line (lines, rule, at, n);
      continue;
    }
    /* An empty line stays where it parts what is left. */
    if (n == 0 && (to == text->str || (to - text->str > 1 && to[-2] == '\n')))
      continue;
    memmove (to, at, n);
    to += n;
    *to++ = '\n';
  }
  while (to > text->str && to[-1] == '\n')
    to--;
  g_string_truncate (text, (gsize) (to - text->str));
}

/* A sentence ends in “.”, “!” or “?”, with closing quotes or brackets after it, before white
 * space or the end. */
static int
count_sentences (const GString *text)
{
  int n = 0;

  for (const char *at = text->str; *at != '\0'; at++) {
    const char *next = at + 1;

    if (strchr (".!?", *at) == NULL)
      continue;
    while (*next != '\0' && !g_ascii_isspace (*next)
           && (*next == ')' || is_closing (at, (gsize) (g_utf8_next_char (next) - at))))
      next = g_utf8_next_char (next);
    n += *next == '\0' || g_ascii_isspace (*next);
  }
  return n;
}

LaurelRule
laurel_rules_apply_c4 (const LaurelRules *self, GString *text, LaurelRemovedLines *lines)
{
  if (is_wanted (self, LAUREL_RULE_C4_LOREM_IPSUM)
      && contains (text->str, text->len, "lorem ipsum"))
    return LAUREL_RULE_C4_LOREM_IPSUM;
  if (is_wanted (self, LAUREL_RULE_C4_CURLY_BRACE) && strchr (text->str, '{') != NULL)
    return LAUREL_RULE_C4_CURLY_BRACE;
  remove_citations (text);
  filter_lines (self, text, lines);
  if (self->on[LAUREL_RULE_C4_SENTENCES]
      && count_sentences (text) < self->threshold[LAUREL_RULE_C4_SENTENCES])
    return LAUREL_RULE_C4_SENTENCES;
  return text->len > 0 ? LAUREL_RULE_NONE : LAUREL_RULE_EMPTY;
}
