/* test-exchange.c: files in, files out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/exchange.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/rng.h"

#include <string.h>

typedef struct {
  char *dir;
  LaurelStore *store;
} Fixture;

static LaurelStore *
open_store (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  LaurelStore *store = laurel_store_open (path, &error);

  g_assert_no_error (error);
  return store;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->dir = g_dir_make_tmp ("laurel-exchange-XXXXXX", NULL);
  self->store = open_store (self->dir, "project.sqlite");
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  laurel_store_close (self->store);
  laurel_file_remove_tree (self->dir, NULL);
  g_free (self->dir);
}

static char *
write_file (Fixture *self, const char *name, const char *text)
{
  char *path = g_build_filename (self->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
assert_result (const LaurelImportResult *result,
               const char *expected,
               const guint *rows,
               guint n_rows)
{
  g_autofree char *text = laurel_import_result_describe (result);

  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (result->row_errors->len, ==, n_rows);
  for (guint i = 0; i < n_rows; i++) {
    const LaurelRowError *row_error = g_ptr_array_index (result->row_errors, i);

    g_assert_cmpuint (row_error->row, ==, rows[i]);
    g_assert_cmpint (strlen (row_error->reason), >, 0);
  }
}

static void
assert_prompts (Fixture *self, const char *const *expected, guint n)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (self->store, NULL, NULL, -1, 0, NULL);

  g_assert_cmpuint (prompts->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (((LaurelPrompt *) prompts->pdata[i])->text, ==, expected[i]);
}

static void
test_text (Fixture *self, gconstpointer data)
{
  g_autofree char *path =
    write_file (self, "p.txt", "\xef\xbb\xbfOne?\r\n\n  Two?  \nbad \xff\nOne?\nThree?");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result = laurel_import_prompts (self->store, path, &error);

  g_assert_no_error (error);
  assert_result (result, "3 imported, 1 there already, 1 refused", (guint[]){ 4 }, 1);
  assert_prompts (self, (const char *const[]){ "One?", "Two?", "Three?" }, 3);
}

static void
test_csv (Fixture *self, gconstpointer data)
{
  g_autofree char *path = write_file (self, "p.csv",
                                      "\xef\xbb\xbfid,Prompt,split\r\n"
                                      "1,\"Commas, and\n\"\"quotes\"\"\",heldout\r\n"
                                      "2,plain,\r\n"
                                      "3,too,many,fields\r\n"
                                      "4,\"text\" after,train\r\n"
                                      "5,nowhere,test\r\n"
                                      "6,,train\r\n"
                                      "7,last,train\r\n"
                                      "8,\"open\r\n");
  g_autofree char *headless = write_file (self, "h.csv", "question\nWhy?\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result = laurel_import_prompts (self->store, path, &error);

  g_assert_no_error (error);
  assert_result (result, "3 imported, 5 refused", (guint[]){ 5, 6, 7, 8, 10 }, 5);
  assert_prompts (self, (const char *const[]){ "Commas, and\n\"quotes\"", "plain", "last" }, 3);
  g_assert_cmpint (laurel_store_count_prompts (self->store, "heldout", NULL, NULL), ==, 1);
  g_assert_null (laurel_import_prompts (self->store, headless, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
}

static void
test_jsonl (Fixture *self, gconstpointer data)
{
  g_autofree char *path = write_file (self, "p.jsonl",
                                      "{\"prompt\":\"One?\",\"tags\":[\"a\",\"b\"]}\n"
                                      "{\"prompt\":\n"
                                      "\n"
                                      "{\"prompt\":3}\n"
                                      "[1]\n"
                                      "{\"text\":\"x\"}\n"
                                      "{\"prompt\":\"Two?\",\"tags\":[1]}\n"
                                      "{\"prompt\":\"Three?\",\"split\":\"heldout\"}\n"
                                      "{\"prompt\":\"\"}\n");
  g_autofree char *out = g_build_filename (self->dir, "out.jsonl", NULL);
  g_autoptr (LaurelStore) copy = open_store (self->dir, "copy.sqlite");
  g_autoptr (LaurelImportResult) again = NULL;
  g_autoptr (GPtrArray) tagged = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result = laurel_import_prompts (self->store, path, &error);

  g_assert_no_error (error);
  assert_result (result, "2 imported, 6 refused", (guint[]){ 2, 4, 5, 6, 7, 9 }, 6);
  g_assert_cmpint (laurel_export_prompts (self->store, out, &error), ==, 2);
  again = laurel_import_prompts (copy, out, &error);
  g_assert_no_error (error);
  assert_result (again, "2 imported, 0 refused", NULL, 0);
  tagged = laurel_store_list_prompts (copy, "train", "a,b", -1, 0, NULL);
  g_assert_cmpuint (tagged->len, ==, 1);
}

static void
test_demonstrations (Fixture *self, gconstpointer data)
{
  g_autofree char *path = write_file (
    self, "d.jsonl",
    "{\"prompt\":\"Hi\",\"completion\":\"Hello\"}\n"
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Bye\"},{\"role\":\"assistant\",\"content\":\"See you\"}]}\n"
    "{\"messages\":[{\"role\":\"assistant\",\"content\":\"Bye\"},{\"role\":\"user\",\"content\":\"See you\"}]}\n"
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Bye\"}]}\n"
    "{\"prompt\":\"Hi\"}\n"
    "{\"prompt\":\"Hi\",\"completion\":\"\"}\n"
    "{\"prompt\":\"Hi\",\"completion\":\"Hello\"}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result = laurel_import_demonstrations (self->store, path, &error);
  g_autoptr (GPtrArray) rows = laurel_store_list_demonstrations (self->store, -1, 0, NULL);

  g_assert_no_error (error);
  assert_result (result, "2 imported, 1 there already, 4 refused", (guint[]){ 3, 4, 5, 6 }, 4);
  g_assert_cmpstr (((LaurelDemonstration *) rows->pdata[1])->completion, ==, "See you");
}

static gboolean
encode_bytes (const char *text, GArray *ids, gpointer user_data, GError **error)
{
  for (; *text != '\0'; text++) {
    gint32 id = (guchar) *text;

    g_array_append_val (ids, id);
  }
  return TRUE;
}

static void
test_rankings (Fixture *self, gconstpointer data)
{
  g_autofree char *path = write_file (
    self, "r.jsonl",
    "{\"prompt\":\"P\",\"completions\":[\"a\",\"b\",\"c\"],\"ranks\":[1,2,2],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"P\",\"completions\":[\"a\",\"b\",\"c\"],\"ranks\":[2,1,3],\"labeler\":\"Ben\"}\n"
    "{\"prompt\":\"P\",\"completions\":[\"a\",\"b\",\"c\"],\"ranks\":[3,1,2],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[1,3],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[0,1],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\"],\"ranks\":[1],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[1,2]}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[1,2,3],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[1,\"2\"],\"labeler\":\"Anna\"}\n"
    "{\"prompt\":\"Q\",\"completions\":[\"a\",\"b\"],\"ranks\":[0,0],\"labeler\":\"Anna\",\"all_bad\":true}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result =
    laurel_import_rankings (self->store, path, encode_bytes, NULL, &error);
  g_autoptr (LaurelTask) task = NULL;
  const LaurelCompletion *third;

  g_assert_no_error (error);
  assert_result (result, "3 imported, 7 refused", (guint[]){ 3, 4, 5, 6, 7, 8, 9 }, 7);
  g_assert_cmpint (laurel_store_count_tasks (self->store, FALSE, NULL), ==,
                   2); /* Anna and Ben share one */
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, NULL, NULL), ==,
                   2); /* refused rows leave none */
  task = laurel_store_get_task (self->store, 1, &error);
  g_assert_no_error (error);
  third = g_ptr_array_index (task->completions, 2);
  g_assert_cmpint (third->n_tokens, ==, 1);
  g_assert_cmpint (third->tokens[0], ==, 'c');
}

