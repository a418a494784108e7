/* rankings.c: submissions, and the comparisons that follow from them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

#include "core/base/error.h"

static gboolean
refuse (const LaurelRanking *ranking, GError **error, LaurelError code, const char *why)
{
  g_set_error (error, LAUREL_ERROR, code,
               "Could not save the ranking of task %" G_GINT64_FORMAT ": %s", ranking->task_id,
               why);
  return FALSE;
}

static gint64
query_ids (LaurelStore *self, const char *sql, gint64 a, gint64 b, GError **error)
{
  g_autoptr (LaurelStatement) query = laurel_store_prepare (self, sql, "save the ranking", error);

  if (query == NULL)
    return -1;
  laurel_statement_bind_int (query, a);
  laurel_statement_bind_int (query, b);
  return laurel_store_count (query, error);
}

/* Ranks are from 1; all are 0 in a skip, or where “none of these” is the whole verdict. */
static gboolean
check_ranks (const LaurelRanking *ranking, GError **error)
{
  int n_unranked = 0;

  for (int i = 0; i < ranking->n; i++) {
    if (ranking->ranks[i].rank < 0 || ranking->ranks[i].rank > ranking->n)
      return refuse (ranking, error, LAUREL_ERROR_INVALID_ARGUMENT,
                     "a rank is not between 1 and the number of completions; correct it");
    n_unranked += ranking->ranks[i].rank == 0;
  }
  if (ranking->skip_reason != NULL && n_unranked != ranking->n)
    return refuse (ranking, error, LAUREL_ERROR_INVALID_ARGUMENT,
                   "a skip cannot have ranks; rank or skip");
  if (ranking->skip_reason == NULL && n_unranked != 0 &&
      !(ranking->all_bad && n_unranked == ranking->n))
    return refuse (ranking, error, LAUREL_ERROR_INVALID_ARGUMENT,
                   "not every completion is ranked; rank them all or skip the task");
  return TRUE;
}

/* What the triggers would refuse too, said in words for people. */
static gboolean
check_ranking (LaurelStore *self, const LaurelRanking *ranking, GError **error)
{
  gint64 n_completions, n_earlier;

  n_completions =
    query_ids (self, "SELECT count (*) FROM task_completions WHERE task_id = ?1 AND ?2 = ?2",
               ranking->task_id, 0, error);
  if (n_completions < 0)
    return FALSE;
  if (n_completions == 0)
    return refuse (ranking, error, LAUREL_ERROR_NOT_FOUND, "there is no such task; check the id");
  if (n_completions != ranking->n)
    return refuse (ranking, error, LAUREL_ERROR_MISMATCH,
                   "it does not rank each of the task's completions once; rank them all");
  if (!check_ranks (ranking, error))
    return FALSE;
  n_earlier =
    query_ids (self, "SELECT count (*) FROM rankings_in_force WHERE task_id = ? AND labeler_id = ?",
               ranking->task_id, ranking->labeler_id, error);
  if (n_earlier < 0)
    return FALSE;
  if (n_earlier > 0 && ranking->supersedes == 0)
    return refuse (ranking, error, LAUREL_ERROR_EXISTS,
                   "this labeler has ranked it already; open that ranking again to change it");
  if (ranking->supersedes == 0)
    return TRUE;
  n_earlier =
    query_ids (self, "SELECT count (*) FROM rankings_in_force WHERE id = ? AND labeler_id = ?",
               ranking->supersedes, ranking->labeler_id, error);
  if (n_earlier == 0)
    return refuse (ranking, error, LAUREL_ERROR_MISMATCH,
                   "it supersedes no ranking in force of this labeler; open the newest one again");
  return n_earlier > 0;
}

