/* launch_dialog.h: the dialogs behind the Train menu.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Asks for models, a name and the settings of @stage, shows what it will cost, starts it and shows its run. */
void laurel_launch_dialog_present (GtkWindow *parent, LaurelProject *project, LaurelStage stage);

/* Asks for a model and how to sample; makes completions and ranking tasks. */
void laurel_sample_dialog_present (GtkWindow *parent, LaurelProject *project);

G_END_DECLS
