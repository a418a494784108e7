/* runs.c: jobs and the process that does them.
 *
 * A run is owned by a process from the moment it is queued: the queue lives in
 * that process, so a queued run dies with it just as a running one does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/process.h"
#include "core/store/store_private.h"

#include "core/base/error.h"

static gboolean
is_owned (LaurelRunStatus status)
{
  return status == LAUREL_RUN_QUEUED || status == LAUREL_RUN_RUNNING || status == LAUREL_RUN_PAUSED;
}

static void
set_not_found (gint64 id, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not find run %" G_GINT64_FORMAT
               ": the project has none of that number; see the list of runs",
               id);
}

gboolean
laurel_store_add_run (LaurelStore *self, LaurelRun *run, GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO runs (kind, name, model, output, status, config, snapshot, seed, step,"
    " n_steps, message, created, started, finished, owner)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "save the run", error);

  if (insert == NULL)
    return FALSE;
  if (run->created == 0)
    run->created = laurel_store_now ();
  if (run->status == LAUREL_RUN_RUNNING && run->started == 0)
    run->started = run->created;
  laurel_statement_bind_text (insert, run->kind);
  laurel_statement_bind_text (insert, run->name != NULL ? run->name : "");
  laurel_statement_bind_text (insert, run->model != NULL ? run->model : "");
  laurel_statement_bind_text (insert, run->output != NULL ? run->output : "");
  laurel_statement_bind_text (insert, laurel_run_status_to_string (run->status));
  laurel_statement_bind_text (insert, run->config != NULL ? run->config : "{}");
  laurel_statement_bind_text (insert, run->snapshot != NULL ? run->snapshot : "{}");
  laurel_statement_bind_int (insert, (gint64) run->seed);
  laurel_statement_bind_int (insert, run->step);
  laurel_statement_bind_int (insert, run->n_steps);
  laurel_statement_bind_text (insert, run->message != NULL ? run->message : "");
  laurel_statement_bind_int (insert, run->created);
  laurel_statement_bind_int (insert, run->started);
  laurel_statement_bind_int (insert, run->finished);
  laurel_statement_bind_text (insert, is_owned (run->status) ? self->process : "");
  if (!laurel_statement_run (insert, error))
    return FALSE;
  run->id = laurel_database_last_id (self->db);
  run->owner_pid = is_owned (run->status) ? laurel_process_get_pid (self->process) : 0;
  return TRUE;
}

/* Runs a prepared update of one run. */
static gboolean
update_run (LaurelStore *self, LaurelStatement *update, gint64 id, GError **error)
{
  if (!laurel_statement_run (update, error))
    return FALSE;
  if (laurel_database_n_changes (self->db) == 1)
    return TRUE;
  set_not_found (id, error);
  return FALSE;
}

gboolean
laurel_store_set_run_status (LaurelStore *self,
                             gint64 id,
                             LaurelRunStatus status,
                             const char *message,
                             GError **error)
{
  gint64 now = laurel_store_now ();
  g_autoptr (LaurelStatement) update = laurel_store_prepare_write (
    self,
    "UPDATE runs SET status = ?1, message = coalesce (?2, ''), owner = ?3,"
    " started = CASE WHEN ?1 = 'running' AND started = 0 THEN ?4 ELSE started END,"
    " finished = CASE WHEN ?3 = '' THEN ?4 ELSE 0 END WHERE id = ?5",
    "save the run's status", error);

  if (update == NULL)
    return FALSE;
  laurel_statement_bind_text (update, laurel_run_status_to_string (status));
  laurel_statement_bind_text (update, message);
  laurel_statement_bind_text (update, is_owned (status) ? self->process : "");
  laurel_statement_bind_int (update, now);
  laurel_statement_bind_int (update, id);
  return update_run (self, update, id, error);
}

gboolean
laurel_store_set_run_snapshot (LaurelStore *self, gint64 id, const char *json, GError **error)
{
  g_autoptr (LaurelStatement) update = laurel_store_prepare_write (
    self, "UPDATE runs SET snapshot = ? WHERE id = ?", "save the run's data", error);

  if (update == NULL)
    return FALSE;
  laurel_statement_bind_text (update, json);
  laurel_statement_bind_int (update, id);
  return update_run (self, update, id, error);
}

gboolean
laurel_store_set_run_step (LaurelStore *self, gint64 id, int step, int n_steps, GError **error)
{
  g_autoptr (LaurelStatement) update =
    laurel_store_prepare_write (self, "UPDATE runs SET step = ?, n_steps = ? WHERE id = ?",
                                "save the run's step", error);

  if (update == NULL)
    return FALSE;
  laurel_statement_bind_int (update, step);
  laurel_statement_bind_int (update, n_steps);
  laurel_statement_bind_int (update, id);
  return update_run (self, update, id, error);
}

