/* reward_loss.h: the K-way ranking loss of a reward model, pure.
 *
 *   L = (1/P) Σ_{i≻j} −log σ(r_i − r_j),   P = how many pairs are counted
 *
 * All pairs of a prompt are one element, so a prompt with many completions
 * weighs as much as one with two (Ouyang et al. 2022, eq. 1).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

typedef struct {
  int n_counted;   /* P; 0: nothing to learn, the loss and its gradient are 0 */
  int n_strict;    /* pairs with a better and a worse one */
  double n_right;  /* strict pairs whose better one scores higher; equal scores count ½ */
  double margin;   /* Σ over strict pairs of better − worse */
} LaurelRewardStats;

/* log σ(x) without overflow for any x. */
double laurel_log_sigmoid (double x);

/* The loss of one prompt's @n scores, and @scale times its gradient into @dscores (n, overwritten; may be NULL).
 * @ranks: 1 is best. Two completions are tied when their ranks are equal or, with @twins (n) given, when their
 * twins are (the same tokens). LAUREL_TIES_DROP leaves tied pairs out; LAUREL_TIES_HALF counts
 * −½ log σ(Δ) − ½ log σ(−Δ). */
double laurel_reward_loss (const float *scores, const int *ranks, const int *twins, int n, LaurelTies ties,
                           double scale, float *dscores, LaurelRewardStats *out_stats);

/* P alone, before any score is known. */
int laurel_reward_count_pairs (const int *ranks, const int *twins, int n, LaurelTies ties);

G_END_DECLS
