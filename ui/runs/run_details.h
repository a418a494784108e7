/* run_details.h: a run's settings, data and products as boxed lists.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Each empties @list first. */
void laurel_run_show_settings (GtkListBox *list, const LaurelRun *run);
void laurel_run_show_data (GtkListBox *list, const LaurelRun *run);
void laurel_run_show_products (GtkListBox *list, LaurelProject *project, const LaurelRun *run);

/* A row “title … value” that can be selected and copied. @subtitle may be NULL. */
GtkWidget *laurel_value_row_new (const char *title, const char *subtitle, const char *value);
/* The same with a @value that takes a line of its own: a hash, a path. It can be selected. */
GtkWidget *laurel_long_row_new (const char *title, const char *value);
void laurel_list_box_clear (GtkListBox *list);

G_END_DECLS
