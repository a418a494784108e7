/* agreement_words.h: how far labelers agree, as rows and tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @list is that of laurel_label_list_agreement(), here and below. Fills @rows: all together, people among themselves,
 * people with programs; with NULL empties them. */
void laurel_agreement_show_groups (GtkListBox *rows, GPtrArray *list);

/* Each two labelers, those with the most tasks in common first; NULL when there are no two. */
GtkWidget *laurel_agreement_make_table (GPtrArray *list);
/* How many of all it shows, where that is not each of them; NULL otherwise. */
char *laurel_agreement_describe_table (GPtrArray *list) G_GNUC_WARN_UNUSED_RESULT;

/* What to do where labelers have nothing in common yet; NULL where they have. */
const char *laurel_agreement_find_hint (GPtrArray *list);

G_END_DECLS
