/* test-cli-corpus.c: laurelctl corpus, asked as a script asks it, and killed while it works.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/corpus/token_file.h"
#include "tests/cli/command.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define N_KILLS 12

typedef struct {
  char *dir;
  char *tokenizer;
  char *output;
  char *report;
} Fixture;

static char *
add_file (Fixture *fixture, const char *name, const char *text)
{
  char *path = g_build_filename (fixture->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_auto (Result) result = { 0 };
  g_autofree char *text = NULL;

  fixture->dir = g_dir_make_tmp ("laurel-cli-corpus-XXXXXX", NULL);
  fixture->tokenizer = g_build_filename (fixture->dir, "tokenizer", NULL);
  fixture->output = g_build_filename (fixture->dir, "out.tokens", NULL);
  fixture->report = g_strconcat (fixture->output, ".report.json", NULL);
  text = add_file (fixture, "train.txt", "the cat and the dog of that other cat, with the dog");
  run (&result, "tokenizer", "train", "--vocab-size", "270", "--output", fixture->tokenizer, text,
       NULL);
  g_assert_cmpint (result.code, ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (laurel_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  g_free (fixture->tokenizer);
  g_free (fixture->output);
  g_free (fixture->report);
}

#define ASK(...)                                                                         \
  run (&result, "corpus", "prepare", text, "--tokenizer", fixture->tokenizer, "--output", \
       fixture->output, __VA_ARGS__, NULL)

static void
test_usage (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = add_file (fixture, "a.txt", "one\n");
  g_auto (Result) result = { 0 };

  run (&result, "corpus", "prepare", text, NULL);
  assert_error (&result, 2, "--tokenizer");
  run (&result, "corpus", "prepare", "--tokenizer", fixture->tokenizer, text, NULL);
  assert_error (&result, 2, "--output");
  ASK ("--document", "page");
  assert_error (&result, 2, "blank-line");
  ASK ("--document", "line", "--separator", "--");
  assert_error (&result, 2, "left out");
  ASK ("--encoding", "klingon");
  assert_error (&result, 2, "koi8-r");
  ASK ("--rules", "c4,gofer");
  assert_error (&result, 1, "gofer");
  ASK ("--threshold", "gopher.min_words=many");
  assert_error (&result, 1, "number from");
  ASK ("--duplicates", "some");
  assert_error (&result, 2, "near, exact, keep");
  ASK ("--rules", "gopher");
  assert_error (&result, 1, "gopher.min_words");
  g_assert_true (g_file_test (fixture->report, G_FILE_TEST_EXISTS));
  run (&result, "corpus", "prepare", "--help", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "gopher.duplicate_10_gram"));
}

static void
test_prepare (Fixture *fixture, gconstpointer data)
{
  g_autofree char *lines = add_file (fixture, "a.txt", "the cat\nthe dog\nthe cat\n");
  g_autofree char *rows = add_file (fixture, "b.jsonl", "{\"text\": \"it\\u2019s\"}\n[]\n");
  g_autoptr (JsonNode) node = NULL;
  g_auto (Result) result = { 0 };

  run (&result, "corpus", "prepare", "--tokenizer", fixture->tokenizer, "--output",
       fixture->output, "--document", "line", "--rules", "none", lines, rows, NULL);
  g_test_message ("%s%s", result.out, result.err);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "duplicate.exact"));
  g_assert_nonnull (strstr (result.out, "input.json"));
  g_assert_nonnull (strstr (result.out, "kept 3 documents"));
  run (&result, "--json", "corpus", "show", fixture->output, NULL);
  node = laurel_json_parse (result.out, "output", NULL);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "documents"), ==, 3);
  run (&result, "corpus", "show", fixture->output, "--tokenizer", fixture->tokenizer,
       "--document", "3", NULL);
  g_assert_cmpstr (result.out, ==, "it’s<|endoftext|>\n");
  run (&result, "corpus", "show", fixture->output, "--tokenizer", fixture->tokenizer,
       "--document", "4", NULL);
  assert_error (&result, 2, "from 1 to 3");
  run (&result, "corpus", "show", lines, NULL);
  assert_error (&result, 1, "token file");
}

/* --- Killed -------------------------------------------------------------------------- */

