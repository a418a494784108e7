/* rollouts.c: what a run leaves behind: metrics, rollouts and its log.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

#include "core/base/error.h"

/* --- Metrics -------------------------------------------------------------- */

gboolean
laurel_store_add_metric (LaurelStore *self,
                         gint64 run_id,
                         int step,
                         const char *key,
                         double value,
                         GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO metrics (run_id, key, step, value, time) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (run_id, key, step)"
    " DO UPDATE SET value = excluded.value, time = excluded.time",
    "save the metric", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, run_id);
  laurel_statement_bind_text (insert, key);
  laurel_statement_bind_int (insert, step);
  laurel_statement_bind_double (insert, value);
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error);
}

static gpointer
read_metric (LaurelStatement *row)
{
  LaurelMetric *metric = g_new0 (LaurelMetric, 1);

  metric->step = (int) laurel_statement_get_int (row, 0);
  metric->key = laurel_statement_dup_text (row, 1);
  metric->value = laurel_statement_get_double (row, 2);
  metric->time = laurel_statement_get_int (row, 3);
  return metric;
}

GPtrArray *
laurel_store_list_metrics (LaurelStore *self,
                           gint64 run_id,
                           const char *key,
                           int after_step,
                           GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          key != NULL ? "SELECT step, key, value, time FROM metrics"
                                        " WHERE run_id = ? AND step > ? AND key = ? ORDER BY step"
                                      : "SELECT step, key, value, time FROM metrics"
                                        " WHERE run_id = ? AND step > ? ORDER BY step, key",
                          "list the metrics", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, run_id);
  laurel_statement_bind_int (rows, after_step);
  if (key != NULL)
    laurel_statement_bind_text (rows, key);
  return laurel_store_collect (rows, read_metric, (GDestroyNotify) laurel_metric_free, error);
}

static gpointer
read_text (LaurelStatement *row)
{
  return laurel_statement_dup_text (row, 0);
}

char **
laurel_store_list_metric_keys (LaurelStore *self, gint64 run_id, GError **error)
{
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, "SELECT DISTINCT key FROM metrics WHERE run_id = ? ORDER BY key",
                          "list the metrics", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, run_id);
  keys = laurel_store_collect (rows, read_text, g_free, error);
  if (keys == NULL)
    return NULL;
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_steal (keys, NULL);
}

/* --- Rollouts ------------------------------------------------------------- */

gboolean
laurel_store_add_rollout (LaurelStore *self,
                          gint64 run_id,
                          const LaurelRollout *rollout,
                          GError **error)
{
  g_autofree void *tokens =
    laurel_store_pack_words (rollout->prompt_tokens, rollout->n_prompt_tokens);
  g_autoptr (GBytes) records = laurel_token_records_to_bytes (rollout->records, rollout->n_tokens);
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO rollouts (run_id, step, row, prompt, completion, prompt_tokens, records,"
    " finish, score, kl_coef) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "save the rollout", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, run_id);
  laurel_statement_bind_int (insert, rollout->step);
  laurel_statement_bind_int (insert, rollout->row);
  laurel_statement_bind_text (insert, rollout->prompt);
  laurel_statement_bind_text (insert, rollout->completion);
  laurel_statement_bind_bytes (insert, tokens != NULL ? tokens : "",
                               (gsize) rollout->n_prompt_tokens * 4);
  laurel_statement_bind_bytes (insert,
                               rollout->n_tokens > 0 ? g_bytes_get_data (records, NULL) : "",
                               g_bytes_get_size (records));
  laurel_statement_bind_text (insert, laurel_finish_to_string (rollout->finish));
  laurel_statement_bind_double (insert, rollout->score);
  laurel_statement_bind_double (insert, rollout->kl_coef);
  return laurel_statement_run (insert, error);
}

static LaurelRollout *
read_rollout (LaurelStatement *row, GError **error)
{
  g_autoptr (LaurelRollout) rollout = g_new0 (LaurelRollout, 1);
  const void *bytes;
  gsize n_bytes;

  rollout->id = laurel_statement_get_int (row, 0);
  rollout->run_id = laurel_statement_get_int (row, 1);
  rollout->step = (int) laurel_statement_get_int (row, 2);
  rollout->row = (int) laurel_statement_get_int (row, 3);
  rollout->prompt = laurel_statement_dup_text (row, 4);
  rollout->completion = laurel_statement_dup_text (row, 5);
  rollout->prompt_tokens = laurel_store_unpack_words (row, 6, &rollout->n_prompt_tokens);
  rollout->finish = laurel_finish_from_string (laurel_statement_get_text (row, 8));
  rollout->score = laurel_statement_get_double (row, 9);
  rollout->kl_coef = laurel_statement_get_double (row, 10);
  bytes = laurel_statement_get_bytes (row, 7, &n_bytes);
  if (!laurel_token_records_from_bytes (bytes, n_bytes, &rollout->records, &rollout->n_tokens,
                                        error))
    return NULL;
  return g_steal_pointer (&rollout);
}

GPtrArray *
laurel_store_list_rollouts (LaurelStore *self,
                            gint64 run_id,
                            int step,
                            int limit,
                            int offset,
                            GError **error)
{
  g_autoptr (GPtrArray) rollouts =
    g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_rollout_free);
  g_autoptr (GError) local = NULL;
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self,
    "SELECT id, run_id, step, row, prompt, completion, prompt_tokens, records, finish, score,"
    " kl_coef FROM rollouts WHERE run_id = ?1 AND (?2 = 0 OR step = ?2)"
    " ORDER BY step, row LIMIT ?3 OFFSET ?4",
    "list the rollouts", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, run_id);
  laurel_statement_bind_int (rows, step);
  laurel_statement_bind_int (rows, limit);
  laurel_statement_bind_int (rows, offset);
  while (laurel_statement_next (rows, &local)) {
    LaurelRollout *rollout = read_rollout (rows, error);

    if (rollout == NULL)
      return NULL;
    g_ptr_array_add (rollouts, rollout);
  }
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return g_steal_pointer (&rollouts);
}

