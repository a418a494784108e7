/* window.c: the frame around the pages. What the project menu and the Train menu
 * do is in project_actions.c and train_actions.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/window.h"

#include "ui/data/data_page.h"
#include "ui/inspect/inspect_page.h"
#include "ui/label/label_page.h"
#include "ui/models/models_page.h"
#include "ui/notify.h"
#include "ui/online/online_view.h"
#include "ui/project_actions.h"
#include "ui/resources.h"
#include "ui/runs/runs_page.h"
#include "ui/run_strip.h"
#include "ui/settings.h"
#include "ui/train_actions.h"

#include <glib/gi18n.h>

struct _LaurelWindow {
  AdwApplicationWindow parent_instance;

  LaurelProject *project;
  GSignalGroup *project_signals;

  GtkMenuButton *project_button;
  GtkLabel *project_label;
  AdwViewSwitcherTitle *switcher_title;
  GtkMenuButton *train_button;
  GtkRevealer *error_revealer;
  GtkLabel *error_label;
  AdwToastOverlay *toasts;
  GtkStack *states;
  GtkSpinner *loading_spinner;
  AdwViewStack *pages;
  GMenu *recent_menu;
  LaurelRunStrip *run_strip;
  gboolean closes_at_end; /* hidden or stopping: goes when the run has ended */
};

enum { PROP_0, PROP_PROJECT, N_PROPERTIES };

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (LaurelWindow, laurel_window, ADW_TYPE_APPLICATION_WINDOW)

LaurelProject *
laurel_window_get_project (LaurelWindow *self)
{
  g_return_val_if_fail (LAUREL_IS_WINDOW (self), NULL);

  return self->project;
}

static void
set_state (LaurelWindow *self, const char *state)
{
  gtk_stack_set_visible_child_name (self->states, state);
  gtk_spinner_set_spinning (self->loading_spinner, g_str_equal (state, "loading"));
}

void
laurel_window_set_project (LaurelWindow *self, LaurelProject *project)
{
  g_autoptr (LaurelProject) last = NULL;

  g_return_if_fail (LAUREL_IS_WINDOW (self));

  if (self->project == project) {
    return;
  }
  last = g_steal_pointer (&self->project);
  self->project = project ? g_object_ref (project) : NULL;
  g_signal_group_set_target (self->project_signals, project);
  gtk_label_set_label (self->project_label, project ? laurel_project_get_name (project)
                       : _("Project"));
  set_state (self, project ? "project" : "empty");
  laurel_train_actions_update (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROJECT]);
  if (project) {
    laurel_project_start_loop (project);
  }
  /* The pages have let go of it. */
  if (last) {
    laurel_project_close (last);
  }
}

void
laurel_window_show_loading (LaurelWindow *self)
{
  g_return_if_fail (LAUREL_IS_WINDOW (self));

  set_state (self, "loading");
}

gboolean
laurel_window_is_busy (LaurelWindow *self)
{
  g_return_val_if_fail (LAUREL_IS_WINDOW (self), FALSE);

  return laurel_run_strip_is_live (self->run_strip);
}

gboolean
laurel_window_show_page (LaurelWindow *self, const char *name)
{
  GtkWidget *child = adw_view_stack_get_child_by_name (self->pages, name);

  if (!child || !adw_view_stack_page_get_visible (adw_view_stack_get_page (self->pages, child))) {
    return FALSE;
  }
  adw_view_stack_set_visible_child (self->pages, child);
  return TRUE;
}

GtkWidget *
laurel_window_get_page (LaurelWindow *self)
{
  g_return_val_if_fail (LAUREL_IS_WINDOW (self), NULL);

  return adw_view_stack_get_visible_child (self->pages);
}

void
laurel_window_add_toast (LaurelWindow *self, AdwToast *toast)
{
  adw_toast_overlay_add_toast (self->toasts, toast);
}

void
laurel_window_show_error (LaurelWindow *self, const char *message)
{
  gtk_label_set_label (self->error_label, message);
  gtk_revealer_set_reveal_child (self->error_revealer, TRUE);
}

static void
on_error_response (LaurelWindow *self)
{
  gtk_revealer_set_reveal_child (self->error_revealer, FALSE);
}

static void
on_project_error (LaurelWindow *self, const char *message)
{
  /* What failed in the background is a run, whose message names models. */
  if (laurel_settings_get_profile () == LAUREL_PROFILE_RESEARCHER) {
    laurel_window_show_error (self, message);
  }
}

