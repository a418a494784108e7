/* test-rules.c: each rule removes what it names, from its threshold on and no earlier.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/corpus/rules.h"

#include <string.h>

/* 60 words of prose, all different but a few, that no rule minds. */
#define PROSE                                                                                  \
  "When the river froze that winter, the children of both villages met on the ice and built "  \
  "a town of their own. It had streets, a bakery with bread made of snow, and even a small "   \
  "court. Nobody remembers who first proposed laws, but every player had to swear by them "    \
  "before sunset, or else go home early with cold feet."

static void
init_rules (LaurelRules *rules, const char *set)
{
  laurel_rules_init (rules);
  g_assert_true (laurel_rules_add_set (rules, set, NULL));
}

static LaurelRule
apply (const char *set, const char *before, const char *after)
{
  g_autoptr (GString) text = g_string_new (before);
  g_auto (LaurelRemovedLines) lines = { 0 };
  LaurelRules rules;
  LaurelRule rule;

  init_rules (&rules, set);
  rule = laurel_rules_apply (&rules, text, &lines);
  if (after != NULL)
    g_assert_cmpstr (text->str, ==, after);
  return rule;
}

static void
assert_rule (const char *set, const char *text, LaurelRule wanted)
{
  LaurelRule rule = apply (set, text, NULL);

  g_assert_cmpstr (rule < LAUREL_N_RULES ? laurel_rule_get_info (rule)->name : "kept", ==,
                   wanted < LAUREL_N_RULES ? laurel_rule_get_info (wanted)->name : "kept");
}

/* @text so often, with @between between. */
static char *
repeat (const char *text, int n, const char *between)
{
  GString *out = g_string_new (text);

  for (int i = 1; i < n; i++)
    g_string_append_printf (out, "%s%s", between, text);
  return g_string_free (out, FALSE);
}

/* The word of number @i among those that begin with @first. */
static void
append_word (GString *out, char first, int i)
{
  g_string_append_printf (out, "%c%c%c%c", first, 'a' + i / 676 % 26, 'a' + i / 26 % 26,
                          'a' + i % 26);
}

/* @n words that are all different, three of them stop words. */
static char *
make_words (int n)
{
  GString *out = g_string_new ("the and with");

  for (int i = 3; i < n; i++) {
    g_string_append_c (out, ' ');
    append_word (out, 'w', i);
  }
  return g_string_free (out, FALSE);
}

static void
test_prose (void)
{
  g_assert_cmpint (apply ("all", PROSE, PROSE), ==, LAUREL_RULE_NONE);
}

static void
test_c4_documents (void)
{
  assert_rule ("c4", PROSE "\nLorem IPSUM dolor sit amet.", LAUREL_RULE_C4_LOREM_IPSUM);
  assert_rule ("c4", PROSE "\nif (x) { return; }", LAUREL_RULE_C4_CURLY_BRACE);
  assert_rule ("c4", "This is the first sentence here. And this one is the second.",
               LAUREL_RULE_C4_SENTENCES);
  assert_rule ("c4", "This is the first sentence here. “And (this one is the second.)” Third one!",
               LAUREL_RULE_NONE);
  /* Neither 3.14 nor a name ends a sentence in its middle. */
  assert_rule ("c4", "The number 3.14 and the site example.org are none. Two is all there is.",
               LAUREL_RULE_C4_SENTENCES);
}

