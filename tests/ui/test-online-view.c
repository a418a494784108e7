/* test-online-view.c: the online loop on the Data page: what it shows, and that what is changed is
 * saved.
 *
 * With LAUREL_SCREENSHOTS=FOLDER it is also saved as pictures there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/online.h"
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/data/data_page.h"
#include "ui/online/online_view.h"
#include "ui/resources.h"

#include <glib/gstdio.h>
#include <string.h>

static void
take_picture (GtkWidget *window, const char *name)
{
  const char *folder = g_getenv ("LAUREL_SCREENSHOTS");
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  g_autofree char *path = NULL;
  int width = gtk_widget_get_width (window), height = gtk_widget_get_height (window);

  look_spin (folder != NULL ? 600 : 50);
  if (folder == NULL)
    return;
  path = g_build_filename (folder, file, NULL);
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  gdk_paintable_snapshot (paintable, snapshot, width, height);
  g_autoptr (GskRenderNode) node = gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
  g_autoptr (GdkTexture) texture =
      gsk_renderer_render_texture (gtk_native_get_renderer (gtk_widget_get_native (window)), node,
                                   &GRAPHENE_RECT_INIT (0, 0, width, height));

  g_assert_true (gdk_texture_save_to_png (texture, path));
}

/* The @n-th widget of @type below @widget, from 0. */
static GtkWidget *
find_nth (GtkWidget *widget, GType type, int *n)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type) && (*n)-- == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_nth (child, type, n);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static GtkWidget *
find (GtkWidget *widget, GType type, int n)
{
  return find_nth (widget, type, &n);
}

static gboolean
has_text (GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL (widget) && strstr (gtk_label_get_label (GTK_LABEL (widget)), text) != NULL)
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (has_text (child, text))
      return TRUE;
  return FALSE;
}

static void
add_reward_model (LaurelStore *store, int number, const char *gain)
{
  g_autofree char *name = g_strdup_printf ("reward-%d", number);
  LaurelRun run = { .kind = (char *) "reward",
                    .name = name,
                    .model = (char *) "sft",
                    .output = name,
                    .status = LAUREL_RUN_DONE,
                    .message = (char *) "",
                    .config = (char *) "{\"round\": -1}",
                    .snapshot = (char *) "{}" };
  LaurelModelRecord record = { .name = name,
                               .kind = (char *) "reward",
                               .parent = (char *) "sft",
                               .path = (char *) "models/none",
                               .sha256 = (char *) "0",
                               .tokenizer_hash = (char *) "0",
                               .created = g_get_real_time () + number };
  g_autofree char *key = NULL;
  g_autoptr (GError) error = NULL;

  laurel_store_add_run (store, &run, &error);
  g_assert_no_error (error);
  record.run_id = run.id;
  laurel_store_put_model (store, &record, &error);
  g_assert_no_error (error);
  key = g_strdup_printf ("gain/%" G_GINT64_FORMAT, run.id);
  laurel_store_set_fact (store, key, gain, &error);
  g_assert_no_error (error);
}

/* A task that “polite-2” and “sft” share, with the policy's first. */
static void
add_mixed_task (LaurelStore *store, int number)
{
  g_autofree char *prompt = g_strdup_printf ("What is on page %d?", number);
  gint64 prompt_id = laurel_store_ensure_prompt (store, prompt, "train", "", NULL);
  gint64 labeler = laurel_store_ensure_labeler (store, "Ada", LAUREL_LABELER_PERSON, NULL);
  LaurelRank ranks[4] = { 0 };
  LaurelRanking ranking = { .labeler_id = labeler, .ranks = ranks, .n = 4, .comment = (char *) "" };
  gint64 ids[4];
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 4; i++) {
    gint32 token = 10 * number + i;
    float logprob = -1;
    LaurelCompletion completion = { .prompt_id = prompt_id,
                                    .model = (char *) (i < 2 ? "polite-2" : "sft"),
                                    .tokens = &token,
                                    .logprobs = &logprob,
                                    .n_tokens = 1,
                                    .text = (char *) "A table of months.",
                                    .temperature = 1,
                                    .top_p = 1 };

    laurel_store_add_completion (store, &completion, &error);
    g_assert_no_error (error);
    ids[i] = completion.id;
    ranks[i] = (LaurelRank){ ids[i], number % 3 == 0 ? 4 - i : i + 1, 0, 0 };
  }
  ranking.task_id = laurel_store_add_task (store, prompt_id, ids, 4, 1, "random", &error);
  laurel_store_add_ranking (store, &ranking, &error);
  g_assert_no_error (error);
}

