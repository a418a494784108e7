/* sync.h: the only locks and queues of the engine.
 *
 * Debian's GLib is not built for ThreadSanitizer, so correct code over its
 * locks would be reported as a race. These two wrap what the trainer thread
 * uses and tell the sanitizer what happens before what; nothing else in the
 * tree takes a lock or a queue.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  GMutex mutex;
} LaurelLock;

void laurel_lock_init (LaurelLock *self);
void laurel_lock_clear (LaurelLock *self);
void laurel_lock_acquire (LaurelLock *self);
void laurel_lock_release (LaurelLock *self);

/* An unbounded first-in first-out queue of pointers, for any number of threads. */
typedef struct _LaurelQueue LaurelQueue;

LaurelQueue *laurel_queue_new (GDestroyNotify destroy_item);
void laurel_queue_free (LaurelQueue *self);
void laurel_queue_push (LaurelQueue *self, gpointer item);
gpointer laurel_queue_pop (LaurelQueue *self);     /* waits */
gpointer laurel_queue_try_pop (LaurelQueue *self); /* NULL when empty */

G_END_DECLS
