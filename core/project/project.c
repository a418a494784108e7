/* project.c: opening, closing and checking a project's folder.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/project.h"

#include "config.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/project/internal.h"

#include <errno.h>
#include <glib/gstdio.h>

G_DEFINE_FINAL_TYPE (LaurelProject, laurel_project, G_TYPE_OBJECT)

enum { JOB_CHANGED, RUN_CHANGED, MODELS_CHANGED, TASKS_CHANGED, FAILED, N_SIGNALS };

static guint signals[N_SIGNALS];

static void
laurel_project_finalize (GObject *object)
{
  LaurelProject *self = LAUREL_PROJECT (object);

  laurel_project_close (self);
  g_free (self->path);
  g_free (self->name);
  g_hash_table_unref (self->tokenizers);
  G_OBJECT_CLASS (laurel_project_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, GType argument)
{
  return g_signal_new (name, LAUREL_TYPE_PROJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                       G_TYPE_NONE, argument == G_TYPE_NONE ? 0 : 1, argument);
}

static void
laurel_project_class_init (LaurelProjectClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_project_finalize;

  signals[JOB_CHANGED] = add_signal ("job-changed", G_TYPE_NONE);
  signals[RUN_CHANGED] = add_signal ("run-changed", G_TYPE_INT64);
  signals[MODELS_CHANGED] = add_signal ("models-changed", G_TYPE_NONE);
  signals[TASKS_CHANGED] = add_signal ("tasks-changed", G_TYPE_NONE);
  signals[FAILED] = add_signal ("error", G_TYPE_STRING);
}

static void
laurel_project_init (LaurelProject *self)
{
  self->tokenizers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                            (GDestroyNotify) laurel_tokenizer_unref);
}

/* On the project's main context, with what the trainer thread did since the last time. */
static void
news_cb (const LaurelNews *news, gpointer user_data)
{
  g_autoptr (LaurelProject) self = g_object_ref (user_data);

  for (guint i = 0; i < news->runs->len; i++)
    g_signal_emit (self, signals[RUN_CHANGED], 0, g_array_index (news->runs, gint64, i));
  if (news->models)
    g_signal_emit (self, signals[MODELS_CHANGED], 0);
  if (news->tasks)
    g_signal_emit (self, signals[TASKS_CHANGED], 0);
  g_signal_emit (self, signals[JOB_CHANGED], 0);
  for (guint i = 0; i < news->errors->len; i++)
    g_signal_emit (self, signals[FAILED], 0, (const char *) g_ptr_array_index (news->errors, i));
}

static char *
make_name (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);

  if (g_str_has_suffix (base, ".laurel") && !g_str_equal (base, ".laurel"))
    base[strlen (base) - strlen (".laurel")] = '\0';
  return g_steal_pointer (&base);
}

static LaurelProject *
open_folder (const char *path, GError **error)
{
  g_autoptr (LaurelProject) self = g_object_new (LAUREL_TYPE_PROJECT, NULL);
  g_autofree char *database = NULL;

  self->path = g_canonicalize_filename (path, NULL);
  self->name = make_name (self->path);
  database = g_build_filename (self->path, "project.sqlite", NULL);
  self->store = laurel_store_open (database, error);
  if (self->store == NULL || laurel_store_mark_interrupted (self->store, error) < 0)
    return NULL;
  laurel_models_remove_leftovers (self->path);
  self->trainer = laurel_trainer_new (self->path, news_cb, self);
  return g_steal_pointer (&self);
}

static gboolean
is_empty_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  return dir != NULL && g_dir_read_name (dir) == NULL;
}

static gboolean
make_folders (const char *path, GError **error)
{
  static const char *const folders[] = { "models", "runs", "exports" };

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = g_build_filename (path, folders[i], NULL);

    if (!laurel_file_make_directory (folder, error))
      return FALSE;
  }
  return TRUE;
}

LaurelProject *
laurel_project_create (const char *path, const char *starter_dir, GError **error)
{
  g_autoptr (LaurelProject) self = NULL;

  if (g_file_test (path, G_FILE_TEST_EXISTS) && !is_empty_folder (path)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                 "Could not create the project “%s”: there is something in that place already; "
                 "choose another name or an empty folder",
                 path);
    return NULL;
  }
  if (!make_folders (path, error))
    return NULL;
  self = open_folder (path, error);
  if (self == NULL)
    return NULL;
  if (starter_dir != NULL && !laurel_project_fill (self, starter_dir, error)) {
    /* Half a starter project would pass for a whole one: everything in this folder was made just
     * now. */
    laurel_project_close (self);
    (void) laurel_file_remove_tree (path, NULL);
    return NULL;
  }
  return g_steal_pointer (&self);
}

