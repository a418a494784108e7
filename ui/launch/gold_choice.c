/* gold_choice.c: gold judges in an AdwComboRow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/gold_choice.h"

#include <glib/gi18n.h>

/* The starter project has one; a labeler's own rules are put there too. */
#define JUDGE_FILE "judge.json"

/* Of the row: what each item stands for, as an engine would know it. The file may come and go while
 * the row is seen, so an item is never found again by its place alone. */
#define VALUES "laurel-gold-values"

static char *
find_judge (LaurelProject *project)
{
  g_autofree char *path = g_build_filename (laurel_project_get_path (project), JUDGE_FILE, NULL);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer (&path) : NULL;
}

static GPtrArray *
get_values (AdwComboRow *row)
{
  return g_object_get_data (G_OBJECT (row), VALUES);
}

/* Takes @value, which is NULL for nobody. */
static void
add (GtkStringList *names, GPtrArray *values, const char *name, char *value)
{
  gtk_string_list_append (names, name);
  g_ptr_array_add (values, value);
}

void
laurel_gold_choice_fill (AdwComboRow *row, LaurelProject *project)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (project), NULL);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  GPtrArray *values = g_ptr_array_new_with_free_func (g_free);
  char *judge = find_judge (project);
  gboolean has_judge = judge != NULL;

  add (names, values, _("Nobody"), NULL);
  if (has_judge)
    add (names, values, _("The project’s rules"), judge);
  for (guint i = 0; models != NULL && i < models->len; i++) {
    const LaurelModelRecord *model = models->pdata[i];

    if (g_str_equal (model->kind, "reward"))
      add (names, values, model->name, g_strdup (model->name));
  }
  g_object_set_data_full (G_OBJECT (row), VALUES, values, (GDestroyNotify) g_ptr_array_unref);
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (row, has_judge ? 1 : 0);
}

void
laurel_gold_choice_select (AdwComboRow *row, const char *gold)
{
  GPtrArray *values = get_values (row);
  g_autofree char *name = NULL;

  g_return_if_fail (values != NULL);

  for (guint i = 0; i < values->len; i++)
    if (g_strcmp0 (g_ptr_array_index (values, i), gold) == 0) {
      adw_combo_row_set_selected (row, i);
      return;
    }
  name = g_file_test (gold, G_FILE_TEST_EXISTS) ? g_path_get_basename (gold)
                                                /* Translators: a judge that went away. */
                                                : g_strdup_printf (_("%s (missing)"), gold);
  add (GTK_STRING_LIST (adw_combo_row_get_model (row)), values, name, g_strdup (gold));
  adw_combo_row_set_selected (row, values->len - 1);
}

char *
laurel_gold_choice_dup (AdwComboRow *row)
{
  GPtrArray *values = get_values (row);
  guint selected = adw_combo_row_get_selected (row);

  return values != NULL && selected < values->len
             ? g_strdup (g_ptr_array_index (values, selected))
             : NULL;
}
