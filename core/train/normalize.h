/* normalize.h: a reward model's gain and bias, before training and after it.
 *
 * Scores of samples of the SFT model are brought to mean 0 and deviation 1,
 * so that kl_coef, the value clip and the missing-end penalty mean the same
 * from one reward model to the next. Both numbers are folded into the weights:
 * score.weight is scaled by the gain g, and the bias b goes into ln_f.bias along
 * the new score.weight w, ln_f.bias += b·w/|w|². As the score is w · (γ∘x̂ + β),
 * that adds exactly b, and every tool that loads the directory agrees.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/train.h"

G_BEGIN_DECLS

#define LAUREL_NORMALIZE_SAMPLES 256 /* Ziegler et al. 2019: normalize_samples */

void laurel_reward_fold (LaurelModel *reward, double gain, double bias);

/* (element-type LaurelSequence): prompts with what @sft answers to them, the same for the same split seed. */
GPtrArray *laurel_reward_sample_reference (const LaurelModel *reward, const LaurelModel *sft, GPtrArray *prompts, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  double gain;
  double bias;
  double mean; /* measured again with the folded weights */
  double std;
} LaurelRewardScale;

/* Scores @samples, folds what brings them to mean 0 and deviation 1, and measures again. */
gboolean laurel_reward_normalize (LaurelModel *reward, GPtrArray *samples, LaurelRewardScale *out, GError **error);

G_END_DECLS