int
laurel_store_last_rollout_step (LaurelStore *self, gint64 run_id, GError **error)
{
  g_autoptr (LaurelStatement) last =
    laurel_store_prepare (self, "SELECT coalesce (max (step), 0) FROM rollouts WHERE run_id = ?",
                          "find the last step", error);
  gint64 step;

  if (last == NULL)
    return 0;
  laurel_statement_bind_int (last, run_id);
  step = laurel_store_count (last, error);
  return (int) MAX (step, 0);
}

static gboolean
delete_after (LaurelStore *self, const char *sql, gint64 run_id, int step, GError **error)
{
  g_autoptr (LaurelStatement) forget =
    laurel_store_prepare_write (self, sql, "go back to the checkpoint", error);

  if (forget == NULL)
    return FALSE;
  laurel_statement_bind_int (forget, run_id);
  laurel_statement_bind_int (forget, step);
  return laurel_statement_run (forget, error);
}

gboolean
laurel_store_truncate_run (LaurelStore *self, gint64 run_id, int step, GError **error)
{
  if (!laurel_store_begin_transaction (self, FALSE, error))
    return FALSE;
  if (!delete_after (self, "DELETE FROM metrics WHERE run_id = ? AND step > ?", run_id, step,
                     error) ||
      !delete_after (self, "DELETE FROM rollouts WHERE run_id = ? AND step > ?", run_id, step,
                     error) ||
      !delete_after (self, "UPDATE runs SET step = min (step, ?2) WHERE id = ?1", run_id, step,
                     error)) {
    laurel_store_rollback (self);
    return FALSE;
  }
  return laurel_store_commit (self, error);
}

/* --- Log ------------------------------------------------------------------ */

gboolean
laurel_store_add_log (LaurelStore *self, gint64 run_id, const char *line, GError **error)
{
  g_autoptr (LaurelStatement) insert =
    laurel_store_prepare_write (self,
                                "INSERT INTO log_lines (run_id, line, created) VALUES (?, ?, ?)",
                                "save a line of the log", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, run_id);
  laurel_statement_bind_text (insert, line);
  laurel_statement_bind_int (insert, laurel_store_now ());
  return laurel_statement_run (insert, error);
}

GPtrArray *
laurel_store_list_log (LaurelStore *self, gint64 run_id, GError **error)
{
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self, "SELECT line FROM log_lines WHERE run_id = ? ORDER BY id",
                          "read the log", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, run_id);
  return laurel_store_collect (rows, read_text, g_free, error);
}
