/* test-launch-dialog.c: whose rankings a reward model learns from, from the checks to the run; how
 * many tasks sampling shares out.
 *
 * With LAUREL_SCREENSHOTS=FOLDER the dialog is also saved there as pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/project/fixture.h"
#include "tests/ui/look.h"
#include "ui/launch/labeler_choice.h"
#include "ui/launch/launch_dialog.h"

#include <string.h>

/* Beside Ada's 48 rankings and the 16 of the reward model r-7, Ben's of the first 5 tasks. */
static void
add_ben (LaurelProject *project)
{
  LaurelStore *store = laurel_project_get_store (project);
  gint64 ben = laurel_store_ensure_labeler (store, "Ben", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (GPtrArray) rankings = laurel_store_list_rankings (store, 0, NULL);

  for (guint i = 0, n = 0; n < 5; i++) {
    LaurelRanking ranking = *(LaurelRanking *) g_ptr_array_index (rankings, i);

    if (ranking.labeler_kind != LAUREL_LABELER_PERSON)
      continue;
    ranking.id = 0;
    ranking.labeler_id = ben;
    g_assert_true (laurel_store_add_ranking (store, &ranking, NULL));
    n++;
  }
}

/* What is of @type in the row with @title. */
static GtkWidget *
find_in_row (GtkWidget *widget, const char *title, GType type)
{
  if (ADW_IS_ACTION_ROW (widget)
      && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title) == 0)
    return look_for (widget, type);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_in_row (child, title, type);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static GtkCheckButton *
find_check (GtkWidget *dialog, const char *title)
{
  return GTK_CHECK_BUTTON (find_in_row (dialog, title, GTK_TYPE_CHECK_BUTTON));
}

static void
set_check (GtkWidget *dialog, const char *title, gboolean active)
{
  gtk_check_button_set_active (find_check (dialog, title), active);
  look_spin (20);
}

/* Of the line under the settings: “…, 3 steps; …”. */
static int
read_steps (GtkWidget *widget)
{
  const char *all = GTK_IS_LABEL (widget) ? gtk_label_get_text (GTK_LABEL (widget)) : "";
  const char *text = strstr (all, "of memory, ");

  if (text != NULL)
    return atoi (text + strlen ("of memory, "));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    int n = read_steps (child);

    if (n > 0)
      return n;
  }
  return 0;
}

static GtkWidget *
present (GtkWidget *window, LaurelProject *project, LaurelStage stage)
{
  laurel_launch_dialog_present (GTK_WINDOW (window), project, stage);
  look_spin (300);
  return look_for_dialog (window);
}

static void
apply (GtkWidget *dialog, LaurelTrainRequest *request)
{
  GtkWidget *choice = look_for (dialog, LAUREL_TYPE_LABELER_CHOICE);

  *request = (LaurelTrainRequest){ .labelers = LAUREL_LABELERS_ALL };
  g_assert_true (
      laurel_labeler_choice_apply (LAUREL_LABELER_CHOICE (choice), request, NULL));
}

/* Kinds choose all of theirs; what is a group is asked for as one. */
static void
test_choice (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  GtkWidget *window = look_make_window (), *dialog;
  LaurelTrainRequest request;

  look_add_rankings (project);
  add_ben (project);
  dialog = present (window, project, LAUREL_STAGE_REWARD);
  g_assert_true (look_shows (dialog, "All 69 rankings, by 3 labelers"));
  apply (dialog, &request);
  g_assert_cmpint (request.labelers, ==, LAUREL_LABELERS_ALL);
  g_assert_null (request.labeler_ids);
  set_check (dialog, "Reward Models", FALSE);
  g_assert_true (look_shows (dialog, "53 of 69 rankings, by 2 labelers"));
  apply (dialog, &request);
  g_assert_cmpint (request.labelers, ==, LAUREL_LABELERS_PEOPLE);
  g_assert_null (request.labeler_ids);
  set_check (dialog, "Ada", FALSE);
  g_assert_true (gtk_check_button_get_inconsistent (find_check (dialog, "People")));
  g_assert_true (look_shows (dialog, "5 of 69 rankings, by 1 labeler"));
  apply (dialog, &request);
  g_assert_nonnull (request.labeler_ids);
  g_assert_cmpint (request.labeler_ids[1], ==, 0);
  set_check (dialog, "Ben", FALSE);
  for (int i = 0; i < LOOK_PATIENCE && !look_shows (dialog, "choose whose"); i++)
    look_spin (50);
  g_assert_true (look_shows (dialog, "No rankings to learn from: choose whose"));
  set_check (dialog, "People", TRUE);
  g_assert_true (gtk_check_button_get_active (find_check (dialog, "Ada")));
  g_assert_true (look_shows (dialog, "53 of 69 rankings, by 2 labelers"));
  set_check (dialog, "Reward Models", TRUE);
  g_assert_true (look_shows (dialog, "All 69 rankings, by 3 labelers"));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
}

