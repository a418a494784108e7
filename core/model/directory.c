/* directory.c: a model as a Hugging Face directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/model.h"
#include "core/model/safetensors.h"

#include <string.h>

#define PREFIX "transformer."
/* Vocabularies are padded to round numbers by some trainers; more than this is another
 * tokenizer. */
#define MAX_VOCABULARY_PADDING 128

/* --- Loading ---------------------------------------------------------------- */

gboolean
laurel_model_load_config (const char *dir, LaurelModelConfig *out_config, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "config.json", NULL);
  g_autoptr (JsonNode) root = NULL;

  if (!g_file_test (dir, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not open the model “%s”: there is no such folder; check the path", dir);
    return FALSE;
  }
  root = laurel_json_load (path, error);
  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is no JSON object; get the file again", path);
    return FALSE;
  }
  return laurel_model_config_from_json (out_config, json_node_get_object (root), path, error);
}

static gboolean
open_shard (GPtrArray *files, const char *dir, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  LaurelSafetensors *file;

  if (strchr (name, '/') != NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not open the model “%s”: its index names a file outside the folder; get "
                 "the files again", dir);
    return FALSE;
  }
  file = laurel_safetensors_open (path, error);
  if (file == NULL)
    return FALSE;
  g_ptr_array_add (files, file);
  return TRUE;
}

static gboolean
open_index (GPtrArray *files, const char *dir, const char *index_path, GError **error)
{
  g_autoptr (JsonNode) root = laurel_json_load (index_path, error);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonNode *map = NULL;
  JsonObjectIter iter;
  JsonNode *shard;

  if (root == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (root))
    map = json_object_get_member (json_node_get_object (root), "weight_map");
  if (map == NULL || !JSON_NODE_HOLDS_OBJECT (map)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it has no weight_map; get the file again", index_path);
    return FALSE;
  }
  json_object_iter_init (&iter, json_node_get_object (map));
  while (json_object_iter_next (&iter, NULL, &shard)) {
    const char *name = JSON_NODE_HOLDS_VALUE (shard) ? json_node_get_string (shard) : NULL;

    if (name == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not read “%s”: its weight_map names no files; get the file again",
                   index_path);
      return FALSE;
    }
    if (g_hash_table_add (seen, (gpointer) name) && !open_shard (files, dir, name, error))
      return FALSE;
  }
  return TRUE;
}

static GPtrArray *
open_files (const char *dir, GError **error)
{
  g_autoptr (GPtrArray) files =
    g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_safetensors_free);
  g_autofree char *index_path = g_build_filename (dir, "model.safetensors.index.json", NULL);
  gboolean opened = g_file_test (index_path, G_FILE_TEST_EXISTS)
                    ? open_index (files, dir, index_path, error)
                                                                 : open_shard (files, dir,
                                                                               "model.safetensors",
                                                                               error);

  return opened ? g_steal_pointer (&files) : NULL;
}

/* By the checkpoint's name, or without its prefix. */
static const LaurelFileTensor *
find_tensor (GPtrArray *files, const char *name)
{
  for (guint i = 0; i < files->len; i++) {
    const LaurelSafetensors *file = g_ptr_array_index (files, i);
    const LaurelFileTensor *tensor = g_hash_table_lookup (file->tensors, name);

    if (tensor == NULL && g_str_has_prefix (name, PREFIX))
      tensor = g_hash_table_lookup (file->tensors, name + strlen (PREFIX));
    if (tensor != NULL)
      return tensor;
  }
  return NULL;
}

static char *
describe_shape (const gsize *shape, int n_dims)
{
  GString *text = g_string_new ("(");

  for (int i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, i > 0 ? ", " : "", shape[i]);
  g_string_append (text, ")");
  return g_string_free (text, FALSE);
}

static gboolean
load_tensor (LaurelModel *self, const LaurelTensor *wanted, GPtrArray *files, const char *dir,
             GError **error)
{
  const LaurelFileTensor *tensor = find_tensor (files, wanted->name);
  gsize shape[2] = { (gsize) wanted->rows, (gsize) wanted->columns };
  const gsize *wanted_shape = wanted->n_dims == 2 ? shape : shape + 1;

  if (tensor == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not open the model “%s”: the tensor %s is missing; get the files again",
                 dir, wanted->name);
    return FALSE;
  }
  if (tensor->n_dims != wanted->n_dims || memcmp (tensor->shape, wanted_shape,
                                                  (gsize) wanted->n_dims * sizeof (gsize)) != 0) {
    g_autofree char *is = describe_shape (tensor->shape, tensor->n_dims);
    g_autofree char *needs = describe_shape (wanted_shape, wanted->n_dims);

    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not open the model “%s”: %s is %s, its config.json needs %s; use the "
                 "config.json that belongs to these weights",
                 dir, wanted->name, is, needs);
    return FALSE;
  }
  laurel_file_tensor_read (tensor, self->weights + wanted->offset);
  return TRUE;
}

