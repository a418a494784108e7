/* order_dialog.c: a strategy, reward models to tick, and the share that keeps to chance.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/order_dialog.h"

#include "core/project/background.h"
#include "core/project/queue.h"
#include "ui/accessible.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define LAUREL_TYPE_ORDER_DIALOG (laurel_order_dialog_get_type ())
G_DECLARE_FINAL_TYPE (LaurelOrderDialog, laurel_order_dialog, LAUREL, ORDER_DIALOG, AdwWindow)

struct _LaurelOrderDialog {
  AdwWindow parent_instance;

  AdwComboRow *strategy;
  AdwPreferencesGroup *models;
  GtkSpinButton *share;
  GtkSpinButton *seed;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  GtkProgressBar *progress;
  GtkLabel *summary;

  LaurelProject *project;
  GPtrArray *checks;         /* (element-type GtkCheckButton), borrowed */
  GPtrArray *names;          /* (element-type utf8) of their reward models */
  GCancellable *cancellable; /* of what runs now; NULL: nothing does */
};

G_DEFINE_FINAL_TYPE (LaurelOrderDialog, laurel_order_dialog, ADW_TYPE_WINDOW)

/* The drop-down has them in the order of the enumeration. */
static LaurelStrategy
get_strategy (LaurelOrderDialog *self)
{
  return (LaurelStrategy) MIN (adw_combo_row_get_selected (self->strategy),
                               LAUREL_N_STRATEGIES - 1);
}

static int
count_chosen (LaurelOrderDialog *self)
{
  int n = 0;

  for (guint i = 0; i < self->checks->len; i++)
    n += gtk_check_button_get_active (g_ptr_array_index (self->checks, i));
  return n;
}

static char *
describe (LaurelOrderDialog *self, gint64 n_open)
{
  int n_wanted = laurel_strategy_min_models (get_strategy (self));

  if (n_open <= 0)
    return g_strdup (_("No open tasks: sample completions from the Train menu"));
  if ((int) self->checks->len < n_wanted)
    return g_strdup_printf (ngettext ("It needs %d reward model: train it first",
                                      "It needs %d reward models: train them with different seeds",
                                      (gulong) n_wanted),
                            n_wanted);
  if (count_chosen (self) < n_wanted)
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
  gboolean is_running = self->cancellable != NULL;
  g_autofree char *text = NULL;
  gint64 n_open;

  if (self->project == NULL)
    return; /* not filled yet */
  n_open = laurel_store_count_tasks (laurel_project_get_store (self->project), TRUE, NULL);
  text = describe (self, n_open);
  gtk_label_set_label (self->summary, text);
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->models), n_wanted > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), is_running);
  gtk_widget_set_sensitive (GTK_WIDGET (self->share), n_wanted > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "order.start",
                                 !is_running && n_open > 0 && count_chosen (self) >= n_wanted);
}

static void
add_model (LaurelOrderDialog *self, const char *name)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *check = gtk_check_button_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), name);
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), self->checks->len < 2);
  g_signal_connect_swapped (check, "toggled", G_CALLBACK (update), self);
  adw_preferences_group_add (self->models, row);
  g_ptr_array_add (self->checks, check);
  g_ptr_array_add (self->names, g_strdup (name));
}

static void
fill_models (LaurelOrderDialog *self)
{
  g_autoptr (GPtrArray) models =
      laurel_store_list_models (laurel_project_get_store (self->project), NULL);

  for (guint i = models != NULL ? models->len : 0; i > 0; i--) { /* newest first */
    const LaurelModelRecord *model = g_ptr_array_index (models, i - 1);

    if (g_str_equal (model->kind, "reward"))
      add_model (self, model->name);
  }
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
report_cb (int n_done, int n_all, gpointer user_data)
{
  gtk_progress_bar_set_fraction (LAUREL_ORDER_DIALOG (user_data)->progress,
                                 (double) n_done / MAX (n_all, 1));
}

static void
ready_cb (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autoptr (LaurelOrderDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree LaurelQueueResult *result = laurel_background_finish (async_result, &error);

  g_clear_object (&self->cancellable);
  if (self->project == NULL)
    return; /* the window is gone */
  update (self);
  if (result != NULL) {
    g_signal_emit_by_name (self->project, "tasks-changed");
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
    .work = order, .data = work, .free_data = work_free, .free_result = g_free, .report = report_cb
  };

  work->models = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->checks->len; i++)
    if (gtk_check_button_get_active (g_ptr_array_index (self->checks, i)))
      g_ptr_array_add (work->models, g_strdup (g_ptr_array_index (self->names, i)));
  g_ptr_array_add (work->models, NULL);
  work->request.strategy = get_strategy (self);
  work->request.random_share = gtk_spin_button_get_value (self->share) / 100;
  work->request.seed = (guint64) gtk_spin_button_get_value (self->seed);
  self->cancellable = g_cancellable_new ();
  gtk_progress_bar_set_fraction (self->progress, 0);
  update (self);
  laurel_background_start (self->project, &task, self->cancellable, ready_cb, g_object_ref (self));
}

/* --- Class ------------------------------------------------------------------------------- */

static gboolean
laurel_order_dialog_close_request (GtkWindow *window)
{
  LaurelOrderDialog *self = LAUREL_ORDER_DIALOG (window);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->project);
  return GTK_WINDOW_CLASS (laurel_order_dialog_parent_class)->close_request (window);
}

static void
laurel_order_dialog_dispose (GObject *object)
{
  LaurelOrderDialog *self = LAUREL_ORDER_DIALOG (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->project);
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_ORDER_DIALOG);
  G_OBJECT_CLASS (laurel_order_dialog_parent_class)->dispose (object);
}

static void
laurel_order_dialog_finalize (GObject *object)
{
  LaurelOrderDialog *self = LAUREL_ORDER_DIALOG (object);

  g_ptr_array_unref (self->checks);
  g_ptr_array_unref (self->names);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (laurel_order_dialog_parent_class)->finalize (object);
}

static void
laurel_order_dialog_class_init (LaurelOrderDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_order_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = laurel_order_dialog_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = laurel_order_dialog_close_request;
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
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
laurel_order_dialog_init (LaurelOrderDialog *self)
{
  self->checks = g_ptr_array_new ();
  self->names = g_ptr_array_new_with_free_func (g_free);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
laurel_order_dialog_present (GtkWindow *parent, LaurelProject *project)
{
  LaurelOrderDialog *self;

  g_return_if_fail (LAUREL_IS_PROJECT (project));

  self = g_object_new (LAUREL_TYPE_ORDER_DIALOG, "transient-for", parent, NULL);
  self->project = g_object_ref (project);
  fill_models (self);
  adw_combo_row_set_selected (self->strategy, self->checks->len > 1 ? LAUREL_STRATEGY_UNCERTAINTY
                                                                    : LAUREL_STRATEGY_RANDOM);
  update (self);
  laurel_accessible_mend (GTK_WIDGET (self));
  gtk_window_present (GTK_WINDOW (self));
}
