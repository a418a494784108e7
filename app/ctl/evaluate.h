/* evaluate.h: printing evaluations, for the groups that make them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "app/ctl/ctl.h"
#include "core/project/evaluate.h"

G_BEGIN_DECLS

/* One column a model, one or two of them. */
void laurel_ctl_print_evaluations (const char *const *names, const LaurelEvaluation *evaluations, int n);
void laurel_ctl_add_interval (JsonBuilder *builder, const char *member, const LaurelInterval *interval);
/* As members of the object that is open. */
void laurel_ctl_add_evaluation (JsonBuilder *builder, const LaurelEvaluation *evaluation);

G_END_DECLS
