/* background.h: work of some seconds that is no run, on a thread of its own.
 *
 * The work gets a connection of its own to the project's database, says how far
 * it is and is told to stop through laurel_background_step(). Whoever started it
 * hears of both on their own main context, at most one report pending.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/project.h"

G_BEGIN_DECLS

typedef struct _LaurelBackground LaurelBackground;

/* On the thread. NULL and @error, or a result that the starter's free function takes. */
typedef gpointer (*LaurelBackgroundWork) (LaurelBackground *self, LaurelStore *store, const char *project_path, gpointer data, GError **error);
/* On the starter's main context. */
typedef void (*LaurelBackgroundReport) (int n_done, int n_all, gpointer user_data);

/* On the thread, with the LaurelBackground as its data: FALSE when the work is to stop. */
gboolean laurel_background_step (int n_done, int n_all, gpointer background);

typedef struct {
  LaurelBackgroundWork work;
  gpointer data;
  GDestroyNotify free_data; /* of @data */
  GDestroyNotify free_result;
  LaurelBackgroundReport report; /* not called after @cancellable is cancelled */
} LaurelBackgroundTask;

/* @callback gets a GTask for laurel_background_finish(), after the thread has ended; @user_data is for both callbacks. */
void laurel_background_start (LaurelProject *project, const LaurelBackgroundTask *task, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gpointer laurel_background_finish (GAsyncResult *result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
