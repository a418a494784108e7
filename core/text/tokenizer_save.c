/* tokenizer_save.c: tokenizers to the files of Hugging Face.
 *
 * The merges of tokenizer.json are written as “a b”, which every version of
 * transformers reads; newer ones would write pairs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_private.h"

#include "core/base/file.h"
#include "core/base/json.h"

#include <string.h>

static void
append_form (GString *form, const LaurelTokenizer *self, guint32 id)
{
  gsize length;
  const char *bytes = laurel_string_table_get (self->tokens, id, &length);

  if (self->wordpiece != NULL
      || (self->flags->data[id] & (LAUREL_TOKEN_SPECIAL | LAUREL_TOKEN_ADDED)) != 0) {
    g_string_append (form, bytes);
    return;
  }
  for (gsize i = 0; i < length; i++)
    g_string_append_unichar (form, laurel_byte_to_character ((guint8) bytes[i]));
}

static JsonObject *
make_vocab (const LaurelTokenizer *self)
{
  JsonObject *vocab = json_object_new ();

  for (guint32 id = 0; id < self->flags->len; id++) {
    g_autoptr (GString) form = g_string_new (NULL);

    append_form (form, self, id);
    json_object_set_int_member (vocab, form->str, id);
  }
  return vocab;
}

static void
append_merge (GString *text, const LaurelTokenizer *self, guint rank)
{
  const LaurelMerge *merge = &g_array_index (self->merges, LaurelMerge, rank);

  append_form (text, self, (guint32) merge->left);
  g_string_append_c (text, ' ');
  append_form (text, self, (guint32) merge->right);
}

static JsonObject *
make_wordpiece (const LaurelTokenizer *self)
{
  JsonObject *model = json_object_new ();
  guint32 unknown = (guint32) self->wordpiece->unknown;

  json_object_set_string_member (model, "type", "WordPiece");
  json_object_set_string_member (model, "unk_token",
                                 laurel_string_table_get (self->tokens, unknown, NULL));
  json_object_set_string_member (model, "continuing_subword_prefix", self->wordpiece->prefix);
  json_object_set_int_member (model, "max_input_chars_per_word", self->wordpiece->max_characters);
  json_object_set_object_member (model, "vocab", make_vocab (self));
  return model;
}

static JsonObject *
make_bpe (const LaurelTokenizer *self)
{
  JsonObject *model = json_object_new ();
  JsonArray *merges = json_array_new ();

  for (guint rank = 0; rank < self->merges->len; rank++) {
    g_autoptr (GString) merge = g_string_new (NULL);

    append_merge (merge, self, rank);
    json_array_add_string_element (merges, merge->str);
  }
  json_object_set_string_member (model, "type", "BPE");
  json_object_set_null_member (model, "dropout");
  json_object_set_null_member (model, "unk_token");
  json_object_set_string_member (model, "continuing_subword_prefix", "");
  json_object_set_string_member (model, "end_of_word_suffix", "");
  json_object_set_boolean_member (model, "fuse_unk", FALSE);
  json_object_set_boolean_member (model, "byte_fallback", FALSE);
  json_object_set_object_member (model, "vocab", make_vocab (self));
  json_object_set_array_member (model, "merges", merges);
  return model;
}

static JsonArray *
make_added_tokens (const LaurelTokenizer *self)
{
  static const struct {
    const char *name;
    guint flag;
  } members[] = {
    { "single_word", LAUREL_ADDED_SINGLE_WORD }, { "lstrip", LAUREL_ADDED_LSTRIP },
    { "rstrip", LAUREL_ADDED_RSTRIP },           { "normalized", LAUREL_ADDED_NORMALIZED },
    { "special", LAUREL_ADDED_SPECIAL },
  };
  JsonArray *added = json_array_new ();

  for (guint i = 0; i < self->added->len; i++) {
    const LaurelAddedToken *token = &g_array_index (self->added, LaurelAddedToken, i);
    JsonObject *object = json_object_new ();

    json_object_set_int_member (object, "id", token->id);
    json_object_set_string_member (object, "content", token->content);
    for (gsize m = 0; m < G_N_ELEMENTS (members); m++)
      json_object_set_boolean_member (object, members[m].name,
                                      (token->flags & members[m].flag) != 0);
    json_array_add_object_element (added, object);
  }
  return added;
}

static JsonObject *
make_byte_level (const LaurelTokenizer *self, gboolean trim_offsets)
{
  JsonObject *part = json_object_new ();

  json_object_set_string_member (part, "type", "ByteLevel");
  json_object_set_boolean_member (part, "add_prefix_space", self->add_prefix_space);
  json_object_set_boolean_member (part, "trim_offsets", trim_offsets);
  json_object_set_boolean_member (part, "use_regex", !self->no_regex);
  return part;
}

static void
add_bpe_parts (const LaurelTokenizer *self, JsonObject *root)
{
  json_object_set_object_member (root, "pre_tokenizer", make_byte_level (self, TRUE));
  json_object_set_object_member (root, "post_processor", make_byte_level (self, FALSE));
  json_object_set_object_member (root, "decoder", make_byte_level (self, TRUE));
  json_object_set_object_member (root, "model", make_bpe (self));
}

static void
add_wordpiece_parts (const LaurelTokenizer *self, JsonObject *root)
{
  JsonObject *pre_tokenizer = json_object_new (), *decoder = json_object_new ();

  json_object_set_string_member (pre_tokenizer, "type", "BertPreTokenizer");
  json_object_set_string_member (decoder, "type", "WordPiece");
  json_object_set_string_member (decoder, "prefix", self->wordpiece->prefix);
  json_object_set_boolean_member (decoder, "cleanup", self->wordpiece->cleanup);
  json_object_set_object_member (root, "pre_tokenizer", pre_tokenizer);
  if (self->post_processor != NULL)
    json_object_set_member (root, "post_processor", json_from_string (self->post_processor, NULL));
  else
    json_object_set_null_member (root, "post_processor");
  json_object_set_object_member (root, "decoder", decoder);
  json_object_set_object_member (root, "model", make_wordpiece (self));
}

static JsonObject *
make_tokenizer (const LaurelTokenizer *self)
{
  JsonObject *root = json_object_new ();

  json_object_set_string_member (root, "version", "1.0");
  json_object_set_null_member (root, "truncation");
  json_object_set_null_member (root, "padding");
  json_object_set_array_member (root, "added_tokens", make_added_tokens (self));
  if (self->normalizer != NULL)
    json_object_set_member (root, "normalizer", laurel_normalizer_to_json (self->normalizer));
  else
    json_object_set_null_member (root, "normalizer");
  if (self->wordpiece != NULL)
    add_wordpiece_parts (self, root);
  else
    add_bpe_parts (self, root);
  return root;
}

/* What vocab.txt alone leaves open. */
static void
add_bert_config (const LaurelTokenizer *self, JsonObject *config)
{
  static const char *const names[][2] = { { "lowercase", "do_lower_case" },
                                          { "strip_accents", "strip_accents" },
                                          { "handle_chinese_chars", "tokenize_chinese_chars" } };
  static const char *const roles[][2] = { { "unk_token", LAUREL_UNKNOWN_TOKEN },
                                          { "pad_token", "[PAD]" },
                                          { "cls_token", "[CLS]" },
                                          { "sep_token", "[SEP]" },
                                          { "mask_token", "[MASK]" } };
  g_autoptr (JsonNode) node =
      self->normalizer != NULL ? laurel_normalizer_to_json (self->normalizer) : NULL;

  for (gsize i = 0; node != NULL && i < G_N_ELEMENTS (names); i++) {
    JsonNode *value = json_object_get_member (json_node_get_object (node), names[i][0]);

    if (value != NULL)
      json_object_set_member (config, names[i][1], json_node_copy (value));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (roles); i++)
    if (laurel_string_table_find (self->tokens, roles[i][1], strlen (roles[i][1])) >= 0)
      json_object_set_string_member (config, roles[i][0], roles[i][1]);
}

