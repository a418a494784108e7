/* test-prepare.c: from files to a token file, however the files are, and however often it stops.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/corpus/prepare.h"
#include "core/corpus/token_file.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *dir;
  char *output;
  LaurelTokenizer *tokenizer;
  LaurelCorpusOptions options;
  GPtrArray *inputs;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *text = "the cat and the dog and the other cat, that is to be with the dog of the cat";

  fixture->dir = g_dir_make_tmp ("laurel-corpus-XXXXXX", NULL);
  fixture->output = g_build_filename (fixture->dir, "out.tokens", NULL);
  fixture->tokenizer = laurel_tokenizer_train_bpe (&text, NULL, 1, 280, NULL, NULL, NULL);
  fixture->inputs = g_ptr_array_new_with_free_func (g_free);
  laurel_corpus_options_init (&fixture->options);
  fixture->options.output = fixture->output;
  fixture->options.tokenizer = fixture->tokenizer;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (laurel_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  g_free (fixture->output);
  laurel_tokenizer_unref (fixture->tokenizer);
  g_ptr_array_unref (fixture->inputs);
}

static void
add_bytes (Fixture *fixture, const char *name, const char *bytes, gsize n)
{
  char *path = g_build_filename (fixture->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
  g_ptr_array_add (fixture->inputs, path);
}

static void
add_input (Fixture *fixture, const char *name, const char *text)
{
  add_bytes (fixture, name, text, strlen (text));
}

static LaurelCorpusReport *
prepare (Fixture *fixture, const LaurelCorpusMonitor *monitor, gboolean *resumed, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  for (guint i = 0; i < fixture->inputs->len; i++)
    g_ptr_array_add (paths, fixture->inputs->pdata[i]);
  g_ptr_array_add (paths, NULL);
  fixture->options.inputs = (const char *const *) paths->pdata;
  return laurel_corpus_prepare (&fixture->options, monitor, resumed, error);
}

/* The documents of the token file, without their end-of-text. */
static GPtrArray *
read_output (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenFile) file = laurel_token_file_open (
      fixture->output, laurel_tokenizer_get_hash (fixture->tokenizer), &error);
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  g_assert_no_error (error);
  for (guint64 i = 0; i < laurel_token_file_get_n_documents (file); i++) {
    guint64 first, n = laurel_token_file_get_document (file, i, &first);
    g_autofree gint32 *ids = g_new (gint32, n);

    laurel_token_file_read (file, first, n, ids);
    g_assert_cmpint (ids[n - 1], ==, laurel_tokenizer_get_end_of_text (fixture->tokenizer));
    g_ptr_array_add (texts, laurel_tokenizer_decode (fixture->tokenizer, ids, n - 1, TRUE));
  }
  return texts;
}

/* Prepares the inputs and expects these documents, up to a NULL. */
static void G_GNUC_NULL_TERMINATED
assert_documents (Fixture *fixture, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelCorpusReport) report = prepare (fixture, NULL, NULL, &error);
  g_autoptr (GPtrArray) texts = NULL;
  va_list wanted;
  const char *text;
  guint n = 0;

  g_assert_no_error (error);
  texts = read_output (fixture);
  va_start (wanted, fixture);
  for (; (text = va_arg (wanted, const char *)) != NULL; n++) {
    g_assert_cmpuint (n, <, texts->len);
    g_assert_cmpstr (texts->pdata[n], ==, text);
  }
  va_end (wanted);
  g_assert_cmpuint (n, ==, texts->len);
  g_assert_cmpuint (report->n_kept, ==, n);
}

/* --- Documents ----------------------------------------------------------------------- */

static void
test_files (Fixture *fixture, gconstpointer data)
{
  add_input (fixture, "a.txt", "one\r\n\r\ntwo\n");
  add_input (fixture, "b.txt", "");
  add_input (fixture, "c.txt", "three");
  assert_documents (fixture, "one\n\ntwo", "three", NULL);
}

static void
test_blank_lines (Fixture *fixture, gconstpointer data)
{
  fixture->options.reader.rule = LAUREL_DOCUMENT_BLANK_LINE;
  add_input (fixture, "a.txt", "\n\none\ntwo\n \t\r\n\nthree\n\nfour");
  add_input (fixture, "b.txt", "five\r\n\r\nsix\r\n\r\n");
  assert_documents (fixture, "one\ntwo", "three", "four", "five", "six", NULL);
}

