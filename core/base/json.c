/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json_check.h"

#include <math.h>
#include <string.h>

/* Other programs put it before UTF-8 text; it is no part of the first row. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Past the end of the string that starts at the quote @at. */
static const char *
skip_string (const char *at)
{
  for (at++; *at != '\0' && *at != '"'; at++)
    if (*at == '\\' && at[1] != '\0')
      at++;
  return *at == '"' ? at + 1 : at;
}

char *
laurel_json_find_duplicate (const char *text)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  int depth = 0;

  for (const char *at = text; *at != '\0';) {
    const char *start = at, *after;

    depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
    at = *at == '"' ? skip_string (at) : at + 1;
    if (*start != '"' || depth != 1)
      continue;
    after = at + strspn (at, " \t\r\n");
    if (*after == ':' && !g_hash_table_add (seen, g_strndup (start, (gsize) (at - start))))
      return g_strndup (start + 1, (gsize) (at - start - 2));
  }
  return NULL;
}

JsonNode *
laurel_json_parse (const char *text, const char *name, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) local = NULL;
  g_autofree char *fault = NULL;
  JsonNode *root;

  if (text[strspn (text, " \t\r\n")] == '\0') {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is empty; it must be JSON", name);
    return NULL;
  }
  fault = laurel_json_find_fault (text);
  if (fault != NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: %s; it must be JSON", name, fault);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, text, -1, &local)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: %s; it must be JSON", name, local->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  return json_node_ref (root);
}

JsonNode *
laurel_json_load (const char *path, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);

  return text != NULL ? laurel_json_parse (text, path, error) : NULL;
}

/* json-glib 1.6 writes 1e-08 as “1e-08.0”, which no reader takes, its own neither: takes the
 * “.0” out. */
static void
mend_exponents (char *text)
{
  gboolean in_string = FALSE, in_exponent = FALSE;
  char *to = text;

  for (const char *at = text; *at != '\0'; at++) {
    if (in_string && *at == '\\') {
      *to++ = *at++;
    } else if (*at == '"') {
      in_string = !in_string;
    } else if (!in_string && *at == 'e' && at > text && g_ascii_isdigit (at[-1])) {
      in_exponent = TRUE;
    } else if (in_exponent && *at == '.') {
      at++; /* the 0 after it */
      continue;
    } else if (!g_ascii_isdigit (*at) && *at != '-' && *at != '+') {
      in_exponent = FALSE;
    }
    *to++ = *at;
  }
  *to = '\0';
}

char *
laurel_json_to_string (JsonNode *node, gboolean pretty)
{
  char *text = json_to_string (node, pretty);

  mend_exponents (text);
  return text;
}

static gboolean
refuse (GError **error, const char *name, const char *member, const char *wanted)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "%s: “%s” must be %s; correct it",
               name, member, wanted);
  return FALSE;
}

gboolean
laurel_json_get_int (JsonObject *object, const char *name, const char *member, gint64 min,
                     gint64 max, gint64 *out, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  gint64 value;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  value = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64
      || value < min || value > max) {
    g_autofree char *wanted = NULL;

    wanted = g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                              min, max);
    return refuse (error, name, member, wanted);
  }
  *out = value;
  return TRUE;
}

gboolean
laurel_json_get_double (JsonObject *object, const char *name, const char *member, double *out,
                        GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_INT64
          && json_node_get_value_type (node) != G_TYPE_DOUBLE))
    return refuse (error, name, member, "a number");
  *out = json_node_get_double (node);
  return TRUE;
}

gboolean
laurel_json_get_boolean (JsonObject *object, const char *name, const char *member, gboolean *out,
                         GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return refuse (error, name, member, "true or false");
  *out = json_node_get_boolean (node);
  return TRUE;
}

gboolean
laurel_json_get_string (JsonObject *object, const char *name, const char *member, const char **out,
                        GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return refuse (error, name, member, "text");
  *out = json_node_get_string (node);
  return TRUE;
}

void
laurel_json_add_string (JsonBuilder *builder, const char *member, const char *value)
{
  json_builder_set_member_name (builder, member);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
laurel_json_add_int (JsonBuilder *builder, const char *member, gint64 value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_int_value (builder, value);
}

void
laurel_json_add_double (JsonBuilder *builder, const char *member, double value)
{
  json_builder_set_member_name (builder, member);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
laurel_json_add_boolean (JsonBuilder *builder, const char *member, gboolean value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_boolean_value (builder, value);
}

void
laurel_row_error_free (LaurelRowError *error)
{
  g_free (error->reason);
  g_free (error);
}

static void
add_row_error (GPtrArray *row_errors, guint row, const char *reason)
{
  LaurelRowError *row_error = g_new0 (LaurelRowError, 1);

  row_error->row = row;
  row_error->reason = g_strdup (reason);
  g_ptr_array_add (row_errors, row_error);
}

static gboolean
read_row (const char *line, gsize length, guint row, LaurelRowFunc func, gpointer user_data,
          GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  const char *end;

  if (!g_utf8_validate (line, (gssize) length, &end)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "byte %" G_GSIZE_FORMAT " is not UTF-8 text", (gsize) (end - line));
    return FALSE;
  }
  text = g_strndup (line, length);
  node = laurel_json_parse (text, "row", error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "not a JSON object");
    return FALSE;
  }
  return func (json_node_get_object (node), row, user_data, error);
}

static gboolean
is_blank (const char *line, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isspace (line[i]))
      return FALSE;
  return TRUE;
}

gboolean
laurel_jsonl_foreach (const char *path, LaurelRowFunc func, gpointer user_data,
                      GPtrArray *row_errors, GError **error)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) local = NULL;
  const char *at, *end;
  guint row = 0;

  map = g_mapped_file_new (path, FALSE, &local);
  if (map == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not read “%s”: %s; check the path", path, local->message);
    return FALSE;
  }
  at = g_mapped_file_get_contents (map);
  end = at != NULL ? at + g_mapped_file_get_length (map) : NULL;
  if (end - at >= 3 && memcmp (at, BYTE_ORDER_MARK, 3) == 0)
    at += 3;
  while (at < end) {
    const char *newline = memchr (at, '\n', (gsize) (end - at));
    gsize length = (gsize) ((newline != NULL ? newline : end) - at);
    g_autoptr (GError) row_error = NULL;

    row++;
    if (!is_blank (at, length) && !read_row (at, length, row, func, user_data, &row_error))
      add_row_error (row_errors, row, row_error->message);
    at += length + 1;
  }
  return TRUE;
}
