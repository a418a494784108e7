/* project_actions.h: what the project menu does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/window.h"

G_BEGIN_DECLS

/* win.new, win.open, win.open-path (s), win.open-starter, win.back-up, win.check */
void laurel_project_actions_install (GtkWidgetClass *window_class);

/* Makes @menu the list of the projects that were open lately. */
void laurel_project_actions_list_recent (GMenu *menu);

/* Opens the project at @path in @window. FALSE when it cannot: the window says why. */
gboolean laurel_window_open_path (LaurelWindow *window, const char *path);
/* Opens the starter project in the user's data folder, making it first when it is not there. */
gboolean laurel_window_open_starter (LaurelWindow *window);

G_END_DECLS
