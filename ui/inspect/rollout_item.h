/* rollout_item.h: a rollout in a list model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "core/base/rollout.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_ROLLOUT_ITEM (laurel_rollout_item_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRolloutItem, laurel_rollout_item, LAUREL, ROLLOUT_ITEM, GObject)

LaurelRolloutItem *laurel_rollout_item_new (LaurelRollout *rollout /* (transfer full) */) G_GNUC_WARN_UNUSED_RESULT;
const LaurelRollout *laurel_rollout_item_get (LaurelRolloutItem *self);

typedef enum {
  LAUREL_SORT_SCORE, /* best first */
  LAUREL_SORT_KL,    /* farthest first */
  LAUREL_SORT_LENGTH, /* longest first */
  LAUREL_SORT_ROW,
} LaurelRolloutSort;

/* Compares two LaurelRolloutItem by the LaurelRolloutSort in @sort; equal ones by row. For g_list_store_sort(). */
int laurel_rollout_item_compare (gconstpointer a, gconstpointer b, gpointer sort);

G_END_DECLS
