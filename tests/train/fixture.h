/* fixture.h: a tiny world for the stages: yes-or-no questions, a tokenizer trained on them, a model of 2 layers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/rng.h"
#include "core/train/rows.h"

/* What a monitor was told. */
typedef struct {
  GHashTable *series; /* key to (element-type double) GArray, in order */
  LaurelMonitor monitor;
  int n_polls;
  int stop_at;       /* the poll that answers LAUREL_STOP; 0: none */
  int checkpoint_at; /* the poll that asks for a checkpoint; 0: none */
  int n_rollouts;
  int polls_at_first_step; /* how often it had been asked when the first step was done */
  int last_step;
  int n_steps;
} Recorder;

Recorder *recorder_new (const char *checkpoint_dir, gboolean resume);
void recorder_free (Recorder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recorder, recorder_free)
int recorder_count (const Recorder *self, const char *key);
double recorder_first (const Recorder *self, const char *key);
double recorder_last (const Recorder *self, const char *key);

/* Owned by the fixture, made once. */
LaurelTokenizer *fixture_tokenizer (void);

LaurelModel *fixture_model (guint64 seed);
/* Trained a little on fixture_sequences(), so that it answers in words and ends. Made once, copied. */
LaurelModel *fixture_sft_model (void);
/* A score head on the SFT model, trained and normalised. Made once, copied. */
LaurelModel *fixture_reward_model (void);

/* (element-type LaurelSequence), (element-type LaurelComparison), (element-type LaurelTrainPrompt) */
GPtrArray *fixture_sequences (int n, guint64 seed);
GPtrArray *fixture_comparisons (int n, guint64 seed);
GPtrArray *fixture_prompts (int n);

/* (transfer full): @sequences as rows; NULL for NULL. */
LaurelRows *fixture_rows (GPtrArray *sequences);
gboolean fixture_train_sft (LaurelModel *model, GPtrArray *sequences, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error);

void fixture_sft_settings (LaurelHyperparameters *hp);
void fixture_reward_settings (LaurelHyperparameters *hp);
void fixture_ppo_settings (LaurelHyperparameters *hp);

char *fixture_make_dir (void);
void fixture_remove_dir (char *dir);

void assert_same_weights (const LaurelModel *a, const LaurelModel *b);
