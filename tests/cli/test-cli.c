/* test-cli.c: laurelctl as scripts see it: exit codes, one line of error, one value of JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "core/base/json.h"
#include "tests/cli/command.h"
#include "tests/project/fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Usage --------------------------------------------------------------------- */

static void
test_usage (Fixture *fixture, gconstpointer unused)
{
  g_auto (Result) result = { 0 };

  run (&result, NULL);
  assert_error (&result, 2, "no noun");
  run (&result, "modle", "list", NULL);
  assert_error (&result, 2, "“model”");
  run (&result, "model", "lits", NULL);
  assert_error (&result, 2, "“list”");
  run (&result, "train", "sft", "--modell", "x", NULL);
  assert_error (&result, 2, "“--model”");
  run (&result, "train", "sft", "--model", NULL);
  assert_error (&result, 2, "missing");
  run (&result, "sample", "run", "--model", "x", "--temperature", "warm", NULL);
  assert_error (&result, 2, "from 0 to 100");
  run (&result, "model", "show", NULL);
  assert_error (&result, 2, "model show NAME");
  run (&result, "model", "show", "a", "b", NULL);
  assert_error (&result, 2, "“b”");
}

/* A project in the fixture's folder that nobody has open. */
static void
make_project (Fixture *fixture, const char *name)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, name);

  laurel_project_close (project);
}

static void
test_help (Fixture *fixture, gconstpointer unused)
{
  g_auto (Result) result = { 0 };

  run (&result, "--help", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "tokenizer"));
  run (&result, "train", "--help", NULL);
  g_assert_nonnull (strstr (result.out, "resume RUN"));
  run (&result, "train", "ppo", "--help", NULL);
  g_assert_nonnull (strstr (result.out, "kl_coef=0.2"));
  g_assert_null (strstr (result.out, "normalize_rewards"));
  run (&result, "train", "rloo", "--help", NULL);
  g_assert_nonnull (strstr (result.out, "num_generations=4"));
  g_assert_nonnull (strstr (result.out, "--gold JUDGE"));
  g_assert_null (strstr (result.out, "vf_coef"));
  run (&result, "--version", NULL);
  g_assert_true (g_str_has_prefix (result.out, "laurelctl 0."));
}

/* --- JSON ------------------------------------------------------------------------ */

static void
test_json (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  static const char *const queries[][2] = { { "project", "info" }, { "project", "check" },
                                            { "model", "list" },   { "prompt", "list" },
                                            { "run", "list" },     { "ranking", "agreement" } };
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  for (gsize i = 0; i < G_N_ELEMENTS (queries); i++) {
    g_autoptr (JsonNode) node = NULL;

    run (&result, "--project", project, "--json", queries[i][0], queries[i][1], NULL);
    node = parse_output (&result);
    g_assert_cmpstr (result.err, ==, "");
  }
}

static void
test_tokenizer (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *text = fixture_path (fixture, "text.txt");
  g_autofree char *ids = fixture_path (fixture, "ids.json");
  g_auto (Result) result = { 0 };

  fixture_write (text, "The colour of é is\n\twhite.");
  run (&result, "tokenizer", "encode", "--tokenizer", fixture->tokenizer, text, NULL);
  g_assert_cmpint (result.code, ==, 0);
  fixture_write (ids, result.out);
  run (&result, "tokenizer", "decode", "--tokenizer", fixture->tokenizer, ids, NULL);
  g_assert_cmpstr (result.out, ==, "The colour of é is\n\twhite.");
  fixture_write (ids, "[1, 2, 300]");
  run (&result, "tokenizer", "decode", "--tokenizer", fixture->tokenizer, ids, NULL);
  assert_error (&result, 1, "from 0 to 299");
  fixture_write (text, "broken \xff\xfe");
  run (&result, "tokenizer", "encode", "--tokenizer", fixture->tokenizer, text, NULL);
  assert_error (&result, 1, "byte 7");
}

