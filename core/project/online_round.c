/* online_round.c: where the loop is, read off the database, so that it goes on after any end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/internal.h"
#include "core/project/online.h"

int
laurel_run_get_round (const LaurelRun *run)
{
  g_autoptr (JsonNode) node = laurel_json_parse (run->config, "configuration", NULL);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? (int) json_object_get_int_member_with_default (json_node_get_object (node), "round",
                                                              0)
             : 0;
}

/* A round's newest run of each kind; NULL: none. Borrowed from the list of runs. */
typedef struct {
  const LaurelRun *sample, *reward, *ppo;
} Round;

static void
keep_newest (const LaurelRun **kept, const LaurelRun *run)
{
  if (*kept == NULL || (*kept)->id < run->id)
    *kept = run;
}

/* (element-type Round): round 1 first. */
static GArray *
group_runs (GPtrArray *runs)
{
  GArray *rounds = g_array_new (FALSE, TRUE, sizeof (Round));

  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = runs->pdata[i];
    int number = laurel_run_get_round (run);
    Round *round;

    if (number < 1)
      continue;
    if (rounds->len < (guint) number)
      g_array_set_size (rounds, (guint) number);
    round = &g_array_index (rounds, Round, number - 1);
    if (g_str_equal (run->kind, "sample"))
      keep_newest (&round->sample, run);
    else if (g_str_equal (run->kind, "reward"))
      keep_newest (&round->reward, run);
    else if (g_str_equal (run->kind, "ppo"))
      keep_newest (&round->ppo, run);
  }
  return rounds;
}

static gboolean
is_done (const LaurelRun *run)
{
  return run != NULL && run->status == LAUREL_RUN_DONE;
}

/* A step that is to be made: its run goes on when there is one. */
static gboolean
set_step (LaurelRoundState *out, LaurelRoundStep step, const LaurelRun *run)
{
  out->step = step;
  out->run_id = run != NULL ? run->id : 0;
  return TRUE;
}

static gboolean
find_in_round (LaurelProject *self,
               const Round *round,
               int n_labels,
               gboolean is_last,
               LaurelRoundState *out,
               GError **error)
{
  if (!is_done (round->sample))
    return set_step (out, LAUREL_ROUND_SAMPLE, round->sample);
  if (round->reward == NULL) {
    gint64 n = laurel_store_count_rankings (self->store, 0, round->sample->created, error);

    if (n < 0)
      return FALSE;
    out->n_ranked = (int) n;
    if (n < n_labels)
      return set_step (out, LAUREL_ROUND_RANK, NULL);
  }
  if (is_last)
    return set_step (out, LAUREL_ROUND_DONE, NULL);
  if (!is_done (round->reward))
    return set_step (out, LAUREL_ROUND_REWARD, round->reward);
  if (!is_done (round->ppo))
    return set_step (out, LAUREL_ROUND_PPO, round->ppo);
  return set_step (out, LAUREL_ROUND_DONE, NULL);
}

gboolean
laurel_online_find_step (LaurelProject *self,
                         int n_rounds,
                         int n_labels,
                         LaurelRoundState *out,
                         GError **error)
{
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (self->store, error);
  g_autoptr (GArray) rounds = runs != NULL ? group_runs (runs) : NULL;

  *out = (LaurelRoundState){ .step = LAUREL_ROUND_DONE };
  if (rounds == NULL)
    return FALSE;
  g_array_set_size (rounds, MAX (rounds->len, (guint) n_rounds + 1));
  for (int i = 0; i <= n_rounds; i++) {
    out->round = i + 1;
    if (!find_in_round (self, &g_array_index (rounds, Round, i), n_labels, i == n_rounds, out,
                        error))
      return FALSE;
    if (out->step != LAUREL_ROUND_DONE)
      return TRUE;
  }
  return TRUE;
}

void
laurel_round_models_free (LaurelRoundModels *self)
{
  g_free (self->reward);
  g_free (self->policy);
  g_free (self);
}

GPtrArray *
laurel_online_list_rounds (LaurelProject *self, GError **error)
{
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (self->store, error);
  g_autoptr (GArray) rounds = runs != NULL ? group_runs (runs) : NULL;
  GPtrArray *list;

  if (rounds == NULL)
    return NULL;
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_round_models_free);
  for (guint i = 0; i < rounds->len; i++) {
    const Round *round = &g_array_index (rounds, Round, i);
    LaurelRoundModels *models;

    if (!is_done (round->reward))
      continue;
    models = g_new0 (LaurelRoundModels, 1);
    models->round = (int) i + 1;
    models->reward = g_strdup (round->reward->output);
    models->reward_run = round->reward->id;
    models->policy = is_done (round->ppo) ? g_strdup (round->ppo->output) : NULL;
    g_ptr_array_add (list, models);
  }
  return list;
}
