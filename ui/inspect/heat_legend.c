/* heat_legend.c: a bar of the diverging scale between its two ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/heat_legend.h"

#include "ui/charts/canvas.h"
#include "ui/charts/scale.h"

#include <adwaita.h>
#include <math.h>

#define BAR_WIDTH 72
#define BAR_HEIGHT 10
#define N_STOPS 9

struct _LaurelHeatLegend {
  GtkWidget parent_instance;

  GtkWidget *low;
  GtkWidget *bar;
  GtkWidget *high;
};

G_DEFINE_FINAL_TYPE (LaurelHeatLegend, laurel_heat_legend, GTK_TYPE_WIDGET)

/* Painted as the tokens are: the colour over the same grey. */
static void
draw_bar (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  const LaurelPalette *palette = laurel_palette_current ();
  gboolean is_rtl = gtk_widget_get_direction (GTK_WIDGET (area)) == GTK_TEXT_DIR_RTL;
  cairo_pattern_t *gradient = cairo_pattern_create_linear (0, 0, width, 0);
  double top = (height - BAR_HEIGHT) / 2.;

  for (int i = 0; i < N_STOPS; i++) {
    double at = (double) i / (N_STOPS - 1);
    GdkRGBA colour;

    laurel_palette_diverge (palette, (is_rtl ? -1 : 1) * (2 * at - 1), &colour);
    cairo_pattern_add_color_stop_rgba (gradient, at, colour.red, colour.green, colour.blue,
                                       colour.alpha);
  }
  cairo_rectangle (cr, 0, top, width, BAR_HEIGHT);
  gdk_cairo_set_source_rgba (cr, &palette->grid);
  cairo_fill_preserve (cr);
  cairo_set_source (cr, gradient);
  cairo_fill (cr);
  cairo_pattern_destroy (gradient);
}

static void
laurel_heat_legend_dispose (GObject *object)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (object))) != NULL)
    gtk_widget_unparent (child);
  G_OBJECT_CLASS (laurel_heat_legend_parent_class)->dispose (object);
}

static void
laurel_heat_legend_class_init (LaurelHeatLegendClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = laurel_heat_legend_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BOX_LAYOUT);
}

static GtkWidget *
add_end (LaurelHeatLegend *self)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "numeric");
  gtk_widget_set_parent (label, GTK_WIDGET (self));
  return label;
}

static void
laurel_heat_legend_init (LaurelHeatLegend *self)
{
  GtkLayoutManager *layout = gtk_widget_get_layout_manager (GTK_WIDGET (self));
  AdwStyleManager *manager = adw_style_manager_get_default ();

  gtk_box_layout_set_spacing (GTK_BOX_LAYOUT (layout), 6);
  self->low = add_end (self);
  self->bar = gtk_drawing_area_new ();
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (self->bar), BAR_WIDTH);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->bar), draw_bar, NULL, NULL);
  gtk_widget_set_parent (self->bar, GTK_WIDGET (self));
  self->high = add_end (self);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  g_signal_connect_object (manager, "notify::dark", G_CALLBACK (gtk_widget_queue_draw), self->bar,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::high-contrast", G_CALLBACK (gtk_widget_queue_draw),
                           self->bar, G_CONNECT_SWAPPED);
}

void
laurel_heat_legend_set_rollout (LaurelHeatLegend *self, const LaurelRollout *rollout,
                                LaurelTokenValue value)
{
  double largest = rollout != NULL ? laurel_rollout_find_largest_heat (rollout, value) : 0;
  gboolean is_ratio = value == LAUREL_TOKEN_RATIO; /* its heat is a logarithm */
  g_autofree char *low = laurel_format_value (is_ratio ? exp (-largest) : -largest);
  g_autofree char *high = laurel_format_value (is_ratio ? exp (largest) : largest);

  g_return_if_fail (LAUREL_IS_HEAT_LEGEND (self));

  gtk_label_set_label (GTK_LABEL (self->low), low);
  gtk_label_set_label (GTK_LABEL (self->high), high);
  gtk_widget_set_visible (GTK_WIDGET (self), largest > 0);
}
