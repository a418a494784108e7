/* test-tokenizer-files.c: tokenizers saved, read again, and refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/text/tokenizer.h"

#include <glib/gstdio.h>
#include <string.h>

/* Its merges are a+b, space+ab and “ ab”+c; see test-tokenizer.c. */
#define TEXT "ab ab ab abc abc"

typedef struct {
  char *dir;
  LaurelTokenizer *tokenizer;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *text = TEXT;
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("laurel-tokenizer-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->tokenizer = laurel_tokenizer_train_bpe (&text, NULL, 1, 300, NULL, NULL, &error);
  g_assert_no_error (error);
  laurel_tokenizer_save (fixture->tokenizer, fixture->dir, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (laurel_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  laurel_tokenizer_unref (fixture->tokenizer);
}

static char *
read_file (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = laurel_file_read_text (path, NULL, &error);

  g_assert_no_error (error);
  return text;
}

static void
write_file (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;

  laurel_file_write (path, text, strlen (text), &error);
  g_assert_no_error (error);
}

static void
remove_file (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
replace_in_file (const char *dir, const char *name, const char *old, const char *new)
{
  g_autofree char *before = read_file (dir, name);
  g_autoptr (GString) after = g_string_new (before);

  g_assert_cmpuint (g_string_replace (after, old, new, 1), ==, 1);
  write_file (dir, name, after->str);
}

static void
assert_same (const LaurelTokenizer *a, const LaurelTokenizer *b)
{
  static const char text[] = "ab abc  abcab 'll été 😀\n" LAUREL_END_OF_TEXT;
  g_autoptr (GArray) a_ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) b_ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_cmpstr (laurel_tokenizer_get_hash (a), ==, laurel_tokenizer_get_hash (b));
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (a), ==, laurel_tokenizer_get_vocab_size (b));
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (a), ==, laurel_tokenizer_get_end_of_text (b));
  g_assert_true (laurel_tokenizer_encode (a, text, -1, a_ids, NULL));
  g_assert_true (laurel_tokenizer_encode (b, text, -1, b_ids, NULL));
  g_assert_cmpmem (a_ids->data, a_ids->len * sizeof (gint32), b_ids->data,
                   b_ids->len * sizeof (gint32));
}

static void
assert_loads_same (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) again = laurel_tokenizer_load (fixture->dir, &error);

  g_assert_no_error (error);
  assert_same (fixture->tokenizer, again);
}

static void
test_round_trip (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "tokenizer.json", "vocab.json", "merges.txt",
                                       "tokenizer_config.json" };
  g_autofree char *copy = g_build_filename (fixture->dir, "copy", NULL);
  g_autoptr (LaurelTokenizer) again = laurel_tokenizer_load (fixture->dir, NULL);

  assert_loads_same (fixture);
  g_assert_true (laurel_tokenizer_save (again, copy, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *first = read_file (fixture->dir, names[i]);
    g_autofree char *second = read_file (copy, names[i]);

    g_assert_cmpstr (first, ==, second);
  }
}

static void
test_vocab_and_merges (Fixture *fixture, gconstpointer data)
{
  g_autofree char *merges = read_file (fixture->dir, "merges.txt");

  g_assert_cmpstr (merges, ==, "#version: 0.2\na b\nĠ ab\nĠab c\n");
  remove_file (fixture->dir, "tokenizer.json");
  assert_loads_same (fixture);
  write_file (fixture->dir, "merges.txt", "a b\r\nĠ ab\r\nĠab c");
  assert_loads_same (fixture);
}

/* The forms in which other programs write the same tokenizer. */
static void
test_other_forms (Fixture *fixture, gconstpointer data)
{
  replace_in_file (fixture->dir, "tokenizer.json", "\"Ġ ab\"", "[\"Ġ\", \"ab\"]");
  assert_loads_same (fixture);
  replace_in_file (fixture->dir, "tokenizer.json", "\"type\" : \"BPE\",", "");
  assert_loads_same (fixture);
  replace_in_file (fixture->dir, "tokenizer.json", "\"truncation\" : null",
                   "\"truncation\" : {\"max_length\": 3}");
  assert_loads_same (fixture);
  /* An added token may be missing from the vocabulary proper. */
  replace_in_file (fixture->dir, "tokenizer.json", "\"Ġabc\" : 258,", "\"Ġabc\" : 258");
  replace_in_file (fixture->dir, "tokenizer.json", "\"<|endoftext|>\" : 259", "");
  assert_loads_same (fixture);
}

