/* fixture.h: models and batches for the tests of this folder.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/head.h"
#include "core/model/transformer.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Sequences, and a label for every token but the last of each: the token that follows it. */
typedef struct {
  int n_tokens;
  LaurelBatch batch;
  LaurelLabels labels;
} FixtureBatch;

/* Sequence b is the next lengths[b] of @tokens. Copies. */
FixtureBatch *fixture_batch_new (const gint32 *tokens, const int *lengths, int n_sequences) G_GNUC_WARN_UNUSED_RESULT;
void fixture_batch_free (FixtureBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FixtureBatch, fixture_batch_free)

/* What a training step needs beside the model: everything is sized for one batch. */
typedef struct {
  LaurelActivations *acts;
  float *dhidden;   /* (N, C) */
  float *gradients; /* a block of the model's layout */
  float *m, *v;     /* blocks too, once fixture_adamw() was called */
  gsize n_hidden, n_block;
} FixtureTrainer;

FixtureTrainer *fixture_trainer_new (const LaurelModel *model, int max_tokens) G_GNUC_WARN_UNUSED_RESULT;
void fixture_trainer_free (FixtureTrainer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FixtureTrainer, fixture_trainer_free)

/* Adds to self->gradients what Σ cross-entropy · @scale makes of them, and returns that sum. */
double fixture_accumulate (FixtureTrainer *self, const LaurelModel *model, const FixtureBatch *batch, double scale);
/* The same of the mean over the labels, from gradients of 0. */
double fixture_train_pass (FixtureTrainer *self, const LaurelModel *model, const FixtureBatch *batch);
/* Step @step (from 1) of AdamW with an expected.json's settings; decay falls on matrices alone. */
void fixture_adamw (FixtureTrainer *self, LaurelModel *model, JsonObject *settings, int step);

G_END_DECLS
