/* SPDX-License-Identifier: Apache-2.0 */
#include "app/application.h"

#include "app/startup.h"
#include "config.h"
#include "ui/preferences.h"
#include "ui/project_actions.h"
#include "ui/settings.h"
#include "ui/window.h"

#include <glib/gi18n.h>

struct _LaurelApplication {
  AdwApplication parent_instance;

  LaurelStartup startup;
};

G_DEFINE_FINAL_TYPE (LaurelApplication, laurel_application, ADW_TYPE_APPLICATION)

/* --- Actions ---------------------------------------------------------------------- */

static void
quit_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  g_autoptr (GList) windows = g_list_copy (gtk_application_get_windows (user_data));

  /* A window with a run asks first. */
  for (GList *link = windows; link; link = link->next) {
    if (LAUREL_IS_WINDOW (link->data)) {
      gtk_window_close (link->data);
    }
  }
}

static void
preferences_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  gtk_window_present (
    GTK_WINDOW (laurel_preferences_new (gtk_application_get_active_window (user_data))));
}

static void
about_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  g_autofree char *versions = laurel_startup_describe_versions ();

  adw_show_about_window (gtk_application_get_active_window (user_data),
                         "application-name", "Laurel",
                         "application-icon", LAUREL_APPLICATION_ID,
                         "version", LAUREL_VERSION,
                         "developer-name", _("The Laurel contributors"),
                         "license-type", GTK_LICENSE_APACHE_2_0,
                         "comments",
                         _("A workstation for reinforcement learning from human feedback: sample, "
                                       "rank, train a reward model, tune with PPO."),
                         "debug-info", versions,
                         NULL);
}

static void
activate_action (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  g_application_activate (user_data);
}

static const GActionEntry entries[] = {
  { .name = "quit", .activate = quit_action },
  { .name = "preferences", .activate = preferences_action },
  { .name = "about", .activate = about_action },
  { .name = "activate", .activate = activate_action },
};

/* Only with Ctrl, Alt or function keys: an accelerator takes its key away from every entry. */
static const struct {
  const char *action;
  const char *accelerators[2];
} accelerators[] = {
  { "app.quit", { "<Control>q" } },
  { "app.preferences", { "<Control>comma" } },
  { "win.show-page::label", { "<Control>1" } },
  { "win.show-page::data", { "<Control>2" } },
  { "win.show-page::models", { "<Control>3" } },
  { "win.show-page::runs", { "<Control>4" } },
  { "win.show-page::inspect", { "<Control>5" } },
  { "win.open", { "<Control>o" } },
  { "win.new", { "<Control>n" } },
};

/* --- Windows ----------------------------------------------------------------------- */

static LaurelWindow *
find_window (LaurelApplication *self)
{
  for (GList *link = gtk_application_get_windows (GTK_APPLICATION (self)); link;
       link = link->next) {
    if (LAUREL_IS_WINDOW (link->data)) {
      return link->data;
    }
  }
  return NULL;
}

/* The window that is there, or a new one on the project at @path (NULL: the last one, else the
 * starter). */
static void
show_window (LaurelApplication *self, const char *path)
{
  LaurelWindow *window = find_window (self);

  if (window) {
    if (path) {
      laurel_window_open_path (window, path);
    }
    gtk_window_present (GTK_WINDOW (window));
    return;
  }
  window = laurel_window_new (GTK_APPLICATION (self));
  laurel_startup_open (&self->startup, window, path);
}

static void
laurel_application_activate (GApplication *application)
{
  show_window (LAUREL_APPLICATION (application), NULL);
}

static void
laurel_application_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  g_autofree char *path = g_file_get_path (files[0]);

  show_window (LAUREL_APPLICATION (application), path);
}

static void
laurel_application_startup (GApplication *application)
{
  G_APPLICATION_CLASS (laurel_application_parent_class)->startup (application);

  g_action_map_add_action_entries (G_ACTION_MAP (application), entries, G_N_ELEMENTS (entries),
                                   application);
  for (gsize i = 0; i < G_N_ELEMENTS (accelerators); i++) {
    const char *keys[] = { accelerators[i].accelerators[0], NULL };

    gtk_application_set_accels_for_action (GTK_APPLICATION (application), accelerators[i].action,
                                           keys);
  }
  gtk_window_set_default_icon_name (LAUREL_APPLICATION_ID);
  laurel_preferences_apply ();
}

static int
laurel_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  LaurelApplication *self = LAUREL_APPLICATION (application);

  if (g_variant_dict_contains (options, "version")) {
    g_autofree char *versions = laurel_startup_describe_versions ();

    g_print ("%s", versions);
    return 0;
  }
  return laurel_startup_read_options (&self->startup, application, options);
}

static void
laurel_application_finalize (GObject *object)
{
  laurel_startup_clear (&LAUREL_APPLICATION (object)->startup);

  G_OBJECT_CLASS (laurel_application_parent_class)->finalize (object);
}

static void
laurel_application_class_init (LaurelApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = laurel_application_finalize;
  application_class->activate = laurel_application_activate;
  application_class->open = laurel_application_open;
  application_class->startup = laurel_application_startup;
  application_class->handle_local_options = laurel_application_handle_local_options;
}

static void
laurel_application_init (LaurelApplication *self)
{
  g_application_add_main_option_entries (G_APPLICATION (self), laurel_startup_options);
  g_application_set_option_context_parameter_string (G_APPLICATION (self), _("[PROJECT]"));
}

LaurelApplication *
laurel_application_new (void)
{
  return g_object_new (LAUREL_TYPE_APPLICATION, "application-id", LAUREL_APPLICATION_ID, "flags",
                       G_APPLICATION_HANDLES_OPEN, NULL);
}