static gint64
insert_ranking (LaurelStore *self, const LaurelRanking *ranking, gint64 created, GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO rankings (task_id, labeler_id, n_ranks, all_bad, skip_reason, comment,"
    " order_seed, active_ms, idle_ms, supersedes, created)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "save the ranking", error);

  if (insert == NULL)
    return 0;
  laurel_statement_bind_int (insert, ranking->task_id);
  laurel_statement_bind_int (insert, ranking->labeler_id);
  laurel_statement_bind_int (insert, ranking->n);
  laurel_statement_bind_int (insert, ranking->all_bad != FALSE);
  laurel_statement_bind_text (insert, ranking->skip_reason);
  laurel_statement_bind_text (insert, ranking->comment != NULL ? ranking->comment : "");
  laurel_statement_bind_int (insert, (gint64) ranking->order_seed);
  laurel_statement_bind_int (insert, ranking->active_ms);
  laurel_statement_bind_int (insert, ranking->idle_ms);
  laurel_statement_bind_id (insert, ranking->supersedes);
  laurel_statement_bind_int (insert, created);
  return laurel_statement_run (insert, error) ? laurel_database_last_id (self->db) : 0;
}

static gboolean
insert_rank (LaurelStore *self,
             gint64 ranking_id,
             int position,
             const LaurelRank *rank,
             GError **error)
{
  g_autoptr (LaurelStatement) insert = laurel_store_prepare_write (
    self,
    "INSERT INTO ranks (ranking_id, position, completion_id, rank, quality, flags)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    "save the ranking", error);

  if (insert == NULL)
    return FALSE;
  laurel_statement_bind_int (insert, ranking_id);
  laurel_statement_bind_int (insert, position);
  laurel_statement_bind_int (insert, rank->completion_id);
  laurel_statement_bind_int (insert, rank->rank);
  laurel_statement_bind_int (insert, rank->quality);
  laurel_statement_bind_int (insert, rank->flags);
  return laurel_statement_run (insert, error);
}

static gboolean
end_lease (LaurelStore *self, gint64 task_id, GError **error)
{
  g_autoptr (LaurelStatement) forget =
    laurel_store_prepare_write (self, "DELETE FROM leases WHERE task_id = ? AND owner = ?",
                                "free the task", error);

  if (forget == NULL)
    return FALSE;
  laurel_statement_bind_int (forget, task_id);
  laurel_statement_bind_text (forget, self->process);
  return laurel_statement_run (forget, error);
}

static gint64
submit (LaurelStore *self, const LaurelRanking *ranking, gint64 created, GError **error)
{
  gint64 id;

  if (!check_ranking (self, ranking, error))
    return 0;
  id = insert_ranking (self, ranking, created, error);
  if (id == 0)
    return 0;
  for (int i = 0; i < ranking->n; i++)
    if (!insert_rank (self, id, i, &ranking->ranks[i], error))
      return 0;
  if (!laurel_store_delete_draft (self, ranking->task_id, ranking->labeler_id, error) ||
      !end_lease (self, ranking->task_id, error))
    return 0;
  return id;
}

gboolean
laurel_store_add_ranking (LaurelStore *self, LaurelRanking *ranking, GError **error)
{
  gint64 created = ranking->created != 0 ? ranking->created : laurel_store_now ();
  gint64 id;

  if (!laurel_store_begin_transaction (self, TRUE, error))
    return FALSE;
  id = submit (self, ranking, created, error);
  if (id == 0) {
    laurel_store_rollback (self);
    return FALSE;
  }
  if (!laurel_store_commit (self, error))
    return FALSE;
  ranking->id = id;
  ranking->created = created;
  return TRUE;
}

/* --- Reading -------------------------------------------------------------- */

/* One row for each rank; the rows of a ranking follow each other. */
#define RANKING_ROWS \
  "SELECT r.id, r.task_id, r.labeler_id, l.name, l.kind, r.n_ranks, r.all_bad, r.skip_reason," \
  " r.comment, r.order_seed, r.active_ms, r.idle_ms, r.supersedes, r.created," \
  " k.position, k.completion_id, k.rank, k.quality, k.flags"
#define RANKING_JOINS \
  " JOIN labelers AS l ON l.id = r.labeler_id JOIN ranks AS k ON k.ranking_id = r.id"

static LaurelRanking *
read_ranking (LaurelStatement *row)
{
  LaurelRanking *ranking = g_new0 (LaurelRanking, 1);

  ranking->id = laurel_statement_get_int (row, 0);
  ranking->task_id = laurel_statement_get_int (row, 1);
  ranking->labeler_id = laurel_statement_get_int (row, 2);
  ranking->labeler = laurel_statement_dup_text (row, 3);
  ranking->labeler_kind = laurel_labeler_kind_from_string (laurel_statement_get_text (row, 4));
  ranking->n = (int) laurel_statement_get_int (row, 5);
  ranking->ranks = g_new0 (LaurelRank, ranking->n);
  ranking->all_bad = laurel_statement_get_int (row, 6) != 0;
  ranking->skip_reason = laurel_statement_dup_text (row, 7);
  ranking->comment = laurel_statement_dup_text (row, 8);
  ranking->order_seed = (guint64) laurel_statement_get_int (row, 9);
  ranking->active_ms = laurel_statement_get_int (row, 10);
  ranking->idle_ms = laurel_statement_get_int (row, 11);
  ranking->supersedes = laurel_statement_get_int (row, 12);
  ranking->created = laurel_statement_get_int (row, 13);
  return ranking;
}

static GPtrArray *
read_rankings (LaurelStatement *rows, GError **error)
{
  g_autoptr (GPtrArray) rankings =
    g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_ranking_free);
  g_autoptr (GError) local = NULL;
  LaurelRanking *ranking = NULL;

  while (laurel_statement_next (rows, &local)) {
    gint64 position = laurel_statement_get_int (rows, 14);

    if (ranking == NULL || ranking->id != laurel_statement_get_int (rows, 0)) {
      ranking = read_ranking (rows);
      g_ptr_array_add (rankings, ranking);
    }
    if (position < 0 || position >= ranking->n)
      continue; /* a damaged file; the check reports it */
    ranking->ranks[position].completion_id = laurel_statement_get_int (rows, 15);
    ranking->ranks[position].rank = (int) laurel_statement_get_int (rows, 16);
    ranking->ranks[position].quality = (int) laurel_statement_get_int (rows, 17);
    ranking->ranks[position].flags = (guint) laurel_statement_get_int (rows, 18);
  }
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  return g_steal_pointer (&rankings);
}

LaurelRanking *
laurel_store_get_ranking (LaurelStore *self, gint64 id, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (LaurelStatement) rows =
    laurel_store_prepare (self,
                          RANKING_ROWS " FROM rankings AS r" RANKING_JOINS
                                       " WHERE r.id = ? ORDER BY k.position",
                          "read the ranking", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, id);
  found = read_rankings (rows, error);
  if (found == NULL)
    return NULL;
  if (found->len > 0)
    return g_ptr_array_steal_index (found, 0);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not find ranking %" G_GINT64_FORMAT
               ": the project has none of that number; check the id",
               id);
  return NULL;
}

