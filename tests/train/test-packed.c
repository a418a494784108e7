/* test-packed.c: documents as rows: every token is predicted once, and nothing crosses a boundary.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/train/sequence.h"

#define END 99
#define N_DOCUMENTS 200
#define LIMIT 16
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Lengths from 1 to three sequences and more; every third document brings its end-of-text along. */
static int
get_length (int document)
{
  return 1 + document * 7 % 50;
}

static gint32
get_token (int document, int t)
{
  return (document * 31 + t * 3) % 90;
}

static LaurelTokenFile *
make_file (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "a.tokens", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenWriter)
      writer = laurel_token_writer_open (path, HASH, 100, END, &error);
  LaurelTokenFile *file;

  g_assert_no_error (error);
  for (int i = 0; i < N_DOCUMENTS; i++) {
    gint32 ids[52];
    int n = get_length (i);

    for (int t = 0; t < n; t++)
      ids[t] = get_token (i, t);
    if (i % 3 == 0)
      ids[n++] = END;
    g_assert_true (laurel_token_writer_add (writer, ids, (gsize) n, &error));
  }
  g_assert_true (laurel_token_writer_commit (writer, &error));
  file = laurel_token_file_open (path, HASH, &error);
  g_assert_no_error (error);
  return file;
}

static void
set_split (LaurelHyperparameters *hp, double eval_split)
{
  laurel_hyperparameters_init (hp, LAUREL_STAGE_PRETRAIN);
  hp->eval_split = eval_split;
}

/* Follows the documents through all rows in order: each is END, its tokens, END, in pieces of at
 * most LIMIT tokens that overlap by one. */
static void
assert_documents (const LaurelPacked *packed, const LaurelHyperparameters *hp, gboolean held_out)
{
  gint64 n_labels = 0, n_expected = 0;
  int document = -1, n = 0, at = 0;

  for (gsize row = 0; row < laurel_packed_count_rows (packed); row++) {
    g_auto (LaurelRagged) out = { 0 };

    laurel_ragged_init (&out);
    laurel_packed_gather (packed, row, &out);
    g_assert_cmpint (laurel_ragged_count (&out), >, 0);
    g_assert_cmpuint (out.tokens->len, <=, LIMIT);
    for (int i = 0; i < laurel_ragged_count (&out); i++) {
      gint32 start = g_array_index (out.offsets, gint32, i);
      int length = g_array_index (out.offsets, gint32, i + 1) - start;

      if (at + 1 >= n) { /* the last one is done */
        do
          document++;
        while (laurel_data_is_held_out (hp, (guint64) document) != held_out);
        n = get_length (document) + 2;
        at = 0;
        n_expected += n - 1;
      }
      g_assert_cmpint (length, ==, MIN (LIMIT, n - at));
      for (int t = 0; t < length; t++) {
        gint32 wanted = at + t == 0 || at + t == n - 1 ? END : get_token (document, at + t - 1);

        g_assert_cmpint (g_array_index (out.tokens, gint32, start + t), ==, wanted);
        g_assert_cmpint (g_array_index (out.learned, guint8, start + t), ==, t > 0);
      }
      at += length - 1;
    }
    n_labels += out.n_labels;
  }
  g_assert_cmpint (at, ==, n - 1);
  g_assert_cmpint (n_labels, ==, n_expected);
}

static void
test_rows (void)
{
  char *dir = fixture_make_dir ();
  g_autoptr (LaurelTokenFile) file = make_file (dir);
  LaurelHyperparameters hp;
  guint64 n = 0;

  for (int held_out = 0; held_out < 2; held_out++) {
    g_autoptr (LaurelPacked) packed = NULL;

    set_split (&hp, 0.3);
    packed = laurel_packed_new (file, &hp, held_out, 0, LIMIT);
    assert_documents (packed, &hp, held_out);
    g_assert_cmpint (laurel_packed_get_longest (packed), ==, LIMIT);
    g_assert_cmpuint (laurel_packed_count_documents (packed), >, N_DOCUMENTS / 10);
    n += laurel_packed_count_documents (packed);
  }
  g_assert_cmpuint (n, ==, N_DOCUMENTS);
  fixture_remove_dir (dir);
}

