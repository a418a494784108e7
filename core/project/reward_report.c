/* reward_report.c: which rankings, their scores, and what else is known of the model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/reward_report_private.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/comparison.h"

#include <math.h>

/* Tasks whose bootstrap decides the interval of agreement. */
#define N_RESAMPLES 1000
/* Rankings that are scored at a time. */
#define GROUP 32

void
laurel_reward_report_free (LaurelRewardReport *self)
{
  if (self == NULL)
    return;
  laurel_reward_evaluation_clear (&self->figures);
  g_clear_pointer (&self->labelers, g_ptr_array_unref);
  g_free (self->model);
  g_free (self->verdict);
  g_free (self);
}

/* What the evaluation works with. */
typedef struct {
  LaurelStore *store;
  const LaurelRewardReportRequest *request;
  LaurelRewardReport *report;
  LaurelModel *model;
  LaurelHyperparameters hp; /* of the run that made the model; defaults without one */
  GHashTable *tasks;        /* as laurel_store_map_tasks() gives them */
  GHashTable *trained;      /* (element-type gint64) prompts */
  GPtrArray *rankings;      /* (element-type LaurelRanking) in force */
  GPtrArray *chosen;        /* (element-type LaurelRanking) of them; borrowed */
  GHashTable *by_id;        /* id → LaurelRanking of @chosen */
  GHashTable *by_task;      /* task id → GPtrArray of LaurelRanking of @chosen */
  GPtrArray *scored;        /* (element-type LaurelScoredRanking) */
  LaurelTrainData data;
} Work;

static void
work_clear (Work *self)
{
  g_clear_pointer (&self->model, laurel_model_free);
  g_clear_pointer (&self->tasks, g_hash_table_unref);
  g_clear_pointer (&self->trained, g_hash_table_unref);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_pointer (&self->by_task, g_hash_table_unref);
  g_clear_pointer (&self->chosen, g_ptr_array_unref);
  g_clear_pointer (&self->rankings, g_ptr_array_unref);
  g_clear_pointer (&self->scored, g_ptr_array_unref);
  laurel_train_data_clear (&self->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

static gboolean
load_model (Work *self, GError **error)
{
  const LaurelRewardReportRequest *request = self->request;
  g_autofree char *folder =
      laurel_model_resolve (self->store, request->project_path, request->model, error);

  self->model = folder != NULL ? laurel_model_load (folder, error) : NULL;
  if (self->model == NULL)
    return FALSE;
  if (self->model->config.head == LAUREL_HEAD_SCORE)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not evaluate “%s”: it is a language model; choose a reward model",
               request->model);
  return FALSE;
}

/* --- What the model was trained on ------------------------------------------------------- */

static gint64 *
copy_id (gint64 id)
{
  return g_memdup2 (&id, sizeof id);
}

static gint64
find_prompt (const Work *self, gint64 task_id)
{
  const LaurelTaskOutline *task = g_hash_table_lookup (self->tasks, &task_id);

  return task != NULL ? task->prompt_id : 0;
}

/* Rankings that were replaced since are still those it was trained on. */
static void
add_trained (Work *self, gint64 ranking_id)
{
  g_autoptr (LaurelRanking) ranking = laurel_store_get_ranking (self->store, ranking_id, NULL);
  gint64 prompt = ranking != NULL ? find_prompt (self, ranking->task_id) : 0;

  if (prompt != 0 && !laurel_comparison_is_held_out (&self->hp, prompt))
    g_hash_table_add (self->trained, copy_id (prompt));
}

static JsonObject *
parse_object (const char *text, JsonNode **out_node)
{
  *out_node = text != NULL ? laurel_json_parse (text, "run", NULL) : NULL;
  return *out_node != NULL && JSON_NODE_HOLDS_OBJECT (*out_node) ? json_node_get_object (*out_node)
                                                                  : NULL;
}

static gboolean
read_settings (Work *self, const LaurelRun *run)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *config = parse_object (run->config, &node);

  return config != NULL && json_object_has_member (config, "hyperparameters")
         && laurel_hyperparameters_from_json (
             &self->hp, LAUREL_STAGE_REWARD,
             json_object_get_object_member (config, "hyperparameters"), NULL);
}

