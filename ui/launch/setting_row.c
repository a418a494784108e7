/* setting_row.c: an entry, a switch or a list of choices for one row of the settings table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/launch/setting_row.h"

#include <glib/gi18n.h>

/* A largest value from here on is what a number can hold, not a bound worth reading. */
#define NO_LIMIT 1e8

struct _LaurelSettingRow {
  AdwActionRow parent_instance;

  const LaurelSetting *setting;
  LaurelStage stage;
  GtkWidget *input; /* GtkEntry, GtkSwitch or GtkDropDown, by the setting's type */
};

G_DEFINE_FINAL_TYPE (LaurelSettingRow, laurel_setting_row, ADW_TYPE_ACTION_ROW)

enum {
  CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
laurel_setting_row_class_init (LaurelSettingRowClass *klass)
{
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
laurel_setting_row_init (LaurelSettingRow *self)
{
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self), FALSE);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (self), 0);
}

static void
changed_cb (LaurelSettingRow *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static double
get_default (LaurelSettingRow *self)
{
  return self->setting->defaults[self->stage];
}

static GtkWidget *
make_entry (LaurelSettingRow *self)
{
  GtkWidget *entry = gtk_entry_new ();
  g_autofree char *text = laurel_setting_format (self->setting, get_default (self));

  gtk_editable_set_text (GTK_EDITABLE (entry), text);
  gtk_editable_set_width_chars (GTK_EDITABLE (entry), 10);
  gtk_editable_set_max_width_chars (GTK_EDITABLE (entry), 10);
  gtk_entry_set_alignment (GTK_ENTRY (entry), 1);
  gtk_entry_set_input_purpose (GTK_ENTRY (entry), GTK_INPUT_PURPOSE_NUMBER);
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_widget_add_css_class (entry, "numeric");
  g_signal_connect_object (entry, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return entry;
}

static GtkWidget *
make_input (LaurelSettingRow *self)
{
  GtkWidget *input;

  if (self->setting->type == LAUREL_SETTING_BOOLEAN) {
    input = gtk_switch_new ();
    gtk_switch_set_active (GTK_SWITCH (input), get_default (self) != 0);
    g_signal_connect_object (input, "notify::active", G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
    return input;
  }
  if (self->setting->type != LAUREL_SETTING_CHOICE)
    return make_entry (self);
  input = gtk_drop_down_new_from_strings (self->setting->choices);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (input), (guint) get_default (self));
  g_signal_connect_object (input, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  return input;
}

static gboolean
is_number (const LaurelSetting *setting)
{
  return setting->type != LAUREL_SETTING_BOOLEAN && setting->type != LAUREL_SETTING_CHOICE;
}

static char *
describe (LaurelSettingRow *self)
{
  const LaurelSetting *setting = self->setting;
  GString *out = g_string_new (_ (setting->description));
  g_autofree char *standard = laurel_setting_format (setting, get_default (self));
  g_autofree char *low = laurel_setting_format (setting, setting->min);
  g_autofree char *high = laurel_setting_format (setting, setting->max);

  g_string_append_printf (out, "\n%s · ", setting->key);
  if (is_number (setting) && setting->max >= NO_LIMIT)
    /* Translators: the lowest value of a setting, then its default. */
    g_string_append_printf (out, _("at least %s, default %s"), low, standard);
  else if (is_number (setting))
    /* Translators: lowest and highest value of a setting, then its default. */
    g_string_append_printf (out, _("%s to %s, default %s"), low, high, standard);
  else
    g_string_append_printf (out, _("default %s"), standard);
  if (setting->unit[0] != '\0')
    g_string_append_printf (out, " %s", _ (setting->unit));
  return g_string_free (out, FALSE);
}

static void
show_source (LaurelSettingRow *self, const char *source)
{
  g_autofree char *tip =
      g_strdup_printf (_("Source: %s"), source != NULL ? source : self->setting->source);

  gtk_widget_set_tooltip_text (GTK_WIDGET (self), tip);
}

GtkWidget *
laurel_setting_row_new (const LaurelSetting *setting, LaurelStage stage)
{
  LaurelSettingRow *self = g_object_new (LAUREL_TYPE_SETTING_ROW, NULL);
  g_autofree char *subtitle = NULL;

  self->setting = setting;
  self->stage = stage;
  subtitle = describe (self);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), _ (setting->title));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self), subtitle);
  show_source (self, NULL);
  self->input = make_input (self);
  gtk_widget_set_valign (self->input, GTK_ALIGN_CENTER);
  gtk_widget_set_margin_start (self->input, 12);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->input), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (setting->title), -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), self->input);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (self), self->input);
  return GTK_WIDGET (self);
}

static char *
get_text (LaurelSettingRow *self)
{
  guint selected;

  if (self->setting->type == LAUREL_SETTING_BOOLEAN)
    return g_strdup (gtk_switch_get_active (GTK_SWITCH (self->input)) ? "true" : "false");
  if (self->setting->type != LAUREL_SETTING_CHOICE)
    return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->input))));
  selected = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->input));
  return g_strdup (self->setting->choices[selected]);
}

gboolean
laurel_setting_row_apply (LaurelSettingRow *self, LaurelHyperparameters *hp, GError **error)
{
  g_autofree char *text = NULL;
  gboolean is_good;

  g_return_val_if_fail (LAUREL_IS_SETTING_ROW (self), FALSE);

  text = get_text (self);
  is_good = laurel_hyperparameters_set (hp, self->stage, self->setting->key, text, error);
  if (is_good)
    gtk_widget_remove_css_class (self->input, "error");
  else
    gtk_widget_add_css_class (self->input, "error");
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->input), GTK_ACCESSIBLE_STATE_INVALID,
                               is_good ? GTK_ACCESSIBLE_INVALID_FALSE : GTK_ACCESSIBLE_INVALID_TRUE,
                               -1);
  return is_good;
}

static guint
find_choice (const LaurelSetting *setting, const char *value)
{
  for (guint i = 0; setting->choices[i] != NULL; i++)
    if (g_str_equal (setting->choices[i], value))
      return i;
  g_return_val_if_reached (0);
}

void
laurel_setting_row_set (LaurelSettingRow *self, const char *value, const char *source)
{
  g_autofree char *standard = NULL;
  g_autofree char *number = NULL;

  g_return_if_fail (LAUREL_IS_SETTING_ROW (self));

  standard = laurel_setting_format (self->setting, get_default (self));
  if (value == NULL)
    value = standard;
  else if (is_number (self->setting)) /* as the defaults are written: “7e-05”, not “7e-5” */
    value = number = laurel_setting_format (self->setting, g_ascii_strtod (value, NULL));
  show_source (self, source);
  if (self->setting->type == LAUREL_SETTING_BOOLEAN)
    gtk_switch_set_active (GTK_SWITCH (self->input), g_str_equal (value, "true"));
  else if (self->setting->type == LAUREL_SETTING_CHOICE)
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->input), find_choice (self->setting, value));
  else
    gtk_editable_set_text (GTK_EDITABLE (self->input), value);
}

const LaurelSetting *
laurel_setting_row_get_setting (LaurelSettingRow *self)
{
  g_return_val_if_fail (LAUREL_IS_SETTING_ROW (self), NULL);
  return self->setting;
}
