/* data_page.c: one lazy table, filled from the chosen source.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/data_page.h"

#include "ui/accessible.h"
#include "ui/data/data_exchange.h"
#include "ui/data/data_source.h"
#include "ui/data/labelers_view.h"
#include "ui/data/order_dialog.h"
#include "ui/data/paged_list.h"
#include "ui/data/ranking_dialog.h"
#include "ui/online/online_view.h"
#include "ui/resources.h"

#include <glib/gi18n.h>

#define REFRESH_MS 500

struct _LaurelDataPage {
  LaurelPage parent_instance;

  GtkBox *content;
  GtkListBox *sources;
  GtkSearchEntry *search;
  GtkDropDown *labelers;
  GtkButton *order;
  GtkLabel *count;
  GtkStack *states;
  AdwStatusPage *empty;
  GtkColumnView *view;
  GtkStack *contents;
  LaurelLabelersView *labelers_view;
  LaurelOnlineView *online;

  GSignalGroup *signals;
  LaurelPagedList *rows;
  const LaurelDataSource *source;
  guint refresh_source;
};

G_DEFINE_FINAL_TYPE (LaurelDataPage, laurel_data_page, LAUREL_TYPE_PAGE)

static LaurelStore *
get_store (LaurelDataPage *self)
{
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (self));

  return project != NULL ? laurel_project_get_store (project) : NULL;
}

static const char *
get_search (LaurelDataPage *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));

  return self->source->can_search && text[0] != '\0' ? text : NULL;
}

/* The drop-down has them in the order of the enumeration. */
static LaurelLabelers
get_labelers (LaurelDataPage *self)
{
  return self->source->by_labelers
             ? (LaurelLabelers) MIN (gtk_drop_down_get_selected (self->labelers),
                                     LAUREL_LABELERS_SIMULATED)
             : LAUREL_LABELERS_ALL;
}

static GPtrArray *
fetch (gpointer user_data, int limit, int offset)
{
  LaurelDataPage *self = user_data;

  return get_store (self) != NULL
             ? self->source->fetch (get_store (self), get_search (self), get_labelers (self),
                                    limit, offset)
             : NULL;
}

static void
reload (LaurelDataPage *self)
{
  gint64 n = 0;
  g_autofree char *text = NULL;
  gboolean is_searching, has_view;

  if (self->source == NULL)
    return;
  is_searching = get_search (self) != NULL;
  if (get_store (self) != NULL)
    n = MAX (0, self->source->count (get_store (self), get_search (self), get_labelers (self)));
  has_view = n > 0 && g_str_equal (self->source->name, "labelers");
  laurel_paged_list_reset (self->rows, has_view ? 0 : (guint) n, fetch, self);
  text = g_strdup_printf (ngettext ("%'d row", "%'d rows", (gulong) n), (int) n);
  gtk_label_set_label (self->count, text);
  adw_status_page_set_title (self->empty,
                             is_searching ? _("Nothing Found") : _("Nothing Here Yet"));
  adw_status_page_set_description (self->empty,
                                   is_searching ? _("Try other words.") : _ (self->source->empty));
  gtk_stack_set_visible_child_name (self->states, n > 0 ? "rows" : "empty");
  gtk_stack_set_visible_child_name (self->contents, has_view ? "labelers" : "rows");
}

static void
show_columns (LaurelDataPage *self)
{
  GListModel *columns = gtk_column_view_get_columns (self->view);

  while (g_list_model_get_n_items (columns) > 0) {
    g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, 0);

    gtk_column_view_remove_column (self->view, column);
  }
  for (guint i = 0; self->source->columns[i].title != NULL; i++)
    laurel_table_add_column (self->view, _ (self->source->columns[i].title), i,
                                            self->source->columns[i].kind);
}

static void
source_cb (LaurelDataPage *self, GtkListBoxRow *row)
{
  guint n;
  const char *name;

  if (row == NULL)
    return;
  laurel_paged_list_reset (self->rows, 0, NULL, NULL);
  laurel_data_sources (&n);
  if ((guint) gtk_list_box_row_get_index (row) >= n) { /* the last: no rows but the loop */
    self->source = NULL;
    gtk_stack_set_visible_child_name (self->contents, "online");
    return;
  }
  self->source = &laurel_data_sources (&n)[gtk_list_box_row_get_index (row)];
  name = self->source->name;
  gtk_widget_set_visible (GTK_WIDGET (self->search), self->source->can_search);
  gtk_widget_set_visible (GTK_WIDGET (self->labelers), self->source->by_labelers);
  gtk_widget_set_visible (GTK_WIDGET (self->order), g_str_equal (name, "tasks"));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "data.import",
                                 g_str_equal (name, "prompts") || g_str_equal (name, "rankings") ||
                                     g_str_equal (name, "demonstrations"));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "data.export",
                                 g_str_equal (name, "prompts") || g_str_equal (name, "rankings"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (self->source->title), -1);
  show_columns (self);
  reload (self);
}

static gboolean
refresh_cb (gpointer user_data)
{
  LaurelDataPage *self = user_data;

  self->refresh_source = 0;
  reload (self);
  return G_SOURCE_REMOVE;
}

static void
queue_refresh (LaurelDataPage *self)
{
  if (self->refresh_source == 0)
    self->refresh_source = g_timeout_add (REFRESH_MS, refresh_cb, self);
}

