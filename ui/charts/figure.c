/* figure.c: draws one plot in the theme's palette, and says what the mark under the pointer is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/figure.h"

#include "ui/charts/canvas.h"

#include <adwaita.h>
#include <math.h>

struct _LaurelFigure {
  GtkWidget parent_instance;

  LaurelPlot *plot;              /* one of the two */
  LaurelIntervalPlot *intervals;
  GPtrArray *tips; /* (element-type utf8) of the plot's marks, or NULL */
};

G_DEFINE_FINAL_TYPE (LaurelFigure, laurel_figure, GTK_TYPE_WIDGET)

static graphene_size_t
get_size (LaurelFigure *self)
{
  return GRAPHENE_SIZE_INIT ((float) gtk_widget_get_width (GTK_WIDGET (self)),
                             (float) gtk_widget_get_height (GTK_WIDGET (self)));
}

static void
laurel_figure_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  LaurelFigure *self = LAUREL_FIGURE (widget);
  PangoContext *context = gtk_widget_get_pango_context (widget);

  if (self->plot != NULL)
    laurel_plot_draw (snapshot, self->plot, laurel_palette_current (), context, get_size (self));
  else
    laurel_interval_plot_draw (snapshot, self->intervals, laurel_palette_current (), context,
                               get_size (self));
}

static void
laurel_figure_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  LaurelFigure *self = LAUREL_FIGURE (widget);

  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 260;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 260;
  if (self->intervals != NULL && orientation == GTK_ORIENTATION_VERTICAL)
    *minimum = *natural = (int) ceilf (laurel_interval_plot_measure (
        self->intervals, gtk_widget_get_pango_context (widget)));
}

static void
laurel_figure_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (laurel_figure_parent_class)->css_changed (widget, change);
  gtk_widget_queue_resize (widget);
}

static gboolean
laurel_figure_query_tooltip (GtkWidget *widget, int x, int y, gboolean is_keyboard,
                             GtkTooltip *tooltip)
{
  LaurelFigure *self = LAUREL_FIGURE (widget);
  int found = -1;

  if (self->tips != NULL && !is_keyboard)
    found = laurel_plot_find (self->plot, gtk_widget_get_pango_context (widget), get_size (self),
                              x, y);
  if (found < 0)
    return FALSE;
  gtk_tooltip_set_text (tooltip, g_ptr_array_index (self->tips, found));
  return TRUE;
}

static void
laurel_figure_finalize (GObject *object)
{
  LaurelFigure *self = LAUREL_FIGURE (object);

  laurel_plot_free (self->plot);
  laurel_interval_plot_free (self->intervals);
  g_clear_pointer (&self->tips, g_ptr_array_unref);
  G_OBJECT_CLASS (laurel_figure_parent_class)->finalize (object);
}

static void
laurel_figure_class_init (LaurelFigureClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = laurel_figure_finalize;
  widget_class->snapshot = laurel_figure_snapshot;
  widget_class->measure = laurel_figure_measure;
  widget_class->css_changed = laurel_figure_css_changed;
  widget_class->query_tooltip = laurel_figure_query_tooltip;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

/* The palette changes with the theme, of which a widget without text of its own is not told. */
static void
laurel_figure_init (LaurelFigure *self)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();

  g_signal_connect_object (manager, "notify::dark", G_CALLBACK (gtk_widget_queue_draw), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast", G_CALLBACK (gtk_widget_queue_draw),
                           self, G_CONNECT_SWAPPED);
}

static LaurelFigure *
figure_new (const char *summary)
{
  LaurelFigure *self = g_object_new (LAUREL_TYPE_FIGURE, "hexpand", TRUE, NULL);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, summary,
                                  -1);
  return self;
}

GtkWidget *
laurel_figure_new_plot (LaurelPlot *plot, const char *summary, GPtrArray *tips)
{
  LaurelFigure *self = figure_new (summary);

  self->plot = plot;
  self->tips = tips != NULL ? g_ptr_array_ref (tips) : NULL;
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), tips != NULL);
  return GTK_WIDGET (self);
}

GtkWidget *
laurel_figure_new_intervals (LaurelIntervalPlot *plot, const char *summary)
{
  LaurelFigure *self = figure_new (summary);

  self->intervals = plot;
  return GTK_WIDGET (self);
}
