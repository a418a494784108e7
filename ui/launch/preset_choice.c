/* preset_choice.c: presets in an AdwComboRow.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/preset_choice.h"

#include "core/train/presets.h"
#include "ui/launch/setting_row.h"

#include <glib/gi18n.h>
#include <string.h>

/* The preset at @index of @stage's, from 1; NULL for 0, which are the defaults. */
static const LaurelPreset *
get_preset (LaurelStage stage, guint index)
{
  int n;
  const LaurelPreset *presets = laurel_presets (&n);

  for (int i = 0; i < n; i++)
    if (presets[i].stage == stage && --index == 0)
      return &presets[i];
  return NULL;
}

/* What is in brackets says whose it is: the list has room for the name alone. */
static char *
shorten_title (const LaurelPreset *preset)
{
  const char *bracket = strstr (preset->title, " (");

  return bracket != NULL ? g_strndup (preset->title, (gsize) (bracket - preset->title))
                         : g_strdup (preset->title);
}

static char *
describe (const LaurelPreset *preset)
{
  const char *bracket = strstr (preset->title, " (");

  if (bracket == NULL)
    return g_strdup (_(preset->description));
  return g_strdup_printf ("%.*s. %s", (int) strcspn (bracket + 2, ")"), bracket + 2,
                          _(preset->description));
}

void
laurel_preset_choice_fill (AdwComboRow *row, LaurelStage stage)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  const LaurelPreset *preset;

  gtk_string_list_append (names, _("Defaults"));
  for (guint i = 1; (preset = get_preset (stage, i)) != NULL; i++)
    gtk_string_list_take (names, shorten_title (preset));
  adw_combo_row_set_model (row, G_LIST_MODEL (names));
  gtk_widget_set_visible (GTK_WIDGET (row), g_list_model_get_n_items (G_LIST_MODEL (names)) > 1);
}

void
laurel_preset_choice_apply (AdwComboRow *row, LaurelStage stage, GPtrArray *rows)
{
  guint selected = adw_combo_row_get_selected (row);
  const LaurelPreset *preset = selected > 0 ? get_preset (stage, selected) : NULL;
  g_autofree char *description = NULL;

  for (guint i = 0; i < rows->len; i++) {
    const LaurelSetting *setting = laurel_setting_row_get_setting (rows->pdata[i]);
    const LaurelPresetValue *value =
        preset != NULL ? laurel_preset_get (preset, setting->key) : NULL;
    g_autofree char *source =
        value != NULL ? g_strdup_printf ("%s: %s", preset->title, value->source) : NULL;

    laurel_setting_row_set (rows->pdata[i], value != NULL ? value->value : NULL, source);
  }
  description = preset != NULL ? describe (preset)
                               : g_strdup (_("Published settings, scaled to a small model"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), description);
}
