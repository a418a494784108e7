/* tokenizer_json.c: tokenizer.json, as Hugging Face's tokenizers write it.
 *
 * Read: models BPE (with the ByteLevel pre-tokeniser) and WordPiece (with
 * BertPreTokenizer), added tokens, normalisers. Whatever would change ids and is
 * not implemented here is refused by its name rather than passed over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_files.h"

#include "core/base/json.h"

#include <string.h>

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
  JsonNode *node = part != NULL ? json_object_get_member (part, "type") : NULL;
  const char *type = laurel_tokenizer_get_text (node);

  return type != NULL ? type : "none";
}

static gboolean
check_part (JsonObject *root, const char *member, gboolean may_miss, const char *wanted,
            const char *path, GError **error)
{
  const char *type = get_type (root, member);

  if ((may_miss && is_null (root, member)) || g_str_equal (type, wanted))
    return TRUE;
  return laurel_tokenizer_refuse (
      error, path,
      "its %s has type “%s” and only %s is supported; use a tokenizer like "
      "%s",
      member, type, wanted, g_str_equal (wanted, "ByteLevel") ? "GPT-2's" : "BERT's");
}

static gboolean
read_byte_level (LaurelTokenizer *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *part = get_object (root, "pre_tokenizer");
  gboolean use_regex = TRUE;

  self->add_prefix_space = TRUE;
  if (!check_part (root, "pre_tokenizer", FALSE, "ByteLevel", path, error)
      || !laurel_json_get_boolean (part, path, "add_prefix_space", &self->add_prefix_space, error)
      || !laurel_json_get_boolean (part, path, "use_regex", &use_regex, error))
    return FALSE;
  self->no_regex = !use_regex;
  return check_part (root, "post_processor", TRUE, "ByteLevel", path, error)
         && check_part (root, "decoder", TRUE, "ByteLevel", path, error);
}

static gboolean
read_wordpiece_decoder (LaurelTokenizer *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *decoder = get_object (root, "decoder");
  const char *prefix = self->wordpiece->prefix;

  if (!check_part (root, "decoder", TRUE, "WordPiece", path, error))
    return FALSE;
  if (decoder == NULL)
    return TRUE;
  if (!laurel_json_get_string (decoder, path, "prefix", &prefix, error)
      || !laurel_json_get_boolean (decoder, path, "cleanup", &self->wordpiece->cleanup, error))
    return FALSE;
  if (!g_str_equal (prefix, self->wordpiece->prefix))
    return laurel_tokenizer_refuse (
        error, path, "its decoder has prefix “%s” and its model “%s”; make them agree", prefix,
        self->wordpiece->prefix);
  return TRUE;
}

/* What puts [CLS] and [SEP] around a text has no effect here, see tokenizer.h,
 * but belongs to the tokenizer and is saved again. */
static gboolean
read_post_processor (LaurelTokenizer *self, JsonObject *root, const char *path, GError **error)
{
  const char *type = get_type (root, "post_processor");

  if (is_null (root, "post_processor"))
    return TRUE;
  if (!g_str_equal (type, "TemplateProcessing") && !g_str_equal (type, "BertProcessing"))
    return laurel_tokenizer_refuse (
        error, path,
        "its post_processor has type “%s” and only TemplateProcessing and "
        "BertProcessing are supported; use a tokenizer like BERT's",
        type);
  self->post_processor =
      laurel_json_to_string (json_object_get_member (root, "post_processor"), FALSE);
  return TRUE;
}

/* Truncation and padding are not looked at: they say how a batch was made last
 * time, and transformers sets both anew for every call. */
static gboolean
read_parts (LaurelTokenizer *self, JsonObject *root, const char *path, GError **error)
{
  if (!is_null (root, "normalizer")) {
    self->normalizer =
        laurel_normalizer_parse (json_object_get_member (root, "normalizer"), path, error);
    if (self->normalizer == NULL)
      return FALSE;
  }
  if (self->wordpiece == NULL)
    return read_byte_level (self, root, path, error);
  return check_part (root, "pre_tokenizer", FALSE, "BertPreTokenizer", path, error)
         && read_wordpiece_decoder (self, root, path, error)
         && read_post_processor (self, root, path, error);
}

