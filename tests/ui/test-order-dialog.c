/* test-order-dialog.c: the order of the queue, and whose rankings the Data page lists.
 *
 * With LAUREL_SCREENSHOTS=FOLDER both are also saved there as pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/data/data_page.h"
#include "ui/data/order_dialog.h"

static void
test_order (void)
{
  LaurelProject *project = sample_project_new ();
  LaurelStore *store = laurel_project_get_store (project);
  GtkWidget *window = look_make_window (), *dialog;
  g_autoptr (GArray) before = NULL;
  g_autoptr (GArray) after = NULL;
  gboolean differs = FALSE;

  for (int i = 0; i < 12; i++)
    look_add_open_task (project);
  before = laurel_store_list_task_ids (store, 0, FALSE, NULL);
  laurel_order_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  g_object_add_weak_pointer (G_OBJECT (dialog), (gpointer *) &dialog);
  look_take_pictures (dialog, "order");
  g_assert_cmpint (look_count (dialog, GTK_TYPE_CHECK_BUTTON), ==, 1); /* r-7 */
  gtk_widget_activate_action (dialog, "order.start", NULL);
  for (int i = 0; i < LOOK_PATIENCE && dialog != NULL; i++)
    look_spin (50);
  g_assert_null (dialog); /* it closes when it is done */
  after = laurel_store_list_task_ids (store, 0, FALSE, NULL);
  g_assert_cmpuint (before->len, ==, after->len);
  for (guint i = 0; i < before->len; i++)
    differs |= g_array_index (before, gint64, i) != g_array_index (after, gint64, i);
  g_assert_true (differs);
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static void
test_data_page (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = look_make_window ();
  GtkWidget *page = g_object_new (LAUREL_TYPE_DATA_PAGE, "project", project, NULL);
  GtkWidget *labelers;
  static const char *const counts[] = { "67 rows", "51 rows", "16 rows" };

  look_add_rankings (project);
  adw_window_set_content (ADW_WINDOW (window), page);
  gtk_widget_activate_action (page, "data.show", "s", "rankings");
  look_spin (100);
  labelers = look_for (page, GTK_TYPE_DROP_DOWN);
  g_assert_true (gtk_widget_get_visible (labelers));
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    gtk_drop_down_set_selected (GTK_DROP_DOWN (labelers), i);
    look_spin (50);
    g_assert_true (look_shows (page, counts[i]));
  }
  gtk_drop_down_set_selected (GTK_DROP_DOWN (labelers), 0);
  look_take_pictures (window, "data-rankings-1000");
  gtk_widget_activate_action (page, "data.show", "s", "tasks");
  look_spin (100);
  g_assert_false (gtk_widget_get_visible (labelers));
  look_take_pictures (window, "data-tasks-1000");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  look_init ();
  g_test_add_func ("/ui/order/random", test_order);
  g_test_add_func ("/ui/data/labelers", test_data_page);
  return g_test_run ();
}
