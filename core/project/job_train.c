/* job_train.c: a training run, from its row to a registered model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/project/job_seeds.h"
#include "core/project/watch.h"
#include "core/train/state.h"

/* What a run works with. @reward is NULL but for PPO and RLOO; @trained is what is saved:
 * @base, or a new reward model. */
typedef struct {
  LaurelStage stage;
  LaurelHyperparameters hp;
  LaurelModel *base;
  LaurelModel *reward;
  LaurelModel *reference; /* NULL: the policy starts from its reference */
  LaurelModel *trained;
  LaurelTrainData data;
  LaurelWatch *watch; /* online stages */
} TrainWork;

static void
train_work_clear (TrainWork *work)
{
  if (work->trained != work->base)
    laurel_model_free (work->trained);
  laurel_model_free (work->base);
  laurel_model_free (work->reward);
  laurel_watch_free (work->watch);
  laurel_model_free (work->reference);
  laurel_train_data_clear (&work->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TrainWork, train_work_clear)

static gboolean
find_stage (const char *kind, LaurelStage *out_stage, GError **error)
{
  for (int stage = 0; stage < LAUREL_N_STAGES; stage++)
    if (g_str_equal (kind, laurel_stage_name (stage))) {
      *out_stage = stage;
      return TRUE;
    }
  g_set_error (
      error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION,
      "Could not start the run: “%s” is no kind of run that this version knows; use a newer one",
      kind);
  return FALSE;
}

static LaurelModel *
load_model (LaurelJob *job, const char *member, GError **error)
{
  const char *name = json_object_get_string_member_with_default (job->config, member, "");
  g_autofree char *folder = laurel_model_resolve (job->store, job->project_path, name, error);

  return folder != NULL ? laurel_model_load (folder, error) : NULL;
}

static gboolean
trains_seeds (const TrainWork *work)
{
  return work->stage == LAUREL_STAGE_REWARD && work->hp.num_seeds > 1;
}

static gboolean
load_models (LaurelJob *job, TrainWork *work, GError **error)
{
  work->base = load_model (job, "model", error);
  if (work->base == NULL)
    return FALSE;
  work->trained = work->base;
  if (trains_seeds (work)) {
    work->trained = NULL; /* the best of those that the run makes */
    return TRUE;
  }
  if (work->stage == LAUREL_STAGE_REWARD) {
    work->trained =
        laurel_model_with_head (work->base, LAUREL_HEAD_SCORE, (guint64) work->hp.seed, error);
    return work->trained != NULL;
  }
  if (!laurel_stage_is_online (work->stage))
    return TRUE;
  work->reward = load_model (job, "reward_model", error);
  if (work->reward == NULL || !json_object_has_member (job->config, "reference"))
    return work->reward != NULL;
  work->reference = load_model (job, "reference", error);
  return work->reference != NULL;
}

static void
log_data (LaurelJob *job, const TrainWork *work)
{
  g_autoptr (GString) line = g_string_new ("Data:");

  if (work->stage == LAUREL_STAGE_PRETRAIN && work->data.n_rows > 0)
    g_string_append_printf (line,
                            " %" G_GUINT64_FORMAT " documents of %" G_GUINT64_FORMAT
                            " tokens, %" G_GUINT64_FORMAT " of them held out,",
                            work->data.n_rows, work->data.n_tokens, work->data.n_held_out);
  if (laurel_rows_count (work->data.rows) > 0 && laurel_stage_is_online (work->stage))
    g_string_append_printf (line, " %" G_GSIZE_FORMAT " rows to learn beside,",
                            laurel_rows_count (work->data.rows));
  else if (laurel_rows_count (work->data.rows) > 0)
    g_string_append_printf (line, " %" G_GSIZE_FORMAT " %s, %" G_GSIZE_FORMAT " held out,",
                            laurel_rows_count (work->data.rows),
                            work->stage == LAUREL_STAGE_PRETRAIN ? "rows" : "sequences",
                            laurel_rows_count (work->data.eval_rows));
  if (laurel_rows_count (work->data.eval_rows) > 0 && laurel_stage_is_online (work->stage))
    g_string_append_printf (line, " %" G_GSIZE_FORMAT " held out,",
                            laurel_rows_count (work->data.eval_rows));
  if (work->data.comparisons->len > 0)
    g_string_append_printf (line, " %u rankings,", work->data.comparisons->len);
  if (work->data.prompts->len > 0)
    g_string_append_printf (line, " %u prompts,", work->data.prompts->len);
  if (work->data.n_cut > 0)
    g_string_append_printf (line, " %d cut to the longest length", work->data.n_cut);
  else
    g_string_truncate (line, line->len - 1); /* the last comma */
  job->monitor.log (job->monitor.user_data, line->str);
  for (guint i = 0; i < work->data.notes->len; i++)
    job->monitor.log (job->monitor.user_data, g_ptr_array_index (work->data.notes, i));
}

static gboolean
run_stage (LaurelJob *job, TrainWork *work, GError **error)
{
  const LaurelTrainData *data = &work->data;

  switch (work->stage) {
  case LAUREL_STAGE_PRETRAIN:
    return laurel_train_pretrain (work->trained, data->rows, data->eval_rows, &work->hp,
                                  &job->monitor, error);
  case LAUREL_STAGE_SFT:
    return laurel_train_sft (work->trained, data->rows, data->eval_rows, &work->hp, &job->monitor,
                             error);
  case LAUREL_STAGE_REWARD:
    if (trains_seeds (work)) {
      work->trained = laurel_job_train_seeds (job, work->base, data, &work->hp, error);
      return work->trained != NULL;
    }
    return laurel_train_reward (work->trained, data->comparisons, work->base, data->prompts,
                                &work->hp, &job->monitor, error);
  case LAUREL_STAGE_PPO:
  case LAUREL_STAGE_RLOO:
    return laurel_train_policy (work->stage, work->trained, work->reference, work->reward,
                                data->prompts, data->rows, &work->hp, &job->monitor, error);
  case LAUREL_STAGE_DPO:
    return laurel_train_dpo (work->trained, data->comparisons, &work->hp, &job->monitor, error);
  case LAUREL_N_STAGES:
    break;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NEWER_VERSION,
               "Could not start the run: this version has no stage “%s”; use a newer one",
               laurel_stage_name (work->stage));
  return FALSE;
}

/* A reward model of the online loop, beside the one before it. */
static gboolean
measure (LaurelJob *job, TrainWork *work, GError **error)
{
  return work->stage != LAUREL_STAGE_REWARD || laurel_run_get_round (job->run) == 0
         || laurel_job_measure_gain (job, work->trained, work->data.comparisons, &work->hp, error);
}

static gboolean
save_output (LaurelJob *job, TrainWork *work, GError **error)
{
  const char *parent = json_object_get_string_member_with_default (job->config, "model", "");
  g_autoptr (LaurelModelRecord) record = laurel_store_get_model (job->store, parent, NULL);
  LaurelModelOrigin origin = { job->run->output, laurel_stage_model_kind (work->stage),
                               record != NULL ? parent : NULL, job->run->id };

  if (!laurel_register_model (job->store, job->project_path, work->trained, &origin, error))
    return FALSE;
  laurel_job_announce (job, TRUE, FALSE);
  return TRUE;
}

int
laurel_job_checkpoint_step (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, LAUREL_CHECKPOINT_NAME, NULL);
  int step = 0;

  (void) laurel_checkpoint_read_step (path, FALSE, &step, NULL);
  return step;
}

