/* tokenizer_files.c: tokenizers from the files of Hugging Face.
 *
 * Read: tokenizer.json of type BPE with the ByteLevel pre-tokeniser, or GPT-2's
 * vocab.json with merges.txt. Whatever would change ids and is not implemented
 * here is refused by its name rather than passed over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

#define ADDED_FILE "added_tokens.json"

G_GNUC_PRINTF (3, 4)
static gboolean
refuse (GError **error, const char *path, const char *format, ...)
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

/* The text of @node, or NULL when it is something else. */
static const char *
get_text (JsonNode *node)
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

/* One row of a vocabulary file: @form borrows from the JSON. */
typedef struct {
  const char *form;
  gboolean special;
} Row;

static gboolean
place_row (GArray *rows, const char *path, const char *form, JsonNode *id_node, GError **error)
{
  gint64 id = -1;
  Row *row;

  if (JSON_NODE_HOLDS_VALUE (id_node) && json_node_get_value_type (id_node) == G_TYPE_INT64)
    id = json_node_get_int (id_node);
  if (id < 0)
    return refuse (error, path, "the id of token “%s” is no whole number from 0; correct it", form);
  if (id >= rows->len)
    return refuse (error, path, "token “%s” has id %" G_GINT64_FORMAT
                                " but there are only %u tokens, so ids are missing before it; "
                                "number them without gaps",
                   form, id, rows->len);
  row = &g_array_index (rows, Row, id);
  if (row->form != NULL)
    return refuse (error, path, "tokens “%s” and “%s” have the same id %" G_GINT64_FORMAT
                                "; give each its own",
                   row->form, form, id);
  row->form = form;
  return TRUE;
}

/* Puts one of added_tokens in its row, or marks the row it already has. */
static gboolean
add_special_row (GArray *rows, const char *path, JsonObject *vocab, JsonObject *added,
                 GError **error)
{
  const char *form = NULL;
  gboolean special = FALSE;
  gint64 id = -1;

  if (!laurel_json_get_string (added, path, "content", &form, error)
      || !laurel_json_get_boolean (added, path, "special", &special, error)
      || !laurel_json_get_int (added, path, "id", 0, G_MAXINT32, &id, error))
    return FALSE;
  if (form == NULL || *form == '\0' || id < 0)
    return refuse (error, path, "one of added_tokens lacks its id or content; add it");
  if (!special)
    return refuse (error, path, "added token “%s” is not special, and only special ones are "
                                "supported; make it special or remove it",
                   form);
  if (!json_object_has_member (vocab, form)
      && !place_row (rows, path, form, json_object_get_member (added, "id"), error))
    return FALSE;
  if (id >= rows->len || g_strcmp0 (g_array_index (rows, Row, id).form, form) != 0)
    return refuse (error, path, "added token “%s” has another id in the vocabulary; make them "
                                "agree",
                   form);
  g_array_index (rows, Row, id).special = TRUE;
  return TRUE;
}

static gboolean
check_added (JsonArray *added, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (added); i++)
    if (!JSON_NODE_HOLDS_OBJECT (json_array_get_element (added, i)))
      return refuse (error, path, "entry %u of added_tokens is not an object; correct it", i + 1);
  return TRUE;
}

static guint
count_rows (JsonObject *vocab, JsonArray *added)
{
  guint n = json_object_get_size (vocab);

  for (guint i = 0; i < json_array_get_length (added); i++) {
    JsonObject *token = json_array_get_object_element (added, i);
    const char *form = get_text (json_object_get_member (token, "content"));

    n += form == NULL || !json_object_has_member (vocab, form);
  }
  return n;
}

/* The rows of the vocabulary in the order of their ids, or NULL. */
static GArray *
collect_rows (JsonObject *vocab, JsonArray *added, const char *path, GError **error)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (Row));
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
    if (!add_special_row (rows, path, vocab, json_array_get_object_element (added, i), error))
      return NULL;
  return g_steal_pointer (&rows);
}

