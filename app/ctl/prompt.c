/* prompt.c: laurelctl prompt …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/label/exchange.h"

#include <stdio.h>

gboolean
laurel_ctl_report_import (LaurelCtl *self,
                          const char *path,
                          const LaurelImportResult *result,
                          GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *summary = laurel_import_result_describe (result);

  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "imported", result->n_imported);
  laurel_json_add_int (builder, "known", result->n_known);
  json_builder_set_member_name (builder, "refused");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->row_errors->len; i++) {
    const LaurelRowError *row = g_ptr_array_index (result->row_errors, i);

    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "row", row->row);
    laurel_json_add_string (builder, "reason", row->reason);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("%s\n", summary);
  if (result->row_errors->len == 0)
    return TRUE;
  const LaurelRowError *first = g_ptr_array_index (result->row_errors, 0);
  g_autofree char *others =
      result->row_errors->len > 1
          ? g_strdup_printf (" (and %u more rows)", result->row_errors->len - 1)
          : g_strdup ("");

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not import all of “%s”: row %u: %s%s; correct it and import the file again: "
               "%u rows were imported",
               path, first->row, first->reason, others, result->n_imported);
  return FALSE;
}

static gboolean
run_import (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  g_autoptr (LaurelImportResult) result = NULL;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  result = laurel_import_prompts (laurel_project_get_store (self->project), path, error);
  return result != NULL && laurel_ctl_report_import (self, path, result, error);
}

static gboolean
run_list (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) prompts = NULL;
  gint64 count = -1;

  if (!laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  prompts = laurel_store_list_prompts (laurel_project_get_store (self->project),
                                       laurel_ctl_get (self, "split"),
                                       laurel_ctl_get (self, "search"), (int) count, 0, error);
  if (prompts == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (prompts, i);

    if (!self->json) {
      printf ("%6" G_GINT64_FORMAT "  %-8s  %s\n", prompt->id, prompt->split, prompt->text);
      continue;
    }
    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "id", prompt->id);
    laurel_json_add_string (builder, "prompt", prompt->text);
    laurel_json_add_string (builder, "split", prompt->split);
    laurel_json_add_string (builder, "tags", prompt->tags);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

void
laurel_ctl_report_export (LaurelCtl *self, const char *path, int n)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "file", path);
  laurel_json_add_int (builder, "rows", n);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("wrote %d rows to %s\n", n, path);
}

static gboolean
run_export (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  int n;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  n = laurel_export_prompts (laurel_project_get_store (self->project), path, error);
  if (n < 0)
    return FALSE;
  laurel_ctl_report_export (self, path, n);
  return TRUE;
}

static const LaurelCtlOption list_options[] = { { "split", "NAME", "“train” or “heldout”", FALSE },
                                                { "search", "TEXT", "Those that contain it",
                                                  FALSE },
                                                { "count", "N", "At most so many", FALSE },
                                                { NULL } };

static const LaurelCtlVerb verbs[] = {
  { "import", "FILE", 1, 1, NULL, "Take in prompts: .txt, .csv or .jsonl", run_import },
  { "list", "", 0, 0, list_options, "List the project's prompts", run_list },
  { "export", "FILE", 1, 1, NULL, "Write the prompts as JSONL", run_export },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_prompt = { "prompt", "Prompts: what models are asked", verbs };
