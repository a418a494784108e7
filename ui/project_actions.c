/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/project_actions.h"

#include "ui/settings.h"

#include <glib/gi18n.h>

#define MAX_RECENT 8

/* --- Opening -------------------------------------------------------------------- */

static void
remember (const char *path)
{
  GSettings *settings = laurel_settings_get ();
  g_auto (GStrv) before = g_settings_get_strv (settings, "recent-projects");
  g_autoptr (GStrvBuilder) after = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  g_strv_builder_add (after, path);
  for (guint i = 0, n = 1; before[i] && n < MAX_RECENT; i++) {
    if (!g_str_equal (before[i], path)) {
      g_strv_builder_add (after, before[i]);
      n++;
    }
  }
  paths = g_strv_builder_end (after);
  g_settings_set_strv (settings, "recent-projects", (const char *const *) paths);
  g_settings_set_string (settings, "last-project", path);
}

static void
take_project (LaurelWindow *window, LaurelProject *project)
{
  remember (laurel_project_get_path (project));
  laurel_window_set_project (window, project);
}

/* Another project would end the run of this one. */
static gboolean
may_leave_project (LaurelWindow *window)
{
  if (!laurel_window_is_busy (window)) {
    return TRUE;
  }
  laurel_window_show_error (window,
                            _("A run is going on in this project: stop it or wait for its end, "
                              "then open "
                                      "another project."));
  return FALSE;
}

gboolean
laurel_window_open_path (LaurelWindow *window, const char *path)
{
  g_autoptr (LaurelProject) project = NULL;
  g_autoptr (GError) error = NULL;

  if (!may_leave_project (window)) {
    return FALSE;
  }
  project = laurel_project_open (path, &error);
  if (!project) {
    laurel_window_show_error (window, error->message);
    return FALSE;
  }
  take_project (window, project);
  return TRUE;
}

static gboolean
create_at (LaurelWindow *window, const char *path, gboolean with_starter)
{
  g_autofree char *starter = with_starter ? laurel_project_find_starter () : NULL;
  g_autoptr (LaurelProject) project = NULL;
  g_autoptr (GError) error = NULL;

  if (!may_leave_project (window)) {
    return FALSE;
  }
  if (with_starter && !starter) {
    laurel_window_show_error (window,
                              _("The starter's files are not installed with this copy of Laurel."));
    return FALSE;
  }
  project = laurel_project_create (path, starter, &error);
  if (!project) {
    laurel_window_show_error (window, error->message);
    return FALSE;
  }
  take_project (window, project);
  return TRUE;
}

gboolean
laurel_window_open_starter (LaurelWindow *window)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "laurel", NULL);
  g_autofree char *path = g_build_filename (folder, "starter.laurel", NULL);
  g_autofree char *database = g_build_filename (path, "project.sqlite", NULL);

  if (g_file_test (database, G_FILE_TEST_EXISTS)) {
    return laurel_window_open_path (window, path);
  }
  if (g_mkdir_with_parents (folder, 0755) != 0) {
    g_autofree char *message =
      g_strdup_printf (_("Could not make the folder “%s”: check its permissions"), folder);

    laurel_window_show_error (window, message);
    return FALSE;
  }
  return create_at (window, path, TRUE);
}

/* --- Choosing a place -------------------------------------------------------------- */

static char *
get_chosen_path (GtkNativeDialog *dialog)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));

  return file ? g_file_get_path (file) : NULL;
}

static void
on_open_response (GtkNativeDialog *dialog, int response, LaurelWindow *window)
{
  g_autofree char *path = response == GTK_RESPONSE_ACCEPT ? get_chosen_path (dialog) : NULL;

  if (path) {
    laurel_window_open_path (window, path);
  }
  g_object_unref (dialog);
}

static void
on_new_response (GtkNativeDialog *dialog, int response, LaurelWindow *window)
{
  g_autofree char *path = response == GTK_RESPONSE_ACCEPT ? get_chosen_path (dialog) : NULL;

  if (path) {
    const char *choice = gtk_file_chooser_get_choice (GTK_FILE_CHOOSER (dialog), "starter");
    g_autofree char *folder = g_str_has_suffix (path, ".laurel") ? g_strdup (path)
                                                                  : g_strconcat (path, ".laurel",
                                                                                 NULL);

    create_at (window, folder, g_strcmp0 (choice, "true") == 0);
  }
  g_object_unref (dialog);
}

