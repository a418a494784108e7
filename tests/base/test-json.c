/* test-json.c: JSON is read with errors that say what and where.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
test_parse (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_parse ("{\"a\": [1, 2.5, \"é\"]}", "case", &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = laurel_json_to_string (node, FALSE);
  g_assert_cmpstr (text, ==, "{\"a\":[1,2.5,\"é\"]}");
}

/* Small numbers come back, and text that looks like one stays as it is. */
static void
test_small_numbers (void)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autoptr (JsonArray) array = json_array_new ();
  g_autoptr (JsonNode) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  JsonArray *read;

  json_array_add_double_element (array, 1e-8);
  json_array_add_double_element (array, -2.5e+300);
  json_array_add_string_element (array, "1e-08.0 \\\"3e4.0");
  json_node_set_array (node, array);
  text = laurel_json_to_string (node, FALSE);
  again = laurel_json_parse (text, "case", &error);
  g_assert_no_error (error);
  read = json_node_get_array (again);
  g_assert_true (json_array_get_double_element (read, 0) == 1e-8);
  g_assert_true (json_array_get_double_element (read, 1) == -2.5e+300);
  g_assert_cmpstr (json_array_get_string_element (read, 2), ==, "1e-08.0 \\\"3e4.0");
}

static void
test_parse_refuses (void)
{
  const char *cases[] = {
    "", "  \n", "{", "{\"a\": }", "[1, 2", "{\"a\": 1} x", "nonsense",
    /* What json-glib would take, for something else than is written. */
    "[010]", "[0x10]", "[18446744073709551617]", "[1e999]", "{'a': 1}", "[\"\\u0000\"]",
    "[\"\\ud83dx\"]", "[\"\\ude00\"]", "[\"\\ud83d\\u0041\"]", "[\"\\ud83d\\u\"]",
    "{\"a\": 1} {\"b\": 2}", "[1.]", "[.5]", "[\"\\q\"]", "[\"\\", "[1 /* one */]", "var a = [1];",
    "[1, ]", "{\"a\": 1, }", "[1 2]", "[1}", "{\"a\"; 1}", "{1: 2}", "[\"\xff\"]", "]",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_parse (cases[i], "the-file.json", &error);

    g_assert_null (node);
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, "the-file.json"));
  }
}

/* All that RFC 8259 allows, and what is harmless besides. */
static void
test_parse_accepts (void)
{
  const char *cases[] = {
    "{}", "[]", " [ ] ", "0", "-0", "\"\"", "null", "[true, false, null]", "{\"\": {}}",
    "[1e5, 1E+5, 1.5e-5, 0.5, -0.5, 10]", "[9223372036854775807, -9223372036854775808]",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"", "\"tab\there\"", "\357\273\277[1]",
    "{\"a\":[{\"b\":[]},[[]]],\"c\":{\"d\":{}}}\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_parse (cases[i], "x", &error);

    g_assert_no_error (error);
    g_assert_nonnull (node);
  }
}

static void
test_parse_names_line (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_parse ("{\n\"a\": 1,\n\"b\" 2\n}", "x", &error);

  g_assert_null (node);
  g_assert_nonnull (strstr (error->message, "line 3:"));
}

/* json-glib would call itself a hundred thousand times, past the end of the stack. */
static void
test_parse_depth (void)
{
  g_autofree char *brackets = g_strnfill (1000000, '[');
  g_autofree char *objects = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) a = NULL, b = NULL, error = NULL;
  g_autoptr (JsonNode) node = NULL;

  for (int i = 0; i < 100000; i++)
    g_string_append (text, "{\"[\\\"\":");
  objects = g_string_free (g_steal_pointer (&text), FALSE);
  g_assert_null (laurel_json_parse (brackets, "x", &a));
  g_assert_error (a, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (a->message, "nests deeper"));
  g_assert_null (laurel_json_parse (objects, "x", &b));
  g_assert_error (b, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  node = laurel_json_parse ("[[[\"[[[\\\"[[[\"]],{\"a\":[]},[],[],[]]", "x", &error);
  g_assert_no_error (error);
}

/* What json-glib takes and no other reader does. */
static void
test_parse_other_dialects (void)
{
  const char *cases[] = { "{'a': 1}", "/* \" */ {\"a\": 1}", "var x = {\"a\": 1};" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_parse (cases[i], "x", &error);

    g_assert_null (node);
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, "line 1"));
  }
}

