/* import.c: files into the database, row by row in one transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/exchange.h"

#include "core/base/csv.h"
#include "core/base/error.h"

#include <string.h>

typedef struct {
  LaurelStore *store;
  LaurelImportResult *result;
  LaurelRowFunc read_row;
  LaurelEncodeFunc encode;
  gpointer encode_data;
  guint n_accepted;
  GError *fatal; /* what ends the whole import */
} Import;

void
laurel_import_result_free (LaurelImportResult *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->row_errors);
  g_free (self);
}

char *
laurel_import_result_describe (const LaurelImportResult *self)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%u imported", self->n_imported);
  if (self->n_known > 0)
    g_string_append_printf (text, ", %u there already", self->n_known);
  g_string_append_printf (text, ", %u refused", self->row_errors->len);
  return g_string_free (text, FALSE);
}

static void
add_row_error (Import *self, guint row, const char *reason)
{
  LaurelRowError *row_error = g_new0 (LaurelRowError, 1);

  row_error->row = row;
  row_error->reason = g_strdup (reason);
  g_ptr_array_add (self->result->row_errors, row_error);
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, why);
  return FALSE;
}

/* The row is at fault, not the disk or another program. */
static gboolean
is_about_the_row (const GError *error)
{
  return !g_error_matches (error, LAUREL_ERROR, LAUREL_ERROR_IO) &&
         !g_error_matches (error, LAUREL_ERROR, LAUREL_ERROR_BUSY) &&
         !g_error_matches (error, LAUREL_ERROR, LAUREL_ERROR_FAILED);
}

/* Each row has a savepoint, so that a refused row leaves nothing behind. */
static gboolean
import_row (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  Import *self = user_data;
  g_autoptr (GError) local = NULL;

  if (self->fatal != NULL)
    return TRUE; /* the import has failed; the rest is not read any more */
  if (laurel_store_begin (self->store, &local)) {
    if (!self->read_row (object, row, self, &local))
      laurel_store_rollback (self->store);
    else if (laurel_store_commit (self->store, &local))
      self->n_accepted++;
  }
  if (local == NULL)
    return TRUE;
  if (is_about_the_row (local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  self->fatal = g_steal_pointer (&local);
  return TRUE;
}

/* --- Rows ----------------------------------------------------------------- */

static gboolean
get_text (JsonObject *object, const char *member, const char **out, GError **error)
{
  *out = NULL;
  if (!laurel_json_get_string (object, "row", member, out, error))
    return FALSE;
  if (*out != NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "“%s” is missing", member);
  return FALSE;
}

/* "a,b" or ["a", "b"] to “a,b”. */
static char *
read_tags (JsonObject *object, GError **error)
{
  JsonNode *node = json_object_get_member (object, "tags");
  g_autoptr (GString) tags = g_string_new (NULL);
  const char *text = "";
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return laurel_json_get_string (object, "row", "tags", &text, error) ? g_strdup (text) : NULL;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *item = json_array_get_element (array, i);

    if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_STRING) {
      refuse (error, "“tags” must be text or a list of texts");
      return NULL;
    }
    g_string_append_printf (tags, "%s%s", i > 0 ? "," : "", json_node_get_string (item));
  }
  return g_string_free (g_steal_pointer (&tags), FALSE);
}

static gboolean
read_prompt (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  Import *self = user_data;
  g_autofree char *tags = NULL;
  const char *prompt, *split = "train";

  if (!get_text (object, "prompt", &prompt, error) ||
      !laurel_json_get_string (object, "row", "split", &split, error))
    return FALSE;
  tags = read_tags (object, error);
  return tags != NULL && laurel_store_ensure_prompt (self->store, prompt, split, tags, error) != 0;
}

static gboolean
read_turn (JsonArray *messages, guint i, const char *role, const char **out_content, GError **error)
{
  JsonNode *node = json_array_get_element (messages, i);
  const char *found;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, "a message is no object");
  if (!get_text (json_node_get_object (node), "role", &found, error))
    return FALSE;
  if (!g_str_equal (found, role))
    return refuse (error, "“messages” must be one turn of the user and one of the assistant");
  return get_text (json_node_get_object (node), "content", out_content, error);
}

static gboolean
read_demonstration (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  Import *self = user_data;
  JsonNode *messages = json_object_get_member (object, "messages");
  const char *prompt, *completion;

  if (messages != NULL) {
    if (!JSON_NODE_HOLDS_ARRAY (messages) ||
        json_array_get_length (json_node_get_array (messages)) != 2)
      return refuse (error, "“messages” must be one turn of the user and one of the assistant");
    if (!read_turn (json_node_get_array (messages), 0, "user", &prompt, error) ||
        !read_turn (json_node_get_array (messages), 1, "assistant", &completion, error))
      return FALSE;
  } else if (!get_text (object, "prompt", &prompt, error) ||
             !get_text (object, "completion", &completion, error)) {
    return FALSE;
  }
  return laurel_store_add_demonstration (self->store, prompt, completion, error);
}

