/* test-tokenizer.c: cutting, training, encoding and decoding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/text/pretokenize.h"
#include "core/text/tokenizer.h"

#include <string.h>

static LaurelTokenizer *
train (const char *text, int vocab_size)
{
  g_autoptr (GError) error = NULL;
  LaurelTokenizer *tokenizer = laurel_tokenizer_train_bpe (&text, NULL, 1, vocab_size, NULL, NULL,
                                                           &error);

  g_assert_no_error (error);
  g_assert_nonnull (tokenizer);
  return tokenizer;
}

static GArray *
encode (const LaurelTokenizer *tokenizer, const char *text)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error = NULL;
  gboolean done = laurel_tokenizer_encode (tokenizer, text, -1, ids, &error);

  g_assert_no_error (error);
  g_assert_true (done);
  return ids;
}

static char *
decode (const LaurelTokenizer *tokenizer, GArray *ids)
{
  return laurel_tokenizer_decode (tokenizer, (const gint32 *) ids->data, ids->len, TRUE);
}

/* Text and its pieces, with | between them; worked out from the pattern by hand. */
static const struct {
  const char *name;
  const char *pieces;
} cuts[] = {
  { "words", "Hello| world" },
  { "punctuation", "Hello|,| world|!!" },
  { "contractions", "I|'m| you|'re| he|'s| don|'t| we|'ll| they|'d| I|'ve" },
  { "contractions-are-lower-case", "IT|'|S" },
  { "contraction-goes-before-letters", "'s|ee| '|see" },
  { "contraction-takes-the-first-that-fits", "'d|re|'re|d" },
  { "contraction-in-other-signs", "!'|s" },
  { "quote-after-space", "a| '|s" },
  { "quote-at-end", "dogs|'" },
  { "typographic-quote-is-a-sign", "don|’|t" },
  { "space-run-leaves-one", "a|   | b" },
  { "two-spaces", "a| | b" },
  { "trailing-space", "a| " },
  { "trailing-spaces", "a|   " },
  { "only-spaces", "   " },
  { "leading-spaces", "  | a" },
  { "newline", "a|\n|b" },
  { "newlines", "a|\n|\n|b" },
  { "newlines-at-end", "a|\n\n" },
  { "newline-then-space", "a|\n| b" },
  { "space-then-newline", "a| |\n|b" },
  { "newline-mix", "a|\r\n \t|\n|b" },
  { "tab-is-no-space-sign", "\t|a|\t|1|\t|?" },
  { "numbers", "abc|123|.|45| 6|th" },
  { "number-kinds", "x|²½Ⅷ٣|y" },
  { "underscore", "a|_|b| _" },
  { "accents", "naïve| Čech" },
  { "combining-mark-is-other", "e|\xcc\x81|a" },
  { "lone-mark-after-space", "a| \xcc\x81|b" },
  { "devanagari-vowel-sign", "ह|ि|न" },
  { "cjk", "你好|，|世界" },
  { "kana", "カタカナ|。" },
  { "hangul", "안녕| 세계" },
  { "cyrillic", "Привет|,| мир" },
  { "emoji", "hi| 👋🏽|a|👩‍💻" },
  { "nbsp", "a|\xc2\xa0|b" },
  { "nbsp-then-space", "a|\xc2\xa0| b" },
  { "space-then-nbsp", "a| |\xc2\xa0|b" },
  { "ideographic-space", "你|　|好" },
  { "next-line-is-space", "a|\xc2\x85|b" },
  { "zero-width-space-is-other", "a|\xe2\x80\x8b|b" },
  { "byte-order-mark-is-other", "\xef\xbb\xbf|a" },
  { "separator-controls-are-other", "a|\x1c|b" },
};

static void
check_cut (const char *text, const char *const *pieces)
{
  gsize left = strlen (text);

  for (; *pieces != NULL; pieces++) {
    gsize n = laurel_pretokenize_next (text, left);
    g_autofree char *piece = g_strndup (text, n);

    g_assert_cmpstr (piece, ==, *pieces);
    text += n;
    left -= n;
  }
  g_assert_cmpuint (left, ==, 0);
}

static void
test_cut (gconstpointer data)
{
  g_auto (GStrv) pieces = g_strsplit (data, "|", -1);
  g_autofree char *text = g_strjoinv (NULL, pieces);

  check_cut (text, (const char *const *) pieces);
}

static void
test_cut_special_name (void)
{
  check_cut ("<|endoftext|>", (const char *const[]) { "<|", "endoftext", "|>", NULL });
}

