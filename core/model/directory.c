/* directory.c: a model as a Hugging Face directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/model.h"
#include "core/model/safetensors.h"
#include "core/model/weights.h"

#include <string.h>

/* Vocabularies are padded to round numbers by some trainers; more than this is another
 * tokenizer. */
#define MAX_VOCABULARY_PADDING 128

/* --- Loading ---------------------------------------------------------------- */

/* (transfer full): config.json as parsed, in which no field is there twice. */
static JsonNode *
read_config (const char *path, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);
  g_autofree char *twice = text != NULL ? laurel_json_find_duplicate (text) : NULL;
  g_autoptr (JsonNode) root = text != NULL ? laurel_json_parse (text, path, error) : NULL;

  if (root == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (root) && twice == NULL)
    return g_steal_pointer (&root);
  if (twice != NULL)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it has “%s” twice; remove the wrong one", path, twice);
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is no JSON object; get the file again", path);
  return NULL;
}

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
  root = read_config (path, error);
  return root != NULL && laurel_model_config_from_json (out_config, json_node_get_object (root),
                                                        path, error);
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
  g_autoptr (LaurelWeightFiles) files = NULL;

  if (!laurel_model_load_config (dir, &config, error)
      || !load_tokenizer (dir, &config, &tokenizer, error))
    return NULL;
  chat_template = laurel_template_load (dir, error);
  if (chat_template == NULL)
    return NULL;
  if (config.eos_token_id < 0 && tokenizer != NULL)
    config.eos_token_id = laurel_tokenizer_get_end_of_text (tokenizer);
  files = laurel_weight_files_open (dir, error);
  if (files == NULL || !laurel_weight_files_check (files, &config, error))
    return NULL;
  self = laurel_model_new_blank (&config, tokenizer, chat_template, error);
  if (self == NULL || !laurel_weight_files_read (files, self, error)
      || !laurel_generation_config_load (&self->generation, dir, error))
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

gboolean
laurel_model_save (const LaurelModel *self, const char *dir, LaurelDtype dtype, GError **error)
{
  g_autofree char *weights = g_build_filename (dir, "model.safetensors", NULL);
  g_autoptr (JsonNode) config = laurel_model_config_to_json (&self->config);

  if (!laurel_file_make_directory (dir, error) || !save_json (config, dir, "config.json", error))
    return FALSE;
  if (self->config.head == LAUREL_HEAD_LM
      && !laurel_generation_config_save (&self->generation, self->config.eos_token_id, dir, error))
    return FALSE;
  if (self->tokenizer != NULL && !laurel_tokenizer_save (self->tokenizer, dir, error))
    return FALSE;
  if (self->chat_template != NULL && !laurel_template_save (self->chat_template, dir, error))
    return FALSE;
  return laurel_safetensors_write (weights, self->layout, self->weights, dtype, error);
}