static void
test_duplicates (void)
{
  g_autofree char *twice = NULL, *inner = NULL, *values = NULL;

  twice = laurel_json_find_duplicate ("{\"a\": 1, \"b\": [\"a\"], \"a\" : 2}");
  g_assert_cmpstr (twice, ==, "a");
  inner = laurel_json_find_duplicate ("{\"a\": {\"a\": 1}, \"b\": {\"a\": 1}}");
  g_assert_null (inner);
  values = laurel_json_find_duplicate ("{\"a\": \"x\", \"b\": \"x\", \"x\\\":\": \"x\"}");
  g_assert_null (values);
}

/* Every reader leaves @out alone when the member is absent or null. */
static void
test_absent (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_parse ("{\"null\": null}", "x", &error);
  JsonObject *object = json_node_get_object (node);
  const char *members[] = { "absent", "null" };

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++) {
    gint64 whole = 7;
    double number = 7.5;
    gboolean yes = TRUE;
    const char *text = "kept";

    g_assert_true (laurel_json_get_int (object, "x", members[i], 0, 1, &whole, &error));
    g_assert_true (laurel_json_get_double (object, "x", members[i], &number, &error));
    g_assert_true (laurel_json_get_boolean (object, "x", members[i], &yes, &error));
    g_assert_true (laurel_json_get_string (object, "x", members[i], &text, &error));
    g_assert_no_error (error);
    g_assert_cmpint (whole, ==, 7);
    g_assert_cmpfloat (number, ==, 7.5);
    g_assert_true (yes);
    g_assert_cmpstr (text, ==, "kept");
  }
}

static void
test_members (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;
  gint64 whole = 0;
  double number = 0, from_whole = 0;
  gboolean yes = FALSE;
  const char *text = NULL;

  node = laurel_json_parse ("{\"whole\": -3, \"number\": 1e-4, \"yes\": true, \"text\": \"ja\"}",
                            "x",
                            &error);
  object = json_node_get_object (node);
  g_assert_true (laurel_json_get_int (object, "x", "whole", -3, 3, &whole, &error));
  g_assert_true (laurel_json_get_double (object, "x", "number", &number, &error));
  g_assert_true (laurel_json_get_double (object, "x", "whole", &from_whole, &error));
  g_assert_true (laurel_json_get_boolean (object, "x", "yes", &yes, &error));
  g_assert_true (laurel_json_get_string (object, "x", "text", &text, &error));
  g_assert_no_error (error);
  g_assert_cmpint (whole, ==, -3);
  g_assert_cmpfloat (number, ==, 1e-4);
  g_assert_cmpfloat (from_whole, ==, -3);
  g_assert_true (yes);
  g_assert_cmpstr (text, ==, "ja");
}

static void
assert_refused (gboolean result, GError **error)
{
  g_assert_false (result);
  g_assert_error (*error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr ((*error)->message, "config.json"));
  g_assert_nonnull (strstr ((*error)->message, "“m”"));
  g_clear_error (error);
}

static void
test_wrong_types (void)
{
  const char *cases[] = { "{\"m\": \"3\"}", "{\"m\": 3}", "{\"m\": true}", "{\"m\": [3]}",
                          "{\"m\": {}}", "{\"m\": 2.5}" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = laurel_json_parse (cases[i], "x", &error);
    JsonObject *object = json_node_get_object (node);
    gint64 whole = 0;
    double number = 0;
    gboolean yes = FALSE;
    const char *text = NULL;
    const char *name = "config.json";

    if (i != 1)
      assert_refused (laurel_json_get_int (object, name, "m", 0, 9, &whole, &error), &error);
    if (i != 1 && i != 5)
      assert_refused (laurel_json_get_double (object, name, "m", &number, &error), &error);
    if (i != 2)
      assert_refused (laurel_json_get_boolean (object, name, "m", &yes, &error), &error);
    if (i != 0)
      assert_refused (laurel_json_get_string (object, name, "m", &text, &error), &error);
  }
}

static void
test_out_of_range (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = laurel_json_parse ("{\"m\": 10}", "x", &error);
  gint64 whole = 0;

  g_assert_false (laurel_json_get_int (json_node_get_object (node), "config.json", "m", 0, 9,
                                       &whole, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "0 to 9"));
  g_assert_cmpint (whole, ==, 0);
}