static void
assert_token (const LaurelTokenizer *tokenizer, int id, const char *expected)
{
  gsize length;
  const char *bytes = laurel_tokenizer_get_bytes (tokenizer, id, &length);

  g_assert_cmpmem (bytes, length, expected, strlen (expected));
}

/* OpenAI's vocabulary starts with ! and ends its 256 bytes with U+00AD. */
static void
test_byte_order (void)
{
  static const struct {
    int id;
    guint8 byte;
  } cases[] = {
    { 0, '!' }, { 93, '~' }, { 94, 0xa1 }, { 105, 0xac }, { 106, 0xae }, { 187, 0xff },
    { 188, 0x00 }, { 198, '\n' }, { 220, ' ' }, { 221, 0x7f }, { 222, 0x80 }, { 254, 0xa0 },
    { 255, 0xad },
  };
  g_autoptr (LaurelTokenizer) tokenizer = train ("a", 257);

  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 257);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gsize length;
    const char *bytes = laurel_tokenizer_get_bytes (tokenizer, cases[i].id, &length);

    g_assert_cmpuint (length, ==, 1);
    g_assert_cmphex ((guint8) bytes[0], ==, cases[i].byte);
  }
}

/* Words: ab 1, “ ab” 2, “ abc” 2. Pairs: a+b 5, space+a 4, b+c 2. After ab:
 * space+ab 4, ab+c 2. After “ ab”: “ ab”+c 2. After that nothing is left. */
static void
test_train_by_hand (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("ab ab ab abc abc", 300);
  g_autoptr (LaurelTokenizer) small = train ("ab ab ab abc abc", 259);

  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 260);
  assert_token (tokenizer, 256, "ab");
  assert_token (tokenizer, 257, " ab");
  assert_token (tokenizer, 258, " abc");
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (tokenizer), ==, 259);
  assert_token (tokenizer, 259, "");
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (small), ==, 259);
  assert_token (small, 257, " ab");
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (small), ==, 258);
}

/* x+y, z+w and space+z all come twice: x is 87, z 89, the space 220. In the
 * second text a+x and a+y do: x goes before y. */
static void
test_train_ties (void)
{
  g_autoptr (LaurelTokenizer) by_left = train ("xy zw xy zw", 300);
  g_autoptr (LaurelTokenizer) by_right = train ("ay\nax\nay\nax", 300);

  assert_token (by_left, 256, "xy");
  assert_token (by_left, 257, "zw");
  assert_token (by_left, 258, " zw");
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (by_left), ==, 260);
  assert_token (by_right, 256, "ax");
  assert_token (by_right, 257, "ay");
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (by_right), ==, 259);
}

/* A run merges from its left: aaa is aa and a, aaaa is aa twice. */
static void
test_train_runs (void)
{
  g_autoptr (LaurelTokenizer) odd = train ("aaa\naaa", 300);
  g_autoptr (LaurelTokenizer) even = train ("aaaa\naaaa", 300);

  assert_token (odd, 256, "aa");
  assert_token (odd, 257, "aaa");
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (odd), ==, 259);
  assert_token (even, 256, "aa");
  assert_token (even, 257, "aaaa");
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (even), ==, 259);
}

static char *
random_letters (guint64 seed, gsize length)
{
  static const char letters[] = "aaabbc  \n'";
  char *text = g_malloc (length + 1);
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (gsize i = 0; i < length; i++)
    text[i] = letters[laurel_rng_below (&rng, sizeof letters - 1)];
  text[length] = '\0';
  return text;
}

/* The ids of a piece's bytes, by the order that test_byte_order() checks. */
static GArray *
spell (const char *bytes, gsize length)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (gsize i = 0; i < length; i++) {
    gint32 id = bytes[i] >= '!' ? bytes[i] - '!' : 188 + bytes[i];

    g_array_append_val (ids, id);
  }
  return ids;
}

static void
merge_everywhere (GArray *ids, gint32 left, gint32 right, gint32 merged)
{
  for (guint i = 0; i + 1 < ids->len; i++) {
    if (g_array_index (ids, gint32, i) == left && g_array_index (ids, gint32, i + 1) == right) {
      g_array_index (ids, gint32, i) = merged;
      g_array_remove_index (ids, i + 1);
    }
  }
}

static GPtrArray *
spell_words (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (gsize left = strlen (text); left > 0;) {
    gsize n = laurel_pretokenize_next (text, left);

    g_ptr_array_add (words, spell (text, n));
    text += n;
    left -= n;
  }
  return words;
}

#define NAIVE_SIZE 300

