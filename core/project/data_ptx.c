/* data_ptx.c: the text that PPO and RLOO learn beside, so that the policy does not forget it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/data.h"

#include <stdio.h>

/* The longest first line that is looked at to tell what a .jsonl file has. */
#define MAX_FIRST_LINE (1 << 20)

/* The mean loss of fewer rows says too little of what the policy forgets. */
#define MIN_HELD_OUT 8

/* The snapshot's member: the first so many. */
#define DEMONSTRATIONS "n_ptx_demonstrations"

/* Further back the run that fine-tuned is not looked for. */
#define MAX_ANCESTORS 64

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

/* --- What is held out of it --------------------------------------------------------- */

/* A split of demonstrations, and what it comes to. */
typedef struct {
  LaurelHyperparameters hp; /* whose seed and eval_split count */
  GHashTable *first_rows;
  guint64 n_rows;
  guint n_taken; /* of them, but for those that train nothing anyway */
  guint n_held_out;
} Split;

static void
split_clear (Split *self)
{
  g_clear_pointer (&self->first_rows, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Split, split_clear)

/* The settings of a run that was fine-tuned on demonstrations; FALSE for others. */
static gboolean
read_sft (const LaurelRun *run, LaurelHyperparameters *out)
{
  g_autoptr (JsonNode) config = NULL;
  LaurelHyperparameters hp;
  JsonObject *object;

  if (!g_str_equal (run->kind, laurel_stage_name (LAUREL_STAGE_SFT)))
    return FALSE;
  config = laurel_json_parse (run->config, "configuration", NULL);
  object = config != NULL && JSON_NODE_HOLDS_OBJECT (config) ? json_node_get_object (config) : NULL;
  if (object == NULL || !json_object_has_member (object, "hyperparameters")
      || json_object_get_boolean_member_with_default (object, "chosen", FALSE))
    return FALSE;
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_SFT);
  if (!laurel_hyperparameters_from_json (
          &hp, LAUREL_STAGE_SFT, json_object_get_object_member (object, "hyperparameters"), NULL))
    return FALSE;
  *out = hp;
  return TRUE;
}

/* What fine-tuning held out on the way to the policy stays held out. Where no such run is known of,
 * it is what one with the defaults would. */
static void
find_split (LaurelStore *store, const LaurelTrainRequest *request, LaurelHyperparameters *out)
{
  g_autofree char *name =
      g_strdup (request->reference != NULL ? request->reference : request->model);

  laurel_hyperparameters_init (out, LAUREL_STAGE_SFT);
  for (int i = 0; name != NULL && i < MAX_ANCESTORS; i++) {
    g_autoptr (LaurelModelRecord) record = laurel_store_get_model (store, name, NULL);
    g_autoptr (LaurelRun) run = record != NULL && record->run_id != 0
                                    ? laurel_store_get_run (store, record->run_id, NULL)
                                    : NULL;

    if (run != NULL && read_sft (run, out))
      return;
    g_free (name);
    name = record != NULL ? g_strdup (record->parent) : NULL;
  }
}

static void
count_rows (Split *self, GPtrArray *rows)
{
  self->n_held_out += laurel_data_count_held_out (rows, &self->hp, self->n_rows, self->first_rows);
  self->n_rows += rows->len;
  for (guint i = 0; i < rows->len; i++)
    self->n_taken += !((const LaurelDataRow *) g_ptr_array_index (rows, i))->is_to_measure;
}

/* Nothing is held out where it would say too little, or leave too little to learn. */
static void
set_split (const Split *self, JsonObject *snapshot)
{
  JsonObject *object;

  if (self->n_held_out < MIN_HELD_OUT || 2 * self->n_held_out > self->n_taken)
    return;
  object = json_object_new ();
  json_object_set_int_member (object, "seed", self->hp.seed);
  json_object_set_double_member (object, "eval_split", self->hp.eval_split);
  json_object_set_object_member (snapshot, "ptx_split", object);
}

/* @hp with the split that the snapshot names, if it does; a policy's run has none of its own. */
static LaurelHyperparameters
get_split (JsonObject *snapshot, const LaurelHyperparameters *hp)
{
  LaurelHyperparameters split = *hp;
  JsonObject *object;

  split.eval_split = 0;
  if (!json_object_has_member (snapshot, "ptx_split"))
    return split;
  object = json_object_get_object_member (snapshot, "ptx_split");
  split.seed = json_object_get_int_member_with_default (object, "seed", 0);
  split.eval_split = json_object_get_double_member_with_default (object, "eval_split", 0);
  return split;
}

