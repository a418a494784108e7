/* data.c: the snapshot of a run's data, and loading what it names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"

#include <glib/gstdio.h>
#include <string.h>

void
laurel_train_data_init (LaurelTrainData *self)
{
  *self = (LaurelTrainData) { 0 };
  self->sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  self->eval_sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  self->comparisons = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_comparison_free);
  self->prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_train_prompt_free);
  self->notes = g_ptr_array_new_with_free_func (g_free);
  self->rows = laurel_rows_new ();
  self->eval_rows = laurel_rows_new ();
}

void
laurel_train_data_clear (LaurelTrainData *self)
{
  g_clear_pointer (&self->sequences, g_ptr_array_unref);
  g_clear_pointer (&self->eval_sequences, g_ptr_array_unref);
  g_clear_pointer (&self->comparisons, g_ptr_array_unref);
  g_clear_pointer (&self->prompts, g_ptr_array_unref);
  g_clear_pointer (&self->notes, g_ptr_array_unref);
  g_clear_pointer (&self->first_rows, g_hash_table_unref);
  g_clear_pointer (&self->rows, laurel_rows_free);
  g_clear_pointer (&self->eval_rows, laurel_rows_free);
}

int
laurel_data_max_length (const LaurelModel *model, const LaurelHyperparameters *hp)
{
  return hp->max_length > 0 ? MIN (hp->max_length, model->config.n_positions)
                            : model->config.n_positions;
}

/* The first so many: rows are only ever added. */
#define DEMONSTRATIONS "n_demonstrations"

/* --- The snapshot ------------------------------------------------------------------ */

static gboolean
add_files (JsonBuilder *builder, LaurelStage stage, char **files, GError **error)
{
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; files[i] != NULL; i++) {
    g_autoptr (JsonObject) object = laurel_data_fix_file (stage, files[i], error);

    if (object == NULL)
      return FALSE;
    json_builder_add_value (builder, json_node_init_object (json_node_alloc (), object));
  }
  json_builder_end_array (builder);
  return TRUE;
}

static gboolean
add_demonstrations (JsonBuilder *builder, LaurelStore *store, GError **error)
{
  gint64 n = laurel_store_count_demonstrations (store, error);

  if (n < 0)
    return FALSE;
  if (n == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start supervised fine-tuning: the project has no demonstrations; "
                 "name a data file of prompts and completions");
    return FALSE;
  }
  json_builder_set_member_name (builder, DEMONSTRATIONS);
  json_builder_add_int_value (builder, n);
  return TRUE;
}

static gboolean
add_prompts (JsonBuilder *builder, LaurelStore *store, GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (store, "train", NULL, -1, 0, error);

  if (prompts == NULL)
    return FALSE;
  if (prompts->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: the project has no training prompts; import some first");
    return FALSE;
  }
  json_builder_set_member_name (builder, "prompt_ids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < prompts->len; i++)
    json_builder_add_int_value (builder, ((LaurelPrompt *) g_ptr_array_index (prompts, i))->id);
  json_builder_end_array (builder);
  return TRUE;
}

static gboolean
takes_ranking (const LaurelTrainRequest *request, const LaurelRanking *ranking)
{
  const gint64 *ids = request->labeler_ids;
  int n = 0;

  for (int i = 0; i < ranking->n; i++)
    n += ranking->ranks[i].rank > 0;
  while (ids != NULL && *ids != 0 && *ids != ranking->labeler_id)
    ids++;
  return n >= 2 && (ids == NULL || *ids != 0);
}

GPtrArray *
laurel_data_list_rankings (LaurelStore *store,
                           const LaurelTrainRequest *request,
                           guint *out_n_held_out,
                           GError **error)
{
  g_autoptr (GPtrArray) all =
      laurel_store_list_rankings_by (store, request->labelers, -1, 0, error);
  g_autoptr (GPtrArray) taken =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_ranking_free);

  if (all == NULL)
    return NULL;
  g_ptr_array_set_free_func (all, NULL);
  for (guint i = 0; i < all->len; i++)
    if (takes_ranking (request, g_ptr_array_index (all, i)))
      g_ptr_array_add (taken, g_ptr_array_index (all, i));
    else
      laurel_ranking_free (g_ptr_array_index (all, i));
  return laurel_data_drop_held_out (store, taken, out_n_held_out, error)
             ? g_steal_pointer (&taken)
             : NULL;
}

