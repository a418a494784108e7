/* longest.c: how long the sequences of a run will be, for the plan of its memory.
 *
 * The data is loaded as the run itself will load it, but for a model's weights. That is done only
 * where it takes no time to notice: people wait for the answer in a dialog.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include <glib/gstdio.h>

/* Both take some hundred milliseconds. */
#define MAX_FILE_BYTES (4 << 20)
#define MAX_ROWS 10000

static gboolean
are_files_small (char **files)
{
  goffset n_bytes = 0;

  for (guint i = 0; files != NULL && files[i] != NULL; i++) {
    GStatBuf status;

    if (g_stat (files[i], &status) != 0)
      return FALSE;
    n_bytes += status.st_size;
  }
  return n_bytes <= MAX_FILE_BYTES;
}

static gboolean
is_store_small (LaurelStore *store)
{
  return laurel_store_count_prompts (store, "train", NULL, NULL) <= MAX_ROWS
         && laurel_store_count_demonstrations (store, NULL) <= MAX_ROWS
         && laurel_store_count_rankings (store, 0, 0, NULL) <= MAX_ROWS;
}

static int
find_longest_row (const LaurelTrainData *data, int limit)
{
  int longest = MAX (laurel_rows_get_longest (data->rows, limit),
                     laurel_rows_get_longest (data->eval_rows, limit));

  for (guint i = 0; i < data->comparisons->len; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (data->comparisons, i);

    for (int k = 0; k < comparison->n; k++)
      longest = MAX (longest, comparison->completions[k]->n_tokens);
  }
  return longest;
}

static int
find_longest_prompt (const LaurelTrainData *data)
{
  int longest = 0;

  for (guint i = 0; i < data->prompts->len; i++)
    longest = MAX (longest, ((const LaurelTrainPrompt *) data->prompts->pdata[i])->n_tokens);
  return longest;
}

int
laurel_data_measure_longest (LaurelStore *store,
                             const LaurelTrainRequest *request,
                             const LaurelModel *outline)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  g_auto (LaurelTrainData) data = { 0 };
  g_autoptr (JsonNode) snapshot = NULL;
  int longest;

  /* Documents fill their rows; what is not there yet may have any length. */
  if (request->stage == LAUREL_STAGE_PRETRAIN || request->late
      || !are_files_small (request->data_files) || !is_store_small (store))
    return 0;
  snapshot = laurel_data_snapshot_request (store, request, NULL);
  if (snapshot == NULL
      || !laurel_data_load (store, request->stage, json_node_get_object (snapshot), outline, hp,
                            NULL, NULL, &data, NULL))
    return 0;
  longest = find_longest_row (&data, laurel_data_max_length (outline, hp));
  /* Where there is nothing but prompts, responses to them are sampled. */
  return longest > 0 ? longest
                     : MIN (find_longest_prompt (&data) + hp->response_length,
                            outline->config.n_positions);
}

/* Whether documents are among what is learned beside: they fill their rows. */
static gboolean
has_text (JsonObject *snapshot)
{
  JsonArray *files = json_object_has_member (snapshot, "ptx_files")
                         ? json_object_get_array_member (snapshot, "ptx_files")
                         : NULL;

  for (guint i = 0; files != NULL && i < json_array_get_length (files); i++)
    if (!g_str_equal (json_object_get_string_member_with_default (
                          json_array_get_object_element (files, i), "stage", ""),
                      laurel_stage_name (LAUREL_STAGE_SFT)))
      return TRUE;
  return FALSE;
}

int
laurel_data_measure_longest_ptx (LaurelStore *store,
                                 const LaurelTrainRequest *request,
                                 const LaurelModel *outline)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  int context = outline->config.n_positions;
  g_autoptr (JsonObject) snapshot = json_object_new ();
  g_auto (LaurelTrainData) data = { 0 };
  int longest;

  if (!laurel_stage_is_online (request->stage) || hp->ptx_coef == 0)
    return 0;
  laurel_train_data_init (&data);
  if (!are_files_small (request->ptx_files)
      || laurel_store_count_demonstrations (store, NULL) > MAX_ROWS
      || !laurel_data_snapshot_ptx (store, request, snapshot, NULL) || has_text (snapshot)
      || !laurel_data_load_ptx (store, snapshot, outline, hp, NULL, NULL, &data, NULL))
    return context;
  laurel_rows_add_sequences (data.rows, data.sequences);
  laurel_rows_add_sequences (data.eval_rows, data.eval_sequences);
  longest = find_longest_row (&data, context);
  return longest > 0 ? longest : context;
}
