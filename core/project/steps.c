/* steps.c: how many steps a run over the project's rankings will take, before it starts.
 *
 * Rankings are counted as the run itself will count them, but for completions that are the same
 * text twice, of which only their tokens tell.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/comparison.h"
#include "core/train/reward_loss.h"
#include "core/train/sequence.h"

/* Some hundred milliseconds, for which people wait in a dialog. */
#define MAX_RANKINGS 10000

static gboolean
learns_from_rankings (const LaurelTrainRequest *request)
{
  return request->data_files == NULL
         && (request->stage == LAUREL_STAGE_REWARD || request->stage == LAUREL_STAGE_DPO
             || request->chosen);
}

/* Rows that one ranking makes: itself, where it has a pair; or all of its best completions. */
static gsize
count_rows_of (const LaurelTrainRequest *request, const LaurelRanking *ranking)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  const LaurelRewardRule rule = { hp->reward_loss, hp->ties },
                         strict = { LAUREL_REWARD_PAIRWISE, LAUREL_TIES_DROP };
  g_autofree int *ranks = g_new (int, ranking->n);
  int n = 0, best = G_MAXINT, n_best = 0;

  for (int i = 0; i < ranking->n; i++)
    if (ranking->ranks[i].rank > 0) {
      ranks[n++] = ranking->ranks[i].rank;
      best = MIN (best, ranks[n - 1]);
    }
  for (int i = 0; i < n; i++)
    n_best += ranks[i] == best;
  if (request->stage == LAUREL_STAGE_REWARD)
    return laurel_reward_count (&rule, ranks, NULL, n) > 0;
  if (laurel_reward_count (&strict, ranks, NULL, n) == 0)
    return 0;
  return request->chosen ? (gsize) n_best : 1;
}

static gsize
count_rows (LaurelStore *store, const LaurelTrainRequest *request)
{
  guint n_held_out;
  g_autoptr (GPtrArray) rankings = laurel_data_list_rankings (store, request, &n_held_out, NULL);
  g_autoptr (GHashTable) tasks = laurel_store_map_tasks (store, NULL);
  gsize n = 0;

  for (guint i = 0; rankings != NULL && tasks != NULL && i < rankings->len; i++) {
    const LaurelRanking *ranking = g_ptr_array_index (rankings, i);
    const LaurelTaskOutline *task = g_hash_table_lookup (tasks, &ranking->task_id);

    if (task != NULL
        && !laurel_comparison_is_held_out (&request->hyperparameters, task->prompt_id))
      n += count_rows_of (request, ranking);
  }
  return n;
}

int
laurel_project_count_steps (LaurelProject *self, const LaurelTrainRequest *request)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  int n_seeds = request->stage == LAUREL_STAGE_REWARD ? hp->num_seeds : 1;
  gsize n_rows;

  if (hp->max_steps > 0)
    return hp->max_steps * n_seeds;
  if (!learns_from_rankings (request) || request->late
      || laurel_store_count_rankings (self->store, 0, 0, NULL) > MAX_RANKINGS)
    return 0;
  n_rows = count_rows (self->store, request);
  return n_rows == 0 ? 0
                     : n_seeds * laurel_data_count_steps (
                           n_rows, hp->batch_size * hp->gradient_accumulation_steps, hp);
}
