/* test-pages.c: Runs, Inspect, Models and Data on a project of made-up rows.
 *
 * With LAUREL_SCREENSHOTS=FOLDER every page is also saved as a picture there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/charts/canvas.h"
#include "ui/charts/widget.h"
#include "ui/data/data_page.h"
#include "ui/data/paged_list.h"
#include "ui/inspect/inspect_page.h"
#include "ui/launch/launch_dialog.h"
#include "ui/launch/setting_row.h"
#include "ui/models/models_page.h"
#include "ui/page.h"
#include "ui/resources.h"
#include "ui/runs/run_alarms.h"
#include "ui/runs/runs_page.h"

static void
take_picture (GtkWidget *window, const char *name)
{
  const char *folder = g_getenv ("LAUREL_SCREENSHOTS");
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  g_autofree char *path = NULL;

  look_spin (folder != NULL ? 400 : 50);
  if (folder == NULL)
    return;
  path = g_build_filename (folder, file, NULL);
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  int width = gtk_widget_get_width (window), height = gtk_widget_get_height (window);
  gdk_paintable_snapshot (paintable, snapshot, width, height);
  g_autoptr (GskRenderNode) node = gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
  GskRenderer *renderer = gtk_native_get_renderer (gtk_widget_get_native (window));
  g_autoptr (GdkTexture) texture =
      gsk_renderer_render_texture (renderer, node, &GRAPHENE_RECT_INIT (0, 0, width, height));

  g_assert_true (gdk_texture_save_to_png (texture, path));
}

static GtkWidget *
present (GType type, LaurelProject *project, int width, int height)
{
  GtkWidget *window = adw_window_new ();
  GtkWidget *page = g_object_new (type, "project", project, NULL);

  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  adw_window_set_content (ADW_WINDOW (window), page);
  gtk_window_present (GTK_WINDOW (window));
  look_spin (100);
  return window;
}

static void
visit (GType type, const char *name)
{
  static const struct {
    int width, height;
  } sizes[] = { { 1000, 700 }, { 1600, 1000 } };
  LaurelProject *project = sample_project_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int dark = 0; dark < 2; dark++) {
      g_autofree char *picture =
          g_strdup_printf ("%s-%d-%s", name, sizes[i].width, dark ? "dark" : "light");
      GtkWidget *window;

      adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                          dark ? ADW_COLOR_SCHEME_FORCE_DARK
                                               : ADW_COLOR_SCHEME_FORCE_LIGHT);
      window = present (type, project, sizes[i].width, sizes[i].height);
      take_picture (window, picture);
      gtk_window_destroy (GTK_WINDOW (window));
    }
  look_spin (50);
  sample_project_free (project);
}

static void
test_runs_page (void)
{
  visit (LAUREL_TYPE_RUNS_PAGE, "runs");
}

static void
test_inspect_page (void)
{
  visit (LAUREL_TYPE_INSPECT_PAGE, "inspect");
}

static void
test_models_page (void)
{
  visit (LAUREL_TYPE_MODELS_PAGE, "models");
}

static void
test_data_page (void)
{
  LaurelProject *project;
  GtkWidget *window, *list;

  visit (LAUREL_TYPE_DATA_PAGE, "data");
  project = sample_project_new ();
  window = present (LAUREL_TYPE_DATA_PAGE, project, 1000, 700);
  list = look_for (window, GTK_TYPE_LIST_BOX);
  for (int i = 0; i < 5; i++) {
    g_autofree char *picture = g_strdup_printf ("data-%d", i);
    GtkWidget *view = look_for (window, GTK_TYPE_COLUMN_VIEW);
    static const guint counts[] = { 5, 5, 3, 0, 3 }; /* of sample_project.c; labelers
                                                         * have a view of their own */

    gtk_list_box_select_row (GTK_LIST_BOX (list),
                             gtk_list_box_get_row_at_index (GTK_LIST_BOX (list), i));
    take_picture (window, picture);
    g_assert_cmpuint (g_list_model_get_n_items (
                          G_LIST_MODEL (gtk_column_view_get_model (GTK_COLUMN_VIEW (view)))),
                      ==, counts[i]);
  }
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static int n_fetches;

