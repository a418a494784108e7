/* latency.c: a recorder of key presses and frames.
 *
 * X11 and Wayland stamp events with milliseconds of a clock that need not be
 * ours, so the time of arrival is taken when GDK hands the event over, before
 * any widget sees it. A main loop that was busy shows in the age of the event:
 * where the server's clock runs along with ours, that age is added.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/latency.h"

#include "core/base/file.h"

#define RING_SIZE 10000

typedef struct {
  guint keyval;
  double milliseconds;
} Sample;

typedef struct {
  GtkWindow *window; /* not owned: this dies with it */
  char *path;
  GdkFrameClock *clock;
  gint64 pressed; /* monotonic microseconds, 0: no key awaits its frame */
  guint keyval;
  Sample *ring;
  guint n;
} Recorder;

/* X servers on the same machine and Wayland compositors count milliseconds of the monotonic
 * clock, cut to 32 bits. An age between 0 and 10 s is believed; anything else is another clock. */
static gint64
estimate_age (guint32 event_time, gint64 now)
{
  guint32 age = (guint32) (now / 1000) - event_time;

  return event_time != 0 && age < 10000 ? (gint64) age * 1000 : 0;
}

static gboolean
on_key_pressed (Recorder *self, guint keyval, guint keycode, GdkModifierType state,
                GtkEventControllerKey *controller)
{
  gint64 now = g_get_monotonic_time ();
  guint32 time = gtk_event_controller_get_current_event_time (GTK_EVENT_CONTROLLER (controller));

  /* Several keys may share a frame; the oldest waited longest. */
  if (self->pressed == 0) {
    self->pressed = now - estimate_age (time, now);
    self->keyval = keyval;
    gdk_frame_clock_request_phase (self->clock, GDK_FRAME_CLOCK_PHASE_AFTER_PAINT);
  }
  return GDK_EVENT_PROPAGATE;
}

static void
on_after_paint (Recorder *self)
{
  Sample *sample = &self->ring[self->n % RING_SIZE];

  if (self->pressed != 0) {
    sample->keyval = self->keyval;
    sample->milliseconds = (g_get_monotonic_time () - self->pressed) / 1000.0;
    self->n++;
    self->pressed = 0;
  }
}

static void
on_realize (Recorder *self)
{
  self->clock = g_object_ref (gtk_widget_get_frame_clock (GTK_WIDGET (self->window)));
  g_signal_connect_swapped (self->clock, "after-paint", G_CALLBACK (on_after_paint), self);
}

static void
write_samples (Recorder *self)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  guint first = self->n > RING_SIZE ? self->n - RING_SIZE : 0;

  for (guint i = first; i < self->n; i++) {
    const Sample *sample = &self->ring[i % RING_SIZE];
    char milliseconds[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd (milliseconds, sizeof milliseconds, "%.3f", sample->milliseconds);
    g_string_append_printf (lines, "{\"key\": \"%s\", \"milliseconds\": %s}\n",
                            gdk_keyval_name (sample->keyval),
                            milliseconds);
  }
  if (!laurel_file_write (self->path, lines->str, lines->len, &error)) {
    g_printerr ("%s\n", error->message);
  }
}

static void
recorder_free (gpointer data)
{
  Recorder *self = data;

  write_samples (self);
  if (self->clock) {
    g_signal_handlers_disconnect_by_data (self->clock, self);
    g_object_unref (self->clock);
  }
  g_free (self->path);
  g_free (self->ring);
  g_free (self);
}

void
laurel_latency_measure (GtkWindow *window, const char *path)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  Recorder *self = g_new0 (Recorder, 1);

  self->window = window;
  self->path = g_strdup (path);
  self->ring = g_new0 (Sample, RING_SIZE);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (on_key_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (window), keys);
  if (gtk_widget_get_realized (GTK_WIDGET (window))) {
    on_realize (self);
  } else {
    g_signal_connect_swapped (window, "realize", G_CALLBACK (on_realize), self);
  }
  g_object_set_data_full (G_OBJECT (window), "laurel-latency", self, recorder_free);
}
