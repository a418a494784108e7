/* test-template.c: chat templates in files and on prompts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/text/template.h"

#include <string.h>

typedef struct {
  char *dir;
  LaurelTokenizer *tokenizer;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *text = "User: hello there\nAssistant: hello you\nUser: hello\nAssistant: hello";
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("laurel-template-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->tokenizer = laurel_tokenizer_train_bpe (&text, NULL, 1, 300, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (laurel_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
  laurel_tokenizer_unref (fixture->tokenizer);
}

static void
write_template (const char *dir, const char *text)
{
  g_autofree char *path = g_build_filename (dir, "chat_template.json", NULL);
  g_autoptr (GError) error = NULL;

  laurel_file_write (path, text, strlen (text), &error);
  g_assert_no_error (error);
}

static LaurelTemplate *
load (const char *dir)
{
  g_autoptr (GError) error = NULL;
  LaurelTemplate *template = laurel_template_load (dir, &error);

  g_assert_no_error (error);
  g_assert_nonnull (template);
  return template;
}

static void
assert_template (const LaurelTemplate *template, const char *before, const char *after,
                 const char *lead)
{
  g_assert_cmpstr (template->prompt_before, ==, before);
  g_assert_cmpstr (template->prompt_after, ==, after);
  g_assert_cmpstr (template->completion_before, ==, lead);
}

static void
assert_ids (const LaurelTokenizer *tokenizer, GArray *ids, const char *text)
{
  g_autoptr (GArray) expected = g_array_new (FALSE, FALSE, sizeof (gint32));

  g_assert_true (laurel_tokenizer_encode (tokenizer, text, -1, expected, NULL));
  g_assert_cmpmem (ids->data, ids->len * sizeof (gint32), expected->data,
                   expected->len * sizeof (gint32));
}

static void
test_plain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTemplate) template = load (fixture->dir);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  assert_template (template, "", "", "");
  g_assert_true (laurel_template_encode_prompt (template, fixture->tokenizer, "hello {prompt}", ids,
                                                NULL));
  assert_ids (fixture->tokenizer, ids, "hello {prompt}");
}

static void
test_load (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTemplate) first = NULL;
  g_autoptr (LaurelTemplate) second = NULL;

  write_template (fixture->dir, "{\"prefix\": \"Chat. \","
                                " \"prompt\": \"User: {prompt}\\nAssistant:\","
                                " \"completion\": \" {completion}\"}");
  first = load (fixture->dir);
  assert_template (first, "Chat. User: ", "\nAssistant:", " ");
  write_template (fixture->dir, "{\"prompt\": \"{prompt}\", \"completion\": \"{completion}\"}");
  second = load (fixture->dir);
  assert_template (second, "", "", "");
}

static void
test_save (Fixture *fixture, gconstpointer data)
{
  LaurelTemplate wanted = { (char *) "Q “\"\t", (char *) "\nA:", (char *) " " };
  LaurelTemplate broken = { (char *) "{prompt}", (char *) "", (char *) "" };
  g_autofree char *dir = g_build_filename (fixture->dir, "new", NULL);
  g_autoptr (LaurelTemplate) copy = laurel_template_copy (&wanted);
  g_autoptr (LaurelTemplate) again = NULL;
  g_autoptr (LaurelTemplate) kept = NULL;
  g_autoptr (GError) error = NULL;

  assert_template (copy, "Q “\"\t", "\nA:", " ");
  g_assert_true (laurel_template_save (copy, dir, NULL));
  again = load (dir);
  assert_template (again, "Q “\"\t", "\nA:", " ");

  g_assert_false (laurel_template_save (&broken, dir, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  kept = load (dir);
  assert_template (kept, "Q “\"\t", "\nA:", " ");
}

/* Templates that are refused, and a part of the reason. */
static const struct {
  const char *text;
  const char *part;
} broken[] = {
  { "", "JSON" },
  { "{\"prompt\": \"{pro", "JSON" },
  { "[]", "is not a JSON object" },
  { "{}", "{prompt} exactly once" },
  { "{\"prompt\": \"hello\", \"completion\": \"{completion}\"}", "{prompt} exactly once" },
  { "{\"prompt\": \"{prompt}{prompt}\", \"completion\": \"{completion}\"}",
    "{prompt} exactly once" },
  { "{\"prefix\": \"{prompt}\", \"prompt\": \"{prompt}\", \"completion\": \"{completion}\"}",
    "{prompt} exactly once" },
  { "{\"prompt\": \"{prompt}\"}", "{completion} exactly once, at its end" },
  { "{\"prompt\": \"{prompt}\", \"completion\": \"{completion} \"}", "at its end" },
  { "{\"prompt\": \"{prompt}\", \"completion\": \"{completion}{completion}\"}",
    "{completion} exactly once" },
  { "{\"prompt\": \"{prompt}\", \"completion\": \"{completion}\", \"system\": \"s\"}",
    "{system} exactly once" },
  { "{\"prompt\": 3, \"completion\": \"{completion}\"}", "“prompt” must be text" },
  { "{\"prompt\": \"{prompt}\", \"completion\": \"{completion}\", \"sufix\": \"\"}",
    "no member “sufix”" },
};

