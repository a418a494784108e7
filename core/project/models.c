/* models.c: the models of a project: folders in Hugging Face's form, and their rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/store/process.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NAME_BYTES 64

/* A model on its way into models/: this, the process that writes it, “-” and six letters. */
#define NEW_PREFIX ".new-"

gboolean
laurel_model_name_validate (const char *name, GError **error)
{
  gsize length = strlen (name);
  gboolean ok = length > 0 && length <= MAX_NAME_BYTES && name[0] != '.';

  for (gsize i = 0; i < length && ok; i++)
    ok = g_ascii_isalnum (name[i]) || strchr ("-_.", name[i]) != NULL;
  if (!ok)
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
        "Could not use “%s” as a model's name: a name has 1 to %d letters, digits, “-”, “_” or “.” "
        "and begins with no dot; choose such a name",
        name, MAX_NAME_BYTES);
  return ok;
}

char *
laurel_model_folder (const char *project_path, const char *name)
{
  return g_build_filename (project_path, "models", name, NULL);
}

static gboolean
is_model_folder (const char *path)
{
  g_autofree char *config = g_build_filename (path, "config.json", NULL);

  return g_file_test (config, G_FILE_TEST_EXISTS);
}

char *
laurel_model_resolve (LaurelStore *store,
                      const char *project_path,
                      const char *name_or_path,
                      GError **error)
{
  g_autoptr (LaurelModelRecord) record = NULL;
  g_autoptr (GError) local = NULL;

  if (store != NULL && strchr (name_or_path, '/') == NULL) {
    record = laurel_store_get_model (store, name_or_path, &local);
    if (record != NULL)
      return g_build_filename (project_path, record->path, NULL);
  }
  if (is_model_folder (name_or_path))
    return g_canonicalize_filename (name_or_path, NULL);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not find the model “%s”: there is no config.json in it; "
                 "name a Hugging Face directory or a model of the project",
                 name_or_path);
  return NULL;
}

char *
laurel_project_resolve_model (LaurelProject *self, const char *name_or_path, GError **error)
{
  return laurel_model_resolve (self->store, self->path, name_or_path, error);
}

const char *
laurel_stage_model_kind (LaurelStage stage)
{
  static const char *const kinds[LAUREL_N_STAGES] = { "base",   "sft",    "reward",
                                                      "policy", "policy", "policy" };

  return kinds[stage];
}

/* --- Writing ------------------------------------------------------------------ */

static gint64
measure_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  gint64 n_bytes = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    struct stat info;

    if (g_stat (file, &info) == 0)
      n_bytes += info.st_size;
  }
  return n_bytes;
}

/* Of the one file of weights; sharded models are known by the hash of their index, which names the
 * shards. */
char *
laurel_model_hash_folder (const char *folder, GError **error)
{
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *index = g_build_filename (folder, "model.safetensors.index.json", NULL);

  return laurel_file_sha256 (g_file_test (weights, G_FILE_TEST_EXISTS) ? weights : index, error);
}

static gboolean
put_record (LaurelStore *store,
            const char *project_path,
            const LaurelModel *model,
            const LaurelModelOrigin *origin,
            GError **error)
{
  g_autofree char *folder = laurel_model_folder (project_path, origin->name);
  g_autofree char *path = g_build_filename ("models", origin->name, NULL);
  g_autofree char *sha256 = laurel_model_hash_folder (folder, error);
  LaurelModelRecord record = { 0 };

  if (sha256 == NULL)
    return FALSE;
  record.name = (char *) origin->name;
  record.kind = (char *) origin->kind;
  record.parent = (char *) origin->parent;
  record.run_id = origin->run_id;
  record.path = path;
  record.sha256 = sha256;
  record.n_parameters = (gint64) model->layout->n_parameters;
  record.vocab_size = model->config.vocab_size;
  record.n_positions = model->config.n_positions;
  record.n_bytes = measure_folder (folder);
  record.tokenizer_hash = (char *) laurel_tokenizer_get_hash (model->tokenizer);
  record.created = g_get_real_time ();
  return laurel_store_put_model (store, &record, error);
}

