/* test-normalizer.c: what happens to a text before it is cut, and added tokens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/text/normalizer.h"
#include "core/text/tokenizer.h"
#include "core/text/unicode_normalize.h"

#include <string.h>

static const struct {
  const char *json;
  const char *text;
  const char *normalized;
} cases[] = {
  { "{\"type\":\"NFC\"}", "e\xcc\x81 \xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "é 각" },
  { "{\"type\":\"NFD\"}", "é각", "e\xcc\x81\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8" },
  { "{\"type\":\"NFKC\"}", "ﬁ①Å\xc2\xa0x", "fi1Å x" },
  { "{\"type\":\"NFKD\"}", "ﬁé", "fie\xcc\x81" },
  { "{\"type\":\"Lowercase\"}", "ÀİΣ", "ài\xcc\x87σ" },
  { "{\"type\":\"StripAccents\"}", "e\xcc\x81é", "eé" },
  { "{\"type\":\"BertNormalizer\"}", "É\t\x01中\xef\xbf\xbd", "e  中 " },
  { "{\"type\":\"BertNormalizer\",\"lowercase\":false,\"strip_accents\":true}", "É", "E" },
  { "{\"type\":\"BertNormalizer\",\"strip_accents\":false}", "É", "é" },
  { "{\"type\":\"BertNormalizer\",\"clean_text\":false,\"handle_chinese_chars\":false}", "\t中",
    "\t中" },
  { "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}", "a b  c", "a▁b▁▁c" },
  { "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "a", "▁a" },
  { "{\"type\":\"Prepend\",\"prepend\":\"▁\"}", "", "" },
  { "{\"type\":\"Strip\"}",
    " \xe3\x80\x80"
    "a b \n",
    "a b" },
  { "{\"type\":\"Strip\",\"strip_left\":false}", " a ", " a" },
  { "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"},{\"type\":\"Sequence\","
    "\"normalizers\":[{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}]}]}",
    "Été", "ete" },
  { "{\"type\":\"Sequence\",\"normalizers\":[]}", "Été", "Été" },
};

static void
test_steps (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_parse (cases[i].json, "x", &error);
    g_autoptr (LaurelNormalizer) normalizer = laurel_normalizer_parse (node, "x", &error);
    g_autoptr (JsonNode) written = NULL;
    g_autoptr (LaurelNormalizer) again = NULL;
    g_autoptr (GString) text = g_string_new (cases[i].text);

    g_assert_no_error (error);
    written = laurel_normalizer_to_json (normalizer);
    again = laurel_normalizer_parse (written, "x", &error);
    g_assert_no_error (error);
    laurel_normalizer_apply (again, text, TRUE);
    g_assert_cmpstr (text->str, ==, cases[i].normalized);
  }
}

static const struct {
  const char *json;
  const char *part;
} broken[] = {
  { "{\"type\":\"Precompiled\"}", "normalizer of type “Precompiled” is not supported" },
  { "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"\"}", "Regex" },
  { "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}", "lacks its pattern" },
  { "{\"type\":\"Prepend\"}", "lacks prepend" },
  { "{\"type\":\"Sequence\"}", "lacks its normalizers" },
  { "{\"type\":\"Sequence\",\"normalizers\":[7]}", "has no type" },
  { "{\"type\":\"BertNormalizer\",\"lowercase\":\"yes\"}", "“lowercase” must be true or false" },
  { "{\"type\":7}", "“type” must be text" },
};

static void
test_broken (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (JsonNode) node = laurel_json_parse (broken[i].json, "x", NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (laurel_normalizer_parse (node, "x", &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, broken[i].part));
  }
}

/* Random text of everything that GLib knows: GLib's own function is the other opinion. */
static void
test_forms (void)
{
  static const GNormalizeMode modes[] = { G_NORMALIZE_NFD, G_NORMALIZE_NFC, G_NORMALIZE_NFKD,
                                          G_NORMALIZE_NFKC };
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < 20000; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_autofree char *other = NULL;

    while (text->len < 20) {
      gunichar c = laurel_rng_below (&rng, 3) == 0 ? 0x300 + laurel_rng_below (&rng, 0x70)
                                                   : 1 + laurel_rng_below (&rng, 0x20000);

      if (g_unichar_validate (c))
        g_string_append_unichar (text, c);
    }
    other = g_utf8_normalize (text->str, -1, modes[i % 4]);
    laurel_unicode_normalize (text, (LaurelNormalForm) (i % 4));
    g_assert_cmpstr (text->str, ==, other);
  }
}

