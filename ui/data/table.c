/* table.c: one row class and one factory behind all tables.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/data/table.h"

#include <adwaita.h>

struct _LaurelTextRow {
  GObject parent_instance;

  gint64 id;
  char **cells;
  guint n_cells;
  char *name;
  char **tips;
  guint n_tips;
};

G_DEFINE_FINAL_TYPE (LaurelTextRow, laurel_text_row, G_TYPE_OBJECT)

static void
laurel_text_row_finalize (GObject *object)
{
  LaurelTextRow *self = LAUREL_TEXT_ROW (object);

  g_strfreev (self->cells);
  g_strfreev (self->tips);
  g_free (self->name);
  G_OBJECT_CLASS (laurel_text_row_parent_class)->finalize (object);
}

static void
laurel_text_row_class_init (LaurelTextRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = laurel_text_row_finalize;
}

static void
laurel_text_row_init (LaurelTextRow *self)
{
}

LaurelTextRow *
laurel_text_row_new (gint64 id, char **cells)
{
  LaurelTextRow *self = g_object_new (LAUREL_TYPE_TEXT_ROW, NULL);

  self->id = id;
  self->cells = cells;
  self->n_cells = g_strv_length (cells);
  return self;
}

gint64
laurel_text_row_get_id (LaurelTextRow *self)
{
  g_return_val_if_fail (LAUREL_IS_TEXT_ROW (self), 0);
  return self->id;
}

const char *
laurel_text_row_get_cell (LaurelTextRow *self, guint column)
{
  g_return_val_if_fail (LAUREL_IS_TEXT_ROW (self), "");
  return column < self->n_cells ? self->cells[column] : "";
}

void
laurel_text_row_describe (LaurelTextRow *self, const char *name, char **tips)
{
  g_return_if_fail (LAUREL_IS_TEXT_ROW (self));

  g_free (self->name);
  self->name = g_strdup (name);
  g_strfreev (self->tips);
  self->tips = tips;
  self->n_tips = g_strv_length (tips);
}

/* In characters, by kind: where there is room, and at least. */
static const guint widths[] = { 40, 14, 18, 8, 24, 20, 9, 30 };
static const guint least_widths[] = { 16, 14, 12, 8, 24, 20, 9, 16 };

static LaurelColumnKind
get_kind (gpointer factory)
{
  return (LaurelColumnKind) GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (factory), "kind"));
}

static void
cell_setup (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  LaurelColumnKind kind = get_kind (factory);
  gboolean is_number = kind == LAUREL_COLUMN_NUMBER || kind == LAUREL_COLUMN_INTERVAL;
  GtkWidget *label = gtk_inscription_new (NULL);

  gtk_inscription_set_text_overflow (GTK_INSCRIPTION (label),
                                     kind == LAUREL_COLUMN_NAME
                                         ? GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_MIDDLE
                                         : GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_END);
  gtk_inscription_set_min_chars (GTK_INSCRIPTION (label), least_widths[kind]);
  gtk_inscription_set_nat_chars (GTK_INSCRIPTION (label), widths[kind]);
  gtk_inscription_set_xalign (GTK_INSCRIPTION (label), is_number ? 1 : 0);
  if (is_number)
    gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (item, label);
}