static void
test_broken (Fixture *fixture, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (GError) error = NULL;

    write_template (fixture->dir, broken[i].text);
    g_assert_null (laurel_template_load (fixture->dir, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, broken[i].part));
    g_assert_nonnull (strstr (error->message, "chat_template.json"));
  }
}

static void
test_encode (Fixture *fixture, gconstpointer data)
{
  LaurelTemplate template = { (char *) "User: ", (char *) "\nAssistant:", (char *) " " };
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) completion = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;

  g_assert_true (laurel_template_encode_prompt (&template, fixture->tokenizer, "hello there",
                                                prompt, NULL));
  assert_ids (fixture->tokenizer, prompt, "User: hello there\nAssistant:");
  g_assert_true (laurel_template_encode_completion (&template, fixture->tokenizer, "hello you",
                                                    completion, NULL));
  g_assert_cmpint (g_array_index (completion, gint32, completion->len - 1), ==,
                   laurel_tokenizer_get_end_of_text (fixture->tokenizer));
  text = laurel_template_decode_completion (&template, fixture->tokenizer,
                                            (const gint32 *) completion->data, completion->len);
  g_assert_cmpstr (text, ==, "hello you");
  g_array_set_size (completion, completion->len - 1);
  assert_ids (fixture->tokenizer, completion, " hello you");
}

static void
test_system (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (fixture->dir, "new", NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (LaurelTemplate) plain = load (fixture->dir);
  g_autoptr (LaurelTemplate) loaded = NULL;
  g_autoptr (LaurelTemplate) copy = NULL;
  g_autoptr (LaurelTemplate) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_template_encode_system (plain, fixture->tokenizer, "hello", ids, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  write_template (fixture->dir, "{\"prompt\": \"{prompt}\", \"completion\": \"{completion}\","
                                " \"system\": \"User: {system}\\n\"}");
  loaded = load (fixture->dir);
  copy = laurel_template_copy (loaded);
  g_assert_true (laurel_template_save (copy, dir, NULL));
  again = load (dir);
  g_assert_true (laurel_template_encode_system (again, fixture->tokenizer, "hello", ids, NULL));
  assert_ids (fixture->tokenizer, ids, "User: hello\n");
}

/* The seam: without it “hello” would be one token; with it there are two parts. */
static void
test_seam (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTemplate) plain = load (fixture->dir);
  g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;

  g_assert_true (laurel_template_encode_prompt (plain, fixture->tokenizer, " hel", joined, NULL));
  g_assert_true (laurel_template_encode_completion (plain, fixture->tokenizer, "lo", joined, NULL));
  g_assert_true (laurel_template_encode_completion (plain, fixture->tokenizer, " hello", whole,
                                                    NULL));
  g_assert_cmpuint (whole->len, ==, 2);
  g_assert_cmpuint (joined->len, >, 2);
  text = laurel_tokenizer_decode (fixture->tokenizer, (const gint32 *) joined->data, joined->len,
                                  FALSE);
  g_assert_cmpstr (text, ==, " hello");
}

static void
test_decode_without_lead (Fixture *fixture, gconstpointer data)
{
  LaurelTemplate template = { (char *) "", (char *) "", (char *) " " };
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text = NULL;
  g_autofree char *nothing = laurel_template_decode_completion (&template, fixture->tokenizer, NULL,
                                                                0);

  g_assert_true (laurel_tokenizer_encode (fixture->tokenizer, "hello", -1, ids, NULL));
  text = laurel_template_decode_completion (&template, fixture->tokenizer,
                                            (const gint32 *) ids->data, ids->len);
  g_assert_cmpstr (text, ==, "hello");
  g_assert_cmpstr (nothing, ==, "");
}

static void
test_not_utf8 (Fixture *fixture, gconstpointer data)
{
  g_autoptr (LaurelTemplate) plain = load (fixture->dir);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) prompt_error = NULL;
  g_autoptr (GError) completion_error = NULL;

  g_assert_false (laurel_template_encode_prompt (plain, fixture->tokenizer, "\xff", ids,
                                                 &prompt_error));
  g_assert_error (prompt_error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_false (laurel_template_encode_completion (plain, fixture->tokenizer, "\xff", ids,
                                                     &completion_error));
  g_assert_error (completion_error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_cmpuint (ids->len, ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/text/template/plain", test_plain },
    { "/text/template/load", test_load },
    { "/text/template/save", test_save },
    { "/text/template/broken", test_broken },
    { "/text/template/encode", test_encode },
    { "/text/template/system", test_system },
    { "/text/template/seam", test_seam },
    { "/text/template/decode-without-lead", test_decode_without_lead },
    { "/text/template/not-utf8", test_not_utf8 },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
