/* reward_loss.h: what a ranking of K completions says about their scores, pure.
 *
 *   pairwise       (1/P) Σ_{i≻j} −log σ(r_i − r_j)           P: pairs that are counted
 *   pick_best      −log softmax(r)_best                      one choice among K
 *   plackett_luce  (1/C) Σ −log softmax over what is left    C: choices that are counted
 *
 * All of them are means, so that a prompt with many completions weighs as much as one with two
 * (Ouyang et al. 2022, eq. 1), and all of them are −log σ(r_better − r_worse) for two completions.
 *
 * Completions of the same tokens are one text, whatever ranks they were given: pairwise takes them
 * for tied, the others for one candidate with the mean of its ranks.
 *
 * Ties. LAUREL_TIES_DROP: a tie says nothing about the order of those that are tied.
 *   pairwise       tied pairs are left out
 *   pick_best      a prompt without a single best is left out
 *   plackett_luce  the probability that the tied all come before what is ranked worse, in whatever
 *                  order: the sum over their orders, exactly
 * LAUREL_TIES_HALF: a tie says that each order is as good as the other.
 *   pairwise       −½ log σ(Δ) − ½ log σ(−Δ)
 *   pick_best      the tied share the label's mass
 *   plackett_luce  the mean of −log p over all orders of the tied, exactly
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

/* plackett_luce goes through all subsets of the tied. */
#define LAUREL_REWARD_MAX_TIED 12

typedef struct {
  LaurelRewardLoss loss;
  LaurelTies ties;
} LaurelRewardRule;

typedef struct {
  int n_counted;   /* P, C, or 1 for pick_best; 0: nothing to learn, the loss and its gradient are 0 */
  int n_strict;    /* pairs with a better and a worse one, whatever the loss */
  double n_right;  /* strict pairs whose better one scores higher; equal scores count ½ */
  double margin;   /* Σ over strict pairs of better − worse */
} LaurelRewardStats;

/* log σ(x) without overflow for any x. */
double laurel_log_sigmoid (double x);

/* The loss of one prompt's @n scores, and @scale times its gradient into @dscores (n, overwritten; may be NULL).
 * @ranks: 1 is best. @twins (n, nullable): completions with the same number have the same tokens. plackett_luce takes
 * at most LAUREL_REWARD_MAX_TIED tied ones. */
double laurel_reward_loss (const LaurelRewardRule *rule, const float *scores, const int *ranks, const int *twins, int n,
                           double scale, float *dscores, LaurelRewardStats *out_stats);

/* n_counted alone, before any score is known. */
int laurel_reward_count (const LaurelRewardRule *rule, const int *ranks, const int *twins, int n);
/* How many texts share a rank at most. */
int laurel_reward_count_tied (const int *ranks, const int *twins, int n);

G_END_DECLS
