/* rules.c: the table of rules and their thresholds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/rules.h"

#include "core/base/error.h"
#include "core/corpus/rules_private.h"

static const LaurelRuleInfo rules[LAUREL_N_RULES] = {
  { "input.too_long", "longer than 16 MiB, which no document may be", 0, 0, 0, FALSE },
  { "input.encoding", "in an encoding that cannot be told", 0, 0, 0, FALSE },
  { "input.binary", "share of control characters over", 0.01, 0, 1, FALSE },
  { "input.damaged", "share of U+FFFD (broken characters) over", 0.01, 0, 1, FALSE },
  { "input.json", "a line that is no JSON object", 0, 0, 0, FALSE },
  { "input.field", "a row without the text's field", 0, 0, 0, FALSE },
  { "input.empty", "nothing left but white space", 0, 0, 0, FALSE },

  { "c4.lorem_ipsum", "contains “lorem ipsum”", 1, 0, 1, FALSE },
  { "c4.curly_brace", "contains “{”", 1, 0, 1, FALSE },
  { "c4.line_words", "line of fewer words than", 5, 0, 1000, TRUE },
  { "c4.line_end", "line without punctuation at its end", 1, 0, 1, TRUE },
  { "c4.line_javascript", "line that names Javascript", 1, 0, 1, TRUE },
  { "c4.line_policy", "line about terms, privacy or cookies", 1, 0, 1, TRUE },
  { "c4.sentences", "fewer sentences than", 3, 0, 1000, FALSE },

  { "gopher.min_words", "fewer words than", 50, 0, 1e9, FALSE },
  { "gopher.max_words", "more words than", 100000, 1, 1e9, FALSE },
  { "gopher.min_word_length", "mean word length under", 3, 0, 1000, FALSE },
  { "gopher.max_word_length", "mean word length over", 10, 1, 1e9, FALSE },
  { "gopher.hashes", "“#” for each word over", 0.1, 0, 1000, FALSE },
  { "gopher.ellipses", "ellipses for each word over", 0.1, 0, 1000, FALSE },
  { "gopher.bullet_lines", "share of lines that start with a bullet over", 0.9, 0, 1, FALSE },
  { "gopher.ellipsis_lines", "share of lines that end with an ellipsis over", 0.3, 0, 1, FALSE },
  { "gopher.alphabetic", "share of words with a letter under", 0.8, 0, 1, FALSE },
  { "gopher.stop_words", "of eight English stop words fewer than", 2, 0, 8, FALSE },

  { "gopher.duplicate_lines", "share of repeated lines over", 0.3, 0, 1, FALSE },
  { "gopher.duplicate_paragraphs", "share of repeated paragraphs over", 0.3, 0, 1, FALSE },
  { "gopher.duplicate_line_chars", "characters in repeated lines over", 0.2, 0, 1, FALSE },
  { "gopher.duplicate_paragraph_chars", "characters in repeated paragraphs over", 0.2, 0,
    1, FALSE },
  { "gopher.top_2_gram", "characters in the commonest 2-gram over", 0.2, 0, 1, FALSE },
  { "gopher.top_3_gram", "characters in the commonest 3-gram over", 0.18, 0, 1, FALSE },
  { "gopher.top_4_gram", "characters in the commonest 4-gram over", 0.16, 0, 1, FALSE },
  { "gopher.duplicate_5_gram", "characters in repeated 5-grams over", 0.15, 0, 1, FALSE },
  { "gopher.duplicate_6_gram", "characters in repeated 6-grams over", 0.14, 0, 1, FALSE },
  { "gopher.duplicate_7_gram", "characters in repeated 7-grams over", 0.13, 0, 1, FALSE },
  { "gopher.duplicate_8_gram", "characters in repeated 8-grams over", 0.12, 0, 1, FALSE },
  { "gopher.duplicate_9_gram", "characters in repeated 9-grams over", 0.11, 0, 1, FALSE },
  { "gopher.duplicate_10_gram", "characters in repeated 10-grams over", 0.1, 0, 1, FALSE },

  { "duplicate.exact", "the same text as an earlier document", 0, 0, 0, FALSE },
  { "duplicate.near", "shared word 5-grams with an earlier document at least", 0.8, 0.5, 1, FALSE },
};

static const struct {
  const char *name;
  LaurelRule first, last;
} sets[] = {
  { "c4", LAUREL_RULE_C4_LOREM_IPSUM, LAUREL_RULE_C4_SENTENCES },
  { "gopher", LAUREL_RULE_GOPHER_MIN_WORDS, LAUREL_RULE_GOPHER_DUPLICATE_10_GRAM },
  { "gopher-quality", LAUREL_RULE_GOPHER_MIN_WORDS, LAUREL_RULE_GOPHER_STOP_WORDS },
  { "gopher-repetition", LAUREL_RULE_GOPHER_DUPLICATE_LINES, LAUREL_RULE_GOPHER_DUPLICATE_10_GRAM },
  { "all", LAUREL_RULE_C4_LOREM_IPSUM, LAUREL_RULE_GOPHER_DUPLICATE_10_GRAM },
  { "none", LAUREL_N_RULES, LAUREL_RULE_TOO_LONG },
};

const LaurelRuleInfo *
laurel_rule_get_info (LaurelRule rule)
{
  return &rules[rule];
}

char *
laurel_rule_describe (LaurelRule rule, double threshold)
{
  const LaurelRuleInfo *info = &rules[rule];
  gboolean is_switch = info->max == 1.0 && info->threshold == 1.0;

  return info->max > 0.0 && !is_switch ? g_strdup_printf ("%s %g", info->why, threshold)
                                       : g_strdup (info->why);
}

void
laurel_rules_init (LaurelRules *self)
{
  for (int i = 0; i < LAUREL_N_RULES; i++) {
    self->on[i] = i < LAUREL_RULE_C4_LOREM_IPSUM || i >= LAUREL_RULE_DUPLICATE_EXACT;
    self->threshold[i] = rules[i].threshold;
  }
}

gboolean
laurel_rules_add_set (LaurelRules *self, const char *name, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    if (!g_str_equal (name, sets[i].name))
      continue;
    for (int rule = (int) sets[i].first; rule <= (int) sets[i].last; rule++)
      self->on[rule] = TRUE;
    return TRUE;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not use the rules “%s”: there is no such set; name c4, gopher, "
               "gopher-quality, gopher-repetition, all or none",
               name);
  return FALSE;
}

gboolean
laurel_rules_set (LaurelRules *self, const char *assignment, GError **error)
{
  const char *equals = strchr (assignment, '=');
  g_autofree char *name = g_strndup (assignment, equals != NULL ? (gsize) (equals - assignment)
                                                                : strlen (assignment));
  char *end = NULL;
  double value = equals != NULL ? g_ascii_strtod (equals + 1, &end) : 0.0;

  for (int i = 0; i < LAUREL_N_RULES; i++) {
    if (!g_str_equal (name, rules[i].name) || rules[i].max == 0.0)
      continue;
    if (end == NULL || end == equals + 1 || *end != '\0'
        || !(value >= rules[i].min && value <= rules[i].max)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                   "Could not set “%s”: it must be a number from %g to %g; write %s=%g", name,
                   rules[i].min, rules[i].max, name, rules[i].threshold);
      return FALSE;
    }
    self->threshold[i] = value;
    return TRUE;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not set “%s”: no rule of that name has a threshold; see “laurelctl corpus "
               "prepare --help”",
               name);
  return FALSE;
}

void
laurel_removed_lines_clear (LaurelRemovedLines *self)
{
  for (int i = 0; i < LAUREL_N_RULES; i++)
    g_clear_pointer (&self->sample[i], g_free);
}

/* --- Words, lines, paragraphs -------------------------------------------------------- */