static void
test_more_special_tokens (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  const gint32 wanted[] = { 64, 260 };
  g_autofree char *text = NULL;

  replace_in_file (fixture->dir, "tokenizer.json", "\"added_tokens\" : [",
                   "\"added_tokens\" : [{\"id\": 260, \"content\": \"[é]\", \"special\": true},");
  tokenizer = laurel_tokenizer_load (fixture->dir, NULL);
  g_assert_nonnull (tokenizer);
  g_assert_cmpint (laurel_tokenizer_get_vocab_size (tokenizer), ==, 261);
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (tokenizer), ==, 259);
  g_assert_cmpstr (laurel_tokenizer_get_hash (tokenizer), !=,
                   laurel_tokenizer_get_hash (fixture->tokenizer));
  text = laurel_tokenizer_decode (tokenizer, wanted, 2, TRUE);
  g_assert_cmpstr (text, ==, "a[é]");
  g_assert_true (laurel_tokenizer_encode (tokenizer, "[é]", -1, ids, NULL));
  for (guint i = 0; i < ids->len; i++)
    g_assert_cmpint (g_array_index (ids, gint32, i), <, 259);
}

static void
test_without_end_of_text (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autofree char *config = NULL;

  replace_in_file (fixture->dir, "vocab.json", ",\"<|endoftext|>\":259", "");
  remove_file (fixture->dir, "tokenizer.json");
  tokenizer = laurel_tokenizer_load (fixture->dir, NULL);
  g_assert_nonnull (tokenizer);
  g_assert_cmpint (laurel_tokenizer_get_end_of_text (tokenizer), ==, -1);
  g_assert_true (laurel_tokenizer_save (tokenizer, fixture->dir, NULL));
  config = read_file (fixture->dir, "tokenizer_config.json");
  g_assert_null (strstr (config, "endoftext"));
}

/* What transformers looks at; the parts' names are its own. */
static void
test_written_parts (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->dir, "tokenizer.json", NULL);
  g_autoptr (JsonNode) node = laurel_json_load (path, NULL);
  JsonObject *root = json_node_get_object (node);
  JsonObject *pre_tokenizer = json_object_get_object_member (root, "pre_tokenizer");
  JsonObject *decoder = json_object_get_object_member (root, "decoder");
  JsonArray *added_tokens = json_object_get_array_member (root, "added_tokens");
  JsonObject *added = json_array_get_object_element (added_tokens, 0);

  g_assert_true (json_object_get_null_member (root, "normalizer"));
  g_assert_cmpstr (json_object_get_string_member (pre_tokenizer, "type"), ==, "ByteLevel");
  g_assert_false (json_object_get_boolean_member (pre_tokenizer, "add_prefix_space"));
  g_assert_cmpstr (json_object_get_string_member (decoder, "type"), ==, "ByteLevel");
  g_assert_cmpstr (json_object_get_string_member (added, "content"), ==, LAUREL_END_OF_TEXT);
  g_assert_cmpint (json_object_get_int_member (added, "id"), ==, 259);
  g_assert_true (json_object_get_boolean_member (added, "special"));
}

/* A file, what is changed in it, and a part of the reason why it is refused.
 * Cases on vocab.json and merges.txt go without tokenizer.json. */
