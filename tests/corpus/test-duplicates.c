/* test-duplicates.c: MinHash bands against every pair compared word by word.
 *
 * The brute force has its own words, shingles and groups: whole strings, no
 * hashing by the code under test.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/corpus/duplicates.h"

#include <math.h>
#include <string.h>

#define N_FAMILIES 120
#define N_MEMBERS 6
#define N_DOCUMENTS (N_FAMILIES * N_MEMBERS)
#define N_WORDS 3000
#define THRESHOLD 0.8

typedef struct {
  char *text;
  GPtrArray *shingles; /* sorted, each once */
} Document;

static void
document_free (gpointer data)
{
  Document *self = data;

  g_free (self->text);
  g_ptr_array_unref (self->shingles);
  g_free (self);
}

static int
compare_pointers (gconstpointer a, gconstpointer b)
{
  const char *x = *(const char *const *) a, *y = *(const char *const *) b;

  return (x > y) - (x < y);
}

static GStringChunk *strings;

/* Equal strings are one, so that their addresses can stand for them. */
static GPtrArray *
make_shingles (const GArray *words)
{
  GPtrArray *shingles = g_ptr_array_new ();
  guint n = 0;

  for (guint i = 0; i + 5 <= words->len; i++) {
    const guint32 *w = &g_array_index (words, guint32, i);
    g_autofree char *shingle = g_strdup_printf ("%u %u %u %u %u", w[0], w[1], w[2], w[3], w[4]);

    g_ptr_array_add (shingles, g_string_chunk_insert_const (strings, shingle));
  }
  g_ptr_array_sort (shingles, compare_pointers);
  for (guint i = 0; i < shingles->len; i++)
    if (i == 0 || shingles->pdata[i] != shingles->pdata[i - 1])
      shingles->pdata[n++] = shingles->pdata[i];
  g_ptr_array_set_size (shingles, (gint) n);
  return shingles;
}

static double
measure_jaccard (const Document *a, const Document *b)
{
  guint i = 0, j = 0, n_both = 0;

  while (i < a->shingles->len && j < b->shingles->len) {
    const char *x = a->shingles->pdata[i], *y = b->shingles->pdata[j];

    n_both += x == y;
    i += x <= y;
    j += y <= x;
  }
  return (double) n_both / (a->shingles->len + b->shingles->len - n_both);
}

/* Few words come often and many seldom, as in a language. */
static guint32
draw_word (LaurelRng *rng)
{
  return (guint32) pow (N_WORDS, laurel_rng_uniform (rng)) - 1;
}

/* The case and the signs around words say nothing. */
static Document *
make_document (const GArray *words, LaurelRng *rng)
{
  static const char *const ends[] = { " ", " ", " ", " ", ", ", ".\n", " — ", "! " };
  Document *self = g_new0 (Document, 1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < words->len; i++)
    g_string_append_printf (text, "%cord%u%s", laurel_rng_below (rng, 5) == 0 ? 'W' : 'w',
                            g_array_index (words, guint32, i),
                            ends[laurel_rng_below (rng, G_N_ELEMENTS (ends))]);
  self->text = g_string_free (g_steal_pointer (&text), FALSE);
  self->shingles = make_shingles (words);
  return self;
}

/* @original with this share of its words replaced, dropped or doubled. */
static GArray *
edit_words (const GArray *original, double share, LaurelRng *rng)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint i = 0; i < original->len; i++) {
    guint32 word = g_array_index (original, guint32, i);
    guint32 kind = laurel_rng_uniform (rng) < share ? laurel_rng_below (rng, 3) : 3;

    if (kind == 0)
      word = draw_word (rng);
    if (kind != 1)
      g_array_append_val (words, word);
    if (kind == 2)
      g_array_append_val (words, word);
  }
  return words;
}

/* Families of edited copies, whose similarities go from 0.3 to 1, in mixed order. */
static GPtrArray *
make_documents (guint64 seed)
{
  GPtrArray *documents = g_ptr_array_new_with_free_func (document_free);
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_TEST, 0, 0);
  for (int family = 0; family < N_FAMILIES; family++) {
    g_autoptr (GArray) original = g_array_new (FALSE, FALSE, sizeof (guint32));
    guint n = 40 + laurel_rng_below (&rng, 400);

    for (guint i = 0; i < n; i++) {
      guint32 word = draw_word (&rng);

      g_array_append_val (original, word);
    }
    for (int member = 0; member < N_MEMBERS; member++) {
      g_autoptr (GArray) words = edit_words (original, 0.05 * laurel_rng_uniform (&rng), &rng);

      g_ptr_array_add (documents, make_document (words, &rng));
    }
  }
  for (guint i = documents->len; i > 1; i--) {
    guint j = laurel_rng_below (&rng, i);
    gpointer held = documents->pdata[i - 1];

    documents->pdata[i - 1] = documents->pdata[j];
    documents->pdata[j] = held;
  }
  return documents;
}