static void
laurel_data_page_project_changed (LaurelPage *page)
{
  LaurelDataPage *self = LAUREL_DATA_PAGE (page);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_signal_group_set_target (self->signals, laurel_page_get_project (page));
  laurel_labelers_view_set_project (self->labelers_view, laurel_page_get_project (page));
  laurel_online_view_set_project (self->online, laurel_page_get_project (page));
  reload (self);
}

static void
imported (LaurelPage *page)
{
  reload (LAUREL_DATA_PAGE (page));
  g_signal_emit_by_name (laurel_page_get_project (page), "tasks-changed");
}

static void
open_ranking (LaurelDataPage *self, gint64 id)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  g_autoptr (GError) error = NULL;

  if (get_store (self) != NULL
      && !laurel_ranking_dialog_present (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                         get_store (self), id, &error))
    laurel_page_show_toast (GTK_WIDGET (self), error->message);
}

static void
open_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  open_ranking (LAUREL_DATA_PAGE (widget), g_variant_get_int64 (parameter));
}

static void
activate_cb (LaurelDataPage *self, guint position)
{
  g_autoptr (LaurelTextRow) row = g_list_model_get_item (G_LIST_MODEL (self->rows), position);

  if (row != NULL && self->source != NULL && g_str_equal (self->source->name, "rankings"))
    open_ranking (self, laurel_text_row_get_id (row));
}

static void
show_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  LaurelDataPage *self = LAUREL_DATA_PAGE (widget);
  guint n;
  const LaurelDataSource *sources = laurel_data_sources (&n);

  for (guint i = 0; i < n; i++)
    if (g_str_equal (sources[i].name, g_variant_get_string (parameter, NULL)))
      gtk_list_box_select_row (self->sources,
                               gtk_list_box_get_row_at_index (self->sources, (int) i));
  if (g_str_equal (g_variant_get_string (parameter, NULL), "online"))
    gtk_list_box_select_row (self->sources,
                             gtk_list_box_get_row_at_index (self->sources, (int) n));
}

static void
import_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_data_import (LAUREL_PAGE (widget), LAUREL_DATA_PAGE (widget)->source->name, imported);
}

static void
export_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  laurel_data_export (LAUREL_PAGE (widget), LAUREL_DATA_PAGE (widget)->source->name);
}

static void
order_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  LaurelProject *project = laurel_page_get_project (LAUREL_PAGE (widget));

  if (project != NULL)
    laurel_order_dialog_present (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL, project);
}

static void
laurel_data_page_dispose (GObject *object)
{
  LaurelDataPage *self = LAUREL_DATA_PAGE (object);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  g_clear_object (&self->signals);
  if (self->rows != NULL)
    laurel_paged_list_reset (self->rows, 0, NULL, NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_DATA_PAGE);
  g_clear_object (&self->rows);
  G_OBJECT_CLASS (laurel_data_page_parent_class)->dispose (object);
}

static void
laurel_data_page_class_init (LaurelDataPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_data_page_dispose;
  LAUREL_PAGE_CLASS (klass)->project_changed = laurel_data_page_project_changed;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/data_page.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, sources);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, search);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, labelers);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, order);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, count);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, states);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, empty);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, view);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, contents);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, labelers_view);
  gtk_widget_class_bind_template_child (widget_class, LaurelDataPage, online);
  gtk_widget_class_bind_template_callback (widget_class, source_cb);
  gtk_widget_class_bind_template_callback (widget_class, reload);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_install_action (widget_class, "data.show", "s", show_action);
  gtk_widget_class_install_action (widget_class, "data.open-ranking", "x", open_action);
  gtk_widget_class_install_action (widget_class, "data.import", NULL, import_action);
  gtk_widget_class_install_action (widget_class, "data.export", NULL, export_action);
  gtk_widget_class_install_action (widget_class, "data.order", NULL, order_action);
}

static void
add_source_row (LaurelDataPage *self, const char *title)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *label = gtk_label_new (title);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "data-source");
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  gtk_list_box_append (self->sources, row);
}

static void
add_source_rows (LaurelDataPage *self)
{
  guint n;
  const LaurelDataSource *sources = laurel_data_sources (&n);

  for (guint i = 0; i < n; i++)
    add_source_row (self, _ (sources[i].title));
  add_source_row (self, _("Online Loop"));
}

static void
laurel_data_page_init (LaurelDataPage *self)
{
  g_autoptr (GtkSelectionModel) selection = NULL;

  g_type_ensure (LAUREL_TYPE_LABELERS_VIEW);
  g_type_ensure (LAUREL_TYPE_ONLINE_VIEW);
  self->rows = laurel_paged_list_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  laurel_accessible_make_one_stop (GTK_WIDGET (self->sources));
  selection =
      GTK_SELECTION_MODEL (gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->rows))));
  gtk_single_selection_set_autoselect (GTK_SINGLE_SELECTION (selection), FALSE);
  gtk_single_selection_set_can_unselect (GTK_SINGLE_SELECTION (selection), TRUE);
  gtk_column_view_set_model (self->view, selection);
  self->signals = g_signal_group_new (LAUREL_TYPE_PROJECT);
  g_signal_group_connect_swapped (self->signals, "tasks-changed", G_CALLBACK (queue_refresh), self);
  add_source_rows (self);
  gtk_list_box_select_row (self->sources, gtk_list_box_get_row_at_index (self->sources, 0));
}