static gpointer
read_owner (LaurelStatement *row)
{
  return laurel_statement_dup_text (row, 0);
}

static gboolean
interrupt_runs_of (LaurelStore *self, const char *owner, int *n_runs, GError **error)
{
  g_autoptr (LaurelStatement) update =
    laurel_store_prepare_write (self,
                                "UPDATE runs SET status = 'interrupted', owner = '', finished = ?"
                                " WHERE owner = ? AND status IN ('queued', 'running', 'paused')",
                                "mark an interrupted run", error);

  if (update == NULL)
    return FALSE;
  laurel_statement_bind_int (update, laurel_store_now ());
  laurel_statement_bind_text (update, owner);
  if (!laurel_statement_run (update, error))
    return FALSE;
  *n_runs += laurel_database_n_changes (self->db);
  return TRUE;
}

static int
mark_interrupted (LaurelStore *self, GError **error)
{
  g_autoptr (GPtrArray) owners = NULL;
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self, "SELECT DISTINCT owner FROM runs WHERE status IN ('queued', 'running', 'paused')",
    "look for interrupted runs", error);
  int n_runs = 0;

  if (rows == NULL)
    return -1;
  owners = laurel_store_collect (rows, read_owner, g_free, error);
  if (owners == NULL)
    return -1;
  for (guint i = 0; i < owners->len; i++) {
    const char *owner = g_ptr_array_index (owners, i);

    if (laurel_process_look_up (owner) != LAUREL_PROCESS_ALIVE &&
        !interrupt_runs_of (self, owner, &n_runs, error))
      return -1;
  }
  return n_runs;
}

int
laurel_store_mark_interrupted (LaurelStore *self, GError **error)
{
  int n_runs;

  if (!laurel_store_begin_transaction (self, FALSE, error))
    return -1;
  n_runs = mark_interrupted (self, error);
  if (n_runs < 0) {
    laurel_store_rollback (self);
    return -1;
  }
  return laurel_store_commit (self, error) ? n_runs : -1;
}

#define RUN_COLUMNS \
  "SELECT id, kind, name, model, output, status, config, snapshot, seed, step, n_steps, message," \
  " created, started, finished, owner FROM runs"

static gpointer
read_run (LaurelStatement *row)
{
  LaurelRun *run = g_new0 (LaurelRun, 1);

  run->id = laurel_statement_get_int (row, 0);
  run->kind = laurel_statement_dup_text (row, 1);
  run->name = laurel_statement_dup_text (row, 2);
  run->model = laurel_statement_dup_text (row, 3);
  run->output = laurel_statement_dup_text (row, 4);
  if (!laurel_run_status_from_string (laurel_statement_get_text (row, 5), &run->status))
    run->status = LAUREL_RUN_FAILED;
  run->config = laurel_statement_dup_text (row, 6);
  run->snapshot = laurel_statement_dup_text (row, 7);
  run->seed = (guint64) laurel_statement_get_int (row, 8);
  run->step = (int) laurel_statement_get_int (row, 9);
  run->n_steps = (int) laurel_statement_get_int (row, 10);
  run->message = laurel_statement_dup_text (row, 11);
  run->created = laurel_statement_get_int (row, 12);
  run->started = laurel_statement_get_int (row, 13);
  run->finished = laurel_statement_get_int (row, 14);
  run->owner_pid = laurel_process_get_pid (laurel_statement_get_text (row, 15));
  return run;
}

LaurelRun *
laurel_store_get_run (LaurelStore *self, gint64 id, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self, RUN_COLUMNS " WHERE id = ?", "read the run", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_int (find, id);
  if (laurel_statement_next (find, &local))
    return read_run (find);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    set_not_found (id, error);
  return NULL;
}

gint64
laurel_store_find_live_run (LaurelStore *self, const char *kind, GError **error)
{
  g_autoptr (LaurelStatement) find = laurel_store_prepare (
    self,
    "SELECT coalesce (max (id), 0) FROM runs"
    " WHERE kind = ? AND status IN ('queued', 'running', 'paused')",
    "look for a run", error);
  gint64 id;

  if (find == NULL)
    return 0;
  laurel_statement_bind_text (find, kind);
  id = laurel_store_count (find, error);
  return MAX (id, 0);
}

GPtrArray *
laurel_store_list_runs (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, RUN_COLUMNS " ORDER BY id DESC", "list the runs", error);

  return rows != NULL
           ? laurel_store_collect (rows, read_run, (GDestroyNotify) laurel_run_free, error)
           : NULL;
}
