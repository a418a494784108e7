/* head.h: from hidden states to log-probabilities and scores, without ever
 * holding N × V logits: rows are taken in chunks.
 *
 * Row i of a label list reads hidden state positions[i] and predicts targets[i];
 * temperature divides the logits, in sampling and in training alike.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

G_BEGIN_DECLS

typedef struct {
  const gint32 *positions; /* (n) rows of hidden */
  const gint32 *targets;   /* (n) token ids */
  int n;
} LaurelLabels;

/* log π(target) into @logprobs (n); the entropy of π into @entropies (n) unless NULL. */
void laurel_lm_head_logprobs (const LaurelModel *model, const float *hidden, const LaurelLabels *labels, double temperature, float *logprobs, float *entropies);

/* The same for a policy and a reference on the same labels (two hidden blocks, same positions), and
 * the exact KL(π‖ρ) = Σ_v π log (π/ρ) at each position into @kl (n). Any output may be NULL, and without @kl most of the reference's softmax is saved. */
void laurel_lm_head_compare (const LaurelModel *policy, const float *hidden, const LaurelModel *reference, const float *ref_hidden, const LaurelLabels *labels, double temperature,
                             float *logprobs, float *ref_logprobs, float *kl, float *entropies);

/* The loss of label i as a function of its log-probability: returns the loss, sets *dlogprob to its derivative.
 * Called from several threads at once, for different i: it may write to slot i of an array and to nothing shared. */
typedef double (*LaurelTokenLoss) (int i, float logprob, double *dlogprob, gpointer user_data);

/* Forward and backward in one pass over the chunks: returns Σ loss; adds to @dhidden (N, C) and to the head's
 * (or wte's) gradient. @loss NULL means cross-entropy: −@scale · logprob. @logprobs (n) may be NULL. */
double laurel_lm_head_loss (const LaurelModel *model, const float *hidden, const LaurelLabels *labels, double temperature,
                            LaurelTokenLoss loss, gpointer user_data, double scale, float *logprobs, float *dhidden, float *gradients);

/* score[i] = hidden[positions[i]] · score.weight, and its mirror, which adds. */
void laurel_score_head_forward (const LaurelModel *model, const float *hidden, const gint32 *positions, int n, float *scores);
void laurel_score_head_backward (const LaurelModel *model, const float *hidden, const gint32 *positions, int n, const float *dscores, float *dhidden, float *gradients);

G_END_DECLS
