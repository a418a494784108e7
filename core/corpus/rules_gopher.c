/* rules_gopher.c: Gopher's rules about quality (Rae et al. 2021, appendix A1.1).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/rules_private.h"

static const char *const stop_words[] = { "the", "be", "to", "of", "and", "that", "have", "with" };
static const char *const bullets[] = { "•", "‣", "▪", "◦", "●", "*", "-", "–" };

static gboolean
is_over (const LaurelRules *self, LaurelRule rule, double value)
{
  return self->on[rule] && value > self->threshold[rule];
}

static gboolean
is_under (const LaurelRules *self, LaurelRule rule, double value)
{
  return self->on[rule] && value < self->threshold[rule];
}

static gboolean
has_letter (const LaurelSpan *word)
{
  const char *end = word->start + word->n;

  for (const char *at = word->start; at < end; at = g_utf8_next_char (at))
    if ((guint8) *at < 0x80 ? g_ascii_isalpha (*at) : g_unichar_isalpha (g_utf8_get_char (at)))
      return TRUE;
  return FALSE;
}

/* The bit of the stop word that @word is, whatever its case and the signs around it, or 0. */
static guint
find_stop_word (const LaurelSpan *word)
{
  const char *start = word->start, *end = word->start + word->n;

  while (start < end && g_ascii_ispunct (*start))
    start++;
  while (end > start && g_ascii_ispunct (end[-1]))
    end--;
  for (guint i = 0; i < G_N_ELEMENTS (stop_words); i++)
    if ((gsize) (end - start) == strlen (stop_words[i])
        && g_ascii_strncasecmp (start, stop_words[i], (gsize) (end - start)) == 0)
      return 1u << i;
  return 0;
}

static LaurelRule
judge_words (const LaurelRules *self, const GArray *words)
{
  double n = words->len, n_chars = 0.0, n_alphabetic = 0.0;
  guint stops = 0;

  if (is_under (self, LAUREL_RULE_GOPHER_MIN_WORDS, n))
    return LAUREL_RULE_GOPHER_MIN_WORDS;
  if (is_over (self, LAUREL_RULE_GOPHER_MAX_WORDS, n))
    return LAUREL_RULE_GOPHER_MAX_WORDS;
  for (guint i = 0; i < words->len; i++) {
    const LaurelSpan *word = &g_array_index (words, LaurelSpan, i);

    n_chars += (double) word->n_chars;
    n_alphabetic += has_letter (word);
    stops |= find_stop_word (word);
  }
  n = MAX (n, 1.0);
  if (is_under (self, LAUREL_RULE_GOPHER_MIN_WORD_LENGTH, n_chars / n))
    return LAUREL_RULE_GOPHER_MIN_WORD_LENGTH;
  if (is_over (self, LAUREL_RULE_GOPHER_MAX_WORD_LENGTH, n_chars / n))
    return LAUREL_RULE_GOPHER_MAX_WORD_LENGTH;
  if (is_under (self, LAUREL_RULE_GOPHER_ALPHABETIC, n_alphabetic / n))
    return LAUREL_RULE_GOPHER_ALPHABETIC;
  if (is_under (self, LAUREL_RULE_GOPHER_STOP_WORDS, __builtin_popcount (stops)))
    return LAUREL_RULE_GOPHER_STOP_WORDS;
  return LAUREL_RULE_NONE;
}

static double
count_string (const GString *text, const char *wanted)
{
  gsize n = strlen (wanted);
  double count = 0.0;

  for (const char *at = text->str; (at = strstr (at, wanted)) != NULL; at += n)
    count++;
  return count;
}

static gboolean
starts_with_bullet (const LaurelSpan *line)
{
  for (guint i = 0; i < G_N_ELEMENTS (bullets); i++)
    if (line->n >= strlen (bullets[i])
        && memcmp (line->start, bullets[i], strlen (bullets[i])) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
ends_with_ellipsis (const LaurelSpan *line)
{
  const char *end = line->start + line->n;

  return line->n >= 3 && (memcmp (end - 3, "...", 3) == 0 || memcmp (end - 3, "…", 3) == 0);
}

static LaurelRule
judge_lines (const LaurelRules *self, const GString *text)
{
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (LaurelSpan));
  double n_bullets = 0.0, n_ellipses = 0.0, n;

  laurel_split_lines (text, lines);
  for (guint i = 0; i < lines->len; i++) {
    const LaurelSpan *line = &g_array_index (lines, LaurelSpan, i);

    n_bullets += starts_with_bullet (line);
    n_ellipses += ends_with_ellipsis (line);
  }
  n = MAX (lines->len, 1);
  if (is_over (self, LAUREL_RULE_GOPHER_BULLET_LINES, n_bullets / n))
    return LAUREL_RULE_GOPHER_BULLET_LINES;
  if (is_over (self, LAUREL_RULE_GOPHER_ELLIPSIS_LINES, n_ellipses / n))
    return LAUREL_RULE_GOPHER_ELLIPSIS_LINES;
  return LAUREL_RULE_NONE;
}

LaurelRule
laurel_rules_apply_gopher_quality (const LaurelRules *self, const GString *text,
                                   const GArray *words)
{
  double n = MAX (words->len, 1);
  LaurelRule rule = judge_words (self, words);

  if (rule != LAUREL_RULE_NONE)
    return rule;
  if (is_over (self, LAUREL_RULE_GOPHER_HASHES, count_string (text, "#") / n))
    return LAUREL_RULE_GOPHER_HASHES;
  if (is_over (self, LAUREL_RULE_GOPHER_ELLIPSES,
               (count_string (text, "...") + count_string (text, "…")) / n))
    return LAUREL_RULE_GOPHER_ELLIPSES;
  return judge_lines (self, text);
}
