/* state.h: what changes while a stage trains, and its way to the disk and back.
 *
 * One struct, one serialiser. Random numbers need no state: their streams are
 * named by seed, step and row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/checkpoint.h"
#include "core/train/monitor.h"
#include "core/train/optimizer.h"
#include "core/train/ppo_math.h"

G_BEGIN_DECLS

#define LAUREL_CHECKPOINT_NAME "checkpoint.laurel"
#define LAUREL_STATE_MAX_BLOCKS 7

typedef struct {
  LaurelStage stage;
  const LaurelMonitor *monitor;
  int save_steps;
  int step;       /* steps done */
  int saved_step; /* the last step that is on the disk; −1: none */
  gboolean checkpoint_wanted;
  LaurelCheckpointWriter *writer; /* of a checkpoint on its way to the disk; NULL: none */
  int writing_step;               /* its step */
  double kl_coef; /* ppo, rloo: the adaptive β */
  LaurelKlGap kl_gap; /* ppo, rloo: k1 against the exact KL, over all iterations so far */
  gboolean ended;     /* ppo, rloo: before its last step, as its KL budget was spent */
  char *fingerprint; /* of settings, data and starting weights: a resume must have the same */
  LaurelModel *model; /* borrowed */
  LaurelOptimizer *optimizer;
  LaurelModel *value; /* ppo: the value network, borrowed; else NULL */
  LaurelOptimizer *value_optimizer;
  float *average; /* ppo, rloo: the moving average of the weights; NULL: none */
  float *kept[LAUREL_STATE_MAX_BLOCKS]; /* ppo: the blocks at the last step boundary, in memory */
  int kept_file;                        /* or in a file without a name; 0: there is none */
  gint64 kept_steps[2];
} LaurelTrainState;

void laurel_train_state_clear (LaurelTrainState *self);

/* Starts a fingerprint with the stage, @hp and @model's weights; the stage adds its data. */
GChecksum *laurel_train_state_start_fingerprint (LaurelStage stage, const LaurelHyperparameters *hp, const LaurelModel *model) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the checkpoint when the monitor asks for it; a run that was stopped before its first starts anew. */
gboolean laurel_train_state_resume (LaurelTrainState *self, GError **error);
/* Starts the moving average of the model's weights as they are; before a resume. */
gboolean laurel_train_state_start_average (LaurelTrainState *self, GError **error);
/* Writes one and waits until it is on the disk; nothing without a folder for it. */
gboolean laurel_train_state_save (LaurelTrainState *self, GError **error);
/* After each step: begins one when it is due or asked for, and training goes on while it is written. There are never
 * two on their way: one that falls due meanwhile begins at the first step after. One that fails is reported in the log,
 * and training goes on with the one before it. The @last step's is waited for, and its failure an error. */
gboolean laurel_train_state_save_if_due (LaurelTrainState *self, gboolean last, GError **error);
/* A step that was interrupted by @error: on LAUREL_ERROR_CANCELLED saves the last whole step. */
void laurel_train_state_interrupted (LaurelTrainState *self, GError **error);

/* For steps that change weights more than once: keep a copy at the boundary, and go back to it. The average is not part
 * of it, which changes when a step is done. A copy that is large goes to the disk. */
gboolean laurel_train_state_reserve (LaurelTrainState *self, GError **error);
gboolean laurel_train_state_keep (LaurelTrainState *self, GError **error);
gboolean laurel_train_state_go_back (LaurelTrainState *self, GError **error);
/* Bytes of memory that reserve asks for, where there are @n_bytes to keep. */
gsize laurel_train_state_reserve_size (gsize n_bytes);

G_END_DECLS
