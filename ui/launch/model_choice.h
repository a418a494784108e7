/* model_choice.h: a row that chooses one of the project's models.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Fills @row with the models whose kind is in @kinds (NULL-terminated, most wanted first), newest of the first kind
 * selected. Returns how many there are. */
guint laurel_model_choice_fill (AdwComboRow *row, LaurelProject *project, const char *const *kinds);
/* (transfer none) (nullable): the chosen model's name. */
const char *laurel_model_choice_get (AdwComboRow *row);

G_END_DECLS
