/* fixture.h: a project with tasks to rank, in a temporary folder.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/window.h"

G_BEGIN_DECLS

/* The name of the model behind every completion: nobody who labels may ever see it. */
#define FIXTURE_MODEL "secret-policy-7"

/* Makes PROJECT.laurel in a new temporary folder with @n_tasks tasks of @n_completions completions each. */
LaurelProject *fixture_make_project (int n_tasks, int n_completions);
/* Closes and removes what fixture_make_project() made. Takes @project. */
void fixture_remove_project (LaurelProject *project);

/* A window on @project, shown and painted. */
LaurelWindow *fixture_show_window (LaurelProject *project);
void fixture_close_window (LaurelWindow *window);

/* Runs the main loop for @milliseconds. */
void fixture_wait (guint milliseconds);

/* The first widget of @type below @widget, itself included, or NULL. */
gpointer fixture_find (GtkWidget *widget, GType type);

G_END_DECLS
