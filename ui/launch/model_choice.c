/* model_choice.c: models by kind in an AdwComboRow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/model_choice.h"

guint
laurel_model_choice_fill (AdwComboRow *row, LaurelProject *project, const char *const *kinds)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (project), NULL);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  gint64 newest = -1;
  guint selected = 0;

  for (guint k = 0; kinds[k] != NULL; k++)
    for (guint i = 0; models != NULL && i < models->len; i++) {
      const LaurelModelRecord *model = models->pdata[i];

      if (!g_str_equal (model->kind, kinds[k]))
        continue;
      if (k == 0 && model->created > newest) {
        newest = model->created;
        selected = g_list_model_get_n_items (G_LIST_MODEL (names));
      }
      gtk_string_list_append (names, model->name);
    }
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  if (g_list_model_get_n_items (G_LIST_MODEL (names)) > 0)
    adw_combo_row_set_selected (row, selected);
  return g_list_model_get_n_items (G_LIST_MODEL (names));
}

const char *
laurel_model_choice_get (AdwComboRow *row)
{
  GtkStringObject *item = adw_combo_row_get_selected_item (row);

  return item != NULL ? gtk_string_object_get_string (item) : NULL;
}
