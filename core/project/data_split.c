/* data_split.c: prompts of the split “heldout” are measured on, so their rankings and
 * demonstrations train nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"

#include "core/base/error.h"

/* Where a snapshot has the ids of the demonstrations that train nothing. */
#define TO_MEASURE "held_out_demonstration_ids"

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

gboolean
laurel_data_fix_demonstrations (LaurelStore *store,
                                gint64 n,
                                JsonObject *snapshot,
                                GError **error)
{
  g_autoptr (GArray) ids = laurel_store_list_demonstrations_of_split (store, "heldout", error);
  JsonArray *array;

  if (ids == NULL)
    return FALSE;
  if (ids->len >= (guint64) n) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start the run: the project has no demonstrations but of held-out "
                 "prompts, which are to measure on; add others, or name a data file");
    return FALSE;
  }
  if (ids->len == 0)
    return TRUE;
  array = json_array_sized_new (ids->len);
  for (guint i = 0; i < ids->len; i++)
    json_array_add_int_element (array, g_array_index (ids, gint64, i));
  json_object_set_array_member (snapshot, TO_MEASURE, array);
  return TRUE;
}

static JsonArray *
get_to_measure (JsonObject *snapshot)
{
  return json_object_has_member (snapshot, TO_MEASURE)
             ? json_object_get_array_member (snapshot, TO_MEASURE)
             : NULL;
}

GPtrArray *
laurel_data_get_demonstrations (LaurelStore *store,
                                JsonObject *snapshot,
                                const char *member,
                                GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  JsonArray *array = get_to_measure (snapshot);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    gint64 id = json_array_get_int_element (array, i);

    g_array_append_val (ids, id);
  }
  return laurel_data_list_demonstrations (
      store, (int) json_object_get_int_member (snapshot, member), ids, error);
}

gboolean
laurel_data_load_demonstrations (LaurelStore *store,
                                 JsonObject *snapshot,
                                 const char *member,
                                 const LaurelModel *model,
                                 const LaurelHyperparameters *hp,
                                 LaurelTrainData *out,
                                 GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;

  if (!json_object_has_member (snapshot, member))
    return TRUE;
  rows = laurel_data_get_demonstrations (store, snapshot, member, error);
  return rows != NULL
         && laurel_data_load_sft (rows, "the demonstrations", model, hp, 0, out, error);
}

static void
add_note (LaurelTrainData *out, gint64 n, const char *one, const char *many)
{
  if (n > 0)
    g_ptr_array_add (out->notes,
                     g_strdup_printf ("Left out %" G_GINT64_FORMAT
                                      " %s of held-out prompts, which are to measure on.",
                                      n, n == 1 ? one : many));
}

void
laurel_data_note_held_out (JsonObject *snapshot, LaurelTrainData *out)
{
  JsonArray *array = get_to_measure (snapshot);

  add_note (out,
            json_object_get_int_member_with_default (snapshot, LAUREL_DATA_HELD_OUT_RANKINGS, 0),
            "ranking", "rankings");
  add_note (out, array != NULL ? json_array_get_length (array) : 0, "demonstration",
            "demonstrations");
}