static void
test_lines (Fixture *fixture, gconstpointer data)
{
  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  add_input (fixture, "a.txt", "one\n\ntwo\r\n  \nthree");
  assert_documents (fixture, "one", "two", "three", NULL);
}

static void
test_separator (Fixture *fixture, gconstpointer data)
{
  fixture->options.reader.rule = LAUREL_DOCUMENT_SEPARATOR;
  fixture->options.reader.separator = "<|endoftext|>";
  add_input (fixture, "a.txt",
             "one\n\ntwo\n<|endoftext|>\nthree <|endoftext|> here\n <|endoftext|>\r\n\n");
  /* What looks like a special token stays text. */
  assert_documents (fixture, "one\n\ntwo", "three <|endoftext|> here", NULL);
}

/* A separator is found in text of an encoding that has to be named. */
static void
test_separator_named (Fixture *fixture, gconstpointer data)
{
  fixture->options.reader.rule = LAUREL_DOCUMENT_SEPARATOR;
  fixture->options.reader.separator = "---";
  fixture->options.reader.encoding = laurel_encoding_from_name ("KOI8-R");
  fixture->options.reader.encoding_name = "KOI8-R";
  fixture->options.document.encoding_name = "KOI8-R";
  add_input (fixture, "a.txt", "\xcf\xc4\xc9\xce\n---\n\xc4\xd7\xc1\n");
  assert_documents (fixture, "один", "два", NULL);
}

static void
test_rows (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelCorpusReport) report = NULL;
  g_autoptr (GPtrArray) texts = NULL;
  const LaurelCorpusSample *sample;

  add_input (fixture, "a.jsonl",
             "{\"text\": \"one\\n\\u00e9\\ud83d\\ude00 \\\\u0000, and words enough for one control "
             "character among a hundred others to be taken out, not all of it\\u0000\", "
             "\"id\": 1}\n\n"
             "{\"id\": 2, \"body\": \"two\"}\n"
             "[\"three\"]\n"
             "{\"text\": \"four\n"
             "{\"text\": 5}\n"
             "  {\"text\": \"six\"}\r\n"
             "{\"text\": \"  \"}");
  report = prepare (fixture, NULL, NULL, &error);
  g_assert_no_error (error);
  texts = read_output (fixture);
  g_assert_cmpuint (texts->len, ==, 2);
  g_assert_cmpstr (texts->pdata[0], ==,
                   "one\né😀 \\u0000, and words enough for one control character among a hundred "
                   "others to be taken out, not all of it");
  g_assert_cmpstr (texts->pdata[1], ==, "six");
  g_assert_cmpuint (report->removed[LAUREL_RULE_JSON].n_documents, ==, 2);
  g_assert_cmpuint (report->removed[LAUREL_RULE_FIELD].n_documents, ==, 2);
  g_assert_cmpuint (report->removed[LAUREL_RULE_EMPTY].n_documents, ==, 1);
  sample = report->removed[LAUREL_RULE_FIELD].samples->pdata[0];
  g_assert_cmpuint (sample->number, ==, 3); /* its line */
  g_assert_cmpstr (sample->text, ==, "{\"id\": 2, \"body\": \"two\"}");
  fixture->options.document.field = "body";
  assert_documents (fixture, "two", NULL);
}

/* Lines are found in units of two and four bytes too, whatever bytes letters have: U+0A0A is made
 * of two bytes that are a line end elsewhere, as are the halves of U+010A U+0A01 side by side. */
static void
test_wide (Fixture *fixture, gconstpointer data)
{
  static const char *const encodings[] = { "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE" };
  const char *text = "one ਊ\r\ntwo Ċਁ three\n\nfour 🙂\n---\nfive, to be with many plain letters\n";

  fixture->options.reader.rule = LAUREL_DOCUMENT_SEPARATOR;
  fixture->options.reader.separator = "---";
  for (guint i = 0; i < G_N_ELEMENTS (encodings); i++) {
    gsize n;
    g_autofree char *bytes = g_convert (text, -1, encodings[i], "UTF-8", NULL, &n, NULL);

    g_ptr_array_set_size (fixture->inputs, 0);
    add_bytes (fixture, "wide.txt", bytes, n);
    assert_documents (fixture, "one ਊ\ntwo Ċਁ three\n\nfour 🙂",
                      "five, to be with many plain letters", NULL);
  }
}

