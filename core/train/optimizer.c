/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/optimizer.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/math/kernels.h"

#include <math.h>
#include <string.h>

LaurelOptimizer *
laurel_optimizer_new (LaurelLayout *layout,
                      const LaurelHyperparameters *hp,
                      float *gradients,
                      GError **error)
{
  g_autoptr (LaurelOptimizer) self = g_new0 (LaurelOptimizer, 1);
  gsize n_bytes = layout->n_floats * sizeof (float);

  self->layout = laurel_layout_ref (layout);
  self->borrowed = gradients != NULL;
  self->gradients = gradients != NULL ? gradients : laurel_alloc_aligned (n_bytes);
  self->m = laurel_alloc_aligned (n_bytes);
  self->v = laurel_alloc_aligned (n_bytes);
  self->beta1 = hp->adam_beta1;
  self->beta2 = hp->adam_beta2;
  self->epsilon = hp->adam_epsilon;
  self->weight_decay = hp->weight_decay;
  self->max_grad_norm = hp->max_grad_norm;
  if (self->gradients == NULL || self->m == NULL || self->v == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not start training: the optimiser needs %" G_GSIZE_FORMAT " MiB; "
                 "close other programs or use a smaller model",
                 3 * n_bytes >> 20);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
laurel_optimizer_free (LaurelOptimizer *self)
{
  if (self == NULL)
    return;
  laurel_layout_unref (self->layout);
  if (!self->borrowed)
    laurel_free_aligned (self->gradients);
  laurel_free_aligned (self->m);
  laurel_free_aligned (self->v);
  g_free (self);
}

void
laurel_optimizer_clear (LaurelOptimizer *self)
{
  memset (self->gradients, 0, self->layout->n_floats * sizeof (float));
}

static gboolean
measure_gradient (const LaurelOptimizer *self, double *out_norm, GError **error)
{
  double squares = 0;

  for (int i = 0; i < self->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &self->layout->tensors[i];
    double sum = laurel_sum_squares (self->gradients + tensor->offset, tensor->n);

    if (!isfinite (sum)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                   "Could not go on training: the gradient of “%s” is not finite; "
                   "resume from the last checkpoint with a lower learning rate",
                   tensor->name);
      return FALSE;
    }
    squares += sum;
  }
  *out_norm = sqrt (squares);
  return TRUE;
}

gboolean
laurel_optimizer_step (LaurelOptimizer *self,
                       float *weights,
                       double learning_rate,
                       double *out_norm,
                       GError **error)
{
  LaurelAdamW params = { 0 };
  double norm;

  if (!measure_gradient (self, &norm, error))
    return FALSE;
  self->n_steps++;
  params.learning_rate = learning_rate;
  params.beta1 = self->beta1;
  params.beta2 = self->beta2;
  params.epsilon = self->epsilon;
  params.gradient_scale = 1;
  if (self->max_grad_norm > 0 && norm > self->max_grad_norm)
    params.gradient_scale = self->max_grad_norm / norm;
  params.step = (int) self->n_steps;
  for (int i = 0; i < self->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &self->layout->tensors[i];
    gsize at = tensor->offset;

    params.weight_decay = tensor->decay ? self->weight_decay : 0;
    laurel_adamw_update (weights + at, self->gradients + at, self->m + at, self->v + at, tensor->n,
                         &params);
  }
  if (out_norm != NULL)
    *out_norm = norm;
  return TRUE;
}
