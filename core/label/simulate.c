/* simulate.c: a score becomes a ranking, with a labeler's slips.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/simulate.h"

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/label/ranking_model.h"

#include <math.h>

/* Long enough for a slow reward model; a process that dies loses its lease at once anyway. */
#define LEASE_SECONDS 600

static gboolean
score_cards (LaurelRankingModel *model,
             const LaurelTask *task,
             LaurelScoreFunc score,
             gpointer user_data,
             double *scores,
             GError **error)
{
  for (int card = 0; card < laurel_ranking_model_get_n_cards (model); card++) {
    int index = laurel_ranking_model_get_completion_index (model, card);
    const LaurelCompletion *completion = g_ptr_array_index (task->completions, index);

    scores[card] = score (task->prompt, completion, user_data);
    if (!isfinite (scores[card])) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                   "Could not rank task %" G_GINT64_FORMAT ": completion %" G_GINT64_FORMAT
                   " has no finite score; check the judge",
                   task->id, completion->id);
      return FALSE;
    }
  }
  return TRUE;
}

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

static gboolean
rank_task (LaurelStore *store,
           const LaurelTask *task,
           gint64 labeler_id,
           LaurelScoreFunc score,
           gpointer user_data,
           double noise,
           guint64 seed,
           GError **error)
{
  g_autoptr (LaurelRankingModel) model = NULL;
  g_autoptr (LaurelRanking) ranking = NULL;
  double scores[LAUREL_RANKING_MAX_CARDS];
  int ranks[LAUREL_RANKING_MAX_CARDS];
  int n, n_ranks;

  model = laurel_ranking_model_new (task, laurel_ranking_order_seed (task->id, labeler_id), error);
  if (model == NULL || !score_cards (model, task, score, user_data, scores, error))
    return FALSE;
  n = laurel_ranking_model_get_n_cards (model);
  n_ranks = rank_scores (scores, n, ranks);
  make_slip (ranks, n, n_ranks, noise, seed, task->id);
  for (int card = 0; card < n; card++)
    laurel_ranking_model_put (model, card, ranks[card]);
  ranking = laurel_ranking_model_to_ranking (model, labeler_id, error);
  return ranking != NULL && laurel_store_add_ranking (store, ranking, error);
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
  int n = 0;

  if (!(noise >= 0 && noise <= 1)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not simulate labels: the noise is %g; it is a share from 0 to 1", noise);
    return -1;
  }
  while (count <= 0 || n < count) {
    g_autoptr (GError) local = NULL;
    g_autoptr (LaurelTask) task = laurel_store_next_task (store, labeler_id, LEASE_SECONDS, &local);

    if (task == NULL && local == NULL)
      return n;
    if (task == NULL ||
        !rank_task (store, task, labeler_id, score, user_data, noise, seed, &local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return -1;
    }
    n++;
  }
  return n;
}
