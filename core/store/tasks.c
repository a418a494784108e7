/* tasks.c: completions, tasks, leases and drafts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/process.h"
#include "core/store/store_private.h"

#include "core/base/error.h"

#define MAX_COMPLETIONS 9
#define SECOND G_USEC_PER_SEC

/* --- Completions ---------------------------------------------------------- */

gboolean
laurel_store_add_completion (LaurelStore *self, LaurelCompletion *completion, GError **error)
{
  g_autofree void *tokens = laurel_store_pack_words (completion->tokens, completion->n_tokens);
  g_autofree void *logprobs = laurel_store_pack_words (completion->logprobs, completion->n_tokens);
  g_autofree void *plain = laurel_store_pack_words (completion->plain_logprobs,
                                                    completion->n_tokens);
  gsize n_bytes = (gsize) completion->n_tokens * 4;
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO completions (prompt_id, model, tokens, logprobs, text, finish,"
    " temperature, top_k, top_p, min_p, seed, created, plain_logprobs, repetition_penalty, stop,"
    " logit_bias) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "save the completion", error);

  if (insert == NULL)
    return FALSE;
  if (completion->created == 0)
    completion->created = laurel_store_now ();
  laurel_statement_bind_int (insert, completion->prompt_id);
  laurel_statement_bind_text (insert, completion->model);
  laurel_statement_bind_bytes (insert, tokens, n_bytes);
  laurel_statement_bind_bytes (insert, logprobs, n_bytes);
  laurel_statement_bind_text (insert, completion->text);
  laurel_statement_bind_text (insert, laurel_finish_to_string (completion->finish));
  laurel_statement_bind_double (insert, completion->temperature);
  laurel_statement_bind_int (insert, completion->top_k);
  laurel_statement_bind_double (insert, completion->top_p);
  laurel_statement_bind_double (insert, completion->min_p);
  laurel_statement_bind_int (insert, (gint64) completion->seed);
  laurel_statement_bind_int (insert, completion->created);
  laurel_statement_bind_bytes (insert, plain, n_bytes);
  laurel_statement_bind_double (insert, completion->repetition_penalty == 0
                                          ? 1
                                          : completion->repetition_penalty);
  laurel_statement_bind_text (insert, completion->stop != NULL ? completion->stop : "[]");
  laurel_statement_bind_text (insert,
                              completion->logit_bias != NULL ? completion->logit_bias : "[]");
  if (!laurel_statement_run (insert, error))
    return FALSE;
  completion->id = laurel_database_last_id (self->db);
  return TRUE;
}

#define COMPLETION_COLUMNS \
  "c.id, c.prompt_id, c.model, c.tokens, c.logprobs, c.text, c.finish," \
  " c.temperature, c.top_k, c.top_p, c.min_p, c.seed, c.created, c.plain_logprobs," \
  " c.repetition_penalty, c.stop, c.logit_bias"

static gpointer
read_completion (LaurelStatement *row)
{
  LaurelCompletion *completion = g_new0 (LaurelCompletion, 1);
  int n_logprobs, n_plain;

  completion->id = laurel_statement_get_int (row, 0);
  completion->prompt_id = laurel_statement_get_int (row, 1);
  completion->model = laurel_statement_dup_text (row, 2);
  completion->tokens = laurel_store_unpack_words (row, 3, &completion->n_tokens);
  completion->logprobs = laurel_store_unpack_words (row, 4, &n_logprobs);
  if (n_logprobs != completion->n_tokens)
    g_clear_pointer (&completion->logprobs, g_free); /* imported without them */
  completion->text = laurel_statement_dup_text (row, 5);
  completion->finish = laurel_finish_from_string (laurel_statement_get_text (row, 6));
  completion->temperature = laurel_statement_get_double (row, 7);
  completion->top_k = (int) laurel_statement_get_int (row, 8);
  completion->top_p = laurel_statement_get_double (row, 9);
  completion->min_p = laurel_statement_get_double (row, 10);
  completion->seed = (guint64) laurel_statement_get_int (row, 11);
  completion->created = laurel_statement_get_int (row, 12);
  completion->plain_logprobs = laurel_store_unpack_words (row, 13, &n_plain);
  if (n_plain != completion->n_tokens)
    g_clear_pointer (&completion->plain_logprobs, g_free);
  completion->repetition_penalty = laurel_statement_get_double (row, 14);
  completion->stop = laurel_statement_dup_text (row, 15);
  completion->logit_bias = laurel_statement_dup_text (row, 16);
  return completion;
}

static void
set_not_found (const char *what, gint64 id, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not find %s %" G_GINT64_FORMAT
               ": the project has none of that number; check the id",
               what, id);
}

