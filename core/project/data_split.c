/* data_split.c: prompts of the split “heldout” are measured on, so their rankings train nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

/* (element-type gint64): tasks of held-out prompts. */
static GHashTable *
list_held_out_tasks (LaurelStore *store, GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (store, "heldout", NULL, -1, 0, error);
  g_autoptr (GPtrArray) tasks =
      prompts != NULL ? laurel_store_list_tasks (store, -1, 0, error) : NULL;
  g_autoptr (GHashTable) held_out = g_hash_table_new (g_int64_hash, g_int64_equal);
  GHashTable *found;

  if (tasks == NULL)
    return NULL;
  for (guint i = 0; i < prompts->len; i++)
    g_hash_table_add (held_out, &((LaurelPrompt *) g_ptr_array_index (prompts, i))->id);
  found = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);

    if (g_hash_table_contains (held_out, &task->prompt_id))
      g_hash_table_add (found, g_memdup2 (&task->id, sizeof task->id));
  }
  return found;
}

gboolean
laurel_data_drop_held_out (LaurelStore *store, GPtrArray *rankings, guint *out_n, GError **error)
{
  g_autoptr (GHashTable) held_out = list_held_out_tasks (store, error);

  *out_n = 0;
  if (held_out == NULL)
    return FALSE;
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
