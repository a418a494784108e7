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
  g_clear_pointer (&self->messages, g_array_unref);
  g_free (self->ranks);
  g_free (self);
}

static gboolean G_GNUC_PRINTF (2, 3)
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

LaurelDataRow *
laurel_data_row_new (guint number)
{
  LaurelDataRow *self = g_new0 (LaurelDataRow, 1);

  self->number = number;
  return self;
}

static void
message_clear (gpointer message)
{
  g_free (((LaurelMessage *) message)->text);
}

void
laurel_data_row_add_message (LaurelDataRow *self, LaurelRole role, char *text)
{
  LaurelMessage message = { role, text };

  if (self->messages == NULL) {
    self->messages = g_array_new (FALSE, FALSE, sizeof (LaurelMessage));
    g_array_set_clear_func (self->messages, message_clear);
  }
  g_array_append_val (self->messages, message);
}

/* A member that must be text; it may be empty. */
static gboolean
read_content (JsonObject *object, const char *name, const char *member, char **out, GError **error)
{
  const char *text = NULL;

  if (!laurel_json_get_string (object, name, member, &text, error))
    return FALSE;
  if (text == NULL)
    return refuse (error, "%s has no “%s”", g_str_equal (name, "row") ? "it" : name, member);
  *out = g_strdup (text);
  return TRUE;
}

/* The role that may follow @n messages, the last of which is of @last. */
static gboolean
find_role (const char *text, guint n, LaurelRole last, LaurelRole *out, GError **error)
{
  const char *wanted = n == 0 || last != LAUREL_ROLE_USER ? "user" : "assistant";

  if (g_strcmp0 (text, "system") == 0 && n == 0)
    *out = LAUREL_ROLE_SYSTEM;
  else if (g_strcmp0 (text, wanted) == 0)
    *out = wanted[0] == 'u' ? LAUREL_ROLE_USER : LAUREL_ROLE_ASSISTANT;
  else if (g_strcmp0 (text, "system") == 0)
    return refuse (error, "message %u is of “system”, which only the first one may be", n + 1);
  else
    return refuse (error, "message %u is of “%s” where “%s” was expected", n + 1,
                   text != NULL ? text : "nobody", wanted);
  return TRUE;
}

static gboolean
read_message (JsonNode *node, LaurelDataRow *row, guint n, LaurelRole *last, GError **error)
{
  g_autofree char *name = g_strdup_printf ("message %u", n + 1);
  const char *role = NULL;
  char *text = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, "%s is no JSON object", name);
  if (!laurel_json_get_string (json_node_get_object (node), name, "role", &role, error)
      || !find_role (role, n, *last, last, error)
      || !read_content (json_node_get_object (node), name, "content", &text, error))
    return FALSE;
  laurel_data_row_add_message (row, *last, text);
  return TRUE;
}

/* A system message if there is one, then turns of user and assistant. */
static gboolean
read_messages (JsonObject *object, LaurelDataRow *row, GError **error)
{
  LaurelRole last = LAUREL_ROLE_SYSTEM;
  JsonArray *messages = NULL;
  guint n;

  if (!read_array (object, "messages", &messages, error))
    return FALSE;
  n = json_array_get_length (messages);
  for (guint i = 0; i < n; i++)
    if (!read_message (json_array_get_element (messages, i), row, i, &last, error))
      return FALSE;
  if (last == LAUREL_ROLE_ASSISTANT)
    return TRUE;
  return refuse (error, "its “messages” %s; they must end with the assistant's",
                 n == 0                      ? "are empty"
                 : last == LAUREL_ROLE_USER ? "end with the user's"
                                             : "are the system's alone");
}

static gboolean
read_sft (JsonObject *object, LaurelDataRow *row, GError **error)
{
  char *prompt = NULL, *completion = NULL;

  if (json_object_has_member (object, "messages"))
    return read_messages (object, row, error);
  if (!read_content (object, "row", "prompt", &prompt, error))
    return FALSE;
  laurel_data_row_add_message (row, LAUREL_ROLE_USER, prompt);
  if (!read_content (object, "row", "completion", &completion, error))
    return FALSE;
  laurel_data_row_add_message (row, LAUREL_ROLE_ASSISTANT, completion);
  return TRUE;
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
  LaurelDataRow *row = laurel_data_row_new (number);
  gboolean ok;

  if (reading->stage == LAUREL_STAGE_SFT)
    ok = read_sft (object, row, error);
  else if (laurel_stage_takes_rankings (reading->stage))
    ok = read_reward (object, row, error);
  else
    ok = read_text (object, "prompt", &row->prompt, error);
  if (ok)
    g_ptr_array_add (reading->rows, row);
  else
    laurel_data_row_free (row);
  return ok;
}

/* So many bad rows are named before the rest is counted. */
#define MAX_NAMED 3

static gboolean
report_row_errors (const char *path, GPtrArray *row_errors, guint n_good, GError **error)
{
  g_autoptr (GString) named = g_string_new (NULL);

  if (row_errors->len == 0)
    return TRUE;
  for (guint i = 0; i < MIN (row_errors->len, MAX_NAMED); i++) {
    const LaurelRowError *bad = g_ptr_array_index (row_errors, i);

    g_string_append_printf (named, "%srow %u: %s", i > 0 ? ", " : "", bad->row, bad->reason);
  }
  if (row_errors->len > MAX_NAMED)
    g_string_append_printf (named, " (and %u more rows)", row_errors->len - MAX_NAMED);
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
      "Could not use “%s”: %s; correct %s: none of the file's %u good rows was used", path,
      named->str, row_errors->len > 1 ? "them" : "it", n_good);
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
    row = laurel_data_row_new (i + 1);
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

  if (laurel_stage_is_online (stage) && g_str_has_suffix (path, ".txt")) {
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
