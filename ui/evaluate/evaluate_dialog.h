/* evaluate_dialog.h: Train ▸ Evaluate…: which of two models is preferred, and all that were compared.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Asks for two models and who judges them, and shows win rates and ratings with their intervals. */
void laurel_evaluate_dialog_present (GtkWindow *parent, LaurelProject *project);

G_END_DECLS