static gboolean
go_on_cb (double share, gpointer user_data, GError **error)
{
  return TRUE;
}

static gboolean
read_cb (guint32 document, GString *text, gpointer user_data, GError **error)
{
  GPtrArray *documents = user_data;

  g_string_assign (text, ((Document *) documents->pdata[document])->text);
  return TRUE;
}

/* FALSE when @text has no shingles. */
static gboolean
sign (const char *text, LaurelMinhash *out)
{
  g_autoptr (GArray) shingles = g_array_new (FALSE, FALSE, sizeof (guint32));

  laurel_minhash_shingle (text, strlen (text), shingles);
  laurel_minhash_sign (shingles, out);
  return shingles->len > 0;
}

static void
find_fast (GPtrArray *documents, LaurelDuplicate *out)
{
  g_autofree LaurelDocumentKey *keys = g_new0 (LaurelDocumentKey, documents->len);
  g_autofree LaurelMinhash *signatures = g_new (LaurelMinhash, documents->len);
  LaurelDuplicateSearch search = { keys,    sizeof *keys, signatures, documents->len,
                                   THRESHOLD, read_cb,    go_on_cb,   documents };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < documents->len; i++) {
    memcpy (keys[i].hash, &i, sizeof i); /* none is the same text as another */
    keys[i].has_signature = sign (((Document *) documents->pdata[i])->text, &signatures[i]);
    g_assert_true (keys[i].has_signature);
  }
  g_assert_true (laurel_duplicates_find (&search, out, &error));
  g_assert_no_error (error);
}

static void
find_slowly (GPtrArray *documents, guint32 *group, float *jaccard)
{
  guint n = documents->len;

  for (guint i = 0; i < n; i++)
    group[i] = i;
  for (guint b = 1; b < n; b++)
    for (guint a = 0; a < b; a++) {
      jaccard[a * n + b] = (float) measure_jaccard (documents->pdata[a], documents->pdata[b]);
      if (jaccard[a * n + b] >= THRESHOLD && group[a] != group[b]) {
        guint32 gone = MAX (group[a], group[b]), first = MIN (group[a], group[b]);

        for (guint i = 0; i < n; i++)
          group[i] = group[i] == gone ? first : group[i];
      }
    }
}

/* Recall: of the pairs at or over the threshold, how many are in one group. Precision of what is
 * removed: of the removed documents, how many brute force removes too, and how many are at least
 * almost as similar as asked to one that stays or went. */
static void
test_recall (void)
{
  g_autoptr (GPtrArray) documents = make_documents (1);
  guint n = documents->len;
  g_autofree LaurelDuplicate *found = g_new (LaurelDuplicate, n);
  g_autofree guint32 *group = g_new (guint32, n);
  g_autofree float *jaccard = g_new0 (float, (gsize) n * n);
  double n_true = 0, n_true_found = 0, n_removed = 0, n_right = 0, n_slow = 0, n_close = 0;

  find_fast (documents, found);
  find_slowly (documents, group, jaccard);
  for (guint b = 0; b < n; b++) {
    float closest = 0.0f;

    for (guint a = 0; a < n; a++) {
      float s = a < b ? jaccard[a * n + b] : a > b ? jaccard[b * n + a] : 0.0f;

      closest = MAX (closest, s);
      if (a < b && s >= THRESHOLD) {
        n_true++;
        n_true_found += found[a].first == found[b].first;
      }
    }
    n_slow += group[b] != b;
    if (found[b].first == b)
      continue;
    g_assert_false (found[b].exact);
    g_assert_cmpuint (found[b].first, <, b);
    n_removed++;
    n_right += group[b] != b;
    n_close += closest >= THRESHOLD - 0.1;
  }
  g_test_message ("%g pairs at 0.8 or over, recall %.4f; %g removed, %g by brute force: recall "
                  "%.4f, precision %.4f; %.4f of the removed have a neighbour at 0.7 or over",
                  n_true, n_true_found / n_true, n_removed, n_slow, n_right / n_slow,
                  n_right / n_removed, n_close / n_removed);
  g_assert_cmpfloat (n_true, >, 300);
  /* A pair at exactly 0.8 is a candidate with probability 0.998, and its estimate is under 0.7 with
   * 0.002; the others are safer. Of some 400 pairs, two may be missed before this is a surprise. */
  g_assert_cmpfloat (n_true_found / n_true, >=, 0.99);
  g_assert_cmpfloat (n_right / n_slow, >=, 0.99);
  /* A pair at 0.75 is estimated over 0.9 once in 20,000 times. */
  g_assert_cmpfloat (n_right / n_removed, >=, 0.99);
  g_assert_cmpfloat (n_close, ==, n_removed);
}

