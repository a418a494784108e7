/* page.c: the abstract page.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/page.h"

#include "ui/accessible.h"
#include "ui/window.h"

typedef struct {
  LaurelProject *project;
} LaurelPagePrivate;

enum { PROP_0, PROP_PROJECT, N_PROPERTIES };

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (LaurelPage, laurel_page, GTK_TYPE_WIDGET)

LaurelProject *
laurel_page_get_project (LaurelPage *self)
{
  LaurelPagePrivate *priv = laurel_page_get_instance_private (self);

  g_return_val_if_fail (LAUREL_IS_PAGE (self), NULL);

  return priv->project;
}

void
laurel_page_set_project (LaurelPage *self, LaurelProject *project)
{
  LaurelPagePrivate *priv = laurel_page_get_instance_private (self);
  LaurelPageClass *klass;

  g_return_if_fail (LAUREL_IS_PAGE (self));

  if (!g_set_object (&priv->project, project)) {
    return;
  }
  klass = LAUREL_PAGE_GET_CLASS (self);
  if (klass->project_changed) {
    klass->project_changed (self);
  }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROJECT]);
}

void
laurel_page_show_toast (GtkWidget *widget, const char *text)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  if (LAUREL_IS_WINDOW (root)) {
    laurel_window_add_toast (LAUREL_WINDOW (root), adw_toast_new (text));
  }
}

static void
laurel_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    g_value_set_object (value, laurel_page_get_project (LAUREL_PAGE (object)));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
laurel_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_PROJECT:
    laurel_page_set_project (LAUREL_PAGE (object), g_value_get_object (value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

/* Each time, because rows and choices may have come since. */
static void
laurel_page_map (GtkWidget *widget)
{
  laurel_accessible_mend (widget);
  GTK_WIDGET_CLASS (laurel_page_parent_class)->map (widget);
}

/* The window lets go of the project before it drops its pages, so a page's own dispose finds
 * none here. */
static void
laurel_page_dispose (GObject *object)
{
  LaurelPagePrivate *priv = laurel_page_get_instance_private (LAUREL_PAGE (object));

  g_clear_object (&priv->project);

  G_OBJECT_CLASS (laurel_page_parent_class)->dispose (object);
}

static void
laurel_page_class_init (LaurelPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = laurel_page_dispose;
  object_class->get_property = laurel_page_get_property;
  object_class->set_property = laurel_page_set_property;
  widget_class->map = laurel_page_map;

  properties[PROP_PROJECT] =
    g_param_spec_object ("project", NULL, NULL, LAUREL_TYPE_PROJECT,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "page");
}

static void
laurel_page_init (LaurelPage *self)
{
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
}
