/* test-sft-data.c: which tokens of a conversation are learned, and which rows are left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/project/data.h"
#include "tests/project/fixture.h"

#include <string.h>

static GPtrArray *
preview (LaurelProject *project, Fixture *fixture, const char *rows, GError **error)
{
  g_autofree char *path = fixture_path (fixture, "talk.jsonl");
  char *files[] = { path, NULL };
  LaurelHyperparameters hp;

  fixture_write (path, rows);
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_SFT);
  return laurel_project_preview_sft (project, "blank", files, &hp, 1, 0, error);
}

/* The text of the tokens that are learned (or not); end-of-text reads ¶. */
static char *
join (const LaurelRowPreview *row, gboolean learned, gint32 end_of_text)
{
  GString *text = g_string_new (NULL);

  for (int t = 0; t < row->n_tokens; t++)
    if (row->learned[t] == learned)
      g_string_append (text, row->tokens[t] == end_of_text ? "¶" : row->labels[t]);
  return g_string_free (text, FALSE);
}

static void
assert_row (const LaurelRowPreview *row, const char *learned, const char *given)
{
  g_autofree char *yes = join (row, TRUE, 299);
  g_autofree char *no = join (row, FALSE, 299);

  g_assert_cmpstr (row->reason, ==, NULL);
  g_assert_cmpstr (yes, ==, learned);
  g_assert_cmpstr (no, ==, given);
}

static void
set_template (Fixture *fixture, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->tokenizer, "chat_template.json", NULL);

  fixture_write (path, text);
}

static void
test_masks (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GError) error = NULL;

  set_template (fixture, "{\"prompt\": \"Q: {prompt}\\nA:\", \"completion\": \" {completion}\","
                         " \"system\": \"[{system}]\\n\"}");
  project = fixture_make_project (fixture, "p.laurel");
  rows = preview (
      project, fixture,
      "{\"prompt\": \"snow?\", \"completion\": \"white\"}\n"
      "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief\"},"
      " {\"role\": \"user\", \"content\": \"snow?\"},"
      " {\"role\": \"assistant\", \"content\": \"white\"},"
      " {\"role\": \"user\", \"content\": \"coal?\"},"
      " {\"role\": \"assistant\", \"content\": \"black\"}]}\n"
      /* What a user writes is text, whatever it looks like. */
      "{\"prompt\": \"<|endoftext|>\", \"completion\": \"A<|endoftext|>\"}\n",
      &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 3);
  assert_row (g_ptr_array_index (rows, 0), " white¶", "Q: snow?\\nA:");
  assert_row (g_ptr_array_index (rows, 1), " white¶ black¶",
              "[Be brief]\\nQ: snow?\\nA:Q: coal?\\nA:");
  assert_row (g_ptr_array_index (rows, 2), " A<|endoftext|>¶", "Q: <|endoftext|>\\nA:");
}

/* Rows that are left out, with their numbers; the others are used, and the run's log says so. */
static void
test_left_out (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GString) text = g_string_new ("\xef\xbb\xbf"
                                           "{\"prompt\": \"a\", \"completion\": \"b\"}\n"
                                           "\n"
                                           "{\"prompt\": \"a\", \"completion\": \" \"}\n"
                                           "{\"prompt\": \"a\", \"completion\": \"");
  g_autofree char *path = fixture_path (fixture, "talk.jsonl");
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "out");
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GPtrArray) log = NULL;
  g_autoptr (GError) error = NULL;
  const LaurelRowPreview *empty, *longer;
  gint64 run;

  for (int i = 0; i < 70; i++) /* 64 tokens are a sequence */
    g_string_append (text, "x");
  g_string_append (text, "\"}\n");
  rows = preview (project, fixture, text->str, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 3);
  empty = g_ptr_array_index (rows, 1);
  longer = g_ptr_array_index (rows, 2);
  g_assert_cmpuint (empty->row, ==, 3);
  g_assert_nonnull (strstr (empty->reason, "message 2 is empty"));
  g_assert_cmpuint (longer->row, ==, 4);
  g_assert_nonnull (strstr (longer->reason, "more than the 64"));
  request.data_files = files;
  request.hyperparameters.eval_split = 0;
  run = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, run, &error));
  log = laurel_store_list_log (laurel_project_get_store (project), run, &error);
  g_assert_cmpuint (log->len, >=, 2);
  g_assert_true (g_str_has_prefix (log->pdata[0], "Data: 1 sequences"));
  g_assert_true (g_str_has_prefix (log->pdata[1], "Left out 2 of 3 rows of"));
  g_assert_true (g_str_has_suffix (
      log->pdata[1], "1 with nothing to learn from (row 3), 1 longer than 64 tokens (row 4)"));
}

