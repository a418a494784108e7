/* model.c: laurelctl model …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include <stdio.h>

static void
add_record (JsonBuilder *builder, const LaurelModelRecord *record)
{
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "name", record->name);
  laurel_json_add_string (builder, "kind", record->kind);
  laurel_json_add_string (builder, "parent", record->parent);
  laurel_json_add_int (builder, "run", record->run_id);
  laurel_json_add_int (builder, "parameters", record->n_parameters);
  laurel_json_add_int (builder, "vocab_size", record->vocab_size);
  laurel_json_add_int (builder, "n_positions", record->n_positions);
  laurel_json_add_int (builder, "bytes", record->n_bytes);
  laurel_json_add_string (builder, "sha256", record->sha256);
  laurel_json_add_string (builder, "tokenizer_hash", record->tokenizer_hash);
  laurel_json_add_string (builder, "path", record->path);
  json_builder_end_object (builder);
}

static gboolean
run_list (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) models = NULL;
  LaurelCtlTable *table;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  models = laurel_store_list_models (laurel_project_get_store (self->project), error);
  if (models == NULL)
    return FALSE;
  if (self->json) {
    json_builder_begin_array (builder);
    for (guint i = 0; i < models->len; i++)
      add_record (builder, g_ptr_array_index (models, i));
    json_builder_end_array (builder);
    laurel_ctl_print_builder (builder);
    return TRUE;
  }
  table = laurel_ctl_table_new ("NAME", "KIND", "PARAMETERS", "PARENT", "RUN", NULL);
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = g_ptr_array_index (models, i);

    laurel_ctl_table_add (table, "%s\t%s\t%" G_GINT64_FORMAT "\t%s\t%" G_GINT64_FORMAT,
                          record->name, record->kind, record->n_parameters,
                          record->parent != NULL ? record->parent : "", record->run_id);
  }
  laurel_ctl_table_print (table);
  return TRUE;
}

static gboolean
run_show (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (LaurelModelRecord) record = NULL;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  record = laurel_store_get_model (laurel_project_get_store (self->project),
                                   laurel_ctl_argument (self, 0), error);
  if (record == NULL)
    return FALSE;
  if (self->json) {
    add_record (builder, record);
    laurel_ctl_print_builder (builder);
    return TRUE;
  }
  printf ("name        %s\nkind        %s\nparent      %s\nrun         %" G_GINT64_FORMAT "\n",
          record->name, record->kind, record->parent != NULL ? record->parent : "none",
          record->run_id);
  printf ("parameters  %" G_GINT64_FORMAT
          "\nvocabulary  %d\ncontext     %d\nbytes       %" G_GINT64_FORMAT "\n",
          record->n_parameters, record->vocab_size, record->n_positions, record->n_bytes);
  printf ("sha256      %s\ntokenizer   %s\npath        %s\n", record->sha256,
          record->tokenizer_hash, record->path);
  return TRUE;
}

/* After a change: the model's record. */
static gboolean
report_model (LaurelCtl *self, const char *name, const char *done, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (LaurelModelRecord) record =
      laurel_store_get_model (laurel_project_get_store (self->project), name, error);

  if (record == NULL)
    return FALSE;
  if (self->json) {
    add_record (builder, record);
    laurel_ctl_print_builder (builder);
  } else {
    printf ("%s “%s”: %s, %" G_GINT64_FORMAT " parameters\n", done, name, record->kind,
            record->n_parameters);
  }
  return TRUE;
}

static gboolean
run_create (LaurelCtl *self, GError **error)
{
  const char *name = laurel_ctl_argument (self, 0);
  const char *config = laurel_ctl_require (self, "config", error);
  const char *tokenizer = config != NULL ? laurel_ctl_require (self, "tokenizer", error) : NULL;
  gint64 seed = 0;

  return tokenizer != NULL && laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
         && laurel_ctl_open_project (self, error)
         && laurel_project_create_model (self->project, name, config, tokenizer, (guint64) seed,
                                         error)
         && report_model (self, name, "created", error);
}

static gboolean
run_import (LaurelCtl *self, GError **error)
{
  const char *name = laurel_ctl_argument (self, 0);

  return laurel_ctl_open_project (self, error)
         && laurel_project_import_model (self->project, name, laurel_ctl_argument (self, 1), error)
         && report_model (self, name, "imported", error);
}

static gboolean
run_export (LaurelCtl *self, GError **error)
{
  const char *name = laurel_ctl_argument (self, 0);

  return laurel_ctl_open_project (self, error)
         && laurel_project_export_model (self->project, name, laurel_ctl_argument (self, 1),
                                         laurel_ctl_get (self, "dtype"), error)
         && report_model (self, name, "exported", error);
}

static gboolean
run_remove (LaurelCtl *self, GError **error)
{
  const char *name = laurel_ctl_argument (self, 0);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!laurel_ctl_open_project (self, error)
      || !laurel_project_remove_model (self->project, name, error))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "removed", name);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("removed “%s”\n", name);
  return TRUE;
}

static const LaurelCtlOption create_options[] = {
  { "config", "FILE", "The model's config.json", FALSE },
  { "tokenizer", "DIR", "A folder with the tokenizer, and chat_template.json if there is one",
    FALSE },
  { "seed", "N", "Of the random weights (0)", FALSE },
  { NULL }
};

static const LaurelCtlOption export_options[] = {
  { "dtype", "TYPE", "Store the weights as f32, bf16 or f16; without it as they are", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "list", "", 0, 0, NULL, "List the project's models", run_list },
  { "show", "NAME", 1, 1, NULL, "Say all about one model", run_show },
  { "create", "NAME", 1, 1, create_options, "Make a model with random weights", run_create },
  { "import", "NAME DIR", 2, 2, NULL, "Take in a Hugging Face directory", run_import },
  { "export", "NAME DIR", 2, 2, export_options, "Write a model as a Hugging Face directory",
    run_export },
  { "remove", "NAME", 1, 1, NULL, "Remove a model that nothing was made from", run_remove },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_model = { "model", "Models: Hugging Face directories in the project",
                                         verbs };
