/* online_gain.c: what a new reward model brought: two models on the same held-out rankings.
 *
 * Pairs of one prompt are not independent, so the intervals come from drawing whole prompts again
 * (bootstrap); both models are measured on the same draws, which makes the interval of the gain
 * that of a paired difference.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/project/online.h"
#include "core/project/report.h"
#include "core/train/comparison.h"
#include "core/train/reward_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Completions scored between two looks for a stop. */
#define AT_A_TIME 64

/* --- The data of a run that was queued without it -------------------------------- */

gboolean
laurel_job_fix_snapshot (LaurelJob *job, LaurelStage stage, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  g_autofree char *last = NULL;
  const char *labelers = json_object_get_string_member_with_default (
      job->config, "labelers", laurel_labelers_to_string (LAUREL_LABELERS_ALL));
  LaurelLabelers whose;
  gint64 ranking;

  if (json_object_get_size (job->snapshot) > 0)
    return TRUE;
  /* Before the list: a ranking that comes between the two counts as new once more. */
  ranking = laurel_store_last_ranking (job->store, error);
  if (ranking < 0 || !laurel_labelers_from_string (labelers, &whose, error))
    return FALSE;
  node = laurel_data_snapshot (job->store, stage, NULL, whose, error);
  if (node == NULL)
    return FALSE;
  text = laurel_json_to_string (node, FALSE);
  last = g_strdup_printf ("%" G_GINT64_FORMAT, ranking);
  if (!laurel_store_set_run_snapshot (job->store, job->run->id, text, error)
      || !laurel_store_set_fact (job->store, LAUREL_ONLINE_RANKING, last, error))
    return FALSE;
  json_object_unref (job->snapshot);
  job->snapshot = json_node_dup_object (node);
  return TRUE;
}

/* --- Scores ----------------------------------------------------------------------- */

/* A held-out prompt: pairs of all its rankings, and how many of them each model has right. */
typedef struct {
  gint64 prompt_id;
  int n_strict;
  double n_right[2]; /* of the new model, of the one before */
} HeldOut;

static int
compare_held_out (const void *a, const void *b)
{
  const HeldOut *x = a, *y = b;

  return (x->prompt_id > y->prompt_id) - (x->prompt_id < y->prompt_id);
}

static gboolean
score_all (LaurelJob *job,
           const LaurelModel *reward,
           GPtrArray *sequences,
           float *scores,
           GError **error)
{
  for (guint i = 0; i < sequences->len; i += AT_A_TIME) {
    if (job->monitor.poll (job->monitor.user_data) == LAUREL_STOP) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not finish measuring the reward model: it was stopped; resume the run");
      return FALSE;
    }
    if (!laurel_reward_score (reward, (LaurelSequence *const *) sequences->pdata + i,
                              (int) MIN (AT_A_TIME, sequences->len - i), scores + i, error))
      return FALSE;
  }
  return TRUE;
}

/* Strict pairs of a ranking, and how many of them the scores have the right way round: an equal
 * score is half right. Completions with the same tokens are no pair. */
static int
count_pairs (const LaurelRewardRow *row, const float *scores, double *right)
{
  const int *ranks = row->comparison->ranks;
  int n_strict = 0;

  for (int i = 0; i < row->comparison->n; i++)
    for (int j = 0; j < row->comparison->n; j++) {
      if (ranks[i] >= ranks[j] || row->twins[i] == row->twins[j])
        continue;
      n_strict++;
      *right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  return n_strict;
}

/* Adds what the scores of @model (0 or 1) are right about. */
static void
count_right (GPtrArray *rows, const float *scores, int model, HeldOut *held_out)
{
  for (guint i = 0; i < rows->len; i++) {
    const LaurelRewardRow *row = rows->pdata[i];

    held_out[i].n_strict = count_pairs (row, scores, &held_out[i].n_right[model]);
    scores += row->comparison->n;
  }
}

/* Rankings of one prompt become one; prompts without a pair go. Returns how many are left. */
static int
merge_prompts (HeldOut *held_out, int n)
{
  int n_left = 0;

  qsort (held_out, (gsize) n, sizeof *held_out, compare_held_out);
  for (int i = 0; i < n; i++) {
    if (held_out[i].n_strict == 0)
      continue;
    if (n_left > 0 && held_out[n_left - 1].prompt_id == held_out[i].prompt_id) {
      held_out[n_left - 1].n_strict += held_out[i].n_strict;
      held_out[n_left - 1].n_right[0] += held_out[i].n_right[0];
      held_out[n_left - 1].n_right[1] += held_out[i].n_right[1];
    } else {
      held_out[n_left++] = held_out[i];
    }
  }
  return n_left;
}

/* --- Intervals --------------------------------------------------------------------- */

/* @user_data: for what of the prompts the statistic is, as a share of their pairs. */
typedef struct {
  const HeldOut *prompts;
  double weights[2]; /* of the models' right pairs */
} Share;

static double
measure_share (const double *weights, int n, gpointer user_data)
{
  const Share *share = user_data;
  double right = 0, strict = 0;

  for (int i = 0; i < n; i++) {
    const HeldOut *prompt = &share->prompts[i];

    right += weights[i] * (share->weights[0] * prompt->n_right[0]
                           + share->weights[1] * prompt->n_right[1]);
    strict += weights[i] * prompt->n_strict;
  }
  return strict > 0 ? right / strict : NAN;
}

static void
estimate (const HeldOut *prompts, int n, guint64 seed, LaurelRewardGain *gain)
{
  const struct {
    LaurelInterval *out;
    double weights[2];
  } wanted[] = { { &gain->accuracy, { 1, 0 } },
                 { &gain->before, { 0, 1 } },
                 { &gain->gain, { 1, -1 } } };

  gain->n_prompts = n;
  for (int i = 0; i < n; i++)
    gain->n_pairs += prompts[i].n_strict;
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++) {
    Share share = { prompts, { wanted[i].weights[0], wanted[i].weights[1] } };

    *wanted[i].out = (LaurelInterval){ NAN, NAN, NAN, 0 };
    if (n > 0 && (i == 0 || gain->previous != NULL))
      *wanted[i].out = laurel_bootstrap_clustered (measure_share, &share, NULL, n,
                                                   LAUREL_BOOTSTRAP_RESAMPLES, seed);
    if (wanted[i].weights[1] >= 0)
      laurel_interval_widen_share (wanted[i].out, n);
    else if (!(wanted[i].out->high > wanted[i].out->low))
      wanted[i].out->low = wanted[i].out->high = NAN; /* no prompt differs: how far is not seen */
  }
}

