/* test-evaluate-dialog.c: Train ▸ Evaluate… as the window shows it.
 *
 * With LAUREL_SCREENSHOTS=FOLDER it is also saved there as pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"
#include "tests/project/fixture.h"
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/charts/figure.h"
#include "ui/charts/widget.h"
#include "ui/evaluate/evaluate_dialog.h"

static AdwComboRow *
find_combo (GtkWidget *widget, const char *title)
{
  if (!gtk_widget_get_mapped (widget))
    return NULL;
  if (ADW_IS_COMBO_ROW (widget)
      && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title) == 0)
    return ADW_COMBO_ROW (widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    AdwComboRow *found = find_combo (child, title);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
test_evaluate (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = look_make_window (), *dialog;

  look_add_rankings (project);
  laurel_evaluate_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  g_assert_nonnull (dialog);
  look_take_pictures (dialog, "evaluate");
  g_assert_false (look_shows (dialog, "Against sft"));
  gtk_widget_activate_action (dialog, "evaluate.start", NULL);
  for (int i = 0; i < LOOK_PATIENCE && !look_shows (dialog, "polite-2 Against sft"); i++)
    look_spin (50);
  /* 12 of 48 lost, 6 of the others tied. */
  g_assert_true (look_shows (dialog, "Won 30, lost 12, tied 6 comparisons on 48 prompts"));
  g_assert_true (look_shows (dialog, "tokens longer in the mean than those of sft"));
  /* Who judged stays over the results, whoever is chosen next. */
  adw_combo_row_set_selected (find_combo (dialog, "Judged By"), 1);
  g_assert_true (look_shows (dialog, "People’s rankings. Won 30"));
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_FIGURE), ==, 2); /* rates and ratings */
  look_spin (200);
  look_take_pictures (dialog, "evaluate-results");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

/* --- Fresh answers ---------------------------------------------------------------------- */

/* A base model, one that was fine-tuned for a moment, and a reward model. */
static LaurelProject *
make_project (Fixture *fixture)
{
  LaurelProject *project = fixture_make_project (fixture, "p.laurel");
  LaurelTrainRequest sft = fixture_request (LAUREL_STAGE_SFT, "blank", "tuned");
  LaurelTrainRequest reward = fixture_request (LAUREL_STAGE_REWARD, "tuned", "rm");
  char *rows[] = { fixture->rows, NULL };
  g_autoptr (GError) error = NULL;

  sft.data_files = rows;
  laurel_project_wait (project, laurel_project_start_training (project, &sft, &error), &error);
  g_assert_no_error (error);
  look_add_rankings (project);
  reward.hyperparameters.response_length = 8;
  laurel_project_wait (project, laurel_project_start_training (project, &reward, &error), &error);
  g_assert_no_error (error);
  return project;
}

/* Of the page that is seen; as it is typed, without leaving the field. */
static void
type_number (GtkWidget *widget, const char *title, const char *text)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (ADW_IS_ACTION_ROW (widget)
      && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title) == 0) {
    gtk_editable_set_text (GTK_EDITABLE (look_for (widget, GTK_TYPE_SPIN_BUTTON)), text);
    return;
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    type_number (child, title, text);
}

static void
untick (GtkWidget *widget)
{
  if (GTK_IS_CHECK_BUTTON (widget))
    gtk_check_button_set_active (GTK_CHECK_BUTTON (widget), FALSE);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    untick (child);
}

static GtkWidget *
evaluate (GtkWidget *window, LaurelProject *project, const char *page, const char *until)
{
  GtkWidget *dialog;

  laurel_evaluate_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  gtk_widget_activate_action (dialog, "evaluate.show-page", "s", page);
  look_spin (200);
  type_number (dialog, "Longest Answer", "8");
  type_number (dialog, "Answers to Each Prompt", "8");
  type_number (dialog, "Best of n", "4");
  look_take_pictures (dialog, page);
  gtk_widget_activate_action (dialog, "evaluate.start", NULL);
  for (int i = 0; i < LOOK_PATIENCE && !look_shows (dialog, until); i++)
    look_spin (50);
  g_assert_true (look_shows (dialog, until));
  look_spin (400);
  return dialog;
}

static void
take_sizes (GtkWidget *dialog, const char *name)
{
  g_autofree char *large = g_strconcat (name, "-large", NULL);

  look_take_pictures (dialog, name);
  gtk_window_set_default_size (GTK_WINDOW (dialog), 1200, 1600);
  look_spin (200);
  look_take_pictures (dialog, large);
}