/* Every row is filled: there are as many as tokens, and no two took the same. */
static gboolean
add_rows (LaurelTokenizer *self, GArray *rows, const char *path, GError **error)
{
  for (guint id = 0; id < rows->len; id++) {
    const Row *row = &g_array_index (rows, Row, id);
    g_autoptr (GString) bytes = NULL;

    bytes = row->special ? g_string_new (row->form) : parse_token (row->form, strlen (row->form));
    if (bytes == NULL || bytes->len == 0)
      return refuse (error, path, "token “%s” (id %u) is not in byte-level form; use a byte-level "
                                  "vocabulary",
                     row->form, id);
    if (!laurel_tokenizer_add_token (self, bytes->str, bytes->len, row->special))
      return refuse (error, path, "token “%s” (id %u) stands for what another token stands for; "
                                  "remove one",
                     row->form, id);
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
    return refuse (error, path, "%s is not two tokens with a space between them; correct it",
                   where);
  left_id = find_form (self, left_bytes);
  right_id = find_form (self, right_bytes);
  g_string_append_len (left_bytes, right_bytes->str, (gssize) right_bytes->len);
  result = find_form (self, left_bytes);
  if (left_id < 0 || right_id < 0 || result < 0)
    return refuse (error, path, "%s merges “%.*s” and “%.*s”, but the vocabulary lacks %s; "
                                "use the vocabulary that belongs to these merges",
                   where, (int) n_left, left, (int) n_right, right,
                   left_id < 0 ? "the first" : right_id < 0 ? "the second" : "what they make");
  merge = (LaurelMerge) { (gint32) left_id, (gint32) right_id, (gint32) result };
  if (!laurel_tokenizer_add_merge (self, merge))
    return refuse (error, path, "%s repeats an earlier merge; remove it", where);
  return TRUE;
}

static gboolean
add_merge_line (LaurelTokenizer *self, const char *line, gsize length, const char *path,
                const char *where, GError **error)
{
  const char *space = memchr (line, ' ', length);

  if (space == NULL)
    return refuse (error, path, "%s is not two tokens with a space between them; correct it",
                   where);
  return add_merge (self, line, (gsize) (space - line), space + 1,
                    length - (gsize) (space - line) - 1,
                    path, where, error);
}

static gboolean
add_merge_lines (LaurelTokenizer *self, const char *text, const char *path, GError **error)
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
static gboolean
add_merge_array (LaurelTokenizer *self, JsonArray *merges, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (merges); i++) {
    JsonNode *node = json_array_get_element (merges, i);
    g_autofree char *where = g_strdup_printf ("merge %u", i + 1);
    const char *left = NULL, *right = NULL;
    gboolean added;

    if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 2) {
      left = get_text (json_array_get_element (json_node_get_array (node), 0));
      right = get_text (json_array_get_element (json_node_get_array (node), 1));
    } else {
      left = get_text (node);
    }
    if (left == NULL || (right == NULL && JSON_NODE_HOLDS_ARRAY (node)))
      return refuse (error, path, "%s is not two tokens; correct it", where);
    if (right != NULL)
      added = add_merge (self, left, strlen (left), right, strlen (right), path, where, error);
    else
      added = add_merge_line (self, left, strlen (left), path, where, error);
    if (!added)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_null (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node == NULL || JSON_NODE_HOLDS_NULL (node);
}

/* The object @member of @object; NULL when it is none. */
static JsonObject *
get_object (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static JsonArray *
get_array (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* The “type” of the object @member, or “none”. */
static const char *
get_type (JsonObject *object, const char *member)
{
  JsonObject *part = get_object (object, member);
  const char *type = part != NULL ? get_text (json_object_get_member (part, "type")) : NULL;

  return type != NULL ? type : "none";
}

static gboolean
check_part (JsonObject *root, const char *member, gboolean may_miss, const char *path,
            GError **error)
{
  const char *type = get_type (root, member);

  if ((may_miss && is_null (root, member)) || g_str_equal (type, "ByteLevel"))
    return TRUE;
  return refuse (error, path, "its %s has type “%s” and only ByteLevel is supported; use a "
                              "tokenizer like GPT-2's",
                 member, type);
}

static gboolean
check_pre_tokenizer (JsonObject *root, const char *path, GError **error)
{
  JsonObject *part = get_object (root, "pre_tokenizer");
  gboolean add_prefix_space = TRUE, use_regex = TRUE;

  if (!check_part (root, "pre_tokenizer", FALSE, path, error)
      || !laurel_json_get_boolean (part, path, "add_prefix_space", &add_prefix_space, error)
      || !laurel_json_get_boolean (part, path, "use_regex", &use_regex, error))
    return FALSE;
  if (add_prefix_space)
    return refuse (error, path, "its pre_tokenizer has add_prefix_space true and only false is "
                                "supported; use a tokenizer like GPT-2's");
  if (!use_regex)
    return refuse (error, path, "its pre_tokenizer has use_regex false and only true is supported; "
                                "use a tokenizer like GPT-2's");
  return TRUE;
}

/* Truncation and padding are not looked at: they say how a batch was made last
 * time, and transformers sets both anew for every call. */
static gboolean
check_parts (JsonObject *root, const char *path, GError **error)
{
  if (!is_null (root, "normalizer"))
    return refuse (error, path, "its normalizer of type “%s” is not supported; use a tokenizer "
                                "without one",
                   get_type (root, "normalizer"));
  return check_pre_tokenizer (root, path, error)
         && check_part (root, "post_processor", TRUE, path, error)
         && check_part (root, "decoder", TRUE, path, error);
}

static gboolean
check_model (JsonObject *model, const char *path, GError **error)
{
  static const char *const switches[] = { "byte_fallback", "ignore_merges" };
  static const char *const affixes[] = { "continuing_subword_prefix", "end_of_word_suffix" };
  const char *type = "BPE";
  double dropout = 0.0;

  if (!laurel_json_get_string (model, path, "type", &type, error)
      || !laurel_json_get_double (model, path, "dropout", &dropout, error))
    return FALSE;
  if (!g_str_equal (type, "BPE"))
    return refuse (error, path, "its model has type “%s” and only BPE is supported; use a "
                                "tokenizer like GPT-2's",
                   type);
  if (dropout != 0.0)
    return refuse (error, path, "its model has dropout, which is not supported; set it to null");
  for (gsize i = 0; i < G_N_ELEMENTS (switches); i++) {
    gboolean on = FALSE;

    if (!laurel_json_get_boolean (model, path, switches[i], &on, error))
      return FALSE;
    if (on)
      return refuse (error, path, "its model has %s, which is not supported; use a tokenizer like "
                                  "GPT-2's",
                     switches[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (affixes); i++) {
    const char *affix = "";

    if (!laurel_json_get_string (model, path, affixes[i], &affix, error))
      return FALSE;
    if (*affix != '\0')
      return refuse (error, path, "its model has a %s, which is not supported; use a tokenizer "
                                  "like GPT-2's",
                     affixes[i]);
  }
  if (get_object (model, "vocab") == NULL || get_array (model, "merges") == NULL)
    return refuse (error, path, "its model lacks vocab or merges; use a whole file");
  return TRUE;
}

static LaurelTokenizer *
load_tokenizer_json (const char *path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);
  g_autoptr (LaurelTokenizer) self = laurel_tokenizer_new ();
  g_autoptr (JsonArray) none = json_array_new ();
  g_autoptr (GArray) rows = NULL;
  JsonObject *root, *model;
  JsonArray *added;

  if (node == NULL)
    return NULL;
  root = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  model = root != NULL ? get_object (root, "model") : NULL;
  if (model == NULL) {
    refuse (error, path, "it holds no model; use a tokenizer.json of type BPE");
    return NULL;
  }
  if (!check_model (model, path, error) || !check_parts (root, path, error))
    return NULL;
  added = get_array (root, "added_tokens");
  if (added == NULL && !is_null (root, "added_tokens")) {
    refuse (error, path, "its added_tokens is not an array; correct it");
    return NULL;
  }
  rows = collect_rows (get_object (model, "vocab"), added != NULL ? added : none, path, error);
  if (rows == NULL || !add_rows (self, rows, path, error)
      || !add_merge_array (self, get_array (model, "merges"), path, error)
      || !laurel_tokenizer_seal (self, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* merges.txt has no end mark; a token that nothing makes shows that it was cut. */
static gboolean
check_reached (const LaurelTokenizer *self, const char *path, GError **error)
{
  for (guint32 id = 0; id < self->flags->len; id++) {
    gsize length;

    laurel_string_table_get (self->tokens, id, &length);
    if (length > 1 && (self->flags->data[id] & (LAUREL_TOKEN_SPECIAL | LAUREL_TOKEN_MERGED)) == 0) {
      g_autofree char *label = laurel_tokenizer_label (self, (int) id);

      return refuse (error, path, "no merge makes token “%s” (id %u), so the file may have been "
                                  "cut short; use the whole file",
                     label, id);
    }
  }
  return TRUE;
}

static LaurelTokenizer *
load_vocab_and_merges (const char *vocab_path, const char *merges_path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (vocab_path, error);
  g_autofree char *merges = node != NULL ? laurel_file_read_text (merges_path, NULL, error) : NULL;
  g_autoptr (LaurelTokenizer) self = laurel_tokenizer_new ();
  g_autoptr (JsonArray) none = json_array_new ();
  g_autoptr (GArray) rows = NULL;

  if (merges == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    refuse (error, vocab_path, "it is not a JSON object of tokens and ids; use GPT-2's form");
    return NULL;
  }
  rows = collect_rows (json_node_get_object (node), none, vocab_path, error);
  if (rows == NULL)
    return NULL;
  for (guint id = 0; id < rows->len; id++)
    if (g_strcmp0 (g_array_index (rows, Row, id).form, LAUREL_END_OF_TEXT) == 0)
      g_array_index (rows, Row, id).special = TRUE;
  if (!add_rows (self, rows, vocab_path, error)
      || !add_merge_lines (self, merges, merges_path, error)
      || !check_reached (self, merges_path, error)
      || !laurel_tokenizer_seal (self, vocab_path, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* transformers lets this file override tokenizer.json. */
static gboolean
check_config (const char *path, GError **error)
{
  static const char *const switches[] = { "add_prefix_space", "add_bos_token" };
  g_autoptr (JsonNode) node = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  node = laurel_json_load (path, error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, path, "it is not a JSON object; correct it");
  for (gsize i = 0; i < G_N_ELEMENTS (switches); i++) {
    gboolean on = FALSE;

    if (!laurel_json_get_boolean (json_node_get_object (node), path, switches[i], &on, error))
      return FALSE;
    if (on)
      return refuse (error, path, "it has %s, which is not supported; set it to false",
                     switches[i]);
  }
  return TRUE;
}

LaurelTokenizer *
laurel_tokenizer_load (const char *dir, GError **error)
{
  g_autofree char *tokenizer_path = g_build_filename (dir, LAUREL_TOKENIZER_FILE, NULL);
  g_autofree char *vocab_path = g_build_filename (dir, LAUREL_VOCAB_FILE, NULL);
  g_autofree char *merges_path = g_build_filename (dir, LAUREL_MERGES_FILE, NULL);
  g_autofree char *added_path = g_build_filename (dir, ADDED_FILE, NULL);
  g_autofree char *config_path = g_build_filename (dir, LAUREL_TOKENIZER_CONFIG_FILE, NULL);

  if (!check_config (config_path, error))
    return NULL;
  if (g_file_test (tokenizer_path, G_FILE_TEST_EXISTS))
    return load_tokenizer_json (tokenizer_path, error);
  if (!g_file_test (vocab_path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not read a tokenizer from “%s”: it holds neither tokenizer.json nor "
                 "vocab.json with merges.txt; choose a folder that does",
                 dir);
    return NULL;
  }
  if (g_file_test (added_path, G_FILE_TEST_EXISTS)) {
    refuse (error, added_path, "added tokens are read from tokenizer.json only; save the tokenizer "
                               "in that form");
    return NULL;
  }
  return load_vocab_and_merges (vocab_path, merges_path, error);
}
