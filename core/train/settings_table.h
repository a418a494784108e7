/* settings_table.h: the rows behind laurel_settings(), for hyperparameters.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/train/hyperparameters.h"

G_BEGIN_DECLS

extern const LaurelSetting laurel_settings_table[];
extern const int laurel_n_settings;

/* What a stage has not, although others have it, and why. */
typedef struct {
  const char *key;
  guint stages;
  const char *why; /* goes on after “Could not set “KEY”: ” */
} LaurelRefusedSetting;

extern const LaurelRefusedSetting laurel_refused_settings[]; /* ends with a NULL key */

G_END_DECLS
