/* test-wordpiece.c: words and their pieces: training, encoding, decoding, files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/text/pretokenize.h"
#include "core/text/tokenizer_trainer.h"

#include <glib/gstdio.h>
#include <string.h>

#define N_SPECIAL 5

static LaurelTokenizer *
train (const char *text, int vocab_size, gint64 min_count)
{
  const LaurelTokenizerOptions options = { .model = LAUREL_TOKENIZER_WORDPIECE,
                                           .vocab_size = vocab_size,
                                           .min_count = min_count };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizerTrainer) trainer = laurel_tokenizer_trainer_new (&options, &error);
  LaurelTokenizer *tokenizer;

  g_assert_no_error (error);
  laurel_tokenizer_trainer_add_text (trainer, text, strlen (text), "text", &error);
  g_assert_no_error (error);
  tokenizer = laurel_tokenizer_trainer_train (trainer, NULL, NULL, &error);
  g_assert_no_error (error);
  return tokenizer;
}

static void
assert_form (const LaurelTokenizer *tokenizer, int id, const char *form)
{
  g_autofree char *label = laurel_tokenizer_label (tokenizer, id);

  g_assert_cmpstr (label, ==, form);
}

/* Counts: ##u 36, ##g 20, p 17, ##n 16, h 15, ##s 5, b 4, in which order they get ids. Scores:
 * ##g+##s 5/(20·5), all others 1/36. Then all are 1/36, and ##u+##g has the lowest ids. Then
 * ##u+##n, ##u+##gs and b+##u have 1/21, h+##ug 10/(15·15), and the others less. */
static void
test_train_by_hand (void)
{
  static const struct {
    const char *word;
    int count;
  } words[] = { { "hug", 10 }, { "pug", 5 }, { "pun", 12 }, { "bun", 4 }, { "hugs", 5 } };
  static const char *const forms[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                                       "##u",   "##g",   "p",     "##n",   "h",
                                       "##s",   "b",     "##gs",  "##ug",  "##un" };
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (LaurelTokenizer) tokenizer = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    for (int j = 0; j < words[i].count; j++)
      g_string_append_printf (text, "%s ", words[i].word);
  tokenizer = train (text->str, 16, 1);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 16);
  for (int id = 0; id < 15; id++)
    assert_form (tokenizer, id, forms[id]);
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (tokenizer), ==, 15);
  g_assert_cmpint (laurel_tokenizer_get_model (tokenizer), ==, LAUREL_TOKENIZER_WORDPIECE);
}

/* --- The definition, counted anew for every merge ------------------------------------ */

#define NAIVE_SIZE 60

typedef struct {
  GPtrArray *words; /* GArray of gint32 */
  char *forms[NAIVE_SIZE];
  int n_forms;
} Naive;

static void
merge_everywhere (const Naive *naive, gint32 left, gint32 right, gint32 merged)
{
  for (guint w = 0; w < naive->words->len; w++) {
    GArray *ids = naive->words->pdata[w];

    for (guint i = 0; i + 1 < ids->len; i++) {
      if (g_array_index (ids, gint32, i) != left || g_array_index (ids, gint32, i + 1) != right)
        continue;
      g_array_index (ids, gint32, i) = merged;
      g_array_remove_index (ids, i + 1);
    }
  }
}

/* FALSE when no pair comes @min_count times. */
static gboolean
merge_best (Naive *naive, int min_count)
{
  static int pairs[NAIVE_SIZE][NAIVE_SIZE];
  int counts[NAIVE_SIZE] = { 0 }, left = -1, right = -1;
  double best = 0.0;

  memset (pairs, 0, sizeof pairs);
  for (guint w = 0; w < naive->words->len; w++) {
    GArray *ids = naive->words->pdata[w];

    for (guint i = 0; i < ids->len; i++) {
      counts[g_array_index (ids, gint32, i)]++;
      if (i > 0)
        pairs[g_array_index (ids, gint32, i - 1)][g_array_index (ids, gint32, i)]++;
    }
  }
  for (int a = 0; a < NAIVE_SIZE; a++) {
    for (int b = 0; b < NAIVE_SIZE; b++) {
      double score = pairs[a][b] / ((double) counts[a] * counts[b]);

      if (pairs[a][b] < min_count || score <= best)
        continue;
      best = score;
      left = a;
      right = b;
    }
  }
  if (left < 0)
    return FALSE;
  naive->forms[naive->n_forms] = g_strconcat (naive->forms[left], naive->forms[right] + 2, NULL);
  merge_everywhere (naive, left, right, naive->n_forms++);
  return TRUE;
}