static gboolean
refuse_rankings (const LaurelTrainRequest *request, guint n_held_out, GError **error)
{
  LaurelLabelers labelers = request->labelers;
  const char *whose = request->labeler_ids != NULL            ? " by these labelers"
                      : labelers == LAUREL_LABELERS_PEOPLE    ? " by people"
                      : labelers == LAUREL_LABELERS_SIMULATED ? " by judges"
                                                              : "";

  if (n_held_out > 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: no training prompt's completions have been ranked%s "
                 "yet (%u rankings are of held-out prompts); rank some, or name a data file of "
                 "rankings",
                 whose, n_held_out);
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: nothing has been ranked%s yet; "
                 "rank some completions, or name a data file of rankings",
                 whose);
  return FALSE;
}

static gboolean
add_rankings (JsonBuilder *builder,
              LaurelStore *store,
              const LaurelTrainRequest *request,
              GError **error)
{
  guint n_held_out;
  g_autoptr (GPtrArray) rankings = laurel_data_list_rankings (store, request, &n_held_out, error);

  if (rankings == NULL)
    return FALSE;
  if (n_held_out > 0) {
    json_builder_set_member_name (builder, LAUREL_DATA_HELD_OUT_RANKINGS);
    json_builder_add_int_value (builder, n_held_out);
  }
  json_builder_set_member_name (builder, "ranking_ids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < rankings->len; i++)
    json_builder_add_int_value (builder,
                                ((LaurelRanking *) g_ptr_array_index (rankings, i))->id);
  json_builder_end_array (builder);
  return rankings->len > 0 || refuse_rankings (request, n_held_out, error);
}

static gboolean
add_data (JsonBuilder *builder,
          LaurelStore *store,
          const LaurelTrainRequest *request,
          GError **error)
{
  LaurelStage stage = request->chosen ? LAUREL_STAGE_DPO : request->stage;
  gboolean has_files = request->data_files != NULL && request->data_files[0] != NULL;

  if (has_files && !add_files (builder, stage, request->data_files, error))
    return FALSE;
  switch (stage) {
  case LAUREL_STAGE_SFT: return has_files || add_demonstrations (builder, store, error);
  case LAUREL_STAGE_REWARD: /* the prompts are for normalising the scores; without any the files'
                               own do */
    if (has_files && laurel_store_count_prompts (store, "train", NULL, NULL) <= 0)
      return TRUE;
    return (has_files || add_rankings (builder, store, request, error))
           && add_prompts (builder, store, error);
  case LAUREL_STAGE_DPO: return has_files || add_rankings (builder, store, request, error);
  case LAUREL_STAGE_PPO:
  case LAUREL_STAGE_RLOO: return has_files || add_prompts (builder, store, error);
  case LAUREL_STAGE_PRETRAIN:
  default:
    if (!has_files)
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                   "Could not start pretraining: there is no text to learn from; name a data file");
    return has_files;
  }
}

JsonNode *
laurel_data_snapshot (LaurelStore *store,
                      LaurelStage stage,
                      char **files,
                      LaurelLabelers labelers,
                      GError **error)
{
  const LaurelTrainRequest request = { .stage = stage, .data_files = files, .labelers = labelers };

  return laurel_data_snapshot_request (store, &request, error);
}

JsonNode *
laurel_data_snapshot_request (LaurelStore *store, const LaurelTrainRequest *request, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;

  json_builder_begin_object (builder);
  if (!add_data (builder, store, request, error))
    return NULL;
  if (request->chosen) {
    json_builder_set_member_name (builder, "chosen");
    json_builder_add_boolean_value (builder, TRUE);
  }
  json_builder_end_object (builder);
  node = json_builder_get_root (builder);
  object = json_node_get_object (node);
  if (json_object_has_member (object, DEMONSTRATIONS)
      && !laurel_data_fix_demonstrations (
          store, json_object_get_int_member (object, DEMONSTRATIONS), object, error))
    return NULL;
  return g_steal_pointer (&node);
}

/* --- Tokenising --------------------------------------------------------------------- */

static gboolean
encode_prompt (const LaurelModel *model, const char *prompt, GArray *ids, GError **error)
{
  return laurel_require_tokenizer (model, NULL, error)
         && laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt, ids,
                                           error);
}

static gboolean
encode_completion (const LaurelModel *model, const char *completion, GArray *ids, GError **error)
{
  return laurel_template_encode_completion (model->chat_template, model->tokenizer, completion, ids,
                                            error);
}

/* Cut to @max_length; NULL when nothing of the completion would be left. Takes nothing. */
static LaurelSequence *
make_sequence (const GArray *ids, guint n_prompt, int max_length, LaurelTrainData *out)
{
  guint n = MIN (ids->len, (guint) max_length);

  if (n < ids->len)
    out->n_cut++;
  if (n <= n_prompt)
    return NULL;
  return laurel_sequence_new ((gint32 *) (void *) ids->data, (int) n, (int) n_prompt);
}

