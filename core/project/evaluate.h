/* evaluate.h: what a model's answers are worth to a rule judge, with 95 % intervals.
 *
 * Means have normal intervals (1.96 standard errors), shares Wilson's. Several
 * completions of one prompt hang together: then the standard error is that of
 * whole prompts, and Wilson's interval is of as many independent observations
 * as would have that error.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/base/statistics.h"
#include "core/label/judge.h"
#include "core/model/generate.h"
#include "core/project/best_of.h"

G_BEGIN_DECLS

/* @prompts (n): which prompt each value is of; those of one follow each other. */
LaurelInterval laurel_interval_mean (const double *values, const gint64 *prompts, int n);

/* One completion and what the judge found in it. */
typedef struct {
  gint64 prompt_id;
  char *prompt;
  char *text;
  int n_tokens;
  double kl; /* Σ over its tokens of KL(model ‖ reference) in nats; NaN without a reference */
  double proxy; /* what the request's proxy scored; NaN without one */
  LaurelVerdictParts parts;
} LaurelJudged;

void laurel_judged_free (LaurelJudged *self);

typedef struct {
  LaurelInterval score;
  LaurelInterval complied; /* share of the harmful prompts */
  LaurelInterval right;    /* share of the questions of fact */
  LaurelInterval stopped;
  LaurelInterval length; /* tokens, end-of-text included */
  LaurelInterval kl;     /* nats a completion, exact at each position */
} LaurelEvaluation;

typedef struct {
  const LaurelModel *model;
  const LaurelModel *reference; /* NULL: no KL */
  const LaurelJudge *judge;     /* NULL: @reward scores, and nothing else is found */
  const LaurelModel *reward;
  const LaurelBestOf *proxy; /* scores every answer besides, and of n > 1 samples keeps one; NULL: none */
  GPtrArray *prompts; /* (element-type LaurelPrompt) */
  int n_completions;  /* in all; 0: one a prompt; more than there are prompts: several a prompt */
  LaurelSamplingOptions options;
  LaurelGenerateProgress progress; /* NULL: none; counts samples */
  gpointer user_data;
} LaurelEvaluationRequest;

/* (element-type LaurelJudged), in the order of the prompts: the same prompts give the same rows to compare. */
GPtrArray *laurel_evaluate_sample (const LaurelEvaluationRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void laurel_evaluate_summarise (GPtrArray *judged, LaurelEvaluation *out);
/* Of those that have a proxy's score. */
LaurelInterval laurel_evaluate_average_proxy (GPtrArray *judged);

/* How often @a beats @b on the same prompts, ties apart: of two lists from the same prompts and counts. */
typedef struct {
  int n_wins;
  int n_losses;
  int n_ties;
  LaurelInterval win_rate; /* wins over wins and losses */
} LaurelWinRate;

gboolean laurel_evaluate_win_rate (GPtrArray *a, GPtrArray *b, LaurelWinRate *out, GError **error);

G_END_DECLS
