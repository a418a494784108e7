/* model_row.h: one model: where it comes from, how large it is, where it lies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* An expander row @depth steps from the lineage's root. @is_newest: of its kind, which is said. */
GtkWidget *laurel_model_row_new (LaurelProject *project, const LaurelModelRecord *model, int depth, gboolean is_newest);

G_END_DECLS
