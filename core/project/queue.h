/* queue.h: the labelers' queue in an order that reward models suggest.
 *
 * Threads: that of the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/selection.h"
#include "core/label/simulate.h"

G_BEGIN_DECLS

/* Of the tasks; chance alone tells whether what is asked is fair. */
#define LAUREL_RANDOM_SHARE 0.2

typedef struct {
  LaurelStrategy strategy;
  const char *const *reward_models; /* NULL-terminated; NULL: none */
  double random_share;              /* from 0 to 1 */
  guint64 seed;
  LaurelSimulateProgress progress; /* NULL: none; tasks; FALSE stops */
  gpointer user_data;
} LaurelQueueRequest;

typedef struct {
  int n_tasks;
  int n_random;
} LaurelQueueResult;

/* Orders all open tasks, and writes into each which rule put it where it is, and its priority. Nothing is changed when
 * it fails or is CANCELLED. MISMATCH when the strategy needs more reward models. */
gboolean laurel_queue_order (LaurelStore *store, const char *project_path, const LaurelQueueRequest *request, LaurelQueueResult *out, GError **error);

G_END_DECLS
