/* tokenizer_vocab.c: the rows and merges of a tokenizer, whichever file they stand in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_files.h"

#include "core/base/error.h"
#include "core/base/json.h"

#include <string.h>

/* Looking for one is at most this much work at each place of a text. */
#define MAX_ADDED_BYTES 512

gboolean
laurel_tokenizer_refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "Could not read “%s”: %s", path,
               reason);
  return FALSE;
}

const char *
laurel_tokenizer_get_text (JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

/* The bytes that a token's printable form stands for, or NULL. */
static GString *
parse_token (const char *form, gsize length)
{
  g_autoptr (GString) bytes = g_string_sized_new (length);
  const char *end = form + length;

  for (; form < end; form = g_utf8_next_char (form)) {
    int byte = laurel_byte_from_character (g_utf8_get_char (form));

    if (byte < 0)
      return NULL;
    g_string_append_c (bytes, (char) byte);
  }
  return g_steal_pointer (&bytes);
}

static gboolean
place_row (GArray *rows, const char *path, const char *form, JsonNode *id_node, GError **error)
{
  gint64 id = -1;
  LaurelVocabRow *row;

  if (JSON_NODE_HOLDS_VALUE (id_node) && json_node_get_value_type (id_node) == G_TYPE_INT64)
    id = json_node_get_int (id_node);
  if (id < 0)
    return laurel_tokenizer_refuse (
        error, path, "the id of token “%s” is no whole number from 0; correct it", form);
  if (id >= rows->len)
    return laurel_tokenizer_refuse (error, path,
                                    "token “%s” has id %" G_GINT64_FORMAT
                                    " but there are only %u tokens, so ids are missing before it; "
                                    "number them without gaps",
                                    form, id, rows->len);
  row = &g_array_index (rows, LaurelVocabRow, id);
  if (row->form != NULL)
    return laurel_tokenizer_refuse (error, path,
                                    "tokens “%s” and “%s” have the same id %" G_GINT64_FORMAT
                                    "; give each its own",
                                    row->form, form, id);
  row->form = form;
  return TRUE;
}

static gboolean
read_added_flags (JsonObject *added, const char *path, guint *out_flags, GError **error)
{
  static const char *const names[] = { "special", "single_word", "lstrip", "rstrip" };
  static const guint values[] = { LAUREL_ADDED_SPECIAL, LAUREL_ADDED_SINGLE_WORD,
                                  LAUREL_ADDED_LSTRIP, LAUREL_ADDED_RSTRIP };
  gboolean on;

  *out_flags = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    on = FALSE;
    if (!laurel_json_get_boolean (added, path, names[i], &on, error))
      return FALSE;
    if (on)
      *out_flags |= values[i];
  }
  on = (*out_flags & LAUREL_ADDED_SPECIAL) == 0;
  if (!laurel_json_get_boolean (added, path, "normalized", &on, error))
    return FALSE;
  if (on)
    *out_flags |= LAUREL_ADDED_NORMALIZED;
  return TRUE;
}

/* Puts one of added_tokens in its row, or marks the row it already has. */
static gboolean
add_added_row (GArray *rows, const char *path, JsonObject *vocab, JsonObject *added, GError **error)
{
  const char *form = NULL;
  gint64 id = -1;
  LaurelVocabRow *row;
  guint flags;

  if (!laurel_json_get_string (added, path, "content", &form, error)
      || !laurel_json_get_int (added, path, "id", 0, G_MAXINT32, &id, error)
      || !read_added_flags (added, path, &flags, error))
    return FALSE;
  if (form == NULL || *form == '\0' || id < 0)
    return laurel_tokenizer_refuse (error, path,
                                    "one of added_tokens lacks its id or content; add it");
  if (strlen (form) > MAX_ADDED_BYTES)
    return laurel_tokenizer_refuse (
        error, path, "added token %" G_GINT64_FORMAT " is longer than %d bytes; remove it", id,
        MAX_ADDED_BYTES);
  if (!json_object_has_member (vocab, form)
      && !place_row (rows, path, form, json_object_get_member (added, "id"), error))
    return FALSE;
  row = id < rows->len ? &g_array_index (rows, LaurelVocabRow, id) : NULL;
  if (row == NULL || g_strcmp0 (row->form, form) != 0)
    return laurel_tokenizer_refuse (error, path,
                                    "added token “%s” has another id in the vocabulary; make them "
                                    "agree",
                                    form);
  row->added = TRUE;
  row->flags = flags;
  return TRUE;
}

static gboolean
check_added (JsonArray *added, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (added); i++)
    if (!JSON_NODE_HOLDS_OBJECT (json_array_get_element (added, i)))
      return laurel_tokenizer_refuse (
          error, path, "entry %u of added_tokens is not an object; correct it", i + 1);
  return TRUE;
}

static guint
count_rows (JsonObject *vocab, JsonArray *added)
{
  guint n = json_object_get_size (vocab);

  for (guint i = 0; i < json_array_get_length (added); i++) {
    JsonObject *token = json_array_get_object_element (added, i);
    const char *form = laurel_tokenizer_get_text (json_object_get_member (token, "content"));

    n += form == NULL || !json_object_has_member (vocab, form);
  }
  return n;
}

/* The rows of the vocabulary in the order of their ids, or NULL. */
GArray *
laurel_vocab_collect (JsonObject *vocab, JsonArray *added, const char *path, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (LaurelVocabRow));
  JsonObjectIter iter;
  const char *form;
  JsonNode *id;

  if (!check_added (added, path, error))
    return NULL;
  g_array_set_size (rows, count_rows (vocab, added));
  json_object_iter_init (&iter, vocab);
  while (json_object_iter_next (&iter, &form, &id))
    if (!place_row (rows, path, form, id, error))
      return NULL;
  for (guint i = 0; i < json_array_get_length (added); i++)
    if (!add_added_row (rows, path, vocab, json_array_get_object_element (added, i), error))
      return NULL;
  return g_steal_pointer (&rows);
}

