/* export.c: prompts, completions and rankings out of the database, as JSONL.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/exchange.h"

#include "core/base/error.h"
#include "core/base/file.h"

#include <math.h>
#include <string.h>

typedef struct {
  LaurelStore *store;
  LaurelFileWriter *writer;
  LaurelLabelers labelers; /* whose rankings */
  LaurelTask *task; /* the last one that was read: rows of a task follow each other */
  int n_rows;
} Export;

static const char *const formats[] = {
  [LAUREL_EXPORT_LAUREL] = "laurel",
  [LAUREL_EXPORT_TRL] = "trl",
  [LAUREL_EXPORT_HH_RLHF] = "hh-rlhf",
};

gboolean
laurel_export_format_from_string (const char *text, LaurelExportFormat *out_format, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_equal (text, formats[i])) {
      *out_format = (LaurelExportFormat) i;
      return TRUE;
    }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not export as “%s”: there is no such format; use laurel, trl or hh-rlhf",
               text);
  return FALSE;
}

/* Writes the builder's object as one line. */
static gboolean
write_row (Export *self, JsonBuilder *builder, GError **error)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *line = laurel_json_to_string (root, FALSE);

  self->n_rows++;
  return laurel_file_writer_write (self->writer, line, strlen (line), error) &&
         laurel_file_writer_write (self->writer, "\n", 1, error);
}

static void
add_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static gboolean
load_task (Export *self, gint64 id, GError **error)
{
  if (self->task != NULL && self->task->id == id)
    return TRUE;
  g_clear_pointer (&self->task, laurel_task_free);
  self->task = laurel_store_get_task (self->store, id, error);
  return self->task != NULL;
}

/* --- Laurel's own format --------------------------------------------------- */

static const LaurelRank *
find_rank (const LaurelRanking *ranking, const LaurelCompletion *completion)
{
  for (int i = 0; i < ranking->n; i++)
    if (ranking->ranks[i].completion_id == completion->id)
      return &ranking->ranks[i];
  return NULL;
}

typedef gint64 (*GetNumber) (const LaurelRank *rank);

static gint64
get_rank (const LaurelRank *rank)
{
  return rank->rank;
}

static gint64
get_quality (const LaurelRank *rank)
{
  return rank->quality;
}

static gint64
get_flags (const LaurelRank *rank)
{
  return rank->flags;
}

static void
add_numbers (JsonBuilder *builder,
             const char *name,
             const LaurelTask *task,
             const LaurelRanking *ranking,
             GetNumber get)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < task->completions->len; i++) {
    const LaurelRank *rank = find_rank (ranking, g_ptr_array_index (task->completions, i));

    json_builder_add_int_value (builder, rank != NULL ? get (rank) : 0);
  }
  json_builder_end_array (builder);
}

static void
add_completions (JsonBuilder *builder, const LaurelTask *task)
{
  json_builder_set_member_name (builder, "completions");
  json_builder_begin_array (builder);
  for (guint i = 0; i < task->completions->len; i++)
    json_builder_add_string_value (builder,
                                   ((LaurelCompletion *) g_ptr_array_index (task->completions, i))
                                     ->text);
  json_builder_end_array (builder);
}

static const char *
name_kind (LaurelLabelerKind kind)
{
  return kind == LAUREL_LABELER_PERSON  ? "person"
         : kind == LAUREL_LABELER_RULES ? "rules"
                                        : "reward_model";
}

static gboolean
export_ranking (Export *self, const LaurelRanking *ranking, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!load_task (self, ranking->task_id, error))
    return FALSE;
  json_builder_begin_object (builder);
  add_text (builder, "prompt", self->task->prompt);
  add_completions (builder, self->task);
  add_numbers (builder, "ranks", self->task, ranking, get_rank);
  add_text (builder, "labeler", ranking->labeler);
  add_text (builder, "labeler_kind", name_kind (ranking->labeler_kind));
  json_builder_set_member_name (builder, "group_id");
  json_builder_add_int_value (builder, ranking->task_id);
  add_numbers (builder, "quality", self->task, ranking, get_quality);
  add_numbers (builder, "flags", self->task, ranking, get_flags);
  json_builder_set_member_name (builder, "all_bad");
  json_builder_add_boolean_value (builder, ranking->all_bad);
  add_text (builder, "comment", ranking->comment);
  add_text (builder, "sampler", self->task->sampler);
  json_builder_set_member_name (builder, "priority");
  if (isnan (self->task->priority))
    json_builder_add_null_value (builder);
  else
    json_builder_add_double_value (builder, self->task->priority);
  json_builder_end_object (builder);
  return write_row (self, builder, error);
}

static gboolean
export_rankings (Export *self, GError **error)
{
  g_autoptr (GPtrArray) rankings =
    laurel_store_list_rankings_by (self->store, self->labelers, -1, 0, error);

  for (guint i = 0; rankings != NULL && i < rankings->len; i++)
    if (!export_ranking (self, g_ptr_array_index (rankings, i), error))
      return FALSE;
  return rankings != NULL;
}

/* --- Pairs ------------------------------------------------------------------ */

static const char *
find_text (const LaurelTask *task, gint64 completion_id)
{
  for (guint i = 0; i < task->completions->len; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    if (completion->id == completion_id)
      return completion->text;
  }
  return "";
}

