/* SPDX-License-Identifier: Apache-2.0 */
#include "app/startup.h"

#include "app/picture.h"
#include "config.h"
#include "ui/latency.h"
#include "ui/preferences.h"
#include "ui/project_actions.h"
#include "ui/settings.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const GOptionEntry laurel_startup_options[] = {
  { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Print versions and exit"), NULL },
  { "page", 0, 0, G_OPTION_ARG_STRING, NULL,
    N_ ("Show this page: label, data, models, runs, inspect"), N_ ("NAME") },
  { "inspect-run", 0, 0, G_OPTION_ARG_INT64, NULL, N_ ("Show this run on the Inspect page"),
    N_ ("ID") },
  { "size", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("Size of the window"), N_ ("WIDTHxHEIGHT") },
  { "color-scheme", 0, 0, G_OPTION_ARG_STRING, NULL,
    N_ ("light or dark, whatever the settings say"), N_ ("SCHEME") },
  { "activate", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING_ARRAY, NULL,
    "Do this, like label.rank(1), or wait:SECONDS; may be given again for what comes next",
    "ACTION" },
  { "screenshot", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, NULL, "Write a PNG and exit",
    "FILE" },
  { "measure-latency", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, NULL,
    "Write key-to-paint times", "FILE" },
  { "exit-after-startup", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, NULL,
    "Print the milliseconds until the first paint and exit", NULL },
  { NULL },
};

/* The first set of tasks of a new starter project: enough to look at for a while, made within a
 * minute. */
#define FIRST_PROMPTS 40
#define FIRST_COMPLETIONS 4
#define FIRST_TOKENS 96

/* Milliseconds: between two activated actions, and until revealers, lists and charts have come to
 * rest for a picture. */
#define ACTION_TIME 150
#define SETTLING_TIME 900

/* --- Versions and times -------------------------------------------------------------- */

char *
laurel_startup_describe_versions (void)
{
  return g_strdup_printf ("laurel %s\nGTK %u.%u.%u\nAdwaita %u.%u.%u\nSQLite %s\n", LAUREL_VERSION,
                          gtk_get_major_version (), gtk_get_minor_version (),
                          gtk_get_micro_version (),
                          adw_get_major_version (), adw_get_minor_version (),
                          adw_get_micro_version (),
                          laurel_store_get_sqlite_version ());
}

/* Milliseconds since the kernel started this process, which laurel_engine_prepare() may have
 * restarted meanwhile. Field 22 of /proc/self/stat, in clock ticks since the boot (proc(5)). −1
 * when unknown. */
static double
measure_age (void)
{
  g_autofree char *stat = NULL;
  g_auto (GStrv) fields = NULL;
  const char *after_name;
  struct timespec now;
  double started;

  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL)) {
    return -1;
  }
  after_name = strrchr (stat, ')');
  fields = g_strsplit (after_name ? after_name + 2 : "", " ", 0);
  if (g_strv_length (fields) < 20 || clock_gettime (CLOCK_BOOTTIME, &now) != 0) {
    return -1;
  }
  started = g_ascii_strtod (fields[19], NULL) * 1000.0 / sysconf (_SC_CLK_TCK);
  return now.tv_sec * 1000.0 + now.tv_nsec / 1e6 - started;
}

/* --- Options ---------------------------------------------------------------------------- */

static int
refuse (const char *option, const char *why)
{
  g_printerr ("laurel: --%s: %s\n", option, why);
  return 2;
}

static gboolean
parse_size (const char *text, int *out_width, int *out_height)
{
  char rest;

  return sscanf (text, "%dx%d%c", out_width, out_height, &rest) == 2 && *out_width >= 360
         && *out_width <= 8000 && *out_height >= 294 && *out_height <= 8000;
}