static GPtrArray *
fetch_numbers (gpointer user_data, int limit, int offset)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (g_object_unref);

  n_fetches++;
  for (int i = offset; i < offset + limit; i++) {
    char **cells = g_new0 (char *, 2);

    cells[0] = g_strdup_printf ("%d", i);
    g_ptr_array_add (rows, laurel_text_row_new (i, cells));
  }
  return rows;
}

static void
test_paged_list (void)
{
  g_autoptr (LaurelPagedList) list = laurel_paged_list_new ();
  static const guint asked[] = { 0, 99999, 50000, 1, 50001 };

  laurel_paged_list_reset (list, 100000, fetch_numbers, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, 100000);
  g_assert_cmpint (n_fetches, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_autoptr (LaurelTextRow) row = g_list_model_get_item (G_LIST_MODEL (list), asked[i]);

    g_assert_cmpint (laurel_text_row_get_id (row), ==, asked[i]);
  }
  g_assert_cmpint (n_fetches, ==, 3); /* three pages, whatever was asked of them */
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (list), 100000));
}

static void
check_overlays (GtkWidget *widget)
{
  if (GTK_IS_CHECK_BUTTON (widget))
    gtk_check_button_set_active (GTK_CHECK_BUTTON (widget), TRUE);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    check_overlays (child);
}

