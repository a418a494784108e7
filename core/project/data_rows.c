/* data_rows.c: rows of JSONL and text files, read and checked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

void
laurel_data_row_free (LaurelDataRow *self)
{
  g_free (self->prompt);
  g_strfreev (self->completions);
  g_strfreev (self->context);
  g_free (self->ranks);
  g_free (self);
}

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  g_autofree char *message = NULL;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, message);
  return FALSE;
}

static gboolean
is_blank (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isspace (*text))
      return FALSE;
  return TRUE;
}

/* A member that must be there and must say something. */
static gboolean
read_text (JsonObject *object, const char *member, char **out, GError **error)
{
  const char *text = NULL;

  if (!laurel_json_get_string (object, "row", member, &text, error))
    return FALSE;
  if (text == NULL)
    return refuse (error, "it has no “%s”", member);
  if (is_blank (text))
    return refuse (error, "its “%s” is empty", member);
  *out = g_strdup (text);
  return TRUE;
}

static gboolean
read_array (JsonObject *object, const char *member, JsonArray **out, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return refuse (error, "its “%s” must be an array", member);
  *out = json_node_get_array (node);
  return TRUE;
}

/* --- SFT ---------------------------------------------------------------------- */

static gboolean
read_message (JsonArray *messages, guint i, const char *wanted_role, char **out, GError **error)
{
  JsonNode *node = json_array_get_element (messages, i);
  const char *role = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, "message %u is no JSON object", i + 1);
  if (!laurel_json_get_string (json_node_get_object (node), "message", "role", &role, error))
    return FALSE;
  if (g_strcmp0 (role, wanted_role) != 0)
    return refuse (error, "message %u is of “%s” where “%s” was expected", i + 1,
                   role != NULL ? role : "nobody", wanted_role);
  return read_text (json_node_get_object (node), "content", out, error);
}

/* Turns of user and assistant in turn; the last one is the answer that is trained on. */
static gboolean
read_messages (JsonObject *object, LaurelDataRow *row, GError **error)
{
  g_autoptr (GPtrArray) context = g_ptr_array_new_with_free_func (g_free);
  JsonArray *messages = NULL;
  guint n;

  if (!read_array (object, "messages", &messages, error))
    return FALSE;
  n = json_array_get_length (messages);
  if (n < 2 || n % 2 != 0)
    return refuse (
        error, "its “messages” must be pairs of user and assistant, and end with the assistant's");
  row->completions = g_new0 (char *, 2);
  for (guint i = 0; i < n; i++) {
    char *text = NULL;

    if (!read_message (messages, i, i % 2 == 0 ? "user" : "assistant", &text, error))
      return FALSE;
    if (i == n - 1)
      row->completions[0] = text;
    else if (i == n - 2)
      row->prompt = text;
    else
      g_ptr_array_add (context, text);
  }
  if (context->len > 0) {
    g_ptr_array_add (context, NULL);
    row->context = (char **) g_ptr_array_steal (context, NULL);
  }
  return TRUE;
}

static gboolean
read_sft (JsonObject *object, LaurelDataRow *row, GError **error)
{
  if (json_object_has_member (object, "messages"))
    return read_messages (object, row, error);
  row->completions = g_new0 (char *, 2);
  return read_text (object, "prompt", &row->prompt, error)
         && read_text (object, "completion", &row->completions[0], error);
}

/* --- Rankings ------------------------------------------------------------------ */

/* An answer may be empty: a model may have ended at once, and a ranking says what that is worth. */
static gboolean
read_answer (JsonObject *object, const char *member, char **out, GError **error)
{
  const char *text = NULL;

  if (!laurel_json_get_string (object, "row", member, &text, error))
    return FALSE;
  *out = g_strdup (text);
  return text != NULL || refuse (error, "it has no “%s”", member);
}

static gboolean
read_pair (JsonObject *object, LaurelDataRow *row, GError **error)
{
  row->completions = g_new0 (char *, 3);
  row->ranks = g_new (int, 2);
  row->ranks[0] = 1;
  row->ranks[1] = 2;
  return read_answer (object, "chosen", &row->completions[0], error)
         && read_answer (object, "rejected", &row->completions[1], error);
}

