/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/preferences.h"

#include "ui/resources.h"
#include "ui/settings.h"

struct _LaurelPreferences {
  AdwPreferencesWindow parent_instance;

  AdwComboRow *profile_row;
  GtkEditable *labeler_row;
  AdwComboRow *scheme_row;
  GtkAdjustment *scale;
};

G_DEFINE_FINAL_TYPE (LaurelPreferences, laurel_preferences, ADW_TYPE_PREFERENCES_WINDOW)

static void
on_labeler_applied (LaurelPreferences *self)
{
  g_settings_set_string (laurel_settings_get (), "labeler-name",
                         gtk_editable_get_text (self->labeler_row));
}

/* Combo rows know positions, the settings know names; both count in the same order. */
static gboolean
enum_to_position (GValue *value, GVariant *variant, gpointer user_data)
{
  GSettings *settings = laurel_settings_get ();

  g_value_set_uint (value, (guint) g_settings_get_enum (settings, user_data));
  return TRUE;
}

static GVariant *
position_to_enum (const GValue *value, const GVariantType *type, gpointer user_data)
{
  static const char *const profiles[] = { "researcher", "labeler" };
  static const char *const schemes[] = { "follow", "light", "dark" };
  guint position = g_value_get_uint (value);

  if (g_str_equal (user_data, "profile")) {
    return position < G_N_ELEMENTS (profiles) ? g_variant_new_string (profiles[position]) : NULL;
  }
  return position < G_N_ELEMENTS (schemes) ? g_variant_new_string (schemes[position]) : NULL;
}

static void
bind_enum (const char *key, AdwComboRow *row)
{
  g_settings_bind_with_mapping (laurel_settings_get (), key, row, "selected",
                                G_SETTINGS_BIND_DEFAULT,
                                enum_to_position, position_to_enum, (gpointer) key, NULL);
}

static void
laurel_preferences_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_PREFERENCES);

  G_OBJECT_CLASS (laurel_preferences_parent_class)->dispose (object);
}

static void
laurel_preferences_class_init (LaurelPreferencesClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_preferences_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/preferences.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelPreferences, profile_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelPreferences, labeler_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelPreferences, scheme_row);
  gtk_widget_class_bind_template_child (widget_class, LaurelPreferences, scale);
  gtk_widget_class_bind_template_callback (widget_class, on_labeler_applied);
}

static void
laurel_preferences_init (LaurelPreferences *self)
{
  g_autofree char *labeler = laurel_settings_dup_labeler ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_editable_set_text (self->labeler_row, labeler);
  bind_enum ("profile", self->profile_row);
  bind_enum ("color-scheme", self->scheme_row);
  g_settings_bind (laurel_settings_get (), "font-scale", self->scale, "value",
                   G_SETTINGS_BIND_DEFAULT);
}

GtkWidget *
laurel_preferences_new (GtkWindow *parent)
{
  return g_object_new (LAUREL_TYPE_PREFERENCES, "transient-for", parent, NULL);
}

/* --- Following the settings ------------------------------------------------------ */

static void
apply_color_scheme (void)
{
  static const AdwColorScheme schemes[] = { ADW_COLOR_SCHEME_DEFAULT, ADW_COLOR_SCHEME_FORCE_LIGHT,
                                            ADW_COLOR_SCHEME_FORCE_DARK };
  int scheme = g_settings_get_enum (laurel_settings_get (), "color-scheme");

  adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                      schemes[CLAMP (scheme, 0, (int) G_N_ELEMENTS (schemes) - 1)]);
}

/* The desktop's text size is in the resolution of the display; ours is a factor on it. */
static void
apply_font_scale (void)
{
  static int desktop_dpi;
  GtkSettings *settings = gtk_settings_get_default ();

  if (desktop_dpi == 0) {
    g_object_get (settings, "gtk-xft-dpi", &desktop_dpi, NULL);
    if (desktop_dpi <= 0) {
      desktop_dpi = 96 * 1024;
    }
  }
  g_object_set (settings, "gtk-xft-dpi",
                (int) (desktop_dpi * g_settings_get_double (laurel_settings_get (), "font-scale")),
                NULL);
}

void
laurel_preferences_apply (void)
{
  GSettings *settings = laurel_settings_get ();

  g_signal_connect (settings, "changed::color-scheme", G_CALLBACK (apply_color_scheme), NULL);
  g_signal_connect (settings, "changed::font-scale", G_CALLBACK (apply_font_scale), NULL);
  apply_color_scheme ();
  apply_font_scale ();
}
