/* jobs.c: starting, resuming and steering runs, on the project's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/data.h"
#include "core/project/gold.h"
#include "core/project/internal.h"
#include "core/project/outline.h"

/* --- What a request must be --------------------------------------------------- */

/* The KL needs the same tokens from both; a reward model's head has none. */
static gboolean
check_reference_fits (LaurelProject *self,
                      const LaurelModelOutline *policy,
                      const LaurelTrainRequest *request,
                      GError **error)
{
  g_auto (LaurelModelOutline) reference = { 0 };

  if (request->reference == NULL)
    return TRUE;
  if (!laurel_model_outline_load (self, request->reference, &reference, error))
    return FALSE;
  if (reference.config.head != LAUREL_HEAD_LM)
    return laurel_refuse_head (error, request->reference, "a reward model, not a language model",
                               "the language model that the policy was tuned from");
  if (g_str_equal (laurel_tokenizer_get_hash (policy->tokenizer),
                   laurel_tokenizer_get_hash (reference.tokenizer)))
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not start PPO: the policy “%s” and the reference “%s” have different "
               "tokenizers; choose the model that the policy was tuned from",
               request->model, request->reference);
  return FALSE;
}

static gboolean
check_models (LaurelProject *self,
              const LaurelTrainRequest *request,
              LaurelModelOutline *out_base,
              GError **error)
{
  g_auto (LaurelModelOutline) reward = { 0 };

  if (request->model == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start the run: no model is named; choose the one to start from");
    return FALSE;
  }
  if (!laurel_model_outline_load (self, request->model, out_base, error))
    return FALSE;
  if (out_base->config.head != LAUREL_HEAD_LM)
    return laurel_refuse_head (error, request->model, "a reward model, not a language model",
                               "a language model");
  if (!laurel_stage_is_online (request->stage))
    return TRUE;
  if (request->reward_model == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start PPO: no reward model is named; choose one, or train one first");
    return FALSE;
  }
  return laurel_model_outline_load (self, request->reward_model, &reward, error)
         && laurel_check_reward_fits (out_base, &reward, request->model, request->reward_model,
                                      error)
         && check_reference_fits (self, out_base, request, error);
}

/* Bytes that the kernel says could be given out without swapping; 0: not known. */
static gsize
read_available_memory (void)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    return 0;
  at = strstr (text, "MemAvailable:");
  return at != NULL ? (gsize) g_ascii_strtoull (at + strlen ("MemAvailable:"), NULL, 10) * 1024 : 0;
}

static gboolean
check_memory (LaurelProject *self,
              const LaurelTrainRequest *request,
              const LaurelModelConfig *config,
              GError **error)
{
  gsize wanted = laurel_project_plan_memory (self, request, config);
  gsize available = read_available_memory ();
  g_autofree char *wanted_text = NULL;
  g_autofree char *available_text = NULL;

  if (available == 0 || wanted <= available)
    return TRUE;
  wanted_text = g_format_size (wanted);
  available_text = g_format_size (available);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not start the run: it needs %s of memory and %s is free; "
               "lower batch_size or close other programs",
               wanted_text, available_text);
  return FALSE;
}

/* The run that is making a model @output, or waits to; 0: there is none; −1 on error. */
static gint64
find_maker (LaurelProject *self, const char *output, GError **error)
{
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (self->store, error);

  if (runs == NULL)
    return -1;
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = g_ptr_array_index (runs, i);

    if (run->status <= LAUREL_RUN_PAUSED && g_strcmp0 (run->output, output) == 0)
      return run->id;
  }
  return 0;
}

/* Names of models that are still to be made are taken too. */
static gboolean
check_output (LaurelProject *self, const char *output, GError **error)
{
  gint64 maker;

  if (output == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start the run: the model it makes has no name; give one");
    return FALSE;
  }
  if (!laurel_model_name_is_free (self->store, self->path, output, error))
    return FALSE;
  maker = find_maker (self, output, error);
  if (maker > 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                 "Could not make the model “%s”: run %" G_GINT64_FORMAT
                 " is making it; choose another name",
                 output, maker);
  return maker == 0;
}

/* --- The run's row ---------------------------------------------------------------- */

/* A directory is kept as an absolute path, so that a resumed run finds it from anywhere. */
static char *
name_model (const char *name_or_path)
{
  return strchr (name_or_path, '/') != NULL ? g_canonicalize_filename (name_or_path, NULL)
                                            : g_strdup (name_or_path);
}

/* @identity: the gold judge's; NULL: there is none. */
static void
set_gold (JsonObject *object, const LaurelTrainRequest *request, const char *identity)
{
  static const char *const then[] = { "go-on", "pause", "stop", "keep-best" };
  g_autofree char *gold = NULL;

  if (identity == NULL)
    return;
  gold = g_file_test (request->gold, G_FILE_TEST_EXISTS)
             ? g_canonicalize_filename (request->gold, NULL)
             : g_strdup (request->gold);
  json_object_set_string_member (object, "gold", gold);
  json_object_set_string_member (object, "gold_sha256", identity);
  json_object_set_string_member (object, "on_overoptimisation",
                                 then[request->on_overoptimisation]);
}

