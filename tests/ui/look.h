/* look.h: what tests of dialogs share: looking at widgets, taking pictures, three models to compare.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

/* A loaded machine is slow, not wrong: so many turns of 50 ms. */
#define LOOK_PATIENCE 600

/* Resources and style of the program, for gtk_test_init() to be followed by. */
void look_init (void);
/* Runs the main loop for @ms. */
void look_spin (int ms);
GtkWidget *look_for (GtkWidget *widget, GType type);
int look_count (GtkWidget *widget, GType type);
/* Whether a label, or a cell of a table, that is shown has @text in it. */
gboolean look_shows (GtkWidget *widget, const char *text);
/* With LAUREL_SCREENSHOTS=FOLDER saves @window there in both colour schemes. */
void look_take_pictures (GtkWidget *window, const char *name);
/* A window of 1000 × 700, and the dialog that is transient for it. */
GtkWidget *look_make_window (void);
GtkWidget *look_for_dialog (GtkWidget *window);

/* 48 tasks of polite-2, sft and base, ranked by Ada: polite-2 loses 12 to sft and ties 6; both beat base, but for every
 * fifth. Every third is ranked by the reward model r-7 too. */
void look_add_rankings (LaurelProject *project);
/* A task of two completions that nobody has ranked. */
void look_add_open_task (LaurelProject *project);