static void
test_encodings (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelCorpusReport) report = NULL;

  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  add_input (fixture, "mixed.txt",
             "plain ASCII\n"
             "UTF-8 of a cr\xc3\xa8me\n"
             "Windows-1252 of a cr\xe8me \x93quoted\x94\n"
             "mojibake of a cr\xc3\x83\xc2\xa8me\n"
             "\xd7\xd3\xc5 \xd3\xde\xc1\xd3\xd4\xcc\xc9\xd7\xd9\xc5\n"
             "\1\2\3 controls \4\5\n");
  report = prepare (fixture, NULL, NULL, NULL);
  g_assert_cmpuint (report->n_encodings[LAUREL_ENCODING_UTF_8], ==, 4);
  g_assert_cmpuint (report->n_encodings[LAUREL_ENCODING_WINDOWS_1252], ==, 1);
  g_assert_cmpuint (report->removed[LAUREL_RULE_ENCODING].n_documents, ==, 1);
  g_assert_cmpuint (report->removed[LAUREL_RULE_BINARY].n_documents, ==, 1);
  g_assert_cmpuint (report->n_documents_mended, ==, 1);
  laurel_corpus_report_free (g_steal_pointer (&report));
  assert_documents (fixture, "plain ASCII", "UTF-8 of a crème", "Windows-1252 of a crème “quoted”",
                    "mojibake of a crème", NULL);
}

/* --- Duplicates and rules ------------------------------------------------------------ */

#define STORY                                                                                      \
  "it was the year of the flood and the mill had not turned for a month, so that the miller sat " \
  "by the window with his pipe and counted what there was to count: eleven geese, two carts of " \
  "hay that would be of use to nobody, and the roofs of the lower village, which came up out of " \
  "the brown water one by one as the days went by"

static void
test_duplicates (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelCorpusReport) report = NULL;
  g_autoptr (GPtrArray) texts = NULL;
  const LaurelCorpusSample *sample;

  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  add_input (fixture, "a.txt", STORY "\nanother text\n" STORY " indeed\n");
  add_input (fixture, "b.txt", STORY "  \nAnother Text!\nanother text");
  report = prepare (fixture, NULL, NULL, NULL);
  texts = read_output (fixture);
  g_assert_cmpuint (texts->len, ==, 2);
  g_assert_cmpstr (texts->pdata[0], ==, STORY);
  g_assert_cmpstr (texts->pdata[1], ==, "another text");
  g_assert_cmpuint (report->removed[LAUREL_RULE_DUPLICATE_EXACT].n_documents, ==, 2);
  g_assert_cmpuint (report->removed[LAUREL_RULE_DUPLICATE_NEAR].n_documents, ==, 2);
  g_assert_cmpuint (report->n_bytes_kept, ==, strlen (STORY) + strlen ("another text"));
  sample = report->removed[LAUREL_RULE_DUPLICATE_NEAR].samples->pdata[0];
  g_assert_true (g_str_has_suffix (sample->of_file, "a.txt"));
  g_assert_cmpuint (sample->number, ==, 3);
  g_assert_cmpuint (sample->of_number, ==, 1);
  g_assert_cmpfloat (sample->similarity, >, 0.8);
  fixture->options.duplicates = LAUREL_DUPLICATES_EXACT;
  assert_documents (fixture, STORY, "another text", STORY " indeed", "Another Text!", NULL);
  fixture->options.duplicates = LAUREL_DUPLICATES_KEEP;
  assert_documents (fixture, STORY, "another text", STORY " indeed", STORY, "Another Text!",
                    "another text", NULL);
}

/* The twin of a document that itself goes for a near one: the report names what is kept, and how
 * far that is from it. */