static char *
make_temporary_folder (const char *project_path, GError **error)
{
  g_autofree char *process = laurel_process_dup_identity ();
  g_autofree char *name = g_strconcat (NEW_PREFIX, process, "-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (project_path, "models", name, NULL);

  if (g_mkdtemp_full (path, 0755) == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not write a model into “%s”: %s; check the folder's permissions",
                 project_path, g_strerror (errno));
    return NULL;
  }
  return g_steal_pointer (&path);
}

/* The process that writes the folder @name of models/, "" when it does not say; NULL when @name is
 * none that is being written. */
static char *
dup_writer (const char *name)
{
  const char *from, *to;

  if (!g_str_has_prefix (name, NEW_PREFIX))
    return NULL;
  from = name + strlen (NEW_PREFIX);
  to = strrchr (name, '-');
  return to > from ? g_strndup (from, (gsize) (to - from)) : g_strdup ("");
}

void
laurel_models_remove_leftovers (const char *project_path)
{
  g_autofree char *folder = g_build_filename (project_path, "models", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *writer = dup_writer (name);

    if (writer != NULL && laurel_process_look_up (writer) != LAUREL_PROCESS_ALIVE)
      (void) laurel_file_remove_tree (path, NULL);
  }
}

/* A crash between the rename and the row leaves a folder that no row names; the run that makes it
 * again replaces it. */
