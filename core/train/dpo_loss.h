/* dpo_loss.h: direct preference optimisation's loss of one prompt, pure.
 *
 *   d_k = Σ_t log π(y_k,t) − log ρ(y_k,t)         how much likelier completion k became
 *   L   = (1/P) Σ_{i≻j} ℓ(d_i − d_j),              P = how many pairs are strict
 *
 *   sigmoid: ℓ(h) = −(1 − ε) log σ(βh) − ε log σ(−βh)   (Rafailov et al. 2023; ε: label smoothing)
 *   ipo:     ℓ(h) = (h − 1/(2β))², with d_k per token     (Azar et al. 2023)
 *
 * All pairs of a prompt are one element, as in a reward model: a prompt with
 * many completions weighs as much as one with two. β d_k is the reward that
 * the policy itself stands for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

/* Sums over the response tokens of a completion, of which there is at least one. */
typedef struct {
  double logprob;
  double ref_logprob;
  int n_tokens;
} LaurelDpoCompletion;

/* Sums over the strict pairs: rewards are β d, also under ipo. */
typedef struct {
  int n_pairs;
  double n_right; /* the better one has the larger reward; equal ones count ½ */
  double chosen, rejected;
  double logps_chosen, logps_rejected;
} LaurelDpoStats;

/* Pairs with a better and a worse one. Completions are tied when their ranks or their twins (n; NULL: none) are equal. */
int laurel_dpo_count_pairs (const int *ranks, const int *twins, int n);

/* The loss of one prompt's @n completions, and @scale times its derivative by each one's logprob into @dlogprobs (n,
 * overwritten; may be NULL). Without a strict pair both are 0. */
double laurel_dpo_loss (const LaurelDpoCompletion *completions, const int *ranks, const int *twins, int n,
                        const LaurelHyperparameters *hp, double scale, double *dlogprobs, LaurelDpoStats *out_stats);

G_END_DECLS