/* --- The snapshot ------------------------------------------------------------------- */

static gboolean
count_file (const char *path, Split *split, GError **error)
{
  g_autoptr (GPtrArray) rows = laurel_data_read_rows (LAUREL_STAGE_SFT, path, error);

  if (rows != NULL)
    count_rows (split, rows);
  return rows != NULL;
}

static gboolean
fix_files (char **files, Split *split, JsonObject *snapshot, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; files[i] != NULL; i++) {
    LaurelStage stage = guess_stage (files[i]);
    JsonObject *object = laurel_data_fix_file (stage, files[i], error);

    if (object == NULL)
      return FALSE;
    json_object_set_string_member (object, "stage", laurel_stage_name (stage));
    json_array_add_object_element (array, object);
    if (stage == LAUREL_STAGE_SFT && !count_file (files[i], split, error))
      return FALSE;
  }
  json_object_set_array_member (snapshot, "ptx_files", g_steal_pointer (&array));
  return TRUE;
}

static gboolean
fix_demonstrations (LaurelStore *store,
                    double ptx_coef,
                    Split *split,
                    JsonObject *snapshot,
                    GError **error)
{
  gint64 n = laurel_store_count_demonstrations (store, error);
  g_autoptr (GPtrArray) rows = NULL;

  if (n < 0)
    return FALSE;
  if (n == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: ptx_coef is %g and the project has no demonstrations to "
                 "learn beside; name a file of text",
                 ptx_coef);
    return FALSE;
  }
  json_object_set_int_member (snapshot, DEMONSTRATIONS, n);
  if (!laurel_data_fix_demonstrations (store, n, snapshot, error))
    return FALSE;
  rows = laurel_data_get_demonstrations (store, snapshot, DEMONSTRATIONS, error);
  if (rows != NULL)
    count_rows (split, rows);
  return rows != NULL;
}

gboolean
laurel_data_snapshot_ptx (LaurelStore *store,
                          const LaurelTrainRequest *request,
                          JsonObject *snapshot,
                          GError **error)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  char **files = request->ptx_files;
  gboolean has_files = files != NULL && files[0] != NULL;
  g_auto (Split) split = { 0 };

  if (has_files && hp->ptx_coef == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not use “%s”: ptx_coef is 0, so nothing would be learned from it; set "
                 "ptx_coef too",
                 files[0]);
    return FALSE;
  }
  if (hp->ptx_coef == 0)
    return TRUE;
  find_split (store, request, &split.hp);
  split.first_rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (has_files ? !fix_files (files, &split, snapshot, error)
                : !fix_demonstrations (store, hp->ptx_coef, &split, snapshot, error))
    return FALSE;
  set_split (&split, snapshot);
  return TRUE;
}

/* --- Loading ------------------------------------------------------------------------ */

/* Rows are held out by their numbers among the rows of all files, as in fine-tuning. */

static gboolean
load_files (JsonArray *files,
            const LaurelModel *model,
            const LaurelHyperparameters *split,
            const LaurelHyperparameters *hp,
            const char *folder,
            const LaurelMonitor *monitor,
            LaurelTrainData *out,
            GError **error)
{
  for (guint i = 0; i < json_array_get_length (files); i++) {
    JsonObject *file = json_array_get_object_element (files, i);
    const char *name = json_object_get_string_member_with_default (file, "stage", "");
    gboolean is_sft = g_str_equal (name, laurel_stage_name (LAUREL_STAGE_SFT));
    guint64 n_rows = out->n_rows;

    if (!laurel_data_load_file (is_sft ? LAUREL_STAGE_SFT : LAUREL_STAGE_PRETRAIN, file, model,
                                is_sft ? split : hp, folder, monitor, out, error))
      return FALSE;
    if (!is_sft)
      out->n_rows = n_rows; /* documents are none */
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
  const LaurelHyperparameters split = get_split (snapshot, hp);

  if (json_object_has_member (snapshot, "ptx_files"))
    return load_files (json_object_get_array_member (snapshot, "ptx_files"), model, &split, hp,
                       folder, monitor, out, error);
  return laurel_data_load_demonstrations (store, snapshot, DEMONSTRATIONS, model, &split, out,
                                          error);
}