/* The bytes or the form that a row's token goes by, or NULL. */
static GString *
read_row (const LaurelTokenizer *self, const LaurelVocabRow *row)
{
  if (row->added || self->wordpiece != NULL)
    return g_string_new (row->form);
  return parse_token (row->form, strlen (row->form));
}

/* Every row is filled: there are as many as tokens, and no two took the same. */
gboolean
laurel_vocab_add_rows (LaurelTokenizer *self, GArray *rows, const char *path, GError **error)
{
  for (guint id = 0; id < rows->len; id++) {
    const LaurelVocabRow *row = &g_array_index (rows, LaurelVocabRow, id);
    g_autoptr (GString) bytes = read_row (self, row);

    if (bytes == NULL || bytes->len == 0)
      return laurel_tokenizer_refuse (
          error, path,
          "token “%s” (id %u) is not in byte-level form; use a byte-level "
          "vocabulary",
          row->form, id);
    if (!laurel_tokenizer_add_token (self, bytes->str, bytes->len, FALSE))
      return laurel_tokenizer_refuse (
          error, path,
          "token “%s” (id %u) stands for what another token stands for; "
          "remove one",
          row->form, id);
    if (row->added)
      laurel_tokenizer_mark_added (self, (gint32) id, row->flags);
  }
  return TRUE;
}

static gint64
find_form (const LaurelTokenizer *self, const GString *bytes)
{
  gint64 id = laurel_string_table_find (self->tokens, bytes->str, bytes->len);

  return id >= 0 && (self->flags->data[id] & LAUREL_TOKEN_SPECIAL) == 0 ? id : -1;
}

/* @where names the place of the merge: “line 3” or “merge 2”. */
static gboolean
add_merge (LaurelTokenizer *self, const char *left, gsize n_left, const char *right, gsize n_right,
           const char *path, const char *where, GError **error)
{
  g_autoptr (GString) left_bytes = parse_token (left, n_left);
  g_autoptr (GString) right_bytes = parse_token (right, n_right);
  gint64 left_id, right_id, result;
  LaurelMerge merge;

  if (n_left == 0 || n_right == 0 || left_bytes == NULL || right_bytes == NULL)
    return laurel_tokenizer_refuse (
        error, path, "%s is not two tokens with a space between them; correct it", where);
  left_id = find_form (self, left_bytes);
  right_id = find_form (self, right_bytes);
  g_string_append_len (left_bytes, right_bytes->str, (gssize) right_bytes->len);
  result = find_form (self, left_bytes);
  if (left_id < 0 || right_id < 0 || result < 0)
    return laurel_tokenizer_refuse (error, path,
                                    "%s merges “%.*s” and “%.*s”, but the vocabulary lacks %s; "
                                    "use the vocabulary that belongs to these merges",
                                    where, (int) n_left, left, (int) n_right, right,
                                    left_id < 0    ? "the first"
                                    : right_id < 0 ? "the second"
                                                   : "what they make");
  merge = (LaurelMerge){ (gint32) left_id, (gint32) right_id, (gint32) result };
  if (!laurel_tokenizer_add_merge (self, merge))
    return laurel_tokenizer_refuse (error, path, "%s repeats an earlier merge; remove it", where);
  return TRUE;
}

static gboolean
add_merge_line (LaurelTokenizer *self, const char *line, gsize length, const char *path,
                const char *where, GError **error)
{
  const char *space = memchr (line, ' ', length);

  if (space == NULL)
    return laurel_tokenizer_refuse (
        error, path, "%s is not two tokens with a space between them; correct it", where);
  return add_merge (self, line, (gsize) (space - line), space + 1,
                    length - (gsize) (space - line) - 1, path, where, error);
}

gboolean
laurel_vocab_add_merge_lines (LaurelTokenizer *self, const char *text, const char *path,
                              GError **error)
{
  for (guint number = 1; *text != '\0'; number++) {
    gsize length = strcspn (text, "\n");
    gsize n = length > 0 && text[length - 1] == '\r' ? length - 1 : length;
    gboolean last = text[length] == '\0' || text[length + 1] == '\0';
    g_autofree char *where = g_strdup_printf ("line %u", number);

    if (!(number == 1 && g_str_has_prefix (text, "#version")) && !(n == 0 && last)
        && !add_merge_line (self, text, n, path, where, error))
      return FALSE;
    text += length + (text[length] == '\n');
  }
  return TRUE;
}

/* Merges of tokenizer.json: “a b” in older files, ["a", "b"] in newer ones. */
gboolean
laurel_vocab_add_merges (LaurelTokenizer *self, JsonArray *merges, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (merges); i++) {
    JsonNode *node = json_array_get_element (merges, i);
    g_autofree char *where = g_strdup_printf ("merge %u", i + 1);
    const char *left = NULL, *right = NULL;
    gboolean added;

    if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 2) {
      left = laurel_tokenizer_get_text (json_array_get_element (json_node_get_array (node), 0));
      right = laurel_tokenizer_get_text (json_array_get_element (json_node_get_array (node), 1));
    } else {
      left = laurel_tokenizer_get_text (node);
    }
    if (left == NULL || (right == NULL && JSON_NODE_HOLDS_ARRAY (node)))
      return laurel_tokenizer_refuse (error, path, "%s is not two tokens; correct it", where);
    if (right != NULL)
      added = add_merge (self, left, strlen (left), right, strlen (right), path, where, error);
    else
      added = add_merge_line (self, left, strlen (left), path, where, error);
    if (!added)
      return FALSE;
  }
  return TRUE;
}