static gboolean
is_space (const char *at)
{
  return (guint8) *at < 0x80 ? *at == ' ' || *at == '\t' || *at == '\n'
                             : g_unichar_isspace (g_utf8_get_char (at));
}

static void
add_span (GArray *spans, const char *start, const char *end)
{
  LaurelSpan span = { start, (gsize) (end - start), 0, 0 };

  for (const char *at = start; at < end; at++)
    span.n_chars += ((guint8) *at & 0xc0) != 0x80;
  span.hash = laurel_hash_bytes (start, span.n);
  g_array_append_val (spans, span);
}

void
laurel_split_words (const GString *text, GArray *spans)
{
  const char *end = text->str + text->len, *start;

  for (const char *at = text->str; at < end;) {
    while (at < end && is_space (at))
      at = g_utf8_next_char (at);
    start = at;
    while (at < end && !is_space (at))
      at = g_utf8_next_char (at);
    if (at > start)
      add_span (spans, start, at);
  }
}

void
laurel_split_lines (const GString *text, GArray *spans)
{
  const char *end = text->str + text->len, *stop;

  for (const char *at = text->str; at < end; at = stop + 1) {
    const char *newline = memchr (at, '\n', (gsize) (end - at));

    stop = newline != NULL ? newline : end;
    while (at < stop && is_space (at))
      at = g_utf8_next_char (at);
    if (at < stop)
      add_span (spans, at, stop);
  }
}

void
laurel_split_paragraphs (const GString *text, GArray *spans)
{
  const char *at = text->str, *stop;

  while ((stop = strstr (at, "\n\n")) != NULL) {
    if (stop > at)
      add_span (spans, at, stop);
    for (at = stop; *at == '\n';)
      at++;
  }
  if (*at != '\0')
    add_span (spans, at, text->str + text->len);
}

static gboolean
any_on (const LaurelRules *self, LaurelRule first, LaurelRule last)
{
  for (int i = (int) first; i <= (int) last; i++)
    if (self->on[i])
      return TRUE;
  return FALSE;
}

LaurelRule
laurel_rules_apply (const LaurelRules *self, GString *text, LaurelRemovedLines *lines)
{
  g_autoptr (GArray) words = NULL;
  LaurelRule rule;

  if (any_on (self, LAUREL_RULE_C4_LOREM_IPSUM, LAUREL_RULE_C4_SENTENCES)) {
    rule = laurel_rules_apply_c4 (self, text, lines);
    if (rule != LAUREL_RULE_NONE)
      return rule;
  }
  if (!any_on (self, LAUREL_RULE_GOPHER_MIN_WORDS, LAUREL_RULE_GOPHER_DUPLICATE_10_GRAM))
    return LAUREL_RULE_NONE;
  words = g_array_sized_new (FALSE, FALSE, sizeof (LaurelSpan), (guint) (text->len / 5 + 16));
  laurel_split_words (text, words);
  rule = laurel_rules_apply_gopher_quality (self, text, words);
  if (rule != LAUREL_RULE_NONE)
    return rule;
  return laurel_rules_apply_gopher_repetition (self, text, words);
}
