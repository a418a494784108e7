/* selection.h: which task a labeler gets next.
 *
 * What is worth asking is guessed from reward models. With rᵢ their scores of a
 * task's completions, p = σ(rᵢ − rⱼ) is the chance that i is preferred to j;
 * over all pairs of the task
 *
 *   uncertainty  the mean standard deviation of p between the reward models
 *   near-tie     1 − the mean of |2p̄ − 1|, p̄ the models' mean
 *   large-gap    the mean of |2p̄ − 1|
 *
 * is the task's priority. A share of the tasks, drawn before any priority is
 * looked at, keeps to chance and is spread evenly over the queue: the rankings
 * of these are a fair sample of all tasks, on which agreement and calibration
 * can be measured.
 *
 * Pure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_STRATEGY_RANDOM,
  LAUREL_STRATEGY_UNCERTAINTY,
  LAUREL_STRATEGY_NEAR_TIE,
  LAUREL_STRATEGY_LARGE_GAP,
} LaurelStrategy;
#define LAUREL_N_STRATEGIES 4

/* "random", "uncertainty", "near-tie", "large-gap"; INVALID_ARGUMENT lists them. */
const char *laurel_strategy_to_string (LaurelStrategy strategy);
gboolean laurel_strategy_from_string (const char *text, LaurelStrategy *out_strategy, GError **error);
/* How many reward models it needs at least. */
int laurel_strategy_min_models (LaurelStrategy strategy);

/* The priority of a task of @n ≥ 2 completions, @scores (n_models, n); NaN under LAUREL_STRATEGY_RANDOM. */
double laurel_strategy_prioritise (LaurelStrategy strategy, const double *scores, int n_models, int n);

/* What an earlier order made of a task. A rule has looked at those that it passed over as at those that it put first, so
 * chance alone must not find them again among what is left. */
typedef enum {
  LAUREL_DRAW_OPEN,   /* none has: it may be drawn */
  LAUREL_DRAW_RANDOM, /* it was drawn, and stays so */
  LAUREL_DRAW_RULE,   /* it was left to a rule, and stays so */
} LaurelDraw;

typedef struct {
  int task; /* index */
  gboolean is_random;
} LaurelSelected;

/* The order of @n tasks into @out (n): highest @priorities (n) first, equal ones as they come, and among them
 * in random order those once drawn and @random_share of those that @draws (n; NULL: all) has as open. Under
 * LAUREL_STRATEGY_RANDOM all are in random order, and all are random but those of a rule. */
void laurel_selection_order (LaurelStrategy strategy, const double *priorities, const LaurelDraw *draws, int n, double random_share, guint64 seed, LaurelSelected *out);

G_END_DECLS
