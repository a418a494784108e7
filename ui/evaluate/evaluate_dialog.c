/* evaluate_dialog.c: pages of choices, one start button, work on a thread of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/evaluate_dialog.h"

#include "ui/accessible.h"
#include "ui/evaluate/best_of_page.h"
#include "ui/evaluate/compare_page.h"
#include "ui/evaluate/win_rate_page.h"
#include "ui/resources.h"
#include "ui/work_window.h"

#define LAUREL_TYPE_EVALUATE_DIALOG (laurel_evaluate_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
    LaurelEvaluateDialog, laurel_evaluate_dialog, LAUREL, EVALUATE_DIALOG, LaurelWorkWindow)

struct _LaurelEvaluateDialog {
  LaurelWorkWindow parent_instance;

  AdwViewStack *pages;
  AdwViewSwitcherTitle *switcher;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkProgressBar *progress;
  GtkButton *start;
  GtkButton *stop;

  LaurelEvaluatePage *working; /* borrowed: whose work it is */
};

G_DEFINE_FINAL_TYPE (LaurelEvaluateDialog, laurel_evaluate_dialog, LAUREL_TYPE_WORK_WINDOW)

static LaurelEvaluatePage *
get_page (LaurelEvaluateDialog *self)
{
  return LAUREL_EVALUATE_PAGE (adw_view_stack_get_visible_child (self->pages));
}

static void
update (LaurelEvaluateDialog *self)
{
  gboolean is_running = laurel_work_window_is_working (LAUREL_WORK_WINDOW (self));
  gboolean was_pressed = gtk_widget_has_focus (GTK_WIDGET (self->start))
                         || gtk_widget_has_focus (GTK_WIDGET (self->stop));

  if (laurel_work_window_get_project (LAUREL_WORK_WINDOW (self)) == NULL)
    return; /* not filled yet */
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), is_running);
  gtk_widget_set_visible (GTK_WIDGET (self->stop), is_running);
  gtk_widget_set_visible (GTK_WIDGET (self->start), !is_running);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "evaluate.start",
                                 !is_running && laurel_evaluate_page_is_ready (get_page (self)));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "evaluate.stop", is_running);
  if (was_pressed) /* one takes the other's place, and its focus */
    gtk_widget_grab_focus (GTK_WIDGET (is_running ? self->stop : self->start));
}

static void
laurel_evaluate_dialog_changed (LaurelWorkWindow *window)
{
  update (LAUREL_EVALUATE_DIALOG (window));
}

static void
laurel_evaluate_dialog_progressed (LaurelWorkWindow *window, double fraction)
{
  gtk_progress_bar_set_fraction (LAUREL_EVALUATE_DIALOG (window)->progress, fraction);
}

static void
laurel_evaluate_dialog_ended (LaurelWorkWindow *window, gpointer result, const GError *error)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (window);

  adw_view_stack_set_visible_child (self->pages, GTK_WIDGET (self->working));
  if (result != NULL) {
    laurel_evaluate_page_show (self->working, result);
    laurel_accessible_mend (GTK_WIDGET (self->working));
    return;
  }
  gtk_label_set_label (self->error_label, error->message);
  gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelEvaluateDialog *self = LAUREL_EVALUATE_DIALOG (widget);
  LaurelBackgroundTask task;

  self->working = get_page (self);
  laurel_evaluate_page_make_task (self->working, &task);
  laurel_work_window_start (LAUREL_WORK_WINDOW (self), &task);
}

static void
stop_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_work_window_stop (LAUREL_WORK_WINDOW (widget));
}

static void
show_page_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  adw_view_stack_set_visible_child_name (LAUREL_EVALUATE_DIALOG (widget)->pages,
                                         g_variant_get_string (parameter, NULL));
}

/* --- Class ------------------------------------------------------------------------------------ */

static void
laurel_evaluate_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_EVALUATE_DIALOG);
  G_OBJECT_CLASS (laurel_evaluate_dialog_parent_class)->dispose (object);
}

static void
laurel_evaluate_dialog_class_init (LaurelEvaluateDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_evaluate_dialog_dispose;
  LAUREL_WORK_WINDOW_CLASS (klass)->changed = laurel_evaluate_dialog_changed;
  LAUREL_WORK_WINDOW_CLASS (klass)->progressed = laurel_evaluate_dialog_progressed;
  LAUREL_WORK_WINDOW_CLASS (klass)->ended = laurel_evaluate_dialog_ended;
  g_type_ensure (LAUREL_TYPE_WIN_RATE_PAGE);
  g_type_ensure (LAUREL_TYPE_COMPARE_PAGE);
  g_type_ensure (LAUREL_TYPE_BEST_OF_PAGE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/evaluate_dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, pages);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, switcher);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, start);
  gtk_widget_class_bind_template_child (widget_class, LaurelEvaluateDialog, stop);
  gtk_widget_class_bind_template_callback (widget_class, update);
  gtk_widget_class_install_action (widget_class, "evaluate.start", NULL, start_action);
  gtk_widget_class_install_action (widget_class, "evaluate.stop", NULL, stop_action);
  gtk_widget_class_install_action (widget_class, "evaluate.show-page", "s", show_page_action);
}

static void
laurel_evaluate_dialog_init (LaurelEvaluateDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_evaluate_dialog_present (GtkWindow *parent, LaurelProject *project)
{
  LaurelEvaluateDialog *self;

  g_return_if_fail (LAUREL_IS_PROJECT (project));

  self = g_object_new (LAUREL_TYPE_EVALUATE_DIALOG, "transient-for", parent, NULL);
  laurel_work_window_set_project (LAUREL_WORK_WINDOW (self), project);
  for (GtkWidget *page = gtk_widget_get_first_child (GTK_WIDGET (self->pages)); page != NULL;
       page = gtk_widget_get_next_sibling (page))
    laurel_evaluate_page_fill (LAUREL_EVALUATE_PAGE (page), project);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->start)); /* it would be on Close */
  gtk_window_present (GTK_WINDOW (self));
}