static void
test_compare (Fixture *fixture, gconstpointer unused)
{
  LaurelProject *project = make_project (fixture);
  GtkWidget *window = look_make_window ();
  GtkWidget *dialog = evaluate (window, project, "compare", "Against tuned");

  /* The other model, and the best of four of the baseline. */
  g_assert_true (look_shows (dialog, "best of 4"));
  g_assert_true (look_shows (dialog, "blank"));
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_FIGURE), ==, 1);
  g_assert_true (look_shows (dialog, "Judge: rm, held-out prompts"));
  take_sizes (dialog, "compare-results");
  /* The one that chooses the best of n is no judge of it. */
  g_assert_true (look_shows (dialog, "cannot tell where it is fooled"));
  adw_combo_row_set_selected (find_combo (dialog, "Reward Model"), 0);
  untick (dialog);
  g_assert_true (look_shows (dialog, "Tick another one than the one that is measured against"));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
  g_object_unref (project);
}

static void
test_best_of (Fixture *fixture, gconstpointer unused)
{
  LaurelProject *project = make_project (fixture);
  GtkWidget *window = look_make_window ();
  GtkWidget *dialog = evaluate (window, project, "best-of", "Best of n of tuned by rm");

  /* Nobody judges: the proxy alone. */
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_CHART_WIDGET), ==, 1);
  g_assert_true (look_shows (dialog, "8 samples of each of"));
  adw_combo_row_set_selected (find_combo (dialog, "Judge"), 1);
  gtk_widget_activate_action (dialog, "evaluate.start", NULL);
  for (int i = 0; i < LOOK_PATIENCE && look_count (dialog, LAUREL_TYPE_CHART_WIDGET) < 2; i++)
    look_spin (50);
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_CHART_WIDGET), ==, 2);
  look_spin (400);
  g_assert_true (look_shows (dialog, "cannot tell where it is fooled"));
  take_sizes (dialog, "best-of-results");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
  g_object_unref (project);
}

/* Without a policy the two that are proposed are still two; without any model the pages say so. */
static void
test_few_models (void)
{
  g_autofree char *folder = g_dir_make_tmp ("laurel-evaluate-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "few.laurel", NULL);
  LaurelProject *project = laurel_project_create (path, NULL, NULL);
  GtkWidget *window = look_make_window (), *dialog;
  AdwComboRow *baseline;

  laurel_evaluate_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  for (int page = 0; page < 2; page++) {
    gtk_widget_activate_action (dialog, "evaluate.show-page", "s", page ? "compare" : "best-of");
    look_spin (200);
    g_assert_true (look_shows (dialog, "None yet: import one or train one first"));
  }
  gtk_window_destroy (GTK_WINDOW (dialog));
  for (int i = 0; i < 2; i++) {
    LaurelModelRecord model = { .name = (char *) (i ? "sft" : "base"),
                                .kind = (char *) (i ? "sft" : "base"),
                                .path = (char *) "models/none",
                                .sha256 = (char *) "0",
                                .tokenizer_hash = (char *) "0" };

    g_assert_true (laurel_store_put_model (laurel_project_get_store (project), &model, NULL));
  }
  laurel_evaluate_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  look_spin (200);
  baseline = find_combo (dialog, "Against");
  g_assert_cmpstr (gtk_string_object_get_string (adw_combo_row_get_selected_item (baseline)), ==,
                   "base");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
  g_object_unref (project);
  laurel_file_remove_tree (folder, NULL);
}

/* Closed while it works, it leaves nothing behind. */
static void
test_closed (void)
{
  LaurelProject *project = sample_project_new ();
  GtkWidget *window = look_make_window (), *dialog;

  look_add_rankings (project);
  laurel_evaluate_dialog_present (GTK_WINDOW (window), project);
  dialog = look_for_dialog (window);
  g_object_add_weak_pointer (G_OBJECT (dialog), (gpointer *) &dialog);
  gtk_widget_activate_action (dialog, "evaluate.start", NULL);
  gtk_window_close (GTK_WINDOW (dialog));
  for (int i = 0; i < LOOK_PATIENCE && dialog != NULL; i++)
    look_spin (50);
  g_assert_null (dialog);
  gtk_window_destroy (GTK_WINDOW (window));
  sample_project_free (project);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  look_init ();
  g_test_add_func ("/ui/evaluate/results", test_evaluate);
  g_test_add_func ("/ui/evaluate/few-models", test_few_models);
  g_test_add_func ("/ui/evaluate/closed", test_closed);
  g_test_add ("/ui/evaluate/compare", Fixture, NULL, fixture_set_up, test_compare,
              fixture_tear_down);
  g_test_add ("/ui/evaluate/best-of", Fixture, NULL, fixture_set_up, test_best_of,
              fixture_tear_down);
  return g_test_run ();
}