/* A tensor that the configuration has no place for would be silently dropped. */
static gboolean
check_unknown_tensors (const LaurelModel *self, GPtrArray *files, const char *dir, GError **error)
{
  for (guint i = 0; i < files->len; i++) {
    const LaurelSafetensors *file = g_ptr_array_index (files, i);
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init (&iter, file->tensors);
    while (g_hash_table_iter_next (&iter, &name, NULL)) {
      g_autofree char *prefixed = g_strconcat (PREFIX, name, NULL);

      if (laurel_layout_find (self->layout, name) != NULL
          || laurel_layout_find (self->layout, prefixed) != NULL
          || g_str_equal (name, "lm_head.weight")) /* tied: the same numbers as wte */
        continue;
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                   "Could not open the model “%s”: its config.json has no place for the tensor %s; "
                   "use the config.json that belongs to these weights",
                   dir, (const char *) name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
has_tokenizer (const char *dir)
{
  g_autofree char *json = g_build_filename (dir, "tokenizer.json", NULL);
  g_autofree char *vocab = g_build_filename (dir, "vocab.json", NULL);

  return g_file_test (json, G_FILE_TEST_EXISTS) || g_file_test (vocab, G_FILE_TEST_EXISTS);
}

/* A folder without tokenizer files gives a model without a tokenizer: enough for evaluation on
 * ids. */
static gboolean
load_tokenizer (const char *dir, const LaurelModelConfig *config, LaurelTokenizer **out_tokenizer,
                GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  int size;

  *out_tokenizer = NULL;
  if (!has_tokenizer (dir))
    return TRUE;
  tokenizer = laurel_tokenizer_load (dir, error);
  if (tokenizer == NULL)
    return FALSE;
  size = laurel_tokenizer_get_vocab_size (tokenizer);
  if (size > config->vocab_size || config->vocab_size - size >= MAX_VOCABULARY_PADDING) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not open the model “%s”: its tokenizer has %d tokens, its config.json says "
                 "%d; use the tokenizer that belongs to it",
                 dir, size, config->vocab_size);
    return FALSE;
  }
  *out_tokenizer = g_steal_pointer (&tokenizer);
  return TRUE;
}

LaurelModel *
laurel_model_load (const char *dir, GError **error)
{
  LaurelModelConfig config;
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (LaurelTemplate) chat_template = NULL;
  g_autoptr (LaurelModel) self = NULL;
  g_autoptr (GPtrArray) files = NULL;

  if (!laurel_model_load_config (dir, &config, error)
      || !load_tokenizer (dir, &config, &tokenizer, error))
    return NULL;
  chat_template = laurel_template_load (dir, error);
  if (chat_template == NULL)
    return NULL;
  if (config.eos_token_id < 0 && tokenizer != NULL)
    config.eos_token_id = laurel_tokenizer_get_end_of_text (tokenizer);
  files = open_files (dir, error);
  if (files == NULL)
    return NULL;
  self = laurel_model_new (&config, tokenizer, chat_template, 0, error);
  if (self == NULL)
    return NULL;
  for (int i = 0; i < self->layout->n_tensors; i++)
    if (!load_tensor (self, &self->layout->tensors[i], files, dir, error))
      return NULL;
  if (!check_unknown_tensors (self, files, dir, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* --- Saving ----------------------------------------------------------------- */

static gboolean
save_json (JsonNode *node, const char *dir, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = laurel_json_to_string (node, TRUE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return laurel_file_write (path, line, strlen (line), error);
}

static gboolean
save_generation_config (const LaurelModel *self, const char *dir, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "do_sample");
  json_builder_add_boolean_value (builder, TRUE);
  if (self->config.eos_token_id >= 0) {
    json_builder_set_member_name (builder, "eos_token_id");
    json_builder_add_int_value (builder, self->config.eos_token_id);
  }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return save_json (root, dir, "generation_config.json", error);
}

gboolean
laurel_model_save (const LaurelModel *self, const char *dir, LaurelDtype dtype, GError **error)
{
  g_autofree char *weights = g_build_filename (dir, "model.safetensors", NULL);
  g_autoptr (JsonNode) config = laurel_model_config_to_json (&self->config);

  if (!laurel_file_make_directory (dir, error) || !save_json (config, dir, "config.json", error))
    return FALSE;
  if (self->config.head == LAUREL_HEAD_LM && !save_generation_config (self, dir, error))
    return FALSE;
  if (self->tokenizer != NULL && !laurel_tokenizer_save (self->tokenizer, dir, error))
    return FALSE;
  if (self->chat_template != NULL && !laurel_template_save (self->chat_template, dir, error))
    return FALSE;
  return laurel_safetensors_write (weights, self->layout, self->weights, dtype, error);
}
