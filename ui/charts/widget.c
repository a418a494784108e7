/* widget.c: title, note, menu and canvas of one chart.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/widget.h"

#include "ui/charts/export.h"
#include "ui/data/table.h"
#include "ui/page.h"
#include "ui/resources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _LaurelChartWidget {
  GtkWidget parent_instance;

  GtkBox *content;
  GtkLabel *title;
  GtkMenuButton *info;
  GtkLabel *how;
  GtkMenuButton *menu;
  LaurelChartCanvas *canvas;
  char *x_name;
};

G_DEFINE_FINAL_TYPE (LaurelChartWidget, laurel_chart_widget, GTK_TYPE_WIDGET)

enum {
  PICKED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
copy_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelChartWidget *self = LAUREL_CHART_WIDGET (widget);
  g_autofree char *csv = laurel_chart_to_csv (laurel_chart_canvas_get_chart (self->canvas),
                                              self->x_name,
                                              gtk_label_get_label (self->title));

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), csv);
  laurel_page_show_toast (widget, _("Chart data copied"));
}

static void
export_response_cb (GtkNativeDialog *dialog, int response, LaurelChartWidget *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = NULL;
  g_autofree char *path = NULL;
  g_autofree char *message = NULL;

  if (response == GTK_RESPONSE_ACCEPT) {
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
    path = g_file_get_path (file);
    if (laurel_chart_export (laurel_chart_canvas_get_chart (self->canvas),
                             gtk_label_get_label (self->title),
                             self->x_name, gtk_widget_get_pango_context (GTK_WIDGET (self)), path,
                             &error))
      message = g_strdup_printf (_("Saved as %s"), path);
    laurel_page_show_toast (GTK_WIDGET (self), message != NULL ? message : error->message);
  }
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooser *chooser, const char *name, const char *suffix)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

  gtk_file_filter_set_name (filter, name);
  gtk_file_filter_add_suffix (filter, suffix);
  gtk_file_chooser_add_filter (chooser, filter);
}

static void
export_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelChartWidget *self = LAUREL_CHART_WIDGET (widget);
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_("Export Chart"), GTK_WINDOW (root),
                                                              GTK_FILE_CHOOSER_ACTION_SAVE,
                                                              _("_Export"), NULL);
  g_autofree char *base = g_strdelimit (g_strdup (gtk_label_get_label (self->title)), "/ ", '-');
  g_autofree char *file = g_strconcat (base, ".png", NULL);

  add_filter (GTK_FILE_CHOOSER (dialog), _("Pictures (PNG)"), "png");
  add_filter (GTK_FILE_CHOOSER (dialog), _("Drawings (SVG)"), "svg");
  add_filter (GTK_FILE_CHOOSER (dialog), _("Tables (CSV)"), "csv");
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), file);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (export_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static gint
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Every x of any series, once, ascending. */
static GArray *
collect_x (const LaurelChart *chart)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (double));
  guint n = 0;

  for (gsize s = 0; s < chart->n_series; s++)
    for (guint i = 0; i < chart->series[s]->points->len; i++)
      g_array_append_val (all, g_array_index (chart->series[s]->points, LaurelPoint, i).x);
  g_array_sort (all, compare_doubles);
  for (guint i = 0; i < all->len; i++) {
    double x = g_array_index (all, double, i);

    if (n == 0 || g_array_index (all, double, n - 1) != x)
      g_array_index (all, double, n++) = x;
  }
  g_array_set_size (all, n);
  return all;
}

static GListModel *
make_rows (const LaurelChart *chart)
{
  GListStore *rows = g_list_store_new (LAUREL_TYPE_TEXT_ROW);
  g_autoptr (GArray) xs = collect_x (chart);

  for (guint i = 0; i < xs->len; i++) {
    double x = g_array_index (xs, double, i);
    char **cells = g_new0 (char *, chart->n_series + 2);

    cells[0] = g_strdup_printf ("%g", x);
    for (gsize s = 0; s < chart->n_series; s++) {
      const LaurelPoint *point = laurel_series_find (chart->series[s], x);

      cells[s + 1] = laurel_format_value (point != NULL && point->x == x ? point->y : NAN);
    }
    g_autoptr (LaurelTextRow) row = laurel_text_row_new (i, cells);
    g_list_store_append (rows, row);
  }
  return G_LIST_MODEL (rows);
}

static void
table_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  LaurelChartWidget *self = LAUREL_CHART_WIDGET (widget);
  const LaurelChart *chart = laurel_chart_canvas_get_chart (self->canvas);
  g_autoptr (GListModel) rows = make_rows (chart);
  g_autofree const char **titles = g_new0 (const char *, chart->n_series + 2);

  titles[0] = self->x_name;
  for (gsize s = 0; s < chart->n_series; s++)
    titles[s + 1] = chart->series[s]->name;
  laurel_table_present (widget, gtk_label_get_label (self->title), titles, rows);
}

static void
picked_cb (LaurelChartWidget *self, double x)
{
  g_signal_emit (self, signals[PICKED], 0, x);
}

static void
right_click_cb (LaurelChartWidget *self)
{
  gtk_menu_button_popup (self->menu);
}

static void
laurel_chart_widget_dispose (GObject *object)
{
  LaurelChartWidget *self = LAUREL_CHART_WIDGET (object);

  gtk_widget_dispose_template (GTK_WIDGET (self), LAUREL_TYPE_CHART_WIDGET);
  g_clear_pointer (&self->x_name, g_free);
  G_OBJECT_CLASS (laurel_chart_widget_parent_class)->dispose (object);
}

static void
laurel_chart_widget_class_init (LaurelChartWidgetClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = laurel_chart_widget_dispose;
  g_type_ensure (LAUREL_TYPE_CHART_CANVAS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               LAUREL_RESOURCE_PATH "/ui/runs_chart.ui");
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, content);
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, title);
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, info);
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, how);
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, menu);
  gtk_widget_class_bind_template_child (widget_class, LaurelChartWidget, canvas);
  gtk_widget_class_bind_template_callback (widget_class, picked_cb);
  gtk_widget_class_bind_template_callback (widget_class, right_click_cb);
  gtk_widget_class_install_action (widget_class, "chart.copy", NULL, copy_action);
  gtk_widget_class_install_action (widget_class, "chart.export", NULL, export_action);
  gtk_widget_class_install_action (widget_class, "chart.table", NULL, table_action);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "chart");
  signals[PICKED] = g_signal_new ("picked", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_DOUBLE);
}

static void
laurel_chart_widget_init (LaurelChartWidget *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->x_name = g_strdup (_("step"));
}

GtkWidget *
laurel_chart_widget_new (void)
{
  return g_object_new (LAUREL_TYPE_CHART_WIDGET, NULL);
}

void
laurel_chart_widget_set_title (LaurelChartWidget *self, const char *title, const char *how)
{
  g_return_if_fail (LAUREL_IS_CHART_WIDGET (self));

  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->how, how != NULL ? how : "");
  gtk_widget_set_visible (GTK_WIDGET (self->info), how != NULL);
  laurel_chart_canvas_set_title (self->canvas, title);
}

void
laurel_chart_widget_set_x_name (LaurelChartWidget *self, const char *x_name)
{
  g_return_if_fail (LAUREL_IS_CHART_WIDGET (self));

  g_free (self->x_name);
  self->x_name = g_strdup (x_name);
}

LaurelChartCanvas *
laurel_chart_widget_get_canvas (LaurelChartWidget *self)
{
  g_return_val_if_fail (LAUREL_IS_CHART_WIDGET (self), NULL);
  return self->canvas;
}