GPtrArray *
laurel_store_list_rankings (LaurelStore *self, gint64 task_id, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self,
    task_id != 0 ? RANKING_ROWS
      " FROM rankings_in_force AS r" RANKING_JOINS
      " WHERE r.skip_reason IS NULL AND r.task_id = ? ORDER BY r.id, k.position"
                 : RANKING_ROWS " FROM rankings_in_force AS r" RANKING_JOINS
                                " WHERE r.skip_reason IS NULL ORDER BY r.id, k.position",
    "list the rankings", error);

  if (rows == NULL)
    return NULL;
  if (task_id != 0)
    laurel_statement_bind_int (rows, task_id);
  return read_rankings (rows, error);
}

/* All labelers, people alone, or all but people: the numbers of LaurelLabelers. */
#define IS_OF_GROUP "(?1 = 0 OR (w.kind = 'person') = (?1 = 1))"
#define FROM_GROUP \
  " FROM rankings_in_force AS f JOIN labelers AS w ON w.id = f.labeler_id" \
  " WHERE f.skip_reason IS NULL AND " IS_OF_GROUP

GPtrArray *
laurel_store_list_rankings_by (LaurelStore *self,
                               LaurelLabelers labelers,
                               int limit,
                               int offset,
                               GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self,
    RANKING_ROWS " FROM (SELECT f.*" FROM_GROUP " ORDER BY f.id LIMIT ?2 OFFSET ?3) AS r"
    RANKING_JOINS " ORDER BY r.id, k.position",
    "list the rankings", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, labelers);
  laurel_statement_bind_int (rows, limit);
  laurel_statement_bind_int (rows, offset);
  return read_rankings (rows, error);
}