/* For whoever reads the run's configuration: what it learns from is in its snapshot. */
static void
set_labelers (JsonObject *object, LaurelStore *store, const LaurelTrainRequest *request)
{
  g_autoptr (GPtrArray) labelers = NULL;
  JsonArray *names;

  if (request->labelers != LAUREL_LABELERS_ALL)
    json_object_set_string_member (object, "labelers",
                                   laurel_labelers_to_string (request->labelers));
  if (request->labeler_ids == NULL)
    return;
  names = json_array_new ();
  labelers = laurel_store_list_labelers (store, NULL);
  for (const gint64 *id = request->labeler_ids; *id != 0; id++)
    for (guint i = 0; labelers != NULL && i < labelers->len; i++) {
      const LaurelLabeler *labeler = g_ptr_array_index (labelers, i);

      if (labeler->id == *id)
        json_array_add_string_element (names, labeler->name);
    }
  json_object_set_array_member (object, "labeler_names", names);
}

static char *
write_train_config (LaurelStore *store, const LaurelTrainRequest *request,
                    const char *gold_identity)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *model = name_model (request->model);

  json_object_set_string_member (object, "stage", laurel_stage_name (request->stage));
  json_object_set_string_member (object, "model", model);
  if (laurel_stage_is_online (request->stage)) {
    g_autofree char *reward = name_model (request->reward_model);

    json_object_set_string_member (object, "reward_model", reward);
  }
  set_gold (object, request, gold_identity);
  if (request->chosen)
    json_object_set_boolean_member (object, "chosen", TRUE);
  if (request->reference != NULL) {
    g_autofree char *reference = name_model (request->reference);

    json_object_set_string_member (object, "reference", reference);
  }
  if (request->previous != NULL)
    json_object_set_string_member (object, "previous", request->previous);
  if (request->round != 0)
    json_object_set_int_member (object, "round", request->round);
  json_object_set_string_member (object, "output", request->output);
  set_labelers (object, store, request);
  json_object_set_member (
      object, "hyperparameters",
      laurel_hyperparameters_to_json (&request->hyperparameters, request->stage));
  json_node_init_object (node, object);
  return laurel_json_to_string (node, FALSE);
}

/* Held-out prompts are fixed when a run starts, as its data is: at most hp->eval_rows, evenly over
 * all there are. */
static gboolean
add_held_out (LaurelProject *self,
              const LaurelTrainRequest *request,
              JsonNode *snapshot,
              GError **error)
{
  g_autoptr (GPtrArray) prompts = NULL;
  JsonArray *ids;
  guint n;

  if (!laurel_stage_is_online (request->stage))
    return TRUE;
  prompts = laurel_store_list_prompts (self->store, "heldout", NULL, -1, 0, error);
  if (prompts == NULL)
    return FALSE;
  n = request->hyperparameters.eval_rows > 0
          ? MIN ((guint) request->hyperparameters.eval_rows, prompts->len)
          : prompts->len;
  ids = json_array_new ();
  for (guint i = 0; i < n; i++) {
    const LaurelPrompt *prompt =
        g_ptr_array_index (prompts, (gsize) i * prompts->len / (gsize) n);

    json_array_add_int_element (ids, prompt->id);
  }
  json_object_set_array_member (json_node_get_object (snapshot), "heldout_prompt_ids", ids);
  return TRUE;
}

/* The gold judge can be read, and what it is; TRUE without one. */
static gboolean
check_gold (LaurelProject *self,
            const LaurelTrainRequest *request,
            char **out_identity,
            GError **error)
{
  g_autoptr (LaurelGold) gold = NULL;

  if (request->gold == NULL || !laurel_stage_is_online (request->stage))
    return TRUE;
  gold = laurel_gold_load (self->store, self->path, request->gold, error);
  if (gold == NULL)
    return FALSE;
  *out_identity = g_strdup (laurel_gold_get_identity (gold));
  return TRUE;
}

gint64
laurel_project_queue_run (LaurelProject *self, LaurelRun *run, GError **error)
{
  run->status = LAUREL_RUN_QUEUED;
  run->created = g_get_real_time ();
  if (!laurel_store_add_run (self->store, run, error))
    return 0;
  g_signal_emit_by_name (self, "run-changed", run->id);
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_RUN, run->id, FALSE);
  return run->id;
}