/* --- Tasks ---------------------------------------------------------------- */

static gint64
insert_task (LaurelStore *self, gint64 prompt_id, int n_wanted, const char *sampler, GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self, "INSERT INTO tasks (prompt_id, n_wanted, sampler, created) VALUES (?, ?, ?, ?)",
    "save the task", error);

  if (insert == NULL)
    return 0;
  laurel_statement_bind_int (insert, prompt_id);
  laurel_statement_bind_int (insert, n_wanted);
  laurel_statement_bind_text (insert, sampler != NULL ? sampler : "random");
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error) ? laurel_database_last_id (self->db) : 0;
}

static gboolean
insert_task_completion (LaurelStore *self,
                        gint64 task_id,
                        int position,
                        gint64 completion_id,
                        GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self, "INSERT INTO task_completions (task_id, position, completion_id) VALUES (?, ?, ?)",
    "save the task", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, task_id);
  laurel_statement_bind_int (insert, position);
  laurel_statement_bind_int (insert, completion_id);
  return laurel_statement_run (insert, error);
}

gint64
laurel_store_add_task (LaurelStore *self,
                       gint64 prompt_id,
                       const gint64 *completion_ids,
                       int n,
                       int n_wanted,
                       const char *sampler,
                       GError **error)
{
  gint64 id;

  if (n < 2 || n > MAX_COMPLETIONS || n_wanted < 1) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not save the task: it has %d completions for %d labelers; "
                 "give it 2 to %d completions and at least one labeler",
                 n, n_wanted, MAX_COMPLETIONS);
    return 0;
  }
  if (!laurel_store_begin_transaction (self, FALSE, error))
    return 0;
  id = insert_task (self, prompt_id, n_wanted, sampler, error);
  for (int i = 0; i < n && id != 0; i++)
    if (!insert_task_completion (self, id, i, completion_ids[i], error))
      id = 0;
  if (id == 0) {
    laurel_store_rollback (self);
    return 0;
  }
  return laurel_store_commit (self, error) ? id : 0;
}

#define TASK_COLUMNS \
  "SELECT t.id, t.prompt_id, p.text, t.n_wanted, t.n_rankings, t.sampler, t.created," \
  " t.priority" \
  " FROM tasks AS t JOIN prompts AS p ON p.id = t.prompt_id"

static gpointer
read_task (LaurelStatement *row)
{
  LaurelTask *task = g_new0 (LaurelTask, 1);

  task->id = laurel_statement_get_int (row, 0);
  task->prompt_id = laurel_statement_get_int (row, 1);
  task->prompt = laurel_statement_dup_text (row, 2);
  task->completions = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_completion_free);
  task->n_wanted = (int) laurel_statement_get_int (row, 3);
  task->n_rankings = (int) laurel_statement_get_int (row, 4);
  task->state = task->n_rankings >= task->n_wanted ? LAUREL_TASK_DONE : LAUREL_TASK_OPEN;
  task->sampler = laurel_statement_dup_text (row, 5);
  task->created = laurel_statement_get_int (row, 6);
  task->priority = laurel_statement_get_double (row, 7);
  return task;
}

static gboolean
load_completions (LaurelStore *self, LaurelTask *task, GError **error)
{
  g_autoptr (GPtrArray) completions = NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          "SELECT " COMPLETION_COLUMNS " FROM task_completions AS m"
                          " JOIN completions AS c ON c.id = m.completion_id"
                          " WHERE m.task_id = ? ORDER BY m.position",
                          "read the task's completions", error);

  if (rows == NULL)
    return FALSE;
  laurel_statement_bind_int (rows, task->id);
  completions =
    laurel_store_collect (rows, read_completion, (GDestroyNotify) laurel_completion_free, error);
  if (completions == NULL)
    return FALSE;
  g_ptr_array_unref (task->completions);
  task->completions = g_steal_pointer (&completions);
  return TRUE;
}