/* The characters' ids are taken over from @tokenizer. */
static void
set_up_naive (Naive *naive, const LaurelTokenizer *tokenizer, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  naive->words = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (int id = 0; id < laurel_tokenizer_get_vocab_size (tokenizer); id++) {
    g_autofree char *form = laurel_tokenizer_label (tokenizer, id);

    if (id >= N_SPECIAL && strlen (form) != (g_str_has_prefix (form, "##") ? 3 : 1))
      break;
    naive->forms[naive->n_forms++] = g_steal_pointer (&form);
  }
  for (gsize w = 0; words[w] != NULL; w++) {
    GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    for (gsize i = 0; words[w][i] != '\0'; i++)
      for (gint32 id = N_SPECIAL; id < naive->n_forms; id++)
        if ((i > 0) == (naive->forms[id][0] == '#')
            && naive->forms[id][strlen (naive->forms[id]) - 1] == words[w][i])
          g_array_append_val (ids, id);
    g_ptr_array_add (naive->words, ids);
  }
}

static void
check_against_naive (guint64 seed, int min_count)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  Naive naive = { 0 };
  LaurelRng rng;
  int id;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 400; i++)
    g_string_append_c (text, "aaabbcd   "[laurel_rng_below (&rng, 10)]);
  tokenizer = train (text->str, 50, min_count);
  set_up_naive (&naive, tokenizer, text->str);
  for (id = naive.n_forms; id < 49 && merge_best (&naive, min_count); id++)
    assert_form (tokenizer, id, naive.forms[id]);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, id + 1);
  for (int i = 0; i < naive.n_forms; i++)
    g_free (naive.forms[i]);
  g_ptr_array_unref (naive.words);
}

static void
test_train_naive (void)
{
  for (guint64 seed = 1; seed <= 20; seed++) {
    check_against_naive (seed, 1);
    check_against_naive (seed, 5);
  }
}

/* ab comes 8 times, qz twice and nowhere apart: by score alone qz would go first. */
static void
test_train_stages (void)
{
  static const char text[] = "ab ab ab ab ab ab ab ab a a a b b b qz qz";
  g_autoptr (LaurelTokenizer) by_score = train (text, 12, 2);
  g_autoptr (LaurelTokenizer) by_stage = train (text, 12, 0);

  assert_form (by_score, 10, "qz");
  assert_form (by_stage, 10, "ab");
}

/* Room for four of five characters: words with the rarest are left out, and become [UNK]. */
static void
test_train_alphabet (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = train ("aa aa bb bb c", 10, 1);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 10);
  g_assert_true (laurel_tokenizer_encode (tokenizer, "aa c", -1, ids, NULL));
  g_assert_cmpint (g_array_index (ids, gint32, ids->len - 1), ==, 1);
}

/* The bound leaves room for a few words; the frequent ones survive with their counts. */
static void
test_train_bound (void)
{
  const LaurelTokenizerOptions options = { .model = LAUREL_TOKENIZER_BPE,
                                           .vocab_size = 260,
                                           .max_word_bytes = 400 };
  g_autoptr (LaurelTokenizerTrainer) trainer = laurel_tokenizer_trainer_new (&options, NULL);
  g_autoptr (LaurelTokenizer) tokenizer = NULL;

  for (int i = 0; i < 1000; i++) {
    g_autofree char *text = g_strdup_printf (" often %d", i);

    g_assert_true (laurel_tokenizer_trainer_add_text (trainer, text, strlen (text), "x", NULL));
  }
  g_assert_cmpint (laurel_tokenizer_trainer_get_count_error (trainer), >, 0);
  tokenizer = laurel_tokenizer_trainer_train (trainer, NULL, NULL, NULL);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 260);
  /* f+t is id 69+83, e+n 68+77: of the pairs that come 1000 times e+n has the lowest ids. */
  assert_form (tokenizer, 256, "en");
}

/* --- Encoding and decoding ------------------------------------------------------------- */

static char *
make_directory (const char *words, const char *config)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("laurel-wordpiece-XXXXXX", &error);
  g_autofree char *words_path = g_build_filename (dir, "vocab.txt", NULL);
  g_autofree char *config_path = g_build_filename (dir, "tokenizer_config.json", NULL);

  g_assert_no_error (error);
  g_assert_true (laurel_file_write (words_path, words, strlen (words), NULL));
  if (config != NULL)
    g_assert_true (laurel_file_write (config_path, config, strlen (config), NULL));
  return dir;
}

