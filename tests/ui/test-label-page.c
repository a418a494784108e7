/* test-label-page.c: what is done on the Label page is what is in the database.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/ui/fixture.h"
#include "ui/label/label_page.h"
#include "ui/label/ranking_view.h"
#include "ui/resources.h"
#include "ui/settings.h"

#include <string.h>

typedef struct {
  LaurelProject *project;
  LaurelWindow *window;
  LaurelLabelPage *page;
  LaurelStore *store; /* a connection of our own, as another program would have */
} Fixture;

static void
open_window (Fixture *self)
{
  self->window = fixture_show_window (self->project);
  self->page = fixture_find (GTK_WIDGET (self->window), LAUREL_TYPE_LABEL_PAGE);
  g_assert_nonnull (self->page);
}

static void
set_up (Fixture *self, gconstpointer user_data)
{
  g_autofree char *database = NULL;
  g_autoptr (GError) error = NULL;

  self->project = fixture_make_project (3, 4);
  database = g_build_filename (laurel_project_get_path (self->project), "project.sqlite", NULL);
  self->store = laurel_store_open (database, &error);
  g_assert_no_error (error);
  open_window (self);
}

static void
tear_down (Fixture *self, gconstpointer user_data)
{
  fixture_close_window (self->window);
  laurel_store_close (self->store);
  fixture_remove_project (self->project);
}

static void
act (Fixture *self, const char *action, int target)
{
  gboolean known = target == G_MININT
                       ? gtk_widget_activate_action (GTK_WIDGET (self->page), action, NULL)
                       : gtk_widget_activate_action (GTK_WIDGET (self->page), action, "i", target);

  g_assert_true (known);
  fixture_wait (5);
}

static void
act_on_card (Fixture *self, int card, const char *action, int target)
{
  LaurelRankingView *view = fixture_find (GTK_WIDGET (self->page), LAUREL_TYPE_RANKING_VIEW);

  g_assert_true (laurel_ranking_view_focus_card (view, card));
  act (self, action, target);
}

static gint64
get_labeler (Fixture *self)
{
  g_autofree char *name = laurel_settings_dup_labeler ();

  return laurel_store_ensure_labeler (self->store, name, LAUREL_LABELER_PERSON, NULL);
}

static LaurelRanking *
get_newest (Fixture *self)
{
  return laurel_store_previous_ranking (self->store, get_labeler (self), 0, NULL);
}

/* B first, A and D share the second place, C last: in the database as shown, with the blind order.
 */
static void
test_ranks_are_stored (Fixture *self, gconstpointer user_data)
{
  LaurelRankingModel *model = laurel_label_page_get_model (self->page);
  g_autoptr (LaurelRanking) shown = laurel_ranking_model_to_skip (model, 1, "none", NULL);
  gint64 ids[4];
  g_autoptr (LaurelRanking) ranking = NULL;

  for (int i = 0; i < 4; i++) {
    ids[i] = laurel_ranking_model_get_completion_id (model, i);
  }
  act_on_card (self, 1, "label.rank", 1);
  act_on_card (self, 0, "label.rank", 2);
  act_on_card (self, 3, "label.rank", 2);
  act_on_card (self, 2, "label.rank", 4);
  act_on_card (self, 1, "label.quality", 6);
  act (self, "label.submit", G_MININT);

  ranking = get_newest (self);
  g_assert_nonnull (ranking);
  g_assert_cmpint (ranking->n, ==, 4);
  g_assert_cmpuint (ranking->order_seed, ==, shown->order_seed);
  for (int i = 0; i < 4; i++) {
    static const int expected[] = { 2, 1, 3, 2 };

    g_assert_cmpint (ranking->ranks[i].completion_id, ==, ids[i]);
    g_assert_cmpint (ranking->ranks[i].rank, ==, expected[i]);
  }
  g_assert_cmpint (ranking->ranks[1].quality, ==, 6);
  g_assert_cmpint (laurel_ranking_model_get_n_ranked (laurel_label_page_get_model (self->page)), ==,
                   0);
}

/* A digit ranks the focused card and goes on to the next one that is not ranked. */
static void
test_digits_walk_through_the_cards (Fixture *self, gconstpointer user_data)
{
  act_on_card (self, 0, "label.rank", 4);
  act (self, "label.rank", 3);
  act (self, "label.rank", 2);
  act (self, "label.rank", 1);
  for (int i = 0; i < 4; i++) {
    g_assert_cmpint (laurel_ranking_model_get_lane (laurel_label_page_get_model (self->page), i),
                     ==, 4 - i);
  }
}

static void
test_untouched_is_not_submitted (Fixture *self, gconstpointer user_data)
{
  g_autoptr (LaurelRanking) none = NULL;
  LaurelRankingModel *model = laurel_label_page_get_model (self->page);
  GtkInfoBar *bar = fixture_find (GTK_WIDGET (self->page), GTK_TYPE_INFO_BAR);

  act (self, "label.submit", G_MININT);
  none = get_newest (self);
  g_assert_null (none);
  g_assert_true (laurel_label_page_get_model (self->page) == model);
  g_assert_true (gtk_revealer_get_reveal_child (
      GTK_REVEALER (gtk_widget_get_ancestor (GTK_WIDGET (bar), GTK_TYPE_REVEALER))));

  act_on_card (self, 0, "label.rank", 1);
  act (self, "label.submit", G_MININT);
  none = get_newest (self);
  g_assert_null (none);
}

