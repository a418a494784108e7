/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/label/quality_row.h"

#include "core/label/ranking_model.h"

#include <glib/gi18n.h>

struct _LaurelQualityRow {
  GtkWidget parent_instance;

  GtkWidget *dots[LAUREL_MAX_QUALITY];
  int quality;
};

enum { CHOSEN, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (LaurelQualityRow, laurel_quality_row, GTK_TYPE_WIDGET)

static void
update_accessible (LaurelQualityRow *self)
{
  g_autofree char *text = self->quality > 0
                            /* Translators: how good an answer is, as in “5 of 7”. */
                            ? g_strdup_printf (_("%d of %d"), self->quality, LAUREL_MAX_QUALITY)
                            : g_strdup (_("Not rated"));
  g_autofree char *tooltip = g_strdup_printf (_("Quality: %s (Shift+1…7)"), text);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_NOW,
                                  (double) self->quality,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text, -1);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), tooltip);
}

void
laurel_quality_row_set_quality (LaurelQualityRow *self, int quality)
{
  g_return_if_fail (LAUREL_IS_QUALITY_ROW (self));

  if (self->quality == quality) {
    return;
  }
  self->quality = quality;
  for (int i = 0; i < LAUREL_MAX_QUALITY; i++) {
    if (i < quality) {
      gtk_widget_add_css_class (self->dots[i], "on");
    } else {
      gtk_widget_remove_css_class (self->dots[i], "on");
    }
  }
  update_accessible (self);
}

static void
choose (LaurelQualityRow *self, int quality)
{
  g_signal_emit (self, signals[CHOSEN], 0, CLAMP (quality, 0, LAUREL_MAX_QUALITY));
}

static void
on_released (LaurelQualityRow *self, int n_press, double x, double y, GtkGesture *gesture)
{
  int width = MAX (gtk_widget_get_width (GTK_WIDGET (self)), 1);
  int dot = CLAMP ((int) (x * LAUREL_MAX_QUALITY / width), 0, LAUREL_MAX_QUALITY - 1);

  if (gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL) {
    dot = LAUREL_MAX_QUALITY - 1 - dot;
  }
  gtk_gesture_set_state (gesture, GTK_EVENT_SEQUENCE_CLAIMED);
  choose (self, dot + 1 == self->quality ? 0 : dot + 1);
}

static gboolean
on_arrow (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  LaurelQualityRow *self = LAUREL_QUALITY_ROW (widget);
  gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;

  choose (self, self->quality + g_variant_get_int32 (arguments) * (mirrored ? -1 : 1));
  return TRUE;
}

static void
laurel_quality_row_dispose (GObject *object)
{
  LaurelQualityRow *self = LAUREL_QUALITY_ROW (object);

  for (int i = 0; i < LAUREL_MAX_QUALITY; i++) {
    g_clear_pointer (&self->dots[i], gtk_widget_unparent);
  }

  G_OBJECT_CLASS (laurel_quality_row_parent_class)->dispose (object);
}

static void
laurel_quality_row_class_init (LaurelQualityRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_quality_row_dispose;
  signals[CHOSEN] = g_signal_new ("chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_set_css_name (widget_class, "quality");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_SLIDER);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Left, 0, on_arrow, "i", -1);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Right, 0, on_arrow, "i", 1);
}

static void
laurel_quality_row_init (LaurelQualityRow *self)
{
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
  for (int i = 0; i < LAUREL_MAX_QUALITY; i++) {
    self->dots[i] = g_object_new (GTK_TYPE_BOX, "css-name", "dot", "accessible-role",
                                  GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
    gtk_widget_set_parent (self->dots[i], GTK_WIDGET (self));
  }
  g_signal_connect_swapped (click, "released", G_CALLBACK (on_released), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_VALUE_MIN, 0.0,
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_MAX, (double) LAUREL_MAX_QUALITY,
                                  -1);
  update_accessible (self);
}
