/* queue.c: all open tasks through all reward models, then into order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/queue.h"

#include "core/base/error.h"
#include "core/project/rater.h"

#include <math.h>

static gboolean
check_request (const LaurelQueueRequest *request, int n_models, GError **error)
{
  int n_wanted = laurel_strategy_min_models (request->strategy);

  if (!(request->random_share >= 0 && request->random_share <= 1)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not order the tasks: the random share is %g; it is a share from 0 to 1",
                 request->random_share);
    return FALSE;
  }
  if (n_models >= n_wanted)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not order the tasks by %s: it needs %d reward models and %d %s named; %s",
               laurel_strategy_to_string (request->strategy), n_wanted, n_models,
               n_models == 1 ? "is" : "are",
               n_wanted == 2 ? "train some with different seeds and name them" : "name one");
  return FALSE;
}

static GPtrArray *
load_raters (LaurelStore *store,
             const char *project_path,
             const LaurelQueueRequest *request,
             GError **error)
{
  g_autoptr (GPtrArray) raters =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_rater_free);
  gboolean is_needed = request->strategy != LAUREL_STRATEGY_RANDOM;

  for (int i = 0; is_needed && request->reward_models != NULL && request->reward_models[i] != NULL;
       i++) {
    LaurelRater *rater = laurel_rater_load (store, project_path, request->reward_models[i], error);

    if (rater == NULL)
      return NULL;
    g_ptr_array_add (raters, rater);
    if (rater->reward == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                   "Could not order the tasks by “%s”: it is a file of rules; name a reward model",
                   request->reward_models[i]);
      return NULL;
    }
  }
  return g_steal_pointer (&raters);
}

/* Each model's scores lie together; a task's completions are @n of its @n_all. */
static double
prioritise (
    LaurelStrategy strategy, const double *scores, int n_models, int n_all, int first, int n)
{
  g_autofree double *own = g_new (double, n_models *n + 1);

  for (int m = 0; m < n_models; m++)
    for (int i = 0; i < n; i++)
      own[m * n + i] = scores[m * n_all + first + i];
  return laurel_strategy_prioritise (strategy, own, n_models, n);
}

static gboolean
prioritise_batch (GPtrArray *tasks,
                  GPtrArray *raters,
                  LaurelStrategy strategy,
                  double *priorities,
                  GError **error)
{
  int n_all = laurel_label_count_completions (tasks), first = 0;
  g_autofree double *scores = g_new (double, n_all *(int) raters->len + 1);

  for (guint m = 0; m < raters->len; m++)
    if (!laurel_rater_score_tasks (tasks, scores + (int) m * n_all, g_ptr_array_index (raters, m),
                                   error))
      return FALSE;
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);
    int n = (int) task->completions->len;

    priorities[i] = prioritise (strategy, scores, (int) raters->len, n_all, first, n);
    if (isnan (priorities[i])) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                   "Could not order the tasks: a completion of task %" G_GINT64_FORMAT
                   " has no finite score; check the reward models",
                   task->id);
      return FALSE;
    }
    first += n;
  }
  return TRUE;
}

static gboolean
prioritise_all (LaurelStore *store,
                const GArray *ids,
                GPtrArray *raters,
                const LaurelQueueRequest *request,
                double *priorities,
                GError **error)
{
  for (guint first = 0; first < ids->len;) {
    g_autoptr (GPtrArray) tasks = laurel_label_load_batch (store, ids, first, error);

    if (tasks == NULL
        || !prioritise_batch (tasks, raters, request->strategy, priorities + first, error))
      return FALSE;
    first += tasks->len;
    if (request->progress != NULL
        && !request->progress ((int) first, (int) ids->len, request->user_data)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not order the tasks: it was stopped; the queue is as it was");
      return FALSE;
    }
  }
  return TRUE;
}

/* Its task was drawn when it has a priority and is random all the same; without one, nothing but
 * chance has seen it. @out_rule: whose it is then, else NULL. */
static LaurelDraw
find_draw (const LaurelTaskOutline *task, const char **out_rule)
{
  LaurelStrategy strategy;

  *out_rule = NULL;
  if (task == NULL || !laurel_strategy_from_string (task->sampler, &strategy, NULL))
    return LAUREL_DRAW_OPEN;
  if (strategy == LAUREL_STRATEGY_RANDOM)
    return isnan (task->priority) ? LAUREL_DRAW_OPEN : LAUREL_DRAW_RANDOM;
  *out_rule = laurel_strategy_to_string (strategy);
  return LAUREL_DRAW_RULE;
}

static gboolean
write_order (LaurelStore *store,
             const GArray *ids,
             const double *priorities,
             const LaurelQueueRequest *request,
             LaurelQueueResult *out,
             GError **error)
{
  int n = (int) ids->len;
  g_autofree LaurelSelected *order = g_new (LaurelSelected, n + 1);
  g_autofree LaurelQueueEntry *entries = g_new (LaurelQueueEntry, n + 1);
  g_autofree LaurelDraw *draws = g_new (LaurelDraw, n + 1);
  g_autofree const char **rules = g_new (const char *, n + 1);
  g_autoptr (GHashTable) tasks = laurel_store_map_tasks (store, error);

  if (tasks == NULL)
    return FALSE;
  for (int i = 0; i < n; i++)
    draws[i] = find_draw (g_hash_table_lookup (tasks, &g_array_index (ids, gint64, i)), &rules[i]);
  laurel_selection_order (request->strategy, priorities, draws, n, request->random_share,
                          request->seed, order);
  *out = (LaurelQueueResult){ .n_tasks = n };
  for (int i = 0; i < n; i++) {
    entries[i].task_id = g_array_index (ids, gint64, order[i].task);
    entries[i].priority = priorities[order[i].task];
    if (order[i].is_random)
      entries[i].sampler = laurel_strategy_to_string (LAUREL_STRATEGY_RANDOM);
    else if (request->strategy == LAUREL_STRATEGY_RANDOM)
      entries[i].sampler = rules[order[i].task]; /* what is left of a rule's choice is no sample */
    else
      entries[i].sampler = laurel_strategy_to_string (request->strategy);
    out->n_random += order[i].is_random;
  }
  return laurel_store_order_tasks (store, entries, n, error);
}

gboolean
laurel_queue_order (LaurelStore *store,
                    const char *project_path,
                    const LaurelQueueRequest *request,
                    LaurelQueueResult *out,
                    GError **error)
{
  const char *const *models = request->reward_models;
  int n_models = models != NULL ? (int) g_strv_length ((char **) models) : 0;
  g_autoptr (GPtrArray) raters = NULL;
  g_autoptr (GArray) ids = NULL;
  g_autofree double *priorities = NULL;

  if (!check_request (request, n_models, error))
    return FALSE;
  raters = load_raters (store, project_path, request, error);
  ids = raters != NULL ? laurel_store_list_task_ids (store, 0, FALSE, error) : NULL;
  if (ids == NULL)
    return FALSE;
  priorities = g_new (double, ids->len + 1);
  for (guint i = 0; i < ids->len; i++)
    priorities[i] = NAN;
  if (raters->len > 0 && !prioritise_all (store, ids, raters, request, priorities, error))
    return FALSE;
  return write_order (store, ids, priorities, request, out, error);
}
