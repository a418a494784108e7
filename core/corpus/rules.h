/* rules.h: why a document, or a line of one, is removed: the one table of all reasons.
 *
 * C4: Raffel et al., “Exploring the limits of transfer learning with a unified
 * text-to-text transformer”, JMLR 21 (2020), section 2.2; its list of bad words,
 * its language detector and its removal of repeated three-sentence spans are not
 * part of this. Gopher: Rae et al., “Scaling language models: methods, analysis &
 * insights from training Gopher” (2021), appendix A1.1 and table A1.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  /* What is no text to begin with. */
  LAUREL_RULE_TOO_LONG,
  LAUREL_RULE_ENCODING,
  LAUREL_RULE_BINARY,
  LAUREL_RULE_DAMAGED,
  LAUREL_RULE_JSON,
  LAUREL_RULE_FIELD,
  LAUREL_RULE_EMPTY,
  /* Raffel et al. 2020. */
  LAUREL_RULE_C4_LOREM_IPSUM,
  LAUREL_RULE_C4_CURLY_BRACE,
  LAUREL_RULE_C4_LINE_WORDS,
  LAUREL_RULE_C4_LINE_END,
  LAUREL_RULE_C4_LINE_JAVASCRIPT,
  LAUREL_RULE_C4_LINE_POLICY,
  LAUREL_RULE_C4_SENTENCES,
  /* Rae et al. 2021: quality. */
  LAUREL_RULE_GOPHER_MIN_WORDS,
  LAUREL_RULE_GOPHER_MAX_WORDS,
  LAUREL_RULE_GOPHER_MIN_WORD_LENGTH,
  LAUREL_RULE_GOPHER_MAX_WORD_LENGTH,
  LAUREL_RULE_GOPHER_HASHES,
  LAUREL_RULE_GOPHER_ELLIPSES,
  LAUREL_RULE_GOPHER_BULLET_LINES,
  LAUREL_RULE_GOPHER_ELLIPSIS_LINES,
  LAUREL_RULE_GOPHER_ALPHABETIC,
  LAUREL_RULE_GOPHER_STOP_WORDS,
  /* Rae et al. 2021: repetition. */
  LAUREL_RULE_GOPHER_DUPLICATE_LINES,
  LAUREL_RULE_GOPHER_DUPLICATE_PARAGRAPHS,
  LAUREL_RULE_GOPHER_DUPLICATE_LINE_CHARS,
  LAUREL_RULE_GOPHER_DUPLICATE_PARAGRAPH_CHARS,
  LAUREL_RULE_GOPHER_TOP_2_GRAM, /* … 4 */
  LAUREL_RULE_GOPHER_TOP_3_GRAM,
  LAUREL_RULE_GOPHER_TOP_4_GRAM,
  LAUREL_RULE_GOPHER_DUPLICATE_5_GRAM, /* … 10 */
  LAUREL_RULE_GOPHER_DUPLICATE_6_GRAM,
  LAUREL_RULE_GOPHER_DUPLICATE_7_GRAM,
  LAUREL_RULE_GOPHER_DUPLICATE_8_GRAM,
  LAUREL_RULE_GOPHER_DUPLICATE_9_GRAM,
  LAUREL_RULE_GOPHER_DUPLICATE_10_GRAM,
  /* Of what is left. */
  LAUREL_RULE_DUPLICATE_EXACT,
  LAUREL_RULE_DUPLICATE_NEAR,
  LAUREL_N_RULES,
} LaurelRule;

#define LAUREL_RULE_NONE LAUREL_N_RULES

typedef struct {
  const char *name; /* “gopher.min_words”: the set and the rule */
  const char *why;  /* “fewer words than”, “share of …”: what is wrong with what is removed */
  double threshold; /* as published; of those that only count, 1 is on and 0 off */
  double min, max;  /* what it may be set to; both 0: nothing to set */
  gboolean lines;   /* removes lines, not documents */
} LaurelRuleInfo;

const LaurelRuleInfo *laurel_rule_get_info (LaurelRule rule);

/* (transfer full): what is wrong with what @rule removes, with its @threshold where that says something. */
char *laurel_rule_describe (LaurelRule rule, double threshold) G_GNUC_WARN_UNUSED_RESULT;

/* Which rules apply, and from where on. */
typedef struct {
  gboolean on[LAUREL_N_RULES];
  double threshold[LAUREL_N_RULES];
} LaurelRules;

/* The published thresholds, no set but the first and the last part of the table on. */
void laurel_rules_init (LaurelRules *self);
/* “c4”, “gopher”, “gopher-quality”, “gopher-repetition”, “all” or “none” (which adds nothing). */
gboolean laurel_rules_add_set (LaurelRules *self, const char *name, GError **error);
/* “NAME=VALUE”, as in “gopher.min_words=20”; the rule is on if its set is. */
gboolean laurel_rules_set (LaurelRules *self, const char *assignment, GError **error);

/* What the rules about lines removed. */
typedef struct {
  guint64 n_lines[LAUREL_N_RULES];
  char *sample[LAUREL_N_RULES]; /* the first line of each, or NULL */
} LaurelRemovedLines;

void laurel_removed_lines_clear (LaurelRemovedLines *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelRemovedLines, laurel_removed_lines_clear)

/* The first rule that removes @text (clean UTF-8), or LAUREL_RULE_NONE. The rules about lines take
 * theirs out of @text first and count them in @lines. */
LaurelRule laurel_rules_apply (const LaurelRules *self, GString *text, LaurelRemovedLines *lines);

G_END_DECLS
