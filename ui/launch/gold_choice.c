/* gold_choice.c: gold judges in an AdwComboRow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/gold_choice.h"

#include <glib/gi18n.h>

/* The starter project has one; a labeler's own rules are put there too. */
#define JUDGE_FILE "judge.json"

static char *
find_judge (LaurelProject *project)
{
  g_autofree char *path = g_build_filename (laurel_project_get_path (project), JUDGE_FILE, NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

void
laurel_gold_choice_fill (AdwComboRow *row, LaurelProject *project)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (project), NULL);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autofree char *judge = find_judge (project);

  gtk_string_list_append (names, _("Nobody"));
  if (judge != NULL)
    gtk_string_list_append (names, JUDGE_FILE);
  for (guint i = 0; models != NULL && i < models->len; i++) {
    const LaurelModelRecord *model = models->pdata[i];

    if (g_str_equal (model->kind, "reward"))
      gtk_string_list_append (names, model->name);
  }
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (row, judge != NULL ? 1 : 0);
}

char *
laurel_gold_choice_dup (AdwComboRow *row, LaurelProject *project)
{
  GtkStringObject *item = adw_combo_row_get_selected_item (row);
  guint selected = adw_combo_row_get_selected (row);
  g_autofree char *judge = find_judge (project);

  if (item == NULL || selected == 0)
    return NULL;
  return judge != NULL && selected == 1 ? g_steal_pointer (&judge)
                                        : g_strdup (gtk_string_object_get_string (item));
}
