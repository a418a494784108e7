/* simulate.c: a score becomes a ranking, with a labeler's slips.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/simulate.h"

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/label/ranking_model.h"

#include <math.h>

/* Enough that a reward model's passes are full, few enough to stop soon and to keep the database
 * free for others. */
#define BATCH 64

/* The rank of each card: one more than the number of different better scores.
 * Returns the worst rank. */
static int
rank_scores (const double *scores, int n, int *ranks)
{
  int worst = 0;

  for (int i = 0; i < n; i++) {
    ranks[i] = 1;
    for (int j = 0; j < n; j++) {
      gboolean is_first = TRUE; /* of the cards with this score */

      for (int k = 0; k < j; k++)
        is_first = is_first && scores[k] != scores[j];
      ranks[i] += is_first && scores[j] > scores[i];
    }
    worst = MAX (worst, ranks[i]);
  }
  return worst;
}

static void
make_slip (int *ranks, int n, int n_ranks, double noise, guint64 seed, gint64 task_id)
{
  LaurelRng rng;
  int upper;

  laurel_rng_init (&rng, seed, LAUREL_RNG_LABEL, (guint64) task_id, 0);
  if (n_ranks < 2 || laurel_rng_uniform (&rng) >= noise)
    return;
  upper = 1 + (int) laurel_rng_below (&rng, (guint32) n_ranks - 1);
  for (int i = 0; i < n; i++)
    ranks[i] = ranks[i] == upper ? upper + 1 : ranks[i] == upper + 1 ? upper : ranks[i];
}

/* @scores (n) are of the task's completions in stored order. */
static LaurelRanking *
make_ranking (const LaurelTask *task,
              const double *scores,
              const LaurelSimulation *simulation,
              GError **error)
{
  g_autoptr (LaurelRankingModel) model = laurel_ranking_model_new (
      task, laurel_ranking_order_seed (task->id, simulation->labeler_id), error);
  double card_scores[LAUREL_RANKING_MAX_CARDS];
  int ranks[LAUREL_RANKING_MAX_CARDS];
  int n, n_ranks;

  if (model == NULL)
    return NULL;
  n = laurel_ranking_model_get_n_cards (model);
  for (int card = 0; card < n; card++)
    card_scores[card] = scores[laurel_ranking_model_get_completion_index (model, card)];
  n_ranks = rank_scores (card_scores, n, ranks);
  make_slip (ranks, n, n_ranks, simulation->noise, simulation->seed, task->id);
  for (int card = 0; card < n; card++)
    laurel_ranking_model_put (model, card, ranks[card]);
  return laurel_ranking_model_to_ranking (model, simulation->labeler_id, error);
}

static gboolean
check_scores (const LaurelTask *task, const double *scores, GError **error)
{
  for (guint i = 0; i < task->completions->len; i++) {
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, i);

    if (!isfinite (scores[i])) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                   "Could not rank task %" G_GINT64_FORMAT ": completion %" G_GINT64_FORMAT
                   " has no finite score; check the judge",
                   task->id, completion->id);
      return FALSE;
    }
  }
  return TRUE;
}

/* One that another process has ranked meanwhile under the same name is left to it. */
static gboolean
save_ranking (LaurelStore *store, LaurelRanking *ranking, int *n_saved, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (laurel_store_add_ranking (store, ranking, &local)) {
    (*n_saved)++;
    return TRUE;
  }
  if (g_error_matches (local, LAUREL_ERROR, LAUREL_ERROR_EXISTS))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
save_batch (LaurelStore *store,
            GPtrArray *tasks,
            const double *scores,
            const LaurelSimulation *simulation,
            int *n_saved,
            GError **error)
{
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);
    g_autoptr (LaurelRanking) ranking = NULL;

    if (!check_scores (task, scores, error))
      return FALSE;
    ranking = make_ranking (task, scores, simulation, error);
    if (ranking == NULL || !save_ranking (store, ranking, n_saved, error))
      return FALSE;
    scores += task->completions->len;
  }
  return TRUE;
}