static void
test_c4_lines (void)
{
  g_autoptr (GString) text = g_string_new ("Home | About | Contact us or call\n"
                                           "Click here.\n" PROSE "\n\n"
                                           "Please enable JavaScript to see this page properly.\n"
                                           "By reading on you accept our Cookie Policy entirely.\n"
                                           "This sentence just stops in the middle of...\n\n"
                                           "He said: “The last line is a good one.”");
  g_auto (LaurelRemovedLines) lines = { 0 };
  LaurelRules rules;

  init_rules (&rules, "c4");
  g_assert_cmpint (laurel_rules_apply (&rules, text, &lines), ==, LAUREL_RULE_NONE);
  g_assert_cmpstr (text->str, ==, PROSE "\n\nHe said: “The last line is a good one.”");
  g_assert_cmpuint (lines.n_lines[LAUREL_RULE_C4_LINE_WORDS], ==, 1);
  g_assert_cmpuint (lines.n_lines[LAUREL_RULE_C4_LINE_END], ==, 2);
  g_assert_cmpuint (lines.n_lines[LAUREL_RULE_C4_LINE_JAVASCRIPT], ==, 1);
  g_assert_cmpuint (lines.n_lines[LAUREL_RULE_C4_LINE_POLICY], ==, 1);
  g_assert_cmpstr (lines.sample[LAUREL_RULE_C4_LINE_END], ==, "Home | About | Contact us or call");
}

static void
test_c4_citations (void)
{
  apply ("c4", "A fact is here.[12] It is old[citation needed] but good. See [the note] too.[edit]",
         "A fact is here. It is old but good. See [the note] too.");
}

static void
test_gopher_words (void)
{
  static const struct {
    int n;
    LaurelRule rule;
  } cases[] = { { 49, LAUREL_RULE_GOPHER_MIN_WORDS },
                { 50, LAUREL_RULE_NONE },
                { 100001, LAUREL_RULE_GOPHER_MAX_WORDS } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = make_words (cases[i].n);

    assert_rule ("gopher-quality", text, cases[i].rule);
  }
}

static void
test_gopher_quality (void)
{
  static const struct {
    const char *piece;
    const char *between;
    int n;
    LaurelRule rule;
  } cases[] = {
    { "a to", " ", 60, LAUREL_RULE_GOPHER_MIN_WORD_LENGTH },
    { "antidisestablishmentarianism with that", " ", 30, LAUREL_RULE_GOPHER_MAX_WORD_LENGTH },
    { "the words #one two three and four", " ", 20, LAUREL_RULE_GOPHER_HASHES },
    { "the words two... three and four", " ", 20, LAUREL_RULE_GOPHER_ELLIPSES },
    { "the words two… three and four", " ", 20, LAUREL_RULE_GOPHER_ELLIPSES },
    { "- the words and bullets of some line here", "\n", 20, LAUREL_RULE_GOPHER_BULLET_LINES },
    { "• the words and bullets of some line here", "\n", 20, LAUREL_RULE_GOPHER_BULLET_LINES },
    { "the line goes on and on without an end to speak of...", "\n", 20,
      LAUREL_RULE_GOPHER_ELLIPSIS_LINES },
    { "the 1234 and 5678", " ", 30, LAUREL_RULE_GOPHER_ALPHABETIC },
    { "nine languages know these nouns", " ", 20, LAUREL_RULE_GOPHER_STOP_WORDS },
    { "“The” languages know nouns, and", " ", 20, LAUREL_RULE_GOPHER_STOP_WORDS },
    { "The languages know nouns, (and)", " ", 20, LAUREL_RULE_NONE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = repeat (cases[i].piece, cases[i].n, cases[i].between);

    assert_rule ("gopher-quality", text, cases[i].rule);
  }
}

static void
test_gopher_lines (void)
{
  g_autofree char *menu = repeat ("Home\nNews\nAbout", 4, "\n");
  g_autofree char *third = g_strconcat (PROSE "\n", menu, NULL);
  g_autofree char *long_lines = g_strconcat (PROSE "\nA\nB\nC\nD\nE\nF\n" PROSE, NULL);
  g_autofree char *paragraphs = repeat ("a\nb", 3, "\n\n");

  /* 9 of 13 lines come again. */
  assert_rule ("gopher-repetition", third, LAUREL_RULE_GOPHER_DUPLICATE_LINES);
  /* One of 8 lines, but half of all characters. */
  assert_rule ("gopher-repetition", long_lines, LAUREL_RULE_GOPHER_DUPLICATE_LINE_CHARS);
  assert_rule ("gopher-repetition", paragraphs, LAUREL_RULE_GOPHER_DUPLICATE_LINES);
  assert_rule ("gopher-repetition", PROSE, LAUREL_RULE_NONE);
}

/* @n_filler different words, then @n times @phrase. */
static void
assert_grams (int n_filler, const char *phrase, int n, LaurelRule rule)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < MAX (n_filler, n); i++) {
    if (i < n_filler) {
      append_word (text, 'f', i);
      g_string_append_c (text, ' ');
    }
    if (i < n)
      g_string_append_printf (text, "%s ", phrase);
  }
  assert_rule ("gopher-repetition", text->str, rule);
  g_string_free (text, TRUE);
}

