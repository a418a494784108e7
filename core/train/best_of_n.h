/* best_of_n.h: the arithmetic of taking the best of n samples, pure.
 *
 * Of n independent samples the one that a proxy likes best is kept. Ties are
 * broken at random, which is never drawn but averaged over. Nothing here knows
 * what a sample is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* log n − (n − 1)/n: what KL(best of n ‖ one sample) is where no two samples are alike, and never passes
 * (Beirami et al. 2024). */
double laurel_best_of_n_kl_bound (int n);

/* KL(best of n ‖ one sample) of a distribution over @n_outcomes outcomes, in nats:
 *   Σ (F^n − F₋^n) log ((F^n − F₋^n) / p) over values of @proxy, p the value's probability, F that of a value as high
 *   or lower, F₋ of a lower one.
 * Outcomes of one value share what it gets as they shared it before, and so need not be told apart. @weights are
 * proportional to probabilities; NULL: all are equally likely. Outcomes of weight 0 do not count. */
double laurel_best_of_n_kl (const double *proxy, const double *weights, int n_outcomes, int n);

/* The unbiased estimate of what best of n is like from N ≥ n scored samples: sample i counts @weights[i] (N), which sum
 * to 1; the estimate of any quantity is Σ weights[i] · quantity[i]. Sorted by proxy it is the share of the subsets of n
 * in which sample i comes out on top, C(i − 1, n − 1) / C(N, n). */
void laurel_best_of_n_weights (const double *proxy, int n_samples, int n, double *weights);

/* The unbiased estimate of how often best of n by @proxy beats one further sample by @gold, equal ones counting ½; it
 * takes N ≥ n + 1 samples, else NaN. Where @gold is @proxy its expectation is at most n / (n + 1). */
double laurel_best_of_n_win_rate (const double *proxy, const double *gold, int n_samples, int n);

G_END_DECLS