/* A labeler is to see neither the models behind the completions nor their rewards. */
static void
apply_profile (LaurelWindow *self)
{
  gboolean researcher = laurel_settings_get_profile () == LAUREL_PROFILE_RESEARCHER;
  g_autoptr (GtkSelectionModel) pages = adw_view_stack_get_pages (self->pages);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (pages));

  if (!researcher) {
    laurel_window_show_page (self, "label");
  }
  for (guint i = 0; i < n; i++) {
    g_autoptr (AdwViewStackPage) page = g_list_model_get_item (G_LIST_MODEL (pages), i);

    gboolean is_shown = researcher || g_str_equal (adw_view_stack_page_get_name (page), "label");

    adw_view_stack_page_set_visible (page, is_shown);
    /* The stack only does not map it; a screen reader could still walk into it. */
    gtk_widget_set_visible (adw_view_stack_page_get_child (page), is_shown);
  }
  adw_view_switcher_title_set_view_switcher_enabled (self->switcher_title, researcher);
  gtk_widget_set_visible (GTK_WIDGET (self->train_button), researcher);
  gtk_widget_set_visible (GTK_WIDGET (self->run_strip), researcher);
  laurel_train_actions_update (self);
}

static void
update_recent (LaurelWindow *self)
{
  laurel_project_actions_list_recent (self->recent_menu);
}

static void
show_page_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_window_show_page (LAUREL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

/* Shows the page @page and hands it the run's id. */
static void
show_run_on (LaurelWindow *self, const char *page, gint64 run_id)
{
  if (laurel_window_show_page (self, page)) {
    g_object_set (adw_view_stack_get_visible_child (self->pages), "run-id", run_id, NULL);
  }
}

static void
show_run_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  show_run_on (LAUREL_WINDOW (widget), "runs", g_variant_get_int64 (parameter));
}

static void
inspect_run_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  show_run_on (LAUREL_WINDOW (widget), "inspect", g_variant_get_int64 (parameter));
}

static void
restore_size (LaurelWindow *self)
{
  GSettings *settings = laurel_settings_get ();

  gtk_window_set_default_size (GTK_WINDOW (self), g_settings_get_int (settings, "window-width"),
                               g_settings_get_int (settings, "window-height"));
  if (g_settings_get_boolean (settings, "window-maximized")) {
    gtk_window_maximize (GTK_WINDOW (self));
  }
}

static void
save_size (LaurelWindow *self)
{
  GSettings *settings = laurel_settings_get ();
  gboolean maximized = gtk_window_is_maximized (GTK_WINDOW (self));
  int width;
  int height;

  g_settings_set_boolean (settings, "window-maximized", maximized);
  if (!maximized) {
    gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
    g_settings_set_int (settings, "window-width", width);
    g_settings_set_int (settings, "window-height", height);
  }
}

/* --- Runs ------------------------------------------------------------------- */

static void
announce_end (LaurelWindow *self, gint64 run_id)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  g_autoptr (LaurelRun) run = laurel_store_get_run (laurel_project_get_store (self->project),
                                                    run_id, NULL);
  g_autofree char *text =
    run ? laurel_online_describe_end (laurel_project_get_store (self->project), run) : NULL;

  if (run && !text) {
    text = laurel_run_describe_end (run);
  }
  if (!run || laurel_settings_get_profile () == LAUREL_PROFILE_LABELER) {
    return;
  }
  if (run->status == LAUREL_RUN_FAILED || run->status == LAUREL_RUN_INTERRUPTED) {
    laurel_window_show_error (self, text);
  } else {
    laurel_window_add_toast (self, adw_toast_new (text));
  }
  if (application && !gtk_window_is_active (GTK_WINDOW (self))) {
    laurel_notify_run_ended (G_APPLICATION (application), run);
  }
}

