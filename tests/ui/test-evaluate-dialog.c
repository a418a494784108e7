/* test-evaluate-dialog.c: Train ▸ Evaluate… as the window shows it.
 *
 * With LAUREL_SCREENSHOTS=FOLDER it is also saved there as pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/charts/figure.h"
#include "ui/launch/evaluate_dialog.h"

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
  g_assert_true (look_shows (dialog, "30 wins, 12 losses and 6 ties on 48 prompts"));
  g_assert_true (look_shows (dialog, "tokens in the mean"));
  g_assert_cmpint (look_count (dialog, LAUREL_TYPE_FIGURE), ==, 2); /* rates and ratings */
  look_spin (200);
  look_take_pictures (dialog, "evaluate-results");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
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
  g_test_add_func ("/ui/evaluate/closed", test_closed);
  return g_test_run ();
}