/* Some megabytes: words of three letters, every tenth text one that came before. */
static char *
add_world (Fixture *fixture)
{
  g_autoptr (GString) text = g_string_new (NULL);
  LaurelRng rng;

  laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 4000; i++) {
    gsize start = text->len;

    for (int j = 0; j < 150; j++) {
      char a = (char) ('a' + laurel_rng_below (&rng, 26));
      char b = (char) ('a' + laurel_rng_below (&rng, 26));

      g_string_append_printf (text, "%c%cz%s", a, b, j % 10 == 0   ? " the "
                                                     : j % 10 == 5 ? " and "
                                                                   : " ");
    }
    g_string_append (text, "\n");
    if (i % 10 == 0)
      g_string_append_len (text, text->str + start, (gssize) (text->len - start));
  }
  return add_file (fixture, "world.txt", text->str);
}

static char **
make_command (Fixture *fixture, const char *input)
{
  const char *words[] = {
    get_program (), "--quiet",       "corpus",     "prepare", "--tokenizer", fixture->tokenizer,
    "--output",     fixture->output, "--document", "line",    "--batch",     "1",
    "--checkpoint", "0",             input,        NULL
  };

  return g_strdupv ((char **) words);
}

static GPid
start (char **command)
{
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, command, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                 NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static void
run_whole (char **command)
{
  int status;

  g_assert_cmpint (waitpid (start (command), &status, 0), >, 0);
  g_assert_cmpint (status, ==, 0);
}

/* TRUE when it was done before it was killed. */
static gboolean
kill_after (GPid pid, gulong microseconds)
{
  int status;

  g_usleep (microseconds);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) || WEXITSTATUS (status) == 0);
  return WIFEXITED (status);
}

static char *
hash_result (Fixture *fixture)
{
  g_autofree char *tokens = laurel_file_sha256 (fixture->output, NULL);
  g_autofree char *report = laurel_file_sha256 (fixture->report, NULL);

  g_assert_nonnull (tokens);
  g_assert_nonnull (report);
  g_assert_cmpint (g_unlink (fixture->output), ==, 0);
  g_assert_cmpint (g_unlink (fixture->report), ==, 0);
  return g_strconcat (tokens, " ", report, NULL);
}

/* The token file may be there without its report, but never in part. */
static void
assert_whole_or_absent (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenFile) file = NULL;

  if (!g_file_test (fixture->output, G_FILE_TEST_EXISTS))
    return;
  file = laurel_token_file_open (fixture->output, NULL, &error);
  g_assert_no_error (error);
}

static void
test_killed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *input = add_world (fixture), *whole = NULL, *result = NULL;
  g_auto (GStrv) command = make_command (fixture, input);
  gint64 duration = -g_get_monotonic_time ();
  int n_killed = 0, n_done = 0;
  LaurelRng rng;

  run_whole (command);
  duration += g_get_monotonic_time ();
  whole = hash_result (fixture);
  laurel_rng_init (&rng, 6, LAUREL_RNG_TEST, 0, 0);
  while (n_killed < N_KILLS) {
    double wait = laurel_rng_uniform (&rng) * (double) duration;

    if (!kill_after (start (command), (gulong) wait)) {
      n_killed++;
      assert_whole_or_absent (fixture);
      continue;
    }
    result = hash_result (fixture);
    g_assert_cmpstr (result, ==, whole);
    g_clear_pointer (&result, g_free);
    duration -= duration / 4; /* the machine has become faster, or what was left was little */
    n_done++;
  }
  g_test_message ("killed %d runs, %d were faster", n_killed, n_done);
  run_whole (command);
  result = hash_result (fixture);
  g_assert_cmpstr (result, ==, whole);
}

#define ADD(path, function) \
  g_test_add ("/cli/corpus/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("usage", test_usage);
  ADD ("prepare", test_prepare);
  ADD ("killed", test_killed);
  return g_test_run ();
}