static const char words[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\n##a\nrunning\ncafe\n,\n."
    "\n中\n##ü\nÜ\nfür\n##r\n!\n[\n]\nsep\nb\n";

static LaurelTokenizer *
load_words (const char *config)
{
  g_autofree char *dir = make_directory (words, config);
  g_autoptr (GError) error = NULL;
  LaurelTokenizer *tokenizer = laurel_tokenizer_load (dir, &error);

  g_assert_no_error (error);
  g_assert_true (laurel_file_remove_tree (dir, NULL));
  return tokenizer;
}

static const struct {
  const char *text;
  const char *decoded;
  gint32 ids[8];
} cases[] = {
  { "unaffable", "unaffable", { 4, 5, 6 } },
  { "  Running,\tUNAFFABLE. ", "running, unaffable.", { 8, 10, 4, 5, 6, 11 } },
  { "unaffably", "[UNK]", { 1 } },
  { "Café\xe2\x80\x8b cafe\xcc\x81", "cafe cafe", { 9, 9 } },
  { "中中", "中 中", { 12, 12 } },
  { "un\xef\xbf\xbd"
    "a",
    "una",
    { 4, 7 } },
  { "[SEP]", "[ sep ]", { 18, 20, 19 } },
  { "!!", "!!", { 17, 17 } },
  { "b\xc2\xa0"
    "b",
    "b b",
    { 21, 21 } },
};

static void
test_encode (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_words (NULL);
  g_autofree char *long_word = g_strnfill (101, 'b');
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *decoded = NULL;
    guint n = 0;

    while (n < 8 && cases[i].ids[n] != 0)
      n++;
    g_array_set_size (ids, 0);
    g_assert_true (laurel_tokenizer_encode (tokenizer, cases[i].text, -1, ids, NULL));
    g_assert_cmpmem (ids->data, ids->len * 4, cases[i].ids, n * 4);
    decoded =
        laurel_tokenizer_decode (tokenizer, (const gint32 *) (void *) ids->data, ids->len, TRUE);
    g_assert_cmpstr (decoded, ==, cases[i].decoded);
  }
  g_array_set_size (ids, 0);
  g_assert_true (laurel_tokenizer_encode (tokenizer, long_word, -1, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 1);
}

static void
test_cased (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_words ("{\"do_lower_case\": false}");
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  const gint32 wanted[] = { 1, 15, 14, 13 };

  g_assert_true (laurel_tokenizer_encode (tokenizer, "Running für Üü", -1, ids, NULL));
  g_assert_cmpmem (ids->data, ids->len * 4, wanted, sizeof wanted);
}

static void
test_bytes (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_words (NULL);
  gsize length;

  g_assert_cmpstr (laurel_tokenizer_get_bytes (tokenizer, 4, &length), ==, " un");
  g_assert_cmpuint (length, ==, 3);
  g_assert_cmpstr (laurel_tokenizer_get_bytes (tokenizer, 5, NULL), ==, "aff");
  g_assert_cmpstr (laurel_tokenizer_get_bytes (tokenizer, 1, &length), ==, "");
  g_assert_cmpuint (length, ==, 0);
}

/* --- Files ---------------------------------------------------------------------------- */

static void
test_files (void)
{
  g_autoptr (LaurelTokenizer) tokenizer = load_words ("{\"strip_accents\": false}");
  g_autofree char *dir = g_dir_make_tmp ("laurel-wordpiece-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (dir, "tokenizer.json", NULL);
  g_autofree char *vocab = g_build_filename (dir, "vocab.txt", NULL);
  g_autofree char *text = NULL;
  g_autoptr (LaurelTokenizer) again = NULL;
  g_autoptr (LaurelTokenizer) from_words = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_tokenizer_save (tokenizer, dir, &error));
  again = laurel_tokenizer_load (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (laurel_tokenizer_get_hash (again), ==, laurel_tokenizer_get_hash (tokenizer));
  text = laurel_file_read_text (vocab, NULL, &error);
  g_assert_cmpstr (text, ==, words);
  g_assert_cmpint (g_unlink (json), ==, 0);
  from_words = laurel_tokenizer_load (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (laurel_tokenizer_get_hash (from_words), ==,
                   laurel_tokenizer_get_hash (tokenizer));
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

static const struct {
  const char *words;
  const char *part;
} broken[] = {
  { "a\nb\n", "it has no token [UNK]" },
  { "[UNK]\n\nb\n", "line 2 is empty" },
  { "[UNK]\nb\nb\n", "line 3 repeats an earlier token" },
  { "[UNK]\n\xff\n", "byte 6 is not UTF-8" },
};

static void
test_broken_files (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autofree char *dir = make_directory (broken[i].words, NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (laurel_tokenizer_load (dir, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, broken[i].part));
    g_assert_true (laurel_file_remove_tree (dir, NULL));
  }
}

static void
test_options (void)
{
  const LaurelTokenizerOptions small = { .model = LAUREL_TOKENIZER_WORDPIECE, .vocab_size = 6 };
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_tokenizer_trainer_new (&small, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "choose 7 to"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/wordpiece/train/by-hand", test_train_by_hand);
  g_test_add_func ("/text/wordpiece/train/naive", test_train_naive);
  g_test_add_func ("/text/wordpiece/train/stages", test_train_stages);
  g_test_add_func ("/text/wordpiece/train/alphabet", test_train_alphabet);
  g_test_add_func ("/text/wordpiece/train/bound", test_train_bound);
  g_test_add_func ("/text/wordpiece/train/options", test_options);
  g_test_add_func ("/text/wordpiece/encode", test_encode);
  g_test_add_func ("/text/wordpiece/cased", test_cased);
  g_test_add_func ("/text/wordpiece/bytes", test_bytes);
  g_test_add_func ("/text/wordpiece/files", test_files);
  g_test_add_func ("/text/wordpiece/broken-files", test_broken_files);
  return g_test_run ();
}
