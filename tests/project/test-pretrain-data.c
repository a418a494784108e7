/* test-pretrain-data.c: text, rows and token files to the same pretraining, and what is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/corpus/prepare.h"
#include "core/project/data.h"
#include "tests/project/fixture.h"

#include <string.h>
#include <unistd.h>

static gint64
start (LaurelProject *project, const char *path, const char *output, GError **error)
{
  char *files[] = { (char *) path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_PRETRAIN, "blank", output);

  request.data_files = files;
  request.hyperparameters.eval_split = 0.2;
  request.hyperparameters.eval_samples = 2;
  return laurel_project_start_training (project, &request, error);
}

static char *
pretrain (LaurelProject *project, const char *path, const char *output)
{
  g_autoptr (LaurelModelRecord) record = NULL;
  g_autoptr (GError) error = NULL;
  gint64 run = start (project, path, output, &error);

  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, run, &error));
  g_assert_no_error (error);
  record = laurel_store_get_model (laurel_project_get_store (project), output, &error);
  g_assert_nonnull (record);
  return g_strdup (record->sha256);
}

/* The fixture's corpus as rows of {"text"}. */
static void
write_rows (Fixture *fixture, const char *path)
{
  g_autofree char *text = laurel_file_read_text (fixture->corpus, NULL, NULL);
  g_auto (GStrv) documents = g_strsplit (text, "\n\n", -1);
  g_autoptr (GString) rows = g_string_new (NULL);

  for (int i = 0; documents[i] != NULL && documents[i][0] != '\0'; i++)
    g_string_append_printf (rows, "{\"text\": \"%s\"}\n", documents[i]);
  fixture_write (path, rows->str);
}

static void
prepare (Fixture *fixture, const char *tokenizer_dir, const char *path)
{
  const char *const inputs[] = { fixture->corpus, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = laurel_tokenizer_load (tokenizer_dir, &error);
  g_autoptr (LaurelCorpusReport) report = NULL;
  LaurelCorpusOptions options;

  g_assert_no_error (error);
  laurel_corpus_options_init (&options);
  options.inputs = inputs;
  options.output = path;
  options.tokenizer = tokenizer;
  options.reader.rule = LAUREL_DOCUMENT_BLANK_LINE;
  memset (&options.document.rules, 0, sizeof options.document.rules); /* keep everything */
  options.duplicates = LAUREL_DUPLICATES_KEEP;
  report = laurel_corpus_prepare (&options, NULL, NULL, &error);
  g_assert_no_error (error);
}

static guint
count_lines (LaurelProject *project, gint64 run, const char *beginning)
{
  g_autoptr (GPtrArray) log =
      laurel_store_list_log (laurel_project_get_store (project), run, NULL);
  guint n = 0;

  for (guint i = 0; i < log->len; i++)
    n += g_str_has_prefix (g_ptr_array_index (log, i), beginning);
  return n;
}

static void
test_same_bytes (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *rows = fixture_path (fixture, "corpus.jsonl");
  g_autofree char *tokens = fixture_path (fixture, "corpus.tokens");
  g_autofree char *folder = fixture_path (fixture, "p.laurel/runs/1");
  g_autofree char *from_text = pretrain (project, fixture->corpus, "from-text");
  g_autofree char *from_rows = NULL;
  g_autofree char *from_tokens = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  write_rows (fixture, rows);
  prepare (fixture, fixture->tokenizer, tokens);
  from_rows = pretrain (project, rows, "from-rows");
  from_tokens = pretrain (project, tokens, "from-tokens");
  g_assert_cmpstr (from_text, ==, from_rows);
  g_assert_cmpstr (from_text, ==, from_tokens);
  g_assert_cmpuint (count_lines (project, 1, "Data: 48 documents of"), ==, 1);
  g_assert_cmpuint (count_lines (project, 1, "Step 6 writes: "), ==, 2);
  /* What was made of the text is gone with the run. */
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_assert_null (strstr (name, LAUREL_DATA_TOKENS_SUFFIX));
}

static void
assert_refused (LaurelProject *project, const char *path, int code, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (start (project, path, "x", &error), ==, 0);
  g_test_message ("%s", error->message);
  g_assert_error (error, LAUREL_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
}

/* What the first document shows is refused before the run, the rest ends it. */
static void
assert_fails (LaurelProject *project, const char *path, const char *part)
{
  g_autoptr (GError) error = NULL;
  gint64 run = start (project, path, "x", &error);

  g_assert_no_error (error);
  g_assert_false (laurel_project_wait (project, run, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_refusals (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *text = fixture_path (fixture, "bad.txt");
  g_autofree char *rows = fixture_path (fixture, "bad.jsonl");
  g_autofree char *tokens = fixture_path (fixture, "bad.tokens");

  fixture_write (text, " \n\n\n");
  assert_refused (project, text, LAUREL_ERROR_INVALID_DATA, "no text in it");
  fixture_write (text, "a\xff\n");
  assert_refused (project, text, LAUREL_ERROR_INVALID_DATA, "document 1 is not UTF-8");
  fixture_write (text, "one\n\ntwo\n\nab\xff\n");
  assert_fails (project, text, "document 3 is not UTF-8 text at its byte 2");
  fixture_write (rows, "{\"prompt\": \"a\"}\n");
  assert_refused (project, rows, LAUREL_ERROR_INVALID_DATA, "row 1 is no JSON object");
  fixture_write (rows, "{\"text\": \"a b c\"}\n\n{\"text\": 4}\n");
  assert_fails (project, rows, "row 3 is no JSON object with a “text”");
  prepare (fixture, fixture->tokenizer, tokens);
  g_assert_cmpint (truncate (tokens, 300), ==, 0);
  assert_refused (project, tokens, LAUREL_ERROR_INVALID_DATA, "damaged");
}

/* A token file that was made with another tokenizer would be noise to the model. */
static void
test_other_tokenizer (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *tokens = fixture_path (fixture, "other.tokens");
  g_autofree char *dir = fixture_path (fixture, "other");
  const char *const texts[] = { "some other text, some other words" };
  g_autoptr (LaurelTokenizer) other =
      laurel_tokenizer_train_bpe (texts, NULL, 1, 260, NULL, NULL, NULL);

  g_assert_true (laurel_file_make_directory (dir, NULL));
  g_assert_true (laurel_tokenizer_save (other, dir, NULL));
  prepare (fixture, dir, tokens);
  assert_fails (project, tokens, "tokenizer");
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/project/pretrain-data/same-bytes", test_same_bytes);
  add ("/project/pretrain-data/refusals", test_refusals);
  add ("/project/pretrain-data/other-tokenizer", test_other_tokenizer);
  return g_test_run ();
}
