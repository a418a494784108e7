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

  if ((self->flags->data[id] & LAUREL_TOKEN_SPECIAL) != 0) {
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
make_model (const LaurelTokenizer *self)
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
  static const char *const off[] = { "single_word", "lstrip", "rstrip", "normalized" };
  JsonArray *added = json_array_new ();

  for (guint32 id = 0; id < self->flags->len; id++) {
    JsonObject *token;

    if ((self->flags->data[id] & LAUREL_TOKEN_SPECIAL) == 0)
      continue;
    token = json_object_new ();
    json_object_set_int_member (token, "id", id);
    json_object_set_string_member (token, "content",
                                   laurel_string_table_get (self->tokens, id, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS (off); i++)
      json_object_set_boolean_member (token, off[i], FALSE);
    json_object_set_boolean_member (token, "special", TRUE);
    json_array_add_object_element (added, token);
  }
  return added;
}

static JsonObject *
make_byte_level (gboolean trim_offsets)
{
  JsonObject *part = json_object_new ();

  json_object_set_string_member (part, "type", "ByteLevel");
  json_object_set_boolean_member (part, "add_prefix_space", FALSE);
  json_object_set_boolean_member (part, "trim_offsets", trim_offsets);
  json_object_set_boolean_member (part, "use_regex", TRUE);
  return part;
}

static JsonObject *
make_tokenizer (const LaurelTokenizer *self)
{
  JsonObject *root = json_object_new ();

  json_object_set_string_member (root, "version", "1.0");
  json_object_set_null_member (root, "truncation");
  json_object_set_null_member (root, "padding");
  json_object_set_array_member (root, "added_tokens", make_added_tokens (self));
  json_object_set_null_member (root, "normalizer");
  json_object_set_object_member (root, "pre_tokenizer", make_byte_level (TRUE));
  json_object_set_object_member (root, "post_processor", make_byte_level (FALSE));
  json_object_set_object_member (root, "decoder", make_byte_level (TRUE));
  json_object_set_object_member (root, "model", make_model (self));
  return root;
}

/* transformers' GPT-2 class adds <|endoftext|> to a vocabulary that lacks it,
 * so such a tokenizer names the general class. */
static JsonObject *
make_config (const LaurelTokenizer *self)
{
  static const char *const roles[] = { "bos_token", "eos_token", "unk_token" };
  const char *class_name = self->end_of_text >= 0 ? "GPT2Tokenizer" : "PreTrainedTokenizerFast";
  JsonObject *config = json_object_new ();

  json_object_set_boolean_member (config, "add_prefix_space", FALSE);
  for (gsize i = 0; self->end_of_text >= 0 && i < G_N_ELEMENTS (roles); i++)
    json_object_set_string_member (config, roles[i], LAUREL_END_OF_TEXT);
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

gboolean
laurel_tokenizer_save (const LaurelTokenizer *self, const char *dir, GError **error)
{
  return laurel_file_make_directory (dir, error)
         && write_json (dir, LAUREL_VOCAB_FILE, make_vocab (self), FALSE, error)
         && write_merges (self, dir, error)
         && write_json (dir, LAUREL_TOKENIZER_CONFIG_FILE, make_config (self), TRUE, error)
         && write_json (dir, LAUREL_TOKENIZER_FILE, make_tokenizer (self), TRUE, error);
}
