/* evaluation_export.h: evaluations as JSON and CSV, the same from every program.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

#include "core/project/evaluate_best_of.h"
#include "core/project/evaluate_compare.h"

G_BEGIN_DECLS

/* Members of the object that is open. */
void laurel_json_add_interval (JsonBuilder *builder, const char *member, const LaurelInterval *interval);
void laurel_json_add_evaluation (JsonBuilder *builder, const LaurelEvaluation *evaluation);
void laurel_json_add_win_summary (JsonBuilder *builder, const LaurelWinSummary *wins);

/* A line of names and one of values. */
char *laurel_win_summary_to_csv (const char *model, const char *baseline, const LaurelWinSummary *wins) G_GNUC_WARN_UNUSED_RESULT;

/* An array with an object for each policy (element-type LaurelCompared), and the same a policy a line. */
void laurel_compared_add_json (JsonBuilder *builder, GPtrArray *rows);
char *laurel_compared_to_csv (GPtrArray *rows) G_GNUC_WARN_UNUSED_RESULT;

/* An array with an object for each n (element-type LaurelBestOfEstimate), and the same an n a line. */
void laurel_best_of_add_json (JsonBuilder *builder, const GArray *estimates);
char *laurel_best_of_to_csv (const GArray *estimates) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
