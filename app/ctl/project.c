/* project.c: laurelctl project …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"

#include <stdio.h>

static gboolean
run_create (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  g_autofree char *starter = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!laurel_ctl_has (self, "empty")) {
    starter = laurel_project_find_starter ();
    if (starter == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                   "Could not create “%s”: the starter project's data is not installed; install it "
                   "or use --empty",
                   path);
      return FALSE;
    }
  }
  self->project = laurel_project_create (path, starter, error);
  if (self->project == NULL)
    return FALSE;
  if (self->json) {
    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "path", laurel_project_get_path (self->project));
    laurel_json_add_boolean (builder, "starter", starter != NULL);
    json_builder_end_object (builder);
    laurel_ctl_print_builder (builder);
  } else {
    printf ("created %s\n", laurel_project_get_path (self->project));
  }
  return TRUE;
}

/* What the project holds, in the order of the pipeline. */
typedef struct {
  const char *key;
  const char *title;
  gint64 n;
} Count;

static gboolean
run_info (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (GPtrArray) runs = NULL;
  LaurelStore *store;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  store = laurel_project_get_store (self->project);
  models = laurel_store_list_models (store, error);
  runs = models != NULL ? laurel_store_list_runs (store, error) : NULL;
  if (runs == NULL)
    return FALSE;
  const Count counts[] = {
    { "models", "models", models->len },
    { "prompts", "prompts", laurel_store_count_prompts (store, NULL, NULL, NULL) },
    { "heldout_prompts", "of them held out",
      laurel_store_count_prompts (store, "heldout", NULL, NULL) },
    { "demonstrations", "demonstrations", laurel_store_count_demonstrations (store, NULL) },
    { "tasks", "tasks", laurel_store_count_tasks (store, FALSE, NULL) },
    { "open_tasks", "of them open", laurel_store_count_tasks (store, TRUE, NULL) },
    { "rankings", "rankings", laurel_store_count_rankings (store, 0, 0, NULL) },
    { "runs", "runs", runs->len },
  };
  if (!self->json)
    printf ("%s\n", laurel_project_get_path (self->project));
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "name", laurel_project_get_name (self->project));
  laurel_json_add_string (builder, "path", laurel_project_get_path (self->project));
  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++) {
    laurel_json_add_int (builder, counts[i].key, counts[i].n);
    if (!self->json)
      printf ("%8" G_GINT64_FORMAT " %s\n", counts[i].n, counts[i].title);
  }
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

static gboolean
run_check (LaurelCtl *self, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!laurel_ctl_open_project (self, error)
      || !laurel_project_check (self->project, problems, error))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_boolean (builder, "ok", problems->len == 0);
  json_builder_set_member_name (builder, "problems");
  json_builder_begin_array (builder);
  for (guint i = 0; i < problems->len; i++) {
    json_builder_add_string_value (builder, g_ptr_array_index (problems, i));
    if (!self->json)
      printf ("%s\n", (const char *) g_ptr_array_index (problems, i));
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else if (problems->len == 0)
    printf ("database, models and runs are sound\n");
  if (problems->len == 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not find “%s” sound: %u problems were found; mend what is listed",
               laurel_project_get_name (self->project), problems->len);
  return FALSE;
}

static gboolean
run_backup (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!laurel_ctl_open_project (self, error)
      || !laurel_store_backup (laurel_project_get_store (self->project), path, error))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "backup", path);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("wrote the database to %s\n", path);
  return TRUE;
}

static const LaurelCtlOption create_options[] = {
  { "empty", NULL, "Without the starter's model, prompts and judge", FALSE }, { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "create", "DIR", 1, 1, create_options,
    "Make a project's folder, with the starter project in it", run_create },
  { "info", "", 0, 0, NULL, "Say what the project holds", run_info },
  { "check", "", 0, 0, NULL, "Check the database, every model and every run", run_check },
  { "backup", "FILE", 1, 1, NULL, "Write a copy of the database", run_backup },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_project = { "project",
                                           "Projects: folders with models, data, rankings and runs",
                                           verbs };