static gboolean
check_bpe (JsonObject *model, const char *path, GError **error)
{
  static const char *const switches[] = { "byte_fallback", "ignore_merges" };
  static const char *const affixes[] = { "continuing_subword_prefix", "end_of_word_suffix" };
  double dropout = 0.0;

  if (!laurel_json_get_double (model, path, "dropout", &dropout, error))
    return FALSE;
  if (dropout != 0.0)
    return laurel_tokenizer_refuse (
        error, path, "its model has dropout, which is not supported; set it to null");
  for (gsize i = 0; i < G_N_ELEMENTS (switches); i++) {
    gboolean on = FALSE;

    if (!laurel_json_get_boolean (model, path, switches[i], &on, error))
      return FALSE;
    if (on)
      return laurel_tokenizer_refuse (
          error, path,
          "its model has %s, which is not supported; use a tokenizer like "
          "GPT-2's",
          switches[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (affixes); i++) {
    const char *affix = "";

    if (!laurel_json_get_string (model, path, affixes[i], &affix, error))
      return FALSE;
    if (*affix != '\0')
      return laurel_tokenizer_refuse (error, path,
                                      "its model has a %s, which is not supported; use a tokenizer "
                                      "like GPT-2's",
                                      affixes[i]);
  }
  if (get_array (model, "merges") == NULL)
    return laurel_tokenizer_refuse (error, path,
                                    "its model lacks vocab or merges; use a whole file");
  return TRUE;
}

static gboolean
read_wordpiece (LaurelTokenizer *self, JsonObject *model, const char *path, GError **error)
{
  const char *prefix = LAUREL_CONTINUATION;

  if (!laurel_json_get_string (model, path, "continuing_subword_prefix", &prefix, error)
      || !laurel_json_get_int (model, path, "max_input_chars_per_word", 1, G_MAXINT32,
                               &self->wordpiece->max_characters, error))
    return FALSE;
  g_free (self->wordpiece->prefix);
  self->wordpiece->prefix = g_strdup (prefix);
  return TRUE;
}

static LaurelTokenizer *
read_model (JsonObject *model, const char *path, GError **error)
{
  const char *type = "BPE";
  g_autoptr (LaurelTokenizer) self = NULL;

  if (!laurel_json_get_string (model, path, "type", &type, error))
    return NULL;
  if (!g_str_equal (type, "BPE") && !g_str_equal (type, "WordPiece")) {
    laurel_tokenizer_refuse (
        error, path,
        "its model has type “%s” and only BPE and WordPiece are supported; use a "
        "tokenizer like GPT-2's or BERT's",
        type);
    return NULL;
  }
  if (get_object (model, "vocab") == NULL) {
    laurel_tokenizer_refuse (error, path, "its model lacks vocab or merges; use a whole file");
    return NULL;
  }
  self = laurel_tokenizer_new (g_str_equal (type, "BPE") ? LAUREL_TOKENIZER_BPE
                                                         : LAUREL_TOKENIZER_WORDPIECE);
  if (self->wordpiece != NULL ? !read_wordpiece (self, model, path, error)
                              : !check_bpe (model, path, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
find_unknown (LaurelTokenizer *self, JsonObject *model, const char *path, GError **error)
{
  const char *name = LAUREL_UNKNOWN_TOKEN;
  gint64 id;

  if (!laurel_json_get_string (model, path, "unk_token", &name, error))
    return FALSE;
  id = laurel_string_table_find (self->tokens, name, strlen (name));
  if (id < 0)
    return laurel_tokenizer_refuse (
        error, path, "its model's unk_token “%s” is not in the vocabulary; add it", name);
  self->wordpiece->unknown = (gint32) id;
  return TRUE;
}

static gboolean
read_tokens (LaurelTokenizer *self, JsonObject *root, const char *path, GError **error)
{
  JsonObject *model = get_object (root, "model");
  JsonArray *added = get_array (root, "added_tokens");
  g_autoptr (JsonArray) none = json_array_new ();
  g_autoptr (GArray) rows = NULL;

  if (added == NULL && !is_null (root, "added_tokens"))
    return laurel_tokenizer_refuse (error, path, "its added_tokens is not an array; correct it");
  rows =
      laurel_vocab_collect (get_object (model, "vocab"), added != NULL ? added : none, path, error);
  if (rows == NULL || !laurel_vocab_add_rows (self, rows, path, error))
    return FALSE;
  return self->wordpiece != NULL
             ? find_unknown (self, model, path, error)
             : laurel_vocab_add_merges (self, get_array (model, "merges"), path, error);
}

LaurelTokenizer *
laurel_tokenizer_load_json (const char *path, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);
  g_autoptr (LaurelTokenizer) self = NULL;
  JsonObject *root, *model;

  if (node == NULL)
    return NULL;
  root = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  model = root != NULL ? get_object (root, "model") : NULL;
  if (model == NULL) {
    laurel_tokenizer_refuse (error, path,
                             "it holds no model; use a tokenizer.json of type BPE or WordPiece");
    return NULL;
  }
  self = read_model (model, path, error);
  if (self == NULL || !read_parts (self, root, path, error)
      || !read_tokens (self, root, path, error) || !laurel_tokenizer_seal (self, path, error))
    return NULL;
  return g_steal_pointer (&self);
}