LaurelTask *
laurel_store_get_task (LaurelStore *self, gint64 id, GError **error)
{
  g_autoptr (LaurelTask) task = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, TASK_COLUMNS " WHERE t.id = ?", "read the task", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_int (find, id);
  if (laurel_statement_next (find, &local))
    task = read_task (find);
  else if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    set_not_found ("task", id, error);
  return task != NULL && load_completions (self, task, error) ? g_steal_pointer (&task) : NULL;
}

static gboolean
has_texts (const LaurelTask *task, const char *const *texts, int n)
{
  if (task->completions->len != (guint) n)
    return FALSE;
  for (int i = 0; i < n; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    if (!g_str_equal (completion->text, texts[i]))
      return FALSE;
  }
  return TRUE;
}

gint64
laurel_store_find_task (LaurelStore *self,
                        gint64 prompt_id,
                        const char *const *texts,
                        int n,
                        GError **error)
{
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, TASK_COLUMNS " WHERE t.prompt_id = ? ORDER BY t.id",
                          "look for the task", error);

  if (rows == NULL)
    return 0;
  laurel_statement_bind_int (rows, prompt_id);
  tasks = laurel_store_collect (rows, read_task, (GDestroyNotify) laurel_task_free, error);
  for (guint i = 0; tasks != NULL && i < tasks->len; i++) {
    LaurelTask *task = g_ptr_array_index (tasks, i);

    if (!load_completions (self, task, error))
      return 0;
    if (has_texts (task, texts, n))
      return task->id;
  }
  return 0;
}

GPtrArray *
laurel_store_list_tasks (LaurelStore *self, int limit, int offset, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, TASK_COLUMNS " ORDER BY t.id LIMIT ? OFFSET ?", "list the tasks",
                          error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, limit);
  laurel_statement_bind_int (rows, offset);
  return laurel_store_collect (rows, read_task, (GDestroyNotify) laurel_task_free, error);
}

gint64
laurel_store_count_tasks (LaurelStore *self, gboolean open_only, GError **error)
{
  g_autoptr (LaurelStatement) count =
    laurel_store_prepare (self,
                          open_only ? "SELECT count (*) FROM tasks WHERE n_rankings < n_wanted"
                                    : "SELECT count (*) FROM tasks",
                          "count the tasks", error);

  return count != NULL ? laurel_store_count (count, error) : -1;
}

/* --- Leases --------------------------------------------------------------- */

static gpointer
read_owner (LaurelStatement *row)
{
  return laurel_statement_dup_text (row, 0);
}

static gboolean
delete_leases (LaurelStore *self, const char *owner, GError **error)
{
  g_autoptr (LaurelStatement) forget =
    laurel_store_prepare_write (self, "DELETE FROM leases WHERE owner = ?1 OR until <= ?2",
                                "free a task", error);

  if (forget == NULL)
    return FALSE;
  laurel_statement_bind_text (forget, owner);
  laurel_statement_bind_int (forget, laurel_store_now ());
  return laurel_statement_run (forget, error);
}

/* A labeler whose window was killed gets the task back at once, not when the lease runs out. */
gboolean
laurel_store_free_leases (LaurelStore *self, GError **error)
{
  g_autoptr (GPtrArray) owners = NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, "SELECT DISTINCT owner FROM leases", "read the leases", error);

  if (rows == NULL)
    return FALSE;
  owners = laurel_store_collect (rows, read_owner, g_free, error);
  if (owners == NULL)
    return FALSE;
  for (guint i = 0; i < owners->len; i++) {
    const char *owner = g_ptr_array_index (owners, i);

    if (laurel_process_look_up (owner) == LAUREL_PROCESS_GONE &&
        !delete_leases (self, owner, error))
      return FALSE;
  }
  return delete_leases (self, "", error); /* those that have run out */
}

#define IS_FREE " NOT EXISTS (SELECT 1 FROM leases AS l WHERE l.task_id = t.id AND l.owner <> ?2)"

