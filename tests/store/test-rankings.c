/* test-rankings.c: prompts, tasks, rankings, comparisons and drafts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fixture.h"

#include "core/base/error.h"

#include <string.h>

static gint64
add_labeler (LaurelStore *store, const char *name)
{
  g_autoptr (GError) error = NULL;
  gint64 id = laurel_store_ensure_labeler (store, name, LAUREL_LABELER_PERSON, &error);

  g_assert_no_error (error);
  return id;
}

static void
test_prompts (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = NULL;
  gint64 first = laurel_store_ensure_prompt (self->store, "100% of what?", "train", "sums", &error);
  gint64 second = laurel_store_ensure_prompt (self->store, "Who, me?", "heldout", "", &error);

  g_assert_no_error (error);
  g_assert_cmpint (laurel_store_ensure_prompt (self->store, "100% of what?", "heldout", "", NULL),
                   ==, first);
  g_assert_cmpint (second, !=, first);
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, NULL, NULL), ==, 2);
  g_assert_cmpint (laurel_store_count_prompts (self->store, "heldout", NULL, NULL), ==, 1);
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, "0% o", NULL), ==,
                   1); /* % is no wildcard */
  g_assert_cmpint (laurel_store_count_prompts (self->store, NULL, "0%o", NULL), ==, 0);
  found = laurel_store_list_prompts (self->store, NULL, "sums", -1, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found->len, ==, 1);
  g_assert_cmpint (((LaurelPrompt *) g_ptr_array_index (found, 0))->id, ==, first);
  g_assert_cmpint (laurel_store_ensure_prompt (self->store, "", "train", "", &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (laurel_store_ensure_prompt (self->store, "x", "test", "", &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (laurel_store_ensure_prompt (self->store, "\xff", "train", "", &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

static void
test_completions (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 3, 1);
  const LaurelCompletion *completion = g_ptr_array_index (task->completions, 1);
  g_autoptr (GError) error = NULL;
  gint64 other_prompt = laurel_store_ensure_prompt (self->store, "other", "train", "", NULL);
  gint64 mixed[2];

  g_assert_cmpint (completion->n_tokens, ==, 3);
  g_assert_cmpint (completion->tokens[2], ==, 12);
  g_assert_cmpfloat (completion->logprobs[1], ==, -1.0f);
  g_assert_cmpuint (completion->seed, ==, G_MAXUINT64 - 3);
  g_assert_cmpint (completion->finish, ==, LAUREL_FINISH_STOP);

  mixed[0] = completion->id;
  mixed[1] = add_completion (self->store, other_prompt, 5, 2);
  g_assert_cmpint (laurel_store_add_task (self->store, other_prompt, mixed, 2, 1, "random", &error),
                   ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "another prompt"));
  g_assert_cmpint (laurel_store_count_tasks (self->store, FALSE, NULL), ==, 1);
}

static gboolean
has_comparison (GPtrArray *rows, const LaurelTask *task, int chosen, int rejected)
{
  gint64 chosen_id = ((LaurelCompletion *) task->completions->pdata[chosen])->id;
  gint64 rejected_id = ((LaurelCompletion *) task->completions->pdata[rejected])->id;

  for (guint i = 0; i < rows->len; i++) {
    const LaurelComparisonRow *row = g_ptr_array_index (rows, i);

    if (row->chosen_id == chosen_id && row->rejected_id == rejected_id &&
        row->prompt_id == task->prompt_id)
      return TRUE;
  }
  return FALSE;
}

/* One tie, one superseded, one skipped, one with “none of these”: the pairs are counted by hand. */
static void
test_comparisons (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) a = add_task (self->store, 4, 1);
  g_autoptr (LaurelTask) b = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) c = add_task (self->store, 3, 1);
  g_autoptr (LaurelTask) d = add_task (self->store, 2, 1);
  g_autoptr (LaurelRanking) skip = NULL;
  g_autoptr (LaurelRanking) bad = NULL;
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (GPtrArray) in_force = NULL;
  g_autoptr (GError) error = NULL;
  gint64 anna = add_labeler (self->store, "Anna");
  gint64 first;

  add_ranking (self->store, a, anna, (int[]){ 2, 1, 2, 4 }, 0); /* 1>0 1>2 1>3 0>3 2>3 */
  first = add_ranking (self->store, b, anna, (int[]){ 1, 2 }, 0);
  add_ranking (self->store, b, anna, (int[]){ 2, 1 }, first); /* 1>0 */
  skip = make_ranking (c, anna, (int[]){ 0, 0, 0 });
  skip->skip_reason = g_strdup ("unclear");
  g_assert_true (laurel_store_add_ranking (self->store, skip, &error));
  bad = make_ranking (d, anna, (int[]){ 2, 1 });
  bad->all_bad = TRUE; /* still ranked: 1>0 */
  g_assert_true (laurel_store_add_ranking (self->store, bad, &error));
  g_assert_no_error (error);

  rows = laurel_store_list_comparisons (self->store, LAUREL_LABELERS_ALL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (rows->len, ==, 7);
  g_assert_true (has_comparison (rows, a, 1, 0));
  g_assert_true (has_comparison (rows, a, 1, 2));
  g_assert_true (has_comparison (rows, a, 1, 3));
  g_assert_true (has_comparison (rows, a, 0, 3));
  g_assert_true (has_comparison (rows, a, 2, 3));
  g_assert_true (has_comparison (rows, b, 1, 0));
  g_assert_true (has_comparison (rows, d, 1, 0));
  g_assert_cmpint (laurel_store_count_rankings (self->store, 0, 0, NULL), ==, 3);
  g_assert_cmpint (laurel_store_count_rankings (self->store, anna + 1, 0, NULL), ==, 0);
  in_force = laurel_store_list_rankings (self->store, b->id, NULL);
  g_assert_cmpint (in_force->len, ==, 1);
  g_assert_cmpint (((LaurelRanking *) in_force->pdata[0])->supersedes, ==, first);
  g_assert_cmpint (laurel_store_count_tasks (self->store, TRUE, NULL), ==, 1); /* the skipped one */
  g_assert_true (laurel_store_check (self->store, &error));
  g_assert_no_error (error);
}

static void
test_identical_completions (Fixture *self, gconstpointer data)
{
  g_autoptr (GPtrArray) rows = NULL;
  g_autoptr (LaurelTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gint64 prompt = laurel_store_ensure_prompt (self->store, "Same?", "train", "", NULL);
  gint64 ids[3] = { add_completion (self->store, prompt, 1, 3),
                    add_completion (self->store, prompt, 1, 3),
                    add_completion (self->store, prompt, 1, 4) };
  gint64 id = laurel_store_add_task (self->store, prompt, ids, 3, 1, "random", &error);

  g_assert_no_error (error);
  task = laurel_store_get_task (self->store, id, &error);
  add_ranking (self->store, task, add_labeler (self->store, "Ben"), (int[]){ 1, 2, 3 }, 0);
  rows = laurel_store_list_comparisons (self->store, LAUREL_LABELERS_ALL, &error);
  g_assert_cmpint (rows->len, ==, 2); /* each of the twins over the third, neither over the other */
  g_assert_true (has_comparison (rows, task, 0, 2));
  g_assert_true (has_comparison (rows, task, 1, 2));
}

static void
assert_refused (Fixture *self, LaurelRanking *ranking, LaurelError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_store_add_ranking (self->store, ranking, &error));
  g_assert_error (error, LAUREL_ERROR, (int) code);
  g_assert_cmpint (ranking->id, ==, 0);
}

static void
test_refused_rankings (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 3, 2);
  g_autoptr (LaurelTask) other = add_task (self->store, 3, 1);
  g_autoptr (LaurelDraft) draft = NULL;
  gint64 anna = add_labeler (self->store, "Anna");
  gint64 ben = add_labeler (self->store, "Ben");
  gint64 first, second;
  struct {
    LaurelTask *task;
    int ranks[3];
    gint64 labeler, supersedes;
    LaurelError code;
  } cases[8];
  int n = 0;

  g_assert_true (laurel_store_put_draft (self->store, task->id, anna, "{}", NULL));
  first = add_ranking (self->store, other, anna, (int[]){ 1, 2, 3 }, 0);
  second = add_ranking (self->store, other, anna, (int[]){ 3, 2, 1 }, first);
#define CASE(...) cases[n++] = (__typeof__ (cases[0])){ __VA_ARGS__ }
  CASE (task, { 1, 2, 0 }, anna, 0, LAUREL_ERROR_INVALID_ARGUMENT); /* one is not ranked */
  CASE (task, { 1, 2, 4 }, anna, 0, LAUREL_ERROR_INVALID_ARGUMENT); /* no such rank */
  CASE (task, { 1, 2, -1 }, anna, 0, LAUREL_ERROR_INVALID_ARGUMENT);
  CASE (other, { 1, 2, 3 }, anna, 0, LAUREL_ERROR_EXISTS);               /* ranked already */
  CASE (other, { 1, 2, 3 }, anna, first, LAUREL_ERROR_MISMATCH);         /* superseded already */
  CASE (task, { 1, 2, 3 }, anna, second, LAUREL_ERROR_INVALID_ARGUMENT); /* of another task */
  CASE (other, { 1, 2, 3 }, ben, second, LAUREL_ERROR_MISMATCH);         /* of another labeler */
  CASE (task, { 1, 2, 3 }, 999, 0, LAUREL_ERROR_NOT_FOUND);              /* no such labeler */
#undef CASE
  for (int i = 0; i < n; i++) {
    g_autoptr (LaurelRanking) ranking =
      make_ranking (cases[i].task, cases[i].labeler, cases[i].ranks);

    ranking->supersedes = cases[i].supersedes;
    assert_refused (self, ranking, cases[i].code);
  }
  {
    g_autoptr (LaurelRanking) foreign = make_ranking (task, anna, (int[]){ 1, 2, 3 });

    foreign->ranks[0].completion_id = ((LaurelCompletion *) other->completions->pdata[0])->id;
    assert_refused (self, foreign, LAUREL_ERROR_INVALID_ARGUMENT);
    foreign->ranks[0].completion_id = foreign->ranks[1].completion_id;
    assert_refused (self, foreign, LAUREL_ERROR_EXISTS);
    foreign->n = 2;
    assert_refused (self, foreign, LAUREL_ERROR_MISMATCH);
  }
  g_assert_cmpint (laurel_store_count_rankings (self->store, 0, 0, NULL), ==, 1);
  draft = laurel_store_get_draft (self->store, task->id, anna, NULL);
  g_assert_nonnull (draft); /* what was refused deletes no draft */
}

static void
test_queue (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) a = add_task (self->store, 2, 1);
  g_autoptr (LaurelTask) b = add_task (self->store, 2, 2);
  g_autoptr (LaurelTask) c = add_task (self->store, 2, 1);
  g_autoptr (GError) error = NULL;
  gint64 anna = add_labeler (self->store, "Anna");
  gint64 ben = add_labeler (self->store, "Ben");
  const int ranks[] = { 1, 2 };

#define ASSERT_NEXT(labeler, expected) \
  G_STMT_START \
  { \
    g_autoptr (LaurelTask) next = laurel_store_next_task (self->store, labeler, 60, &error); \
    g_assert_no_error (error); \
    g_assert_cmpint (next != NULL ? next->id : 0, ==, expected); \
    g_assert_cmpint (next != NULL ? next->completions->len : 2, ==, 2); \
  } \
  G_STMT_END

  ASSERT_NEXT (anna, a->id);
  ASSERT_NEXT (anna, a->id); /* the same process gets its own lease again */
  g_assert_true (laurel_store_put_draft (self->store, c->id, anna, "{}", NULL));
  ASSERT_NEXT (anna, c->id); /* drafts first */
  ASSERT_NEXT (ben, a->id);
  add_ranking (self->store, c, anna, ranks, 0); /* deletes the draft */
  ASSERT_NEXT (anna, a->id);
  add_ranking (self->store, a, anna, ranks, 0);
  ASSERT_NEXT (anna, b->id);
  ASSERT_NEXT (ben, b->id);
  add_ranking (self->store, b, anna, ranks, 0);
  ASSERT_NEXT (anna, 0);
  ASSERT_NEXT (ben, b->id); /* wants two labelers */
  {
    g_autoptr (LaurelRanking) skip = make_ranking (b, ben, (int[]){ 0, 0 });
    g_autoptr (LaurelRanking) previous = NULL;

    skip->skip_reason = g_strdup ("language");
    g_assert_true (laurel_store_add_ranking (self->store, skip, NULL));
    ASSERT_NEXT (ben, 0);
    previous = laurel_store_previous_ranking (self->store, ben, 0, &error);
    g_assert_cmpstr (previous->skip_reason, ==, "language");
    g_assert_null (laurel_store_previous_ranking (self->store, ben, previous->id, &error));
    g_assert_no_error (error);
    add_ranking (self->store, b, ben, ranks, previous->id);
  }
  g_assert_cmpint (laurel_store_count_tasks (self->store, TRUE, NULL), ==, 0);
#undef ASSERT_NEXT
}

static void
test_labelers_and_facts (Fixture *self, gconstpointer data)
{
  g_autoptr (LaurelTask) task = add_task (self->store, 2, 1);
  g_autoptr (GPtrArray) labelers = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *fact = NULL;
  gint64 anna = add_labeler (self->store, "Anna");
  gint64 rules = laurel_store_ensure_labeler (self->store, "Anna", LAUREL_LABELER_RULES, &error);
  const LaurelLabeler *first;

  g_assert_cmpint (rules, !=, anna);
  g_assert_cmpint (add_labeler (self->store, "Anna"), ==, anna);
  ranking = make_ranking (task, anna, (int[]){ 1, 1 });
  ranking->active_ms = 1234;
  g_assert_true (laurel_store_add_ranking (self->store, ranking, &error));
  labelers = laurel_store_list_labelers (self->store, &error);
  g_assert_cmpint (labelers->len, ==, 2);
  first = g_ptr_array_index (labelers, 0);
  g_assert_cmpint (first->n_rankings, ==, 1);
  g_assert_cmpint (first->active_ms, ==, 1234);

  g_assert_null (laurel_store_get_fact (self->store, "guidelines", &error));
  g_assert_no_error (error);
  g_assert_true (laurel_store_set_fact (self->store, "guidelines", "Be kind", &error));
  g_assert_true (laurel_store_set_fact (self->store, "guidelines", "Be honest", &error));
  fact = laurel_store_get_fact (self->store, "guidelines", &error);
  g_assert_cmpstr (fact, ==, "Be honest");
  g_assert_true (laurel_store_add_demonstration (self->store, "Hi", "Hello", &error));
  g_assert_true (laurel_store_add_demonstration (self->store, "Hi", "Hello", &error));
  g_assert_cmpint (laurel_store_count_demonstrations (self->store, &error), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/store/rankings/prompts", test_prompts);
  ADD_TEST ("/store/rankings/completions", test_completions);
  ADD_TEST ("/store/rankings/comparisons", test_comparisons);
  ADD_TEST ("/store/rankings/identical-completions", test_identical_completions);
  ADD_TEST ("/store/rankings/refused", test_refused_rankings);
  ADD_TEST ("/store/rankings/queue", test_queue);
  ADD_TEST ("/store/rankings/labelers-and-facts", test_labelers_and_facts);
  return g_test_run ();
}
