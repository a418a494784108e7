/* canvas.c: shows a LaurelChart and lets pointer and keys walk along it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/canvas.h"

#include <adwaita.h>
#include <math.h>

struct _LaurelChartCanvas {
  GtkWidget parent_instance;

  LaurelChart chart;
  GPtrArray *series;
  char *title;
  LaurelChartCursor *cursor;
  GskRenderNode *rendered; /* all but the crosshair; NULL after a change */
  int rendered_width, rendered_height;
  gboolean is_sticky;
};

G_DEFINE_FINAL_TYPE (LaurelChartCanvas, laurel_chart_canvas, GTK_TYPE_WIDGET)

enum {
  PICKED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

const LaurelPalette *
laurel_palette_current (void)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();

  return laurel_palette_get (adw_style_manager_get_dark (manager),
                             adw_style_manager_get_high_contrast (manager));
}

static void
invalidate (LaurelChartCanvas *self)
{
  g_clear_pointer (&self->rendered, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static graphene_size_t
get_size (LaurelChartCanvas *self)
{
  return GRAPHENE_SIZE_INIT ((float) gtk_widget_get_width (GTK_WIDGET (self)),
                             (float) gtk_widget_get_height (GTK_WIDGET (self)));
}

static void
laurel_chart_canvas_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LaurelChartCanvas *self = LAUREL_CHART_CANVAS (widget);
  PangoContext *context = gtk_widget_get_pango_context (widget);
  graphene_size_t size = get_size (self);

  if (self->rendered == NULL || self->rendered_width != (int) size.width
      || self->rendered_height != (int) size.height) {
    g_autoptr (GtkSnapshot) own = gtk_snapshot_new ();

    laurel_chart_draw (own, &self->chart, laurel_palette_current (), context, size);
    g_clear_pointer (&self->rendered, gsk_render_node_unref);
    self->rendered = gtk_snapshot_to_node (own);
    self->rendered_width = (int) size.width;
    self->rendered_height = (int) size.height;
  }
  if (self->rendered != NULL)
    gtk_snapshot_append_node (snapshot, self->rendered);
  if (self->cursor != NULL)
    laurel_chart_draw_cursor (snapshot, &self->chart, laurel_palette_current (), context, size,
                              laurel_chart_cursor_get_x (self->cursor));
}

static void
laurel_chart_canvas_measure (GtkWidget *widget, GtkOrientation orientation, int for_size,
                             int *minimum, int *natural, int *minimum_baseline,
                             int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 160 : 120;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 280 : 180;
}

static void
laurel_chart_canvas_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (laurel_chart_canvas_parent_class)->css_changed (widget, change);
  invalidate (LAUREL_CHART_CANVAS (widget));
}

static double
snap_to_point (LaurelChartCanvas *self, double x)
{
  double best = NAN;

  for (guint i = 0; i < self->series->len; i++) {
    const LaurelPoint *point = laurel_series_find (self->series->pdata[i], x);

    if (point != NULL && (isnan (best) || fabs (point->x - x) < fabs (best - x)))
      best = point->x;
  }
  return best;
}

static double
find_x (LaurelChartCanvas *self, double pixel)
{
  LaurelChartLayout layout;
  double unit;

  laurel_chart_measure (&self->chart, gtk_widget_get_pango_context (GTK_WIDGET (self)),
                        get_size (self), &layout);
  unit = (pixel - layout.plot.origin.x) / layout.plot.size.width;
  if (layout.is_empty || unit < -.05 || unit > 1.05)
    return NAN;
  return snap_to_point (self, laurel_scale_from_unit (&layout.x, unit));
}

static void
move_cursor (LaurelChartCanvas *self, double x)
{
  if (self->cursor != NULL)
    laurel_chart_cursor_set_x (self->cursor, x);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, LaurelChartCanvas *self)
{
  double at = find_x (self, x);

  if (!self->is_sticky || !isnan (at))
    move_cursor (self, at);
}

static void
leave_cb (GtkEventControllerMotion *controller, LaurelChartCanvas *self)
{
  if (!self->is_sticky && !gtk_widget_has_focus (GTK_WIDGET (self)))
    move_cursor (self, NAN);
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, LaurelChartCanvas *self)
{
  double at = find_x (self, x);

  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (!isnan (at))
    g_signal_emit (self, signals[PICKED], 0, at);
}

/* The next point after @x in @direction over all series. */
static double
step_from (LaurelChartCanvas *self, double x, int direction)
{
  double best = NAN;

  for (guint s = 0; s < self->series->len; s++) {
    GArray *points = ((LaurelSeries *) self->series->pdata[s])->points;

    for (guint i = 0; i < points->len; i++) {
      double candidate = g_array_index (points, LaurelPoint, i).x;

      if (direction * (candidate - x) > 0 && (isnan (best) || direction * (candidate - best) < 0))
        best = candidate;
    }
  }
  return isnan (best) ? x : best;
}

