/* fixture.c: see fixture.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/starter/fixture.h"

#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

char *
fixture_generate (const char *seed, int megabytes)
{
  char *dir = g_dir_make_tmp ("laurel-starter-XXXXXX", NULL);
  g_autofree char *size = g_strdup_printf ("--corpus-megabytes=%d", megabytes);
  const char *argv[] = {
    LAUREL_STARTER_GENERATE,
    dir,
    "--seed",
    seed,
    megabytes > 0 ? size : "--no-corpus",
    NULL,
  };
  g_autoptr (GError) error = NULL;
  int status = -1;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  return dir;
}

char *
fixture_read_file (const char *dir, const char *name, gsize *out_length)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = laurel_file_read_text (path, out_length, &error);

  g_assert_no_error (error);
  return text;
}

char *
fixture_starter_folder (void)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", "starter", NULL);
}

void
fixture_assert_same_file (const char *dir, const char *other, const char *name)
{
  gsize n, m;
  g_autofree char *a = fixture_read_file (dir, name, &n);
  g_autofree char *b = fixture_read_file (other, name, &m);

  if (n != m || memcmp (a, b, n) != 0)
    g_error ("%s differs; generate data/starter again and commit what changed", name);
}

static gboolean
collect_split (JsonObject *row, guint number, gpointer data, GError **error)
{
  GHashTable **splits = data;
  const char *split = json_object_get_string_member (row, "split");
  char *prompt = g_strdup (json_object_get_string_member (row, "prompt"));

  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (row, "tags")), ==, 1);
  if (!g_str_equal (split, "train"))
    g_assert_cmpstr (split, ==, "heldout");
  g_assert_true (g_hash_table_add (splits[g_str_equal (split, "heldout")], prompt));
  return TRUE;
}

void
fixture_load_splits (const char *dir, GHashTable **splits)
{
  g_autofree char *path = g_build_filename (dir, "prompts.jsonl", NULL);
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();

  splits[0] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  splits[1] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_assert_true (laurel_jsonl_foreach (path, collect_split, splits, errors, NULL));
  g_assert_cmpuint (errors->len, ==, 0);
}

/* Adds the sentences of @line to @sentences. */
static void
add_sentences (GHashTable *sentences, const char *line)
{
  const char *begin = line;

  begin += g_str_has_prefix (begin, "User: ") ? strlen ("User: ") : 0;
  begin += g_str_has_prefix (begin, "Assistant: ") ? strlen ("Assistant: ") : 0;
  for (const char *p = begin; *p != '\0'; p++) {
    if (strchr (".!?", *p) != NULL && (p[1] == ' ' || p[1] == '\0')) {
      g_hash_table_add (sentences, g_strndup (begin, (gsize) (p - begin) + 1));
      begin = p[1] == ' ' ? p + 2 : p + 1;
    }
  }
}

void
fixture_check_corpus (const char *dir, guint *out_n_sentences, guint *out_n_questions)
{
  g_autofree char *text = fixture_read_file (dir, "corpus.txt", NULL);
  g_autoptr (GHashTable) sentences = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *committed = fixture_starter_folder ();
  GHashTable *splits[2];
  guint n_questions = 0;

  fixture_load_splits (committed, splits);
  for (char **line = lines; *line != NULL; line++) {
    g_assert_null (strchr (*line, '{'));
    if (g_str_has_prefix (*line, "User: ")) {
      n_questions++;
      g_assert_false (g_hash_table_contains (splits[1], *line + strlen ("User: ")));
    }
    add_sentences (sentences, *line);
  }
  g_assert_null (strstr (text, "\n\n\n"));
  *out_n_sentences = g_hash_table_size (sentences);
  *out_n_questions = n_questions;
  g_test_message ("%u sentences, %u questions", *out_n_sentences, *out_n_questions);
  g_hash_table_unref (splits[0]);
  g_hash_table_unref (splits[1]);
}
