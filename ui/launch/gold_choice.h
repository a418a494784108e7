/* gold_choice.h: who judges a run's held-out answers: nobody, the project's rules, a reward model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* The project's judge is chosen where there is one. */
void laurel_gold_choice_fill (AdwComboRow *row, LaurelProject *project);

/* Chooses @gold, as laurel_gold_choice_dup() has said it before; what is not among the items becomes one. After fill. */
void laurel_gold_choice_select (AdwComboRow *row, const char *gold);

/* (transfer full) (nullable): a judge's file or a reward model's name; NULL: nobody. */
char *laurel_gold_choice_dup (AdwComboRow *row) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