/* --- Rankings ------------------------------------------------------------- */

#define MAX_COMPLETIONS 9

typedef struct {
  const char *prompt;
  const char *labeler;
  const char *comment;
  const char *sampler;
  LaurelLabelerKind kind;
  gboolean all_bad;
  const char *texts[MAX_COMPLETIONS];
  LaurelRank ranks[MAX_COMPLETIONS];
  int n;
} RankingRow;

static gboolean
read_texts (JsonObject *object, RankingRow *row, GError **error)
{
  JsonNode *node = json_object_get_member (object, "completions");
  JsonArray *array =
    node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL || json_array_get_length (array) < 2 ||
      json_array_get_length (array) > MAX_COMPLETIONS)
    return refuse (error, "“completions” must be a list of 2 to 9 texts");
  row->n = (int) json_array_get_length (array);
  for (int i = 0; i < row->n; i++) {
    JsonNode *item = json_array_get_element (array, (guint) i);

    if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_STRING)
      return refuse (error, "“completions” must be a list of 2 to 9 texts");
    row->texts[i] = json_node_get_string (item);
  }
  return TRUE;
}

/* A list of one whole number for each completion; @out stays as it is when
 * the list may be and is absent. */
static gboolean
read_numbers (JsonObject *object,
              const char *member,
              gboolean is_optional,
              int n,
              int max,
              int *out,
              GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  gboolean is_list = node != NULL && JSON_NODE_HOLDS_ARRAY (node) &&
                     json_array_get_length (json_node_get_array (node)) == (guint) n;

  if (node == NULL && is_optional)
    return TRUE;
  for (int i = 0; is_list && i < n; i++) {
    JsonNode *item = json_array_get_element (json_node_get_array (node), (guint) i);
    gint64 value = -1;

    if (JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_INT64)
      value = json_node_get_int (item);
    is_list = value >= 0 && value <= max;
    out[i] = (int) value;
  }
  if (is_list)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "“%s” must be a list of %d whole numbers from 0 to %d, one for each completion",
               member, n, max);
  return FALSE;
}

static gboolean
read_verdict (JsonObject *object, RankingRow *row, GError **error)
{
  int ranks[MAX_COMPLETIONS] = { 0 }, quality[MAX_COMPLETIONS] = { 0 },
      flags[MAX_COMPLETIONS] = { 0 };
  int n_zero = 0;

  if (!read_numbers (object, "ranks", FALSE, row->n, row->n, ranks, error) ||
      !read_numbers (object, "quality", TRUE, row->n, 7, quality, error) ||
      !read_numbers (object, "flags", TRUE, row->n, (1 << LAUREL_N_FLAGS) - 1, flags, error))
    return FALSE;
  for (int i = 0; i < row->n; i++) {
    row->ranks[i].rank = ranks[i];
    row->ranks[i].quality = quality[i];
    row->ranks[i].flags = (guint) flags[i];
    n_zero += ranks[i] == 0;
  }
  if (n_zero > 0 && !(row->all_bad && n_zero == row->n))
    return refuse (error, "“ranks” has a 0; ranks begin at 1");
  return TRUE;
}

static gboolean
read_kind (const char *text, LaurelLabelerKind *out, GError **error)
{
  *out = LAUREL_LABELER_PERSON;
  if (text == NULL || g_str_equal (text, "person"))
    return TRUE;
  if (g_str_equal (text, "rules"))
    *out = LAUREL_LABELER_RULES;
  else if (g_str_equal (text, "reward_model"))
    *out = LAUREL_LABELER_REWARD_MODEL;
  else
    return refuse (error, "“labeler_kind” must be person, rules or reward_model");
  return TRUE;
}

/* A task of imported texts; 0 on error. */
static gint64
make_task (Import *self, gint64 prompt_id, const RankingRow *row, GError **error)
{
  gint64 ids[MAX_COMPLETIONS];

  for (int i = 0; i < row->n; i++) {
    g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
    LaurelCompletion completion = { .prompt_id = prompt_id,
                                    .model = (char *) "imported",
                                    .text = (char *) row->texts[i],
                                    .finish = LAUREL_FINISH_STOP,
                                    .temperature = 1,
                                    .top_p = 1 };

    if (self->encode != NULL && !self->encode (row->texts[i], tokens, self->encode_data, error))
      return 0;
    completion.tokens = (gint32 *) (void *) tokens->data;
    completion.n_tokens = (int) tokens->len;
    if (!laurel_store_add_completion (self->store, &completion, error))
      return 0;
    ids[i] = completion.id;
  }
  return laurel_store_add_task (self->store, prompt_id, ids, row->n, 1, row->sampler, error);
}

