/* test-queue.c: the order of tasks, and rankings of people apart from those of programs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fixture.h"

#include "core/base/error.h"

#include <math.h>

static void
assert_ids (LaurelStore *store, gint64 labeler, gboolean all, const gint64 *expected, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = laurel_store_list_task_ids (store, labeler, all, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (g_array_index (ids, gint64, i), ==, expected[i]);
}

static gint64
next_id (LaurelStore *store, gint64 labeler)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelTask) task = laurel_store_next_task (store, labeler, 60, &error);

  g_assert_no_error (error);
  return task != NULL ? task->id : 0;
}

static void
test_order (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) a = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) b = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) c = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) later = NULL;
  g_autoptr (LaurelTask) read = NULL;
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  const LaurelQueueEntry order[] = { { c->id, "uncertainty", 0.25 }, { a->id, "random", NAN } };
  const LaurelQueueEntry other[] = { { b->id, "near-tie", 1 } };
  const LaurelQueueEntry bad[] = { { a->id, "near-tie", 1 }, { c->id, NULL, 1 } };
  g_autoptr (GError) error = NULL;

  g_assert_true (isnan (a->priority)); /* nobody has asked */
  assert_ids (self->store, 0, FALSE, (gint64[]){ a->id, b->id, c->id }, 3);
  g_assert_true (laurel_store_order_tasks (self->store, order, 2, &error));
  later = add_task (self->store, 2, 1);
  /* What was ordered, then the rest by age, what is new last. */
  assert_ids (self->store, 0, FALSE, (gint64[]){ c->id, a->id, b->id, later->id }, 4);
  g_assert_cmpint (next_id (self->store, anna), ==, c->id);
  read = laurel_store_get_task (self->store, c->id, NULL);
  g_assert_cmpstr (read->sampler, ==, "uncertainty");
  g_assert_cmpfloat (read->priority, ==, 0.25);
  laurel_task_free (g_steal_pointer (&read));
  /* Another order takes the place of the first as a whole, and the tags stay with the tasks. */
  g_assert_true (laurel_store_order_tasks (self->store, other, 1, &error));
  assert_ids (self->store, 0, FALSE, (gint64[]){ b->id, a->id, c->id, later->id }, 4);
  read = laurel_store_get_task (self->store, c->id, NULL);
  g_assert_cmpstr (read->sampler, ==, "uncertainty");
  /* All or nothing. */
  g_assert_false (laurel_store_order_tasks (self->store, bad, 2, &error));
  g_assert_nonnull (error);
  assert_ids (self->store, 0, FALSE, (gint64[]){ b->id, a->id, c->id, later->id }, 4);
}

static void
test_who_has_ranked (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) a = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) b = add_task (self->store, 2, 2);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  gint64 model = laurel_store_ensure_labeler (self->store, "r", LAUREL_LABELER_REWARD_MODEL, NULL);
  const LaurelQueueEntry order[] = { { b->id, "random", NAN } };

  add_ranking (self->store, a, anna, (int[]){ 1, 2 }, 0);
  add_ranking (self->store, b, anna, (int[]){ 1, 2 }, 0);
  assert_ids (self->store, 0, FALSE, (gint64[]){ b->id }, 1); /* a is done */
  assert_ids (self->store, anna, FALSE, NULL, 0);
  assert_ids (self->store, model, FALSE, (gint64[]){ b->id }, 1);
  assert_ids (self->store, model, TRUE, (gint64[]){ a->id, b->id }, 2);
  g_assert_true (laurel_store_order_tasks (self->store, order, 1, NULL));
  assert_ids (self->store, model, TRUE, (gint64[]){ b->id, a->id }, 2);
  add_ranking (self->store, a, model, (int[]){ 2, 1 }, 0);
  assert_ids (self->store, model, TRUE, (gint64[]){ b->id }, 1);
}