/* A megabyte of marks in the wrong order takes minutes where ordering is quadratic. */
static void
test_many_marks (void)
{
  g_autoptr (GString) text = g_string_new ("a");
  gsize length;

  for (int i = 0; i < 250000; i++)
    g_string_append (text, "\xcc\x81\xcc\xa3");
  length = text->len;
  laurel_unicode_normalize (text, LAUREL_FORM_NFD);
  g_assert_cmpuint (text->len, ==, length);
  g_assert_true (g_str_has_prefix (text->str, "a\xcc\xa3\xcc\xa3"));
  g_assert_true (g_str_has_suffix (text->str, "\xcc\x81\xcc\x81"));
}

/* --- In a tokenizer ---------------------------------------------------------------------- */

static LaurelTokenizer *
load_with (const char *added, const char *normalizer, const char *prefix_space, GError **error)
{
  const char *text = "ab ab ab abc abc";
  g_autoptr (LaurelTokenizer) plain =
      laurel_tokenizer_train_bpe (&text, NULL, 1, 300, NULL, NULL, NULL);
  g_autofree char *dir = g_dir_make_tmp ("laurel-normalizer-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "tokenizer.json", NULL);
  g_autofree char *config = g_build_filename (dir, "tokenizer_config.json", NULL);
  g_autofree char *old = NULL;
  g_autofree char *copy = g_build_filename (dir, "copy", NULL);
  g_autofree char *added_json = g_strdup_printf ("\"added_tokens\" : [%s,", added);
  g_autofree char *normalizer_json = g_strdup_printf ("\"normalizer\" : %s", normalizer);
  g_autofree char *prefix_json = g_strdup_printf ("\"add_prefix_space\" : %s", prefix_space);
  g_autoptr (GString) json = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  LaurelTokenizer *again = NULL;

  g_assert_true (laurel_tokenizer_save (plain, dir, NULL));
  old = laurel_file_read_text (path, NULL, NULL);
  json = g_string_new (old);
  if (*added != '\0')
    g_string_replace (json, "\"added_tokens\" : [", added_json, 1);
  g_string_replace (json, "\"normalizer\" : null", normalizer_json, 1);
  g_string_replace (json, "\"add_prefix_space\" : false", prefix_json, 0);
  g_assert_true (laurel_file_write (path, json->str, json->len, NULL));
  g_assert_true (laurel_file_write (config, "{}", 2, NULL));
  tokenizer = laurel_tokenizer_load (dir, error);
  if (tokenizer != NULL) {
    g_assert_true (laurel_tokenizer_save (tokenizer, copy, NULL));
    again = laurel_tokenizer_load (copy, error);
    g_assert_cmpstr (laurel_tokenizer_get_hash (tokenizer), ==, laurel_tokenizer_get_hash (again));
    g_assert_cmpstr (laurel_tokenizer_get_hash (tokenizer), !=, laurel_tokenizer_get_hash (plain));
  }
  g_assert_true (laurel_file_remove_tree (dir, NULL));
  return again;
}

/* Tokens as their labels, with | between them. */
static void
assert_tokens (const LaurelTokenizer *tokenizer, const char *text, const char *wanted)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) got = g_string_new (NULL);

  g_assert_true (laurel_tokenizer_encode (tokenizer, text, -1, ids, NULL));
  for (guint i = 0; i < ids->len; i++) {
    g_autofree char *label = laurel_tokenizer_label (tokenizer, g_array_index (ids, gint32, i));

    g_string_append_printf (got, "%s%s", i > 0 ? "|" : "", label);
  }
  g_assert_cmpstr (got->str, ==, wanted);
}

#define ADDED(id, content, flags)                                                                  \
  "{\"id\": " id ", \"content\": \"" content "\", \"normalized\": false" flags "}"

static const struct {
  const char *added;
  const char *normalizer;
  const char *prefix_space;
  const char *text;
  const char *tokens;
} uses[] = {
  { "", "{\"type\":\"Lowercase\"}", "false", "AB abC", "ab| abc" },
  { "", "null", "true", "ab ab", " ab| ab" },
  { "", "null", "true", " ab", " ab" },
  { ADDED ("260", "[x]", ""), "null", "false", "ab[x]ab [x]", "ab|[x]|ab| |[x]" },
  { ADDED ("260", "[x]", ""), "null", "true", "ab[x]ab", " ab|[x]| ab" },
  { ADDED ("260", "[x]", ", \"lstrip\": true"), "null", "false", "ab \t[x] ab", "ab|[x]| ab" },
  { ADDED ("260", "[x]", ", \"rstrip\": true"), "null", "false", "ab [x] \n ab", "ab| |[x]|ab" },
  { ADDED ("260", "xq", ", \"single_word\": true"), "null", "false", "xqa xq éxq _xq xq!",
    "x|q|a| |xq| |\\xC3|\\xA9|x|q| |_|x|q| |xq|!" },
  { ADDED ("260", "xy", "") "," ADDED ("261", "xyzz", ""), "null", "false", "xyxyzz", "xy|xyzz" },
  { ADDED ("260", "[x]", ", \"special\": true"), "null", "false", "[x]", "[|x|]" },
  { ADDED ("260", "AA", ""), "{\"type\":\"Lowercase\"}", "false", "AAaBAA", "AA|ab|AA" },
  { "{\"id\": 260, \"content\": \"XY\"}", "{\"type\":\"Lowercase\"}", "false", "xy XYZ",
    "XY| |XY|z" },
};

