/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/clip.h"

/* A child that is a little too high is shown whole: a button to see one more line would be
 * silly. */
#define TOLERANCE 24

struct _LaurelClip {
  GtkWidget parent_instance;

  GtkWidget *child;
  int max_height;
  gboolean expanded;
  gboolean clipped;
  guint notify_id;
};

enum { PROP_0, PROP_CHILD, PROP_MAX_HEIGHT, PROP_EXPANDED, PROP_CLIPPED, N_PROPERTIES };

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (LaurelClip, laurel_clip, GTK_TYPE_WIDGET)

void
laurel_clip_set_expanded (LaurelClip *self, gboolean expanded)
{
  expanded = expanded != FALSE;
  if (self->expanded == expanded) {
    return;
  }
  self->expanded = expanded;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_EXPANDED]);
}

gboolean
laurel_clip_get_expanded (LaurelClip *self)
{
  return self->expanded;
}

gboolean
laurel_clip_get_clipped (LaurelClip *self)
{
  return self->clipped;
}

static gboolean
is_too_high (LaurelClip *self, int height)
{
  return height > self->max_height + TOLERANCE;
}

static GtkSizeRequestMode
laurel_clip_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
laurel_clip_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                     int *natural,
                     int *minimum_baseline, int *natural_baseline)
{
  LaurelClip *self = LAUREL_CLIP (widget);

  gtk_widget_measure (self->child, orientation, for_size, minimum, natural, NULL, NULL);
  if (orientation == GTK_ORIENTATION_VERTICAL && !self->expanded && is_too_high (self, *natural)) {
    *natural = self->max_height;
    *minimum = MIN (*minimum, *natural);
  }
}

static gboolean
notify_clipped (gpointer user_data)
{
  LaurelClip *self = user_data;

  self->notify_id = 0;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLIPPED]);
  return G_SOURCE_REMOVE;
}

/* Nothing may be shown or hidden while sizes are handed out, so the news waits for the end of
 * the frame. */
static void
set_clipped (LaurelClip *self, gboolean clipped)
{
  if (self->clipped == clipped) {
    return;
  }
  self->clipped = clipped;
  if (self->notify_id == 0) {
    self->notify_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, notify_clipped, self, NULL);
  }
}

static void
laurel_clip_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  LaurelClip *self = LAUREL_CLIP (widget);
  int natural;

  gtk_widget_measure (self->child, GTK_ORIENTATION_VERTICAL, width, NULL, &natural, NULL, NULL);
  gtk_widget_allocate (self->child, width, MAX (natural, height), -1, NULL);
  set_clipped (self, is_too_high (self, natural));
}

static void
laurel_clip_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LaurelClip *self = LAUREL_CLIP (object);

  switch (id) {
  case PROP_CHILD:
    g_value_set_object (value, self->child);
    break;
  case PROP_MAX_HEIGHT:
    g_value_set_int (value, self->max_height);
    break;
  case PROP_EXPANDED:
    g_value_set_boolean (value, self->expanded);
    break;
  case PROP_CLIPPED:
    g_value_set_boolean (value, self->clipped);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_clip_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LaurelClip *self = LAUREL_CLIP (object);

  switch (id) {
  case PROP_CHILD:
    g_clear_pointer (&self->child, gtk_widget_unparent);
    self->child = g_value_get_object (value);
    if (self->child) {
      gtk_widget_set_parent (self->child, GTK_WIDGET (self));
    }
    break;
  case PROP_MAX_HEIGHT:
    self->max_height = g_value_get_int (value);
    gtk_widget_queue_resize (GTK_WIDGET (self));
    break;
  case PROP_EXPANDED:
    laurel_clip_set_expanded (self, g_value_get_boolean (value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_clip_dispose (GObject *object)
{
  LaurelClip *self = LAUREL_CLIP (object);

  g_clear_handle_id (&self->notify_id, g_source_remove);
  g_clear_pointer (&self->child, gtk_widget_unparent);

  G_OBJECT_CLASS (laurel_clip_parent_class)->dispose (object);
}

static void
install_properties (GObjectClass *object_class)
{
  properties[PROP_CHILD] = g_param_spec_object ("child", NULL, NULL, GTK_TYPE_WIDGET,
                                                G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_MAX_HEIGHT] = g_param_spec_int ("max-height", NULL, NULL, 1, G_MAXINT / 2, 200,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_EXPANDED] =
    g_param_spec_boolean ("expanded", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  properties[PROP_CLIPPED] = g_param_spec_boolean ("clipped", NULL, NULL, FALSE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
laurel_clip_class_init (LaurelClipClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = laurel_clip_dispose;
  object_class->get_property = laurel_clip_get_property;
  object_class->set_property = laurel_clip_set_property;
  widget_class->get_request_mode = laurel_clip_get_request_mode;
  widget_class->measure = laurel_clip_measure;
  widget_class->size_allocate = laurel_clip_size_allocate;
  install_properties (object_class);
  gtk_widget_class_set_css_name (widget_class, "clip");
}

static void
laurel_clip_init (LaurelClip *self)
{
  self->max_height = 200;
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
}