/* BPE as its definition says it: count all pairs anew for every merge. Returns
 * how many merges there are; @merges gets left and right of each. */
static int
train_naively (GPtrArray *words, gint32 (*merges)[2])
{
  g_autofree int *counts = g_new (int, NAIVE_SIZE * NAIVE_SIZE);
  int n = 0;

  for (; n < NAIVE_SIZE - 257; n++) {
    int best = 0;

    memset (counts, 0, sizeof (int) * NAIVE_SIZE * NAIVE_SIZE);
    for (guint w = 0; w < words->len; w++) {
      GArray *ids = words->pdata[w];

      for (guint i = 0; i + 1 < ids->len; i++)
        counts[g_array_index (ids, gint32, i) * NAIVE_SIZE + g_array_index (ids, gint32, i + 1)]++;
    }
    for (int pair = 0; pair < NAIVE_SIZE * NAIVE_SIZE; pair++)
      if (counts[pair] > counts[best])
        best = pair;
    if (counts[best] < 2)
      break;
    merges[n][0] = best / NAIVE_SIZE;
    merges[n][1] = best % NAIVE_SIZE;
    for (guint w = 0; w < words->len; w++)
      merge_everywhere (words->pdata[w], merges[n][0], merges[n][1], 256 + n);
  }
  return n;
}

static void
check_against_naive (const char *text)
{
  g_autoptr (GPtrArray) words = spell_words (text);
  g_autoptr (LaurelTokenizer) tokenizer = train (text, NAIVE_SIZE);
  g_autoptr (GArray) ids = encode (tokenizer, text);
  gint32 merges[NAIVE_SIZE][2];
  int n = train_naively (words, merges);
  guint at = 0;

  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 257 + n);
  for (int i = 0; i < n; i++) {
    g_autofree char *expected = laurel_tokenizer_decode (tokenizer, merges[i], 2, FALSE);

    assert_token (tokenizer, 256 + i, expected);
  }
  /* Having merged in the order of rank, the words are their own encoding. */
  for (guint w = 0; w < words->len; w++) {
    GArray *word = words->pdata[w];

    g_assert_cmpuint (at + word->len, <=, ids->len);
    g_assert_cmpmem (&g_array_index (ids, gint32, at), word->len * sizeof (gint32), word->data,
                     word->len * sizeof (gint32));
    at += word->len;
  }
  g_assert_cmpuint (at, ==, ids->len);
}

static void
test_train_naive (void)
{
  for (guint64 seed = 1; seed <= 40; seed++) {
    g_autofree char *text = random_letters (seed, 300);

    check_against_naive (text);
  }
}

static void
count_merges (int n_merges, int n_wanted, gpointer user_data)
{
  int *seen = user_data;

  g_assert_cmpint (n_merges, ==, *seen + 1);
  g_assert_cmpint (n_wanted, ==, 43);
  *seen = n_merges;
}

static void
test_train_texts (void)
{
  const char *texts[] = { "ab ab abXXXX", "", "abc abcXX" };
  const gsize lengths[] = { 8, 0, 7 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  int seen = 0;

  /* Words: ab 1, “ ab” 2, abc 1, “ abc” 1: a+b 5, then space+ab 3, then nothing
   * but ab+c 1 and “ ab”+c 1. */
  tokenizer = laurel_tokenizer_train_bpe (texts, lengths, 3, 300, count_merges, &seen, &error);
  g_assert_no_error (error);
  g_assert_cmpint (seen, ==, 2);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 259);
  assert_token (tokenizer, 257, " ab");
}

