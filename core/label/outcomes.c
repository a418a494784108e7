/* outcomes.c: every pair of a ranking's completions that two models wrote.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/outcomes.h"

#include <math.h>
#include <string.h>

LaurelOutcomes *
laurel_outcomes_new (void)
{
  LaurelOutcomes *self = g_new0 (LaurelOutcomes, 1);

  self->models = g_ptr_array_new_with_free_func (g_free);
  self->outcomes = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));
  return self;
}

void
laurel_outcomes_free (LaurelOutcomes *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->models);
  g_array_unref (self->outcomes);
  g_free (self);
}

int
laurel_outcomes_find_model (const LaurelOutcomes *self, const char *name)
{
  for (guint i = 0; i < self->models->len; i++)
    if (g_str_equal (g_ptr_array_index (self->models, i), name))
      return (int) i;
  return -1;
}

int
laurel_outcomes_ensure_model (LaurelOutcomes *self, const char *name)
{
  int index = laurel_outcomes_find_model (self, name);

  if (index >= 0)
    return index;
  g_ptr_array_add (self->models, g_strdup (name));
  return (int) self->models->len - 1;
}

static gboolean
is_same (const LaurelCompletion *a, const LaurelCompletion *b)
{
  if (a->n_tokens == 0 || b->n_tokens == 0)
    return g_str_equal (a->text, b->text);
  return a->n_tokens == b->n_tokens
         && memcmp (a->tokens, b->tokens, (gsize) a->n_tokens * sizeof *a->tokens) == 0;
}

static void
add_pair (LaurelOutcomes *self,
          const LaurelTask *task,
          const LaurelCompletion *a,
          const LaurelCompletion *b,
          int rank_a,
          int rank_b)
{
  LaurelOutcome outcome = { .prompt_id = task->prompt_id, .task_id = task->id, .length_gap = NAN };

  if (rank_a == 0 || rank_b == 0 || g_str_equal (a->model, b->model))
    return;
  outcome.a = laurel_outcomes_ensure_model (self, a->model);
  outcome.b = laurel_outcomes_ensure_model (self, b->model);
  outcome.result = is_same (a, b) ? 0 : (rank_a < rank_b) - (rank_a > rank_b);
  if (a->n_tokens > 0 && b->n_tokens > 0)
    outcome.length_gap = a->n_tokens - b->n_tokens;
  g_array_append_val (self->outcomes, outcome);
}

static void
add_ranking (LaurelOutcomes *self, const LaurelTask *task, const LaurelRanking *ranking)
{
  for (int i = 0; i < ranking->n; i++)
    for (int j = i + 1; j < ranking->n; j++) {
      const LaurelCompletion *a =
          laurel_task_find_completion (task, ranking->ranks[i].completion_id);
      const LaurelCompletion *b =
          laurel_task_find_completion (task, ranking->ranks[j].completion_id);

      if (a != NULL && b != NULL)
        add_pair (self, task, a, b, ranking->ranks[i].rank, ranking->ranks[j].rank);
    }
}

LaurelOutcomes *
laurel_outcomes_collect (LaurelStore *store,
                         LaurelLabelers labelers,
                         const char *name,
                         GError **error)
{
  g_autoptr (GPtrArray) rankings = laurel_store_list_rankings_by (store, labelers, -1, 0, error);
  g_autoptr (LaurelOutcomes) outcomes = laurel_outcomes_new ();

  if (rankings == NULL)
    return NULL;
  for (guint i = 0; i < rankings->len; i++) {
    const LaurelRanking *ranking = g_ptr_array_index (rankings, i);
    g_autoptr (LaurelTask) task = NULL;

    if (name != NULL && !g_str_equal (ranking->labeler, name))
      continue;
    task = laurel_store_get_task (store, ranking->task_id, error);
    if (task == NULL)
      return NULL;
    add_ranking (outcomes, task, ranking);
  }
  return g_steal_pointer (&outcomes);
}

GArray *
laurel_outcomes_between (const LaurelOutcomes *self, int a, int b)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (LaurelOutcome));

  for (guint i = 0; i < self->outcomes->len; i++) {
    LaurelOutcome outcome = g_array_index (self->outcomes, LaurelOutcome, i);

    if (outcome.a == b && outcome.b == a) {
      outcome.a = a;
      outcome.b = b;
      outcome.result *= -1;
      outcome.length_gap *= -1;
    }
    if (outcome.a == a && outcome.b == b)
      g_array_append_val (list, outcome);
  }
  return list;
}
