/* generation_config.c: generation_config.json in and out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/generation_config.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/sampling.h"

#include <string.h>

#define FILE_NAME "generation_config.json"

static gboolean
check (const LaurelGenerationConfig *self, const char *path, GError **error)
{
  const LaurelSamplingOptions options = { .temperature = self->temperature,
                                          .top_k = self->top_k,
                                          .top_p = self->top_p,
                                          .min_p = self->min_p,
                                          .max_tokens = MAX (self->max_new_tokens, 1),
                                          .repetition_penalty = self->repetition_penalty };
  const char *fault = laurel_sampling_options_find_fault (&options);

  if (fault == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: %s; correct it or remove the file", path, fault);
  return FALSE;
}

static gboolean
read_members (LaurelGenerationConfig *self, JsonObject *object, const char *path, GError **error)
{
  gboolean do_sample = TRUE;
  gint64 top_k = self->top_k, max_new_tokens = self->max_new_tokens;

  if (!laurel_json_get_boolean (object, path, "do_sample", &do_sample, error)
      || !laurel_json_get_double (object, path, "temperature", &self->temperature, error)
      || !laurel_json_get_int (object, path, "top_k", 0, G_MAXINT, &top_k, error)
      || !laurel_json_get_double (object, path, "top_p", &self->top_p, error)
      || !laurel_json_get_double (object, path, "min_p", &self->min_p, error)
      || !laurel_json_get_double (object, path, "repetition_penalty", &self->repetition_penalty,
                                  error)
      || !laurel_json_get_int (object, path, "max_new_tokens", 1, G_MAXINT, &max_new_tokens,
                               error))
    return FALSE;
  if (!do_sample)
    self->temperature = 0;
  self->top_k = (int) top_k;
  self->max_new_tokens = (int) max_new_tokens;
  return check (self, path, error);
}

gboolean
laurel_generation_config_load (LaurelGenerationConfig *self, const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, FILE_NAME, NULL);
  g_autoptr (JsonNode) root = NULL;

  *self = (LaurelGenerationConfig) LAUREL_GENERATION_CONFIG_DEFAULTS;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  root = laurel_json_load (path, error);
  if (root == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (root))
    return read_members (self, json_node_get_object (root), path, error);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: it is no JSON object; get the file again", path);
  return FALSE;
}

static void
add_number (JsonObject *object, const char *member, double value, double otherwise)
{
  if (value != otherwise)
    json_object_set_double_member (object, member, value);
}

gboolean
laurel_generation_config_save (const LaurelGenerationConfig *self, int eos_token_id,
                               const char *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir, FILE_NAME, NULL), *text = NULL, *line = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_alloc ();

  json_object_set_boolean_member (object, "do_sample", self->temperature > 0);
  if (eos_token_id >= 0)
    json_object_set_int_member (object, "eos_token_id", eos_token_id);
  if (self->temperature > 0)
    add_number (object, "temperature", self->temperature, 1);
  if (self->top_k > 0)
    json_object_set_int_member (object, "top_k", self->top_k);
  add_number (object, "top_p", self->top_p, 1);
  add_number (object, "min_p", self->min_p, 0);
  add_number (object, "repetition_penalty", self->repetition_penalty, 1);
  if (self->max_new_tokens > 0)
    json_object_set_int_member (object, "max_new_tokens", self->max_new_tokens);
  json_node_init_object (root, object);
  text = laurel_json_to_string (root, TRUE);
  line = g_strconcat (text, "\n", NULL);
  return laurel_file_write (path, line, strlen (line), error);
}