int
laurel_startup_read_options (LaurelStartup *self, GApplication *application, GVariantDict *options)
{
  const char *size = NULL;
  const char *scheme = NULL;

  g_variant_dict_lookup (options, "page", "s", &self->page);
  g_variant_dict_lookup (options, "activate", "^as", &self->actions);
  g_variant_dict_lookup (options, "screenshot", "^ay", &self->screenshot);
  g_variant_dict_lookup (options, "measure-latency", "^ay", &self->latency_path);
  g_variant_dict_lookup (options, "inspect-run", "x", &self->inspect_run);
  self->exits = g_variant_dict_contains (options, "exit-after-startup");
  if (g_variant_dict_lookup (options, "size", "&s", &size)
      && !parse_size (size, &self->width, &self->height)) {
    return refuse ("size", "must be WIDTHxHEIGHT, like 1000x700");
  }
  if (g_variant_dict_lookup (options, "color-scheme", "&s", &scheme)) {
    if (!g_str_equal (scheme, "light") && !g_str_equal (scheme, "dark")) {
      return refuse ("color-scheme", "must be light or dark");
    }
    self->scheme = g_str_equal (scheme, "dark") ? ADW_COLOR_SCHEME_FORCE_DARK
                   : ADW_COLOR_SCHEME_FORCE_LIGHT;
  }
  /* A picture or a measurement is of this process, not of one that is open already. */
  if (self->screenshot || self->exits || self->latency_path) {
    g_application_set_flags (application,
                             g_application_get_flags (application) | G_APPLICATION_NON_UNIQUE);
  }
  return -1;
}

void
laurel_startup_clear (LaurelStartup *self)
{
  g_clear_pointer (&self->page, g_free);
  g_clear_pointer (&self->actions, g_strfreev);
  g_clear_pointer (&self->screenshot, g_free);
  g_clear_pointer (&self->latency_path, g_free);
  g_clear_weak_pointer (&self->window);
}

/* --- The picture -------------------------------------------------------------------------- */

/* The dialog in front of the window, or NULL. */
static GtkWindow *
find_dialog (LaurelStartup *self)
{
  GListModel *toplevels = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (toplevels); i++) {
    g_autoptr (GtkWindow) window = g_list_model_get_item (toplevels, i);

    if (window != GTK_WINDOW (self->window) && gtk_widget_get_mapped (GTK_WIDGET (window))) {
      return window;
    }
  }
  return NULL;
}

static gboolean
take_picture (gpointer user_data)
{
  LaurelStartup *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!laurel_picture_save (GTK_WINDOW (self->window), find_dialog (self), self->screenshot,
                            &error)) {
    g_printerr ("laurel: %s\n", error->message);
  }
  gtk_window_destroy (GTK_WINDOW (self->window));
  return G_SOURCE_REMOVE;
}

static gboolean
prepare_picture (gpointer user_data)
{
  LaurelStartup *self = user_data;
  GtkWindow *dialog = find_dialog (self);

  if (dialog) {
    gtk_widget_remove_css_class (GTK_WIDGET (dialog), "solid-csd");
  }
  g_timeout_add (400, take_picture, self);
  return G_SOURCE_REMOVE;
}

/* Where the next action starts its way up: the dialog in front, else the page. */
static GtkWidget *
find_actor (LaurelStartup *self)
{
  GtkWindow *dialog = find_dialog (self);

  return dialog ? GTK_WIDGET (dialog) : laurel_window_get_page (self->window);
}

static gboolean activate_next (gpointer user_data);

static gboolean
go_on (gpointer user_data)
{
  g_timeout_add (ACTION_TIME, activate_next, user_data);
  return G_SOURCE_REMOVE;
}

/* One action at a time, so that each finds what the one before it opened. */
static gboolean
activate_next (gpointer user_data)
{
  LaurelStartup *self = user_data;
  const char *action = self->actions ? self->actions[self->n_activated] : NULL;
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;
  g_autoptr (GError) error = NULL;
  gint64 seconds = 0;

  if (!self->window) {
    return G_SOURCE_REMOVE;
  }
  if (!action) {
    if (self->screenshot) {
      g_timeout_add (SETTLING_TIME, prepare_picture, self);
    }
    return G_SOURCE_REMOVE;
  }
  self->n_activated++;
  if (g_str_has_prefix (action, "wait:")) {
    if (g_ascii_string_to_signed (action + strlen ("wait:"), 10, 1, 60, &seconds, &error)) {
      g_timeout_add_seconds ((guint) seconds, go_on, self);
      return G_SOURCE_REMOVE;
    }
    g_printerr ("laurel: --activate: %s: %s\n", action, error->message);
    return G_SOURCE_CONTINUE;
  }
  if (!g_action_parse_detailed_name (action, &name, &target, &error)) {
    g_printerr ("laurel: --activate: %s\n", error->message);
  } else if (!gtk_widget_activate_action_variant (find_actor (self), name, target)) {
    g_printerr ("laurel: --activate: there is no action “%s” here\n", name);
  }
  return G_SOURCE_CONTINUE;
}