/* What another program finds after this one was killed is what the labeler did last. */
static void
test_drafts_are_written_at_once (Fixture *self, gconstpointer user_data)
{
  gint64 task = laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page));
  g_autoptr (LaurelDraft) draft =
      laurel_store_get_draft (self->store, task, get_labeler (self), NULL);

  g_assert_null (draft);
  act_on_card (self, 2, "label.rank", 1);
  draft = laurel_store_get_draft (self->store, task, get_labeler (self), NULL);
  g_assert_nonnull (draft);
  act (self, "label.undo", G_MININT);
  g_clear_pointer (&draft, laurel_draft_free);
  draft = laurel_store_get_draft (self->store, task, get_labeler (self), NULL);
  g_assert_null (draft);
}

static void
test_drafts_are_restored (Fixture *self, gconstpointer user_data)
{
  gint64 task;
  g_autofree char *path = g_strdup (laurel_project_get_path (self->project));
  g_autoptr (GError) error = NULL;

  act_on_card (self, 2, "label.rank", 1);
  act_on_card (self, 0, "label.quality", 3);
  task = laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page));
  fixture_close_window (self->window);
  g_clear_object (&self->project);
  self->project = laurel_project_open (path, &error);
  g_assert_no_error (error);
  open_window (self);
  g_assert_cmpint (laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page)), ==,
                   task);
  g_assert_cmpint (laurel_ranking_model_get_lane (laurel_label_page_get_model (self->page), 2), ==,
                   1);
  g_assert_cmpint (laurel_ranking_model_get_quality (laurel_label_page_get_model (self->page), 0),
                   ==, 3);
}

static void
rank_all (Fixture *self)
{
  for (int i = 0; i < 4; i++) {
    act_on_card (self, i, "label.rank", i + 1);
  }
}

static void
test_reopened_task_supersedes (Fixture *self, gconstpointer user_data)
{
  g_autoptr (LaurelRanking) first = NULL;
  g_autoptr (LaurelRanking) second = NULL;

  rank_all (self);
  act (self, "label.submit", G_MININT);
  first = get_newest (self);
  act (self, "label.reopen", G_MININT);
  g_assert_cmpint (laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page)), ==,
                   first->task_id);
  act_on_card (self, 3, "label.rank", 1);
  act (self, "label.submit", G_MININT);
  second = get_newest (self);
  g_assert_cmpint (second->supersedes, ==, first->id);
  g_assert_cmpint (second->ranks[3].rank, ==, 1);
  g_assert_cmpint (laurel_store_count_rankings (self->store, get_labeler (self), 0, NULL), ==, 1);
}

static void
test_all_bad_and_skips (Fixture *self, gconstpointer user_data)
{
  g_autoptr (LaurelRanking) bad = NULL;
  gint64 task;

  act (self, "label.all-bad", G_MININT);
  act (self, "label.submit", G_MININT);
  bad = get_newest (self);
  g_assert_true (bad->all_bad);
  task = laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page));
  act (self, "label.skip-with", 0);
  g_assert_cmpint (laurel_ranking_model_get_task_id (laurel_label_page_get_model (self->page)), !=,
                   task);
  rank_all (self);
  act (self, "label.submit", G_MININT);
  /* Nothing is left: no task, and a page that says so. */
  g_assert_null (laurel_label_page_get_model (self->page));
}

static void
error_cb (LaurelProject *project, const char *message, char **out_message)
{
  g_free (*out_message);
  *out_message = g_strdup (message);
}

/* Each submission is counted by the online loop, which here has no model to train. */
static void
test_submission_is_counted (Fixture *self, gconstpointer user_data)
{
  g_autofree char *message = NULL;
  g_autoptr (GError) error = NULL;
  gulong handler = g_signal_connect (self->project, "error", G_CALLBACK (error_cb), &message);

  g_assert_true (laurel_store_set_fact (self->store, "online",
                                        "{\"enabled\": true, \"every\": 1, \"low\": 0}", &error));
  fixture_wait (50);
  g_assert_null (message);
  for (int i = 0; i < 4; i++) {
    act_on_card (self, i, "label.rank", i + 1);
  }
  act (self, "label.submit", G_MININT);
  /* It is looked at when the main loop has nothing else to do. */
  for (int i = 0; i < 1000 && message == NULL; i++) {
    fixture_wait (10);
  }
  g_assert_nonnull (message);
  g_assert_nonnull (strstr (message, "no SFT model"));
  g_signal_handler_disconnect (self->project, handler);
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  laurel_ui_register_resources ();

#define ADD(path, func) g_test_add ("/label/page/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("ranks-are-stored", test_ranks_are_stored);
  ADD ("digits-walk-through-the-cards", test_digits_walk_through_the_cards);
  ADD ("untouched-is-not-submitted", test_untouched_is_not_submitted);
  ADD ("drafts-are-written-at-once", test_drafts_are_written_at_once);
  ADD ("drafts-are-restored", test_drafts_are_restored);
  ADD ("reopened-task-supersedes", test_reopened_task_supersedes);
  ADD ("all-bad-and-skips", test_all_bad_and_skips);
  ADD ("submission-is-counted", test_submission_is_counted);

  return g_test_run ();
}
