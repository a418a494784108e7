/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/notify.h"

#include "ui/run_strip.h"

#include <glib/gi18n.h>

static const char *const services[] = { "org.gtk.Notifications", "org.freedesktop.Notifications" };

char *
laurel_run_describe_end (const LaurelRun *run)
{
  const char *kind = laurel_run_kind_get_title (run->kind);

  switch (run->status) {
  case LAUREL_RUN_DONE:
    return g_strdup_printf (_("%s “%s” is done"), kind, run->name);
  case LAUREL_RUN_STOPPED:
    return g_strdup_printf (_("%s “%s” was stopped at step %d"), kind, run->name, run->step);
  default:
    return g_strdup_printf (_("%s “%s” failed: %s"), kind, run->name, run->message);
  }
}

typedef struct {
  GApplication *application;
  char *title;
  char *id;
  guint n_asked;
} Request;

static void
request_free (Request *self)
{
  g_object_unref (self->application);
  g_free (self->title);
  g_free (self->id);
  g_free (self);
}

static void ask_for_service (Request *self);

static void
send_notification (Request *self)
{
  g_autoptr (GNotification) notification = g_notification_new (self->title);

  g_notification_set_default_action (notification, "app.activate");
  g_application_send_notification (self->application, self->id, notification);
}

static void
on_has_owner (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *self = user_data;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result,
                                                              NULL);
  gboolean has_owner = FALSE;

  if (reply) {
    g_variant_get (reply, "(b)", &has_owner);
  }
  if (has_owner) {
    send_notification (self);
    request_free (self);
  } else {
    ask_for_service (self);
  }
}

static void
ask_for_service (Request *self)
{
  /* The answer about the first service may come when the program has ended meanwhile. */
  GDBusConnection *bus = g_application_get_is_registered (self->application)
                           ? g_application_get_dbus_connection (self->application)
                           : NULL;

  if (!bus || self->n_asked >= G_N_ELEMENTS (services)) {
    request_free (self);
    return;
  }
  g_dbus_connection_call (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "NameHasOwner",
                          g_variant_new ("(s)", services[self->n_asked++]), G_VARIANT_TYPE ("(b)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_has_owner, self);
}

void
laurel_notify_run_ended (GApplication *application, const LaurelRun *run)
{
  Request *request = g_new0 (Request, 1);

  request->application = g_object_ref (application);
  request->title = laurel_run_describe_end (run);
  request->id = g_strdup_printf ("run-%" G_GINT64_FORMAT, run->id);
  ask_for_service (request);
}
