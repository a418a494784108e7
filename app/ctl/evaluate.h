/* evaluate.h: printing evaluations, for the groups that make them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "app/ctl/ctl.h"
#include "core/project/evaluate.h"
#include "core/project/evaluation_export.h"

G_BEGIN_DECLS

/* One column a model, one or two of them. */
void laurel_ctl_print_evaluations (const char *const *names, const LaurelEvaluation *evaluations, int n);

/* In contest.c: which of several models is preferred. */
gboolean laurel_ctl_run_winrate (LaurelCtl *self, GError **error);
gboolean laurel_ctl_run_ratings (LaurelCtl *self, GError **error);
void laurel_ctl_help_winrate (GString *text);
void laurel_ctl_help_ratings (GString *text);
extern const LaurelCtlOption laurel_ctl_winrate_options[];
extern const LaurelCtlOption laurel_ctl_ratings_options[];

/* In best_of.c: what best-of-n is worth. */
gboolean laurel_ctl_run_bon (LaurelCtl *self, GError **error);
void laurel_ctl_help_bon (GString *text);
extern const LaurelCtlOption laurel_ctl_bon_options[];

/* In compare.c: several policies beside each other. */
gboolean laurel_ctl_run_compare (LaurelCtl *self, GError **error);
void laurel_ctl_help_compare (GString *text);
extern const LaurelCtlOption laurel_ctl_compare_options[];

/* In evaluate_reward.c. */
gboolean laurel_ctl_evaluate_reward (LaurelCtl *self, GError **error);

G_END_DECLS
