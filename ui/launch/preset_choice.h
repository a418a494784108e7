/* preset_choice.h: a row that fills the setting rows with a published set of settings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

/* Lists the defaults and the presets of @stage; @row is hidden where there are none. */
void laurel_preset_choice_fill (AdwComboRow *row, LaurelStage stage);

/* Sets every one of @rows (element-type LaurelSettingRow) to the chosen preset's value, or to its default where that has
 * none, and says what the preset is. */
void laurel_preset_choice_apply (AdwComboRow *row, LaurelStage stage, GPtrArray *rows);

G_END_DECLS