static void
test_wordpiece (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *text = fixture_path (fixture, "text.txt");
  g_autofree char *ids = fixture_path (fixture, "ids.json");
  g_autofree char *words = fixture_path (fixture, "words");
  g_auto (Result) result = { 0 };

  fixture_write (text, "The hen, the henhouse and the hens.");
  run (&result, "tokenizer", "train", "--json", "--algorithm", "wordpiece", "--vocab-size", "40",
       "--output", words, text, NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "\"algorithm\":\"wordpiece\""));
  run (&result, "tokenizer", "encode", "--tokenizer", words, text, NULL);
  g_assert_cmpint (result.code, ==, 0);
  fixture_write (ids, result.out);
  run (&result, "tokenizer", "decode", "--tokenizer", words, ids, NULL);
  g_assert_cmpstr (result.out, ==, "the hen, the henhouse and the hens.");
  run (&result, "tokenizer", "train", "--algorithm", "unigram", "--output", words, text, NULL);
  assert_error (&result, 2, "write “bpe” or “wordpiece”");
}

/* A run's id comes first, what it came to last, each a line of JSON. */
static void
test_train (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *ids = fixture_path (fixture, "ids.json");
  g_auto (GStrv) lines = NULL;
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  run (&result, "--project", project, "--json", "train", "sft", "--model", "blank", "--output",
       "sft", "--data", fixture->rows, "--set", "max_steps=2", "--set", "batch_size=4", NULL);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 0);
  lines = g_strsplit (result.out, "\n", -1);
  g_assert_cmpstr (lines[0], ==, "{\"run\":1}");
  g_assert_nonnull (strstr (lines[1], "\"status\":\"done\""));
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  fixture_write (ids, "[[1, 2, 3], [4, 5]]");
  run (&result, "--project", project, "evaluate", "logprobs", "--model", "sft", ids, NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_true (g_str_has_prefix (result.out, "[[-"));
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "sft",
       "--data", fixture->rows, NULL);
  assert_error (&result, 1, "choose another name");
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "x", "--data",
       fixture->rows, "--set", "learning_rate=fast", NULL);
  assert_error (&result, 1, "learning_rate");
}

/* Presets are listed, shown with their sources, and refused by name where there are none. */
static void
test_presets (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  run (&result, "train", "presets", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "instructgpt"));
  run (&result, "train", "presets", "ziegler", NULL);
  g_assert_nonnull (strstr (result.out, "target_kl"));
  g_assert_nonnull (strstr (result.out, "1.41e-5 for GPT-2 774M"));
  run (&result, "--json", "train", "presets", "nplus", NULL);
  g_assert_nonnull (strstr (result.out, "\"stage\":\"reward\""));
  run (&result, "train", "presets", "stienon", NULL);
  assert_error (&result, 1, "stiennon");
  run (&result, "train", "ppo", "--help", NULL);
  g_assert_nonnull (strstr (result.out, "Presets for --preset"));
  run (&result, "--project", project, "train", "ppo", "--model", "blank", "--output", "p",
       "--preset", "nobody", NULL);
  assert_error (&result, 1, "choose one of");
  run (&result, "--project", project, "run", "keep-best", "1", NULL);
  assert_error (&result, 1, "run 1");
}

/* --- kill -9 ----------------------------------------------------------------------- */

