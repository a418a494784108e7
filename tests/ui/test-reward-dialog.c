/* test-reward-dialog.c: a reward model's evaluation as the window shows it, and its drawings.
 *
 * With LAUREL_SCREENSHOTS=FOLDER the dialog is also saved there as pictures, of the project
 * LAUREL_SCREENSHOT_PROJECT and its model LAUREL_SCREENSHOT_MODEL where these are set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/project/fixture.h"
#include "tests/ui/look.h"
#include "ui/charts/figure.h"
#include "ui/models/reward_dialog.h"
#include "ui/resources.h"

#include <adwaita.h>
#include <math.h>

#define N_RANKINGS 40

/* (transfer full) (nullable): what is drawn by now. */
static GskRenderNode *
draw (GtkWidget *window)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, snapshot, gtk_widget_get_width (window),
                          gtk_widget_get_height (window));
  return gtk_snapshot_free_to_node (snapshot);
}

static void
take_picture (GtkWidget *window, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("LAUREL_SCREENSHOTS"), file, NULL);
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GdkTexture) texture = NULL;

  look_spin (400);
  while ((node = draw (window)) == NULL)
    look_spin (100);
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (gtk_widget_get_native (window)),
                                         node, NULL);
  g_assert_true (gdk_texture_save_to_png (texture, path));
}

/* Two labelers rank, and agree but on every fifth. */
static void
import_rankings (Fixture *fixture, LaurelProject *project)
{
  g_autofree char *path = fixture_path (fixture, "rankings.jsonl");
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (LaurelImportResult) result = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 2 * N_RANKINGS; i++) {
    int task = i / 2;
    gboolean swapped = i % 2 == 1 && task % 5 == 0;

    g_string_append_printf (rows,
                            "{\"prompt\": \"%d: colour of snow?\", \"completions\": [\"It is "
                            "white.\", \"It is red, number %d.\", \"black black black\"], "
                            "\"ranks\": [%d, 2, %d], \"quality\": [6, 4, 2], "
                            "\"labeler\": \"%s\"}\n",
                            task, task, swapped ? 3 : 1, swapped ? 1 : 3,
                            i % 2 == 0 ? "Ada" : "Ben");
  }
  fixture_write (path, rows->str);
  result = laurel_project_import_rankings (project, path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result->n_imported, ==, 2 * N_RANKINGS);
}

static LaurelProject *
make_project (Fixture *fixture)
{
  LaurelProject *project = fixture_make_project (fixture, "p.laurel");
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_REWARD, "blank", "rm");
  g_autoptr (GError) error = NULL;
  gint64 run;

  import_rankings (fixture, project);
  request.hyperparameters.eval_split = 0.5;
  request.hyperparameters.response_length = 8;
  run = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_project_wait (project, run, &error));
  g_assert_no_error (error);
  return project;
}

static GtkWidget *
present (GtkWidget **window, LaurelProject *project, const char *model)
{
  g_autoptr (GList) windows = NULL;

  *window = adw_window_new ();
  gtk_window_present (GTK_WINDOW (*window));
  laurel_reward_dialog_present (GTK_WINDOW (*window), project, model);
  windows = gtk_window_list_toplevels ();
  for (GList *l = windows; l != NULL; l = l->next)
    if (gtk_window_get_transient_for (l->data) == GTK_WINDOW (*window))
      return l->data;
  g_assert_not_reached ();
}

static void
wait_for (GtkStack *states, const char *name)
{
  for (int i = 0; i < 600 && !g_str_equal (gtk_stack_get_visible_child_name (states), name); i++)
    look_spin (50);
  g_assert_cmpstr (gtk_stack_get_visible_child_name (states), ==, name);
}

static void
take_pictures (LaurelProject *project, const char *model)
{
  static const int sizes[][2] = { { 820, 680 }, { 400, 700 }, { 1500, 1500 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int dark = 0; dark < 2; dark++) {
      g_autofree char *name =
          g_strdup_printf ("reward-dialog-%d-%s", sizes[i][0], dark ? "dark" : "light");
      GtkWidget *window, *dialog;

      adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                          dark ? ADW_COLOR_SCHEME_FORCE_DARK
                                               : ADW_COLOR_SCHEME_FORCE_LIGHT);
      dialog = present (&window, project, model);
      gtk_window_set_default_size (GTK_WINDOW (dialog), sizes[i][0], sizes[i][1]);
      wait_for (GTK_STACK (look_for (dialog, GTK_TYPE_STACK)), "figures");
      take_picture (dialog, name);
      gtk_window_destroy (GTK_WINDOW (window));
    }
}