static void
test_twin_of_near (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelCorpusReport) report = NULL;
  const LaurelCorpusSample *sample;

  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  add_input (fixture, "a.txt", STORY "\n" STORY " indeed\n" STORY " indeed\n");
  report = prepare (fixture, NULL, NULL, NULL);
  g_assert_cmpuint (report->n_kept, ==, 1);
  g_assert_cmpuint (report->removed[LAUREL_RULE_DUPLICATE_EXACT].n_documents, ==, 1);
  sample = report->removed[LAUREL_RULE_DUPLICATE_EXACT].samples->pdata[0];
  g_assert_cmpuint (sample->number, ==, 3);
  g_assert_cmpuint (sample->of_number, ==, 1);
  g_assert_cmpfloat (sample->similarity, <, 1.0);
  g_assert_cmpfloat (sample->similarity, >, 0.8);
}

static void
test_rules (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = laurel_corpus_get_report_path (fixture->output);

  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  g_assert_true (laurel_rules_add_set (&fixture->options.document.rules, "gopher", NULL));
  add_input (fixture, "a.txt", "too short\n" STORY "\n");
  assert_documents (fixture, STORY, NULL);
  g_ptr_array_set_size (fixture->inputs, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
  add_input (fixture, "b.txt", "too short\nthis too\n");
  g_assert_null (prepare (fixture, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "gopher.min_words"));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS)); /* it says what went */
}

/* --- Too much, and what is wrong ----------------------------------------------------- */

