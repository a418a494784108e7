/* loop.h: steps over rows in a seeded order, which every supervised stage is.
 *
 * The stage says what a batch of rows adds to the gradient, what there is to
 * report of it, and how it is measured on held-out rows; order, schedule,
 * optimiser, evaluation times and checkpoints are the loop's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/micro_batch.h"
#include "core/train/state.h"

G_BEGIN_DECLS

typedef struct _LaurelLoop LaurelLoop;

struct _LaurelLoop {
  /* Set by the stage. */
  const LaurelHyperparameters *hp;
  const LaurelMonitor *monitor;
  gsize n_rows;
  gpointer stage; /* for its functions */
  gboolean (*add_gradient) (LaurelLoop *self, const guint32 *rows, int n, GError **error);
  void (*report) (LaurelLoop *self); /* what add_gradient() found */
  gboolean (*evaluate) (LaurelLoop *self, GError **error);

  /* Set by laurel_loop_prepare(). */
  int rows_per_step;
  int n_steps;
  gsize steps_per_epoch;
  guint32 *order;
  gint64 ordered_epoch; /* whose order @order is; −1: none */
  LaurelMicroBatch *micro;
  LaurelPass pass;
  LaurelTrainState state;
};

/* @longest: tokens of what a micro-batch must hold at least. Resumes when the monitor asks for it. Takes @fingerprint,
 * to which the stage has added its data. */
gboolean laurel_loop_prepare (LaurelLoop *self, LaurelStage stage, LaurelModel *model, int longest, GChecksum *fingerprint, GError **error);
gboolean laurel_loop_run (LaurelLoop *self, GError **error);
void laurel_loop_clear (LaurelLoop *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelLoop, laurel_loop_clear)

G_END_DECLS