static gboolean
refuse_long (GError **error, const char *prompt, int max_length)
{
  g_autofree char *start = g_utf8_substring (prompt, 0, MIN (g_utf8_strlen (prompt, -1), 40));

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not use the prompt “%s…”: with its template it fills all %d tokens of a "
               "sequence; shorten it",
               start, max_length);
  return FALSE;
}

static gboolean
add_prompt (const LaurelModel *model, const char *text, LaurelTrainData *out, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  LaurelTrainPrompt *prompt;

  if (!encode_prompt (model, text, ids, error))
    return FALSE;
  if (ids->len == 0 || (int) ids->len >= model->config.n_positions)
    return refuse_long (error, text, model->config.n_positions);
  prompt = g_new0 (LaurelTrainPrompt, 1);
  prompt->n_tokens = (int) ids->len;
  prompt->tokens = g_memdup2 (ids->data, ids->len * sizeof (gint32));
  prompt->text = g_strdup (text);
  g_ptr_array_add (out->prompts, prompt);
  return TRUE;
}

/* --- Comparisons --------------------------------------------------------------------- */

static LaurelComparison *
comparison_new (int n, gint64 prompt_id)
{
  LaurelComparison *comparison = g_new0 (LaurelComparison, 1);

  comparison->completions = g_new0 (LaurelSequence *, n);
  comparison->ranks = g_new0 (int, n);
  comparison->prompt_id = prompt_id;
  return comparison;
}

/* Takes @comparison. One with fewer than two completions compares nothing. */
static void
keep_comparison (LaurelComparison *comparison, LaurelTrainData *out)
{
  if (comparison->n >= 2)
    g_ptr_array_add (out->comparisons, comparison);
  else
    laurel_comparison_free (comparison);
}

static gboolean
add_completion (const LaurelModel *model,
                const GArray *prompt,
                const gint32 *tokens,
                guint n_tokens,
                int rank,
                int max_length,
                LaurelComparison *comparison,
                LaurelTrainData *out)
{
  g_autoptr (GArray) ids =
      g_array_sized_new (FALSE, FALSE, sizeof (gint32), prompt->len + n_tokens);
  LaurelSequence *sequence;

  g_array_append_vals (ids, prompt->data, prompt->len);
  g_array_append_vals (ids, tokens, n_tokens);
  sequence = make_sequence (ids, prompt->len, max_length, out);
  if (sequence == NULL)
    return FALSE;
  comparison->completions[comparison->n] = sequence;
  comparison->ranks[comparison->n] = rank;
  comparison->n++;
  return TRUE;
}

static gboolean
add_reward_row (const LaurelModel *model,
                const LaurelDataRow *row,
                gint64 prompt_id,
                int max_length,
                LaurelTrainData *out,
                GError **error)
{
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (gint32));
  int n = (int) g_strv_length (row->completions);
  LaurelComparison *comparison;

  if (!encode_prompt (model, row->prompt, prompt, error))
    return FALSE;
  comparison = comparison_new (n, prompt_id);
  for (int i = 0; i < n; i++) {
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    if (!encode_completion (model, row->completions[i], ids, error)
        || (!add_completion (model, prompt, (gint32 *) (void *) ids->data, ids->len, row->ranks[i],
                             max_length, comparison, out)
            && !refuse_long (error, row->prompt, max_length))) {
      laurel_comparison_free (comparison);
      return FALSE;
    }
  }
  keep_comparison (comparison, out);
  return TRUE;
}

static gboolean
fill_comparison (LaurelStore *store,
                 const LaurelModel *model,
                 const LaurelRanking *ranking,
                 const LaurelTask *task,
                 GHashTable *fits,
                 int max_length,
                 LaurelComparison *comparison,
                 LaurelTrainData *out,
                 GError **error)
{
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (gint32));

  if (!encode_prompt (model, task->prompt, prompt, error))
    return FALSE;
  for (int i = 0; i < ranking->n; i++) {
    const LaurelCompletion *completion =
        laurel_task_find_completion (task, ranking->ranks[i].completion_id);
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    if (ranking->ranks[i].rank <= 0 || completion == NULL)
      continue;
    if (!laurel_data_get_completion_ids (store, model, completion, fits, ids, error))
      return FALSE;
    if (add_completion (model, prompt, (gint32 *) (void *) ids->data, ids->len,
                        ranking->ranks[i].rank, max_length, comparison, out))
      comparison->completion_ids[comparison->n - 1] = completion->id;
  }
  return TRUE;
}