static gboolean
read_ranking (JsonObject *object, LaurelDataRow *row, GError **error)
{
  JsonArray *completions = NULL, *ranks = NULL;
  guint n;

  if (!read_array (object, "completions", &completions, error)
      || !read_array (object, "ranks", &ranks, error))
    return FALSE;
  n = json_array_get_length (completions);
  if (n < 2)
    return refuse (error, "it has fewer than 2 completions");
  if (json_array_get_length (ranks) != n)
    return refuse (error, "it has %u completions and %u ranks", n, json_array_get_length (ranks));
  row->completions = g_new0 (char *, n + 1);
  row->ranks = g_new0 (int, n);
  for (guint i = 0; i < n; i++) {
    JsonNode *text = json_array_get_element (completions, i);
    JsonNode *rank = json_array_get_element (ranks, i);

    if (!JSON_NODE_HOLDS_VALUE (text) || json_node_get_value_type (text) != G_TYPE_STRING)
      return refuse (error, "completion %u is no text", i + 1);
    if (!JSON_NODE_HOLDS_VALUE (rank) || json_node_get_value_type (rank) != G_TYPE_INT64
        || json_node_get_int (rank) < 1 || json_node_get_int (rank) > 1000)
      return refuse (error, "rank %u is no whole number from 1", i + 1);
    row->completions[i] = g_strdup (json_node_get_string (text));
    row->ranks[i] = (int) json_node_get_int (rank);
  }
  return TRUE;
}

static gboolean
read_reward (JsonObject *object, LaurelDataRow *row, GError **error)
{
  if (!read_text (object, "prompt", &row->prompt, error))
    return FALSE;
  return json_object_has_member (object, "chosen") ? read_pair (object, row, error)
                                                   : read_ranking (object, row, error);
}

/* --- Files --------------------------------------------------------------------- */

typedef struct {
  LaurelStage stage;
  GPtrArray *rows;
} ReadRows;

static gboolean
read_row_cb (JsonObject *object, guint number, gpointer user_data, GError **error)
{
  ReadRows *reading = user_data;
  LaurelDataRow *row = g_new0 (LaurelDataRow, 1);
  gboolean ok;

  if (reading->stage == LAUREL_STAGE_SFT)
    ok = read_sft (object, row, error);
  else if (reading->stage == LAUREL_STAGE_REWARD)
    ok = read_reward (object, row, error);
  else
    ok = read_text (object, "prompt", &row->prompt, error);
  if (ok)
    g_ptr_array_add (reading->rows, row);
  else
    laurel_data_row_free (row);
  return ok;
}

static gboolean
report_row_errors (const char *path, GPtrArray *row_errors, guint n_good, GError **error)
{
  const LaurelRowError *first;
  g_autofree char *others = NULL;

  if (row_errors->len == 0)
    return TRUE;
  first = g_ptr_array_index (row_errors, 0);
  others = row_errors->len > 1 ? g_strdup_printf (" (and %u more rows)", row_errors->len - 1)
                               : g_strdup ("");
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
      "Could not use “%s”: row %u: %s%s; correct it: none of the file's %u good rows was used",
      path, first->row, first->reason, others, n_good);
  return FALSE;
}

static gboolean
read_lines (const char *path, GPtrArray *rows, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);
  g_auto (GStrv) lines = NULL;

  if (text == NULL)
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    LaurelDataRow *row;

    g_strstrip (lines[i]);
    if (lines[i][0] == '\0')
      continue;
    row = g_new0 (LaurelDataRow, 1);
    row->prompt = g_strdup (lines[i]);
    g_ptr_array_add (rows, row);
  }
  return TRUE;
}

GPtrArray *
laurel_data_read_rows (LaurelStage stage, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_data_row_free);
  g_autoptr (GPtrArray) row_errors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_error_free);
  ReadRows reading = { stage, rows };

  if (stage == LAUREL_STAGE_PPO && g_str_has_suffix (path, ".txt")) {
    if (!read_lines (path, rows, error))
      return NULL;
  } else if (!laurel_jsonl_foreach (path, read_row_cb, &reading, row_errors, error)
             || !report_row_errors (path, row_errors, rows->len, error)) {
    return NULL;
  }
  if (rows->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not use “%s”: it has no rows; give a file with data", path);
    return NULL;
  }
  return g_steal_pointer (&rows);
}