static void
test_figures (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = make_project (fixture);
  GtkWidget *window, *dialog;

  dialog = present (&window, project, "rm");
  wait_for (GTK_STACK (look_for (dialog, GTK_TYPE_STACK)), "figures");
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_FIGURE), ==, 3);
  /* Agreement, ceiling, error, slope, two correlations, what was measured and what was not. */
  g_assert_cmpint (look_count (dialog, ADW_TYPE_ACTION_ROW), ==, 8);
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  if (g_getenv ("LAUREL_SCREENSHOTS") != NULL && g_getenv ("LAUREL_SCREENSHOT_PROJECT") == NULL)
    take_pictures (project, "rm");
  laurel_project_close (project);
}

static void
test_pictures (Fixture *fixture, gconstpointer unused)
{
  const char *path = g_getenv ("LAUREL_SCREENSHOT_PROJECT");
  g_autoptr (LaurelProject) project = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL || g_getenv ("LAUREL_SCREENSHOT_MODEL") == NULL) {
    g_test_skip ("no project to take pictures of");
    return;
  }
  project = laurel_project_open (path, &error);
  g_assert_no_error (error);
  take_pictures (project, g_getenv ("LAUREL_SCREENSHOT_MODEL"));
  laurel_project_close (project);
}

/* What goes wrong is said in the dialog, and closing it early does no harm. */
static void
test_failure (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  GtkWidget *window, *dialog;

  dialog = present (&window, project, "blank");
  wait_for (GTK_STACK (look_for (dialog, GTK_TYPE_STACK)), "failed");
  gtk_window_destroy (GTK_WINDOW (window));
  dialog = present (&window, project, "blank");
  gtk_window_close (GTK_WINDOW (dialog));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (300);
  laurel_project_close (project);
}

/* --- Which mark is under the pointer -------------------------------------------------- */

static void
test_find (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelPlot) points = laurel_plot_new (LAUREL_PLOT_POINTS, "x", "y");
  g_autoptr (LaurelPlot) bars = laurel_plot_new (LAUREL_PLOT_BARS, "x", "y");
  GtkWidget *label = g_object_ref_sink (gtk_label_new (""));
  PangoContext *context = gtk_widget_get_pango_context (label);
  graphene_size_t size = GRAPHENE_SIZE_INIT (400, 300);
  int n_points = 0, n_bars = 0;

  bars->bar_width = .5;
  for (int i = 0; i < 2; i++) {
    LaurelPlotPoint point = { .25 + .5 * i, .5, NAN, NAN };
    LaurelPlotPoint bar = { .5 * i, 1, NAN, NAN };

    g_array_append_val (points->points, point);
    g_array_append_val (bars->points, bar);
  }
  for (int x = 0; x < 400; x++) {
    int point = laurel_plot_find (points, context, size, x, 150);
    int bar = laurel_plot_find (bars, context, size, x, 150);

    n_points += point >= 0;
    n_bars += bar >= 0;
    g_assert_cmpint (point, <, 2);
    if (point >= 0) /* a dot stands in the middle of its bar */
      g_assert_cmpint (bar, ==, point);
  }
  g_assert_cmpint (n_points, >=, 40); /* 12 pixels to each side of two dots */
  g_assert_cmpint (n_points, <=, 50);
  g_assert_cmpint (n_bars, >, 300); /* the whole plot */
  g_object_unref (label);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main (int argc, char **argv)
{
  g_autoptr (GtkCssProvider) css = NULL;

  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  laurel_ui_register_resources ();
  css = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (css, LAUREL_RESOURCE_PATH "/style.css");
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (css),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  add ("/ui/reward-dialog/figures", test_figures);
  add ("/ui/reward-dialog/failure", test_failure);
  add ("/ui/reward-dialog/pictures", test_pictures);
  add ("/ui/reward-dialog/find", test_find);
  return g_test_run ();
}
