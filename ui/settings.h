/* settings.h: what a person chose for this program, kept by GSettings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum { LAUREL_PROFILE_RESEARCHER, LAUREL_PROFILE_LABELER } LaurelProfile;

/* (transfer none): the settings, from the installed schema or, when Laurel runs
 * from its build tree, from there. */
GSettings *laurel_settings_get (void);

LaurelProfile laurel_settings_get_profile (void);
/* The labeler's name: what they chose, else the account's name. */
char *laurel_settings_dup_labeler (void);

G_END_DECLS