static gint64
ensure_task (Import *self, const RankingRow *row, GError **error)
{
  g_autoptr (GError) local = NULL;
  gint64 prompt_id = laurel_store_ensure_prompt (self->store, row->prompt, "train", "", error);
  gint64 id = 0;

  if (prompt_id == 0)
    return 0;
  id = laurel_store_find_task (self->store, prompt_id, row->texts, row->n, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  return id != 0 ? id : make_task (self, prompt_id, row, error);
}

static gboolean
save_ranking (Import *self, RankingRow *row, GError **error)
{
  g_autoptr (LaurelTask) task = NULL;
  LaurelRanking ranking = {
    .ranks = row->ranks, .n = row->n, .all_bad = row->all_bad, .comment = (char *) row->comment
  };
  gint64 task_id = ensure_task (self, row, error);

  task = task_id != 0 ? laurel_store_get_task (self->store, task_id, error) : NULL;
  if (task == NULL)
    return FALSE;
  ranking.task_id = task_id;
  ranking.labeler_id = laurel_store_ensure_labeler (self->store, row->labeler, row->kind, error);
  for (int i = 0; i < row->n; i++)
    row->ranks[i].completion_id =
      ((LaurelCompletion *) g_ptr_array_index (task->completions, i))->id;
  return ranking.labeler_id != 0 && laurel_store_add_ranking (self->store, &ranking, error);
}

static gboolean
read_ranking (JsonObject *object, guint line, gpointer user_data, GError **error)
{
  RankingRow row = { .comment = "", .sampler = "import" };
  const char *kind = NULL;

  return get_text (object, "prompt", &row.prompt, error) &&
         get_text (object, "labeler", &row.labeler, error) &&
         laurel_json_get_string (object, "row", "labeler_kind", &kind, error) &&
         read_kind (kind, &row.kind, error) &&
         laurel_json_get_string (object, "row", "comment", &row.comment, error) &&
         laurel_json_get_string (object, "row", "sampler", &row.sampler, error) &&
         laurel_json_get_boolean (object, "row", "all_bad", &row.all_bad, error) &&
         read_texts (object, &row, error) && read_verdict (object, &row, error) &&
         save_ranking (user_data, &row, error);
}

/* --- Files ---------------------------------------------------------------- */

typedef gboolean (*ReadFile) (Import *self, const char *path, GError **error);

static gboolean
read_jsonl (Import *self, const char *path, GError **error)
{
  return laurel_jsonl_foreach (path, import_row, self, self->result->row_errors, error);
}

static GMappedFile *
map_file (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  GMappedFile *map = g_mapped_file_new (path, FALSE, &local);

  if (map == NULL)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not read “%s”: %s; check the path", path, local->message);
  return map;
}

/* One prompt from a file without JSON, through the same door as the others. */
static void
import_prompt (Import *self, guint line, const char *prompt, const char *split, const char *tags)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GError) error = NULL;

  json_object_set_string_member (object, "prompt", prompt);
  if (split != NULL && split[0] != '\0')
    json_object_set_string_member (object, "split", split);
  if (tags != NULL)
    json_object_set_string_member (object, "tags", tags);
  if (!import_row (object, line, self, &error))
    add_row_error (self, line, error->message);
}

static gboolean
read_lines (Import *self, const char *path, GError **error)
{
  g_autoptr (GMappedFile) map = map_file (path, error);
  const char *at, *end;

  if (map == NULL)
    return FALSE;
  at = g_mapped_file_get_contents (map);
  end = at != NULL ? at + g_mapped_file_get_length (map) : NULL;
  if (end - at >= 3 && memcmp (at, "\xef\xbb\xbf", 3) == 0)
    at += 3;
  for (guint line = 1; at < end; line++) {
    const char *newline = memchr (at, '\n', (gsize) (end - at));
    gsize length = (gsize) ((newline != NULL ? newline : end) - at);

    if (!g_utf8_validate_len (at, length, NULL)) {
      add_row_error (self, line, "it is not UTF-8 text");
    } else {
      g_autofree char *prompt = g_strstrip (g_strndup (at, length));

      if (prompt[0] != '\0')
        import_prompt (self, line, prompt, NULL, NULL);
    }
    at += length + 1;
  }
  return TRUE;
}

static int
find_column (GPtrArray *header, const char *name)
{
  for (guint i = 0; i < header->len; i++)
    if (g_ascii_strcasecmp (g_strstrip (g_ptr_array_index (header, i)), name) == 0)
      return (int) i;
  return -1;
}

static const char *
get_field (GPtrArray *fields, int column)
{
  return column >= 0 && (guint) column < fields->len ? g_ptr_array_index (fields, column) : NULL;
}