static void
test_formats (Fixture *self, gconstpointer data)
{
  g_autofree char *path = write_file (
    self, "r.jsonl",
    "{\"prompt\":\"P\",\"completions\":[\"a\",\"b\",\"c\"],\"ranks\":[1,2,2],\"labeler\":\"Anna\"}\n");
  g_autofree char *out = g_build_filename (self->dir, "out.jsonl", NULL);
  g_autofree char *trl = NULL;
  g_autofree char *hh = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelImportResult) result =
    laurel_import_rankings (self->store, path, NULL, NULL, &error);
  LaurelExportFormat format;

  g_assert_no_error (error);
  g_assert_cmpint (laurel_export_rankings (self->store, out, LAUREL_EXPORT_TRL,
                                           LAUREL_LABELERS_ALL, &error), ==, 2);
  g_assert_true (g_file_get_contents (out, &trl, NULL, NULL));
  g_assert_cmpstr (trl, ==,
                   "{\"prompt\":\"P\",\"chosen\":\"a\",\"rejected\":\"b\"}\n"
                   "{\"prompt\":\"P\",\"chosen\":\"a\",\"rejected\":\"c\"}\n");
  g_assert_cmpint (laurel_export_rankings (self->store, out, LAUREL_EXPORT_HH_RLHF,
                                           LAUREL_LABELERS_ALL, &error), ==, 2);
  g_assert_true (g_file_get_contents (out, &hh, NULL, NULL));
  g_assert_true (g_str_has_prefix (hh,
                                   "{\"chosen\":\"\\n\\nHuman: P\\n\\nAssistant: a\",\"rejected\":"
                                   "\"\\n\\nHuman: P\\n\\nAssistant: b\"}\n"));
  g_assert_true (laurel_export_format_from_string ("hh-rlhf", &format, &error));
  g_assert_cmpint (format, ==, LAUREL_EXPORT_HH_RLHF);
  g_assert_false (laurel_export_format_from_string ("xml", &format, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* Random rankings: what comes out of an import of the export is the export. */
static void
test_round_trip (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelStore) copy = open_store (self->dir, "copy.sqlite");
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (LaurelImportResult) first = NULL;
  g_autoptr (LaurelImportResult) second = NULL;
  g_autofree char *one = g_build_filename (self->dir, "one.jsonl", NULL);
  g_autofree char *two = g_build_filename (self->dir, "two.jsonl", NULL);
  g_autofree char *path = NULL;
  g_autofree char *text_one = NULL;
  g_autofree char *text_two = NULL;
  g_autoptr (GError) error = NULL;
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 60; i++) {
    guint n = 2 + laurel_rng_below (&rng, 8);

    g_string_append_printf (rows, "{\"prompt\":\"Prompt \\\"%d\\\"\\n\",\"completions\":[", i);
    for (guint k = 0; k < n; k++)
      g_string_append_printf (rows, "%s\"text %u, é\"", k > 0 ? "," : "", k);
    g_string_append (rows, "],\"ranks\":[");
    for (guint k = 0; k < n; k++)
      g_string_append_printf (rows, "%s%u", k > 0 ? "," : "", 1 + laurel_rng_below (&rng, n));
    g_string_append_printf (rows, "],\"labeler\":\"L%u\",\"comment\":\"c %d\"}\n",
                            laurel_rng_below (&rng, 3), i);
  }
  path = write_file (self, "r.jsonl", rows->str);
  first = laurel_import_rankings (self->store, path, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_result (first, "60 imported, 0 refused", NULL, 0);
  g_assert_cmpint (laurel_export_rankings (self->store, one, LAUREL_EXPORT_LAUREL,
                                           LAUREL_LABELERS_ALL, &error), ==, 60);
  second = laurel_import_rankings (copy, one, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_result (second, "60 imported, 0 refused", NULL, 0);
  g_assert_cmpint (laurel_export_rankings (copy, two, LAUREL_EXPORT_LAUREL,
                                           LAUREL_LABELERS_ALL, &error), ==, 60);
  g_assert_true (g_file_get_contents (one, &text_one, NULL, NULL));
  g_assert_true (g_file_get_contents (two, &text_two, NULL, NULL));
  g_assert_cmpstr (text_one, ==, text_two);
  {
    g_autoptr (GPtrArray) here =
      laurel_store_list_comparisons (self->store, LAUREL_LABELERS_ALL, NULL);
    g_autoptr (GPtrArray) there = laurel_store_list_comparisons (copy, LAUREL_LABELERS_ALL, NULL);

    g_assert_cmpuint (here->len, ==, there->len);
    g_assert_cmpuint (here->len, >, 60);
  }
}

static gint64
add_completion (LaurelStore *store, LaurelCompletion completion)
{
  g_autoptr (GError) error = NULL;

  laurel_store_add_completion (store, &completion, &error);
  g_assert_no_error (error);
  return completion.id;
}

/* One that was sampled, in two tasks, and two that were imported as text. */
static void
test_completions (Fixture *self, gconstpointer data)
{
  static const char expected[] =
    "{\"id\":1,\"prompt\":\"why?\",\"model\":\"sft\",\"completion\":\"so\",\"finish\":\"stop\","
    "\"tokens\":[7,9],\"logprobs\":[-0.5,0.0],\"plain_logprobs\":[-0.75,-2.0],"
    "\"temperature\":0.5,\"top_k\":3,\"top_p\":1.0,\"min_p\":0.0,\"repetition_penalty\":1.25,"
    "\"stop\":[\"\\n\"],\"logit_bias\":[],\"seed\":4}\n"
    "{\"id\":2,\"prompt\":\"why?\",\"model\":\"imported\",\"completion\":\"no\","
    "\"finish\":\"length\",\"temperature\":1.0,\"top_k\":0,\"top_p\":1.0,\"min_p\":0.0,"
    "\"repetition_penalty\":1.0,\"stop\":[],\"logit_bias\":[],\"seed\":0}\n"
    "{\"id\":3,";
  gint64 prompt = laurel_store_ensure_prompt (self->store, "why?", "train", "", NULL), ids[3];
  gint32 tokens[] = { 7, 9 };
  float logprobs[] = { -0.5f, 0 }, plain[] = { -0.75f, -2 };
  g_autofree char *path = g_build_filename (self->dir, "completions.jsonl", NULL), *text = NULL;
  g_autoptr (GError) error = NULL;

  ids[0] = add_completion (self->store, (LaurelCompletion) {
    .prompt_id = prompt, .model = (char *) "sft", .tokens = tokens, .logprobs = logprobs,
    .plain_logprobs = plain, .n_tokens = 2, .text = (char *) "so", .finish = LAUREL_FINISH_STOP,
    .temperature = 0.5, .top_k = 3, .top_p = 1, .repetition_penalty = 1.25,
    .stop = (char *) "[\"\\n\"]", .seed = 4 });
  for (int i = 1; i < 3; i++)
    ids[i] = add_completion (self->store, (LaurelCompletion) {
      .prompt_id = prompt, .model = (char *) "imported", .text = (char *) "no",
      .finish = LAUREL_FINISH_LENGTH, .temperature = 1, .top_p = 1 });
  g_assert_cmpint (laurel_store_add_task (self->store, prompt, ids, 2, 1, "random", NULL), >, 0);
  ids[1] = ids[2];
  g_assert_cmpint (laurel_store_add_task (self->store, prompt, ids, 2, 1, "random", NULL), >, 0);
  g_assert_cmpint (laurel_export_completions (self->store, path, &error), ==, 3);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_test_message ("%s", text);
  g_assert_true (g_str_has_prefix (text, expected));
}

static void
test_missing_file (Fixture *self, gconstpointer data)
{
  static const char *const names[] = { "none.txt", "none.csv", "none.jsonl" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (self->dir, names[i], NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (laurel_import_prompts (self->store, path, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
  }
}

#define ADD_TEST(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/label/exchange/text", test_text);
  ADD_TEST ("/label/exchange/csv", test_csv);
  ADD_TEST ("/label/exchange/jsonl", test_jsonl);
  ADD_TEST ("/label/exchange/demonstrations", test_demonstrations);
  ADD_TEST ("/label/exchange/rankings", test_rankings);
  ADD_TEST ("/label/exchange/formats", test_formats);
  ADD_TEST ("/label/exchange/round-trip", test_round_trip);
  ADD_TEST ("/label/exchange/completions", test_completions);
  ADD_TEST ("/label/exchange/missing-file", test_missing_file);
  return g_test_run ();
}
