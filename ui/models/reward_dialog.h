/* reward_dialog.h: how good a reward model is, in figures and in plain words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Scores the project's rankings in the background and shows what comes out; closing it stops the work. */
void laurel_reward_dialog_present (GtkWindow *parent, LaurelProject *project, const char *model);

G_END_DECLS