typedef struct {
  GString *seen; /* “row:value ” of each row */
} Rows;

static gboolean
take_row (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  Rows *rows = user_data;
  const char *value = NULL;

  if (!laurel_json_get_string (object, "row", "v", &value, error))
    return FALSE;
  if (value == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "no value");
    return FALSE;
  }
  g_string_append_printf (rows->seen, "%u:%s ", row, value);
  return TRUE;
}

static char *
write_rows (const char *bytes, gsize n)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("laurel-json-XXXXXX", &path, &error);

  g_assert_no_error (error);
  close (fd);
  g_assert_true (laurel_file_write (path, bytes, n, &error));
  return path;
}

static void
test_jsonl (void)
{
  static const char bytes[] = "{\"v\": \"a\"}\n"
                              "\n"
                              "{\"v\": \"b\"}\r\n"
                              "{\"v\": \n"
                              "[1]\n"
                              "{\"w\": 1}\n"
                              "{\"v\": \"\xff\"}\n"
                              "   \n"
                              "{\"v\": \"last\"}"; /* no newline at the end */
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) refused = NULL;
  g_autofree char *path = write_rows (bytes, sizeof bytes - 1);
  Rows rows = { g_string_new (NULL) };
  const guint expected[] = { 4, 5, 6, 7 };

  refused = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_error_free);
  g_assert_true (laurel_jsonl_foreach (path, take_row, &rows, refused, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (rows.seen->str, ==, "1:a 3:b 9:last ");
  g_assert_cmpuint (refused->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < refused->len; i++) {
    LaurelRowError *row_error = g_ptr_array_index (refused, i);

    g_assert_cmpuint (row_error->row, ==, expected[i]);
    g_assert_cmpuint (strlen (row_error->reason), >, 0);
  }
  g_string_free (rows.seen, TRUE);
  g_unlink (path);
}

/* A byte order mark is no part of the first line, be that a row or empty. */
static void
test_jsonl_mark (void)
{
  static const char bytes[] = "\xef\xbb\xbf\n{\"v\": \"b\"}\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) refused =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_error_free);
  g_autofree char *path = write_rows (bytes, sizeof bytes - 1);
  Rows rows = { g_string_new (NULL) };

  g_assert_true (laurel_jsonl_foreach (path, take_row, &rows, refused, &error));
  g_assert_cmpstr (rows.seen->str, ==, "2:b ");
  g_assert_cmpuint (refused->len, ==, 0);
  g_string_free (rows.seen, TRUE);
  g_unlink (path);
}

static void
test_jsonl_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) refused = g_ptr_array_new ();
  g_autofree char *path = write_rows ("", 0);
  Rows rows = { g_string_new (NULL) };

  g_assert_true (laurel_jsonl_foreach (path, take_row, &rows, refused, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (rows.seen->len, ==, 0);
  g_assert_cmpuint (refused->len, ==, 0);
  g_string_free (rows.seen, TRUE);

  g_unlink (path);
  g_assert_false (laurel_jsonl_foreach (path, take_row, NULL, refused, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json/jsonl/byte-order-mark", test_jsonl_mark);
  g_test_add_func ("/base/json/parse", test_parse);
  g_test_add_func ("/base/json/small-numbers", test_small_numbers);
  g_test_add_func ("/base/json/parse/refuses", test_parse_refuses);
  g_test_add_func ("/base/json/parse/accepts", test_parse_accepts);
  g_test_add_func ("/base/json/parse/names-line", test_parse_names_line);
  g_test_add_func ("/base/json/parse/depth", test_parse_depth);
  g_test_add_func ("/base/json/parse/other-dialects", test_parse_other_dialects);
  g_test_add_func ("/base/json/duplicates", test_duplicates);
  g_test_add_func ("/base/json/members", test_members);
  g_test_add_func ("/base/json/members/absent", test_absent);
  g_test_add_func ("/base/json/members/wrong-types", test_wrong_types);
  g_test_add_func ("/base/json/members/out-of-range", test_out_of_range);
  g_test_add_func ("/base/json/jsonl", test_jsonl);
  g_test_add_func ("/base/json/jsonl/empty", test_jsonl_empty);
  return g_test_run ();
}