/* The steps that the dialog promised are those of the run. */
static void
test_run (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  GtkWidget *window = look_make_window (), *dialog;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;
  int n_all, n_some;

  look_add_rankings (project);
  add_ben (project);
  dialog = present (window, project, LAUREL_STAGE_REWARD);
  n_all = read_steps (dialog);
  set_check (dialog, "Ada", FALSE);
  for (int i = 0; i < LOOK_PATIENCE && read_steps (dialog) == n_all; i++)
    look_spin (50); /* the estimate waits for a pause */
  n_some = read_steps (dialog);
  g_assert_cmpint (n_some, >, 0);
  g_assert_cmpint (n_all, >, n_some);
  gtk_widget_activate_action (dialog, "launch.start", NULL);
  laurel_project_wait (project, 1, &error);
  g_assert_no_error (error);
  run = laurel_store_get_run (laurel_project_get_store (project), 1, &error);
  g_assert_cmpint (run->n_steps, ==, n_some);
  g_assert_nonnull (strstr (run->config, "\"labeler_names\":[\"Ben\",\"r-7\"]"));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
}

static void
test_pictures (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  GtkWidget *window = look_make_window (), *dialog, *choice;

  dialog = present (window, project, LAUREL_STAGE_REWARD);
  g_assert_true (look_shows (dialog, "Nothing has been ranked yet"));
  g_assert_true (look_shows (dialog, "rank some on the Label page first"));
  look_take_pictures (dialog, "launch-reward-none");
  gtk_window_destroy (GTK_WINDOW (dialog));
  look_add_rankings (project);
  add_ben (project);
  dialog = present (window, project, LAUREL_STAGE_REWARD);
  choice = look_for (dialog, LAUREL_TYPE_LABELER_CHOICE);
  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (choice), TRUE);
  set_check (dialog, "Ben", FALSE);
  look_take_pictures (dialog, "launch-reward-labelers");
  gtk_window_destroy (GTK_WINDOW (dialog));
  dialog = present (window, project, LAUREL_STAGE_PPO);
  choice = look_for (dialog, LAUREL_TYPE_LABELER_CHOICE);
  g_assert_false (gtk_widget_get_visible (choice)); /* it learns from prompts */
  /* Enter is for Start, which is the default of the field for the name; not for Cancel. */
  g_assert_true (GTK_IS_TEXT (gtk_window_get_focus (GTK_WINDOW (dialog))));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
}

/* Percent in the dialog are the share that the run is asked for. */
static void
test_shared (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  GtkWidget *window = look_make_window (), *dialog, *shared;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GPtrArray) runs = NULL;

  laurel_sample_dialog_present (GTK_WINDOW (window), project);
  look_spin (100);
  dialog = look_for_dialog (window);
  shared = find_in_row (dialog, "Shared Tasks, %", GTK_TYPE_SPIN_BUTTON);
  g_assert_cmpfloat (gtk_spin_button_get_value (GTK_SPIN_BUTTON (shared)), ==, 0);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (shared), 25);
  g_assert_true (gtk_widget_activate_action (dialog, "launch.start", NULL));
  runs = laurel_store_list_runs (store, NULL);
  g_assert_cmpuint (runs->len, ==, 1);
  run = laurel_store_get_run (store, ((LaurelRun *) g_ptr_array_index (runs, 0))->id, NULL);
  g_assert_nonnull (strstr (run->config, "\"shared\":0.25"));
  g_assert_true (laurel_project_wait (project, run->id, NULL));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  laurel_project_close (project);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  look_init ();
  add ("/ui/launch/labelers", test_choice);
  add ("/ui/launch/labelers/run", test_run);
  add ("/ui/launch/labelers/pictures", test_pictures);
  add ("/ui/sample/shared", test_shared);
  return g_test_run ();
}