static void
test_runs_overlay (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  GtkWidget *canvas;

  check_overlays (window);
  look_spin (50);
  canvas = look_for (window, LAUREL_TYPE_CHART_CANVAS);
  g_assert_nonnull (canvas);
  /* Three PPO runs have metrics. */
  g_assert_cmpuint (laurel_chart_canvas_get_chart (LAUREL_CHART_CANVAS (canvas))->n_series, ==, 3);
  take_picture (window, "runs-overlay");
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static GtkWidget *
find_stack_child (GtkWidget *page, const char *name)
{
  GtkWidget *found = NULL;

  if (GTK_IS_STACK (page))
    found = gtk_stack_get_child_by_name (GTK_STACK (page), name);
  for (GtkWidget *child = gtk_widget_get_first_child (page); found == NULL && child != NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_stack_child (child, name);
  return found;
}

static void
test_runs_tabs (void)
{
  static const char *const tabs[] = { "samples", "configuration", "log", "products" };
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);

  for (guint i = 0; i < G_N_ELEMENTS (tabs); i++) {
    GtkWidget *child = find_stack_child (window, tabs[i]);
    g_autofree char *picture = g_strconcat ("runs-", tabs[i], NULL);

    g_assert_nonnull (child);
    gtk_stack_set_visible_child (GTK_STACK (gtk_widget_get_parent (child)), child);
    take_picture (window, picture);
  }
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static void
test_runs_run_id (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  GtkWidget *page = look_for (window, LAUREL_TYPE_RUNS_PAGE);
  gint64 id;

  g_object_get (page, "run-id", &id, NULL);
  g_assert_cmpint (id, >, 0);
  g_object_set (page, "run-id", (gint64) 1, NULL);
  g_object_get (page, "run-id", &id, NULL);
  g_assert_cmpint (id, ==, 1);
  g_object_set (page, "project", NULL, NULL);
  g_object_get (page, "run-id", &id, NULL);
  g_assert_cmpint (id, ==, 0);
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static gint64
find_last_run (LaurelProject *project)
{
  g_autoptr (GPtrArray) runs =
      laurel_store_list_runs (laurel_project_get_store (project), NULL);

  return ((const LaurelRun *) runs->pdata[0])->id;
}

static gboolean
has_text (GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL (widget) && gtk_widget_get_mapped (widget)
      && strstr (gtk_label_get_text (GTK_LABEL (widget)), text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (has_text (child, text))
      return TRUE;
  return FALSE;
}

/* The starter's own run comes as one more line, and goes again. */
static void
test_runs_reference (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  GtkWidget *page = look_for (window, LAUREL_TYPE_RUNS_PAGE);
  LaurelChartCanvas *canvas = LAUREL_CHART_CANVAS (look_for (window, LAUREL_TYPE_CHART_CANVAS));
  const LaurelChart *chart = laurel_chart_canvas_get_chart (canvas);

  g_assert_cmpuint (chart->n_series, ==, 1);
  g_assert_true (gtk_widget_activate_action (page, "runs.reference", NULL));
  g_assert_cmpuint (chart->n_series, ==, 2);
  g_assert_cmpuint (chart->series[1]->points->len, ==, 30); /* objective/scores of its iterations */
  take_picture (window, "runs-reference");
  g_assert_true (gtk_widget_activate_action (page, "runs.reference", NULL));
  g_assert_cmpuint (chart->n_series, ==, 1);
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

/* Several are named in one line. */
static void
test_runs_alarms_in_a_line (void)
{
  LaurelHyperparameters hp;
  g_autoptr (LaurelAlarms) alarms = NULL;
  g_autofree char *none = NULL, *one = NULL, *two = NULL;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  alarms = laurel_alarms_new (&hp);
  none = laurel_run_summarize_alarms (alarms);
  g_assert_null (none);
  laurel_alarms_feed (alarms, 3, "policy/clipfrac_avg", .41);
  one = laurel_run_summarize_alarms (alarms);
  g_assert_cmpstr (one, ==, "Clipped ratios: 0.410, above 0.3 since step 3");
  laurel_alarms_feed (alarms, 3, "policy/approxkl_avg", .5);
  two = laurel_run_summarize_alarms (alarms);
  g_assert_cmpstr (two, ==, "2 alarms: Step size, Clipped ratios");
}

/* A lit light is named above the charts and explained in its row; others are calm. */
static void
test_runs_alarms (void)
{
  LaurelProject *project = sample_project_new ();
  LaurelStore *store = laurel_project_get_store (project);
  gint64 run = find_last_run (project);
  GtkWidget *window, *tab;

  laurel_store_add_metric (store, run, SAMPLE_N_STEPS + 1, "policy/clipfrac_avg", .41, NULL);
  laurel_store_add_metric (store, run, SAMPLE_N_STEPS + 1, "policy/approxkl_avg", .01, NULL);
  window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  for (int i = 0; i < LOOK_PATIENCE && !has_text (window, "Clipped ratios: 0.410"); i++)
    look_spin (50);
  g_assert_true (has_text (window, "Clipped ratios: 0.410, above 0.3 since step 41"));
  g_assert_false (has_text (window, "Step size:"));
  tab = find_stack_child (window, "alarms");
  gtk_stack_set_visible_child (GTK_STACK (gtk_widget_get_parent (tab)), tab);
  look_spin (50);
  g_assert_true (has_text (tab, "0.01")); /* the step size, which is fine */
  g_assert_true (has_text (tab, "Lower the learning rate"));
  g_assert_true (has_text (tab, "Needs a gold judge"));
  take_picture (window, "runs-alarms");
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static int
count_children (GtkWidget *widget, GType type)
{
  int n = G_TYPE_CHECK_INSTANCE_TYPE (widget, type);

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    n += count_children (child, type);
  return n;
}

/* The seeds of a run are lines of one chart, not charts of their own. */
static void
test_runs_seeds (void)
{
  LaurelProject *project = sample_project_new ();
  LaurelStore *store = laurel_project_get_store (project);
  GtkWidget *window, *page;

  for (int step = 1; step <= 10; step++) {
    laurel_store_add_metric (store, 2, step, "seed-1/loss", 1.0 / step, NULL);
    laurel_store_add_metric (store, 2, 10 + step, "seed-2/loss", .9 / step, NULL);
  }
  laurel_store_add_metric (store, 2, 10, "seeds/accuracy", .64, NULL);
  laurel_store_add_metric (store, 2, 20, "seeds/accuracy", .71, NULL);
  window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  page = look_for (window, LAUREL_TYPE_RUNS_PAGE);
  g_object_set (page, "run-id", (gint64) 2, NULL);
  look_spin (100);
  g_assert_cmpint (count_children (find_stack_child (window, "charts"), LAUREL_TYPE_CHART_WIDGET),
                   ==, 2);
  take_picture (window, "runs-seeds");
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static GtkWidget *
find_dialog (GtkWidget *parent)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *l = windows; l != NULL; l = l->next)
    if (gtk_window_get_transient_for (l->data) == GTK_WINDOW (parent))
      return l->data;
  return NULL;
}

static void
test_launch_dialogs (void)
{
  static const char *const names[] = { "launch-pretrain", "launch-sft", "launch-reward",
                                       "launch-ppo", "launch-sample" };
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GtkWidget *dialog;

    if (i < LAUREL_N_STAGES)
      laurel_launch_dialog_present (GTK_WINDOW (window), project, i);
    else
      laurel_sample_dialog_present (GTK_WINDOW (window), project);
    look_spin (100);
    dialog = find_dialog (window);
    g_assert_nonnull (dialog);
    take_picture (dialog, names[i]);
    gtk_window_destroy (GTK_WINDOW (dialog));
  }
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

/* The preference row of @type with @title, or the setting row of that key. */
static GtkWidget *
find_row (GtkWidget *widget, const char *title)
{
  if (LAUREL_IS_SETTING_ROW (widget)
      && g_str_equal (laurel_setting_row_get_setting (LAUREL_SETTING_ROW (widget))->key, title))
    return widget;
  if (ADW_IS_COMBO_ROW (widget)
      && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title) == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_row (child, title);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static double
read_row (GtkWidget *dialog, const char *key)
{
  GtkWidget *row = find_row (dialog, key);
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  g_assert_true (laurel_setting_row_apply (LAUREL_SETTING_ROW (row), &hp, NULL));
  return laurel_hyperparameters_get (&hp, laurel_setting_find (key));
}

/* A preset fills the rows, and the defaults come back whole. */
static void
test_launch_preset (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_RUNS_PAGE, project, 1000, 700);
  GtkWidget *dialog;
  AdwComboRow *preset;

  laurel_launch_dialog_present (GTK_WINDOW (window), project, LAUREL_STAGE_PPO);
  look_spin (100);
  dialog = find_dialog (window);
  preset = ADW_COMBO_ROW (find_row (dialog, "Preset"));
  g_assert_cmpfloat (read_row (dialog, "target_kl"), ==, 0);
  adw_combo_row_set_selected (preset, 2);
  g_assert_cmpfloat (read_row (dialog, "target_kl"), ==, 6);
  g_assert_cmpfloat (read_row (dialog, "vf_share_layers"), ==, 1);
  take_picture (dialog, "launch-preset");
  adw_combo_row_set_selected (preset, 0);
  g_assert_cmpfloat (read_row (dialog, "target_kl"), ==, 0);
  g_assert_cmpfloat (read_row (dialog, "vf_share_layers"), ==, 0);
  gtk_window_destroy (GTK_WINDOW (dialog));
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

static void
test_inspect_table (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = present (LAUREL_TYPE_INSPECT_PAGE, project, 1000, 700);
  GtkWidget *table = find_stack_child (window, "table");
  GtkWidget *view = look_for (table, GTK_TYPE_COLUMN_VIEW);
  GtkSelectionModel *model = gtk_column_view_get_model (GTK_COLUMN_VIEW (view));

  gtk_stack_set_visible_child (GTK_STACK (gtk_widget_get_parent (table)), table);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (model)), >=, 24);
  gtk_single_selection_set_selected (GTK_SINGLE_SELECTION (model), 4);
  look_spin (50);
  take_picture (window, "inspect-table");
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  laurel_ui_register_resources ();
  g_autoptr (GtkCssProvider) css = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (css, LAUREL_RESOURCE_PATH "/style.css");
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (css),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_test_add_func ("/ui/pages/runs", test_runs_page);
  g_test_add_func ("/ui/pages/runs/tabs", test_runs_tabs);
  g_test_add_func ("/ui/pages/runs/alarms", test_runs_alarms);
  g_test_add_func ("/ui/pages/runs/alarms-in-a-line", test_runs_alarms_in_a_line);
  g_test_add_func ("/ui/pages/runs/seeds", test_runs_seeds);
  g_test_add_func ("/ui/pages/runs/reference", test_runs_reference);
  g_test_add_func ("/ui/pages/runs/run-id", test_runs_run_id);
  g_test_add_func ("/ui/pages/runs/overlay", test_runs_overlay);
  g_test_add_func ("/ui/pages/inspect", test_inspect_page);
  g_test_add_func ("/ui/pages/inspect/table", test_inspect_table);
  g_test_add_func ("/ui/pages/launch", test_launch_dialogs);
  g_test_add_func ("/ui/pages/launch/preset", test_launch_preset);
  g_test_add_func ("/ui/pages/models", test_models_page);
  g_test_add_func ("/ui/pages/data", test_data_page);
  g_test_add_func ("/ui/data/paged-list", test_paged_list);
  return g_test_run ();
}
