/* test-chart-draw.c: charts against golden render nodes, with no display.
 *
 * The nodes in tests/golden are compared as text. With LAUREL_UPDATE_GOLDEN=1
 * they are written anew, with pictures in the build's folder to look at first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/chart.h"
#include "ui/charts/export.h"
#include "ui/charts/interval_plot.h"
#include "ui/charts/plot.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>

/* GTK defines none for a context. */
typedef PangoContext Context;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Context, g_object_unref)

#define WIDTH 360
#define HEIGHT 220

static PangoContext *
make_context (void)
{
  /* A font map of our own: fixed font, no hinting, so that no desktop setting gets in. */
  PangoContext *context = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  g_autoptr (PangoFontDescription) font = pango_font_description_from_string ("DejaVu Sans 10");
  cairo_font_options_t *options = cairo_font_options_create ();

  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);
  pango_context_set_font_description (context, font);
  return context;
}

static LaurelSeries *
make_series (const char *name, guint colour, double slope)
{
  LaurelSeries *series = laurel_series_new (name, colour);

  for (int i = 1; i <= 60; i++)
    laurel_series_append (series, i, i == 31 ? NAN : slope * sqrt (i) + .4 * sin (i * 1.7));
  return series;
}

/* What the failing node looks like, in the build's folder. */
static void
write_picture (GskRenderNode *node, const char *name, gboolean is_dark)
{
  g_autofree char *file = g_strconcat ("golden-", name, ".out.png", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, file, NULL);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cairo_t *cr = cairo_create (surface);

  cairo_set_source_rgb (cr, is_dark ? .12 : 1, is_dark ? .12 : 1, is_dark ? .12 : 1);
  cairo_paint (cr);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  cairo_surface_write_to_png (surface, path);
  cairo_surface_destroy (surface);
}