static void
read_seeds (Work *self, const LaurelRun *run)
{
  LaurelRewardReport *report = self->report;
  g_autoptr (GPtrArray) kept =
      laurel_store_list_metrics (self->store, run->id, "seeds/kept", -1, NULL);
  g_autoptr (GPtrArray) accuracies =
      laurel_store_list_metrics (self->store, run->id, "seeds/accuracy", -1, NULL);

  if (kept == NULL || kept->len == 0 || accuracies == NULL || accuracies->len == 0)
    return;
  report->n_seeds = (int) accuracies->len;
  report->kept_seed = (int) ((const LaurelMetric *) g_ptr_array_index (kept, kept->len - 1))->value;
  report->seeds_low = INFINITY;
  report->seeds_high = -INFINITY;
  for (guint i = 0; i < accuracies->len; i++) {
    double value = ((const LaurelMetric *) g_ptr_array_index (accuracies, i))->value;

    report->seeds_low = MIN (report->seeds_low, value);
    report->seeds_high = MAX (report->seeds_high, value);
  }
}

/* Models from elsewhere, and those trained on files, have no list of this project's prompts. */
static void
read_run (Work *self)
{
  g_autoptr (LaurelModelRecord)
      record = laurel_store_get_model (self->store, self->request->model, NULL);
  g_autoptr (LaurelRun)
      run = record != NULL && record->run_id != 0
                ? laurel_store_get_run (self->store, record->run_id, NULL)
                : NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *snapshot = run != NULL ? parse_object (run->snapshot, &node) : NULL;
  JsonArray *ids;

  if (snapshot == NULL || !read_settings (self, run))
    return;
  read_seeds (self, run);
  if (!json_object_has_member (snapshot, "ranking_ids"))
    return;
  ids = json_object_get_array_member (snapshot, "ranking_ids");
  for (guint i = 0; i < json_array_get_length (ids); i++)
    add_trained (self, json_array_get_int_element (ids, i));
  self->report->split_known = TRUE;
}

/* --- Which rankings ----------------------------------------------------------------------- */

/* A model that ranked would agree with itself. It did so under its name, or its folder's. */
static gboolean
is_wanted (const Work *self, const LaurelRanking *ranking)
{
  g_autofree char *name = g_path_get_basename (self->request->model);

  return ranking->labeler_kind != LAUREL_LABELER_REWARD_MODEL
         || !g_str_equal (ranking->labeler, name);
}

static void
choose (Work *self, LaurelRanking *ranking)
{
  GPtrArray *group = g_hash_table_lookup (self->by_task, &ranking->task_id);

  if (group == NULL) {
    group = g_ptr_array_new ();
    g_hash_table_insert (self->by_task, &ranking->task_id, group);
  }
  g_ptr_array_add (group, ranking);
  g_hash_table_insert (self->by_id, &ranking->id, ranking);
  g_ptr_array_add (self->chosen, ranking);
}

static gboolean
refuse_nothing (const Work *self, GError **error)
{
  const char *why = "nothing has been ranked by such labelers";
  const char *todo = "rank some completions";

  if (self->report->n_left_out > 0) {
    why = "all rankings are of prompts that it was trained on";
    todo = "rank other prompts, or measure on these with --all";
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND, "Could not evaluate “%s”: %s; %s",
               self->request->model, why, todo);
  return FALSE;
}

