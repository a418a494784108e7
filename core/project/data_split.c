/* data_split.c: prompts of the split “heldout” are measured on, so their rankings train nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

gboolean
laurel_data_drop_held_out (LaurelStore *store, GPtrArray *rankings, guint *out_n, GError **error)
{
  g_autoptr (GArray) tasks = laurel_store_list_tasks_of_split (store, "heldout", error);
  g_autoptr (GHashTable) held_out = g_hash_table_new (g_int64_hash, g_int64_equal);

  *out_n = 0;
  if (tasks == NULL)
    return FALSE;
  for (guint i = 0; i < tasks->len; i++)
    g_hash_table_add (held_out, &g_array_index (tasks, gint64, i));
  for (guint i = rankings->len; i-- > 0;) {
    const LaurelRanking *ranking = g_ptr_array_index (rankings, i);

    if (!g_hash_table_contains (held_out, &ranking->task_id))
      continue;
    g_ptr_array_remove_index (rankings, i);
    (*out_n)++;
  }
  return TRUE;
}

void
laurel_data_note_held_out (JsonObject *snapshot, LaurelTrainData *out)
{
  gint64 n =
      json_object_get_int_member_with_default (snapshot, LAUREL_DATA_HELD_OUT_RANKINGS, 0);

  if (n > 0)
    g_ptr_array_add (out->notes,
                     g_strdup_printf ("Left out %" G_GINT64_FORMAT
                                      " rankings of held-out prompts, which are to measure on.",
                                      n));
}
