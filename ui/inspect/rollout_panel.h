/* rollout_panel.h: one rollout: token strip, lines over tokens, table, the sum that must hold.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_ROLLOUT_PANEL (laurel_rollout_panel_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRolloutPanel, laurel_rollout_panel, LAUREL, ROLLOUT_PANEL, GtkWidget)

/* Action: rollout.copy. @rollout NULL empties the panel; else it must live until the next call. @model names the
 * tokens. */
void laurel_rollout_panel_set_rollout (LaurelRolloutPanel *self, LaurelProject *project, const char *model, const LaurelRollout *rollout);

/* Selects the completion's token at @position, from 1, in strip, lines and table. */
void laurel_rollout_panel_select_token (LaurelRolloutPanel *self, int position);

/* (transfer full): the texts of @n tokens, NULL-terminated. */
char **laurel_label_tokens (LaurelProject *project, const char *model, const gint32 *tokens, gsize stride, int n) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
