/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sync.h"

#if defined(__SANITIZE_THREAD__)
void __tsan_acquire (void *address);
void __tsan_release (void *address);
#define TSAN_ACQUIRE(address) __tsan_acquire (address)
#define TSAN_RELEASE(address) __tsan_release (address)
#else
#define TSAN_ACQUIRE(address) ((void) (address))
#define TSAN_RELEASE(address) ((void) (address))
#endif

void
laurel_lock_init (LaurelLock *self)
{
  g_mutex_init (&self->mutex);
}

void
laurel_lock_clear (LaurelLock *self)
{
  g_mutex_clear (&self->mutex);
}

void
laurel_lock_acquire (LaurelLock *self)
{
  g_mutex_lock (&self->mutex);
  TSAN_ACQUIRE (self);
}

void
laurel_lock_release (LaurelLock *self)
{
  TSAN_RELEASE (self);
  g_mutex_unlock (&self->mutex);
}

struct _LaurelQueue {
  GAsyncQueue *queue;
};

LaurelQueue *
laurel_queue_new (GDestroyNotify destroy_item)
{
  LaurelQueue *self = g_new0 (LaurelQueue, 1);

  self->queue = g_async_queue_new_full (destroy_item);
  return self;
}

void
laurel_queue_free (LaurelQueue *self)
{
  if (self == NULL)
    return;
  g_async_queue_unref (self->queue);
  g_free (self);
}

void
laurel_queue_push (LaurelQueue *self, gpointer item)
{
  TSAN_RELEASE (self);
  g_async_queue_push (self->queue, item);
}

gpointer
laurel_queue_pop (LaurelQueue *self)
{
  gpointer item = g_async_queue_pop (self->queue);

  TSAN_ACQUIRE (self);
  return item;
}

gpointer
laurel_queue_try_pop (LaurelQueue *self)
{
  gpointer item = g_async_queue_try_pop (self->queue);

  TSAN_ACQUIRE (self);
  return item;
}