static gboolean
read_csv_header (LaurelCsv *csv, const char *path, int columns[3], guint *out_n, GError **error)
{
  g_autoptr (GPtrArray) header = g_ptr_array_new_with_free_func (g_free);
  guint line;

  if (laurel_csv_read (csv, header, &line, NULL))
    columns[0] = find_column (header, "prompt");
  if (columns[0] < 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not import “%s”: its first line names no column “prompt”; add a header",
                 path);
    return FALSE;
  }
  columns[1] = find_column (header, "split");
  columns[2] = find_column (header, "tags");
  *out_n = header->len;
  return TRUE;
}

static gboolean
read_csv (Import *self, const char *path, GError **error)
{
  g_autoptr (GMappedFile) map = map_file (path, error);
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (g_free);
  int columns[3] = { -1, -1, -1 };
  const char *text = ""; /* an empty file has no address */
  guint line, n_columns;
  LaurelCsv csv;

  if (map == NULL)
    return FALSE;
  if (g_mapped_file_get_length (map) > 0)
    text = g_mapped_file_get_contents (map);
  laurel_csv_init (&csv, text, g_mapped_file_get_length (map));
  if (!read_csv_header (&csv, path, columns, &n_columns, error))
    return FALSE;
  while (TRUE) {
    g_autoptr (GError) local = NULL;

    if (laurel_csv_read (&csv, fields, &line, &local)) {
      g_autofree char *why = NULL;

      if (fields->len == n_columns) {
        import_prompt (self, line, get_field (fields, columns[0]), get_field (fields, columns[1]),
                       get_field (fields, columns[2]));
        continue;
      }
      why = g_strdup_printf ("it has %u fields, but the header has %u", fields->len, n_columns);
      add_row_error (self, line, why);
    } else if (local != NULL) {
      add_row_error (self, line, local->message);
    } else {
      return TRUE;
    }
  }
}

/* Reads the whole file in one transaction. */
static LaurelImportResult *
run_import (Import *self, ReadFile read_file, const char *path, GError **error)
{
  g_autoptr (LaurelImportResult) result = g_new0 (LaurelImportResult, 1);

  result->row_errors = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_error_free);
  self->result = result;
  if (!laurel_store_begin (self->store, error))
    return NULL;
  if (!read_file (self, path, error)) {
    g_clear_error (&self->fatal);
    laurel_store_rollback (self->store);
    return NULL;
  }
  if (self->fatal != NULL) {
    laurel_store_rollback (self->store);
    g_propagate_prefixed_error (error, g_steal_pointer (&self->fatal),
                                "Could not import “%s”, nothing was imported: ", path);
    return NULL;
  }
  if (!laurel_store_commit (self->store, error))
    return NULL;
  result->n_imported = self->n_accepted;
  return g_steal_pointer (&result);
}

/* Of the accepted rows, only those that made the table longer are new. */
static LaurelImportResult *
set_known (LaurelImportResult *result, gint64 n_before, gint64 n_after)
{
  if (result != NULL && n_before >= 0 && n_after >= n_before) {
    guint n_new = (guint) MIN (n_after - n_before, result->n_imported);

    result->n_known = result->n_imported - n_new;
    result->n_imported = n_new;
  }
  return result;
}

LaurelImportResult *
laurel_import_prompts (LaurelStore *store, const char *path, GError **error)
{
  Import import = { .store = store, .read_row = read_prompt };
  gint64 n_before = laurel_store_count_prompts (store, NULL, NULL, error);
  LaurelImportResult *result;
  ReadFile read_file = read_lines;

  if (n_before < 0)
    return NULL;
  if (g_str_has_suffix (path, ".csv"))
    read_file = read_csv;
  else if (g_str_has_suffix (path, ".jsonl") || g_str_has_suffix (path, ".json"))
    read_file = read_jsonl;
  result = run_import (&import, read_file, path, error);
  return set_known (result, n_before, laurel_store_count_prompts (store, NULL, NULL, NULL));
}

LaurelImportResult *
laurel_import_demonstrations (LaurelStore *store, const char *path, GError **error)
{
  Import import = { .store = store, .read_row = read_demonstration };
  gint64 n_before = laurel_store_count_demonstrations (store, error);
  LaurelImportResult *result;

  if (n_before < 0)
    return NULL;
  result = run_import (&import, read_jsonl, path, error);
  return set_known (result, n_before, laurel_store_count_demonstrations (store, NULL));
}

LaurelImportResult *
laurel_import_rankings (LaurelStore *store,
                        const char *path,
                        LaurelEncodeFunc encode,
                        gpointer user_data,
                        GError **error)
{
  Import import = {
    .store = store, .read_row = read_ranking, .encode = encode, .encode_data = user_data
  };

  return run_import (&import, read_jsonl, path, error);
}