static void
check_train_error (const char *text, int vocab_size, int code, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_tokenizer_train_bpe (&text, NULL, 1, vocab_size, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_train_errors (void)
{
  const char *text = "ab";
  const gsize length = (gsize) G_MAXINT32 + 1; /* more than there is: refused before it is read */
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_tokenizer_train_bpe (&text, &length, 1, 300, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "text 1 is longer than 2 GiB"));
  check_train_error ("ab", 256, LAUREL_ERROR_INVALID_ARGUMENT,
                     "a vocabulary of 256 is out of range");
  check_train_error ("ab", G_MAXINT, LAUREL_ERROR_INVALID_ARGUMENT, "out of range");
  check_train_error ("", 300, LAUREL_ERROR_INVALID_DATA, "there is no text");
  check_train_error ("abc\xff", 300, LAUREL_ERROR_INVALID_DATA, "byte 3 of text 1 is not UTF-8");
}

static gunichar
random_character (LaurelRng *rng)
{
  static const struct {
    guint32 from;
    guint32 n;
  } ranges[] = {
    { 1, 127 }, { 0x20, 1 }, { 'a', 26 }, { 0x80, 0x300 }, { 0x300, 0x70 }, { 0x2000, 0x70 },
    { 0x3000, 0x100 }, { 0x4e00, 0x5000 }, { 0x1f300, 0x400 }, { 1, 0x10ffff },
  };
  guint32 range = laurel_rng_below (rng, G_N_ELEMENTS (ranges));
  gunichar c = ranges[range].from + laurel_rng_below (rng, ranges[range].n);

  return g_unichar_validate (c) ? c : '?';
}

static void
test_round_trip (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("the cat and the dog, the hen's eggs; été, été, "
                                                 "你好 你好", 400);
  LaurelRng rng;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 10000; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (GArray) ids = NULL;
    g_autofree char *again = NULL;

    for (guint32 left = laurel_rng_below (&rng, 40); left > 0; left--)
      g_string_append_unichar (text, random_character (&rng));
    ids = encode (tokenizer, text->str);
    again = decode (tokenizer, ids);
    g_assert_cmpstr (again, ==, text->str);
  }
}

static void
check_long_word (const LaurelTokenizer *tokenizer, const char *pattern)
{
  g_autofree char *text = g_malloc (1000001);
  g_autofree char *again = NULL;
  g_autoptr (GArray) ids = NULL;

  for (gsize i = 0; i < 1000000; i++)
    text[i] = pattern[i % strlen (pattern)];
  text[1000000] = '\0';
  ids = encode (tokenizer, text);
  again = decode (tokenizer, ids);
  g_assert_true (g_str_equal (again, text));
  /* Every repetition of the pattern holds a pair that merges. */
  g_assert_cmpuint (ids->len, <=, 666667);
}

static void
test_long_word (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("aaaa\naaaa\nabab\nabab", 300);
  g_autoptr (GArray) ids = NULL;
  g_autofree char *word = g_strnfill (999999, 'a');

  check_long_word (tokenizer, "a");
  check_long_word (tokenizer, "ab");
  check_long_word (tokenizer, "aab");
  /* The tokens are aa and aaaa: 249999 of four, then aa, then a. */
  ids = encode (tokenizer, word);
  g_assert_cmpuint (ids->len, ==, 250001);
}

static void
test_special (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("<|endoftext|> <|endoftext|> <|endoftext|>", 400);
  g_autoptr (GArray) ids = encode (tokenizer, "a" LAUREL_END_OF_TEXT "b");
  gint32 end_of_text = laurel_tokenizer_get_end_of_text (tokenizer);
  g_autofree char *as_text = decode (tokenizer, ids);
  g_autofree char *with = NULL;
  g_autofree char *without = NULL;

  g_assert_cmpint (end_of_text, ==, laurel_tokenizer_get_vocab_size (tokenizer) - 1);
  for (guint i = 0; i < ids->len; i++)
    g_assert_cmpint (g_array_index (ids, gint32, i), !=, end_of_text);
  g_assert_cmpstr (as_text, ==, "a" LAUREL_END_OF_TEXT "b");

  g_array_append_val (ids, end_of_text);
  with = decode (tokenizer, ids);
  without = laurel_tokenizer_decode (tokenizer, (const gint32 *) ids->data, ids->len, FALSE);
  g_assert_cmpstr (with, ==, "a" LAUREL_END_OF_TEXT "b" LAUREL_END_OF_TEXT);
  g_assert_cmpstr (without, ==, "a" LAUREL_END_OF_TEXT "b");
}

static void
test_encode_errors (void)
{
  static const struct {
    const char *text;
    gssize length;
    const char *part;
  } cases[] = {
    { "ab\xc3(", -1, "byte 2 is" }, { "\xed\xa0\x80", -1, "byte 0 is" },
    { "\xc0\xaf", -1, "byte 0 is" }, { "h\xc3\xa9", 2, "byte 1 is" }, { "a\0b", 3, "byte 1 is" },
  };
  g_autoptr (LaurelTokenizer) tokenizer = train ("a", 257);
  g_autoptr (GArray) ids = encode (tokenizer, "");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (laurel_tokenizer_encode (tokenizer, cases[i].text, cases[i].length, ids,
                                             &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, cases[i].part));
  }
  g_assert_cmpuint (ids->len, ==, 0);
  g_assert_true (laurel_tokenizer_encode (tokenizer, "abc", 2, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 2);
}

