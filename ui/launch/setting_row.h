/* setting_row.h: one hyper-parameter in a dialog: title, what it does, its range, default and source.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_SETTING_ROW (laurel_setting_row_get_type ())
G_DECLARE_FINAL_TYPE (LaurelSettingRow, laurel_setting_row, LAUREL, SETTING_ROW, AdwActionRow)

/* Signal "changed". @setting is of laurel_settings(); the row starts at its default for @stage. */
GtkWidget *laurel_setting_row_new (const LaurelSetting *setting, LaurelStage stage);

/* @value: as laurel_hyperparameters_set() takes it; NULL: the default. @source: where it comes from, for the tooltip; NULL:
 * the setting's own. */
void laurel_setting_row_set (LaurelSettingRow *self, const char *value, const char *source);
const LaurelSetting *laurel_setting_row_get_setting (LaurelSettingRow *self);

/* Writes what the row says into @hp. What is no value of this setting is an error that states the range, and marks the
 * row. */
gboolean laurel_setting_row_apply (LaurelSettingRow *self, LaurelHyperparameters *hp, GError **error);

G_END_DECLS