static gboolean
load_ranking (LaurelStore *store,
              const LaurelModel *model,
              gint64 id,
              GHashTable *fits,
              int max_length,
              LaurelTrainData *out,
              GError **error)
{
  g_autoptr (LaurelRanking) ranking = laurel_store_get_ranking (store, id, error);
  g_autoptr (LaurelTask) task =
      ranking != NULL ? laurel_store_get_task (store, ranking->task_id, error) : NULL;
  LaurelComparison *comparison;

  if (task == NULL)
    return FALSE;
  comparison = comparison_new (ranking->n, task->prompt_id);
  comparison->ranking_id = id;
  comparison->completion_ids = g_new0 (gint64, ranking->n);
  if (!fill_comparison (store, model, ranking, task, fits, max_length, comparison, out, error)) {
    laurel_comparison_free (comparison);
    return FALSE;
  }
  keep_comparison (comparison, out);
  return TRUE;
}

/* --- Loading ------------------------------------------------------------------------- */

static gboolean
load_rankings (LaurelStore *store,
               JsonArray *ids,
               const LaurelModel *model,
               const LaurelHyperparameters *hp,
               LaurelTrainData *out,
               GError **error)
{
  g_autoptr (GHashTable) fits = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < json_array_get_length (ids); i++)
    if (!load_ranking (store, model, json_array_get_int_element (ids, i), fits,
                       laurel_data_max_length (model, hp), out, error))
      return FALSE;
  return TRUE;
}

