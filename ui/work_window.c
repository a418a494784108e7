/* work_window.c: one background task, told to stop by the window's end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/work_window.h"

typedef struct {
  LaurelProject *project;
  GCancellable *cancellable; /* of what runs now; NULL: nothing does */
  GDestroyNotify free_result;
} LaurelWorkWindowPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (LaurelWorkWindow, laurel_work_window, ADW_TYPE_WINDOW)

static LaurelWorkWindowPrivate *
get_private (gpointer self)
{
  return laurel_work_window_get_instance_private (LAUREL_WORK_WINDOW (self));
}

static void
report_cb (int n_done, int n_all, gpointer user_data)
{
  LaurelWorkWindow *self = user_data;

  if (laurel_work_window_get_project (self) != NULL)
    LAUREL_WORK_WINDOW_GET_CLASS (self)->progressed (self, (double) n_done / MAX (n_all, 1));
}

static void
ready_cb (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autoptr (LaurelWorkWindow) self = user_data;
  LaurelWorkWindowPrivate *private = get_private (self);
  gboolean is_stopped = g_cancellable_is_cancelled (private->cancellable);
  g_autoptr (GError) error = NULL;
  gpointer result = laurel_background_finish (async_result, &error);

  /* A report may still be on its way, when the window may be gone. */
  g_cancellable_cancel (private->cancellable);
  g_clear_object (&private->cancellable);
  if (private->project != NULL) {
    LAUREL_WORK_WINDOW_GET_CLASS (self)->changed (self);
    if (result != NULL || !is_stopped)
      LAUREL_WORK_WINDOW_GET_CLASS (self)->ended (self, result, error);
  }
  if (result != NULL)
    private->free_result (result);
}

void
laurel_work_window_start (LaurelWorkWindow *self, const LaurelBackgroundTask *task)
{
  LaurelWorkWindowPrivate *private;
  LaurelBackgroundTask reported = *task;

  g_return_if_fail (LAUREL_IS_WORK_WINDOW (self));
  g_return_if_fail (!laurel_work_window_is_working (self));

  private = get_private (self);
  private->cancellable = g_cancellable_new ();
  private->free_result = task->free_result;
  reported.report = report_cb;
  LAUREL_WORK_WINDOW_GET_CLASS (self)->progressed (self, 0);
  LAUREL_WORK_WINDOW_GET_CLASS (self)->changed (self);
  laurel_background_start (private->project, &reported, private->cancellable, ready_cb,
                           g_object_ref (self));
}

void
laurel_work_window_stop (LaurelWorkWindow *self)
{
  g_return_if_fail (LAUREL_IS_WORK_WINDOW (self));

  g_cancellable_cancel (get_private (self)->cancellable);
}

gboolean
laurel_work_window_is_working (LaurelWorkWindow *self)
{
  g_return_val_if_fail (LAUREL_IS_WORK_WINDOW (self), FALSE);

  return get_private (self)->cancellable != NULL;
}

void
laurel_work_window_set_project (LaurelWorkWindow *self, LaurelProject *project)
{
  g_return_if_fail (LAUREL_IS_WORK_WINDOW (self));

  g_set_object (&get_private (self)->project, project);
}

LaurelProject *
laurel_work_window_get_project (LaurelWorkWindow *self)
{
  g_return_val_if_fail (LAUREL_IS_WORK_WINDOW (self), NULL);

  return get_private (self)->project;
}

/* --- Class ------------------------------------------------------------------------------- */

static void
leave (LaurelWorkWindow *self)
{
  g_cancellable_cancel (get_private (self)->cancellable);
  g_clear_object (&get_private (self)->project);
}

static gboolean
laurel_work_window_close_request (GtkWindow *window)
{
  leave (LAUREL_WORK_WINDOW (window));
  return GTK_WINDOW_CLASS (laurel_work_window_parent_class)->close_request (window);
}

static void
laurel_work_window_dispose (GObject *object)
{
  leave (LAUREL_WORK_WINDOW (object));
  G_OBJECT_CLASS (laurel_work_window_parent_class)->dispose (object);
}

static void
laurel_work_window_finalize (GObject *object)
{
  g_clear_object (&get_private (object)->cancellable);
  G_OBJECT_CLASS (laurel_work_window_parent_class)->finalize (object);
}

static void
ignore_change (LaurelWorkWindow *self)
{
}

static void
laurel_work_window_class_init (LaurelWorkWindowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = laurel_work_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = laurel_work_window_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = laurel_work_window_close_request;
  klass->changed = ignore_change;
  gtk_widget_class_add_binding_action (GTK_WIDGET_CLASS (klass), GDK_KEY_Escape, 0,
                                       "window.close", NULL);
}

static void
laurel_work_window_init (LaurelWorkWindow *self)
{
}