static const struct {
  const char *file;
  const char *old;
  const char *new;
  const char *part;
} broken[] = {
  { "tokenizer.json", "\"type\" : \"BPE\"", "\"type\" : \"Unigram\"",
    "its model has type “Unigram”" },
  { "tokenizer.json", "\"type\" : \"BPE\"", "\"type\" : 3", "“type” must be text" },
  { "tokenizer.json", "\"normalizer\" : null", "\"normalizer\" : {\"type\": \"Nmt\"}",
    "normalizer of type “Nmt”" },
  { "tokenizer.json", "\"pre_tokenizer\" : {\n    \"type\" : \"ByteLevel\"",
    "\"pre_tokenizer\" : {\"type\" : \"Metaspace\"", "its pre_tokenizer has type “Metaspace”" },
  { "tokenizer.json", "\"pre_tokenizer\" : {", "\"pre_tokenizer\" : null, \"other\" : {",
    "its pre_tokenizer has type “none”" },
  { "tokenizer.json", "\"add_prefix_space\" : false", "\"add_prefix_space\" : true",
    "its add_prefix_space is false and that of tokenizer.json is not" },
  { "tokenizer.json", "\"post_processor\" : {\n    \"type\" : \"ByteLevel\"",
    "\"post_processor\" : {\"type\" : \"TemplateProcessing\"",
    "its post_processor has type “TemplateProcessing”" },
  { "tokenizer.json", "\"decoder\" : {\n    \"type\" : \"ByteLevel\"",
    "\"decoder\" : {\"type\" : \"Fuse\"", "its decoder has type “Fuse”" },
  { "tokenizer.json", "\"dropout\" : null", "\"dropout\" : 0.1", "dropout" },
  { "tokenizer.json", "\"byte_fallback\" : false", "\"byte_fallback\" : true", "byte_fallback" },
  { "tokenizer.json", "\"byte_fallback\" : false", "\"ignore_merges\" : true", "ignore_merges" },
  { "tokenizer.json", "\"end_of_word_suffix\" : \"\"", "\"end_of_word_suffix\" : \"</w>\"",
    "end_of_word_suffix" },
  { "tokenizer.json", "\"id\" : 259,", "", "lacks its id or content" },
  { "tokenizer.json", "\"id\" : 259,", "\"id\" : 258,", "has another id in the vocabulary" },
  { "tokenizer.json", "\"added_tokens\" : [",
    "\"added_tokens\" : [{\"id\": 261, \"content\": \"[x]\", \"special\": true},",
    "token “[x]” has id 261" },
  { "tokenizer.json", "\"added_tokens\" : [",
    "\"added_tokens\" : [{\"id\": 256, \"content\": \"ab\", \"special\": true},", "“a” and “b”" },
  { "tokenizer.json", "\"added_tokens\" : [",
    "\"added_tokens\" : [{\"id\": 64, \"content\": \"a\", \"special\": true},", "lacks the first" },
  { "tokenizer.json", "\"added_tokens\" : [", "\"added_tokens\" : [7,", "entry 1 of added_tokens" },
  { "tokenizer.json", "\"added_tokens\" : [", "\"added_tokens\" : {}, \"other\" : [",
    "added_tokens is not an array" },
  { "tokenizer.json", "\"merges\" : [", "\"merges\" : [\"ab\",", "merge 1 is not two tokens" },
  { "tokenizer.json", "\"merges\" : [", "\"merges\" : [[\"a\", {}],", "merge 1 is not two tokens" },
  { "tokenizer.json", "\"merges\" : [", "\"merges\" : [null,", "merge 1 is not two tokens" },
  { "tokenizer.json", "\"merges\" : [", "\"other\" : [", "lacks vocab or merges" },
  { "tokenizer.json", "\"model\" : {", "\"other\" : {", "holds no model" },
  { "tokenizer.json", "\"version\"", "[", "JSON" },
  { "tokenizer.json", "\"content\" : \"<|endoftext|>\"", "\"content\" : \"\\ud800\"", "" },
  { "tokenizer.json", "\"id\" : 259,", "\"id\" : 99999999999,", "“id” must be a whole number" },
  { "tokenizer.json", "\"lstrip\" : false", "\"lstrip\" : 1", "“lstrip” must be" },
  { "tokenizer.json", "\"ab\" : 256", "\"ab\" : 1e300", "the id of token “ab” is no whole number" },
  { "tokenizer.json", "\"ab\" : 256", "\"\\ud800\" : 256", "" },
  { "tokenizer.json", "\"type\" : \"BPE\"", "\"type\" : \"WordPiece\"",
    "only BertPreTokenizer is supported" },
  { "vocab.json", "\"ab\":256", "\"ab\":260",
    "token “ab” has id 260 but there are only 260 tokens" },
  { "vocab.json", "\"ab\":256", "\"ab\":257", "have the same id 257" },
  { "vocab.json", "\"ab\":256", "\"ab\":-1", "the id of token “ab” is no whole number" },
  { "vocab.json", "\"ab\":256", "\"ab\":\"256\"", "the id of token “ab” is no whole number" },
  { "vocab.json", "\"ab\":256", "\"ab\":[256]", "the id of token “ab” is no whole number" },
  { "vocab.json", "\"ab\":256", "\"a b\":256", "token “a b” (id 256) is not in byte-level form" },
  { "vocab.json", "\"ab\":256", "\"\":256", "(id 256) is not in byte-level form" },
  { "vocab.json", "\"!\":0", "\"zz\":0", "no merge makes token “zz”" },
  { "vocab.json", "\"ab\":256,\"Ġab\":257,", "", "but there are only 258 tokens" },
  { "vocab.json", "{\"!\":0", "[\"!\",0", "JSON" },
  { "merges.txt", "Ġ ab", "Ġab", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "Ġ  ab", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "Ġ ", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "Ġ ab c", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "Ġ 一", "line 3 is not two tokens" },
  { "merges.txt", "Ġ ab", "Ġx ab",
    "line 3 merges “Ġx” and “ab”, but the vocabulary lacks the first" },
  { "merges.txt", "Ġ ab", "Ġ x", "lacks what they make" },
  { "merges.txt", "Ġ ab", "a b", "line 3 repeats an earlier merge" },
  { "merges.txt", "Ġab c\n", "",
    "no merge makes token “ abc” (id 258), so the file may have been cut short" },
  { "merges.txt", "Ġab c\n", "Ġa", "line 4 is not two tokens" },
  { "tokenizer_config.json", "\"add_prefix_space\" : false", "\"add_prefix_space\" : true",
    "its add_prefix_space is true" },
  { "tokenizer_config.json", "{", "[", "JSON" },
};

