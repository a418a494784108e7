/* work_window.h: a dialog with work on a thread of its own, which ends with the dialog at the latest.
 *
 * Escape closes it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/background.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_WORK_WINDOW (laurel_work_window_get_type ())
G_DECLARE_DERIVABLE_TYPE (LaurelWorkWindow, laurel_work_window, LAUREL, WORK_WINDOW, AdwWindow)

/**
 * LaurelWorkWindowClass:
 * @changed: work has begun or ended: see laurel_work_window_is_working()
 * @progressed: so much of it, 0 … 1, is done
 * @ended: after @changed, with what came of it, a borrowed result or an error; not called when it was stopped
 *
 * None of them is called once the window is closed.
 */
struct _LaurelWorkWindowClass {
  AdwWindowClass parent_class;

  void (*changed) (LaurelWorkWindow *self);
  void (*progressed) (LaurelWorkWindow *self, double fraction);
  void (*ended) (LaurelWorkWindow *self, gpointer result, const GError *error);
};

void laurel_work_window_set_project (LaurelWorkWindow *self, LaurelProject *project);
/* (transfer none) (nullable): NULL before it was set and after the window was closed. */
LaurelProject *laurel_work_window_get_project (LaurelWorkWindow *self);

/* One at a time. Takes task->data; its report is the window's own. */
void laurel_work_window_start (LaurelWorkWindow *self, const LaurelBackgroundTask *task);
void laurel_work_window_stop (LaurelWorkWindow *self);
gboolean laurel_work_window_is_working (LaurelWorkWindow *self);

G_END_DECLS
