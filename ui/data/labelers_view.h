/* labelers_view.h: who has ranked how much, and how far they agree.
 *
 * How far they agree takes a while with thousands of tasks, so it is worked out on a thread of its
 * own: when the view is shown and something has been ranked since, or when it is asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_LABELERS_VIEW (laurel_labelers_view_get_type ())
G_DECLARE_FINAL_TYPE (LaurelLabelersView, laurel_labelers_view, LAUREL, LABELERS_VIEW, GtkWidget)

/* Action: labelers.compute. */

/* @project may be NULL. */
void laurel_labelers_view_set_project (LaurelLabelersView *self, LaurelProject *project);

G_END_DECLS
