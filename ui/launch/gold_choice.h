/* gold_choice.h: who judges a run's held-out answers: nobody, the project's rules, a reward model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* The project's judge is chosen where there is one. */
void laurel_gold_choice_fill (AdwComboRow *row, LaurelProject *project);

/* (transfer full) (nullable): for LaurelTrainRequest; NULL: nobody. */
char *laurel_gold_choice_dup (AdwComboRow *row, LaurelProject *project);

G_END_DECLS