static gboolean
move_into_place (const char *temporary, const char *folder, GError **error)
{
  if (g_file_test (folder, G_FILE_TEST_EXISTS) && !laurel_file_remove_tree (folder, error))
    return FALSE;
  if (g_rename (temporary, folder) != 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not write “%s”: %s; check the folder's permissions", folder,
                 g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

/* Takes the files that are in @temporary. */
static gboolean
adopt_folder (LaurelStore *store,
              const char *project_path,
              const char *temporary,
              const LaurelModel *model,
              const LaurelModelOrigin *origin,
              GError **error)
{
  g_autofree char *folder = laurel_model_folder (project_path, origin->name);

  return move_into_place (temporary, folder, error)
         && put_record (store, project_path, model, origin, error);
}

gboolean
laurel_require_tokenizer (const LaurelModel *model, const char *name, GError **error)
{
  if (model->tokenizer != NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not use the model%s%s%s: it has no tokenizer; put its tokenizer.json, or "
               "vocab.json and merges.txt, beside its config.json",
               name != NULL ? " “" : "", name != NULL ? name : "", name != NULL ? "”" : "");
  return FALSE;
}

/* What was written is read back before it counts: a model that cannot be loaded never gets in. */
static gboolean
save_and_read_back (const LaurelModel *model, const char *folder, GError **error)
{
  g_autoptr (LaurelModel) again = NULL;

  if (!laurel_model_save (model, folder, LAUREL_DTYPE_F32, error))
    return FALSE;
  again = laurel_model_load (folder, error);
  return again != NULL;
}

gboolean
laurel_register_model (LaurelStore *store,
                       const char *project_path,
                       const LaurelModel *model,
                       const LaurelModelOrigin *origin,
                       GError **error)
{
  g_autofree char *temporary = NULL;

  if (!laurel_require_tokenizer (model, origin->name, error))
    return FALSE;
  temporary = make_temporary_folder (project_path, error);
  if (temporary == NULL)
    return FALSE;
  if (!save_and_read_back (model, temporary, error)
      || !adopt_folder (store, project_path, temporary, model, origin, error)) {
    (void) laurel_file_remove_tree (temporary, NULL);
    return FALSE;
  }
  return TRUE;
}

gboolean
laurel_model_name_is_free (LaurelStore *store,
                           const char *project_path,
                           const char *name,
                           GError **error)
{
  g_autofree char *folder = laurel_model_folder (project_path, name);
  g_autoptr (LaurelModelRecord) record = NULL;
  g_autoptr (GError) local = NULL;

  if (!laurel_model_name_validate (name, error))
    return FALSE;
  record = laurel_store_get_model (store, name, &local);
  if (record == NULL && !g_error_matches (local, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (record == NULL && !g_file_test (folder, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
      "Could not make the model “%s”: the project has %s of that name already; choose another name",
      name, record != NULL ? "a model" : "a folder in models/");
  return FALSE;
}

/* --- Import, export, create, remove -------------------------------------------- */

/* Shape alone does not tell a base model from a tuned one; a name that says so is believed. */
static const char *
guess_kind (const LaurelModel *model, const char *name)
{
  static const char *const policies[] = { "ppo", "dpo", "rloo", "policy", NULL };

  if (model->config.head == LAUREL_HEAD_SCORE)
    return "reward";
  if (strstr (name, "sft") != NULL)
    return "sft";
  for (int i = 0; policies[i] != NULL; i++)
    if (strstr (name, policies[i]) != NULL)
      return "policy";
  return "base";
}

/* An import between its slow part, which touches no database, and its end, which does. */
typedef struct {
  char *project_path;
  char *name;
  char *dir;
  char *temporary; /* removed unless it was adopted */
  LaurelModel *model;
} Import;

static Import *
import_new (LaurelProject *project, const char *name, const char *dir)
{
  Import *self = g_new0 (Import, 1);

  self->project_path = g_strdup (project->path);
  self->name = g_strdup (name);
  self->dir = g_strdup (dir);
  return self;
}

static void
import_free (Import *self)
{
  if (self->temporary != NULL)
    (void) laurel_file_remove_tree (self->temporary, NULL);
  g_clear_pointer (&self->model, laurel_model_free);
  g_free (self->project_path);
  g_free (self->name);
  g_free (self->dir);
  g_free (self->temporary);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Import, import_free)

static gboolean
import_read (Import *self, GError **error)
{
  self->model = laurel_model_load (self->dir, error); /* whole: what does not load never gets in */
  if (self->model == NULL || !laurel_require_tokenizer (self->model, self->dir, error))
    return FALSE;
  self->temporary = make_temporary_folder (self->project_path, error);
  return self->temporary != NULL && laurel_file_copy_tree (self->dir, self->temporary, error);
}

static gboolean
import_adopt (Import *self, LaurelProject *project, GError **error)
{
  LaurelModelOrigin origin = { .name = self->name, .kind = guess_kind (self->model, self->name) };

  /* Of two imports under one name the second may have begun before the first had ended. */
  if (!laurel_model_name_is_free (project->store, project->path, self->name, error)
      || !adopt_folder (project->store, project->path, self->temporary, self->model, &origin,
                        error))
    return FALSE;
  g_clear_pointer (&self->temporary, g_free);
  g_signal_emit_by_name (project, "models-changed");
  return TRUE;
}

gboolean
laurel_project_import_model (LaurelProject *self, const char *name, const char *dir, GError **error)
{
  g_autoptr (Import) import = NULL;

  if (!laurel_model_name_is_free (self->store, self->path, name, error))
    return FALSE;
  import = import_new (self, name, dir);
  return import_read (import, error) && import_adopt (import, self, error);
}

static void
import_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (import_read (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
import_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* Two tasks, because a worker thread may be the last to let go of the task it ran: the one that it
 * sees does not hold the project, which must end on its own thread. */
void
laurel_project_import_model_async (LaurelProject *self,
                                   const char *name,
                                   const char *dir,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GTask) reading = NULL;
  Import *import;
  GError *error = NULL;

  g_task_set_source_tag (task, laurel_project_import_model_async);
  if (!laurel_model_name_is_free (self->store, self->path, name, &error)) {
    g_task_return_error (task, error);
    return;
  }
  import = import_new (self, name, dir);
  g_task_set_task_data (task, import, (GDestroyNotify) import_free);
  reading = g_task_new (NULL, NULL, import_read_cb, g_object_ref (task));
  g_task_set_task_data (reading, import, NULL); /* borrowed: @task lives until import_read_cb() */
  g_task_run_in_thread (reading, import_thread);
}

gboolean
laurel_project_import_model_finish (LaurelProject *self, GAsyncResult *result, GError **error)
{
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  if (self->store == NULL) {
    g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                         "Could not import the model: its project was closed meanwhile; open the "
                         "project and import it again");
    return FALSE;
  }
  return import_adopt (g_task_get_task_data (G_TASK (result)), self, error);
}

static gboolean
export_as (const char *folder, const char *dir, const char *dtype_name, GError **error)
{
  g_autoptr (LaurelModel) model = NULL;
  LaurelDtype dtype;

  if (!laurel_dtype_from_string (dtype_name, &dtype, error))
    return FALSE;
  model = laurel_model_load (folder, error);
  return model != NULL && laurel_model_save (model, dir, dtype, error);
}

gboolean
laurel_project_export_model (LaurelProject *self, const char *name, const char *dir,
                             const char *dtype, GError **error)
{
  g_autoptr (LaurelModelRecord) record = laurel_store_get_model (self->store, name, error);
  g_autofree char *folder = NULL;

  if (record == NULL)
    return FALSE;
  if (g_file_test (dir, G_FILE_TEST_EXISTS)) {
    g_autoptr (GDir) existing = g_dir_open (dir, 0, NULL);

    if (existing == NULL || g_dir_read_name (existing) != NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                   "Could not export “%s”: “%s” is there already; choose a new or an empty folder",
                   name, dir);
      return FALSE;
    }
  }
  folder = g_build_filename (self->path, record->path, NULL);
  return dtype != NULL ? export_as (folder, dir, dtype, error)
                       : laurel_file_copy_tree (folder, dir, error);
}

static gboolean
load_config_file (const char *path, LaurelModelConfig *config, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_load (path, error);

  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: it is no JSON object; write a model's config.json", path);
    return FALSE;
  }
  return laurel_model_config_from_json (config, json_node_get_object (node), path, error)
         && laurel_model_config_validate (config, path, error);
}

gboolean
laurel_project_create_model (LaurelProject *self,
                             const char *name,
                             const char *config_path,
                             const char *tokenizer_dir,
                             guint64 seed,
                             GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (LaurelTemplate) chat_template = NULL;
  g_autoptr (LaurelModel) model = NULL;
  LaurelModelConfig config = { 0 };
  LaurelModelOrigin origin = { .name = name };

  if (!laurel_model_name_is_free (self->store, self->path, name, error)
      || !load_config_file (config_path, &config, error))
    return FALSE;
  tokenizer = laurel_tokenizer_load (tokenizer_dir, error);
  if (tokenizer == NULL)
    return FALSE;
  chat_template = laurel_template_load (tokenizer_dir, error);
  if (chat_template == NULL)
    return FALSE;
  model = laurel_model_new (&config, tokenizer, chat_template, seed, error);
  if (model == NULL)
    return FALSE;
  origin.kind = guess_kind (model, name);
  if (!laurel_register_model (self->store, self->path, model, &origin, error))
    return FALSE;
  g_signal_emit_by_name (self, "models-changed");
  return TRUE;
}

gboolean
laurel_project_remove_model (LaurelProject *self, const char *name, GError **error)
{
  g_autoptr (LaurelModelRecord) record = laurel_store_get_model (self->store, name, error);
  g_autofree char *folder = NULL;

  /* The row first: a folder without a row does no harm, a row without its folder does. */
  if (record == NULL || !laurel_store_remove_model (self->store, name, error))
    return FALSE;
  g_hash_table_remove (self->tokenizers, name);
  folder = g_build_filename (self->path, record->path, NULL);
  if (!laurel_file_remove_tree (folder, error))
    return FALSE;
  g_signal_emit_by_name (self, "models-changed");
  return TRUE;
}

LaurelTokenizer *
laurel_project_get_tokenizer (LaurelProject *self, const char *name_or_path, GError **error)
{
  LaurelTokenizer *tokenizer = g_hash_table_lookup (self->tokenizers, name_or_path);

  if (tokenizer == NULL) {
    g_autofree char *folder = laurel_project_resolve_model (self, name_or_path, error);

    tokenizer = folder != NULL ? laurel_tokenizer_load (folder, error) : NULL;
    if (tokenizer != NULL)
      g_hash_table_insert (self->tokenizers, g_strdup (name_or_path), tokenizer);
  }
  return tokenizer;
}

char *
laurel_project_label_token (LaurelProject *self, const char *model, int token)
{
  const LaurelTokenizer *tokenizer = laurel_project_get_tokenizer (self, model, NULL);

  return tokenizer != NULL ? laurel_tokenizer_label (tokenizer, token)
                           : g_strdup_printf ("#%d", token);
}
