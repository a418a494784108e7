/* queue.c: which tasks are to be ranked, and in which order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

static GArray *
list_ids (LaurelStore *self, gint64 labeler_id, gboolean all, GError **error)
{
  g_autoptr (LaurelStatement) rows = NULL;

  if (!laurel_store_free_leases (self, error))
    return NULL;
  rows = laurel_store_prepare (
      self,
      "SELECT t.id FROM tasks AS t WHERE (?3 <> 0 OR t.n_rankings < t.n_wanted)"
      " AND NOT EXISTS (SELECT 1 FROM leases AS l WHERE l.task_id = t.id AND l.owner <> ?2)"
      " AND NOT EXISTS (SELECT 1 FROM rankings AS r WHERE r.task_id = t.id AND r.labeler_id = ?1)"
      " ORDER BY t.place, t.id",
      "list the tasks", error);
  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, labeler_id);
  laurel_statement_bind_text (rows, self->process);
  laurel_statement_bind_int (rows, all != FALSE);
  return laurel_store_collect_ids (rows, error);
}

GArray *
laurel_store_list_task_ids (LaurelStore *self, gint64 labeler_id, gboolean all, GError **error)
{
  g_autoptr (GArray) ids = NULL;

  if (!laurel_store_begin_transaction (self, FALSE, error))
    return NULL;
  ids = list_ids (self, labeler_id, all, error);
  if (ids == NULL) {
    laurel_store_rollback (self);
    return NULL;
  }
  return laurel_store_commit (self, error) ? g_steal_pointer (&ids) : NULL;
}

GArray *
laurel_store_list_tasks_of_split (LaurelStore *self, const char *split, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
      self,
      "SELECT t.id FROM tasks AS t JOIN prompts AS p ON p.id = t.prompt_id WHERE p.split = ?"
      " ORDER BY t.id",
      "list the tasks", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_text (rows, split);
  return laurel_store_collect_ids (rows, error);
}

static gpointer
read_outline (LaurelStatement *row)
{
  LaurelTaskOutline *outline = g_new0 (LaurelTaskOutline, 1);

  outline->id = laurel_statement_get_int (row, 0);
  outline->prompt_id = laurel_statement_get_int (row, 1);
  outline->sampler = laurel_statement_dup_text (row, 2);
  outline->priority = laurel_statement_get_double (row, 3);
  return outline;
}

GHashTable *
laurel_store_map_tasks (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
      self, "SELECT id, prompt_id, sampler, priority FROM tasks", "list the tasks", error);
  g_autoptr (GPtrArray) outlines =
      rows != NULL ? laurel_store_collect (rows, read_outline,
                                           (GDestroyNotify) laurel_task_outline_free, error)
                   : NULL;
  GHashTable *by_id;

  if (outlines == NULL)
    return NULL;
  by_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                 (GDestroyNotify) laurel_task_outline_free);
  g_ptr_array_set_free_func (outlines, NULL);
  for (guint i = 0; i < outlines->len; i++) {
    LaurelTaskOutline *outline = g_ptr_array_index (outlines, i);

    g_hash_table_insert (by_id, &outline->id, outline);
  }
  return by_id;
}

/* --- The order ------------------------------------------------------------ */

static gboolean
forget_places (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) update = laurel_store_prepare_write (
      self, "UPDATE tasks SET place = 0 WHERE place <> 0", "order the tasks", error);

  return update != NULL && laurel_statement_run (update, error);
}

static gboolean
set_place (LaurelStore *self, const LaurelQueueEntry *entry, int place, GError **error)
{
  g_autoptr (LaurelStatement) update = laurel_store_prepare_write (
      self, "UPDATE tasks SET place = ?, sampler = ?, priority = ? WHERE id = ?", "order the tasks",
      error);

  if (update == NULL)
    return FALSE;
  laurel_statement_bind_int (update, place);
  laurel_statement_bind_text (update, entry->sampler);
  laurel_statement_bind_double (update, entry->priority);
  laurel_statement_bind_int (update, entry->task_id);
  return laurel_statement_run (update, error);
}

gboolean
laurel_store_order_tasks (LaurelStore *self, const LaurelQueueEntry *entries, int n, GError **error)
{
  gboolean is_done;

  if (!laurel_store_begin_transaction (self, FALSE, error))
    return FALSE;
  is_done = forget_places (self, error);
  for (int i = 0; i < n && is_done; i++)
    is_done = set_place (self, &entries[i], i - n, error);
  if (!is_done) {
    laurel_store_rollback (self);
    return FALSE;
  }
  return laurel_store_commit (self, error);
}
