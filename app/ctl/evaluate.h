/* evaluate.h: printing evaluations, for the groups that make them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "app/ctl/ctl.h"
#include "core/project/evaluate.h"

G_BEGIN_DECLS

/* "–" when there is nothing to measure. */
char *laurel_ctl_format_interval (const LaurelInterval *interval, gboolean share);
/* One column a model, one or two of them. */
void laurel_ctl_print_evaluations (const char *const *names, const LaurelEvaluation *evaluations, int n);
/* As members of the object that is open. */
void laurel_ctl_add_evaluation (JsonBuilder *builder, const LaurelEvaluation *evaluation);

G_END_DECLS
