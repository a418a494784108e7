/* evaluate_compare.h: several policies on the same prompts, each held against one of them.
 *
 * All answer with the same random numbers. Best-of-n of the baseline, which
 * would have the baseline's own answer among its samples, draws others.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/label/winrate.h"
#include "core/project/evaluate.h"
#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  const char *const *models; /* NULL-terminated: names or directories */
  const char *baseline;      /* (nullable): the one to beat, and the one that KL is to; the first of @models */
  const char *judge;         /* a rule file or a reward model */
  const char *reward_model;  /* (nullable): whose scores are shown besides */
  int best_of;               /* with @reward_model: the baseline's best of so many is a policy too; 0: none */
  const char *split;         /* NULL: “heldout” */
  int n_completions;         /* of each; 0: one a prompt */
  LaurelSamplingOptions options;
  LaurelGenerateProgress progress; /* NULL: none; samples of all policies */
  gpointer user_data;
} LaurelCompareRequest;

typedef struct {
  char *name;                  /* of the model, “best of 16” */
  LaurelEvaluation evaluation; /* KL to the baseline, exact at each position; nothing for the baseline and best-of-n */
  double kl_bound;             /* of best-of-n: what its KL does not pass; else NaN */
  LaurelInterval proxy;        /* the mean score of @reward_model; nothing without one */
  LaurelWinSummary wins;       /* over the baseline; all 0 for itself */
  gboolean is_baseline;
} LaurelCompared;

void laurel_compared_free (LaurelCompared *self);

/* (element-type LaurelCompared): the baseline, its best-of-n if asked for, and the others as they are named. */
GPtrArray *laurel_evaluate_compare (LaurelStore *store, const char *project_path, const LaurelCompareRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