static void
test_groups (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 3);
  gint64 anna = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_PERSON, NULL);
  gint64 rules = laurel_store_ensure_labeler (self->store, "rules", LAUREL_LABELER_RULES, NULL);
  gint64 model = laurel_store_ensure_labeler (self->store, "r", LAUREL_LABELER_REWARD_MODEL, NULL);
  const int counts[] = {
    [LAUREL_LABELERS_ALL] = 3, [LAUREL_LABELERS_PEOPLE] = 1, [LAUREL_LABELERS_SIMULATED] = 2
  };
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GError) error = NULL;
  LaurelLabelers labelers;

  add_ranking (self->store, task, rules, (int[]){ 1, 2 }, 0);
  add_ranking (self->store, task, anna, (int[]){ 2, 1 }, 0);
  add_ranking (self->store, task, model, (int[]){ 1, 1 }, 0); /* no comparison */
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    g_autoptr (GPtrArray) list = NULL;
    g_autoptr (GPtrArray) pairs = NULL;

    g_assert_true (laurel_labelers_from_string (laurel_labelers_to_string ((LaurelLabelers) i),
                                                &labelers, &error));
    g_assert_cmpint (labelers, ==, i);
    list = laurel_store_list_rankings_by (self->store, labelers, -1, 0, &error);
    pairs = laurel_store_list_comparisons (self->store, labelers, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (list->len, ==, (guint) counts[i]);
    g_assert_cmpint (laurel_store_count_rankings_by (self->store, labelers, NULL), ==, counts[i]);
    g_assert_cmpuint (pairs->len, ==, labelers == LAUREL_LABELERS_ALL ? 2 : 1);
  }
  page = laurel_store_list_rankings_by (self->store, LAUREL_LABELERS_ALL, 1, 1, &error);
  g_assert_cmpuint (page->len, ==, 1);
  g_assert_cmpstr (((LaurelRanking *) g_ptr_array_index (page, 0))->labeler, ==, "Anna");
  g_assert_cmpint (((LaurelRanking *) g_ptr_array_index (page, 0))->ranks[1].rank, ==, 1);
  g_assert_false (laurel_labelers_from_string ("robots", &labelers, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* What is asked of tasks without their texts is what the tasks say themselves. */
static void
test_outlines (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) a = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) b = add_task (self->store, 2, 1);
  g_autoptr (GError) error = NULL;
  gint64 prompt = laurel_store_ensure_prompt (self->store, "apart", "heldout", "", &error);
  const gint64 completions[] = { add_completion (self->store, prompt, 1, 2),
                                 add_completion (self->store, prompt, 2, 2) };
  gint64 c = laurel_store_add_task (self->store, prompt, completions, 2, 1, "random", &error);
  const LaurelQueueEntry order[] = { { b->id, "uncertainty", 0.25 } };
  g_autoptr (GHashTable) tasks = NULL;
  g_autoptr (GArray) train = NULL;
  g_autoptr (GArray) held_out = NULL;
  const LaurelTaskOutline *outline;

  g_assert_true (laurel_store_order_tasks (self->store, order, 1, &error));
  tasks = laurel_store_map_tasks (self->store, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (tasks), ==, 3);
  outline = g_hash_table_lookup (tasks, &a->id);
  g_assert_cmpint (outline->prompt_id, ==, a->prompt_id);
  g_assert_cmpstr (outline->sampler, ==, "random");
  g_assert_true (isnan (outline->priority));
  outline = g_hash_table_lookup (tasks, &b->id);
  g_assert_cmpint (outline->prompt_id, ==, b->prompt_id);
  g_assert_cmpstr (outline->sampler, ==, "uncertainty");
  g_assert_cmpfloat (outline->priority, ==, 0.25);
  held_out = laurel_store_list_tasks_of_split (self->store, "heldout", &error);
  train = laurel_store_list_tasks_of_split (self->store, "train", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (held_out->len, ==, 1);
  g_assert_cmpint (g_array_index (held_out, gint64, 0), ==, c);
  g_assert_cmpuint (train->len, ==, 2);
  g_assert_cmpint (g_array_index (train, gint64, 0), ==, a->id);
  g_assert_cmpint (g_array_index (train, gint64, 1), ==, b->id);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/store/queue/order", test_order);
  ADD_TEST ("/store/queue/who-has-ranked", test_who_has_ranked);
  ADD_TEST ("/store/queue/groups", test_groups);
  ADD_TEST ("/store/queue/outlines", test_outlines);
  return g_test_run ();
}