static void
test_gopher_grams (void)
{
  /* Between any two phrases there is a word of four letters that comes once, so that the phrase's
   * own n-grams are all that repeats. */
  assert_grams (100, "new york", 100, LAUREL_RULE_GOPHER_TOP_2_GRAM);
  /* 70 of 470 characters, 0.149. */
  assert_grams (100, "new york", 10, LAUREL_RULE_NONE);
  /* Of 480 characters 80 are the commonest pair, 0.167, and 120 the three words, 0.25. */
  assert_grams (90, "aaaa bbbb cccc", 10, LAUREL_RULE_GOPHER_TOP_3_GRAM);
  /* Of 268 characters: 24 (0.09), 36 (0.134), 48 (0.179). */
  assert_grams (55, "aaaa bbbb cccc dddd", 3, LAUREL_RULE_GOPHER_TOP_4_GRAM);
  /* A sentence said again: the commonest 4-gram is 32 of 360 characters, what is said again 60. */
  assert_grams (60, "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo", 2,
                LAUREL_RULE_GOPHER_DUPLICATE_5_GRAM);
  /* Ten words again in 180, 0.056, are no matter. */
  assert_grams (160, "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj", 2, LAUREL_RULE_NONE);
}

/* 72 of 624 characters come again, 0.115: too few for n-grams of up to eight words. */
static void
test_gopher_long_grams (void)
{
  assert_grams (120, "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo "
                "pppp qqqq rrrr", 2, LAUREL_RULE_GOPHER_DUPLICATE_9_GRAM);
}

static void
test_thresholds (void)
{
  static const char *const wrong[] = { "gopher.min_words", "gopher.min_words=", "nothing=1",
                                       "gopher.min_words=x", "gopher.min_words=-1",
                                       "gopher.alphabetic=1.5", "gopher.alphabetic=nan",
                                       "input.json=1", "=3", "" };
  g_autoptr (GString) text = g_string_new ("The cat and the dog.");
  g_auto (LaurelRemovedLines) lines = { 0 };
  LaurelRules rules;

  init_rules (&rules, "gopher");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (laurel_rules_set (&rules, wrong[i], &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  }
  g_assert_cmpint (laurel_rules_apply (&rules, text, &lines), ==, LAUREL_RULE_GOPHER_MIN_WORDS);
  g_assert_true (laurel_rules_set (&rules, "gopher.min_words=5", NULL));
  g_assert_cmpint (laurel_rules_apply (&rules, text, &lines), ==, LAUREL_RULE_NONE);
  g_assert_false (laurel_rules_add_set (&rules, "gofer", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/corpus/rules/prose", test_prose);
  g_test_add_func ("/corpus/rules/c4-documents", test_c4_documents);
  g_test_add_func ("/corpus/rules/c4-lines", test_c4_lines);
  g_test_add_func ("/corpus/rules/c4-citations", test_c4_citations);
  g_test_add_func ("/corpus/rules/gopher-words", test_gopher_words);
  g_test_add_func ("/corpus/rules/gopher-quality", test_gopher_quality);
  g_test_add_func ("/corpus/rules/gopher-lines", test_gopher_lines);
  g_test_add_func ("/corpus/rules/gopher-grams", test_gopher_grams);
  g_test_add_func ("/corpus/rules/gopher-long-grams", test_gopher_long_grams);
  g_test_add_func ("/corpus/rules/thresholds", test_thresholds);
  return g_test_run ();
}
