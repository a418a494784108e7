/* background.c: a GTask, a connection, and reports that never pile up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/background.h"

struct _LaurelBackground {
  LaurelBackgroundTask task;
  char *project_path;
  GCancellable *cancellable;
  GMainContext *context;
  gpointer user_data;
  gint n_done, n_all; /* the newest report */
  gint is_pending;    /* a report is on its way */
};

/* The reports on their way hold it too. */
static void
background_clear (gpointer data)
{
  LaurelBackground *self = data;

  if (self->task.free_data != NULL)
    self->task.free_data (self->task.data);
  g_free (self->project_path);
  g_clear_object (&self->cancellable);
  g_main_context_unref (self->context);
}

static void
background_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, background_clear);
}

static gboolean
report_cb (gpointer data)
{
  LaurelBackground *self = data;

  g_atomic_int_set (&self->is_pending, 0);
  if (!g_cancellable_is_cancelled (self->cancellable))
    self->task.report (g_atomic_int_get (&self->n_done), g_atomic_int_get (&self->n_all),
                       self->user_data);
  return G_SOURCE_REMOVE;
}

gboolean
laurel_background_step (int n_done, int n_all, gpointer background)
{
  LaurelBackground *self = background;

  g_atomic_int_set (&self->n_done, n_done);
  g_atomic_int_set (&self->n_all, n_all);
  if (self->task.report != NULL && g_atomic_int_compare_and_exchange (&self->is_pending, 0, 1))
    g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT_IDLE, report_cb,
                                g_atomic_rc_box_acquire (self), background_unref);
  return !g_cancellable_is_cancelled (self->cancellable);
}

static void
work_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LaurelBackground *self = data;
  g_autofree char *path = g_build_filename (self->project_path, "project.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelStore) store = laurel_store_open (path, &error);
  gpointer result = NULL;

  if (store != NULL)
    result = self->task.work (self, store, self->project_path, self->task.data, &error);
  if (result != NULL)
    g_task_return_pointer (task, result, self->task.free_result);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

void
laurel_background_start (LaurelProject *project,
                         const LaurelBackgroundTask *task,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  LaurelBackground *self = g_atomic_rc_box_new0 (LaurelBackground);
  g_autoptr (GTask) running = g_task_new (NULL, NULL, callback, user_data);

  self->task = *task;
  self->project_path = g_strdup (laurel_project_get_path (project));
  self->cancellable = g_object_ref (cancellable);
  self->context = g_main_context_ref_thread_default ();
  self->user_data = user_data;
  g_task_set_task_data (running, self, background_unref);
  g_task_run_in_thread (running, work_thread);
}

gpointer
laurel_background_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
