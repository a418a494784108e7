/* test-label-text.c: Markdown, word differences and the clock of the Label page.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/ranking_dialog.h"
#include "ui/label/activity.h"
#include "ui/label/markdown.h"
#include "ui/label/word_diff.h"

#include <pango/pango.h>

static void
assert_markup (const char *markdown, const char *expected)
{
  g_autofree char *markup = laurel_markdown_to_pango (markdown);

  g_assert_cmpstr (markup, ==, expected);
}

static void
test_markdown_blocks (void)
{
  assert_markup ("One.\n\nTwo.", "One.\n\nTwo.");
  assert_markup ("One\ntwo", "One\ntwo");
  assert_markup ("- a\n- b", " •  a\n •  b");
  assert_markup ("So:\n\n3. c\n4. d\n\nEnd", "So:\n\n 3.  c\n 4.  d\n\nEnd");
  assert_markup ("- a\n  - b", " •  a\n     •  b");
  assert_markup ("> wise", "│ wise");
  assert_markup ("```\nx < y\n```", "<tt>x &lt; y</tt>");
  assert_markup ("", "");
}

static void
test_markdown_inlines (void)
{
  assert_markup ("*a* **b** `c`", "<i>a</i> <b>b</b> <tt>c</tt>");
  assert_markup ("### Small", "<span weight=\"bold\">Small</span>");
  assert_markup ("[Laurel](http://example.org)", "<u>Laurel</u>");
}

/* A labeler's guidelines are wrapped by an editor; an answer's line breaks are the model's. */
static void
test_markdown_joins_lines (void)
{
  g_autofree char *document = laurel_markdown_document_to_pango ("One\ntwo  \nthree\n\nFour");

  g_assert_cmpstr (document, ==, "One two\nthree\n\nFour");
}

static void
test_ranking_order (void)
{
  LaurelRank ranks[] = {
    { .completion_id = 10, .rank = 2 },
    { .completion_id = 11, .rank = 3 },
    { .completion_id = 12, .rank = 2 },
    { .completion_id = 13, .rank = 1 },
  };
  LaurelRanking ranking = { .ranks = ranks, .n = G_N_ELEMENTS (ranks) };
  g_autofree char *order = laurel_ranking_describe_order (&ranking);
  g_autofree char *bad = NULL;

  g_assert_cmpstr (order, ==, "D > A = C > B");
  ranking.all_bad = TRUE;
  bad = laurel_ranking_describe_order (&ranking);
  g_assert_cmpstr (bad, ==, "D > A = C > B, all bad");
}

/* Whatever a model writes, GTK must be able to show it. */
static void
test_markdown_always_parses (void)
{
  static const char *const texts[] = {
    "<b>not ours</b> & <script>alert (1)</script>",
    "<div>\n<b>\n</div>",
    "**open *and `never closed",
    "a < b && c > d \"quoted\" 'single'",
    "- \n- \n1.\n> \n>> deep",
    "broken \xff\xfe bytes",
    "![image <of>](x) [link `x <`](y)",
    "| a | b |\n|---|---|\n| < | & |",
    "\x01\x02 control",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *markup = laurel_markdown_to_pango (texts[i]);
    g_autoptr (GError) error = NULL;
    gboolean ok;

    g_test_message ("%s", texts[i]);
    ok = pango_parse_markup (markup, -1, 0, NULL, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (ok);
  }
}

/* The marked words of @text, joined by "|". */
static void
assert_diff (const char *text, const char *reference, const char *expected)
{
  g_autoptr (GArray) spans = laurel_word_diff (text, reference);
  g_autoptr (GString) marked = g_string_new (NULL);

  for (guint i = 0; i < spans->len; i++) {
    LaurelTextSpan span = g_array_index (spans, LaurelTextSpan, i);

    g_string_append_printf (marked, "%s%.*s", i > 0 ? "|" : "", (int) (span.end - span.start),
                            text + span.start);
  }
  g_assert_cmpstr (marked->str, ==, expected);
}

static void
test_diff_words (void)
{
  assert_diff ("a b c", "a b c", "");
  assert_diff ("a x c", "a b c", "x");
  assert_diff ("a x y c", "a c", "x y");
  assert_diff ("x a y", "a", "x|y");
  assert_diff ("a b", "", "a b");
  assert_diff ("", "a b", "");
  assert_diff ("grüße Ä  ö", "grüße  ö", "Ä");
  assert_diff ("c a b", "a b c", "c");
}

static void
test_activity_tells_idle_apart (void)
{
  LaurelActivity activity = { 0 };
  gint64 active;
  gint64 idle;

  laurel_activity_touch (&activity, 5000000, &active, &idle);
  g_assert_cmpint (active, ==, 0); /* not started */
  laurel_activity_start (&activity, 1000000);
  laurel_activity_touch (&activity, 3500000, &active, &idle);
  g_assert_cmpint (active, ==, 2500);
  g_assert_cmpint (idle, ==, 0);
  laurel_activity_touch (&activity, 3500000 + 90 * G_USEC_PER_SEC, &active, &idle);
  g_assert_cmpint (active, ==, 30000);
  g_assert_cmpint (idle, ==, 60000);
}

/* A thousand inputs within a second are a second, not a thousand times nothing. */
static void
test_activity_loses_nothing_to_rounding (void)
{
  LaurelActivity activity = { 0 };
  gint64 total = 0;

  laurel_activity_start (&activity, 1000000);
  for (int i = 1; i <= 1500; i++) {
    gint64 active;
    gint64 idle;

    laurel_activity_touch (&activity, 1000000 + i * 700, &active, &idle);
    total += active;
  }
  g_assert_cmpint (total, ==, 1050);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/label/markdown/blocks", test_markdown_blocks);
  g_test_add_func ("/label/markdown/joins-lines", test_markdown_joins_lines);
  g_test_add_func ("/data/ranking/order", test_ranking_order);
  g_test_add_func ("/label/markdown/inlines", test_markdown_inlines);
  g_test_add_func ("/label/markdown/always-parses", test_markdown_always_parses);
  g_test_add_func ("/label/diff/words", test_diff_words);
  g_test_add_func ("/label/activity/tells-idle-apart", test_activity_tells_idle_apart);
  g_test_add_func ("/label/activity/loses-nothing-to-rounding",
                   test_activity_loses_nothing_to_rounding);

  return g_test_run ();
}