int
laurel_label_count_completions (GPtrArray *tasks)
{
  guint n = 0;

  for (guint i = 0; i < tasks->len; i++)
    n += ((const LaurelTask *) g_ptr_array_index (tasks, i))->completions->len;
  return (int) n;
}

/* Scoring takes its time and is done before the database is held. */
static gboolean
rank_batch (LaurelStore *store,
            GPtrArray *tasks,
            const LaurelSimulation *simulation,
            int *n_saved,
            GError **error)
{
  g_autofree double *scores = g_new (double, laurel_label_count_completions (tasks) + 1);

  if (!simulation->score (tasks, scores, simulation->score_data, error)
      || !laurel_store_begin (store, error))
    return FALSE;
  if (!save_batch (store, tasks, scores, simulation, n_saved, error)) {
    laurel_store_rollback (store);
    return FALSE;
  }
  return laurel_store_commit (store, error);
}

GPtrArray *
laurel_label_load_batch (LaurelStore *store, const GArray *ids, guint first, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_task_free);

  for (guint i = first; i < MIN (first + BATCH, ids->len); i++) {
    LaurelTask *task = laurel_store_get_task (store, g_array_index (ids, gint64, i), error);

    if (task == NULL)
      return NULL;
    g_ptr_array_add (tasks, task);
  }
  return g_steal_pointer (&tasks);
}

static gboolean
rank_all (LaurelStore *store,
          const GArray *ids,
          const LaurelSimulation *simulation,
          int *n_saved,
          GError **error)
{
  for (guint first = 0; first < ids->len; first += BATCH) {
    g_autoptr (GPtrArray) tasks = laurel_label_load_batch (store, ids, first, error);

    if (tasks == NULL || !rank_batch (store, tasks, simulation, n_saved, error))
      return FALSE;
    if (first + tasks->len < ids->len && simulation->progress != NULL
        && !simulation->progress ((int) (first + tasks->len), (int) ids->len,
                                  simulation->progress_data)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not rank all tasks: it was stopped after %u of %u; run it again to go on",
                   first + tasks->len, ids->len);
      return FALSE;
    }
  }
  return TRUE;
}

int
laurel_label_simulate_tasks (LaurelStore *store, const LaurelSimulation *simulation, GError **error)
{
  g_autoptr (GArray) ids = NULL;
  int n_saved = 0;

  if (!(simulation->noise >= 0 && simulation->noise <= 1)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not simulate labels: the noise is %g; it is a share from 0 to 1",
                 simulation->noise);
    return -1;
  }
  ids = laurel_store_list_task_ids (store, simulation->labeler_id, simulation->all_tasks, error);
  if (ids == NULL)
    return -1;
  if (simulation->count > 0 && (guint) simulation->count < ids->len)
    g_array_set_size (ids, (guint) simulation->count);
  return rank_all (store, ids, simulation, &n_saved, error) ? n_saved : -1;
}

/* --- One completion at a time --------------------------------------------------------- */

typedef struct {
  LaurelScoreFunc score;
  gpointer user_data;
} OneByOne;

static gboolean
score_one_by_one (GPtrArray *tasks, double *scores, gpointer user_data, GError **error)
{
  const OneByOne *self = user_data;

  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);

    for (guint k = 0; k < task->completions->len; k++)
      *scores++ =
          self->score (task->prompt, g_ptr_array_index (task->completions, k), self->user_data);
  }
  return TRUE;
}

int
laurel_label_simulate (LaurelStore *store,
                       gint64 labeler_id,
                       LaurelScoreFunc score,
                       gpointer user_data,
                       double noise,
                       guint64 seed,
                       int count,
                       GError **error)
{
  OneByOne one_by_one = { score, user_data };
  const LaurelSimulation simulation = { .labeler_id = labeler_id,
                                        .score = score_one_by_one,
                                        .score_data = &one_by_one,
                                        .noise = noise,
                                        .seed = seed,
                                        .count = count };

  return laurel_label_simulate_tasks (store, &simulation, error);
}