static gboolean
choose_rankings (Work *self, GError **error)
{
  self->rankings =
      laurel_store_list_rankings_by (self->store, self->request->labelers, -1, 0, error);
  if (self->rankings == NULL)
    return FALSE;
  self->chosen = g_ptr_array_new ();
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->by_task = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                         (GDestroyNotify) g_ptr_array_unref);
  for (guint i = 0; i < self->rankings->len; i++) {
    LaurelRanking *ranking = g_ptr_array_index (self->rankings, i);
    gint64 prompt = find_prompt (self, ranking->task_id);

    if (!is_wanted (self, ranking))
      continue;
    if (!self->request->all && g_hash_table_contains (self->trained, &prompt))
      self->report->n_left_out++;
    else
      choose (self, ranking);
  }
  return self->chosen->len > 0 || refuse_nothing (self, error);
}

/* As training would have them: the same tokens, cut alike. */
static gboolean
load_comparisons (Work *self, GError **error)
{
  g_autoptr (JsonObject) snapshot = json_object_new ();
  JsonArray *ids = json_array_new ();

  for (guint i = 0; i < self->chosen->len; i++)
    json_array_add_int_element (ids,
                                ((LaurelRanking *) g_ptr_array_index (self->chosen, i))->id);
  json_object_set_array_member (snapshot, "ranking_ids", ids);
  return laurel_data_load (self->store, LAUREL_STAGE_REWARD, snapshot, self->model, &self->hp, "",
                           NULL, &self->data, error);
}

/* --- Scores ------------------------------------------------------------------------------- */

static void
scored_free (gpointer data)
{
  LaurelScoredRanking *self = data;

  g_free (self->completions);
  g_free (self);
}

static int
find_quality (const LaurelRanking *ranking, gint64 completion_id)
{
  for (int i = 0; i < ranking->n; i++)
    if (ranking->ranks[i].completion_id == completion_id)
      return ranking->ranks[i].quality;
  return 0;
}

static int
number_labeler (Work *self, const LaurelRanking *ranking)
{
  GPtrArray *labelers = self->report->labelers;
  LaurelLabeler *labeler;

  for (guint i = 0; i < labelers->len; i++)
    if (((LaurelLabeler *) g_ptr_array_index (labelers, i))->id == ranking->labeler_id)
      return (int) i;
  labeler = g_new0 (LaurelLabeler, 1);
  labeler->id = ranking->labeler_id;
  labeler->name = g_strdup (ranking->labeler);
  labeler->kind = ranking->labeler_kind;
  g_ptr_array_add (labelers, labeler);
  return (int) labelers->len - 1;
}

static void
add_scored (Work *self, const LaurelComparison *comparison, const float *scores)
{
  LaurelScoredRanking *scored = g_new0 (LaurelScoredRanking, 1);
  g_autofree int *twins = laurel_comparison_find_twins (comparison);
  const LaurelRanking *ranking = g_hash_table_lookup (self->by_id, &comparison->ranking_id);

  scored->prompt_id = comparison->prompt_id;
  scored->labeler = number_labeler (self, ranking);
  scored->n = comparison->n;
  scored->completions = g_new0 (LaurelScoredCompletion, comparison->n);
  for (int k = 0; k < comparison->n; k++) {
    const LaurelSequence *sequence = comparison->completions[k];

    scored->completions[k] = (LaurelScoredCompletion) {
      .score = scores[k],
      .rank = comparison->ranks[k],
      .n_tokens = sequence->n_tokens - sequence->n_prompt,
      .quality = find_quality (ranking, comparison->completion_ids[k]),
      .twin = twins[k],
    };
  }
  g_ptr_array_add (self->scored, scored);
}

