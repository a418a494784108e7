/* online_view.h: the online loop of a project: when it goes on, its reward models, its policies.
 *
 * For researchers: it names models and says which win.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_ONLINE_VIEW (laurel_online_view_get_type ())
G_DECLARE_FINAL_TYPE (LaurelOnlineView, laurel_online_view, LAUREL, ONLINE_VIEW, GtkWidget)

/* Actions: online.train, online.sample. */

/* @project may be NULL. */
void laurel_online_view_set_project (LaurelOnlineView *self, LaurelProject *project);

/* What to say when @run has ended, if it was a reward model that was measured: NULL otherwise. */
char *laurel_online_describe_end (LaurelStore *store, const LaurelRun *run) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
