/* online_history.c: the reward models so far, and how policies did against the reference.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/label/winrate.h"
#include "core/project/internal.h"
#include "core/project/online.h"

#include <math.h>

void
laurel_reward_gain_free (LaurelRewardGain *self)
{
  if (self == NULL)
    return;
  g_free (self->model);
  g_free (self->previous);
  g_free (self);
}

void
laurel_policy_wins_free (LaurelPolicyWins *self)
{
  if (self == NULL)
    return;
  g_free (self->policy);
  g_free (self->reference);
  g_free (self);
}

char *
laurel_reward_gain_format (const LaurelInterval *gain)
{
  if (isnan (gain->value))
    return g_strdup ("–");
  if (isnan (gain->low))
    return g_strdup_printf ("%+.1f", 100 * gain->value);
  return g_strdup_printf ("%+.1f [%+.1f, %+.1f]", 100 * gain->value, 100 * gain->low,
                          100 * gain->high);
}

/* --- Reward models ---------------------------------------------------------------- */

/* JSON has no NaN: a bound that there is not is a null. */
static double
get_bound (JsonArray *array, guint at)
{
  JsonNode *node = json_array_get_element (array, at);

  return JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : NAN;
}

static LaurelInterval
get_interval (JsonObject *object, const char *member)
{
  LaurelInterval interval = { NAN, NAN, NAN, 0 };
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node)
                                                                  : NULL;

  if (array == NULL || json_array_get_length (array) != 3)
    return interval;
  interval.value = get_bound (array, 0);
  interval.low = get_bound (array, 1);
  interval.high = get_bound (array, 2);
  interval.n = (int) json_object_get_int_member_with_default (object, "pairs", 0);
  return interval;
}

static LaurelRewardGain *
parse_gain (const char *text, gint64 run_id)
{
  g_autoptr (JsonNode) node = laurel_json_parse (text, "gain", NULL);
  LaurelRewardGain *gain;
  JsonObject *object;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  object = json_node_get_object (node);
  gain = g_new0 (LaurelRewardGain, 1);
  gain->run_id = run_id;
  gain->previous =
      g_strdup (json_object_get_string_member_with_default (object, "previous", NULL));
  gain->n_rankings = (int) json_object_get_int_member_with_default (object, "rankings", 0);
  gain->n_new = (int) json_object_get_int_member_with_default (object, "new", 0);
  gain->n_prompts = (int) json_object_get_int_member_with_default (object, "prompts", 0);
  gain->n_pairs = (int) json_object_get_int_member_with_default (object, "pairs", 0);
  gain->accuracy = get_interval (object, "accuracy");
  gain->before = get_interval (object, "before");
  gain->gain = get_interval (object, "gain");
  return gain;
}

LaurelRewardGain *
laurel_online_get_gain (LaurelStore *store, gint64 run_id, GError **error)
{
  g_autofree char *key = g_strdup_printf ("gain/%" G_GINT64_FORMAT, run_id);
  g_autofree char *text = laurel_store_get_fact (store, key, error);

  return text != NULL ? parse_gain (text, run_id) : NULL;
}

static int
compare_gains (gconstpointer a, gconstpointer b)
{
  const LaurelRewardGain *x = *(LaurelRewardGain *const *) a, *y = *(LaurelRewardGain *const *) b;

  return (x->created > y->created) - (x->created < y->created);
}

GPtrArray *
laurel_online_list_gains (LaurelStore *store, GError **error)
{
  g_autoptr (GPtrArray) models = laurel_store_list_models (store, error);
  g_autoptr (GPtrArray) gains =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_gain_free);

  if (models == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = models->pdata[i];
    g_autoptr (LaurelRewardGain) gain = NULL;
    g_autoptr (GError) local = NULL;

    if (!g_str_equal (record->kind, "reward") || record->run_id == 0)
      continue;
    gain = laurel_online_get_gain (store, record->run_id, &local);
    if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
    if (gain == NULL)
      continue;
    gain->model = g_strdup (record->name);
    gain->created = record->created;
    g_ptr_array_add (gains, g_steal_pointer (&gain));
  }
  g_ptr_array_sort (gains, compare_gains);
  if (gains->len > 0)
    ((LaurelRewardGain *) gains->pdata[gains->len - 1])->is_newest = TRUE;
  return g_steal_pointer (&gains);
}

int
laurel_online_count_new (LaurelStore *store, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *text = laurel_store_get_fact (store, LAUREL_ONLINE_RANKING, &local);

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return -1;
  }
  return (int) laurel_store_count_rankings_after (
      store, text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0, error);
}

/* --- Policies ------------------------------------------------------------------------ */

static int
count_tasks (const GArray *outcomes)
{
  g_autoptr (GHashTable) tasks = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < outcomes->len; i++)
    g_hash_table_add (tasks, &g_array_index (outcomes, LaurelOutcome, i).task_id);
  return (int) g_hash_table_size (tasks);
}

LaurelPolicyWins *
laurel_online_get_wins (const LaurelOutcomes *outcomes, const char *policy, const char *reference)
{
  g_autoptr (GArray) between =
      laurel_outcomes_between (outcomes, laurel_outcomes_find_model (outcomes, policy),
                               laurel_outcomes_find_model (outcomes, reference));
  LaurelPolicyWins *wins = g_new0 (LaurelPolicyWins, 1);

  wins->policy = g_strdup (policy);
  wins->reference = g_strdup (reference);
  wins->n_tasks = count_tasks (between);
  for (guint i = 0; i < between->len; i++) {
    int result = g_array_index (between, LaurelOutcome, i).result;

    wins->n_wins += result > 0;
    wins->n_losses += result < 0;
    wins->n_ties += result == 0;
  }
  wins->rate = laurel_win_rate_half (between, LAUREL_BOOTSTRAP_RESAMPLES, 0);
  return wins;
}

static int
compare_records (gconstpointer a, gconstpointer b)
{
  const LaurelModelRecord *x = *(LaurelModelRecord *const *) a;
  const LaurelModelRecord *y = *(LaurelModelRecord *const *) b;

  return (x->created > y->created) - (x->created < y->created);
}

GPtrArray *
laurel_online_list_wins (LaurelStore *store, const char *reference, GError **error)
{
  g_autoptr (GPtrArray) models = laurel_store_list_models (store, error);
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_policy_wins_free);

  if (models != NULL)
    outcomes = laurel_outcomes_collect (store, LAUREL_LABELERS_ALL, NULL, error);
  if (outcomes == NULL)
    return NULL;
  g_ptr_array_sort (models, compare_records);
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = models->pdata[i];
    g_autoptr (LaurelPolicyWins) wins = NULL;

    if (!g_str_equal (record->kind, "policy"))
      continue;
    wins = laurel_online_get_wins (outcomes, record->name, reference);
    if (wins->n_tasks > 0)
      g_ptr_array_add (list, g_steal_pointer (&wins));
  }
  return g_steal_pointer (&list);
}
