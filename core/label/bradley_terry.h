/* bradley_terry.h: one rating for each of many models, from comparisons of any two of them.
 *
 * Bradley and Terry: P(i is preferred to j) = σ(θᵢ − θⱼ). Ratings θ are
 * log-odds: one more is e times the odds, 400/ln 10 ≈ 174 points of Elo. Only
 * differences mean anything.
 *
 * Ties are either half a win for both, or, after Davidson (1970), an outcome of
 * their own: with w = (e^θᵢ, e^θⱼ, ν·e^((θᵢ+θⱼ)/2)) the chances of “i”, “j” and
 * “neither” are w over its sum.
 *
 * Both are maximised by Newton's method, with −½ρ·Σθ² (and −½ρ·(ln ν)²) added.
 * With ρ = 0 a model that never lost would have no finite rating. Ratings add
 * up to 0.
 *
 * Pure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/statistics.h"
#include "core/label/outcomes.h"

G_BEGIN_DECLS

typedef enum { LAUREL_TIE_HALF, LAUREL_TIE_DAVIDSON } LaurelTieRule;

/* "half", "davidson"; INVALID_ARGUMENT lists them. */
gboolean laurel_tie_rule_from_string (const char *text, LaurelTieRule *out_rule, GError **error);

/* Weak enough to move a rating by less than a hundredth of its standard error where there are ten comparisons. */
#define LAUREL_RATING_PRIOR 1e-3

/**
 * laurel_bradley_terry_fit:
 * @wins: (n, n): how often the row's model was preferred to the column's
 * @ties: (n, n): how often neither was, symmetric
 * @prior: ρ; 0 only where laurel_contests_bound()
 * @ratings: (out) (n)
 * @out_log_nu: (out) (optional): ln ν; −∞ without ties or under LAUREL_TIE_HALF
 *
 * The comparisons must connect all models (see laurel_contests_connect()).
 *
 * Returns: FALSE when it did not converge
 */
gboolean laurel_bradley_terry_fit (const double *wins, const double *ties, int n, LaurelTieRule rule, double prior, double *ratings, double *out_log_nu);

/* Numbers (n) the groups of models that comparisons connect, from 0; returns how many groups there are. */
int laurel_contests_connect (const double *wins, const double *ties, int n, int *groups);
/* Whether for no split of the models in two all that was decided between the halves went to one of them: then
 * ratings are finite without a prior. */
gboolean laurel_contests_bound (const double *wins, const double *ties, int n);

typedef struct {
  char *model;
  LaurelInterval rating; /* of as many comparisons; prompts drawn again */
  int n_wins, n_losses, n_ties;
} LaurelRating;

typedef struct {
  GPtrArray *ratings; /* (element-type LaurelRating), best first */
  double tie_strength; /* ν; 0 under LAUREL_TIE_HALF */
  gboolean is_bound;   /* FALSE: the prior alone keeps some of the ratings finite */
} LaurelRatings;

void laurel_ratings_free (LaurelRatings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRatings, laurel_ratings_free)

/* With @baseline (nullable), a model whose rating is 0, else ratings add up to 0. An error with words when there are
 * fewer than two models, when comparisons do not connect them, or @baseline is none of them. */
LaurelRatings *laurel_ratings_estimate (const LaurelOutcomes *outcomes, LaurelTieRule rule, const char *baseline, int n_resamples, guint64 seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
