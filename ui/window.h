/* window.h: the one window of Laurel, on one project.
 *
 * Pages are children of the view stack in window.ui, by these names: “label”,
 * “data”, “models”, “runs”, “inspect”. Actions that pages may activate:
 *   win.show-page (s)    the page of that name
 *   win.show-run (x)     Runs, with that run (property “run-id”, int64)
 *   win.inspect-run (x)  Inspect, with that run (property “run-id”, int64)
 *   win.train-sft, win.train-reward, win.train-ppo, win.train-dpo, win.train-rloo, win.pretrain,
 *   win.sample
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_WINDOW (laurel_window_get_type ())
G_DECLARE_FINAL_TYPE (LaurelWindow, laurel_window, LAUREL, WINDOW, AdwApplicationWindow)

LaurelWindow *laurel_window_new (GtkApplication *application);

LaurelProject *laurel_window_get_project (LaurelWindow *self); /* (transfer none) (nullable) */
/* Takes over: the window closes the project when it lets go of it. NULL: “No Project Open”. */
void laurel_window_set_project (LaurelWindow *self, LaurelProject *project);
/* Shows that the starter project is being made. */
void laurel_window_show_loading (LaurelWindow *self);
/* A job of the project waits, runs or is paused. */
gboolean laurel_window_is_busy (LaurelWindow *self);

/* FALSE when there is no such page or the profile hides it. */
gboolean laurel_window_show_page (LaurelWindow *self, const char *name);
GtkWidget *laurel_window_get_page (LaurelWindow *self); /* (transfer none): the one that is shown */

void laurel_window_add_toast (LaurelWindow *self, AdwToast *toast /* (transfer full) */);
/* An error that belongs to no page: shown below the header until it is closed. */
void laurel_window_show_error (LaurelWindow *self, const char *message);

G_END_DECLS
