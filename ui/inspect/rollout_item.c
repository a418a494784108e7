/* rollout_item.c: a rollout in a list model, and its orders.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/rollout_item.h"

struct _LaurelRolloutItem {
  GObject parent_instance;

  LaurelRollout *rollout;
};

G_DEFINE_FINAL_TYPE (LaurelRolloutItem, laurel_rollout_item, G_TYPE_OBJECT)

static void
laurel_rollout_item_finalize (GObject *object)
{
  laurel_rollout_free (LAUREL_ROLLOUT_ITEM (object)->rollout);
  G_OBJECT_CLASS (laurel_rollout_item_parent_class)->finalize (object);
}

static void
laurel_rollout_item_class_init (LaurelRolloutItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_rollout_item_finalize;
}

static void
laurel_rollout_item_init (LaurelRolloutItem *self)
{
}

LaurelRolloutItem *
laurel_rollout_item_new (LaurelRollout *rollout)
{
  LaurelRolloutItem *self = g_object_new (LAUREL_TYPE_ROLLOUT_ITEM, NULL);

  self->rollout = rollout;
  return self;
}

const LaurelRollout *
laurel_rollout_item_get (LaurelRolloutItem *self)
{
  g_return_val_if_fail (LAUREL_IS_ROLLOUT_ITEM (self), NULL);
  return self->rollout;
}

static double
get_key (const LaurelRollout *rollout, LaurelRolloutSort sort)
{
  switch (sort) {
  case LAUREL_SORT_SCORE: return -rollout->score;
  case LAUREL_SORT_KL: return -laurel_rollout_sum_kl (rollout);
  case LAUREL_SORT_LENGTH: return -rollout->n_tokens;
  case LAUREL_SORT_ROW: return rollout->row;
  }
  return 0;
}

int
laurel_rollout_item_compare (gconstpointer a, gconstpointer b, gpointer sort)
{
  const LaurelRollout *one = ((const LaurelRolloutItem *) a)->rollout;
  const LaurelRollout *other = ((const LaurelRolloutItem *) b)->rollout;
  double x = get_key (one, (LaurelRolloutSort) GPOINTER_TO_INT (sort));
  double y = get_key (other, (LaurelRolloutSort) GPOINTER_TO_INT (sort));

  if (x != y)
    return x < y ? -1 : 1;
  return one->row - other->row;
}
