/* winrate.h: how often one model's completions are preferred to another's.
 *
 * Ties are kept apart: the strict rate is wins over wins and losses, the other
 * one counts a tie as half a win. Wilson's interval takes every comparison for
 * independent; the other intervals draw whole prompts again, or are Wilson's of
 * the prompts where these are all alike.
 *
 * Length-controlled rate. Judges, people among them, prefer long answers. With
 * gᵢ the tokens of A's answer less those of B's, s the root mean square of the
 * gaps and yᵢ = 1 for a win, 0 for a loss, ½ for a tie,
 *
 *   P(yᵢ = 1) = σ(α + β·tanh(gᵢ/s)),
 *
 * fitted by maximising Σ yᵢ·log σ(ηᵢ) + (1 − yᵢ)·log σ(−ηᵢ) − ½ρ(α² + β²),
 * ρ = 10⁻⁴, which keeps α and β finite where lengths alone part wins from
 * losses. The rate is what the fit says of answers of one length, σ(α). tanh
 * bounds what one very long answer can do. (After Dubois et al., “Length-
 * controlled AlpacaEval”, 2024; their term for a prompt's difficulty needs many
 * models on the same prompts and is left out.)
 *
 * Two p-values for “neither is better”: the exact sign test over the strict
 * comparisons, and the exact permutation test that swaps the two models' names
 * prompt by prompt. With one comparison a prompt they are the same number.
 *
 * Pure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/statistics.h"
#include "core/label/outcomes.h"

G_BEGIN_DECLS

typedef struct {
  int n_wins, n_losses, n_ties;
  int n_prompts;
  LaurelInterval strict;      /* Wilson's interval */
  LaurelInterval clustered;   /* the same rate, prompts drawn again */
  LaurelInterval half;        /* ties as half a win, prompts drawn again */
  LaurelInterval controlled;  /* at equal length, prompts drawn again */
  double length_slope;        /* β: log-odds; NaN without lengths */
  double length_gap;          /* the mean of A's tokens less B's; NaN without lengths */
  int n_lengths;              /* comparisons with known lengths */
  double p_sign, p_permutation; /* NaN when there are ties only */
} LaurelWinSummary;

/* @outcomes (element-type LaurelOutcome): all of A against B. */
void laurel_win_rate_summarise (const GArray *outcomes, int n_resamples, guint64 seed, LaurelWinSummary *out);

/* The summary's half alone, which takes a moment where the summary fits lengths a thousand times. */
LaurelInterval laurel_win_rate_half (const GArray *outcomes, int n_resamples, guint64 seed);

/* Two-sided: how likely a coin shows so uneven a number of heads in @n_wins + @n_losses throws. */
double laurel_sign_test (int n_wins, int n_losses);
/* Two-sided: the share of the 2ⁿ choices of signs of @net (n) whose sum is at least as far from 0 as Σ net. */
double laurel_permutation_test (const int *net, int n);

/**
 * laurel_length_fit:
 * @results: (n) 1, −1 or 0
 * @gaps: (n) finite
 * @weights: (n) how often each comes
 * @scale: s; 0: no gap differs from 0
 *
 * Sets @out_alpha and @out_beta as above.
 */
void laurel_length_fit (const int *results, const double *gaps, const double *weights, int n, double scale, double *out_alpha, double *out_beta);

G_END_DECLS