/* Not from within the run strip's signal: the strip is a part of what goes. */
static gboolean
destroy_cb (gpointer user_data)
{
  gtk_window_destroy (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_run_ended (LaurelWindow *self, gint64 run_id)
{
  if (self->project) {
    announce_end (self, run_id);
  }
  if (self->closes_at_end && !laurel_window_is_busy (self)) {
    g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, destroy_cb, g_object_ref (self), g_object_unref);
  }
}

static void
on_close_response (LaurelWindow *self, const char *response)
{
  if (g_str_equal (response, "cancel")) {
    return;
  }
  self->closes_at_end = TRUE;
  gtk_widget_hide (GTK_WIDGET (self));
  if (g_str_equal (response, "stop")) {
    laurel_project_stop_job (self->project);
  }
  if (!laurel_window_is_busy (self)) {
    gtk_window_destroy (GTK_WINDOW (self));
  }
}

static void
ask_about_run (LaurelWindow *self)
{
  GtkWidget *dialog =
    adw_message_dialog_new (GTK_WINDOW (self), _("A Run Is Going On"),
                            _("Stopped, it keeps a checkpoint and can be resumed. Kept running, "
                              "Laurel goes on "
                              "without a window and ends with the run."));

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "keep",
                                    _("_Keep Running"),
                                    "stop", _("_Stop and Close"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "stop",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "keep");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_close_response), self,
                           G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* Shown again, by starting Laurel once more, it stays. */
static void
laurel_window_show (GtkWidget *widget)
{
  LAUREL_WINDOW (widget)->closes_at_end = FALSE;

  GTK_WIDGET_CLASS (laurel_window_parent_class)->show (widget);
}

static gboolean
laurel_window_close_request (GtkWindow *window)
{
  LaurelWindow *self = LAUREL_WINDOW (window);

  save_size (self);
  if (laurel_window_is_busy (self)) {
    ask_about_run (self);
    return GDK_EVENT_STOP;
  }
  return GTK_WINDOW_CLASS (laurel_window_parent_class)->close_request (window);
}

static void
laurel_window_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    g_value_set_object (value, LAUREL_WINDOW (object)->project);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_window_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    laurel_window_set_project (LAUREL_WINDOW (object), g_value_get_object (value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_window_dispose (GObject *object)
{
  LaurelWindow *self = LAUREL_WINDOW (object);

  if (self->pages) {
    laurel_window_set_project (self, NULL);
  }
  g_clear_object (&self->project_signals);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_WINDOW);

  G_OBJECT_CLASS (laurel_window_parent_class)->dispose (object);
}

/* window.ui names these classes. */
static void
ensure_page_types (void)
{
  g_type_ensure (LAUREL_TYPE_LABEL_PAGE);
  g_type_ensure (LAUREL_TYPE_DATA_PAGE);
  g_type_ensure (LAUREL_TYPE_MODELS_PAGE);
  g_type_ensure (LAUREL_TYPE_RUNS_PAGE);
  g_type_ensure (LAUREL_TYPE_INSPECT_PAGE);
  g_type_ensure (LAUREL_TYPE_RUN_STRIP);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class, LAUREL_RESOURCE_PATH "/ui/window.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, project_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, project_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, switcher_title);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, train_button);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, error_revealer);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, error_label);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, loading_spinner);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, run_strip);
  gtk_widget_class_bind_template_child (widget_class, LaurelWindow, recent_menu);
  gtk_widget_class_bind_template_callback (widget_class, on_error_response);
  gtk_widget_class_bind_template_callback (widget_class, on_run_ended);
}

static void
laurel_window_class_init (LaurelWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GtkWindowClass *window_class = GTK_WINDOW_CLASS (klass);

  object_class->dispose = laurel_window_dispose;
  object_class->get_property = laurel_window_get_property;
  object_class->set_property = laurel_window_set_property;
  widget_class->show = laurel_window_show;
  window_class->close_request = laurel_window_close_request;

  properties[PROP_PROJECT] =
    g_param_spec_object ("project", NULL, NULL, LAUREL_TYPE_PROJECT,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  ensure_page_types ();
  bind_template (widget_class);
  laurel_project_actions_install (widget_class);
  laurel_train_actions_install (widget_class);
  gtk_widget_class_install_action (widget_class, "win.show-page", "s", show_page_action);
  gtk_widget_class_install_action (widget_class, "win.show-run", "x", show_run_action);
  gtk_widget_class_install_action (widget_class, "win.inspect-run", "x", inspect_run_action);
}

static void
laurel_window_init (LaurelWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->project_signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->project_signals, "error", G_CALLBACK (on_project_error),
                                  self);
  g_signal_connect_object (laurel_settings_get (), "changed::profile", G_CALLBACK (apply_profile),
                           self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (laurel_settings_get (), "changed::recent-projects",
                           G_CALLBACK (update_recent), self, G_CONNECT_SWAPPED);
  apply_profile (self);
  update_recent (self);
  restore_size (self);
  set_state (self, "empty");
}

LaurelWindow *
laurel_window_new (GtkApplication *application)
{
  return g_object_new (LAUREL_TYPE_WINDOW, "application", application, NULL);
}
