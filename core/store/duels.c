/* duels.c: what rankings say of two models whose completions stood in one task, and how many
 * rankings are new.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/store/store_private.h"

static gpointer
read_duel (LaurelStatement *row)
{
  LaurelDuel *duel = g_new0 (LaurelDuel, 1);

  duel->ranking_id = laurel_statement_get_int (row, 0);
  duel->task_id = laurel_statement_get_int (row, 1);
  duel->n_wins = (int) laurel_statement_get_int (row, 2);
  duel->n_losses = (int) laurel_statement_get_int (row, 3);
  duel->n_ties = (int) laurel_statement_get_int (row, 4);
  return duel;
}

/* Completions with the same tokens (or, where one was imported as text, the same text) are tied
 * whatever their ranks, as in the view of comparisons. */
#define DIFFER                                                                                     \
  " AND CASE WHEN ours.tokens IS NULL OR theirs.tokens IS NULL"                                    \
  " THEN ours.text <> theirs.text ELSE ours.tokens <> theirs.tokens END"

GPtrArray *
laurel_store_list_duels (LaurelStore *self, const char *a, const char *b, GError **error)
{
  g_autoptr (LaurelStatement) rows = laurel_store_prepare (
    self,
    "SELECT id, task_id, sum (wins), sum (losses), sum (1 - wins - losses) FROM ("
    " SELECT r.id AS id, r.task_id AS task_id, x.rank < y.rank" DIFFER " AS wins,"
    " x.rank > y.rank" DIFFER " AS losses"
    " FROM completions AS ours"
    " JOIN task_completions AS t ON t.completion_id = ours.id"
    " JOIN rankings_in_force AS r ON r.task_id = t.task_id AND r.skip_reason IS NULL"
    " JOIN ranks AS x ON x.ranking_id = r.id AND x.completion_id = ours.id AND x.rank > 0"
    " JOIN ranks AS y ON y.ranking_id = r.id AND y.rank > 0"
    " JOIN completions AS theirs ON theirs.id = y.completion_id"
    " WHERE ours.model = ?1 AND theirs.model = ?2) GROUP BY id ORDER BY task_id, id",
    "compare two models' completions", error);

  if (rows == NULL)
    return NULL;
  laurel_statement_bind_text (rows, a);
  laurel_statement_bind_text (rows, b);
  return laurel_store_collect (rows, read_duel, g_free, error);
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