/* The id of the task to work on, 0 when there is none. */
static gint64
choose_task (LaurelStore *self, const char *sql, gint64 labeler_id, GError **error)
{
  g_autoptr (LaurelStatement) find = laurel_store_prepare (self, sql, "find the next task", error);

  if (find == NULL)
    return 0;
  laurel_statement_bind_int (find, labeler_id);
  laurel_statement_bind_text (find, self->process);
  return laurel_statement_next (find, error) ? laurel_statement_get_int (find, 0) : 0;
}

static gboolean
take_lease (LaurelStore *self, gint64 task_id, int seconds, GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO leases (task_id, owner, until) VALUES (?, ?, ?) ON CONFLICT (task_id)"
    " DO UPDATE SET owner = excluded.owner, until = excluded.until",
    "reserve the task", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, task_id);
  laurel_statement_bind_text (insert, self->process);
  laurel_statement_bind_int (insert, laurel_store_now () + (gint64) MAX (seconds, 0) * SECOND);
  return laurel_statement_run (insert, error);
}

static LaurelTask *
lease_next_task (LaurelStore *self, gint64 labeler_id, int lease_seconds, GError **error)
{
  g_autoptr (GError) local = NULL;
  gint64 id = 0;

  if (laurel_store_free_leases (self, &local))
    id = choose_task (self,
                      "SELECT t.id FROM drafts AS d JOIN tasks AS t ON t.id = d.task_id"
                      " WHERE d.labeler_id = ?1 AND" IS_FREE " ORDER BY t.id LIMIT 1",
                      labeler_id, &local);
  if (id == 0 && local == NULL)
    id = choose_task (
      self,
      "SELECT t.id FROM tasks AS t WHERE t.n_rankings < t.n_wanted AND" IS_FREE
      " AND NOT EXISTS (SELECT 1 FROM rankings AS r WHERE r.task_id = t.id AND r.labeler_id = ?1)"
      " ORDER BY t.place, t.id LIMIT 1",
      labeler_id, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return id != 0 && take_lease (self, id, lease_seconds, error)
           ? laurel_store_get_task (self, id, error)
           : NULL;
}

LaurelTask *
laurel_store_next_task (LaurelStore *self, gint64 labeler_id, int lease_seconds, GError **error)
{
  g_autoptr (LaurelTask) task = NULL;
  g_autoptr (GError) local = NULL;

  if (!laurel_store_begin_transaction (self, FALSE, error))
    return NULL;
  task = lease_next_task (self, labeler_id, lease_seconds, &local);
  if (local != NULL) {
    laurel_store_rollback (self);
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return laurel_store_commit (self, error) ? g_steal_pointer (&task) : NULL;
}

/* --- Drafts --------------------------------------------------------------- */

gboolean
laurel_store_put_draft (LaurelStore *self,
                        gint64 task_id,
                        gint64 labeler_id,
                        const char *json,
                        GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO drafts (task_id, labeler_id, json, updated) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (task_id, labeler_id)"
    " DO UPDATE SET json = excluded.json, updated = excluded.updated",
    "save the draft", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, task_id);
  laurel_statement_bind_int (insert, labeler_id);
  laurel_statement_bind_text (insert, json);
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error);
}

LaurelDraft *
laurel_store_get_draft (LaurelStore *self, gint64 task_id, gint64 labeler_id, GError **error)
{
  LaurelDraft *draft;
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self,
                          "SELECT json, updated FROM drafts WHERE task_id = ? AND labeler_id = ?",
                          "read the draft", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_int (find, task_id);
  laurel_statement_bind_int (find, labeler_id);
  if (!laurel_statement_next (find, error))
    return NULL;
  draft = g_new0 (LaurelDraft, 1);
  draft->task_id = task_id;
  draft->labeler_id = labeler_id;
  draft->json = laurel_statement_dup_text (find, 0);
  draft->updated = laurel_statement_get_int (find, 1);
  return draft;
}

gboolean
laurel_store_delete_draft (LaurelStore *self, gint64 task_id, gint64 labeler_id, GError **error)
{
  g_autoptr (LaurelStatement) forget =
    laurel_store_prepare_write (self, "DELETE FROM drafts WHERE task_id = ? AND labeler_id = ?",
                                "delete the draft", error);

  if (forget == NULL)
    return FALSE;
  laurel_statement_bind_int (forget, task_id);
  laurel_statement_bind_int (forget, labeler_id);
  return laurel_statement_run (forget, error);
}
