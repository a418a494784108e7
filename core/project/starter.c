/* starter.c: filling a new project from a folder like data/starter.
 *
 *   models/NAME/          models, imported under their folder's name
 *   prompts.jsonl         {"prompt", "split", "tags"}
 *   demonstrations.jsonl  {"prompt", "completion"}
 *   guidelines.md         what labelers read, kept as the fact "guidelines"
 *   judge.json            the rule judge, copied into the project
 *
 * Only the models and the prompts must be there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/internal.h"

static gboolean
get_text (
    JsonObject *object, const char *member, const char *otherwise, const char **out, GError **error)
{
  *out = otherwise;
  if (!laurel_json_get_string (object, "row", member, out, error))
    return FALSE;
  if (*out != NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, "it has no “%s”", member);
  return FALSE;
}

/* "tags" is text, separated by commas, or an array of words. */
static gboolean
get_tags (JsonObject *object, char **out, GError **error)
{
  JsonNode *node = json_object_get_member (object, "tags");
  g_autoptr (GString) tags = g_string_new (NULL);
  const char *text;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)) {
    if (!get_text (object, "tags", "", &text, error))
      return FALSE;
    *out = g_strdup (text);
    return TRUE;
  }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++) {
    text = json_array_get_string_element (json_node_get_array (node), i);
    g_string_append_printf (tags, "%s%s", i > 0 ? "," : "", text != NULL ? text : "");
  }
  *out = g_string_free (g_steal_pointer (&tags), FALSE);
  return TRUE;
}

static gboolean
add_prompt_cb (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  LaurelProject *self = user_data;
  g_autofree char *tags = NULL;
  const char *text, *split;

  return get_text (object, "prompt", NULL, &text, error)
         && get_text (object, "split", "train", &split, error) && get_tags (object, &tags, error)
         && laurel_store_ensure_prompt (self->store, text, split, tags, error) != 0;
}

static gboolean
add_demonstration_cb (JsonObject *object, guint row, gpointer user_data, GError **error)
{
  LaurelProject *self = user_data;
  const char *prompt, *completion;

  return get_text (object, "prompt", NULL, &prompt, error)
         && get_text (object, "completion", NULL, &completion, error)
         && laurel_store_add_demonstration (self->store, prompt, completion, error);
}

static gboolean
fill_rows (LaurelProject *self, const char *path, LaurelRowFunc func, GError **error)
{
  g_autoptr (GPtrArray) row_errors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_row_error_free);

  if (!laurel_store_begin (self->store, error))
    return FALSE;
  if (!laurel_jsonl_foreach (path, func, self, row_errors, error)) {
    laurel_store_rollback (self->store);
    return FALSE;
  }
  if (row_errors->len > 0) {
    const LaurelRowError *first = g_ptr_array_index (row_errors, 0);

    laurel_store_rollback (self->store);
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not fill the project from “%s”: row %u: %s; install Laurel's data again",
                 path, first->row, first->reason);
    return FALSE;
  }
  return laurel_store_commit (self->store, error);
}

static gboolean
fill_models (LaurelProject *self, const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR)
        && !laurel_project_import_model (self, name, path, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
fill_guidelines (LaurelProject *self, const char *path, GError **error)
{
  g_autofree char *text = laurel_file_read_text (path, NULL, error);

  return text != NULL && laurel_store_set_fact (self->store, "guidelines", text, error);
}

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

gboolean
laurel_project_fill (LaurelProject *self, const char *starter_dir, GError **error)
{
  g_autofree char *models = g_build_filename (starter_dir, "models", NULL);
  g_autofree char *prompts = g_build_filename (starter_dir, "prompts.jsonl", NULL);
  g_autofree char *demonstrations = g_build_filename (starter_dir, "demonstrations.jsonl", NULL);
  g_autofree char *guidelines = g_build_filename (starter_dir, "guidelines.md", NULL);
  g_autofree char *judge = g_build_filename (starter_dir, "judge.json", NULL);
  g_autofree char *own_judge = g_build_filename (self->path, "judge.json", NULL);

  return fill_models (self, models, error) && fill_rows (self, prompts, add_prompt_cb, error)
         && (!exists (demonstrations)
             || fill_rows (self, demonstrations, add_demonstration_cb, error))
         && (!exists (guidelines) || fill_guidelines (self, guidelines, error))
         && (!exists (judge) || laurel_file_copy_tree (judge, own_judge, error));
}