gint64
laurel_store_count_rankings_by (LaurelStore *self, LaurelLabelers labelers, GError **error)
{
  g_autoptr (LaurelStatement) count =
    laurel_store_prepare (self, "SELECT count (*)" FROM_GROUP, "count the rankings", error);

  if (count == NULL)
    return -1;
  laurel_statement_bind_int (count, labelers);
  return laurel_store_count (count, error);
}

LaurelRanking *
laurel_store_previous_ranking (LaurelStore *self,
                               gint64 labeler_id,
                               gint64 before_id,
                               GError **error)
{
  g_autoptr (LaurelStatement) find =
    laurel_store_prepare (self,
                          "SELECT id FROM rankings_in_force WHERE labeler_id = ? AND id < ?"
                          " ORDER BY id DESC LIMIT 1",
                          "find the last ranking", error);

  if (find == NULL)
    return NULL;
  laurel_statement_bind_int (find, labeler_id);
  laurel_statement_bind_int (find, before_id > 0 ? before_id : G_MAXINT64);
  if (!laurel_statement_next (find, error))
    return NULL;
  return laurel_store_get_ranking (self, laurel_statement_get_int (find, 0), error);
}

static gpointer
read_comparison (LaurelStatement *row)
{
  LaurelComparisonRow *comparison = g_new0 (LaurelComparisonRow, 1);

  comparison->ranking_id = laurel_statement_get_int (row, 0);
  comparison->task_id = laurel_statement_get_int (row, 1);
  comparison->prompt_id = laurel_statement_get_int (row, 2);
  comparison->chosen_id = laurel_statement_get_int (row, 3);
  comparison->rejected_id = laurel_statement_get_int (row, 4);
  return comparison;
}

GPtrArray *
laurel_store_list_comparisons (LaurelStore *self, LaurelLabelers labelers, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self,
    "SELECT c.ranking_id, c.task_id, c.prompt_id, c.chosen_id, c.rejected_id"
    " FROM comparisons AS c JOIN rankings AS r ON r.id = c.ranking_id"
    " JOIN labelers AS w ON w.id = r.labeler_id WHERE " IS_OF_GROUP
    " ORDER BY c.ranking_id, c.chosen_id, c.rejected_id",
    "list the comparisons", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_int (rows, labelers);
  return laurel_store_collect (rows, read_comparison, g_free, error);
}

gint64
laurel_store_count_rankings (LaurelStore *self, gint64 labeler_id, gint64 since, GError **error)
{
  g_autoptr (LaurelStatement) count = laurel_store_prepare (
    self,
    "SELECT count (*) FROM rankings_in_force"
    " WHERE skip_reason IS NULL AND (?1 = 0 OR labeler_id = ?1) AND created >= ?2",
    "count the rankings", error);

  if (count == NULL)
    return -1;
  laurel_statement_bind_int (count, labeler_id);
  laurel_statement_bind_int (count, since);
  return laurel_store_count (count, error);
}

gint64
laurel_store_last_ranking (LaurelStore *self, GError **error)
{
  g_autoptr (LaurelStatement) find = laurel_store_prepare (
    self, "SELECT coalesce (max (id), 0) FROM rankings", "find the newest ranking", error);

  return find != NULL ? laurel_store_count (find, error) : -1;
}

gint64
laurel_store_count_rankings_after (LaurelStore *self, gint64 ranking_id, GError **error)
{
  g_autoptr (LaurelStatement) count =
    laurel_store_prepare (self,
                          "SELECT count (*) FROM rankings_in_force"
                          " WHERE skip_reason IS NULL AND id > ?",
                          "count the new rankings", error);

  if (count == NULL)
    return -1;
  laurel_statement_bind_int (count, ranking_id);
  return laurel_store_count (count, error);
}