/* --- The model before ----------------------------------------------------------------- */

static JsonObject *
parse_object (const char *text)
{
  g_autoptr (JsonNode) node = laurel_json_parse (text, "run", NULL);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_dup_object (node) : NULL;
}

/* Trained on the project's rankings with the same prompts held out: then neither has seen them. */
static gboolean
has_same_split (const LaurelRun *run, const LaurelHyperparameters *hp)
{
  g_autoptr (JsonObject) config = parse_object (run->config);
  g_autoptr (JsonObject) snapshot = parse_object (run->snapshot);
  LaurelHyperparameters other;

  laurel_hyperparameters_init (&other, LAUREL_STAGE_REWARD);
  return config != NULL && snapshot != NULL && !json_object_has_member (snapshot, "files")
         && json_object_has_member (config, "hyperparameters")
         && laurel_hyperparameters_from_json (
             &other, LAUREL_STAGE_REWARD,
             json_object_get_object_member (config, "hyperparameters"), NULL)
         && laurel_comparison_split_seed (&other) == laurel_comparison_split_seed (hp)
         && other.eval_split == hp->eval_split;
}

static JsonArray *
get_rankings (JsonObject *snapshot)
{
  return snapshot != NULL && json_object_has_member (snapshot, "ranking_ids")
             ? json_object_get_array_member (snapshot, "ranking_ids")
             : NULL;
}

/* How many rankings of this run the run before did not have. */
static int
count_new (LaurelJob *job, const LaurelRun *before)
{
  g_autoptr (JsonObject) snapshot = before != NULL ? parse_object (before->snapshot) : NULL;
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  JsonArray *old = get_rankings (snapshot), *now = get_rankings (job->snapshot);
  int n_new = 0;

  for (guint i = 0; old != NULL && i < json_array_get_length (old); i++) {
    gint64 id = json_array_get_int_element (old, i);

    g_hash_table_add (known, g_memdup2 (&id, sizeof id));
  }
  for (guint i = 0; now != NULL && i < json_array_get_length (now); i++) {
    gint64 id = json_array_get_int_element (now, i);

    n_new += !g_hash_table_contains (known, &id);
  }
  return n_new;
}

/* NULL without error: there is none to compare with. */
static LaurelModel *
load_previous (LaurelJob *job,
               const LaurelHyperparameters *hp,
               LaurelRewardGain *gain,
               GError **error)
{
  const char *name = json_object_get_string_member_with_default (job->config, "previous", NULL);
  g_autoptr (LaurelModelRecord) record =
      name != NULL ? laurel_store_get_model (job->store, name, NULL) : NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autofree char *folder = NULL;

  if (record != NULL && record->run_id != 0)
    run = laurel_store_get_run (job->store, record->run_id, NULL);
  gain->n_new = count_new (job, run);
  if (run == NULL || !has_same_split (run, hp)) {
    if (name != NULL)
      job->monitor.log (job->monitor.user_data,
                        "Not compared with the reward model before: it is gone, or other prompts "
                        "were held out from it.");
    return NULL;
  }
  gain->previous = g_strdup (name);
  folder = laurel_model_resolve (job->store, job->project_path, name, error);
  return folder != NULL ? laurel_model_load (folder, error) : NULL;
}