static LaurelProject *
make_project (void)
{
  LaurelProject *project = sample_project_new ();
  LaurelStore *store = laurel_project_get_store (project);

  add_reward_model (store, 1,
                    "{\"rankings\": 50, \"new\": 50, \"prompts\": 11, \"pairs\": 58,"
                    " \"accuracy\": [0.621, 0.48, 0.75]}");
  add_reward_model (store, 2,
                    "{\"previous\": \"reward-1\", \"rankings\": 100, \"new\": 50, \"prompts\": 21,"
                    " \"pairs\": 117, \"accuracy\": [0.675, 0.58, 0.76],"
                    " \"before\": [0.633, 0.54, 0.72], \"gain\": [0.042, -0.031, 0.118]}");
  add_reward_model (store, 3,
                    "{\"previous\": \"reward-2\", \"rankings\": 150, \"new\": 50, \"prompts\": 31,"
                    " \"pairs\": 171, \"accuracy\": [0.713, 0.64, 0.78],"
                    " \"before\": [0.684, 0.6, 0.76], \"gain\": [0.029, -0.012, 0.071]}");
  for (int i = 1; i <= 24; i++)
    add_mixed_task (store, i);
  return project;
}

static GtkWidget *
present (LaurelProject *project, int width, int height)
{
  GtkWidget *window = adw_window_new ();
  GtkWidget *page = g_object_new (LAUREL_TYPE_DATA_PAGE, "project", project, NULL);

  gtk_window_set_default_size (GTK_WINDOW (window), width, height);
  adw_window_set_content (ADW_WINDOW (window), page);
  gtk_window_present (GTK_WINDOW (window));
  look_spin (100);
  gtk_widget_activate_action (page, "data.show", "s", "online");
  look_spin (100);
  return window;
}

static void
scroll (GtkWidget *window, double share)
{
  GtkWidget *view = find (window, LAUREL_TYPE_ONLINE_VIEW, 0);
  GtkScrolledWindow *scrolled = GTK_SCROLLED_WINDOW (find (view, GTK_TYPE_SCROLLED_WINDOW, 0));
  GtkAdjustment *place = gtk_scrolled_window_get_vadjustment (scrolled);

  gtk_adjustment_set_value (place, share * gtk_adjustment_get_upper (place));
}

static void
test_show (void)
{
  static const struct {
    int width, height;
  } sizes[] = { { 1000, 700 }, { 1600, 1000 } };
  LaurelProject *project = make_project ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int dark = 0; dark < 2; dark++) {
      GtkWidget *window, *view;

      adw_style_manager_set_color_scheme (adw_style_manager_get_default (),
                                          dark ? ADW_COLOR_SCHEME_FORCE_DARK
                                               : ADW_COLOR_SCHEME_FORCE_LIGHT);
      window = present (project, sizes[i].width, sizes[i].height);
      view = find (window, LAUREL_TYPE_ONLINE_VIEW, 0);
      g_assert_true (has_text (view, "reward-3"));
      g_assert_true (has_text (view, "newest"));
      g_assert_true (has_text (view, "+2.9 [-1.2, +7.1]"));
      g_assert_true (has_text (view, "150 rankings, 50 of them new"));
      g_assert_true (has_text (view, "24 ranked tasks"));
      g_assert_true (has_text (view, "polite-2"));
      for (int part = 0; part < 2; part++) {
        g_autofree char *name = g_strdup_printf ("online-%d-%s-%d", sizes[i].width,
                                                 dark ? "dark" : "light", part);

        scroll (window, part);
        take_picture (window, name);
      }
      gtk_window_destroy (GTK_WINDOW (window));
    }
  look_spin (50);
  sample_project_free (project);
}

