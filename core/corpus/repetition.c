/* repetition.c: Gopher's rules about repetition (Rae et al. 2021, table A1).
 *
 * A line, paragraph or n-gram counts as repeated from its second time on. An
 * n-gram that comes once is nobody's “most frequent one”.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/rules_private.h"

/* Counts by hash, with linear probing; at most half full. */
typedef struct {
  guint64 *keys; /* 0: free */
  guint32 *counts;
  gsize mask;
} Counter;

static void
counter_init (Counter *self, gsize n_items)
{
  gsize capacity = 16;

  while (capacity < 2 * n_items)
    capacity *= 2;
  self->keys = g_new (guint64, capacity);
  self->counts = g_new (guint32, capacity);
  self->mask = capacity - 1;
}

static void
counter_reset (Counter *self)
{
  memset (self->keys, 0, (self->mask + 1) * sizeof *self->keys);
}

static void
counter_clear (Counter *self)
{
  g_free (self->keys);
  g_free (self->counts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Counter, counter_clear)

/* How often @key has come now. */
static guint32
counter_add (Counter *self, guint64 key)
{
  gsize at;

  key += key == 0;
  for (at = key & self->mask; self->keys[at] != key; at = (at + 1) & self->mask) {
    if (self->keys[at] != 0)
      continue;
    self->keys[at] = key;
    self->counts[at] = 0;
    break;
  }
  return ++self->counts[at];
}

static gboolean
is_over (const LaurelRules *self, LaurelRule rule, double part, double whole)
{
  return self->on[rule] && part > self->threshold[rule] * whole;
}

static LaurelRule
judge_spans (const LaurelRules *self, const GArray *spans, const GString *text, Counter *counter,
             LaurelRule by_number, LaurelRule by_chars)
{
  double n_repeated = 0.0, n_chars = 0.0;

  counter_reset (counter);
  for (guint i = 0; i < spans->len; i++) {
    const LaurelSpan *span = &g_array_index (spans, LaurelSpan, i);

    if (counter_add (counter, span->hash) == 1)
      continue;
    n_repeated++;
    n_chars += (double) span->n_chars;
  }
  if (is_over (self, by_number, n_repeated, spans->len))
    return by_number;
  if (n_chars > 0.0
      && is_over (self, by_chars, n_chars, (double) g_utf8_strlen (text->str, (gssize) text->len)))
    return by_chars;
  return LAUREL_RULE_NONE;
}

static LaurelRule
judge_lines (const LaurelRules *self, const GString *text)
{
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (LaurelSpan));
  g_autoptr (GArray) paragraphs = g_array_new (FALSE, FALSE, sizeof (LaurelSpan));
  g_auto (Counter) counter = { 0 };
  LaurelRule rule;

  laurel_split_lines (text, lines);
  laurel_split_paragraphs (text, paragraphs);
  counter_init (&counter, MAX (lines->len, paragraphs->len));
  rule = judge_spans (self, lines, text, &counter, LAUREL_RULE_GOPHER_DUPLICATE_LINES,
                      LAUREL_RULE_GOPHER_DUPLICATE_LINE_CHARS);
  if (rule != LAUREL_RULE_NONE)
    return rule;
  return judge_spans (self, paragraphs, text, &counter, LAUREL_RULE_GOPHER_DUPLICATE_PARAGRAPHS,
                      LAUREL_RULE_GOPHER_DUPLICATE_PARAGRAPH_CHARS);
}

/* The hash of the n-gram that word @at starts. */
static guint64
hash_gram (const GArray *words, guint at, guint n)
{
  guint64 hash = 0;

  for (guint i = at; i < at + n; i++) {
    hash = (hash ^ g_array_index (words, LaurelSpan, i).hash)
           * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
  }
  return hash;
}

static double
count_chars (const GArray *words, guint at, guint n)
{
  double n_chars = 0.0;

  for (guint i = at; i < at + n; i++)
    n_chars += (double) g_array_index (words, LaurelSpan, i).n_chars;
  return n_chars;
}

/* Characters in the commonest n-gram, all its places together; of equally common ones, the one
 * that came to it first. */
static double
measure_top_gram (const GArray *words, guint n, Counter *counter)
{
  guint32 most = 1;
  guint place = 0;

  counter_reset (counter);
  for (guint i = 0; i + n <= words->len; i++) {
    guint32 count = counter_add (counter, hash_gram (words, i, n));

    if (count > most) {
      most = count;
      place = i;
    }
  }
  return most > 1 ? most * count_chars (words, place, n) : 0.0;
}

/* Characters in n-grams that came before, each counted once. */
static double
measure_repeated_grams (const GArray *words, guint n, Counter *counter)
{
  double n_chars = 0.0;
  guint done = 0; /* words before this one are counted */

  counter_reset (counter);
  for (guint i = 0; i + n <= words->len; i++) {
    if (counter_add (counter, hash_gram (words, i, n)) == 1)
      continue;
    n_chars += count_chars (words, MAX (i, done), i + n - MAX (i, done));
    done = i + n;
  }
  return n_chars;
}

LaurelRule
laurel_rules_apply_gopher_repetition (const LaurelRules *self, const GString *text,
                                      const GArray *words)
{
  double n_chars = count_chars (words, 0, words->len);
  g_auto (Counter) counter = { 0 };
  LaurelRule rule = judge_lines (self, text);

  if (rule != LAUREL_RULE_NONE)
    return rule;
  counter_init (&counter, words->len);
  for (guint n = 2; n <= 4; n++) {
    double top = measure_top_gram (words, n, &counter);

    rule = (LaurelRule) (LAUREL_RULE_GOPHER_TOP_2_GRAM + n - 2);
    if (is_over (self, rule, top, n_chars))
      return rule;
    if (top == 0.0)
      return LAUREL_RULE_NONE; /* what never repeats does not repeat in longer pieces */
  }
  for (guint n = 5; n <= 10; n++) {
    double repeated = measure_repeated_grams (words, n, &counter);

    rule = (LaurelRule) (LAUREL_RULE_GOPHER_DUPLICATE_5_GRAM + n - 5);
    if (is_over (self, rule, repeated, n_chars))
      return rule;
    if (repeated == 0.0)
      break;
  }
  return LAUREL_RULE_NONE;
}