gboolean
laurel_job_go_back (LaurelJob *job, const char *folder, int first_step, int *out_step,
                    GError **error)
{
  g_autofree char *path = g_build_filename (folder, LAUREL_CHECKPOINT_NAME, NULL);

  return laurel_checkpoint_read_step (path, TRUE, out_step, error)
         && laurel_store_truncate_run (job->store, job->run->id, first_step + *out_step, error);
}

static gboolean
go_back (LaurelJob *job, GError **error)
{
  int step;

  if (!job->resume)
    return TRUE;
  if (!laurel_job_go_back (job, job->folder, 0, &step, error))
    return FALSE;
  job->monitor.resume = step > 0; /* else it died before its first checkpoint */
  return TRUE;
}

/* It died between its model's row, the last thing a run writes, and its own. */
static gboolean
has_made_its_model (const LaurelJob *job)
{
  g_autoptr (LaurelModelRecord) record =
      job->resume ? laurel_store_get_model (job->store, job->run->output, NULL) : NULL;

  return record != NULL && record->run_id == job->run->id;
}

/* What is held out and alarm lights, for stages that train a policy against a reward model. */
static gboolean
begin_watch (LaurelJob *job, TrainWork *work, GError **error)
{
  if (!laurel_stage_is_online (work->stage))
    return TRUE;
  work->watch = laurel_watch_new (job, &work->hp, work->base, work->reward, work->data.eval_rows,
                                  error);
  job->watch = work->watch;
  return work->watch != NULL;
}

/* An over-optimised run that was stopped to end with its best weights has trained; @error, of its
 * stop, is none then. */
static gboolean
take_best (TrainWork *work, GError **error)
{
  g_autofree char *folder = work->watch != NULL ? laurel_watch_dup_ending (work->watch) : NULL;

  if (folder == NULL || !g_error_matches (*error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED))
    return FALSE;
  g_clear_error (error);
  work->trained = laurel_model_load (folder, error);
  return work->trained != NULL;
}

static void
end_watch (LaurelJob *job, TrainWork *work, gboolean done)
{
  if (work->watch != NULL && done)
    laurel_watch_finish (work->watch);
  job->watch = NULL;
}

/* What a run that is done needs no more. */
static void
clean_up (LaurelJob *job, const TrainWork *work)
{
  laurel_data_remove_encoded (job->folder);
  if (trains_seeds (work))
    laurel_job_remove_seeds (job->folder, work->hp.num_seeds);
}

gboolean
laurel_job_train (LaurelJob *job, GError **error)
{
  g_auto (TrainWork) work = { 0 };
  g_autoptr (GError) local = NULL;
  JsonObject *settings;
  gboolean trained;

  if (!find_stage (job->run->kind, &work.stage, error))
    return FALSE;
  laurel_hyperparameters_init (&work.hp, work.stage);
  settings = json_object_get_object_member (job->config, "hyperparameters");
  if (settings != NULL && !laurel_hyperparameters_from_json (&work.hp, work.stage, settings, error))
    return FALSE;
  if (has_made_its_model (job)) {
    clean_up (job, &work);
    return TRUE;
  }
  if ((!trains_seeds (&work) && !go_back (job, error)) || !load_models (job, &work, error))
    return FALSE;
  if (!laurel_job_fix_snapshot (job, work.stage, error))
    return FALSE;
  if (!laurel_data_load (job->store, work.stage, job->snapshot, work.base, &work.hp, job->folder,
                         &job->monitor, &work.data, error))
    return FALSE;
  log_data (job, &work);
  if (!begin_watch (job, &work, error))
    return FALSE;
  trained = run_stage (job, &work, &local);
  end_watch (job, &work, trained);
  if (!trained && !take_best (&work, &local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!measure (job, &work, error) || !save_output (job, &work, error))
    return FALSE;
  clean_up (job, &work);
  return TRUE;
}
