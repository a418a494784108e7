/* preferences.h: the preferences window.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_PREFERENCES (laurel_preferences_get_type ())
G_DECLARE_FINAL_TYPE (LaurelPreferences, laurel_preferences, LAUREL, PREFERENCES, AdwPreferencesWindow)

GtkWidget *laurel_preferences_new (GtkWindow *parent);

/* Lets the colour scheme and the text size follow the settings from now on. Call once, with a display. */
void laurel_preferences_apply (void);

G_END_DECLS