static gboolean
load_prompts (LaurelStore *store,
              JsonArray *ids,
              const LaurelModel *model,
              LaurelTrainData *out,
              GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (store, NULL, NULL, -1, 0, error);
  g_autoptr (GHashTable) by_id = g_hash_table_new (g_int64_hash, g_int64_equal);

  if (prompts == NULL)
    return FALSE;
  for (guint i = 0; i < prompts->len; i++) {
    LaurelPrompt *prompt = g_ptr_array_index (prompts, i);

    g_hash_table_insert (by_id, &prompt->id, prompt);
  }
  for (guint i = 0; i < json_array_get_length (ids); i++) {
    gint64 id = json_array_get_int_element (ids, i);
    const LaurelPrompt *prompt = g_hash_table_lookup (by_id, &id);

    if (prompt != NULL && !add_prompt (model, prompt->text, out, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_data_load_prompts (LaurelStore *store,
                          JsonArray *ids,
                          const LaurelModel *model,
                          GPtrArray *out,
                          GError **error)
{
  LaurelTrainData data = { .prompts = out };

  return load_prompts (store, ids, model, &data, error);
}

/* Rankings of one prompt share its number, so that a split never parts them. */
static gint64
number_prompt (GHashTable *numbers, const char *prompt)
{
  gint64 number = GPOINTER_TO_SIZE (g_hash_table_lookup (numbers, prompt));

  if (number == 0) {
    number = (gint64) g_hash_table_size (numbers) + 1;
    g_hash_table_insert (numbers, g_strdup (prompt), GSIZE_TO_POINTER ((gsize) number));
  }
  return number;
}

static gboolean
load_rows (LaurelStage stage,
           const char *path,
           const LaurelModel *model,
           const LaurelHyperparameters *hp,
           GHashTable *numbers,
           gboolean keep_prompts,
           LaurelTrainData *out,
           GError **error)
{
  g_autoptr (GPtrArray) rows = laurel_data_read_rows (stage, path, error);
  gboolean ok = rows != NULL;

  if (ok && stage == LAUREL_STAGE_SFT) {
    g_autofree char *what = g_strdup_printf ("“%s”", path);

    ok = laurel_data_load_sft (rows, what, model, hp, out->n_rows, out, error);
    out->n_rows += rows->len;
    return ok;
  }
  for (guint i = 0; ok && i < rows->len; i++) {
    const LaurelDataRow *row = g_ptr_array_index (rows, i);

    if (laurel_stage_takes_rankings (stage))
      ok = add_reward_row (model, row, number_prompt (numbers, row->prompt),
                           laurel_data_max_length (model, hp), out, error)
           && (!keep_prompts || add_prompt (model, row->prompt, out, error));
    else
      ok = add_prompt (model, row->prompt, out, error);
    if (!ok)
      g_prefix_error (error, "%s, row %u: ", path, row->number);
  }
  return ok;
}

/* What loading a run's files needs beside them. */
typedef struct {
  LaurelStage stage;
  const LaurelModel *model;
  const LaurelHyperparameters *hp;
  const char *folder;
  const LaurelMonitor *monitor;
  GHashTable *numbers; /* of prompts */
  gboolean keep_prompts;
} Loading;

static gboolean
load_file (const Loading *self, JsonObject *file, LaurelTrainData *out, GError **error)
{
  const char *path = json_object_get_string_member_with_default (file, "path", "");
  const char *checksum = json_object_get_string_member_with_default (file, "checksum", NULL);
  const char *sha256 = json_object_get_string_member_with_default (file, "sha256", "");
  g_autofree char *now = checksum != NULL ? laurel_data_identify_token_file (path, error)
                                          : laurel_file_sha256 (path, error);

  if (now == NULL)
    return FALSE;
  if (g_strcmp0 (now, checksum != NULL ? checksum : sha256) != 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
        "Could not go on with “%s”: the file has changed since the run began; start a new run",
        path);
    return FALSE;
  }
  if (self->stage == LAUREL_STAGE_PRETRAIN)
    return laurel_data_load_pretrain (path, checksum != NULL ? NULL : sha256, self->model,
                                      self->hp, self->folder, self->monitor, out, error);
  return load_rows (self->stage, path, self->model, self->hp, self->numbers, self->keep_prompts,
                    out, error);
}

static gboolean
load_files (const Loading *self, JsonArray *files, LaurelTrainData *out, GError **error)
{
  for (guint i = 0; i < json_array_get_length (files); i++)
    if (!load_file (self, json_array_get_object_element (files, i), out, error))
      return FALSE;
  return TRUE;
}

gboolean
laurel_data_load_file (LaurelStage stage,
                       JsonObject *file,
                       const LaurelModel *model,
                       const LaurelHyperparameters *hp,
                       const char *folder,
                       const LaurelMonitor *monitor,
                       LaurelTrainData *out,
                       GError **error)
{
  const Loading loading = { stage, model, hp, folder, monitor, NULL, FALSE };

  return load_file (&loading, file, out, error);
}

static gboolean
check_enough (LaurelStage stage, const LaurelTrainData *data, GError **error)
{
  gsize n = laurel_stage_takes_rankings (stage) ? data->comparisons->len
            : laurel_stage_is_online (stage)    ? data->prompts->len
                                                : laurel_rows_count (data->rows);

  if (n > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not start the run: after tokenising and holding out there is nothing to "
               "train on%s%s; add data",
               data->notes->len > 0 ? ": " : "",
               data->notes->len > 0 ? (char *) g_ptr_array_index (data->notes, 0) : "");
  return FALSE;
}

gboolean
laurel_data_load (LaurelStore *store,
                  LaurelStage stage,
                  JsonObject *snapshot,
                  const LaurelModel *model,
                  const LaurelHyperparameters *hp,
                  const char *folder,
                  const LaurelMonitor *monitor,
                  LaurelTrainData *out,
                  GError **error)
{
  gboolean chosen = json_object_get_boolean_member_with_default (snapshot, "chosen", FALSE);
  LaurelHyperparameters uncut = *hp;
  g_autoptr (GHashTable) numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean keep_prompts =
      stage == LAUREL_STAGE_REWARD && !json_object_has_member (snapshot, "prompt_ids");
  const Loading loading = { chosen ? LAUREL_STAGE_DPO : stage, model, chosen ? &uncut : hp, folder,
                            monitor, numbers, keep_prompts };

  uncut.max_length = 0;
  laurel_train_data_init (out);
  if (json_object_has_member (snapshot, "files")
      && !load_files (&loading, json_object_get_array_member (snapshot, "files"), out, error))
    return FALSE;
  if (!laurel_data_load_demonstrations (store, snapshot, DEMONSTRATIONS, model, hp, out, error))
    return FALSE;
  if (json_object_has_member (snapshot, "ranking_ids")
      && !load_rankings (store, json_object_get_array_member (snapshot, "ranking_ids"), model,
                         loading.hp, out, error))
    return FALSE;
  if ((json_object_has_member (snapshot, "prompt_ids")
       && !load_prompts (store, json_object_get_array_member (snapshot, "prompt_ids"), model, out,
                         error))
      || !laurel_data_load_ptx (store, snapshot, model, hp, folder, monitor, out, error))
    return FALSE;
  laurel_data_note_held_out (snapshot, out);
  if (chosen)
    laurel_data_choose (model, hp, out);
  laurel_rows_add_sequences (out->rows, out->sequences);
  laurel_rows_add_sequences (out->eval_rows, out->eval_sequences);
  return check_enough (stage, out, error);
}

void
laurel_data_remove_encoded (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (strstr (name, LAUREL_DATA_TOKENS_SUFFIX) != NULL) /* and what a kill left half written */
      (void) g_unlink (path);
  }
}
