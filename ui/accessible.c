/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/accessible.h"

/* The focus goes to the button inside, which has no name of its own. */
static void
mend_drop_down (GtkWidget *drop_down)
{
  GtkWidget *button = gtk_widget_get_first_child (drop_down);

  if (GTK_IS_TOGGLE_BUTTON (button)) {
    gtk_accessible_update_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                    drop_down, NULL, -1);
  }
}

/* GTK gives such a button its label with the underscore as a name, and the label inside as another
 * one; both are read. The one inside is enough. */
static void
mend_button (GtkWidget *button)
{
  if (gtk_button_get_use_underline (GTK_BUTTON (button))) {
    gtk_accessible_reset_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL);
  }
}

/* Its scrolled window takes the focus when nothing in it does, so that keys can scroll it. */
static void
name_scroller (AdwStatusPage *page)
{
  GtkWidget *scroller = gtk_widget_get_first_child (GTK_WIDGET (page));

  if (GTK_IS_SCROLLED_WINDOW (scroller)) {
    gtk_accessible_update_property (GTK_ACCESSIBLE (scroller), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    adw_status_page_get_title (page), -1);
  }
}

static void
mend_status_page (GtkWidget *page)
{
  g_signal_handlers_disconnect_by_func (page, name_scroller, NULL);
  g_signal_connect (page, "notify::title", G_CALLBACK (name_scroller), NULL);
  name_scroller (ADW_STATUS_PAGE (page));
}

/* A leaflet stacks its children for its transition, whatever their order on the screen. */
static GtkWidget *
get_next_in_leaflet (AdwLeaflet *leaflet, GtkWidget *widget, GtkDirectionType direction)
{
  g_autoptr (GtkSelectionModel) pages = adw_leaflet_get_pages (leaflet);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (pages));
  g_autoptr (AdwLeafletPage) next = NULL;

  for (guint i = 0; i < n; i++) {
    g_autoptr (AdwLeafletPage) page = g_list_model_get_item (G_LIST_MODEL (pages), i);
    guint at = direction == GTK_DIR_TAB_FORWARD ? i + 1 : i - 1; /* beyond all others below 0 */

    if (adw_leaflet_page_get_child (page) == widget && at < n) {
      next = g_list_model_get_item (G_LIST_MODEL (pages), at);
      return adw_leaflet_page_get_child (next);
    }
  }
  return NULL;
}

static GtkWidget *
get_next (GtkWidget *widget, GtkDirectionType direction)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);

  if (ADW_IS_LEAFLET (parent))
    return get_next_in_leaflet (ADW_LEAFLET (parent), widget, direction);
  return direction == GTK_DIR_TAB_FORWARD ? gtk_widget_get_next_sibling (widget)
                                          : gtk_widget_get_prev_sibling (widget);
}

/* The first of @widget and what stands beyond it that takes the focus. */
static gboolean
focus_from (GtkWidget *widget, GtkDirectionType direction)
{
  for (; widget != NULL; widget = get_next (widget, direction))
    if (gtk_widget_get_mapped (widget) && gtk_widget_child_focus (widget, direction))
      return TRUE;
  return FALSE;
}

/* Focuses what is laid out behind @widget, or before it, and goes around at the window's end. */
static gboolean
focus_beside (GtkWidget *widget, GtkDirectionType direction)
{
  GtkWidget *root = GTK_WIDGET (gtk_widget_get_root (widget));

  for (; widget != NULL && widget != root; widget = gtk_widget_get_parent (widget))
    if (focus_from (get_next (widget, direction), direction))
      return TRUE;
  if (root == NULL)
    return FALSE;
  /* What holds the focus would go on inside. */
  gtk_root_set_focus (GTK_ROOT (root), NULL);
  return gtk_widget_child_focus (root, direction);
}

static gboolean
leave_cb (GtkEventControllerKey *keys, guint keyval, guint keycode, GdkModifierType state)
{
  GtkWidget *list = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (keys));
  guint held = state & gtk_accelerator_get_default_mod_mask ();

  if (keyval == GDK_KEY_Tab && held == 0)
    return focus_beside (list, GTK_DIR_TAB_FORWARD);
  if (keyval == GDK_KEY_ISO_Left_Tab && (held & ~(guint) GDK_SHIFT_MASK) == 0)
    return focus_beside (list, GTK_DIR_TAB_BACKWARD);
  return FALSE;
}

void
laurel_accessible_make_one_stop (GtkWidget *list)
{
  GtkEventController *keys;

  g_return_if_fail (GTK_IS_WIDGET (list));

  if (g_object_get_data (G_OBJECT (list), "laurel-one-stop") != NULL)
    return;
  g_object_set_data (G_OBJECT (list), "laurel-one-stop", list);
  keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (leave_cb), NULL);
  gtk_widget_add_controller (list, keys);
}

void
laurel_accessible_mend (GtkWidget *root)
{
  g_return_if_fail (GTK_IS_WIDGET (root));

  if (GTK_IS_DROP_DOWN (root)) {
    mend_drop_down (root);
  } else if (GTK_IS_BUTTON (root)) {
    mend_button (root);
  } else if (ADW_IS_STATUS_PAGE (root)) {
    mend_status_page (root);
  } else if (GTK_IS_COLUMN_VIEW (root) || GTK_IS_LIST_VIEW (root)) {
    laurel_accessible_make_one_stop (root);
  }
  for (GtkWidget *child = gtk_widget_get_first_child (root); child;
       child = gtk_widget_get_next_sibling (child)) {
    laurel_accessible_mend (child);
  }
}
