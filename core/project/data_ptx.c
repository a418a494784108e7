/* data_ptx.c: the text that PPO and RLOO learn beside, so that the policy does not forget it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/data.h"

#include <stdio.h>

/* The longest first line that is looked at to tell what a .jsonl file has. */
#define MAX_FIRST_LINE (1 << 20)

static char *
read_first_line (const char *path)
{
  g_autofree char *line = g_malloc0 (MAX_FIRST_LINE);
  FILE *file = fopen (path, "re");
  gboolean is_read = file != NULL && fgets (line, MAX_FIRST_LINE, file) != NULL;

  if (file != NULL)
    (void) fclose (file);
  return is_read ? g_steal_pointer (&line) : NULL;
}

/* Rows of {"text"}, text and token files are for pretraining; other rows for fine-tuning, which
 * also says what is wrong with them. */
static LaurelStage
guess_stage (const char *path)
{
  g_autofree char *line = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (!g_str_has_suffix (path, ".jsonl"))
    return LAUREL_STAGE_PRETRAIN;
  line = read_first_line (path);
  node = line != NULL ? laurel_json_parse (line, path, NULL) : NULL;
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                 && json_object_has_member (json_node_get_object (node), "text")
             ? LAUREL_STAGE_PRETRAIN
             : LAUREL_STAGE_SFT;
}

static gboolean
fix_files (char **files, JsonObject *snapshot, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; files[i] != NULL; i++) {
    LaurelStage stage = guess_stage (files[i]);
    JsonObject *object = laurel_data_fix_file (stage, files[i], error);

    if (object == NULL)
      return FALSE;
    json_object_set_string_member (object, "stage", laurel_stage_name (stage));
    json_array_add_object_element (array, object);
  }
  json_object_set_array_member (snapshot, "ptx_files", g_steal_pointer (&array));
  return TRUE;
}

gboolean
laurel_data_snapshot_ptx (LaurelStore *store,
                          const LaurelHyperparameters *hp,
                          char **files,
                          JsonObject *snapshot,
                          GError **error)
{
  gboolean has_files = files != NULL && files[0] != NULL;
  gint64 n;

  if (has_files && hp->ptx_coef == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use “%s”: ptx_coef is 0, so nothing would be learned from it; set "
                 "ptx_coef too",
                 files[0]);
    return FALSE;
  }
  if (hp->ptx_coef == 0)
    return TRUE;
  if (has_files)
    return fix_files (files, snapshot, error);
  n = laurel_store_count_demonstrations (store, error);
  if (n == 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: ptx_coef is %g and the project has no demonstrations to "
                 "learn beside; name a file of text",
                 hp->ptx_coef);
  json_object_set_int_member (snapshot, "n_ptx_demonstrations", n);
  return n > 0;
}

static gboolean
load_files (JsonArray *files,
            const LaurelModel *model,
            const LaurelHyperparameters *hp,
            const char *folder,
            const LaurelMonitor *monitor,
            LaurelTrainData *out,
            GError **error)
{
  for (guint i = 0; i < json_array_get_length (files); i++) {
    JsonObject *file = json_array_get_object_element (files, i);
    const char *name = json_object_get_string_member_with_default (file, "stage", "");
    LaurelStage stage = g_str_equal (name, laurel_stage_name (LAUREL_STAGE_SFT))
                            ? LAUREL_STAGE_SFT
                            : LAUREL_STAGE_PRETRAIN;

    if (!laurel_data_load_file (stage, file, model, hp, folder, monitor, out, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_data_load_ptx (LaurelStore *store,
                      JsonObject *snapshot,
                      const LaurelModel *model,
                      const LaurelHyperparameters *hp,
                      const char *folder,
                      const LaurelMonitor *monitor,
                      LaurelTrainData *out,
                      GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  int n;

  if (json_object_has_member (snapshot, "ptx_files"))
    return load_files (json_object_get_array_member (snapshot, "ptx_files"), model, hp, folder,
                       monitor, out, error);
  if (!json_object_has_member (snapshot, "n_ptx_demonstrations"))
    return TRUE;
  n = (int) json_object_get_int_member (snapshot, "n_ptx_demonstrations");
  rows = laurel_data_list_demonstrations (store, n, error);
  return rows != NULL
         && laurel_data_load_sft (rows, "the demonstrations", model, hp, 0, out, error);
}