static void
test_added (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (uses); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (LaurelTokenizer) tokenizer =
        load_with (uses[i].added, uses[i].normalizer, uses[i].prefix_space, &error);

    g_assert_no_error (error);
    assert_tokens (tokenizer, uses[i].text, uses[i].tokens);
  }
}

static gboolean
append_ids (const gint32 *ids, gsize n, gpointer user_data, GError **error)
{
  g_array_append_vals (user_data, ids, (guint) n);
  return TRUE;
}

/* What stands after an added token starts anew, also where a long text could be parted. */
static void
assert_streams (const char *normalizer, const char *prefix_space)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTokenizer) tokenizer =
      load_with (ADDED ("260", "[x]", ""), normalizer, prefix_space, &error);
  g_autoptr (GArray) whole = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) stream = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GInputStream) input = NULL;

  g_assert_no_error (error);
  /* Every place to part it stands after the added token; megabytes are more than a block. */
  while (text->len < 6000000)
    g_string_append (text, "éab[x]\nb\302\240[x] c");
  g_assert_true (laurel_tokenizer_encode (tokenizer, text->str, -1, whole, NULL));
  input = g_memory_input_stream_new_from_data (text->str, (gssize) text->len, NULL);
  laurel_tokenizer_encode_stream (tokenizer, input, "text", append_ids, stream, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (stream->data, stream->len * 4, whole->data, whole->len * 4);
}

static void
test_added_streams (void)
{
  assert_streams ("null", "true");
  assert_streams ("{\"type\":\"Prepend\",\"prepend\":\"_\"}", "false");
}

static void
test_long_added (void)
{
  g_autofree char *content = g_strnfill (513, 'x');
  g_autofree char *added =
      g_strdup_printf ("{\"id\": 260, \"content\": \"%s\", \"special\": false}", content);
  g_autoptr (GError) error = NULL;

  g_assert_null (load_with (added, "null", "false", &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "longer than 512 bytes"));
}

/* A text of some megabytes would need gigabytes; many short ones do not. */
static void
test_growth (void)
{
  g_autofree char *filling = g_strnfill (1000, 'b');
  g_autofree char *normalizer = g_strdup_printf (
      "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"%s\"}", filling);
  g_autofree char *longer = g_strconcat (filling, "b", NULL);
  g_autofree char *too_much = g_strdup_printf (
      "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"%s\"}", longer);
  g_autofree char *text = g_strnfill (G_MAXINT32 / 1000 + 1, 'c');
  const char *const texts[] = { "a", text, NULL };
  const gsize lengths[] = { 1, G_MAXINT32 / 1000 + 1 };
  g_autoptr (GInputStream) input = g_memory_input_stream_new_from_data (text, -1, NULL);
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) a = NULL, b = NULL, c = NULL, d = NULL;
  gsize ends[2];

  g_assert_null (load_with ("", too_much, "false", &a));
  g_assert_error (a, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  tokenizer = load_with ("", normalizer, "false", NULL);
  g_assert_true (laurel_tokenizer_encode (tokenizer, "a", 1, ids, NULL));
  g_assert_cmpuint (ids->len, ==, 1000);
  g_assert_false (laurel_tokenizer_encode (tokenizer, text, -1, ids, &b));
  g_assert_error (b, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (b->message, "2147483 "));
  g_assert_false (laurel_tokenizer_encode_texts (tokenizer, texts, lengths, 2, ids, ends, &c));
  g_assert_error (c, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (ids->len, ==, 1000);
  g_assert_false (laurel_tokenizer_encode_stream (tokenizer, input, "text", NULL, NULL, &d));
  g_assert_error (d, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/normalizer/steps", test_steps);
  g_test_add_func ("/text/normalizer/broken", test_broken);
  g_test_add_func ("/text/normalizer/forms", test_forms);
  g_test_add_func ("/text/normalizer/many-marks", test_many_marks);
  g_test_add_func ("/text/normalizer/growth", test_growth);
  g_test_add_func ("/text/added/uses", test_added);
  g_test_add_func ("/text/added/streams", test_added_streams);
  g_test_add_func ("/text/added/too-long", test_long_added);
  return g_test_run ();
}