/* transformers' GPT-2 class adds <|endoftext|> to a vocabulary that lacks it, and
 * its BERT class makes its own normaliser, so such tokenizers name the general class. */
static JsonObject *
make_config (const LaurelTokenizer *self)
{
  static const char *const roles[] = { "bos_token", "eos_token", "unk_token" };
  gboolean general = self->end_of_text < 0 || self->wordpiece != NULL;
  const char *class_name = general ? "PreTrainedTokenizerFast" : "GPT2Tokenizer";
  JsonObject *config = json_object_new ();

  if (self->wordpiece == NULL)
    json_object_set_boolean_member (config, "add_prefix_space", self->add_prefix_space);
  for (gsize i = 0; self->end_of_text >= 0 && i < G_N_ELEMENTS (roles); i++)
    json_object_set_string_member (config, roles[i], LAUREL_END_OF_TEXT);
  if (self->wordpiece != NULL)
    add_bert_config (self, config);
  json_object_set_boolean_member (config, "clean_up_tokenization_spaces", FALSE);
  json_object_set_string_member (config, "tokenizer_class", class_name);
  return config;
}

static gboolean
write_json (const char *dir, const char *name, JsonObject *take_object, gboolean pretty,
            GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_take_object (node, take_object);
  text = laurel_json_to_string (node, pretty);
  return laurel_file_write (path, text, strlen (text), error);
}

static gboolean
write_merges (const LaurelTokenizer *self, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, LAUREL_MERGES_FILE, NULL);
  g_autoptr (GString) text = g_string_new ("#version: 0.2\n");

  for (guint rank = 0; rank < self->merges->len; rank++) {
    append_merge (text, self, rank);
    g_string_append_c (text, '\n');
  }
  return laurel_file_write (path, text->str, text->len, error);
}

/* One token a line, in the order of their ids. Not written when a token has a
 * line break of its own, which only tokenizer.json can say. */
static gboolean
write_words (const LaurelTokenizer *self, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, LAUREL_WORDS_FILE, NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint32 id = 0; id < self->flags->len; id++) {
    const char *form = laurel_string_table_get (self->tokens, id, NULL);

    if (strpbrk (form, "\r\n") != NULL)
      return TRUE;
    g_string_append (text, form);
    g_string_append_c (text, '\n');
  }
  return laurel_file_write (path, text->str, text->len, error);
}

static gboolean
write_vocabulary (const LaurelTokenizer *self, const char *dir, GError **error)
{
  if (self->wordpiece != NULL)
    return write_words (self, dir, error);
  return write_json (dir, LAUREL_VOCAB_FILE, make_vocab (self), FALSE, error)
         && write_merges (self, dir, error);
}

gboolean
laurel_tokenizer_save (const LaurelTokenizer *self, const char *dir, GError **error)
{
  return laurel_file_make_directory (dir, error) && write_vocabulary (self, dir, error)
         && write_json (dir, LAUREL_TOKENIZER_CONFIG_FILE, make_config (self), TRUE, error)
         && write_json (dir, LAUREL_TOKENIZER_FILE, make_tokenizer (self), TRUE, error);
}
