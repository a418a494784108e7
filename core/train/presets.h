/* presets.h: published sets of settings by name.
 *
 * A preset holds what its source states and nothing else: other settings keep
 * their defaults. What only makes sense at the size of the published run is
 * scaled to a model of 256 channels and a run of minutes on a CPU, by rules
 * that each value's source tells:
 *
 *   batch of rollouts  an eighth
 *   learning rate      times the published width over 256, as Adam's rate goes
 *                      with 1/width (Yang et al. 2022)
 *   iterations         60
 *   KL horizon         a hundredth of the run's episodes
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

typedef struct {
  const char *key;
  const char *value;  /* as laurel_hyperparameters_set() takes it */
  const char *source; /* what was published, and how it was scaled */
} LaurelPresetValue;

typedef struct {
  const char *name;        /* "stiennon" */
  LaurelStage stage;
  const char *title;       /* “Stiennon et al. 2020” */
  const char *description; /* N_(): a sentence */
  const LaurelPresetValue *values;
  int n_values;
} LaurelPreset;

const LaurelPreset *laurel_presets (int *out_n);
/* NULL and an error that lists those of @stage when there is none of that name. */
const LaurelPreset *laurel_preset_find (LaurelStage stage, const char *name, GError **error);
/* The value that @self has for @key; NULL: none. */
const LaurelPresetValue *laurel_preset_get (const LaurelPreset *self, const char *key);
/* Over what @hp has; settings that the preset does not name stay. */
gboolean laurel_preset_apply (const LaurelPreset *self, LaurelHyperparameters *hp, GError **error);

G_END_DECLS