/* Each control's change is in the project at once, and what the view does not show stays. */
static void
test_save (void)
{
  LaurelProject *project = make_project ();
  LaurelStore *store = laurel_project_get_store (project);
  g_auto (LaurelOnlineSettings) before = { 0 };
  g_auto (LaurelOnlineSettings) after = { 0 };
  GtkWidget *window, *view;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_online_settings_load (store, &before, &error));
  json_object_set_double_member (before.ppo, "kl_coef", 0.3);
  g_assert_true (laurel_online_settings_save (store, &before, &error));
  window = present (project, 1000, 700);
  view = find (window, LAUREL_TYPE_ONLINE_VIEW, 0);
  gtk_switch_set_active (GTK_SWITCH (find (view, GTK_TYPE_SWITCH, 0)), TRUE);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (find (view, GTK_TYPE_SPIN_BUTTON, 0)), 33);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (find (view, GTK_TYPE_SPIN_BUTTON, 3)), 6);
  g_assert_true (laurel_online_settings_load (store, &after, &error));
  g_assert_true (after.enabled);
  g_assert_false (after.tune);
  g_assert_cmpint (after.every, ==, 33);
  g_assert_cmpint (after.low, ==, before.low);
  g_assert_cmpint (after.n_completions, ==, 6);
  g_assert_cmpstr (after.model, ==, "sft");
  g_assert_cmpfloat (json_object_get_double_member (after.ppo, "kl_coef"), ==, 0.3);
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

static char *
save_and_load (LaurelStore *store, const char *gold)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_online_settings_load (store, &settings, &error));
  if (gold != NULL) {
    g_free (settings.gold);
    settings.gold = g_strdup (gold);
    g_assert_true (laurel_online_settings_save (store, &settings, &error));
  }
  return g_steal_pointer (&settings.gold);
}

static void
assert_item (AdwComboRow *row, const char *expected)
{
  g_assert_cmpstr (gtk_string_object_get_string (adw_combo_row_get_selected_item (row)), ==,
                   expected);
}

/* Whatever the command line set is shown and kept; what is chosen is saved as it would set it. */
static void
test_gold (void)
{
  LaurelProject *project = make_project ();
  LaurelStore *store = laurel_project_get_store (project);
  g_autofree char *rules = g_build_filename (laurel_project_get_path (project), "judge.json", NULL);
  g_autofree char *lost = NULL, *by_file = NULL, *by_model = NULL, *none = NULL;
  GtkWidget *window, *view;
  AdwComboRow *row;

  g_free (save_and_load (store, "/nowhere/strict.json"));
  g_assert_true (g_file_set_contents (rules, "{}", -1, NULL));
  window = present (project, 1000, 700);
  view = find (window, LAUREL_TYPE_ONLINE_VIEW, 0);
  row = ADW_COMBO_ROW (find (view, ADW_TYPE_COMBO_ROW, 1));
  assert_item (row, "/nowhere/strict.json (missing)");
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (find (view, GTK_TYPE_SPIN_BUTTON, 0)), 33);
  lost = save_and_load (store, NULL);
  g_assert_cmpstr (lost, ==, "/nowhere/strict.json");

  adw_combo_row_set_selected (row, 1);
  assert_item (row, "The project’s rules");
  /* What the row says is no place in a list: the file is gone, its item is still the second. */
  g_assert_cmpint (g_unlink (rules), ==, 0);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (find (view, GTK_TYPE_SPIN_BUTTON, 0)), 34);
  by_file = save_and_load (store, NULL);
  g_assert_cmpstr (by_file, ==, rules);

  adw_combo_row_set_selected (row, 2);
  assert_item (row, "r-7");
  by_model = save_and_load (store, NULL);
  g_assert_cmpstr (by_model, ==, "r-7");
  adw_combo_row_set_selected (row, 0);
  none = save_and_load (store, NULL);
  g_assert_null (none);
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

static void
test_words (void)
{
  LaurelProject *project = make_project ();
  LaurelStore *store = laurel_project_get_store (project);
  g_autoptr (GPtrArray) gains = laurel_online_list_gains (store, NULL);
  const LaurelRewardGain *last = gains->pdata[2];
  g_autoptr (LaurelRun) run = laurel_store_get_run (store, last->run_id, NULL);
  g_autofree char *text = laurel_online_describe_end (store, run);
  g_autofree char *none = NULL;

  g_assert_cmpstr (text, ==,
                   "New reward model “reward-3”: right about 71.3 % of held-out pairs, +2.9 points");
  run->status = LAUREL_RUN_STOPPED;
  none = laurel_online_describe_end (store, run);
  g_assert_null (none);
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
  g_test_add_func ("/ui/online/show", test_show);
  g_test_add_func ("/ui/online/save", test_save);
  g_test_add_func ("/ui/online/gold", test_gold);
  g_test_add_func ("/ui/online/words", test_words);
  return g_test_run ();
}