/* --- The first window ----------------------------------------------------------------------- */

/* Something to rank, for whoever opens Laurel for the first time. */
static void
sample_first_tasks (LaurelWindow *window)
{
  LaurelProject *project = laurel_window_get_project (window);
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (GError) error = NULL;
  LaurelSampleRequest request = { .n_prompts = FIRST_PROMPTS, .n_completions = FIRST_COMPLETIONS,
                                  .temperature = 1.0,
                                  .top_p = 1.0, .max_tokens = FIRST_TOKENS, .seed = 1 };

  if (!project || laurel_store_count_tasks (laurel_project_get_store (project), FALSE, NULL) != 0) {
    return;
  }
  models = laurel_store_list_models (laurel_project_get_store (project), NULL);
  for (guint i = 0; models && i < models->len; i++) {
    const LaurelModelRecord *model = g_ptr_array_index (models, i);

    if (g_strcmp0 (model->kind, "sft") == 0) {
      request.model = model->name;
      if (!laurel_project_start_sampling (project, &request, &error)) {
        laurel_window_show_error (window, error->message);
      }
      return;
    }
  }
}

static void
show_what_was_asked_for (LaurelStartup *self)
{
  if (self->page && !laurel_window_show_page (self->window, self->page)) {
    g_printerr ("laurel: there is no page “%s” to show\n", self->page);
  }
  if (self->inspect_run) {
    gtk_widget_activate_action (GTK_WIDGET (self->window), "win.inspect-run", "x",
                                self->inspect_run);
  }
  g_timeout_add (ACTION_TIME, activate_next, self);
}

static gboolean
finish_start (gpointer user_data)
{
  LaurelStartup *self = user_data;

  if (!self->window) {
    return G_SOURCE_REMOVE;
  }
  if (!laurel_window_get_project (self->window) && self->made_starter
      && laurel_window_open_starter (self->window)) {
    sample_first_tasks (self->window);
  }
  if (!laurel_window_get_project (self->window)) {
    laurel_window_set_project (self->window, NULL);
  }
  show_what_was_asked_for (self);
  return G_SOURCE_REMOVE;
}

static void
on_first_paint (GdkFrameClock *clock, LaurelStartup *self)
{
  g_signal_handlers_disconnect_by_func (clock, on_first_paint, self);
  if (self->exits) {
    g_print ("%.0f\n", measure_age ());
    gtk_window_destroy (GTK_WINDOW (self->window));
    return;
  }
  g_idle_add (finish_start, self);
}

static void
on_realize (LaurelStartup *self, GtkWidget *window)
{
  if (self->screenshot) {
    /* Without a compositor GTK draws a frame where the shadow would be. A picture has neither. */
    gtk_widget_remove_css_class (window, "solid-csd");
  }
  g_signal_connect (gtk_widget_get_frame_clock (window), "after-paint", G_CALLBACK (on_first_paint),
                    self);
}

/* Opening a database is quick and happens before the window shows; making one is not. */
static void
open_project (LaurelStartup *self, const char *path)
{
  g_autofree char *last = g_settings_get_string (laurel_settings_get (), "last-project");

  if (path) {
    laurel_window_open_path (self->window, path);
  } else if (*last && g_file_test (last, G_FILE_TEST_IS_DIR)) {
    laurel_window_open_path (self->window, last);
  } else {
    self->made_starter = TRUE;
    laurel_window_show_loading (self->window);
  }
}

void
laurel_startup_open (LaurelStartup *self, LaurelWindow *window, const char *path)
{
  g_set_weak_pointer (&self->window, window);
  if (self->scheme != ADW_COLOR_SCHEME_DEFAULT) {
    adw_style_manager_set_color_scheme (adw_style_manager_get_default (), self->scheme);
  }
  if (self->width > 0) {
    gtk_window_set_default_size (GTK_WINDOW (window), self->width, self->height);
  }
  if (self->latency_path) {
    laurel_latency_measure (GTK_WINDOW (window), self->latency_path);
  }
  g_signal_connect_swapped (window, "realize", G_CALLBACK (on_realize), self);
  open_project (self, path);
  gtk_window_present (GTK_WINDOW (window));
}