static void
open_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkFileChooserNative *dialog =
    gtk_file_chooser_native_new (_("Open a Project’s Folder"), GTK_WINDOW (widget),
                                 GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Open"), _("_Cancel"));

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_open_response), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
new_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkFileChooserNative *dialog =
    gtk_file_chooser_native_new (_("New Project"), GTK_WINDOW (widget),
                                 GTK_FILE_CHOOSER_ACTION_SAVE, _("_Create"),
                                 _("_Cancel"));

  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), _("my-project.laurel"));
  gtk_file_chooser_add_choice (GTK_FILE_CHOOSER (dialog), "starter",
                               _("Begin with the starter’s model, prompts and guidelines"), NULL,
                               NULL);
  gtk_file_chooser_set_choice (GTK_FILE_CHOOSER (dialog), "starter", "true");
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_new_response), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
open_path_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_window_open_path (LAUREL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

void
laurel_project_actions_list_recent (GMenu *menu)
{
  g_auto (GStrv) paths = g_settings_get_strv (laurel_settings_get (), "recent-projects");

  g_menu_remove_all (menu);
  for (guint i = 0; paths[i]; i++) {
    g_autofree char *name = g_path_get_basename (paths[i]);
    g_autoptr (GMenuItem) item = g_menu_item_new (name, NULL);

    /* Folders that are gone would only be in the way. */
    if (g_file_test (paths[i], G_FILE_TEST_IS_DIR)) {
      g_menu_item_set_action_and_target (item, "win.open-path", "s", paths[i]);
      g_menu_append_item (menu, item);
    }
  }
}

static void
open_starter_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_window_open_starter (LAUREL_WINDOW (widget));
}

/* --- Back up and check: on a thread of their own, with their own connection --------- */

typedef struct {
  char *project;
  char *target; /* of the backup */
} Errand;

static void
errand_free (gpointer data)
{
  Errand *self = data;

  g_free (self->project);
  g_free (self->target);
  g_free (self);
}

/* The task holds no window: a worker thread may be the last to let go of a task, and widgets end on
 * the main thread. @done owns its user data, the window. */
static void
run_errand (LaurelWindow *window, const char *target, GTaskThreadFunc work,
            GAsyncReadyCallback done)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done, g_object_ref (window));
  Errand *errand = g_new0 (Errand, 1);

  errand->project = g_strdup (laurel_project_get_path (laurel_window_get_project (window)));
  errand->target = g_strdup (target);
  g_task_set_task_data (task, errand, errand_free);
  g_task_run_in_thread (task, work);
}

static void
back_up_work (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  const Errand *errand = task_data;
  g_autofree char *database = g_build_filename (errand->project, "project.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelStore) store = laurel_store_open (database, &error);

  if (!store || !laurel_store_backup (store, errand->target, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  g_task_return_boolean (task, TRUE);
}

static void
on_backed_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LaurelWindow) window = user_data;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    laurel_window_add_toast (window, adw_toast_new (_("Backed up")));
  } else {
    laurel_window_show_error (window, error->message);
  }
}

static void
on_back_up_response (GtkNativeDialog *dialog, int response, LaurelWindow *window)
{
  g_autofree char *path = response == GTK_RESPONSE_ACCEPT ? get_chosen_path (dialog) : NULL;

  if (path && laurel_window_get_project (window)) {
    run_errand (window, path, back_up_work, on_backed_up);
  }
  g_object_unref (dialog);
}

static void
back_up_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelProject *project = laurel_window_get_project (LAUREL_WINDOW (widget));
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *day = g_date_time_format (now, "%F");
  g_autofree char *file_name = NULL;
  GtkFileChooserNative *dialog;

  if (!project) {
    return;
  }
  dialog = gtk_file_chooser_native_new (_("Back Up the Database"), GTK_WINDOW (widget),
                                        GTK_FILE_CHOOSER_ACTION_SAVE,
                                        _("_Back Up"), _("_Cancel"));
  file_name = g_strdup_printf ("%s-%s.sqlite", laurel_project_get_name (project), day);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), file_name);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_back_up_response), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
check_work (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  const Errand *errand = task_data;
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelProject) project = laurel_project_open (errand->project, &error);

  if (!project || !laurel_project_check (project, problems, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  laurel_project_close (project);
  g_ptr_array_add (problems, NULL);
  g_task_return_pointer (task, g_ptr_array_free (g_steal_pointer (&problems), FALSE),
                         (GDestroyNotify) g_strfreev);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (LaurelWindow) window = user_data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) problems = g_task_propagate_pointer (G_TASK (result), &error);

  if (error) {
    laurel_window_show_error (window, error->message);
  } else if (problems[0]) {
    g_autofree char *list = g_strjoinv ("\n", problems);

    laurel_window_show_error (window, list);
  } else {
    laurel_window_add_toast (window, adw_toast_new (_("Database, models and runs are in order")));
  }
}

static void
check_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  if (laurel_window_get_project (LAUREL_WINDOW (widget))) {
    laurel_window_add_toast (LAUREL_WINDOW (widget), adw_toast_new (_("Checking the project…")));
    run_errand (LAUREL_WINDOW (widget), NULL, check_work, on_checked);
  }
}

void
laurel_project_actions_install (GtkWidgetClass *window_class)
{
  gtk_widget_class_install_action (window_class, "win.new", NULL, new_action);
  gtk_widget_class_install_action (window_class, "win.open", NULL, open_action);
  gtk_widget_class_install_action (window_class, "win.open-path", "s", open_path_action);
  gtk_widget_class_install_action (window_class, "win.open-starter", NULL, open_starter_action);
  gtk_widget_class_install_action (window_class, "win.back-up", NULL, back_up_action);
  gtk_widget_class_install_action (window_class, "win.check", NULL, check_action);
}