static char *
hash_model (const char *project, const char *model)
{
  g_autofree char *path = g_build_filename (project, "models", model, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  char *hash = laurel_file_sha256 (path, &error);

  g_assert_no_error (error);
  return hash;
}

#define LONG_RUN "max_steps=1500"

static GPid
start_long_run (Fixture *fixture, const char *project)
{
  const char *argv[] = { get_program (), "--project",   project,         "--quiet",  "train",
                         "sft",          "--model",     "blank",         "--output", "killed",
                         "--data",       fixture->rows, "--set",         LONG_RUN,   "--set",
                         "batch_size=4", "--set",       "save_steps=10", NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                 NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static void
test_kill (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *checkpoint = fixture_path (fixture, "p.laurel/runs/1/checkpoint.laurel");
  g_autofree char *killed = NULL;
  g_autofree char *whole = NULL;
  g_auto (Result) result = { 0 };
  int status;
  GPid pid;

  make_project (fixture, "p.laurel");
  pid = start_long_run (fixture, project);
  for (int i = 0; i < 1000 && !g_file_test (checkpoint, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  waitpid (pid, &status, 0);
  g_assert_true (WIFSIGNALED (status)); /* it was killed and had not ended by itself */
  run (&result, "--project", project, "run", "list", NULL);
  g_assert_nonnull (strstr (result.out, "interrupted"));
  run (&result, "--project", project, "train", "resume", "1", NULL);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 0);
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "whole",
       "--data", fixture->rows, "--set", LONG_RUN, "--set", "batch_size=4", "--set",
       "save_steps=10", NULL);
  g_assert_cmpint (result.code, ==, 0);
  killed = hash_model (project, "killed");
  whole = hash_model (project, "whole");
  g_assert_cmpstr (killed, ==, whole);
}

/* --- Bad input ------------------------------------------------------------------------ */

/* Writes @n bytes of the weights of an exported model back, after @change did something to them. */
static void
damage (const char *dir, void (*change) (GByteArray *bytes))
{
  g_autofree char *path = g_build_filename (dir, "model.safetensors", NULL);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_byte_array_append (bytes, (const guchar *) text, (guint) length);
  change (bytes);
  g_assert_true (laurel_file_write (path, bytes->data, bytes->len, NULL));
}

static void
cut_weights (GByteArray *bytes)
{
  g_byte_array_set_size (bytes, bytes->len - 100);
}

static void
cut_header (GByteArray *bytes)
{
  g_byte_array_set_size (bytes, 5);
}

static void
lengthen_header (GByteArray *bytes)
{
  memset (bytes->data, 0xff, 7); /* a header of 2^56 bytes */
}

/* Every shape (16, 48) becomes (48, 16). */
static void
turn_shapes (GByteArray *bytes)
{
  char *at = memmem (bytes->data, bytes->len, "[16,48]", 7);

  g_assert_nonnull (at);
  memcpy (at, "[48,16]", 7);
}

static void
rename_tensor (GByteArray *bytes)
{
  char *at = memmem (bytes->data, bytes->len, "h.0.ln_1.weight", 15);

  g_assert_nonnull (at);
  memcpy (at, "h.0.ln_9.weight", 15);
}

static const struct {
  void (*change) (GByteArray *bytes);
  const char *needle;
} damages[] = { { cut_weights, "safetensors" },
                { cut_header, "safetensors" },
                { lengthen_header, "header" },
                { turn_shapes, "48" },
                { rename_tensor, "ln_1" } };

static void
test_bad_models (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *name = g_strdup_printf ("export-%" G_GSIZE_FORMAT, i);
    g_autofree char *dir = fixture_path (fixture, name);

    run (&result, "--project", project, "model", "export", "blank", dir, NULL);
    g_assert_cmpint (result.code, ==, 0);
    damage (dir, damages[i].change);
    run (&result, "--project", project, "model", "import", "bad", dir, NULL);
    assert_error (&result, 1, damages[i].needle);
  }
  run (&result, "--project", project, "--json", "model", "list", NULL);
  g_assert_null (strstr (result.out, "bad"));
  run (&result, "--project", project, "project", "check", NULL); /* nothing is left of them */
  g_assert_cmpint (result.code, ==, 0);
}

static void
test_foreign_tokenizer (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *config = fixture_path (fixture, "small.json");
  g_autofree char *text = laurel_file_read_text (fixture->config, NULL, NULL);
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  memcpy (strstr (text, "300"), "260", 3);
  fixture_write (config, text);
  run (&result, "--project", project, "model", "create", "misfit", "--config", config,
       "--tokenizer", fixture->tokenizer, NULL);
  assert_error (&result, 1, "300");
}

static void
test_bad_rows (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *rows = fixture_path (fixture, "bad.jsonl");
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  fixture_write (rows, "{\"prompt\": \"new one\"}\n{\"prompt\": \n{\"prompt\": \"  \"}\n");
  run (&result, "--project", project, "prompt", "import", rows, NULL);
  assert_error (&result, 1, "row 2");
  g_assert_nonnull (strstr (result.err, "1 rows were imported"));
  fixture_write (rows, "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"\xff\"}\n");
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "x", "--data",
       rows, NULL);
  assert_error (&result, 1, "row 2");
  g_assert_nonnull (strstr (result.err, "UTF-8"));
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "", NULL);
  assert_error (&result, 1, "empty");
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "\xff\xfe",
       NULL);
  assert_error (&result, 1, "UTF-8");
  run (&result, "--project", project, "model", "show", "nobody", NULL);
  assert_error (&result, 1, "blank");
}

/* The members of the first completion that “sample run --json” printed. */
static JsonObject *
first_sample (JsonNode *output)
{
  return json_array_get_object_element (json_node_get_array (output), 0);
}

