/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/fixture.h"

#include "core/base/memory.h"
#include "core/math/kernels.h"

#include <string.h>

FixtureBatch *
fixture_batch_new (const gint32 *tokens, const int *lengths, int n_sequences)
{
  FixtureBatch *self = g_new0 (FixtureBatch, 1);
  gint32 *offsets = g_new0 (gint32, (gsize) n_sequences + 1), *positions, *targets;
  int n_labels = 0;

  for (int b = 0; b < n_sequences; b++)
    offsets[b + 1] = offsets[b] + lengths[b];
  self->n_tokens = offsets[n_sequences];
  positions = g_new (gint32, (gsize) self->n_tokens);
  targets = g_new (gint32, (gsize) self->n_tokens);
  for (int b = 0; b < n_sequences; b++)
    for (gint32 i = offsets[b]; i + 1 < offsets[b + 1]; i++) {
      positions[n_labels] = i;
      targets[n_labels++] = tokens[i + 1];
    }
  self->batch = (LaurelBatch) { g_memdup2 (tokens, (gsize) self->n_tokens * sizeof *tokens),
                                offsets, n_sequences };
  self->labels = (LaurelLabels) { positions, targets, n_labels };
  return self;
}

void
fixture_batch_free (FixtureBatch *self)
{
  g_free ((gpointer) self->batch.tokens);
  g_free ((gpointer) self->batch.offsets);
  g_free ((gpointer) self->labels.positions);
  g_free ((gpointer) self->labels.targets);
  g_free (self);
}

static float *
allocate (gsize n_floats)
{
  float *block = laurel_alloc_aligned (n_floats * sizeof (float));

  g_assert_nonnull (block);
  return block;
}

FixtureTrainer *
fixture_trainer_new (const LaurelModel *model, int max_tokens)
{
  FixtureTrainer *self = g_new0 (FixtureTrainer, 1);
  g_autoptr (GError) error = NULL;

  self->acts = laurel_activations_new (&model->config, max_tokens, TRUE, &error);
  g_assert_no_error (error);
  self->n_hidden = (gsize) max_tokens * (gsize) model->config.n_embd;
  self->n_block = model->layout->n_floats;
  self->dhidden = allocate (self->n_hidden);
  self->gradients = allocate (self->n_block);
  return self;
}

void
fixture_trainer_free (FixtureTrainer *self)
{
  laurel_activations_free (self->acts);
  laurel_free_aligned (self->dhidden);
  laurel_free_aligned (self->gradients);
  laurel_free_aligned (self->m);
  laurel_free_aligned (self->v);
  g_free (self);
}

double
fixture_accumulate (FixtureTrainer *self, const LaurelModel *model, const FixtureBatch *batch,
                    double scale)
{
  const float *hidden = laurel_transformer_forward (model, &batch->batch, self->acts);
  double loss;

  memset (self->dhidden, 0, self->n_hidden * sizeof (float));
  loss = laurel_lm_head_loss (model, hidden, &batch->labels, 1.0, NULL, NULL, scale, NULL,
                              self->dhidden, self->gradients);
  laurel_transformer_backward (model, &batch->batch, self->acts, self->dhidden, self->gradients);
  return loss;
}

double
fixture_train_pass (FixtureTrainer *self, const LaurelModel *model, const FixtureBatch *batch)
{
  memset (self->gradients, 0, self->n_block * sizeof (float));
  return fixture_accumulate (self, model, batch, 1.0 / batch->labels.n);
}

void
fixture_adamw (FixtureTrainer *self, LaurelModel *model, JsonObject *settings, int step)
{
  double weight_decay = json_object_get_double_member (settings, "weight_decay");
  LaurelAdamW adamw = {
    .learning_rate = json_object_get_double_member (settings, "learning_rate"),
    .beta1 = json_object_get_double_member (settings, "beta1"),
    .beta2 = json_object_get_double_member (settings, "beta2"),
    .epsilon = json_object_get_double_member (settings, "epsilon"),
    .gradient_scale = 1.0,
    .step = step,
  };

  if (self->m == NULL) {
    self->m = allocate (self->n_block);
    self->v = allocate (self->n_block);
  }
  for (int i = 0; i < model->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &model->layout->tensors[i];
    gsize at = tensor->offset;

    g_assert_cmpint (tensor->decay, ==, tensor->n_dims == 2); /* as PyTorch was told */
    adamw.weight_decay = tensor->decay ? weight_decay : 0.0;
    laurel_adamw_update (model->weights + at, self->gradients + at, self->m + at, self->v + at,
                         tensor->n, &adamw);
  }
}
