/* report.h: what a loop came to, as one HTML file that needs nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/evaluate.h"
#include "core/store/store.h"

G_BEGIN_DECLS

typedef struct {
  const char *title;
  const char *names[2];            /* before and after */
  LaurelEvaluation evaluations[2]; /* of them */
  GPtrArray *judged[2];            /* (element-type LaurelJudged), of the same prompts */
  LaurelWinRate wins;              /* of the second over the first */
  gint64 ppo_run;                  /* whose metrics are drawn */
} LaurelReport;

gboolean laurel_report_write (LaurelStore *store, const LaurelReport *report, const char *path, GError **error);

/* The rows of the table of evaluations, for every place that prints it. */
typedef struct {
  const char *title;
  gsize offset; /* of a LaurelInterval in LaurelEvaluation */
  gboolean share;
} LaurelEvaluationRow;

const LaurelEvaluationRow *laurel_evaluation_rows (int *out_n);
/* "12.0 % [10.1, 14.2]", "0.512 [0.480, 0.544]"; "0.512" without an interval, "–" when there is nothing to measure. */
char *laurel_interval_format (const LaurelInterval *interval, gboolean share) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