static void
test_sample_run (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel"), *written = NULL;
  g_autoptr (JsonNode) plain = NULL, stopped = NULL;
  JsonObject *sample;
  const char *text;
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "12", "--completions", "3", NULL);
  written = g_strdup (result.out);
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "12", "--completions", "3", "--stream", "--batch-size", "2", NULL);
  g_assert_cmpstr (result.out, ==, written);
  /* The blank model's weights are no bfloat16 numbers: it says what rounding them costs. */
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "12", "--completions", "3", "--weights", "bf16", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_true (g_str_has_prefix (result.err, "Weights of bfloat16 change"));
  g_assert_null (strstr (result.err, " 0.0000 at most"));
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "12", "--completions", "3", "--weights", "bf16", "--task", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.out, "Weights of bfloat16 change"));
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--weights", "f16", NULL);
  assert_error (&result, 2, "f16");
  /* A bias this heavy leaves nothing to chance, and nothing of the softmax without it. */
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "6", "--logit-bias", "a=1000", "--json", NULL);
  plain = parse_output (&result);
  sample = first_sample (plain);
  text = json_object_get_string_member (sample, "completion");
  g_assert_true (g_str_has_suffix (text, "aaaa"));
  g_assert_cmpstr (json_object_get_string_member (sample, "finish"), ==, "length");
  g_assert_cmpfloat (
      json_array_get_double_element (json_object_get_array_member (sample, "logprobs"), 0), ==, 0);
  g_assert_cmpfloat (
      json_array_get_double_element (json_object_get_array_member (sample, "plain_logprobs"), 0), <,
      -1);
  run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
       "--max-tokens", "6", "--logit-bias", "a=1000", "--stop", "\\n", "--stop", "aaa", "--json",
       NULL);
  stopped = parse_output (&result);
  sample = first_sample (stopped);
  g_assert_cmpstr (json_object_get_string_member (sample, "completion"), ==, "");
  g_assert_cmpstr (json_object_get_string_member (sample, "finish"), ==, "stop");
  g_assert_cmpstr (json_object_get_string_member (sample, "stop"), ==, "aaa");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (sample, "tokens")), ==, 3);
}

static void
test_sample_refuses (Fixture *fixture, gconstpointer unused)
{
  static const char *const bad[][4] = {
    { "--logit-bias", "a", "write TOKEN=VALUE" },
    { "--logit-bias", "a=warm", "must be a number" },
    { "--logit-bias", "999999=1", "no such id" },
    { "--logit-bias", "\"\"=1", "names no token" },
    { "--stop", "", "stop sequence" },
    { "--top-p", "0", "top_p" },
  };
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    run (&result, "--project", project, "sample", "run", "--model", "blank", "--prompt", "hi",
         bad[i][0], bad[i][1], NULL);
    assert_error (&result, 1, bad[i][2]);
    run (&result, "--project", project, "sample", "run", "--model", "blank", "--task", bad[i][0],
         bad[i][1], NULL);
    assert_error (&result, 1, bad[i][2]);
  }
  run (&result, "sample", "run", "--model", "blank", "--stream", "--json", NULL);
  assert_error (&result, 2, "--stream");
}

static void
test_newer_database (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *database = fixture_path (fixture, "p.laurel/project.sqlite");
  const guchar newer[4] = { 0, 0, 0x27, 0x0f }; /* user_version 9999, at byte 60 of the header */
  g_auto (Result) result = { 0 };
  g_autofree char *bytes = NULL;
  gsize length;

  make_project (fixture, "p.laurel");
  g_assert_true (g_file_get_contents (database, &bytes, &length, NULL));
  memcpy (bytes + 60, newer, sizeof newer);
  g_assert_true (laurel_file_write (database, bytes, length, NULL));
  run (&result, "--project", project, "model", "list", NULL);
  assert_error (&result, 1, "newer");
}