static gboolean
score_group (Work *self, guint first, guint n, GError **error)
{
  g_autoptr (GPtrArray) sequences = g_ptr_array_new ();
  g_autofree float *scores = NULL;
  guint at = 0;

  for (guint i = first; i < first + n; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (self->data.comparisons, i);

    for (int k = 0; k < comparison->n; k++)
      g_ptr_array_add (sequences, comparison->completions[k]);
  }
  scores = g_new (float, sequences->len);
  if (!laurel_reward_score (self->model, (LaurelSequence *const *) sequences->pdata,
                            (int) sequences->len, scores, error))
    return FALSE;
  for (guint i = 0; i < sequences->len; i++)
    if (!isfinite (scores[i])) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                   "Could not evaluate “%s”: it gives a score that is not finite; train it anew",
                   self->request->model);
      return FALSE;
    }
  for (guint i = first; i < first + n; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (self->data.comparisons, i);

    add_scored (self, comparison, scores + at);
    at += (guint) comparison->n;
  }
  return TRUE;
}

static gboolean
score_all (Work *self, GError **error)
{
  const LaurelRewardReportRequest *request = self->request;
  guint n = self->data.comparisons->len;

  self->scored = g_ptr_array_new_with_free_func (scored_free);
  for (guint first = 0; first < n; first += GROUP) {
    if (request->progress != NULL
        && !request->progress ((int) first, (int) n, request->user_data)) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not evaluate “%s”: it was stopped; start again", request->model);
      return FALSE;
    }
    if (!score_group (self, first, MIN (GROUP, n - first), error))
      return FALSE;
  }
  return TRUE;
}

/* --- What the labels allow ------------------------------------------------------------------ */

/* The pairs of rankings of one task; FALSE when there are none. */
static gboolean
count_task (const GPtrArray *rankings, LaurelPairCounts *counts)
{
  gboolean is_shared = FALSE;

  for (guint i = 0; i < rankings->len; i++)
    for (guint j = i + 1; j < rankings->len; j++)
      is_shared |= laurel_agreement_count_rankings (g_ptr_array_index (rankings, i),
                                                    g_ptr_array_index (rankings, j), counts);
  return is_shared;
}

static void
measure_agreement (Work *self)
{
  g_autoptr (GArray) tasks = g_array_new (FALSE, FALSE, sizeof (LaurelPairCounts));
  LaurelAgreement agreement = { 0 };

  for (guint i = 0; i < self->chosen->len; i++) {
    const LaurelRanking *ranking = g_ptr_array_index (self->chosen, i);
    const GPtrArray *group = g_hash_table_lookup (self->by_task, &ranking->task_id);
    LaurelPairCounts counts = { 0 };

    /* One turn for each task, in the order of the rankings, so that a seed says all. */
    if (group->pdata[0] == (gpointer) ranking && count_task (group, &counts))
      g_array_append_val (tasks, counts);
  }
  laurel_agreement_estimate ((const LaurelPairCounts *) (void *) tasks->data, (int) tasks->len,
                             N_RESAMPLES, self->request->seed, &agreement);
  self->report->n_shared_tasks = (int) tasks->len;
  self->report->agreement = agreement.strict;
}

LaurelRewardReport *
laurel_reward_report_new (LaurelStore *store,
                          const LaurelRewardReportRequest *request,
                          GError **error)
{
  g_autoptr (LaurelRewardReport) report = g_new0 (LaurelRewardReport, 1);
  g_auto (Work) work = { .store = store, .request = request, .report = report };

  report->model = g_strdup (request->model);
  report->all = request->all;
  report->n_seeds = report->kept_seed = 1;
  report->labelers = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_labeler_free);
  work.trained = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  laurel_hyperparameters_init (&work.hp, LAUREL_STAGE_REWARD);
  work.tasks = laurel_store_map_tasks (store, error);
  if (work.tasks == NULL || !load_model (&work, error))
    return NULL;
  read_run (&work);
  if (!choose_rankings (&work, error) || !load_comparisons (&work, error)
      || !score_all (&work, error))
    return NULL;
  laurel_reward_evaluate (work.scored,
                          work.model->config.normalized ? work.model->config.reward_gain : 1.0,
                          request->seed, &report->figures);
  measure_agreement (&work);
  report->verdict = laurel_reward_report_judge (report);
  return g_steal_pointer (&report);
}