/* GTK gives the rows of a table no name. */
static void
name_row (GtkWidget *label, const char *name)
{
  GtkWidget *cell = gtk_widget_get_parent (label);
  GtkWidget *row = cell != NULL ? gtk_widget_get_parent (cell) : NULL;

  if (row != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

/* The cell's own words, or what may have been cut off. */
static const char *
get_tip (LaurelTextRow *row, guint column, LaurelColumnKind kind)
{
  const char *text = laurel_text_row_get_cell (row, column);

  if (column < row->n_tips && row->tips[column][0] != '\0')
    return row->tips[column];
  return g_utf8_strlen (text, -1) >= (glong) least_widths[kind] ? text : NULL;
}

static void
cell_bind (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  LaurelTextRow *row = gtk_list_item_get_item (item);
  GtkWidget *label = gtk_list_item_get_child (item);
  guint column = GPOINTER_TO_UINT (data);
  g_autofree char *line =
      g_strdelimit (g_strdup (laurel_text_row_get_cell (row, column)), "\n\r\t", ' ');

  gtk_inscription_set_text (GTK_INSCRIPTION (label), line);
  gtk_widget_set_tooltip_text (label, get_tip (row, column, get_kind (factory)));
  if (column == 0)
    name_row (label, row->name != NULL ? row->name : line);
}

static GtkWidget *
find_label (GtkWidget *widget)
{
  GtkWidget *found = GTK_IS_LABEL (widget) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_label (child);
  return found;
}

/* GTK has no properties for what is asked of a title, so it is sought behind the column's back. */
static GtkWidget *
find_last_title (GtkColumnView *view)
{
  GtkWidget *header = gtk_widget_get_first_child (GTK_WIDGET (view));

  return header != NULL ? gtk_widget_get_last_child (header) : NULL;
}

/* The title of a column of numbers stands over them. */
static void
align_last_title (GtkColumnView *view)
{
  GtkWidget *title = find_last_title (view);
  GtkWidget *label = title != NULL ? find_label (title) : NULL;

  if (label != NULL) {
    gtk_widget_set_hexpand (label, TRUE);
    gtk_label_set_xalign (GTK_LABEL (label), 1);
  }
}

void
laurel_table_add_column (GtkColumnView *view, const char *title, guint index, LaurelColumnKind kind)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) column = NULL;

  g_object_set_data (G_OBJECT (factory), "kind", GUINT_TO_POINTER (kind));
  g_signal_connect (factory, "setup", G_CALLBACK (cell_setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (cell_bind), GUINT_TO_POINTER (index));
  column = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_expand (column, kind == LAUREL_COLUMN_TEXT
                                                 || kind == LAUREL_COLUMN_TITLE
                                                 || kind == LAUREL_COLUMN_NAME
                                                 || kind == LAUREL_COLUMN_INTERVAL);
  gtk_column_view_column_set_resizable (column, TRUE);
  gtk_column_view_append_column (view, column);
  if (kind == LAUREL_COLUMN_NUMBER || kind == LAUREL_COLUMN_INTERVAL)
    align_last_title (view);
}

static GtkWidget *
make_view (const char *label, GListModel *rows)
{
  GtkSelectionModel *selection = GTK_SELECTION_MODEL (gtk_no_selection_new (g_object_ref (rows)));
  GtkWidget *view = gtk_column_view_new (selection);

  gtk_widget_add_css_class (view, "data-table");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  return view;
}

GtkWidget *
laurel_table_new (const char *label, const LaurelTableColumn *columns, GListModel *rows)
{
  GtkWidget *view = make_view (label, rows);
  GtkWidget *scrolled = gtk_scrolled_window_new ();

  for (guint i = 0; columns[i].title != NULL; i++) {
    GtkWidget *title;

    laurel_table_add_column (GTK_COLUMN_VIEW (view), columns[i].title, i, columns[i].kind);
    title = find_last_title (GTK_COLUMN_VIEW (view));
    if (title != NULL)
      gtk_widget_set_tooltip_text (title, columns[i].tip);
  }
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_AUTOMATIC,
                                  GTK_POLICY_NEVER);
  /* A bar that is seen: columns that are cut off at an edge look like all there are. */
  gtk_scrolled_window_set_overlay_scrolling (GTK_SCROLLED_WINDOW (scrolled), FALSE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), view);
  gtk_widget_add_css_class (scrolled, "card");
  gtk_widget_add_css_class (scrolled, "table-card");
  gtk_widget_set_overflow (scrolled, GTK_OVERFLOW_HIDDEN);
  return scrolled;
}

void
laurel_table_present (GtkWidget *parent, const char *title, const char *const *titles,
                      GListModel *rows)
{
  GtkWidget *window = adw_window_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  GtkWidget *view = make_view (title, rows);
  GtkRoot *root = gtk_widget_get_root (parent);

  gtk_window_set_title (GTK_WINDOW (window), title);
  gtk_window_set_default_size (GTK_WINDOW (window), 560, 480);
  if (GTK_IS_WINDOW (root))
    gtk_window_set_transient_for (GTK_WINDOW (window), GTK_WINDOW (root));
  for (guint i = 0; titles[i] != NULL; i++)
    laurel_table_add_column (GTK_COLUMN_VIEW (view), titles[i], i, LAUREL_COLUMN_NUMBER);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), view);
  gtk_widget_set_vexpand (scrolled, TRUE);
  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  gtk_box_append (GTK_BOX (box), scrolled);
  adw_window_set_content (ADW_WINDOW (window), box);
  gtk_window_present (GTK_WINDOW (window));
}
