/* test-ranking-model.c: lanes, undo, drafts and submission of the ranking model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/ranking_model.h"

#include "core/base/error.h"
#include "core/base/rng.h"

#include <string.h>

static LaurelTask *
make_task (gint64 id, int n)
{
  LaurelTask *task = g_new0 (LaurelTask, 1);

  task->id = id;
  task->prompt = g_strdup ("Which way is north?");
  task->completions = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_completion_free);
  for (int i = 0; i < n; i++) {
    LaurelCompletion *completion = g_new0 (LaurelCompletion, 1);

    completion->id = 100 + i;
    g_ptr_array_add (task->completions, completion);
  }
  return task;
}

static LaurelRankingModel *
make_model (int n)
{
  g_autoptr (LaurelTask) task = make_task (7, n);
  g_autoptr (GError) error = NULL;
  LaurelRankingModel *model = laurel_ranking_model_new (task, 5, &error);

  g_assert_no_error (error);
  return model;
}

static void
append_cards (GString *text, const char *label, const int *cards, int n, const char *between)
{
  if (n == 0)
    return;
  if (text->len > 0)
    g_string_append (text, ", ");
  g_string_append_printf (text, "%s: ", label);
  for (int i = 0; i < n; i++)
    g_string_append_printf (text, "%s%c", i > 0 ? between : "", 'A' + cards[i]);
}

/* "1: B, 2: A = D, not ranked: C" */
static char *
describe (LaurelRankingModel *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int cards[LAUREL_RANKING_MAX_CARDS];
  int rank = 0;

  for (int lane = 1; lane <= laurel_ranking_model_get_n_cards (self); lane++) {
    int n = laurel_ranking_model_get_cards (self, lane, cards);
    g_autofree char *label = g_strdup_printf ("%d", rank + 1);

    append_cards (text, label, cards, n, " = ");
    rank += n > 0;
  }
  append_cards (text, "not ranked", cards, laurel_ranking_model_get_cards (self, 0, cards), ", ");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_says (LaurelRankingModel *model, const char *expected)
{
  g_autofree char *text = describe (model);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_order (void)
{
  g_autoptr (LaurelTask) task = make_task (3, 9);
  int n_shuffled = 0;

  for (gint64 labeler = 1; labeler <= 20; labeler++) {
    guint64 seed = laurel_ranking_order_seed (3, labeler);
    g_autoptr (LaurelRankingModel) one = laurel_ranking_model_new (task, seed, NULL);
    g_autoptr (LaurelRankingModel) two = laurel_ranking_model_new (task, seed, NULL);
    guint seen = 0;

    g_assert_cmpuint (seed, ==, laurel_ranking_order_seed (3, labeler));
    g_assert_cmpuint (seed, <=, G_MAXINT64);
    for (int card = 0; card < 9; card++) {
      int index = laurel_ranking_model_get_completion_index (one, card);

      g_assert_cmpint (index, ==, laurel_ranking_model_get_completion_index (two, card));
      g_assert_cmpint (laurel_ranking_model_get_completion_id (one, card), ==, 100 + index);
      n_shuffled += index != card;
      seen |= 1u << index;
    }
    g_assert_cmpuint (seen, ==, (1u << 9) - 1);
  }
  /* A random card stays in place once in nine: of 180 about 20; 60 would be far outside chance. */
  g_assert_cmpint (n_shuffled, >, 120);
}

static void
test_digits (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (4);

  assert_says (model, "not ranked: A, B, C, D");
  g_assert_true (laurel_ranking_model_put (model, 1, 1));
  g_assert_true (laurel_ranking_model_put (model, 0, 4));
  g_assert_true (laurel_ranking_model_put (model, 3, 4));
  assert_says (model, "1: B, 2: A = D, not ranked: C");
  g_assert_cmpint (laurel_ranking_model_get_lane (model, 0), ==, 4);
  g_assert_cmpint (laurel_ranking_model_get_next_unranked (model, 3), ==, 2);
  g_assert_false (laurel_ranking_model_put (model, 0, 4)); /* where it is */
  g_assert_false (laurel_ranking_model_put (model, 0, 5)); /* no such lane */
  g_assert_false (laurel_ranking_model_put (model, 4, 1)); /* no such card */
  g_assert_true (laurel_ranking_model_put (model, 2, 2));
  assert_says (model, "1: B, 2: C, 3: A = D");
  g_assert_cmpint (laurel_ranking_model_get_next_unranked (model, -1), ==, -1);
}

static void
test_moves (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (4);

  g_assert_false (laurel_ranking_model_move_down (model, 0));
  g_assert_false (laurel_ranking_model_tie_with_above (model, 0));
  g_assert_true (laurel_ranking_model_move_up (model, 2)); /* first of all */
  g_assert_true (laurel_ranking_model_move_up (model, 0));
  assert_says (model, "1: C, 2: A, not ranked: B, D");
  g_assert_true (laurel_ranking_model_tie_with_above (model, 1));
  assert_says (model, "1: C, 2: A = B, not ranked: D");
  g_assert_true (laurel_ranking_model_move_up (model, 1)); /* out of the tie */
  assert_says (model, "1: C, 2: B, 3: A, not ranked: D");
  g_assert_true (laurel_ranking_model_move_up (model, 1)); /* past the one above */
  assert_says (model, "1: B, 2: C, 3: A, not ranked: D");
  g_assert_false (laurel_ranking_model_move_up (model, 1));
  g_assert_true (laurel_ranking_model_move_down (model, 1));
  g_assert_true (laurel_ranking_model_tie_with_above (model, 1));
  assert_says (model, "1: B = C, 2: A, not ranked: D");
  g_assert_true (laurel_ranking_model_move_down (model, 1));
  assert_says (model, "1: C, 2: B, 3: A, not ranked: D");
  g_assert_true (laurel_ranking_model_unrank (model, 1));
  g_assert_false (laurel_ranking_model_unrank (model, 1));
  assert_says (model, "1: C, 2: A, not ranked: B, D");
}

static void
test_drop (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (4);

  g_assert_true (laurel_ranking_model_drop (model, 0, LAUREL_DROP_INTO, 2));
  g_assert_true (laurel_ranking_model_drop (model, 1, LAUREL_DROP_BEFORE, 2));
  assert_says (model, "1: B, 2: A, not ranked: C, D");
  g_assert_true (laurel_ranking_model_drop (model, 3, LAUREL_DROP_BEFORE, 5));
  assert_says (model, "1: B, 2: A, 3: D, not ranked: C");
  g_assert_false (laurel_ranking_model_drop (model, 1, LAUREL_DROP_BEFORE, 2)); /* already there */
  g_assert_true (laurel_ranking_model_drop (model, 2, LAUREL_DROP_INTO, 1));
  assert_says (model, "1: B = C, 2: A, 3: D");
  g_assert_true (laurel_ranking_model_drop (model, 3, LAUREL_DROP_BEFORE, 1));
  assert_says (model, "1: D, 2: B = C, 3: A");
  g_assert_true (laurel_ranking_model_drop (model, 2, LAUREL_DROP_INTO, 0));
  assert_says (model, "1: D, 2: B, 3: A, not ranked: C");
  g_assert_false (laurel_ranking_model_drop (model, 2, LAUREL_DROP_BEFORE, 6));
}

static void
test_submission (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (3);
  g_autoptr (LaurelRanking) ranking = NULL;
  g_autoptr (LaurelRanking) skip = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_ranking_model_is_untouched (model));
  g_assert_null (laurel_ranking_model_to_ranking (model, 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "A, B and C are not ranked yet"));
  g_clear_error (&error);

  laurel_ranking_model_put (model, 1, 3);
  laurel_ranking_model_put (model, 0, 1);
  g_assert_null (laurel_ranking_model_to_ranking (model, 1, &error));
  g_assert_nonnull (strstr (error->message, "C is not ranked yet"));
  g_clear_error (&error);
  laurel_ranking_model_put (model, 2, 3);
  laurel_ranking_model_set_quality (model, 1, 6);
  laurel_ranking_model_toggle_flag (model, 2, LAUREL_FLAG_RUDE);
  laurel_ranking_model_add_time (model, 1500, 20);
  ranking = laurel_ranking_model_to_ranking (model, 9, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ranking->labeler_id, ==, 9);
  g_assert_cmpint (ranking->ranks[0].rank, ==, 1);
  g_assert_cmpint (ranking->ranks[1].rank, ==, 2); /* the hole is closed */
  g_assert_cmpint (ranking->ranks[2].rank, ==, 2);
  g_assert_cmpint (ranking->ranks[1].quality, ==, 6);
  g_assert_cmpuint (ranking->ranks[2].flags, ==, LAUREL_FLAG_RUDE);
  g_assert_cmpint (ranking->active_ms, ==, 1500);
  g_assert_cmpuint (ranking->order_seed, ==, 5);

  skip = laurel_ranking_model_to_skip (model, 9, "language", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (skip->skip_reason, ==, "language");
  g_assert_cmpint (skip->ranks[0].rank, ==, 0);
  g_assert_null (laurel_ranking_model_to_skip (model, 9, "", NULL));
}

static void
test_all_bad (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (3);
  g_autoptr (LaurelRanking) ranking = NULL;

  laurel_ranking_model_set_all_bad (model, TRUE);
  g_assert_true (laurel_ranking_model_is_complete (model));
  ranking = laurel_ranking_model_to_ranking (model, 1, NULL);
  g_assert_true (ranking->all_bad);
  g_assert_cmpint (ranking->ranks[0].rank, ==, 0);
  laurel_ranking_model_put (model, 0, 1); /* begun, so it must be finished */
  g_assert_false (laurel_ranking_model_is_complete (model));
}

static void
test_reopen (void)
{
  g_autoptr (LaurelTask) task = make_task (7, 3);
  g_autoptr (LaurelTask) other = make_task (8, 3);
  g_autoptr (LaurelRankingModel) first = make_model (3);
  g_autoptr (LaurelRankingModel) again = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;
  g_autoptr (LaurelRanking) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;

  laurel_ranking_model_put (first, 0, 2);
  laurel_ranking_model_put (first, 1, 1);
  laurel_ranking_model_put (first, 2, 2);
  laurel_ranking_model_set_comment (first, "close");
  before = describe (first);
  ranking = laurel_ranking_model_to_ranking (first, 1, NULL);
  ranking->id = 44;
  again = laurel_ranking_model_new_from_ranking (task, ranking, &error);
  g_assert_no_error (error);
  assert_says (again, before);
  g_assert_cmpstr (laurel_ranking_model_get_comment (again), ==, "close");
  g_assert_false (laurel_ranking_model_can_undo (again));
  second = laurel_ranking_model_to_ranking (again, 1, NULL);
  g_assert_cmpint (second->supersedes, ==, 44);
  g_assert_null (laurel_ranking_model_new_from_ranking (other, ranking, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

static void
test_contradiction (void)
{
  g_autoptr (LaurelRankingModel) model = make_model (2);
  int better = -1, worse = -1;

  laurel_ranking_model_put (model, 0, 2);
  laurel_ranking_model_put (model, 1, 1);
  laurel_ranking_model_set_quality (model, 0, 5);
  g_assert_false (laurel_ranking_model_find_contradiction (model, &better, &worse));
  laurel_ranking_model_set_quality (model, 1, 4);
  g_assert_true (laurel_ranking_model_find_contradiction (model, &better, &worse));
  g_assert_cmpint (better, ==, 1);
  g_assert_cmpint (worse, ==, 0);
}

static void
count_change (LaurelRankingModel *model, gpointer user_data)
{
  ++*(int *) user_data;
}

static gboolean
do_something (LaurelRankingModel *model, LaurelRng *rng, gboolean *out_is_comment)
{
  int n = laurel_ranking_model_get_n_cards (model);
  int card = (int) laurel_rng_below (rng, (guint32) n);
  int lane = (int) laurel_rng_below (rng, (guint32) n + 2);
  char comment[16];

  *out_is_comment = FALSE;
  switch (laurel_rng_below (rng, 12)) {
  case 0: return laurel_ranking_model_move_up (model, card);
  case 1: return laurel_ranking_model_move_down (model, card);
  case 2: return laurel_ranking_model_tie_with_above (model, card);
  case 3: return laurel_ranking_model_unrank (model, card);
  case 4: return laurel_ranking_model_drop (model, card, LAUREL_DROP_INTO, lane);
  case 5: return laurel_ranking_model_drop (model, card, LAUREL_DROP_BEFORE, lane);
  case 6: return laurel_ranking_model_set_quality (model, card, (int) laurel_rng_below (rng, 9));
  case 7: return laurel_ranking_model_toggle_flag (model, card, 1u << laurel_rng_below (rng, 7));
  case 8: return laurel_ranking_model_set_all_bad (model, laurel_rng_below (rng, 2) != 0);
  case 9:
    *out_is_comment = TRUE;
    g_snprintf (comment, sizeof comment, "note %u", laurel_rng_below (rng, 5));
    return laurel_ranking_model_set_comment (model, comment);
  default: return laurel_ranking_model_put (model, card, lane);
  }
}

/* As it would be stored: ranks from 1 without holes, in the order of the lanes. */
static void
assert_ranks (LaurelRankingModel *model, const LaurelRanking *ranking)
{
  guint used = 0;
  int n_ranks = 0;

  for (int a = 0; a < ranking->n; a++) {
    used |= 1u << ranking->ranks[a].rank;
    n_ranks = MAX (n_ranks, ranking->ranks[a].rank);
    for (int b = 0; b < ranking->n; b++)
      g_assert_cmpint (laurel_ranking_model_get_lane (model, a)
                         < laurel_ranking_model_get_lane (model, b),
                       ==, ranking->ranks[a].rank < ranking->ranks[b].rank);
  }
  /* All of them, or none where nothing is any good. */
  g_assert_cmpuint (used, ==, n_ranks > 0 ? (2u << n_ranks) - 2 : 1);
}

static void
assert_valid (LaurelRankingModel *model, int *n_complete)
{
  g_autoptr (LaurelRanking) ranking = laurel_ranking_model_to_ranking (model, 1, NULL);
  int n = laurel_ranking_model_get_n_cards (model);
  int order[LAUREL_RANKING_MAX_CARDS];
  guint seen = 0;

  g_assert_cmpint (ranking != NULL, ==, laurel_ranking_model_is_complete (model));
  *n_complete += ranking != NULL;
  if (ranking != NULL)
    assert_ranks (model, ranking);
  for (int a = 0; a < n; a++)
    g_assert_cmpint (laurel_ranking_model_get_lane (model, a), <=, n);
  laurel_ranking_model_get_display_order (model, order);
  for (int i = 0; i < n; i++)
    seen |= 1u << order[i];
  g_assert_cmpuint (seen, ==, (1u << n) - 1);
}

/* Random work: each state's JSON loads into the same JSON; undoing all of it passes the same states
 * backwards. */
static void
test_random_work (void)
{
  int n_complete = 0;

  for (guint64 round = 0; round < 150; round++) {
    g_autoptr (LaurelRankingModel) model = NULL;
    g_autoptr (LaurelRankingModel) twin = NULL;
    g_autoptr (GPtrArray) states = g_ptr_array_new_with_free_func (g_free);
    gboolean was_comment = FALSE;
    int n_changes = 0, n_signals = 0;
    LaurelRng rng;

    laurel_rng_init (&rng, 11, LAUREL_RNG_TEST, round, 0);
    model = make_model (2 + (int) laurel_rng_below (&rng, 8));
    twin = make_model (laurel_ranking_model_get_n_cards (model));
    g_signal_connect (model, "changed", G_CALLBACK (count_change), &n_signals);
    g_ptr_array_add (states, laurel_ranking_model_to_json (model));
    for (int i = 0; i < 60; i++) {
      gboolean is_comment;
      gboolean changed = do_something (model, &rng, &is_comment);
      char *json = laurel_ranking_model_to_json (model);
      g_autofree char *copy = NULL;

      assert_valid (model, &n_complete);
      g_assert_true (laurel_ranking_model_load_json (twin, json, NULL));
      copy = laurel_ranking_model_to_json (twin);
      g_assert_cmpstr (copy, ==, json);
      g_assert_cmpint (changed, ==,
                       !g_str_equal (json, g_ptr_array_index (states, states->len - 1)));
      n_changes += changed;
      g_assert_cmpint (n_signals, ==, n_changes);
      if (!changed) {
        g_free (json);
        continue;
      }
      if (is_comment && was_comment)
        g_ptr_array_remove_index (states, states->len - 1); /* one step */
      g_ptr_array_add (states, json);
      was_comment = is_comment;
    }
    for (int way = 0; way < 2; way++) {
      for (int i = (int) states->len - 2; i >= 0; i--) {
        g_autofree char *json = NULL;

        g_assert_true (laurel_ranking_model_undo (model));
        json = laurel_ranking_model_to_json (model);
        g_assert_cmpstr (json, ==, g_ptr_array_index (states, i));
      }
      g_assert_false (laurel_ranking_model_undo (model));
      for (guint i = 1; i < states->len; i++) {
        g_autofree char *json = NULL;

        g_assert_true (laurel_ranking_model_redo (model));
        json = laurel_ranking_model_to_json (model);
        g_assert_cmpstr (json, ==, g_ptr_array_index (states, i));
      }
      g_assert_false (laurel_ranking_model_redo (model));
    }
  }
  g_assert_cmpint (n_complete, >, 100); /* else the stored form was not looked at */
}

static void
test_hostile_drafts (void)
{
  static const char *const drafts[] = {
    "",
    "{",
    "[]",
    "{}",
    "{\"version\":2,\"task\":7,\"order_seed\":\"5\"}",
    "{\"version\":1,\"task\":8,\"order_seed\":\"5\",\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":5,\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"-5\",\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,3],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,-1],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,\"2\"],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,2],\"quality\":[0,8],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,64]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":{},\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,[2]],\"quality\":[0,0],\"flags\":[0,0]}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,0],\"comment\":3}",
    "{\"version\":1,\"task\":7,\"order_seed\":\"5\",\"lanes\":[1,2],\"quality\":[0,0],\"flags\":[0,0],\"active_ms\":-1}",
    "\xff",
  };
  g_autoptr (LaurelRankingModel) model = make_model (2);
  g_autofree char *before = NULL;

  laurel_ranking_model_put (model, 1, 2);
  before = laurel_ranking_model_to_json (model);
  for (guint i = 0; i < G_N_ELEMENTS (drafts); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *after = NULL;

    g_assert_false (laurel_ranking_model_load_json (model, drafts[i], &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    after = laurel_ranking_model_to_json (model);
    g_assert_cmpstr (after, ==, before);
    g_assert_true (laurel_ranking_model_can_undo (model));
  }
}

static void
test_sizes (void)
{
  g_autoptr (LaurelTask) one = make_task (1, 1);
  g_autoptr (LaurelTask) ten = make_task (1, 10);
  g_autoptr (GError) error = NULL;

  g_assert_null (laurel_ranking_model_new (one, 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (laurel_ranking_model_new (ten, 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label/ranking-model/order", test_order);
  g_test_add_func ("/label/ranking-model/digits", test_digits);
  g_test_add_func ("/label/ranking-model/moves", test_moves);
  g_test_add_func ("/label/ranking-model/drop", test_drop);
  g_test_add_func ("/label/ranking-model/submission", test_submission);
  g_test_add_func ("/label/ranking-model/all-bad", test_all_bad);
  g_test_add_func ("/label/ranking-model/reopen", test_reopen);
  g_test_add_func ("/label/ranking-model/contradiction", test_contradiction);
  g_test_add_func ("/label/ranking-model/random-work", test_random_work);
  g_test_add_func ("/label/ranking-model/hostile-drafts", test_hostile_drafts);
  g_test_add_func ("/label/ranking-model/sizes", test_sizes);
  return g_test_run ();
}
