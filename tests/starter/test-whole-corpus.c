/* test-whole-corpus.c: the corpus in the size that models are pretrained on.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "tests/starter/fixture.h"

/* The generator's own size. */
#define MEGABYTES 24

static void
test_corpus_size (void)
{
  g_autofree char *dir = fixture_generate ("1", MEGABYTES);
  guint n_sentences, n_questions;

  fixture_check_corpus (dir, &n_sentences, &n_questions);
  g_assert_cmpuint (n_sentences, >=, 300000);
  g_assert_cmpuint (n_questions, >=, 30000);
  g_assert_true (laurel_file_remove_tree (dir, NULL));
}

static void
test_corpus_deterministic (void)
{
  g_autofree char *first = fixture_generate ("7", MEGABYTES);
  g_autofree char *second = fixture_generate ("7", MEGABYTES);

  fixture_assert_same_file (first, second, "corpus.txt");
  g_assert_true (laurel_file_remove_tree (first, NULL));
  g_assert_true (laurel_file_remove_tree (second, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/starter/whole-corpus/size", test_corpus_size);
  g_test_add_func ("/starter/whole-corpus/deterministic", test_corpus_deterministic);
  return g_test_run ();
}