LaurelProject *
laurel_project_open (const char *path, GError **error)
{
  g_autofree char *database = g_build_filename (path, "project.sqlite", NULL);

  if (!g_file_test (database, G_FILE_TEST_EXISTS)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not open “%s”: there is no project.sqlite in it; "
                 "name a project's folder or create one",
                 path);
    return NULL;
  }
  return open_folder (path, error);
}

void
laurel_project_close (LaurelProject *self)
{
  g_clear_handle_id (&self->loop_source, g_source_remove);
  g_clear_pointer (&self->trainer, laurel_trainer_free);
  g_clear_pointer (&self->store, laurel_store_close);
}

char *
laurel_project_find_starter (void)
{
  static const char *const data_dirs[] = { LAUREL_DATA_DIR, LAUREL_SOURCE_DATA_DIR };

  for (gsize i = 0; i < G_N_ELEMENTS (data_dirs); i++) {
    g_autofree char *folder = g_build_filename (data_dirs[i], "starter", NULL);
    g_autofree char *prompts = g_build_filename (folder, "prompts.jsonl", NULL);

    if (g_file_test (prompts, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&folder);
  }
  return NULL;
}

const char *
laurel_project_get_path (LaurelProject *self)
{
  return self->path;
}

const char *
laurel_project_get_name (LaurelProject *self)
{
  return self->name;
}

LaurelStore *
laurel_project_get_store (LaurelProject *self)
{
  return self->store;
}

/* --- Checking ---------------------------------------------------------------- */

static void G_GNUC_PRINTF (2, 3) add_problem (GPtrArray *problems, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (problems, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
check_model (LaurelProject *self, const LaurelModelRecord *record, GPtrArray *problems)
{
  g_autofree char *folder = g_build_filename (self->path, record->path, NULL);
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *sha256 = NULL;
  g_autoptr (LaurelModel) model = NULL;
  g_autoptr (GError) error = NULL;

  model = laurel_model_load (folder, &error);
  if (model == NULL) {
    add_problem (problems, "model “%s”: %s", record->name, error->message);
    return;
  }
  if (!g_file_test (weights, G_FILE_TEST_EXISTS))
    return; /* sharded: loading it whole was the check */
  sha256 = laurel_file_sha256 (weights, &error);
  if (sha256 == NULL)
    add_problem (problems, "model “%s”: %s", record->name, error->message);
  else if (!g_str_equal (sha256, record->sha256))
    add_problem (problems, "model “%s”: model.safetensors is not the file that was registered",
                 record->name);
}

static void
find_orphans (LaurelProject *self, GHashTable *known, GPtrArray *problems)
{
  g_autofree char *models = g_build_filename (self->path, "models", NULL);
  g_autoptr (GDir) dir = g_dir_open (models, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!g_hash_table_contains (known, name))
      add_problem (problems, "models/%s: no model of the project lies there", name);
}

static gboolean
check_runs (LaurelProject *self, GPtrArray *problems, GError **error)
{
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (self->store, error);

  if (runs == NULL)
    return FALSE;
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = g_ptr_array_index (runs, i);

    if (run->status == LAUREL_RUN_INTERRUPTED)
      add_problem (problems,
                   "run %" G_GINT64_FORMAT
                   " (%s) was interrupted at step %d: resume it or leave it",
                   run->id, run->kind, run->step);
  }
  return TRUE;
}

gboolean
laurel_project_check (LaurelProject *self, GPtrArray *problems, GError **error)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (GError) local = NULL;

  if (!laurel_store_check (self->store, &local))
    add_problem (problems, "database: %s", local->message);
  models = laurel_store_list_models (self->store, error);
  if (models == NULL)
    return FALSE;
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = g_ptr_array_index (models, i);

    g_hash_table_add (known, g_path_get_basename (record->path));
    check_model (self, record, problems);
  }
  find_orphans (self, known, problems);
  return check_runs (self, problems, error);
}
