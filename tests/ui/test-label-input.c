/* test-label-input.c: real key presses and a real pointer, through the X server.
 *
 * xdotool sends them from outside while the main loop runs here; without it, or on a display that
 * is no X server, there is nothing to test.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/fixture.h"
#include "ui/label/label_page.h"
#include "ui/label/ranking_view.h"
#include "ui/resources.h"
#include "ui/settings.h"

#include <gdk/x11/gdkx.h>

typedef struct {
  LaurelProject *project;
  LaurelWindow *window;
  LaurelLabelPage *page;
  LaurelRankingView *view;
} Fixture;

static void
on_tool_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, &error);
  g_assert_no_error (error);
  *(gboolean *) user_data = TRUE;
}

/* Runs "xdotool WORD…" and the main loop until it has ended and its events have arrived. */
static void
do_input (const char *command)
{
  g_autofree char *line = g_strconcat ("xdotool ", command, NULL);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv ((const char *const *) words,
                                                       G_SUBPROCESS_FLAGS_NONE, &error);
  gboolean ended = FALSE;

  g_assert_no_error (error);
  g_subprocess_wait_check_async (process, NULL, on_tool_ended, &ended);
  while (!ended) {
    g_main_context_iteration (NULL, TRUE);
  }
  fixture_wait (60);
}

static void
set_up (Fixture *self, gconstpointer user_data)
{
  GdkSurface *surface;
  g_autofree char *focus = NULL;

  self->project = fixture_make_project (1, 3);
  self->window = fixture_show_window (self->project);
  self->page = fixture_find (GTK_WIDGET (self->window), LAUREL_TYPE_LABEL_PAGE);
  self->view = fixture_find (GTK_WIDGET (self->window), LAUREL_TYPE_RANKING_VIEW);
  surface = gtk_native_get_surface (GTK_NATIVE (self->window));
  focus = g_strdup_printf ("windowfocus --sync %lu", gdk_x11_surface_get_xid (surface));
  do_input (focus);
}

static void
tear_down (Fixture *self, gconstpointer user_data)
{
  fixture_close_window (self->window);
  fixture_remove_project (self->project);
}

static void
type_keys (const char *const *keys)
{
  for (gsize i = 0; keys[i]; i++) {
    g_autofree char *command = g_strconcat ("key ", keys[i], NULL);

    do_input (command);
  }
}

/* Of a point of @widget on the screen: without a window manager the window is at its corner. */
static void
find_on_screen (GtkWidget *widget, double x, double y, int *out_x, int *out_y)
{
  GtkNative *native = gtk_widget_get_native (widget);
  double surface_x;
  double surface_y;

  gtk_native_get_surface_transform (native, &surface_x, &surface_y);
  g_assert_true (gtk_widget_translate_coordinates (widget, GTK_WIDGET (native), x, y, &x, &y));
  *out_x = (int) (x + surface_x);
  *out_y = (int) (y + surface_y);
}

/* Drags card @card by its handle to the point of @target, in steps as a hand would. */
static void
drag_card (Fixture *self, int card, GtkWidget *target, double target_x, double target_y)
{
  enum { N_STEPS = 12 };
  int from_x;
  int from_y;
  int to_x;
  int to_y;

  find_on_screen (GTK_WIDGET (laurel_ranking_view_get_card (self->view, card)), 22, 24, &from_x,
                  &from_y);
  find_on_screen (target, target_x, target_y, &to_x, &to_y);
  for (int i = 0; i <= N_STEPS; i++) {
    g_autofree char *command = g_strdup_printf ("mousemove %d %d",
                                                from_x + (to_x - from_x) * i / N_STEPS,
                                                from_y + (to_y - from_y) * i / N_STEPS);

    do_input (command);
    if (i == 0) {
      do_input ("mousedown 1");
    }
  }
  do_input ("mouseup 1");
  fixture_wait (300);
}

static LaurelRanking *
submit (Fixture *self)
{
  static const char *const keys[] = { "ctrl+Return", NULL };
  LaurelStore *store = laurel_project_get_store (self->project);
  g_autofree char *name = laurel_settings_dup_labeler ();
  gint64 labeler = laurel_store_ensure_labeler (store, name, LAUREL_LABELER_PERSON, NULL);

  type_keys (keys);
  return laurel_store_previous_ranking (store, labeler, 0, NULL);
}

/* B is best, A and C share the second place. */
static void
assert_expected (const LaurelRanking *ranking)
{
  g_assert_nonnull (ranking);
  g_assert_cmpint (ranking->n, ==, 3);
  g_assert_cmpint (ranking->ranks[0].rank, ==, 2);
  g_assert_cmpint (ranking->ranks[1].rank, ==, 1);
  g_assert_cmpint (ranking->ranks[2].rank, ==, 2);
}

static void
test_keys (Fixture *self, gconstpointer user_data)
{
  static const char *const keys[] = { "2", "1", "2", "k", "shift+6", "f", "w", NULL };
  g_autoptr (LaurelRanking) ranking = NULL;

  type_keys (keys);
  ranking = submit (self);
  assert_expected (ranking);
  /* C was last in the focus; K goes up to A, its twin in the lane. */
  g_assert_cmpint (ranking->ranks[0].quality, ==, 6);
  g_assert_cmpuint (ranking->ranks[0].flags, ==, LAUREL_FLAG_WRONG);
}

static void
test_dragging (Fixture *self, gconstpointer user_data)
{
  GtkWidget *best;
  g_autoptr (LaurelRanking) ranking = NULL;

  /* Where it says “drag it here”; then just below the first lane; then onto a card. */
  drag_card (self, 1, GTK_WIDGET (self->view), 200, 20);
  best = GTK_WIDGET (laurel_ranking_view_get_card (self->view, 1));
  drag_card (self, 0, best, 200, gtk_widget_get_height (best) + 12);
  drag_card (self, 2, GTK_WIDGET (laurel_ranking_view_get_card (self->view, 0)), 200, 40);
  ranking = submit (self);
  assert_expected (ranking);
}

/* Letters and digits in the comment are text. */
static void
test_comment_keeps_its_keys (Fixture *self, gconstpointer user_data)
{
  static const char *const keys[] = { "r", "1", "s", "n", "f", "BackSpace", "Escape", "1", NULL };
  LaurelRankingModel *model = laurel_label_page_get_model (self->page);

  type_keys (keys);
  g_assert_cmpstr (laurel_ranking_model_get_comment (model), ==, "1sn");
  g_assert_cmpint (laurel_ranking_model_get_n_ranked (model), ==, 1);
  g_assert_false (laurel_ranking_model_get_all_bad (model));
}

int
main (int argc, char **argv)
{
  g_autofree char *xdotool = g_find_program_in_path ("xdotool");

  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  laurel_ui_register_resources ();

  if (!xdotool || !GDK_IS_X11_DISPLAY (gdk_display_get_default ())) {
    g_test_skip ("xdotool and an X server are needed");
    return 0;
  }
#define ADD(path, func) g_test_add ("/label/input/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("keys", test_keys);
  ADD ("dragging", test_dragging);
  ADD ("comment-keeps-its-keys", test_comment_keeps_its_keys);

  return g_test_run ();
}
