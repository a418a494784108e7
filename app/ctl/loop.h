/* loop.h: the verbs of the online loop, for the table in loop.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "app/ctl/ctl.h"
#include "core/project/online.h"

G_BEGIN_DECLS

extern const LaurelCtlOption laurel_ctl_loop_online_options[];
extern const LaurelCtlOption laurel_ctl_loop_retrain_options[];
extern const LaurelCtlOption laurel_ctl_loop_settings_options[];

gboolean laurel_ctl_loop_online (LaurelCtl *self, GError **error);
gboolean laurel_ctl_loop_retrain (LaurelCtl *self, GError **error);
gboolean laurel_ctl_loop_status (LaurelCtl *self, GError **error);
gboolean laurel_ctl_loop_settings (LaurelCtl *self, GError **error);
void laurel_ctl_loop_help_online (GString *text);
void laurel_ctl_loop_help_settings (GString *text);

/* --- loop_status.c, for loop_online.c ------------------------------------------ */

/* What the scores of a judge are kept under: the name of its file and what is in it, as scores of two judges are no
 * scale. Of a reward model that judges, none are kept. */
char *laurel_ctl_loop_name_scores (const char *judge) G_GNUC_WARN_UNUSED_RESULT;
/* The judge's mean score of a model on the held-out prompts, once it was measured. */
gboolean laurel_ctl_loop_get_score (LaurelStore *store, const char *model, const char *scores, LaurelInterval *out, GError **error);
gboolean laurel_ctl_loop_set_score (LaurelStore *store, const char *model, const char *scores, const LaurelInterval *score, GError **error);
/* Rounds, reward models, wins and, with @judge (nullable), scores: as a table or as JSON. */
gboolean laurel_ctl_loop_print (LaurelCtl *self, const LaurelOnlineSettings *settings, const char *judge, GError **error);

G_END_DECLS