/* Nothing is left: that is an error, which says why. */
static void
test_all_left_out (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "talk.jsonl");
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "out");
  g_autoptr (GError) error = NULL;
  gint64 run;

  fixture_write (path, "{\"prompt\": \"a\", \"completion\": \"\"}\n");
  request.data_files = files;
  run = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_false (laurel_project_wait (project, run, &error));
  g_assert_nonnull (strstr (error->message, "1 with nothing to learn from (row 1)"));
}

/* The best of each ranking, all of several at the top; what is left out is said with its ranking.
 */
static void
test_chosen (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = fixture_path (fixture, "rankings.jsonl");
  char *files[] = { path, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", "out");
  g_autoptr (GPtrArray) log = NULL;
  g_autoptr (GError) error = NULL;
  gint64 run;

  fixture_write (path,
                 "{\"prompt\": \"a\", \"completions\": [\"b\", \"c\", \"d\"], \"ranks\": [2, 1, 1]}\n"
                 "{\"prompt\": \"b\", \"completions\": [\"b\", \"c\"], \"ranks\": [1, 1]}\n"
                 "{\"prompt\": \"c\", \"chosen\": \"\", \"rejected\": \"d\"}\n"
                 "{\"prompt\": \"d\", \"chosen\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\","
                 " \"rejected\": \"d\"}\n");
  request.data_files = files;
  request.chosen = TRUE;
  request.hyperparameters.eval_split = 0;
  request.hyperparameters.max_length = 32;
  run = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, run, &error));
  log = laurel_store_list_log (laurel_project_get_store (project), run, &error);
  g_assert_cmpuint (log->len, >=, 2);
  g_assert_cmpstr (log->pdata[0], ==, "Data: 2 sequences, 0 held out, 4 rankings");
  g_assert_cmpstr (log->pdata[1], ==,
                   "Left out of the chosen completions: 1 with all completions tied (ranking 2),"
                   " 1 with an empty one at the top (ranking 3),"
                   " 1 longer than 32 tokens (ranking 4)");
}

/* Malformed rows, and a part of the reason. */
static const struct {
  const char *row;
  const char *part;
} malformed[] = {
  { "{\"messages\": []}", "“messages” are empty" },
  { "{\"messages\": [{\"role\": \"system\", \"content\": \"a\"}]}", "the system's alone" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}", "end with the user's" },
  { "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}",
    "message 1 is of “assistant” where “user” was expected" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"user\", \"content\":"
    " \"a\"}]}",
    "message 2 is of “user” where “assistant” was expected" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"tool\", \"content\":"
    " \"a\"}]}",
    "message 2 is of “tool”" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"system\","
    " \"content\": \"a\"}]}",
    "only the first one may be" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": 5}]}", "“content” must be text" },
  { "{\"messages\": [{\"role\": \"user\", \"content\": null}]}", "message 1 has no “content”" },
  { "{\"messages\": [{\"role\": 1, \"content\": \"a\"}]}", "“role” must be text" },
  { "{\"messages\": [{\"content\": \"a\"}]}", "message 1 is of “nobody”" },
  { "{\"messages\": [\"a\"]}", "message 1 is no JSON object" },
  { "{\"messages\": {}}", "“messages” must be an array" },
  { "{\"prompt\": \"a\"}", "it has no “completion”" },
  { "{\"prompt\": \"a\", \"completion\": [\"b\"]}", "“completion” must be text" },
};