static void
test_too_long (Fixture *fixture, gconstpointer data)
{
  gsize n = LAUREL_MAX_DOCUMENT_BYTES + 3000000;
  g_autofree char *bytes = g_malloc (n);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelCorpusReport) report = NULL;
  g_autoptr (GPtrArray) texts = NULL;

  memset (bytes, 'x', n);
  memcpy (bytes, "one\n", 4);
  memcpy (bytes + n - 5, "\nlast", 5);
  add_bytes (fixture, "long.txt", bytes, n);
  g_assert_null (prepare (fixture, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "--separator"));
  fixture->options.reader.rule = LAUREL_DOCUMENT_LINE;
  report = prepare (fixture, NULL, NULL, NULL);
  texts = read_output (fixture);
  g_assert_cmpuint (texts->len, ==, 2);
  g_assert_cmpstr (texts->pdata[1], ==, "last");
  g_assert_cmpuint (report->removed[LAUREL_RULE_TOO_LONG].n_documents, ==, 1);
  g_assert_cmpuint (report->n_bytes_read, ==, n);
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (fixture->inputs, g_build_filename (fixture->dir, "none.txt", NULL));
  g_assert_null (prepare (fixture, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_ptr_array_set_size (fixture->inputs, 0);
  g_ptr_array_add (fixture->inputs, g_strdup (fixture->dir));
  g_assert_null (prepare (fixture, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* What is in the way of the work folder stays. */
static void
test_foreign_folder (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_strconcat (fixture->output, ".work", NULL);
  g_autofree char *notes = g_build_filename (folder, "notes.txt", NULL);
  g_autoptr (LaurelCorpusReport) report = NULL;
  g_autoptr (GError) error = NULL;

  add_input (fixture, "a.txt", "the cat and the dog");
  g_assert_cmpint (g_mkdir (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (notes, "mine", -1, NULL));
  g_assert_null (prepare (fixture, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (notes), ==, 0); /* an empty one serves */
  report = prepare (fixture, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (folder, G_FILE_TEST_EXISTS));
}

/* --- Stopping and going on ----------------------------------------------------------- */

/* Texts of all kinds: rows that are no JSON, duplicates, mojibake, some that rules remove. */
static void
add_world (Fixture *fixture)
{
  g_autoptr (GString) rows = g_string_new (NULL), lines = g_string_new (NULL);
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 2, 0);
  for (int i = 0; i < 400; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    guint kind = laurel_rng_below (&rng, 10);
    guint n = kind == 0 ? 20 : 60 + laurel_rng_below (&rng, 60);

    if (kind == 1)
      g_string_append (text, STORY);
    for (guint j = 0; j < n; j++)
      g_string_append_printf (text, "%s%c%cx", j % 4 == 0 ? " the " : j % 4 == 2 ? " and " : " ",
                              'a' + laurel_rng_below (&rng, kind == 2 ? 3 : 26),
                              'a' + laurel_rng_below (&rng, 26));
    if (kind == 3)
      g_string_append (text, " it\xc3\xa2\xe2\x82\xac\xe2\x84\xa2s");
    g_string_append_printf (rows, kind == 4 ? "{\"txt\": \"%s\"}\n" : "{\"text\": \"%s\"}\n",
                            text->str);
    g_string_append_printf (lines, "%s\n%s", text->str + (kind > 7 ? 0 : 30),
                            kind == 5 ? "\n\n" : "\n");
  }
  add_input (fixture, "rows.jsonl", rows->str);
  add_input (fixture, "lines.txt", lines->str);
  fixture->options.reader.rule = LAUREL_DOCUMENT_BLANK_LINE;
  g_assert_true (laurel_rules_add_set (&fixture->options.document.rules, "gopher", NULL));
}

typedef struct {
  int n_left; /* questions until the answer is no */
  int n_asked;
  double share;
  LaurelCorpusPhase phase;
} Stopper;

static gboolean
go_on_cb (gpointer user_data)
{
  Stopper *self = user_data;

  self->n_asked++;
  return self->n_left-- > 0;
}

/* Shares grow within a phase, and phases come in their order. */
static void
progress_cb (gpointer user_data, LaurelCorpusPhase phase, double share, double seconds_left)
{
  Stopper *self = user_data;

  g_assert_cmpint (phase, >=, self->phase);
  if (phase == self->phase && share > 0.0)
    g_assert_cmpfloat (share, >=, self->share);
  g_assert_cmpfloat (share, <=, 1.0);
  self->phase = phase;
  self->share = share;
}

static char *
hash_result (Fixture *fixture)
{
  g_autofree char *report_path = laurel_corpus_get_report_path (fixture->output);
  g_autofree char *tokens = laurel_file_sha256 (fixture->output, NULL);
  g_autofree char *report = laurel_file_sha256 (report_path, NULL);
  g_autofree char *work = g_strconcat (fixture->output, ".work", NULL);

  g_assert_nonnull (tokens);
  g_assert_nonnull (report);
  g_assert_false (g_file_test (work, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_unlink (fixture->output), ==, 0);
  g_assert_cmpint (g_unlink (report_path), ==, 0);
  return g_strconcat (tokens, " ", report, NULL);
}

static char *
prepare_whole (Fixture *fixture, int *n_asked)
{
  Stopper stopper = { G_MAXINT };
  LaurelCorpusMonitor monitor = { &stopper, progress_cb, go_on_cb };
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelCorpusReport) report = prepare (fixture, &monitor, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (report->n_kept, >, 100);
  g_assert_cmpuint (report->removed[LAUREL_RULE_DUPLICATE_NEAR].n_documents, >, 10);
  *n_asked = stopper.n_asked;
  return hash_result (fixture);
}

static void
test_batches (Fixture *fixture, gconstpointer data)
{
  g_autofree char *whole = NULL, *small = NULL;
  int n;

  add_world (fixture);
  whole = prepare_whole (fixture, &n);
  fixture->options.batch_bytes = 3000;
  fixture->options.checkpoint_seconds = 3600.0;
  small = prepare_whole (fixture, &n);
  g_assert_cmpstr (small, ==, whole);
  g_assert_cmpint (n, >, 60);
}

/* Stopped wherever it can be, or nearly so, it ends in the same. */
static void
test_stopped (Fixture *fixture, gconstpointer data)
{
  g_autofree char *whole = NULL;
  int n;

  add_world (fixture);
  fixture->options.batch_bytes = 20000;
  whole = prepare_whole (fixture, &n);
  /* Every place of the beginning and the end, and some of those in between, which are alike. */
  for (int at = 0; at < n; at += at < 4 || at > n - 6 ? 1 : 5) {
    Stopper stopper = { at };
    LaurelCorpusMonitor monitor = { &stopper, NULL, go_on_cb };
    g_autoptr (GError) error = NULL;
    g_autofree char *result = NULL;
    gboolean resumed = TRUE;

    g_assert_null (prepare (fixture, &monitor, &resumed, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
    g_assert_false (resumed);
    g_assert_false (g_file_test (fixture->output, G_FILE_TEST_EXISTS));
    laurel_corpus_report_free (prepare (fixture, NULL, &resumed, NULL));
    g_assert_true (resumed);
    result = hash_result (fixture);
    g_assert_cmpstr (result, ==, whole);
  }
}

static void
test_stopped_often (Fixture *fixture, gconstpointer data)
{
  g_autofree char *whole = NULL, *result = NULL;
  g_autoptr (LaurelCorpusReport) report = NULL;
  int n, n_stops = 0;

  add_world (fixture);
  fixture->options.batch_bytes = 20000;
  whole = prepare_whole (fixture, &n);
  while (report == NULL) {
    Stopper stopper = { 3 };
    LaurelCorpusMonitor monitor = { &stopper, NULL, go_on_cb };
    g_autoptr (GError) error = NULL;

    /* Comparing starts over, so that it needs to get through once. */
    if (n_stops > 10)
      stopper.n_left = G_MAXINT;
    report = prepare (fixture, &monitor, NULL, &error);
    n_stops += report == NULL;
  }
  g_assert_cmpint (n_stops, ==, 11);
  result = hash_result (fixture);
  g_assert_cmpstr (result, ==, whole);
}

/* Work of other settings, of other inputs, or that is damaged is not gone on with. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *whole = NULL, *state = NULL, *texts = NULL;
  int n;

  add_world (fixture);
  fixture->options.batch_bytes = 20000;
  whole = prepare_whole (fixture, &n);
  state = g_strconcat (fixture->output, ".work/state.json", NULL);
  texts = g_strconcat (fixture->output, ".work/texts", NULL);
  for (int change = 0; change < 5; change++) {
    Stopper stopper = { 4 };
    LaurelCorpusMonitor monitor = { &stopper, NULL, go_on_cb };
    g_autofree char *result = NULL;
    gboolean resumed;

    if (change == 0)
      fixture->options.document.rules.threshold[LAUREL_RULE_GOPHER_MIN_WORDS] = 49;
    else if (change == 1)
      fixture->options.document.field = "txt";
    g_assert_null (prepare (fixture, &monitor, NULL, NULL));
    fixture->options.document.rules.threshold[LAUREL_RULE_GOPHER_MIN_WORDS] = 50;
    fixture->options.document.field = "text";
    if (change == 2)
      g_assert_true (g_file_set_contents (state, "{\"fingerprint\": ", -1, NULL));
    else if (change == 3)
      g_assert_true (g_file_set_contents (texts, "short", -1, NULL));
    else if (change == 4)
      g_assert_cmpint (g_unlink (state), ==, 0);
    laurel_corpus_report_free (prepare (fixture, NULL, &resumed, NULL));
    g_assert_false (resumed);
    result = hash_result (fixture);
    g_assert_cmpstr (result, ==, whole);
  }
}

static gboolean
prepare_again_cb (gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_corpus_prepare (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY);
  return TRUE;
}

static void
test_busy (Fixture *fixture, gconstpointer data)
{
  LaurelCorpusMonitor monitor = { fixture, NULL, prepare_again_cb };
  g_autoptr (LaurelCorpusReport) report = NULL;

  add_input (fixture, "a.txt", "one");
  report = prepare (fixture, &monitor, NULL, NULL);
  g_assert_nonnull (report);
}

#define ADD(path, function) \
  g_test_add ("/corpus/prepare/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("files", test_files);
  ADD ("blank-lines", test_blank_lines);
  ADD ("lines", test_lines);
  ADD ("separator", test_separator);
  ADD ("separator-named", test_separator_named);
  ADD ("rows", test_rows);
  ADD ("wide", test_wide);
  ADD ("encodings", test_encodings);
  ADD ("duplicates", test_duplicates);
  ADD ("twin-of-near", test_twin_of_near);
  ADD ("rules", test_rules);
  ADD ("too-long", test_too_long);
  ADD ("missing", test_missing);
  ADD ("foreign-folder", test_foreign_folder);
  ADD ("batches", test_batches);
  ADD ("stopped", test_stopped);
  ADD ("stopped-often", test_stopped_often);
  ADD ("changed", test_changed);
  ADD ("busy", test_busy);
  return g_test_run ();
}