/* Rows are full: no row could have taken the first sequence of the next one. */
static void
test_full (void)
{
  char *dir = fixture_make_dir ();
  g_autoptr (LaurelTokenFile) file = make_file (dir);
  g_autoptr (LaurelPacked) packed = NULL;
  LaurelHyperparameters hp;
  guint before = LIMIT;
  int n_shared = 0;

  set_split (&hp, 0);
  packed = laurel_packed_new (file, &hp, FALSE, 0, LIMIT);
  for (gsize row = 0; row < laurel_packed_count_rows (packed); row++) {
    g_auto (LaurelRagged) out = { 0 };

    laurel_ragged_init (&out);
    laurel_packed_gather (packed, row, &out);
    g_assert_cmpint ((int) before + g_array_index (out.offsets, gint32, 1), >, LIMIT);
    before = out.tokens->len;
    n_shared += laurel_ragged_count (&out) > 1;
  }
  g_assert_cmpint (n_shared, >, 0);
  fixture_remove_dir (dir);
}

static LaurelRows *
make_rows (LaurelTokenFile *file, const LaurelHyperparameters *hp)
{
  LaurelRows *rows = laurel_rows_new ();

  laurel_rows_add_packed (rows, laurel_packed_new (file, hp, FALSE, 0, LIMIT));
  return rows;
}

/* A sequence's loss is the same whatever it shares a row with. */
static void
test_boundaries (void)
{
  char *dir = fixture_make_dir ();
  g_autoptr (LaurelTokenFile) file = make_file (dir);
  g_autoptr (LaurelModel) model = fixture_model (4);
  g_autoptr (LaurelRows) rows = NULL;
  LaurelHyperparameters hp;
  double loss, sum = 0;
  gint64 n;

  set_split (&hp, 0);
  rows = make_rows (file, &hp);
  g_assert_true (laurel_evaluate_loss (model, rows, &loss, &n, NULL));
  for (gsize row = 0; row < laurel_rows_count (rows); row++) {
    g_auto (LaurelRagged) out = { 0 };

    laurel_ragged_init (&out);
    laurel_rows_gather (rows, row, LIMIT, &out);
    for (int i = 0; i < laurel_ragged_count (&out); i++) {
      gint32 start = g_array_index (out.offsets, gint32, i);
      LaurelSequence alone = { .tokens = &g_array_index (out.tokens, gint32, start),
                               .n_tokens = g_array_index (out.offsets, gint32, i + 1) - start };
      float logprobs[LIMIT];

      g_assert_true (laurel_evaluate_logprobs (model, &alone, logprobs, NULL));
      for (int t = 1; t < alone.n_tokens; t++)
        sum -= logprobs[t - 1];
    }
  }
  /* Matrix products of another shape round another way. */
  g_assert_cmpfloat_with_epsilon (loss, sum / (double) n, 1e-6);
  fixture_remove_dir (dir);
}

/* Gradient accumulation is a larger batch in more parts: the same bytes. */
static void
test_accumulation (void)
{
  char *dir = fixture_make_dir ();
  g_autoptr (LaurelTokenFile) file = make_file (dir);
  g_autoptr (LaurelModel) one = fixture_model (4);
  g_autoptr (LaurelModel) two = fixture_model (4);
  g_autoptr (LaurelRows) rows = NULL;
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  set_split (&hp, 0);
  hp.max_length = LIMIT;
  hp.max_steps = 5;
  hp.batch_size = 12;
  rows = make_rows (file, &hp);
  g_assert_true (laurel_train_pretrain (one, rows, NULL, &hp, NULL, &error));
  hp.batch_size = 4;
  hp.gradient_accumulation_steps = 3;
  g_assert_true (laurel_train_pretrain (two, rows, NULL, &hp, NULL, &error));
  g_assert_no_error (error);
  assert_same_weights (one, two);
  fixture_remove_dir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/packed/rows", test_rows);
  g_test_add_func ("/train/packed/full", test_full);
  g_test_add_func ("/train/packed/boundaries", test_boundaries);
  g_test_add_func ("/train/packed/accumulation", test_accumulation);
  return g_test_run ();
}