/* Root writes where permissions forbid it, so a mount that is read-only stands for it there. */
static void
test_read_only (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_auto (Result) result = { 0 };

  make_project (fixture, "p.laurel");
  if (geteuid () != 0) {
    g_autofree char *database = g_build_filename (project, "project.sqlite", NULL);

    g_assert_cmpint (g_chmod (database, 0444), ==, 0);
    g_assert_cmpint (g_chmod (project, 0555), ==, 0);
  } else if (mount (project, project, NULL, MS_BIND, NULL) != 0
             || mount (NULL, project, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0) {
    umount2 (project, MNT_DETACH);
    g_test_skip ("this system lets nobody mount, and root may write everywhere");
    return;
  }
  run (&result, "--project", project, "prompt", "import", fixture->prompts, NULL);
  if (geteuid () == 0)
    g_assert_cmpint (umount2 (project, MNT_DETACH), ==, 0);
  else
    g_assert_cmpint (g_chmod (project, 0755), ==, 0);
  assert_error (&result, 1, "project.sqlite");
}

/* The disk fills up while checkpoints are written: the last good one stays, and the run goes on
 * from it. */
static void
test_full_disk (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *runs = fixture_path (fixture, "p.laurel/runs");
  g_autofree char *project = fixture_path (fixture, "p.laurel");
  g_autofree char *checkpoint = fixture_path (fixture, "p.laurel/runs/1/checkpoint.laurel");
  g_autofree char *ballast = fixture_path (fixture, "p.laurel/runs/ballast");
  g_autofree char *zeros = g_malloc0 (1 << 20);
  g_auto (Result) result = { 0 };
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  make_project (fixture, "p.laurel");
  if (mount ("tmpfs", runs, "tmpfs", 0, "size=400k") != 0) {
    g_test_skip ("a small disk needs the right to mount one");
    return;
  }
  /* Two checkpoints of 3 × 50 kB fit, the new one beside the old one while it is written. */
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "x", "--data",
       fixture->rows, "--set", "max_steps=4", "--set", "save_steps=2", NULL);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 0);
  before = laurel_file_sha256 (checkpoint, NULL);
  g_assert_nonnull (before);
  while (laurel_file_write (ballast, zeros, 200 << 10, NULL)) {
    g_autofree char *more = g_strconcat (ballast, "-more", NULL);

    g_free (g_steal_pointer (&ballast));
    ballast = g_steal_pointer (&more);
  }
  run (&result, "--project", project, "train", "sft", "--model", "blank", "--output", "y", "--data",
       fixture->rows, "--set", "max_steps=4", "--set", "save_steps=2", NULL);
  after = laurel_file_sha256 (checkpoint, NULL);
  umount2 (runs, MNT_DETACH);
  g_test_message ("%s", result.err);
  g_assert_cmpint (result.code, ==, 1);
  g_assert_nonnull (strstr (result.err, "free some space"));
  g_assert_cmpstr (before, ==, after);
}

/* Everything is held against limits that the same run has measured. */
static void
test_bench (Fixture *f, gconstpointer data)
{
  g_auto (Result) result = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonArray *measures;
  JsonObject *last;

  run (&result, "bench", "prefill/small256/1x64", "--times", "1", "--json", NULL);
  node = parse_output (&result);
  measures = json_node_get_array (node);
  last = json_array_get_object_element (measures, json_array_get_length (measures) - 1);
  g_assert_cmpstr (json_object_get_string_member (last, "workload"), ==, "prefill/small256/1x64");
  g_assert_cmpfloat (json_object_get_double_member (last, "value"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (last, "of_sgemm_peak"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (last, "of_fma_peak"), >, 0);
  /* The weights alone are 5.85 million floats. */
  g_assert_cmpint (json_object_get_int_member (last, "peak_bytes"), >, 23000000);
  run (&result, "bench", "nothing", NULL);
  assert_error (&result, 2, "“nothing”");
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
  add ("/cli/usage", test_usage);
  add ("/cli/help", test_help);
  add ("/cli/json", test_json);
  add ("/cli/tokenizer", test_tokenizer);
  add ("/cli/wordpiece", test_wordpiece);
  add ("/cli/train", test_train);
  add ("/cli/presets", test_presets);
  add ("/cli/bench", test_bench);
  add ("/cli/kill", test_kill);
  add ("/cli/bad/models", test_bad_models);
  add ("/cli/bad/tokenizer", test_foreign_tokenizer);
  add ("/cli/bad/rows", test_bad_rows);
  add ("/cli/sample/run", test_sample_run);
  add ("/cli/sample/refuses", test_sample_refuses);
  add ("/cli/bad/newer-database", test_newer_database);
  add ("/cli/bad/read-only", test_read_only);
  add ("/cli/bad/full-disk", test_full_disk);
  return g_test_run ();
}
