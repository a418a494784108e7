/* test-sync.c: the queue keeps order and loses nothing, the lock excludes.
 *
 * Under ThreadSanitizer these also show that the sanitizer understands both.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sync.h"

#define N_THREADS 4
#define N_ITEMS 2000

typedef struct {
  LaurelLock lock;
  int count; /* guarded by @lock */
} Counter;

static gpointer
count_up (gpointer user_data)
{
  Counter *counter = user_data;

  for (int i = 0; i < N_ITEMS; i++) {
    laurel_lock_acquire (&counter->lock);
    counter->count++;
    laurel_lock_release (&counter->lock);
  }
  return NULL;
}

static void
test_lock (void)
{
  Counter counter = { .count = 0 };
  GThread *threads[N_THREADS];

  laurel_lock_init (&counter.lock);
  for (int i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("count", count_up, &counter);
  for (int i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  laurel_lock_acquire (&counter.lock);
  g_assert_cmpint (counter.count, ==, N_THREADS * N_ITEMS);
  laurel_lock_release (&counter.lock);
  laurel_lock_clear (&counter.lock);
}

typedef struct {
  int producer;
  int number;
} Item;

typedef struct {
  LaurelQueue *queue;
  int producer;
} Producer;

static gpointer
produce (gpointer user_data)
{
  Producer *producer = user_data;

  for (int i = 0; i < N_ITEMS; i++) {
    Item *item = g_new (Item, 1);

    *item = (Item) { producer->producer, i };
    laurel_queue_push (producer->queue, item);
  }
  return NULL;
}

/* What one thread pushes comes out in its order, and nothing is lost. */
static void
test_queue_order (void)
{
  LaurelQueue *queue = laurel_queue_new (g_free);
  Producer producers[N_THREADS];
  GThread *threads[N_THREADS];
  int next[N_THREADS] = { 0 };

  for (int i = 0; i < N_THREADS; i++) {
    producers[i] = (Producer) { queue, i };
    threads[i] = g_thread_new ("produce", produce, &producers[i]);
  }
  for (int i = 0; i < N_THREADS * N_ITEMS; i++) {
    g_autofree Item *item = laurel_queue_pop (queue);

    g_assert_cmpint (item->number, ==, next[item->producer]);
    next[item->producer]++;
  }
  g_assert_null (laurel_queue_try_pop (queue));
  for (int i = 0; i < N_THREADS; i++) {
    g_assert_cmpint (next[i], ==, N_ITEMS);
    g_thread_join (threads[i]);
  }
  laurel_queue_free (queue);
}

static int n_destroyed;

static void
destroy_item (gpointer item)
{
  n_destroyed++;
  g_free (item);
}

static void
test_queue_frees (void)
{
  LaurelQueue *queue = laurel_queue_new (destroy_item);
  g_autofree char *taken = NULL;

  n_destroyed = 0;
  for (int i = 0; i < 3; i++)
    laurel_queue_push (queue, g_strdup_printf ("%d", i));
  taken = laurel_queue_try_pop (queue);
  g_assert_cmpstr (taken, ==, "0");
  laurel_queue_free (queue);
  g_assert_cmpint (n_destroyed, ==, 2);
  laurel_queue_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/sync/lock", test_lock);
  g_test_add_func ("/base/sync/queue/order", test_queue_order);
  g_test_add_func ("/base/sync/queue/frees", test_queue_frees);
  return g_test_run ();
}