static gboolean
key_cb (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
        LaurelChartCanvas *self)
{
  double x = self->cursor != NULL ? laurel_chart_cursor_get_x (self->cursor) : NAN;

  if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
    return FALSE;
  if (key == GDK_KEY_Home || (key == GDK_KEY_Right && isnan (x)))
    move_cursor (self, snap_to_point (self, -G_MAXDOUBLE / 4));
  else if (key == GDK_KEY_End || (key == GDK_KEY_Left && isnan (x)))
    move_cursor (self, snap_to_point (self, G_MAXDOUBLE / 4));
  else if (key == GDK_KEY_Left || key == GDK_KEY_Right)
    move_cursor (self, step_from (self, x, key == GDK_KEY_Left ? -1 : 1));
  else if (key == GDK_KEY_Escape && !isnan (x))
    move_cursor (self, NAN);
  else if ((key == GDK_KEY_Return || key == GDK_KEY_KP_Enter) && !isnan (x))
    g_signal_emit (self, signals[PICKED], 0, x);
  else
    return FALSE;
  return TRUE;
}

static void
laurel_chart_canvas_dispose (GObject *object)
{
  LaurelChartCanvas *self = LAUREL_CHART_CANVAS (object);

  laurel_chart_canvas_set_cursor (self, NULL);
  g_clear_pointer (&self->rendered, gsk_render_node_unref);
  g_clear_pointer (&self->series, g_ptr_array_unref);
  g_clear_pointer (&self->title, g_free);
  G_OBJECT_CLASS (laurel_chart_canvas_parent_class)->dispose (object);
}

static void
laurel_chart_canvas_class_init (LaurelChartCanvasClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_chart_canvas_dispose;
  widget_class->snapshot = laurel_chart_canvas_snapshot;
  widget_class->measure = laurel_chart_canvas_measure;
  widget_class->css_changed = laurel_chart_canvas_css_changed;
  gtk_widget_class_set_css_name (widget_class, "chartcanvas");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  signals[PICKED] = g_signal_new ("picked", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_DOUBLE);
}

static void
laurel_chart_canvas_init (LaurelChartCanvas *self)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *key = gtk_event_controller_key_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  self->series = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_series_unref);
  self->chart = (LaurelChart) { .x_kind = LAUREL_SCALE_INTEGER, .reference = NAN, .min_x = NAN,
                                .max_x = NAN };
  g_signal_connect (motion, "enter", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect (motion, "leave", G_CALLBACK (leave_cb), self);
  g_signal_connect (key, "key-pressed", G_CALLBACK (key_cb), self);
  g_signal_connect (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), key);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect_object (manager, "notify::dark", G_CALLBACK (invalidate), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast", G_CALLBACK (invalidate), self,
                           G_CONNECT_SWAPPED);
}

LaurelChart *
laurel_chart_canvas_get_chart (LaurelChartCanvas *self)
{
  g_return_val_if_fail (LAUREL_IS_CHART_CANVAS (self), NULL);
  return &self->chart;
}

void
laurel_chart_canvas_changed (LaurelChartCanvas *self)
{
  g_autofree char *summary = NULL;

  g_return_if_fail (LAUREL_IS_CHART_CANVAS (self));

  summary = laurel_chart_summarize (&self->chart, self->title != NULL ? self->title : "");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, summary,
                                  -1);
  invalidate (self);
}

void
laurel_chart_canvas_set_series (LaurelChartCanvas *self, GPtrArray *series)
{
  g_return_if_fail (LAUREL_IS_CHART_CANVAS (self));

  g_ptr_array_set_size (self->series, 0);
  for (guint i = 0; i < series->len; i++)
    g_ptr_array_add (self->series, laurel_series_ref (series->pdata[i]));
  self->chart.series = (LaurelSeries **) self->series->pdata;
  self->chart.n_series = self->series->len;
  laurel_chart_canvas_changed (self);
}

void
laurel_chart_canvas_set_title (LaurelChartCanvas *self, const char *title)
{
  g_return_if_fail (LAUREL_IS_CHART_CANVAS (self));

  g_free (self->title);
  self->title = g_strdup (title);
  laurel_chart_canvas_changed (self);
}

void
laurel_chart_canvas_set_cursor (LaurelChartCanvas *self, LaurelChartCursor *cursor)
{
  g_return_if_fail (LAUREL_IS_CHART_CANVAS (self));

  if (self->cursor == cursor)
    return;
  if (self->cursor != NULL)
    g_signal_handlers_disconnect_by_func (self->cursor, gtk_widget_queue_draw, self);
  g_clear_object (&self->cursor);
  if (cursor == NULL)
    return;
  self->cursor = g_object_ref (cursor);
  g_signal_connect_object (cursor, "notify::x", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
}

void
laurel_chart_canvas_set_sticky (LaurelChartCanvas *self, gboolean is_sticky)
{
  g_return_if_fail (LAUREL_IS_CHART_CANVAS (self));
  self->is_sticky = is_sticky;
}
