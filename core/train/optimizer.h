/* optimizer.h: AdamW over one block of parameters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/parameters.h"
#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

typedef struct {
  LaurelLayout *layout;
  float *gradients; /* a block; the stage adds to it, laurel_optimizer_clear() zeroes it */
  gboolean borrowed; /* the gradients are the caller's */
  float *m;         /* Adam's moments, blocks of the same layout */
  float *v;
  gint64 n_steps;
  double beta1, beta2, epsilon, weight_decay, max_grad_norm;
} LaurelOptimizer;

/* Three blocks of @layout, all zero. An error when memory is short. @gradients: a block that two optimizers take turns
 * in, as long as the longer of the two needs it, which outlives them; NULL: one of its own. */
LaurelOptimizer *laurel_optimizer_new (LaurelLayout *layout, const LaurelHyperparameters *hp, float *gradients, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_optimizer_free (LaurelOptimizer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelOptimizer, laurel_optimizer_free)

void laurel_optimizer_clear (LaurelOptimizer *self);

/* One step on @weights. @out_norm: the gradient's length before clipping. LAUREL_ERROR_NOT_FINITE names the first
 * tensor whose gradient is not finite; nothing has been changed then. */
gboolean laurel_optimizer_step (LaurelOptimizer *self, float *weights, double learning_rate, double *out_norm, GError **error);

G_END_DECLS