static void
assert_golden (GskRenderNode *node, const char *name, gboolean is_dark)
{
  g_autofree char *file = g_strconcat (name, ".node", NULL);
  g_autofree char *out_file = g_strconcat ("golden-", name, ".out.node", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", file, NULL);
  g_autofree char *out_path = g_test_build_filename (G_TEST_BUILT, out_file, NULL);
  g_autoptr (GBytes) found = gsk_render_node_serialize (node);
  const char *text = g_bytes_get_data (found, NULL);
  gsize size = g_bytes_get_size (found), length;
  g_autofree char *expected = NULL;
  g_autoptr (GError) error = NULL;

  if (g_getenv ("LAUREL_UPDATE_GOLDEN") != NULL) {
    write_picture (node, name, is_dark);
    g_assert_true (g_file_set_contents (path, text, (gssize) size, NULL));
  }
  g_file_get_contents (path, &expected, &length, &error);
  g_assert_no_error (error);
  if (length != size || memcmp (expected, text, size) != 0) {
    write_picture (node, name, is_dark);
    g_assert_true (g_file_set_contents (out_path, text, (gssize) size, NULL));
    g_test_message ("%s is not as it was: compare %s with %s", name, out_path, path);
    g_test_fail ();
  }
}

static GskRenderNode *
draw (const LaurelChart *chart, const LaurelPalette *palette, double cursor_x)
{
  g_autoptr (Context) context = make_context ();
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  graphene_size_t size = GRAPHENE_SIZE_INIT (WIDTH, HEIGHT);

  laurel_chart_draw (snapshot, chart, palette, context, size);
  laurel_chart_draw_cursor (snapshot, chart, palette, context, size, cursor_x);
  return gtk_snapshot_to_node (snapshot);
}

typedef struct {
  const char *name;
  gboolean dark, high_contrast, log_y;
  guint n_series;
  double smoothing, reference, cursor_x;
  LaurelScaleKind x_kind;
  gboolean is_banded; /* a band, and the last series as dots */
} Case;

static const Case cases[] = {
  { "chart-plain", FALSE, FALSE, FALSE, 1, 0, NAN, NAN, LAUREL_SCALE_INTEGER },
  { "chart-overlay", FALSE, FALSE, FALSE, 3, .8, 1, 42, LAUREL_SCALE_INTEGER },
  { "chart-dark", TRUE, FALSE, FALSE, 2, .6, 1, NAN, LAUREL_SCALE_TIME },
  { "chart-contrast", FALSE, TRUE, FALSE, 2, .6, 1, 20, LAUREL_SCALE_INTEGER },
  { "chart-log", FALSE, FALSE, TRUE, 1, .5, NAN, NAN, LAUREL_SCALE_INTEGER },
  { "chart-band", FALSE, FALSE, FALSE, 2, .5, NAN, NAN, LAUREL_SCALE_INTEGER, TRUE },
  { "chart-empty", FALSE, FALSE, FALSE, 0, 0, NAN, NAN, LAUREL_SCALE_INTEGER },
};

static void
test_chart_golden (gconstpointer data)
{
  const Case *test = data;
  const char *names[] = { "polite-2", "polite-1",
                          "a run with a name so long that no legend has room for it" };
  LaurelSeries *series[3] = { NULL };
  LaurelChart chart = { .series = series,
                        .n_series = test->n_series,
                        .smoothing = test->smoothing,
                        .log_y = test->log_y,
                        .x_kind = test->x_kind,
                        .reference = test->reference,
                        .legend = test->n_series > 1,
                        .min_x = NAN,
                        .max_x = NAN };

  for (guint i = 0; i < test->n_series; i++)
    series[i] = make_series (names[i], i, .5 - .3 * i);
  if (test->is_banded) {
    chart.band_low = 1;
    chart.band_high = 2;
    series[test->n_series - 1]->is_dots = TRUE;
  }
  g_autoptr (GskRenderNode) node =
      draw (&chart, laurel_palette_get (test->dark, test->high_contrast), test->cursor_x);

  assert_golden (node, test->name, test->dark);
  for (guint i = 0; i < test->n_series; i++)
    laurel_series_unref (series[i]);
}

/* --- Plots that are no line charts ------------------------------------------------- */

static void
test_points_golden (void)
{
  g_autoptr (LaurelPlot) plot = laurel_plot_new (LAUREL_PLOT_POINTS, "said, %", "right, %");
  g_autoptr (Context) context = make_context ();
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;

  plot->diagonal = TRUE;
  plot->min_x = 50;
  plot->max_x = plot->max_y = 100;
  for (int i = 0; i < 6; i++) {
    LaurelPlotPoint point = { 52 + 9 * i, 50 + 8 * i, 40 + 8 * i, i == 5 ? NAN : 61 + 8 * i };

    g_array_append_val (plot->points, point);
  }
  laurel_plot_draw (snapshot, plot, laurel_palette_get (FALSE, FALSE), context,
                    GRAPHENE_SIZE_INIT (WIDTH, HEIGHT));
  node = gtk_snapshot_to_node (snapshot);
  assert_golden (node, "plot-points", FALSE);
}

static void
test_bars_golden (void)
{
  g_autoptr (LaurelPlot) plot = laurel_plot_new (LAUREL_PLOT_BARS, "margin", "pairs");
  g_autoptr (Context) context = make_context ();
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;

  plot->bar_width = .5;
  plot->line_x = 0;
  plot->min_x = -1;
  plot->max_x = 2.5;
  plot->max_y = 41;
  for (int i = 0; i < 7; i++) {
    LaurelPlotPoint bar = { -1 + .5 * i, i == 5 ? 0 : 3 + 10 * (i % 4), NAN, NAN };

    g_array_append_val (plot->points, bar);
  }
  laurel_plot_draw (snapshot, plot, laurel_palette_get (TRUE, FALSE), context,
                    GRAPHENE_SIZE_INIT (WIDTH, HEIGHT));
  node = gtk_snapshot_to_node (snapshot);
  assert_golden (node, "plot-bars-dark", TRUE);
}

static void
test_intervals_golden (void)
{
  g_autoptr (LaurelIntervalPlot) plot = laurel_interval_plot_new ("pairs");
  g_autoptr (Context) context = make_context ();
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;

  laurel_interval_plot_set_line (plot, 0, .5, "a coin");
  laurel_interval_plot_set_line (plot, 1, .77, "labelers agree");
  laurel_interval_plot_add (plot, "All pairs", .68, .59, .77, 339);
  laurel_interval_plot_add_heading (plot, "Labeler");
  laurel_interval_plot_add (plot, "somebody with quite a long name indeed", .65, .55, .75, 187);
  laurel_interval_plot_add (plot, "Ben", .8, NAN, NAN, 8);
  laurel_interval_plot_draw (snapshot, plot, laurel_palette_get (FALSE, TRUE), context,
                             GRAPHENE_SIZE_INIT (WIDTH + 100,
                                                 laurel_interval_plot_measure (plot, context)));
  node = gtk_snapshot_to_node (snapshot);
  assert_golden (node, "plot-intervals-contrast", FALSE);
}

static void
test_chart_words (void)
{
  g_autoptr (LaurelSeries) series = laurel_series_new ("polite-2", 0);
  LaurelSeries *list[] = { series };
  LaurelChart chart = {
    .series = list, .n_series = 1, .reference = NAN, .min_x = NAN, .max_x = NAN
  };
  g_autofree char *empty = laurel_chart_summarize (&chart, "objective/kl");

  laurel_series_append (series, 1, .5);
  laurel_series_append (series, 2, NAN);
  laurel_series_append (series, 3, -2.25);
  g_autofree char *summary = laurel_chart_summarize (&chart, "objective/kl");
  g_autofree char *csv = laurel_chart_to_csv (&chart, "step", "objective/kl");

  g_assert_cmpstr (empty, ==, "objective/kl; no values yet");
  g_assert_cmpstr (summary, ==,
                   "objective/kl; polite-2: 2 values, from 0.500 to −2.250, lowest −2.250, highest "
                   "0.500");
  g_assert_cmpstr (csv, ==,
                   "series,\"step\",\"objective/kl\"\n"
                   "\"polite-2\",1,0.5\n\"polite-2\",2,\n\"polite-2\",3,-2.25\n");
}

static void
test_chart_export (void)
{
  g_autoptr (Context) context = make_context ();
  g_autoptr (LaurelSeries) series = make_series ("a", 0, 1);
  LaurelSeries *list[] = { series };
  LaurelChart chart = {
    .series = list, .n_series = 1, .reference = NAN, .min_x = NAN, .max_x = NAN
  };
  g_autofree char *dir = g_dir_make_tmp ("laurel-chart-XXXXXX", NULL);
  static const char *const starts[][2] = { { "a.png", "\x89PNG" },
                                           { "a.svg", "<?xml" },
                                           { "a.csv", "series," } };
  g_autoptr (GError) error = NULL;
  g_autofree char *wrong = g_build_filename (dir, "a.gif", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (starts); i++) {
    g_autofree char *path = g_build_filename (dir, starts[i][0], NULL);
    g_autofree char *text = NULL;

    g_assert_true (laurel_chart_export (&chart, "loss", "step", context, path, &error));
    g_assert_no_error (error);
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    g_assert_true (g_str_has_prefix (text, starts[i][1]));
    g_remove (path);
  }
  g_assert_false (laurel_chart_export (&chart, "loss", "step", context, wrong, &error));
  g_assert_nonnull (strstr (error->message, "end the name in"));
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  /* Fails where there is no display, and does what drawing needs all the same. */
  g_setenv ("GDK_BACKEND", "none", TRUE);
  setlocale (LC_ALL, "C.UTF-8");
  gtk_disable_setlocale ();
  g_test_init (&argc, &argv, NULL);
  gtk_init_check ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/ui/chart/golden/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_chart_golden);
  }
  g_test_add_func ("/ui/plot/golden/points", test_points_golden);
  g_test_add_func ("/ui/plot/golden/bars", test_bars_golden);
  g_test_add_func ("/ui/plot/golden/intervals", test_intervals_golden);
  g_test_add_func ("/ui/chart/words", test_chart_words);
  g_test_add_func ("/ui/chart/export", test_chart_export);
  return g_test_run ();
}
