/* test-labelers-view.c: the Data page's agreement is laurelctl's, and is computed when asked for.
 *
 * With LAUREL_SCREENSHOTS=FOLDER the page is also saved there as pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/statistics.h"
#include "core/label/agreement.h"
#include "core/project/report.h"
#include "core/project/reward_report.h"
#include "tests/ui/look.h"
#include "tests/ui/sample_project.h"
#include "ui/data/data_page.h"

#include <math.h>

/* Bob ranks @n of the tasks that Ada ranked, after the first @n_skipped: every third the other way
 * round. */
static void
add_bob (LaurelProject *project, int n_skipped, int n)
{
  LaurelStore *store = laurel_project_get_store (project);
  gint64 bob = laurel_store_ensure_labeler (store, "Bob", LAUREL_LABELER_PERSON, NULL);
  g_autoptr (GPtrArray) rankings = laurel_store_list_rankings (store, 0, NULL);
  int at = 0;

  g_assert_true (laurel_store_begin (store, NULL));
  for (guint i = 0; i < rankings->len; i++) {
    LaurelRanking *ranking = g_ptr_array_index (rankings, i);

    if (!g_str_equal (ranking->labeler, "Ada") || at++ < n_skipped || at > n_skipped + n)
      continue;
    if (at % 3 == 0)
      for (int k = 0; k < ranking->n; k++)
        ranking->ranks[k].rank = ranking->n - k;
    ranking->id = 0;
    ranking->labeler_id = bob;
    g_assert_true (laurel_store_add_ranking (store, ranking, NULL));
  }
  g_assert_true (laurel_store_commit (store, NULL));
}

static LaurelProject *
make_project (void)
{
  LaurelProject *project = sample_project_new ();

  look_add_rankings (project);
  add_bob (project, 0, 20);
  return project;
}

/* As “laurelctl ranking agreement” asks for it. */
static GPtrArray *
list_agreement (LaurelProject *project)
{
  const LaurelAgreementRequest request = { .n_resamples = LAUREL_BOOTSTRAP_RESAMPLES };
  g_autoptr (GError) error = NULL;
  GPtrArray *list =
      laurel_label_list_agreement (laurel_project_get_store (project), &request, &error);

  g_assert_no_error (error);
  return list;
}

static char *
format (const LaurelEstimate *estimate, gboolean is_share)
{
  const LaurelInterval interval = { estimate->value, estimate->low, estimate->high, 1 };

  g_assert_false (isnan (estimate->low));
  return laurel_with_minus_signs (laurel_interval_format (&interval, is_share));
}

static GtkWidget *
open_page (GtkWidget *window, LaurelProject *project)
{
  GtkWidget *page = g_object_new (LAUREL_TYPE_DATA_PAGE, "project", project, NULL);

  adw_window_set_content (ADW_WINDOW (window), page);
  gtk_widget_activate_action (page, "data.show", "s", "labelers");
  return page;
}

static void
wait_for (GtkWidget *page, const char *text)
{
  for (int i = 0; i < LOOK_PATIENCE && !look_shows (page, text); i++)
    look_spin (50);
  g_assert_true (look_shows (page, text));
}

static void
test_figures (void)
{
  LaurelProject *project = make_project ();
  GtkWidget *window = look_make_window ();
  GtkWidget *page = open_page (window, project);
  g_autoptr (GPtrArray) list = list_agreement (project);

  /* Everybody, people, people with programs, and three pairs. */
  g_assert_cmpuint (list->len, ==, 6);
  wait_for (page, "Who with Whom");
  look_spin (100);
  g_assert_true (look_shows (page, "Everybody"));
  g_assert_true (look_shows (page, "People among Themselves"));
  g_assert_true (look_shows (page, "People with Programs"));
  g_assert_true (look_shows (page, "r-7 (simulated)"));
  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);
    g_autofree char *share = format (&row->strict, TRUE);
    g_autofree char *tau = format (&row->tau_b, FALSE);

    g_assert_true (look_shows (page, share));
    g_assert_true (look_shows (page, tau));
  }
  look_take_pictures (window, "labelers-1000");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

/* A ranking that comes in changes no figure until somebody asks. */
static void
test_when (void)
{
  LaurelProject *project = make_project ();
  GtkWidget *window = look_make_window ();
  GtkWidget *page = open_page (window, project);
  g_autoptr (GPtrArray) before = list_agreement (project);
  g_autoptr (GPtrArray) after = NULL;
  const LaurelAgreement *people = g_ptr_array_index (before, 1);
  g_autofree char *old = format (&people->strict, TRUE);
  g_autofree char *new = NULL;

  wait_for (page, old);
  add_bob (project, 20, 25);
  after = list_agreement (project);
  people = g_ptr_array_index (after, 1);
  new = format (&people->strict, TRUE);
  g_assert_cmpstr (new, !=, old);
  g_signal_emit_by_name (project, "tasks-changed");
  wait_for (page, "More has been ranked");
  look_spin (500);
  g_assert_true (look_shows (page, old));
  g_assert_false (look_shows (page, new));
  gtk_widget_activate_action (look_for (page, GTK_TYPE_SPINNER), "labelers.compute", NULL);
  wait_for (page, new);
  g_assert_false (look_shows (page, "More has been ranked"));
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

/* Nobody to agree with: what to do is said, and no figure is made up. */
static void
test_alone (void)
{
  LaurelProject *project = sample_project_new (); /* Ada alone */
  GtkWidget *window = look_make_window ();
  GtkWidget *page = open_page (window, project);

  wait_for (page, "There is nobody to agree with yet");
  g_assert_true (look_shows (page, "No shared tasks yet"));
  g_assert_false (look_shows (page, "Who with Whom"));
  look_take_pictures (window, "labelers-alone-1000");
  gtk_window_destroy (GTK_WINDOW (window));
  look_spin (50);
  sample_project_free (project);
}

/* The page may go while it computes. */
static void
test_left (void)
{
  LaurelProject *project = make_project ();
  GtkWidget *window = look_make_window ();
  GtkWidget *page = open_page (window, project);

  g_object_add_weak_pointer (G_OBJECT (page), (gpointer *) &page);
  look_spin (100); /* it is mapped, and at work */
  g_object_set (page, "project", NULL, NULL);
  gtk_window_destroy (GTK_WINDOW (window));
  for (int i = 0; i < LOOK_PATIENCE && page != NULL; i++)
    look_spin (50);
  g_assert_null (page);
  sample_project_free (project);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  look_init ();
  g_test_add_func ("/ui/labelers/figures", test_figures);
  g_test_add_func ("/ui/labelers/when", test_when);
  g_test_add_func ("/ui/labelers/alone", test_alone);
  g_test_add_func ("/ui/labelers/left", test_left);
  return g_test_run ();
}
