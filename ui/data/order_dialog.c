/* order_dialog.c: a strategy, reward models to tick, and the share that keeps to chance.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/order_dialog.h"

#include "core/project/queue.h"
#include "ui/accessible.h"
#include "ui/check_row.h"
#include "ui/resources.h"
#include "ui/work_window.h"

#include <glib/gi18n.h>

#define LAUREL_TYPE_ORDER_DIALOG (laurel_order_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelOrderDialog, laurel_order_dialog, LAUREL, ORDER_DIALOG,
                      LaurelWorkWindow)

struct _LaurelOrderDialog {
  LaurelWorkWindow parent_instance;

  AdwComboRow *strategy;
  LaurelModelChecks *models;
  GtkSpinButton *share;
  GtkSpinButton *seed;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkProgressBar *progress;
  GtkLabel *summary;
};

G_DEFINE_FINAL_TYPE (LaurelOrderDialog, laurel_order_dialog, LAUREL_TYPE_WORK_WINDOW)

static LaurelProject *
get_project (LaurelOrderDialog *self)
{
  return laurel_work_window_get_project (LAUREL_WORK_WINDOW (self));
}

/* The drop-down has them in the order of the enumeration. */
static LaurelStrategy
get_strategy (LaurelOrderDialog *self)
{
  return (LaurelStrategy) MIN (adw_combo_row_get_selected (self->strategy),
                               LAUREL_N_STRATEGIES - 1);
}

static char *
describe (LaurelOrderDialog *self, gint64 n_open)
{
  int n_wanted = laurel_strategy_min_models (get_strategy (self));

  if (n_open <= 0)
    return g_strdup (_("No open tasks: sample completions from the Train menu"));
  if ((int) laurel_model_checks_count (self->models) < n_wanted)
    return g_strdup_printf (ngettext ("It needs %d reward model: train it first",
                                      "It needs %d reward models: train them with different seeds",
                                      (gulong) n_wanted),
                            n_wanted);
  if ((int) laurel_model_checks_count_ticked (self->models) < n_wanted)
    return g_strdup_printf (
        ngettext ("Choose a reward model", "Choose at least %d reward models", (gulong) n_wanted),
        n_wanted);
  return g_strdup_printf (ngettext ("%d open task", "%d open tasks", (gulong) n_open),
                          (int) n_open);
}

static void
update (LaurelOrderDialog *self)
{
  int n_wanted = laurel_strategy_min_models (get_strategy (self));
  int n_ticked = (int) laurel_model_checks_count_ticked (self->models);
  gboolean is_running = laurel_work_window_is_working (LAUREL_WORK_WINDOW (self));
  g_autofree char *text = NULL;
  gint64 n_open;

  if (get_project (self) == NULL)
    return; /* not filled yet */
  n_open = laurel_store_count_tasks (laurel_project_get_store (get_project (self)), TRUE, NULL);
  text = describe (self, n_open);
  gtk_label_set_label (self->summary, text);
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->models), n_wanted > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), is_running);
  gtk_widget_set_sensitive (GTK_WIDGET (self->share), n_wanted > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "order.start",
                                 !is_running && n_open > 0 && n_ticked >= n_wanted);
}

/* --- The work -------------------------------------------------------------------------- */

typedef struct {
  LaurelQueueRequest request;
  GPtrArray *models; /* (element-type utf8), ended by NULL */
} Work;

static void
work_free (gpointer data)
{
  Work *self = data;

  g_ptr_array_unref (self->models);
  g_free (self);
}

static gpointer
order (LaurelBackground *background,
       LaurelStore *store,
       const char *project_path,
       gpointer data,
       GError **error)
{
  Work *work = data;
  g_autofree LaurelQueueResult *result = g_new0 (LaurelQueueResult, 1);

  work->request.reward_models = (const char *const *) work->models->pdata;
  work->request.progress = laurel_background_step;
  work->request.user_data = background;
  return laurel_queue_order (store, project_path, &work->request, result, error)
             ? g_steal_pointer (&result)
             : NULL;
}

static void
laurel_order_dialog_changed (LaurelWorkWindow *window)
{
  update (LAUREL_ORDER_DIALOG (window));
}

static void
laurel_order_dialog_progressed (LaurelWorkWindow *window, double fraction)
{
  gtk_progress_bar_set_fraction (LAUREL_ORDER_DIALOG (window)->progress, fraction);
}

static void
laurel_order_dialog_ended (LaurelWorkWindow *window, gpointer result, const GError *error)
{
  LaurelOrderDialog *self = LAUREL_ORDER_DIALOG (window);

  if (result != NULL) {
    g_signal_emit_by_name (get_project (self), "tasks-changed");
    gtk_window_close (GTK_WINDOW (self));
    return;
  }
  gtk_label_set_label (self->error_label, error->message);
  gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
}

static void
start_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelOrderDialog *self = LAUREL_ORDER_DIALOG (widget);
  Work *work = g_new0 (Work, 1);
  const LaurelBackgroundTask task = {
    .work = order, .data = work, .free_data = work_free, .free_result = g_free
  };

  work->models = laurel_model_checks_dup_ticked (self->models);
  work->request.strategy = get_strategy (self);
  work->request.random_share = gtk_spin_button_get_value (self->share) / 100;
  work->request.seed = (guint64) gtk_spin_button_get_value (self->seed);
  laurel_work_window_start (LAUREL_WORK_WINDOW (self), &task);
}

/* --- Class ------------------------------------------------------------------------------- */

static void
laurel_order_dialog_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_ORDER_DIALOG);
  G_OBJECT_CLASS (laurel_order_dialog_parent_class)->dispose (object);
}

static void
laurel_order_dialog_class_init (LaurelOrderDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_order_dialog_dispose;
  g_type_ensure (LAUREL_TYPE_MODEL_CHECKS);
  LAUREL_WORK_WINDOW_CLASS (klass)->changed = laurel_order_dialog_changed;
  LAUREL_WORK_WINDOW_CLASS (klass)->progressed = laurel_order_dialog_progressed;
  LAUREL_WORK_WINDOW_CLASS (klass)->ended = laurel_order_dialog_ended;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/data_order.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, strategy);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, models);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, share);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, seed);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, progress);
  gtk_widget_class_bind_template_child (widget_class, LaurelOrderDialog, summary);
  gtk_widget_class_bind_template_callback (widget_class, update);
  gtk_widget_class_install_action (widget_class, "order.start", NULL, start_action);
}

static void
laurel_order_dialog_init (LaurelOrderDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_order_dialog_present (GtkWindow *parent, LaurelProject *project)
{
  static const char *const kinds[] = { "reward", NULL };
  LaurelOrderDialog *self;
  guint n_models;

  g_return_if_fail (LAUREL_IS_PROJECT (project));

  self = g_object_new (LAUREL_TYPE_ORDER_DIALOG, "transient-for", parent, NULL);
  laurel_work_window_set_project (LAUREL_WORK_WINDOW (self), project);
  laurel_model_checks_fill (self->models, project, kinds, 2);
  n_models = laurel_model_checks_count (self->models);
  adw_combo_row_set_selected (self->strategy, n_models > 1 ? LAUREL_STRATEGY_UNCERTAINTY
                                                           : LAUREL_STRATEGY_RANDOM);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->strategy)); /* it would be on Cancel */
  gtk_window_present (GTK_WINDOW (self));
}
