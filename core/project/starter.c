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
#include "core/label/exchange.h"
#include "core/project/internal.h"

/* Takes @result; a row of our own data that is refused is a broken installation. */
static gboolean
check_import (LaurelImportResult *result, const char *path, GError **error)
{
  g_autoptr (LaurelImportResult) owned = result;
  const LaurelRowError *first;

  if (owned == NULL || owned->row_errors->len == 0)
    return owned != NULL;
  first = g_ptr_array_index (owned->row_errors, 0);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not fill the project from “%s”: row %u: %s; install Laurel's data again",
               path, first->row, first->reason);
  return FALSE;
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

  return fill_models (self, models, error)
         && check_import (laurel_import_prompts (self->store, prompts, error), prompts, error)
         && (!exists (demonstrations)
             || check_import (laurel_import_demonstrations (self->store, demonstrations, error),
                              demonstrations, error))
         && (!exists (guidelines) || fill_guidelines (self, guidelines, error))
         && (!exists (judge) || laurel_file_copy_tree (judge, own_judge, error));
}