gint64
laurel_project_start_training (LaurelProject *self,
                               const LaurelTrainRequest *request,
                               GError **error)
{
  g_auto (LaurelModelOutline) base = { 0 };
  g_autoptr (JsonNode) snapshot = NULL;
  g_autofree char *config = NULL;
  g_autofree char *snapshot_text = NULL;
  g_autofree char *gold_identity = NULL;
  LaurelRun run = { 0 };

  if (!laurel_hyperparameters_validate (&request->hyperparameters, request->stage, error)
      || !check_output (self, request->output, error) || !check_models (self, request, &base, error)
      || !check_memory (self, request, &base.config, error)
      || !check_gold (self, request, &gold_identity, error))
    return 0;
  snapshot = request->late ? laurel_json_parse ("{}", "snapshot", error)
                           : laurel_data_snapshot_request (self->store, request, error);
  if (snapshot == NULL
      || (laurel_stage_is_online (request->stage)
          && !laurel_data_snapshot_ptx (self->store, request, json_node_get_object (snapshot),
                                        error))
      || !add_held_out (self, request, snapshot, error))
    return 0;
  config = write_train_config (self->store, request, gold_identity);
  snapshot_text = laurel_json_to_string (snapshot, FALSE);
  run.kind = (char *) laurel_stage_name (request->stage);
  run.name = (char *) request->output;
  run.model = (char *) request->model;
  run.output = (char *) request->output;
  run.config = config;
  run.snapshot = snapshot_text;
  run.message = (char *) "";
  run.seed = (guint64) request->hyperparameters.seed;
  return laurel_project_queue_run (self, &run, error);
}

/* --- Resuming, steering, waiting ------------------------------------------------------- */

/* Its model's name may have been given to another run's since it stopped. */
static gboolean
check_output_is_free (LaurelProject *self, const LaurelRun *run, GError **error)
{
  g_autoptr (LaurelModelRecord) record = NULL;
  gint64 maker;

  if (run->output == NULL || run->output[0] == '\0')
    return TRUE;
  record = laurel_store_get_model (self->store, run->output, NULL);
  if (record != NULL && record->run_id != run->id) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                 "Could not resume run %" G_GINT64_FORMAT
                 ": the project has a model “%s” by now; remove that first, or start a new run "
                 "under another name",
                 run->id, run->output);
    return FALSE;
  }
  maker = find_maker (self, run->output, error);
  if (maker > 0)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                 "Could not resume run %" G_GINT64_FORMAT ": run %" G_GINT64_FORMAT
                 " is making the model “%s”; start a new run under another name",
                 run->id, maker, run->output);
  return maker == 0;
}

gint64
laurel_project_resume_run (LaurelProject *self, gint64 run_id, GError **error)
{
  g_autoptr (LaurelRun) run = laurel_store_get_run (self->store, run_id, error);

  if (run == NULL)
    return 0;
  if (run->status != LAUREL_RUN_STOPPED && run->status != LAUREL_RUN_INTERRUPTED
      && run->status != LAUREL_RUN_FAILED) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not resume run %" G_GINT64_FORMAT
                 ": it is %s; only stopped, interrupted and failed runs "
                 "can be resumed",
                 run_id, laurel_run_status_to_string (run->status));
    return 0;
  }
  if (!check_output_is_free (self, run, error))
    return 0;
  if (!laurel_store_set_run_status (self->store, run_id, LAUREL_RUN_QUEUED, "", error))
    return 0;
  g_signal_emit_by_name (self, "run-changed", run_id);
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_RUN, run_id, TRUE);
  return run_id;
}

LaurelJobSnapshot *
laurel_project_get_job (LaurelProject *self)
{
  return self->trainer != NULL ? laurel_trainer_get_job (self->trainer) : NULL;
}

/* Means the job that is running now: when it ends before the trainer thread has read this, the next
 * one in the queue goes on. */
static void
steer_job (LaurelProject *self, LaurelCommandKind kind)
{
  g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (self);

  if (self->trainer != NULL)
    laurel_trainer_send (self->trainer, kind, job != NULL ? job->run_id : 0, FALSE);
}

void
laurel_project_pause_job (LaurelProject *self)
{
  steer_job (self, LAUREL_COMMAND_PAUSE);
}

void
laurel_project_resume_job (LaurelProject *self)
{
  steer_job (self, LAUREL_COMMAND_RESUME);
}

void
laurel_project_stop_job (LaurelProject *self)
{
  steer_job (self, LAUREL_COMMAND_STOP);
}

static gboolean
report_end (const LaurelRun *run, GError **error)
{
  if (run->status == LAUREL_RUN_DONE)
    return TRUE;
  if (run->status == LAUREL_RUN_FAILED)
    g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_FAILED, run->message);
  else if (g_str_has_prefix (run->message, "over-optimised"))
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                 "Could not finish run %" G_GINT64_FORMAT ": %s", run->id, run->message);
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                 "Could not finish run %" G_GINT64_FORMAT
                 ": it was %s at step %d of %d; resume it to go on",
                 run->id, laurel_run_status_to_string (run->status), run->step, run->n_steps);
  return FALSE;
}

/* The row says that a run has ended a moment before its thread is done with it. */
static gboolean
is_held (LaurelProject *self, gint64 run_id)
{
  g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (self);

  return job != NULL && job->run_id == run_id;
}

gboolean
laurel_project_wait (LaurelProject *self, gint64 run_id, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  for (;;) {
    g_autoptr (LaurelRun) run = laurel_store_get_run (self->store, run_id, error);

    if (run == NULL)
      return FALSE;
    if (run->status > LAUREL_RUN_PAUSED && !is_held (self, run_id))
      return report_end (run, error);
    g_main_context_iteration (context, TRUE);
  }
}
