/* run_row.c: status, name, kind, progress and the overlay check of a run.
 *
 * The check is no stop of its own on the keyboard's way: Space ticks it from the row, so that the
 * whole list is one stop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/runs/run_row.h"

#include "ui/resources.h"
#include "ui/runs/run_words.h"

#include <glib/gi18n.h>

struct _LaurelRunRow {
  GtkListBoxRow parent_instance;

  gint64 run_id;
  char *label; /* for screen readers, without what the check says */
  const char *css_class;
  GtkImage *icon;
  GtkLabel *name;
  GtkLabel *details;
  GtkLabel *percent;
  GtkCheckButton *check;
};

G_DEFINE_FINAL_TYPE (LaurelRunRow, laurel_run_row, GTK_TYPE_LIST_BOX_ROW)

enum {
  PROP_0,
  PROP_OVERLAY,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

static void
say_label (LaurelRunRow *self)
{
  g_autofree char *overlaid =
    laurel_run_row_get_overlay (self)
      ? g_strdup_printf (_("%s, in the charts"), self->label) /* Translators: a run. */
      : g_strdup (self->label);

  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, overlaid,
                                  -1);
}

static gboolean
toggle_cb (GtkWidget *widget, GVariant *arguments, gpointer unused)
{
  LaurelRunRow *self = LAUREL_RUN_ROW (widget);

  gtk_check_button_set_active (self->check, !gtk_check_button_get_active (self->check));
  return TRUE;
}

static void
check_toggled_cb (LaurelRunRow *self)
{
  say_label (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_OVERLAY]);
}

static void
laurel_run_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LaurelRunRow *self = LAUREL_RUN_ROW (object);

  if (id == PROP_OVERLAY)
    g_value_set_boolean (value, laurel_run_row_get_overlay (self));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_run_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  LaurelRunRow *self = LAUREL_RUN_ROW (object);

  if (id == PROP_OVERLAY)
    gtk_check_button_set_active (self->check, g_value_get_boolean (value)); /* notifies */
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
laurel_run_row_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), LAUREL_TYPE_RUN_ROW);
  G_OBJECT_CLASS (laurel_run_row_parent_class)->dispose (object);
}

static void
laurel_run_row_finalize (GObject *object)
{
  g_free (LAUREL_RUN_ROW (object)->label);
  G_OBJECT_CLASS (laurel_run_row_parent_class)->finalize (object);
}

static void
laurel_run_row_class_init (LaurelRunRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = laurel_run_row_get_property;
  object_class->set_property = laurel_run_row_set_property;
  object_class->dispose = laurel_run_row_dispose;
  object_class->finalize = laurel_run_row_finalize;
  properties[PROP_OVERLAY] = g_param_spec_boolean ("overlay", NULL, NULL, FALSE,
                                                   G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                                     | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/runs_row.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelRunRow, icon);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunRow, name);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunRow, details);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunRow, percent);
  gtk_widget_class_bind_template_child (widget_class, LaurelRunRow, check);
  gtk_widget_class_bind_template_callback (widget_class, check_toggled_cb);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_space, 0, toggle_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Space, 0, toggle_cb, NULL);
}

static void
laurel_run_row_init (LaurelRunRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
laurel_run_row_new (const LaurelRun *run)
{
  LaurelRunRow *self = g_object_new (LAUREL_TYPE_RUN_ROW, NULL);
  g_autofree char *check_label = g_strdup_printf (_("Overlay the charts of %s"), run->name);

  self->run_id = run->id;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->check), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  check_label, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  _("Space overlays its charts"), -1);
  laurel_run_row_update (self, run);
  return GTK_WIDGET (self);
}

void
laurel_run_row_update (LaurelRunRow *self, const LaurelRun *run)
{
  g_autofree char *when =
      laurel_format_time_briefly (run->started > 0 ? run->started : run->created);
  g_autofree char *details = g_strdup_printf ("%s · %s", laurel_run_kind_label (run->kind), when);
  g_autofree char *percent = NULL;
  g_autofree char *description = laurel_run_describe (run);

  g_return_if_fail (LAUREL_IS_RUN_ROW (self));

  if (self->css_class != NULL)
    gtk_widget_remove_css_class (GTK_WIDGET (self->icon), self->css_class);
  self->css_class = laurel_run_status_css_class (run->status);
  gtk_widget_add_css_class (GTK_WIDGET (self->icon), self->css_class);
  gtk_image_set_from_icon_name (self->icon, laurel_run_status_icon (run->status));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->icon), laurel_run_status_label (run->status));
  gtk_label_set_label (self->name, run->name);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->name), run->name);
  gtk_label_set_label (self->details, details);
  if (run->status != LAUREL_RUN_DONE && run->n_steps > 0)
    percent = g_strdup_printf (_("%d %%"), (int) (100. * run->step / run->n_steps));
  gtk_label_set_label (self->percent, percent != NULL ? percent : "");
  gtk_widget_set_visible (GTK_WIDGET (self->percent), percent != NULL);
  g_free (self->label);
  self->label = g_strdup_printf ("%s, %s", run->name, description);
  say_label (self);
}

gint64
laurel_run_row_get_run_id (LaurelRunRow *self)
{
  g_return_val_if_fail (LAUREL_IS_RUN_ROW (self), 0);
  return self->run_id;
}

gboolean
laurel_run_row_get_overlay (LaurelRunRow *self)
{
  g_return_val_if_fail (LAUREL_IS_RUN_ROW (self), FALSE);
  return gtk_check_button_get_active (self->check);
}