/* --- Storing -------------------------------------------------------------------------- */

static void
add_number (JsonArray *array, double value)
{
  if (isnan (value))
    json_array_add_null_element (array);
  else
    json_array_add_double_element (array, value);
}

static void
set_interval (JsonObject *object, const char *member, const LaurelInterval *interval)
{
  JsonArray *array;

  if (isnan (interval->value))
    return;
  array = json_array_new ();
  add_number (array, interval->value);
  add_number (array, interval->low);
  add_number (array, interval->high);
  json_object_set_array_member (object, member, array);
}

static gboolean
store_gain (LaurelJob *job, const LaurelRewardGain *gain, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *key = g_strdup_printf ("gain/%" G_GINT64_FORMAT, job->run->id);
  g_autofree char *text = NULL;

  if (gain->previous != NULL)
    json_object_set_string_member (object, "previous", gain->previous);
  json_object_set_int_member (object, "rankings", gain->n_rankings);
  json_object_set_int_member (object, "new", gain->n_new);
  json_object_set_int_member (object, "prompts", gain->n_prompts);
  json_object_set_int_member (object, "pairs", gain->n_pairs);
  set_interval (object, "accuracy", &gain->accuracy);
  set_interval (object, "before", &gain->before);
  set_interval (object, "gain", &gain->gain);
  json_node_init_object (node, object);
  text = laurel_json_to_string (node, FALSE);
  return laurel_store_set_fact (job->store, key, text, error);
}

static void
log_gain (LaurelJob *job, const LaurelRewardGain *gain)
{
  g_autofree char *accuracy = laurel_interval_format (&gain->accuracy, TRUE);
  g_autofree char *before = laurel_interval_format (&gain->before, TRUE);
  g_autofree char *points = laurel_reward_gain_format (&gain->gain);
  g_autofree char *line = NULL;

  if (gain->previous == NULL)
    line = g_strdup_printf ("Held-out accuracy %s: %d pairs of %d prompts.", accuracy,
                            gain->n_pairs, gain->n_prompts);
  else
    line = g_strdup_printf ("Held-out accuracy %s: %d pairs of %d prompts; “%s” on the same: %s. "
                            "With %d new rankings of %d: %s points.",
                            accuracy, gain->n_pairs, gain->n_prompts, gain->previous, before,
                            gain->n_new, gain->n_rankings, points);
  job->monitor.log (job->monitor.user_data, line);
}

/* --- Measuring ------------------------------------------------------------------------ */

static GPtrArray *
pick_held_out (const LaurelModel *reward,
               GPtrArray *comparisons,
               const LaurelHyperparameters *hp,
               GPtrArray *sequences)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);

  for (guint i = 0; i < comparisons->len; i++) {
    const LaurelComparison *comparison = comparisons->pdata[i];

    if (!laurel_comparison_is_held_out (hp, comparison->prompt_id))
      continue;
    g_ptr_array_add (rows, laurel_reward_row_new (comparison, reward->config.n_positions));
    for (int k = 0; k < comparison->n; k++)
      g_ptr_array_add (sequences, comparison->completions[k]);
  }
  return rows;
}

gboolean
laurel_job_measure_gain (LaurelJob *job,
                         const LaurelModel *reward,
                         GPtrArray *comparisons,
                         const LaurelHyperparameters *hp,
                         GError **error)
{
  g_autoptr (LaurelRewardGain) gain = g_new0 (LaurelRewardGain, 1);
  g_autoptr (GPtrArray) sequences = g_ptr_array_new ();
  g_autoptr (GPtrArray) rows = pick_held_out (reward, comparisons, hp, sequences);
  g_autofree HeldOut *held_out = g_new0 (HeldOut, rows->len + 1);
  g_autofree float *scores = g_new (float, sequences->len + 1);
  g_autoptr (LaurelModel) previous = NULL;
  JsonArray *rankings = get_rankings (job->snapshot);

  gain->n_rankings = rankings != NULL ? (int) json_array_get_length (rankings) : 0;
  for (guint i = 0; i < rows->len; i++)
    held_out[i].prompt_id = ((LaurelRewardRow *) rows->pdata[i])->comparison->prompt_id;
  if (!score_all (job, reward, sequences, scores, error))
    return FALSE;
  count_right (rows, scores, 0, held_out);
  previous = load_previous (job, hp, gain, error);
  if (gain->previous != NULL) {
    if (previous == NULL || !score_all (job, previous, sequences, scores, error))
      return FALSE;
    count_right (rows, scores, 1, held_out);
  }
  estimate (held_out, merge_prompts (held_out, (int) rows->len), (guint64) hp->seed, gain);
  log_gain (job, gain);
  return store_gain (job, gain, error);
}
