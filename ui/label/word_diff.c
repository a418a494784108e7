/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/word_diff.h"

#include <string.h>

#define MAX_WORDS 4000

static GArray *
split_words (const char *text)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (LaurelTextSpan));
  const char *p = text;

  while (*p) {
    LaurelTextSpan word;

    while (*p && g_unichar_isspace (g_utf8_get_char (p))) {
      p = g_utf8_next_char (p);
    }
    word.start = p - text;
    while (*p && !g_unichar_isspace (g_utf8_get_char (p))) {
      p = g_utf8_next_char (p);
    }
    word.end = p - text;
    if (word.end > word.start) {
      g_array_append_val (words, word);
    }
  }
  return words;
}

static gboolean
words_equal (const char *a, LaurelTextSpan in_a, const char *b, LaurelTextSpan in_b)
{
  return in_a.end - in_a.start == in_b.end - in_b.start
         && memcmp (a + in_a.start, b + in_b.start, in_a.end - in_a.start) == 0;
}

/* lengths[i × (m + 1) + j]: the longest common subsequence of words i… of a and j… of b. */
static guint16 *
measure_subsequences (const char *a, GArray *in_a, guint n, const char *b, GArray *in_b, guint m)
{
  guint16 *lengths = g_new0 (guint16, (gsize) (n + 1) * (m + 1));

  for (guint i = n; i-- > 0;) {
    for (guint j = m; j-- > 0;) {
      guint16 *here = &lengths[(gsize) i * (m + 1) + j];

      *here = words_equal (a, g_array_index (in_a, LaurelTextSpan, i), b,
                           g_array_index (in_b, LaurelTextSpan, j))
                ? lengths[(gsize) (i + 1) * (m + 1) + j + 1] + 1
                : MAX (lengths[(gsize) (i + 1) * (m + 1) + j],
                       lengths[(gsize) i * (m + 1) + j + 1]);
    }
  }
  return lengths;
}

static void
add_span (GArray *spans, LaurelTextSpan word, gboolean joins_previous)
{
  if (joins_previous && spans->len > 0) {
    g_array_index (spans, LaurelTextSpan, spans->len - 1).end = word.end;
  } else {
    g_array_append_val (spans, word);
  }
}

GArray *
laurel_word_diff (const char *text, const char *reference)
{
  g_autoptr (GArray) words = split_words (text);
  g_autoptr (GArray) others = split_words (reference);
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (LaurelTextSpan));
  guint n = MIN (words->len, MAX_WORDS);
  guint m = MIN (others->len, MAX_WORDS);
  g_autofree guint16 *lengths = measure_subsequences (text, words, n, reference, others, m);
  gboolean joins = FALSE;
  guint j = 0;

  for (guint i = 0; i < words->len; i++) {
    LaurelTextSpan word = g_array_index (words, LaurelTextSpan, i);

    /* Skip the reference's words that lie on no longest subsequence from here. */
    while (i < n && j < m && !words_equal (text, word, reference,
                                           g_array_index (others, LaurelTextSpan, j))
           && lengths[(gsize) i * (m + 1) + j + 1] == lengths[(gsize) i * (m + 1) + j]) {
      j++;
    }
    if (i < n && j < m && words_equal (text, word, reference,
                                       g_array_index (others, LaurelTextSpan, j))) {
      j++;
      joins = FALSE;
    } else {
      add_span (spans, word, joins);
      joins = TRUE;
    }
  }
  return spans;
}