static void
test_malformed (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");

  for (gsize i = 0; i < G_N_ELEMENTS (malformed); i++) {
    g_autofree char *rows = g_strdup_printf ("{\"prompt\": \"a\", \"completion\": \"b\"}\n%s\n",
                                             malformed[i].row);
    g_autoptr (GError) error = NULL;

    g_assert_null (preview (project, fixture, rows, &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, "row 2: "));
    g_assert_nonnull (strstr (error->message, malformed[i].part));
  }
}

/* The starter's way of writing prompts has no place for a system message: that is said, with the
 * row. */
static void
test_no_place_for_system (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GError) error = NULL;

  g_assert_null (preview (project, fixture,
                          "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"},"
                          " {\"role\": \"user\", \"content\": \"a\"},"
                          " {\"role\": \"assistant\", \"content\": \"b\"}]}\n",
                          &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "row 1"));
  g_assert_nonnull (strstr (error->message, "“system”"));
}

/* (element-type utf8): the prompts' ids, as text, of sequences. */
static GHashTable *
collect_prompts (GPtrArray *sequences)
{
  GHashTable *prompts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < sequences->len; i++) {
    const LaurelSequence *sequence = sequences->pdata[i];
    g_autoptr (GString) ids = g_string_new (NULL);

    for (int t = 0; t < sequence->n_prompt; t++)
      g_string_append_printf (ids, "%d ", sequence->tokens[t]);
    g_hash_table_add (prompts, g_strdup (ids->str));
  }
  return prompts;
}

/* A prompt with several demonstrations is held out with all of them, in whichever file they are. */
static void
test_split (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = laurel_project_resolve_model (project, "blank", &error);
  g_autoptr (LaurelModel) model = laurel_model_load (folder, &error);
  g_auto (LaurelTrainData) data = { 0 };
  g_autoptr (JsonNode) snapshot = NULL;
  g_autoptr (GHashTable) trained = NULL;
  g_autoptr (GHashTable) held_out = NULL;
  char *files[3] = { fixture_path (fixture, "a.jsonl"), fixture_path (fixture, "b.jsonl"), NULL };
  LaurelHyperparameters hp;
  GHashTableIter iter;
  gpointer prompt;

  for (int f = 0; f < 2; f++) {
    g_autoptr (GString) rows = g_string_new (NULL);

    for (int i = 0; i < 60; i++)
      g_string_append_printf (rows, "{\"prompt\": \"p%d?\", \"completion\": \"c%d\"}\n", i % 20,
                              60 * f + i);
    fixture_write (files[f], rows->str);
  }
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_SFT);
  hp.eval_split = 0.4;
  snapshot = laurel_data_snapshot (laurel_project_get_store (project), LAUREL_STAGE_SFT, files,
                                   LAUREL_LABELERS_ALL, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_data_load (laurel_project_get_store (project), LAUREL_STAGE_SFT,
                                   json_node_get_object (snapshot), model, &hp, "", NULL, &data,
                                   &error));
  g_assert_no_error (error);
  g_assert_cmpuint (data.sequences->len + data.eval_sequences->len, ==, 120);
  trained = collect_prompts (data.sequences);
  held_out = collect_prompts (data.eval_sequences);
  g_assert_cmpuint (g_hash_table_size (held_out), >, 0);
  g_assert_cmpuint (g_hash_table_size (trained) + g_hash_table_size (held_out), ==, 20);
  g_hash_table_iter_init (&iter, held_out);
  while (g_hash_table_iter_next (&iter, &prompt, NULL))
    g_assert_false (g_hash_table_contains (trained, prompt));
  g_free (files[0]);
  g_free (files[1]);
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
  add ("/project/sft-data/masks", test_masks);
  add ("/project/sft-data/left-out", test_left_out);
  add ("/project/sft-data/all-left-out", test_all_left_out);
  add ("/project/sft-data/chosen", test_chosen);
  add ("/project/sft-data/split", test_split);
  add ("/project/sft-data/malformed", test_malformed);
  add ("/project/sft-data/no-place-for-system", test_no_place_for_system);
  return g_test_run ();
}