static void
assert_refused (const char *dir, int code, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_tokenizer_load (dir, &error));
  g_assert_error (error, LAUREL_ERROR, code);
  if (strstr (error->message, part) == NULL)
    g_error ("“%s” does not say “%s”", error->message, part);
}

static void
test_broken (Fixture *fixture, gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  replace_in_file (fixture->dir, broken[i].file, broken[i].old, broken[i].new);
  if (g_str_equal (broken[i].file, "vocab.json") || g_str_equal (broken[i].file, "merges.txt"))
    remove_file (fixture->dir, "tokenizer.json");
  assert_refused (fixture->dir, LAUREL_ERROR_INVALID_DATA, broken[i].part);
}

/* “zz” is byte ! no more; its merge is there, so the missing byte is what is wrong. */
static void
test_missing_byte (Fixture *fixture, gconstpointer data)
{
  replace_in_file (fixture->dir, "vocab.json", "\"!\":0", "\"zz\":0");
  replace_in_file (fixture->dir, "merges.txt", "a b", "z z\na b");
  remove_file (fixture->dir, "tokenizer.json");
  assert_refused (fixture->dir, LAUREL_ERROR_INVALID_DATA, "byte 0x21 has no token");
}

static void
test_missing_files (Fixture *fixture, gconstpointer data)
{
  write_file (fixture->dir, "added_tokens.json", "{}");
  remove_file (fixture->dir, "tokenizer.json");
  assert_refused (fixture->dir, LAUREL_ERROR_INVALID_DATA, "added_tokens.json");
  remove_file (fixture->dir, "added_tokens.json");
  remove_file (fixture->dir, "merges.txt");
  assert_refused (fixture->dir, LAUREL_ERROR_NOT_FOUND, "merges.txt");
  remove_file (fixture->dir, "vocab.json");
  assert_refused (fixture->dir, LAUREL_ERROR_NOT_FOUND, "neither tokenizer.json nor vocab.json");
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  g_autofree char *whole = read_file (fixture->dir, "tokenizer.json");
  gsize length = strlen (whole);

  /* Every cut that leaves whole characters; the step is prime to the lines. */
  for (gsize n = 0; n + 2 < length; n += 97) {
    g_autofree char *part = g_strndup (whole, n);
    g_autofree char *valid = g_utf8_make_valid (part, -1);
    g_autoptr (GError) error = NULL;

    write_file (fixture->dir, "tokenizer.json", valid);
    g_assert_null (laurel_tokenizer_load (fixture->dir, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  }
}

static void
test_not_utf8 (Fixture *fixture, gconstpointer data)
{
  write_file (fixture->dir, "tokenizer.json", "{\"a\": \"\xff\"}");
  assert_refused (fixture->dir, LAUREL_ERROR_INVALID_DATA, "byte 7 is not UTF-8");
  remove_file (fixture->dir, "tokenizer.json");
  replace_in_file (fixture->dir, "merges.txt", "Ġ ab", "\xc4 ab");
  assert_refused (fixture->dir, LAUREL_ERROR_INVALID_DATA, "byte 18 is not UTF-8");
}

/* A folder stands where the last file should go. */
static void
test_save_error (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->dir, "blocked", "tokenizer.json", "x", NULL);
  g_autofree char *dir = g_build_filename (fixture->dir, "blocked", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_make_directory (path, NULL));
  g_assert_false (laurel_tokenizer_save (fixture->tokenizer, dir, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/text/files/round-trip", test_round_trip },
    { "/text/files/vocab-and-merges", test_vocab_and_merges },
    { "/text/files/other-forms", test_other_forms },
    { "/text/files/more-special-tokens", test_more_special_tokens },
    { "/text/files/without-end-of-text", test_without_end_of_text },
    { "/text/files/written-parts", test_written_parts },
    { "/text/files/missing-byte", test_missing_byte },
    { "/text/files/missing-files", test_missing_files },
    { "/text/files/truncated", test_truncated },
    { "/text/files/not-utf8", test_not_utf8 },
    { "/text/files/save-error", test_save_error },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autofree char *path = g_strdup_printf ("/text/files/broken/%02zu", i);

    g_test_add (path, Fixture, GSIZE_TO_POINTER (i), set_up, test_broken, tear_down);
  }
  return g_test_run ();
}