static gboolean
export_pair (Export *self,
             const LaurelComparisonRow *pair,
             LaurelExportFormat format,
             GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *chosen, *rejected;

  if (!load_task (self, pair->task_id, error))
    return FALSE;
  chosen = find_text (self->task, pair->chosen_id);
  rejected = find_text (self->task, pair->rejected_id);
  json_builder_begin_object (builder);
  if (format == LAUREL_EXPORT_TRL) {
    add_text (builder, "prompt", self->task->prompt);
    add_text (builder, "chosen", chosen);
    add_text (builder, "rejected", rejected);
  } else {
    g_autofree char *good =
      g_strdup_printf ("\n\nHuman: %s\n\nAssistant: %s", self->task->prompt, chosen);
    g_autofree char *bad =
      g_strdup_printf ("\n\nHuman: %s\n\nAssistant: %s", self->task->prompt, rejected);

    add_text (builder, "chosen", good);
    add_text (builder, "rejected", bad);
  }
  json_builder_end_object (builder);
  return write_row (self, builder, error);
}

static gboolean
export_pairs (Export *self, LaurelExportFormat format, GError **error)
{
  g_autoptr (GPtrArray) pairs = laurel_store_list_comparisons (self->store, self->labelers, error);

  for (guint i = 0; pairs != NULL && i < pairs->len; i++)
    if (!export_pair (self, g_ptr_array_index (pairs, i), format, error))
      return FALSE;
  return pairs != NULL;
}

int
laurel_export_rankings (LaurelStore *store,
                        const char *path,
                        LaurelExportFormat format,
                        LaurelLabelers labelers,
                        GError **error)
{
  g_autoptr (LaurelFileWriter) writer = laurel_file_writer_open (path, error);
  Export export = { .store = store, .writer = writer, .labelers = labelers };
  gboolean is_written;

  if (writer == NULL)
    return -1;
  is_written = format == LAUREL_EXPORT_LAUREL ? export_rankings (&export, error)
                                              : export_pairs (&export, format, error);
  laurel_task_free (export.task);
  return is_written && laurel_file_writer_commit (writer, error) ? export.n_rows : -1;
}

/* --- Completions --------------------------------------------------------------- */

static void
add_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_logprobs (JsonBuilder *builder, const char *name, const float *values, int n)
{
  if (values == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (int i = 0; i < n; i++)
    json_builder_add_double_value (builder, (double) values[i]);
  json_builder_end_array (builder);
}

static void
add_tokens (JsonBuilder *builder, const LaurelCompletion *completion)
{
  if (completion->n_tokens == 0)
    return;
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (int i = 0; i < completion->n_tokens; i++)
    json_builder_add_int_value (builder, completion->tokens[i]);
  json_builder_end_array (builder);
  add_logprobs (builder, "logprobs", completion->logprobs, completion->n_tokens);
  add_logprobs (builder, "plain_logprobs", completion->plain_logprobs, completion->n_tokens);
}

/* @list is stored as JSON. */
static gboolean
add_list (JsonBuilder *builder, const char *name, const char *list, GError **error)
{
  JsonNode *node = laurel_json_parse (list, name, error);

  if (node == NULL)
    return FALSE;
  json_builder_set_member_name (builder, name);
  json_builder_add_value (builder, node);
  return TRUE;
}

static gboolean
export_completion (Export *self, const LaurelCompletion *completion, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_int (builder, "id", completion->id);
  add_text (builder, "prompt", self->task->prompt);
  add_text (builder, "model", completion->model);
  add_text (builder, "completion", completion->text);
  add_text (builder, "finish", completion->finish == LAUREL_FINISH_STOP ? "stop" : "length");
  add_tokens (builder, completion);
  add_number (builder, "temperature", completion->temperature);
  add_int (builder, "top_k", completion->top_k);
  add_number (builder, "top_p", completion->top_p);
  add_number (builder, "min_p", completion->min_p);
  add_number (builder, "repetition_penalty", completion->repetition_penalty);
  if (!add_list (builder, "stop", completion->stop, error)
      || !add_list (builder, "logit_bias", completion->logit_bias, error))
    return FALSE;
  add_int (builder, "seed", (gint64) completion->seed);
  json_builder_end_object (builder);
  return write_row (self, builder, error);
}

static gboolean
export_task_completions (Export *self, gint64 task_id, GHashTable *seen, GError **error)
{
  if (!load_task (self, task_id, error))
    return FALSE;
  for (guint i = 0; i < self->task->completions->len; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (self->task->completions, i);

    if (g_hash_table_add (seen, g_memdup2 (&completion->id, sizeof completion->id))
        && !export_completion (self, completion, error))
      return FALSE;
  }
  return TRUE;
}

int
laurel_export_completions (LaurelStore *store, const char *path, GError **error)
{
  g_autoptr (GPtrArray) tasks = laurel_store_list_tasks (store, -1, 0, error);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (LaurelFileWriter) writer =
    tasks != NULL ? laurel_file_writer_open (path, error) : NULL;
  Export export = { .store = store, .writer = writer };
  gboolean is_written = writer != NULL;

  for (guint i = 0; is_written && i < tasks->len; i++)
    is_written = export_task_completions (
      &export, ((LaurelTask *) g_ptr_array_index (tasks, i))->id, seen, error);
  laurel_task_free (export.task);
  return is_written && laurel_file_writer_commit (writer, error) ? export.n_rows : -1;
}

int
laurel_export_prompts (LaurelStore *store, const char *path, GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (store, NULL, NULL, -1, 0, error);
  g_autoptr (LaurelFileWriter) writer =
    prompts != NULL ? laurel_file_writer_open (path, error) : NULL;
  Export export = { .store = store, .writer = writer };

  if (writer == NULL)
    return -1;
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (prompts, i);
    g_autoptr (JsonBuilder) builder = json_builder_new ();

    json_builder_begin_object (builder);
    add_text (builder, "prompt", prompt->text);
    add_text (builder, "split", prompt->split);
    add_text (builder, "tags", prompt->tags);
    json_builder_end_object (builder);
    if (!write_row (&export, builder, error))
      return -1;
  }
  return laurel_file_writer_commit (writer, error) ? export.n_rows : -1;
}
