/* normalize.h: a reward model's gain and bias.
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

/* Samples, scores, folds, measures again; logs normalize/…. The model's config says so afterwards. */
gboolean laurel_reward_normalize (LaurelModel *reward, const LaurelModel *sft, GPtrArray *reference_prompts, const LaurelHyperparameters *hp, int step, const LaurelMonitor *monitor, GError **error);

G_END_DECLS