/* The estimate is unbiased and spreads as √(s (1 − s) / 128). */
static void
test_estimate (void)
{
  double sum_of_errors = 0.0, sum_of_scaled = 0.0;
  int n = 0;

  for (guint64 seed = 2; seed < 8; seed++) {
    g_autoptr (GPtrArray) documents = make_documents (seed);

    for (guint i = 0; i + 1 < 200; i++)
      for (guint j = i + 1; j < 200; j++) {
        const Document *a = documents->pdata[i], *b = documents->pdata[j];
        double s = measure_jaccard (a, b), error;
        LaurelMinhash x, y;

        if (s < 0.3 || s > 0.95)
          continue;
        g_assert_true (sign (a->text, &x) && sign (b->text, &y));
        error = laurel_minhash_compare (&x, &y) - s;
        sum_of_errors += error;
        sum_of_scaled += error * error / (s * (1.0 - s) / 128.0);
        n++;
      }
  }
  g_test_message ("%d pairs: mean error %.5f, variance over what theory says %.3f", n,
                  sum_of_errors / n, sum_of_scaled / n);
  /* Over 500 pairs the mean error has a deviation of about 0.002, and pairs of a family share
   * documents, so three times that; the variance likewise. */
  g_assert_cmpint (n, >, 500);
  g_assert_cmpfloat (fabs (sum_of_errors / n), <, 0.006);
  g_assert_cmpfloat (fabs (sum_of_scaled / n - 1.0), <, 0.25);
}

static void
test_words (void)
{
  LaurelMinhash a, b;

  sign ("The quick brown fox jumps over the lazy dog.", &a);
  sign ("the QUICK — brown fox\njumps, over the lazy dog", &b);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), ==, 1.0);
  /* Order is what shingles are for. */
  sign ("dog lazy the over jumps fox brown quick the", &b);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), <, 0.1);
  /* Fewer words than a shingle are one of their own. */
  sign ("Yes, sir", &a);
  sign ("yes sir!", &b);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), ==, 1.0);
  sign ("no sir", &b);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), <, 0.1);
  /* Without spaces, characters are words: nine of ten shingles are the same. */
  sign ("我们今天去公园散步然后回家吃饭", &a);
  sign ("我们今天去公园散步然后回家吃面", &b);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), >, 0.6);
  g_assert_cmpfloat (laurel_minhash_compare (&a, &b), <, 1.0);
  g_assert_false (sign ("… — !", &a));
  g_assert_false (sign ("", &a));
}

static void
test_exact (void)
{
  static const char hashes[] = "abacbzab";
  LaurelDocumentKey keys[8] = { 0 };
  LaurelDuplicateSearch search = { keys, sizeof *keys, NULL, 8, THRESHOLD, read_cb, go_on_cb };
  LaurelDuplicate out[8];

  for (int i = 0; i < 8; i++)
    keys[i].hash[15] = (guint8) hashes[i];
  g_assert_true (laurel_duplicates_find (&search, out, NULL));
  for (guint32 i = 0; i < 8; i++) {
    guint32 first = (guint32) (strchr (hashes, hashes[i]) - hashes);

    g_assert_cmpuint (out[i].first, ==, first);
    g_assert_cmpuint (out[i].exact, ==, first != i);
  }
}

/* What is joined over a third is one group, whose first is kept; documents without words are
 * nobody's neighbours. */
static void
test_groups (void)
{
  enum { N = 5, SHINGLES = 100 };
  g_autoptr (GPtrArray) documents = g_ptr_array_new_with_free_func (document_free);
  LaurelDuplicate out[N];
  LaurelDocumentKey keys[N] = { 0 };
  LaurelMinhash signatures[N];
  LaurelDuplicateSearch search = { keys,      sizeof *keys, signatures, N,
                                   THRESHOLD, read_cb,      go_on_cb,   documents };

  /* 0 and 2 share 80 of 120 words in a row, 0.65 of their shingles; 1 lies half way, and its 90
   * with either are 0.81. */
  for (guint32 i = 0; i < N; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    Document *document = g_new0 (Document, 1);

    for (guint32 word = 10 * i; i < 3 && word < 10 * i + SHINGLES; word++)
      g_string_append_printf (text, "w%u ", word);
    document->text = g_string_free (g_steal_pointer (&text), FALSE);
    document->shingles = g_ptr_array_new ();
    g_ptr_array_add (documents, document);
    keys[i] = (LaurelDocumentKey){ { (guint8) i }, sign (document->text, &signatures[i]) };
    g_assert_cmpuint (keys[i].has_signature, ==, i < 3);
  }
  g_assert_true (laurel_duplicates_find (&search, out, NULL));
  for (guint i = 0; i < N; i++)
    g_assert_cmpuint (out[i].first, ==, i < 3 ? 0 : i);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  strings = g_string_chunk_new (1 << 20);
  g_test_add_func ("/corpus/minhash/words", test_words);
  g_test_add_func ("/corpus/minhash/estimate", test_estimate);
  g_test_add_func ("/corpus/duplicates/exact", test_exact);
  g_test_add_func ("/corpus/duplicates/groups", test_groups);
  g_test_add_func ("/corpus/duplicates/recall", test_recall);
  status = g_test_run ();
  g_string_chunk_free (strings);
  return status;
}
