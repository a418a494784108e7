/* settings_table.h: the rows behind laurel_settings(), for hyperparameters.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

extern const LaurelSetting laurel_settings_table[];
extern const int laurel_n_settings;

G_END_DECLS