static char *
decode_bytes (const LaurelTokenizer *tokenizer, const char *bytes)
{
  gint32 ids[16];
  gsize n = strlen (bytes);

  for (gsize i = 0; i < n; i++)
    for (gint32 id = 0; id < 256; id++)
      if (*laurel_tokenizer_get_bytes (tokenizer, id, NULL) == bytes[i])
        ids[i] = id;
  return laurel_tokenizer_decode (tokenizer, ids, n, FALSE);
}

/* One U+FFFD for the longest start of a character, as Unicode's chapter 3 has it. */
static void
test_decode_broken (void)
{
  static const struct {
    const char *bytes;
    const char *text;
  } cases[] = {
    { "a\xe2\x82\xac!", "a€!" },
    { "a\xe2\x82", "a\xef\xbf\xbd" },
    { "\xf0\x9f\x98x", "\xef\xbf\xbdx" },
    { "\xe2\xe2\x82\xac", "\xef\xbf\xbd€" },
    { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "\xf4\x90\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    { "\x80z\xff", "\xef\xbf\xbdz\xef\xbf\xbd" },
  };
  g_autoptr (LaurelTokenizer) tokenizer = train ("a", 257);
  const gint32 strange[] = { 64, -1, 257, 188, 65 };
  g_autofree char *text = laurel_tokenizer_decode (tokenizer, strange, G_N_ELEMENTS (strange),
                                                   TRUE);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *decoded = decode_bytes (tokenizer, cases[i].bytes);

    g_assert_cmpstr (decoded, ==, cases[i].text);
  }
  /* Ids out of range and the zero byte (id 188) cannot be text either. */
  g_assert_cmpstr (text, ==, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" "b");
}

static void
assert_label (const LaurelTokenizer *tokenizer, int id, const char *expected)
{
  g_autofree char *label = laurel_tokenizer_label (tokenizer, id);

  g_assert_cmpstr (label, ==, expected);
}

static void
test_labels (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train (" é é é", 300);

  /* é is C3 A9: first these two, then with the space. */
  assert_label (tokenizer, 256, "é");
  assert_label (tokenizer, 257, " é");
  assert_label (tokenizer, 258, LAUREL_END_OF_TEXT);
  assert_label (tokenizer, 259, "#259");
  assert_label (tokenizer, 220, " ");
  assert_label (tokenizer, 198, "\\n");
  assert_label (tokenizer, 188, "\\x00");
  assert_label (tokenizer, 221, "\\u{7F}");
  assert_label (tokenizer, '\\' - '!', "\\\\");
  assert_label (tokenizer, 187, "\\xFF");
}

static void
test_hash (void)
{
  g_autoptr (LaurelTokenizer) a = train ("ab ab ab abc abc", 300);
  g_autoptr (LaurelTokenizer) same = train ("ab ab ab abc abc", 301);
  g_autoptr (LaurelTokenizer) other = train ("ab ab ab abd abd", 300);

  g_assert_cmpuint (strlen (laurel_tokenizer_get_hash (a)), ==, 64);
  g_assert_cmpstr (laurel_tokenizer_get_hash (a), ==, laurel_tokenizer_get_hash (same));
  g_assert_cmpstr (laurel_tokenizer_get_hash (a), !=, laurel_tokenizer_get_hash (other));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cuts); i++) {
    g_autofree char *path = g_strconcat ("/text/pretokenize/", cuts[i].name, NULL);

    g_test_add_data_func (path, cuts[i].pieces, test_cut);
  }
  g_test_add_func ("/text/pretokenize/special-name", test_cut_special_name);
  g_test_add_func ("/text/bpe/byte-order", test_byte_order);
  g_test_add_func ("/text/bpe/train/by-hand", test_train_by_hand);
  g_test_add_func ("/text/bpe/train/ties", test_train_ties);
  g_test_add_func ("/text/bpe/train/runs", test_train_runs);
  g_test_add_func ("/text/bpe/train/naive", test_train_naive);
  g_test_add_func ("/text/bpe/train/texts", test_train_texts);
  g_test_add_func ("/text/bpe/train/errors", test_train_errors);
  g_test_add_func ("/text/bpe/round-trip", test_round_trip);
  g_test_add_func ("/text/bpe/long-word", test_long_word);
  g_test_add_func ("/text/bpe/special", test_special);
  g_test_add_func ("/text/bpe/encode-errors", test_encode_errors);
  g_test_add_func ("/text/bpe/decode-broken", test_decode_broken);
  g_test_add_func ("/text/bpe/labels", test_labels);
  g_test_add_func ("/text/bpe/hash", test_hash);
  return g_test_run ();
}
