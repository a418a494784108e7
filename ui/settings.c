/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/settings.h"

#include "config.h"

static GSettingsSchema *
look_up_schema (void)
{
  GSettingsSchemaSource *installed = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchemaSource) built = NULL;
  GSettingsSchema *schema = NULL;

  built = g_settings_schema_source_new_from_directory (LAUREL_BUILD_DATA_DIR, installed, TRUE,
                                                       NULL);
  if (built) {
    schema = g_settings_schema_source_lookup (built, LAUREL_APPLICATION_ID, FALSE);
  }
  if (!schema && installed) {
    schema = g_settings_schema_source_lookup (installed, LAUREL_APPLICATION_ID, TRUE);
  }
  return schema;
}

GSettings *
laurel_settings_get (void)
{
  static GSettings *settings;

  if (!settings) {
    g_autoptr (GSettingsSchema) schema = look_up_schema ();

    /* Like a missing template: a broken installation, not a state to run in. */
    if (!schema) {
      g_error ("The settings schema %s is not installed", LAUREL_APPLICATION_ID);
    }
    settings = g_settings_new_full (schema, NULL, NULL);
  }
  return settings;
}

LaurelProfile
laurel_settings_get_profile (void)
{
  return g_settings_get_enum (laurel_settings_get (), "profile");
}

char *
laurel_settings_dup_labeler (void)
{
  g_autofree char *name = g_settings_get_string (laurel_settings_get (), "labeler-name");

  g_strstrip (name);
  return *name ? g_steal_pointer (&name) : g_strdup (g_get_user_name ());
}
