/* jobs.c: starting, resuming and steering runs, on the project's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/model/generate.h"
#include "core/project/data.h"
#include "core/project/gold.h"
#include "core/project/internal.h"

/* --- What a request must be --------------------------------------------------- */

/* What can be known of a model without loading its weights. */
typedef struct {
  LaurelModelConfig config;
  LaurelTokenizer *tokenizer;
} ModelOutline;

static void
model_outline_clear (ModelOutline *self)
{
  g_clear_pointer (&self->tokenizer, laurel_tokenizer_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ModelOutline, model_outline_clear)

static gboolean
load_outline (LaurelProject *self, const char *name, ModelOutline *out, GError **error)
{
  g_autofree char *folder = laurel_project_resolve_model (self, name, error);

  if (folder == NULL || !laurel_model_load_config (folder, &out->config, error))
    return FALSE;
  out->tokenizer = laurel_tokenizer_load (folder, error);
  return out->tokenizer != NULL;
}

static gboolean
refuse_head (GError **error, const char *name, const char *is, const char *wanted)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not start from “%s”: it is %s; choose %s", name, is, wanted);
  return FALSE;
}

static gboolean
check_reward_fits (const ModelOutline *policy,
                   const ModelOutline *reward,
                   const char *policy_name,
                   const char *reward_name,
                   GError **error)
{
  if (reward->config.head != LAUREL_HEAD_SCORE)
    return refuse_head (error, reward_name, "a language model, not a reward model",
                        "a reward model");
  if (g_strcmp0 (laurel_tokenizer_get_hash (policy->tokenizer),
                 laurel_tokenizer_get_hash (reward->tokenizer))
      != 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
        "Could not start: the policy “%s” and the reward model “%s” have different tokenizers; "
        "train the reward model from the same SFT model",
        policy_name, reward_name);
    return FALSE;
  }
  if (!reward->config.normalized) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not start PPO: the scores of the reward model “%s” are not normalised, so "
                 "kl_coef would have no scale; train it with normalize_rewards",
                 reward_name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_models (LaurelProject *self,
              const LaurelTrainRequest *request,
              ModelOutline *out_base,
              GError **error)
{
  g_auto (ModelOutline) reward = { 0 };

  if (request->model == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start the run: no model is named; choose the one to start from");
    return FALSE;
  }
  if (!load_outline (self, request->model, out_base, error))
    return FALSE;
  if (out_base->config.head != LAUREL_HEAD_LM)
    return refuse_head (error, request->model, "a reward model, not a language model",
                        "a language model");
  if (!laurel_stage_is_online (request->stage))
    return TRUE;
  if (request->reward_model == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start PPO: no reward model is named; choose one, or train one first");
    return FALSE;
  }
  return load_outline (self, request->reward_model, &reward, error)
         && check_reward_fits (out_base, &reward, request->model, request->reward_model, error);
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

/* Names of runs that are still to be made are taken too. */
static gboolean
check_output (LaurelProject *self, const char *output, GError **error)
{
  g_autoptr (GPtrArray) runs = NULL;

  if (output == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not start the run: the model it makes has no name; give one");
    return FALSE;
  }
  if (!laurel_model_name_is_free (self->store, self->path, output, error))
    return FALSE;
  runs = laurel_store_list_runs (self->store, error);
  if (runs == NULL)
    return FALSE;
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = g_ptr_array_index (runs, i);

    if (run->status <= LAUREL_RUN_PAUSED && g_strcmp0 (run->output, output) == 0) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                   "Could not make the model “%s”: run %" G_GINT64_FORMAT
                   " is making it; choose another name",
                   output, run->id);
      return FALSE;
    }
  }
  return TRUE;
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
  static const char *const then[] = { "go-on", "pause", "stop" };
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

static char *
write_train_config (const LaurelTrainRequest *request, const char *gold_identity)
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
  json_object_set_string_member (object, "output", request->output);
  if (request->labelers != LAUREL_LABELERS_ALL)
    json_object_set_string_member (object, "labelers",
                                   laurel_labelers_to_string (request->labelers));
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

static gint64
queue_run (LaurelProject *self, LaurelRun *run, GError **error)
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
  g_auto (ModelOutline) base = { 0 };
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
  snapshot = laurel_data_snapshot_request (self->store, request, error);
  if (snapshot == NULL || !add_held_out (self, request, snapshot, error))
    return 0;
  config = write_train_config (request, gold_identity);
  snapshot_text = laurel_json_to_string (snapshot, FALSE);
  run.kind = (char *) laurel_stage_name (request->stage);
  run.name = (char *) request->output;
  run.model = (char *) request->model;
  run.output = (char *) request->output;
  run.config = config;
  run.snapshot = snapshot_text;
  run.message = (char *) "";
  run.seed = (guint64) request->hyperparameters.seed;
  return queue_run (self, &run, error);
}

/* --- Sampling ------------------------------------------------------------------------ */

typedef struct {
  gint64 id;
  guint n_tasks;
  guint32 place; /* in a shuffled order, so that a part of the prompts is a fair part */
} Candidate;

static int
compare_candidates (const void *a, const void *b)
{
  const Candidate *x = a, *y = b;

  if (x->n_tasks != y->n_tasks)
    return x->n_tasks < y->n_tasks ? -1 : 1;
  return x->place < y->place ? -1 : x->place > y->place;
}

static GHashTable *
count_tasks (LaurelStore *store, GError **error)
{
  g_autoptr (GPtrArray) tasks = laurel_store_list_tasks (store, -1, 0, error);
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  if (tasks == NULL)
    return NULL;
  for (guint i = 0; i < tasks->len; i++) {
    const LaurelTask *task = g_ptr_array_index (tasks, i);
    guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, &task->prompt_id));

    g_hash_table_insert (counts, g_memdup2 (&task->prompt_id, sizeof task->prompt_id),
                         GUINT_TO_POINTER (n + 1));
  }
  return g_steal_pointer (&counts);
}

static GArray *
list_candidates (LaurelStore *store, guint64 seed, GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (store, "train", NULL, -1, 0, error);
  g_autoptr (GHashTable) counts = prompts != NULL ? count_tasks (store, error) : NULL;
  g_autoptr (GArray) candidates = NULL;
  g_autofree guint32 *places = NULL;
  LaurelRng rng;

  if (counts == NULL)
    return NULL;
  places = g_new (guint32, MAX (prompts->len, 1));
  for (guint i = 0; i < prompts->len; i++)
    places[i] = i;
  laurel_rng_init (&rng, seed, LAUREL_RNG_SHUFFLE, 0, 0);
  laurel_rng_shuffle (&rng, places, prompts->len);
  candidates = g_array_sized_new (FALSE, FALSE, sizeof (Candidate), prompts->len);
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (prompts, i);
    Candidate candidate = { prompt->id,
                            GPOINTER_TO_UINT (g_hash_table_lookup (counts, &prompt->id)),
                            places[i] };

    g_array_append_val (candidates, candidate);
  }
  qsort (candidates->data, candidates->len, sizeof (Candidate), compare_candidates);
  return g_steal_pointer (&candidates);
}

static GArray *
choose_prompts (LaurelProject *self, const LaurelSampleRequest *request, GError **error)
{
  GArray *candidates;

  if (request->prompt != NULL) {
    Candidate candidate = {
      laurel_store_ensure_prompt (self->store, request->prompt, "train", "", error), 0, 0
    };

    if (candidate.id == 0)
      return NULL;
    candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
    return g_array_append_val (candidates, candidate);
  }
  candidates = list_candidates (self->store, request->seed, error);
  if (candidates == NULL)
    return NULL;
  if (candidates->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not sample: the project has no training prompts; import some first");
    g_array_unref (candidates);
    return NULL;
  }
  if (request->n_prompts > 0 && (guint) request->n_prompts < candidates->len)
    g_array_set_size (candidates, (guint) request->n_prompts);
  return candidates;
}

static char *
write_prompt_ids (const GArray *candidates)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) node = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "prompt_ids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < candidates->len; i++)
    json_builder_add_int_value (builder, g_array_index (candidates, Candidate, i).id);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  node = json_builder_get_root (builder);
  return laurel_json_to_string (node, FALSE);
}

char *
laurel_sample_unescape (const char *text)
{
  GString *plain = g_string_new (NULL);

  for (; *text != '\0'; text++) {
    const char *meant = text[0] != '\\'   ? NULL
                        : text[1] == 'n'  ? "\n"
                        : text[1] == 't'  ? "\t"
                        : text[1] == '\\' ? "\\"
                                          : NULL;

    if (meant != NULL) {
      g_string_append (plain, meant);
      text++;
    } else {
      g_string_append_c (plain, *text);
    }
  }
  return g_string_free (plain, FALSE);
}

static void
set_texts (JsonObject *object, const char *member, const char *const *texts)
{
  JsonArray *array = json_array_new ();

  for (int i = 0; texts != NULL && texts[i] != NULL; i++)
    json_array_add_string_element (array, texts[i]);
  json_object_set_array_member (object, member, array);
}

static char *
write_sample_config (const LaurelSampleRequest *request)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();

  json_object_set_string_member (object, "model", request->model);
  json_object_set_int_member (object, "n_completions", request->n_completions);
  json_object_set_double_member (object, "temperature", request->temperature);
  json_object_set_int_member (object, "top_k", request->top_k);
  json_object_set_double_member (object, "top_p", request->top_p);
  json_object_set_double_member (object, "min_p", request->min_p);
  json_object_set_int_member (object, "max_tokens", request->max_tokens);
  json_object_set_int_member (object, "seed", (gint64) request->seed);
  json_object_set_double_member (object, "repetition_penalty",
                                 request->repetition_penalty == 0 ? 1
                                                                  : request->repetition_penalty);
  set_texts (object, "stop", request->stop);
  set_texts (object, "logit_bias", request->logit_bias);
  json_object_set_int_member (object, "max_rows", request->max_rows);
  json_object_set_boolean_member (object, "bf16_weights", request->bf16_weights);
  if (request->best_of > 1) {
    json_object_set_int_member (object, "best_of", request->best_of);
    json_object_set_string_member (object, "reward_model", request->reward_model);
  }
  json_node_init_object (node, object);
  return laurel_json_to_string (node, FALSE);
}

/* The texts among them need the model's tokenizer. */
static gboolean
check_logit_bias (LaurelProject *self,
                  const LaurelSampleRequest *request,
                  const LaurelModelRecord *record,
                  GError **error)
{
  g_autofree char *folder = NULL;
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GArray) biases = NULL;

  if (request->logit_bias == NULL || request->logit_bias[0] == NULL)
    return TRUE;
  folder = laurel_project_resolve_model (self, request->model, error);
  if (folder == NULL)
    return FALSE;
  tokenizer = laurel_tokenizer_load (folder, error);
  if (tokenizer == NULL)
    return FALSE;
  biases =
      laurel_logit_bias_parse (request->logit_bias, tokenizer, (int) record->vocab_size, error);
  return biases != NULL;
}

static gboolean
check_best_of (LaurelProject *self, const LaurelSampleRequest *request, GError **error)
{
  g_auto (ModelOutline) policy = { 0 };
  g_auto (ModelOutline) reward = { 0 };

  if (request->best_of <= 1)
    return TRUE;
  if (request->reward_model != NULL)
    return load_outline (self, request->model, &policy, error)
           && load_outline (self, request->reward_model, &reward, error)
           && check_reward_fits (&policy, &reward, request->model, request->reward_model, error);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not choose the best of %d: no reward model is named; choose one, or train "
               "one first",
               request->best_of);
  return FALSE;
}

static gboolean
check_sampling (LaurelProject *self, const LaurelSampleRequest *request, GError **error)
{
  const LaurelSamplingOptions options = laurel_sample_request_get_options (request);
  g_autoptr (LaurelModelRecord) record = NULL;

  if (request->n_completions < 2 || request->n_completions > 9) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not sample: %d completions a prompt cannot be ranked; choose 2 to 9",
                 request->n_completions);
    return FALSE;
  }
  if (!laurel_sampling_options_validate (&options, error))
    return FALSE;
  record =
      laurel_store_get_model (self->store, request->model != NULL ? request->model : "", error);
  if (record == NULL)
    return FALSE;
  if (g_str_equal (record->kind, "reward"))
    return refuse_head (error, request->model, "a reward model, not a language model",
                        "a language model");
  return check_logit_bias (self, request, record, error) && check_best_of (self, request, error);
}

gint64
laurel_project_start_sampling (LaurelProject *self,
                               const LaurelSampleRequest *request,
                               GError **error)
{
  g_autoptr (GArray) candidates = NULL;
  g_autofree char *config = NULL;
  g_autofree char *snapshot = NULL;
  LaurelRun run = { 0 };

  if (!check_sampling (self, request, error))
    return 0;
  candidates = choose_prompts (self, request, error);
  if (candidates == NULL)
    return 0;
  config = write_sample_config (request);
  snapshot = write_prompt_ids (candidates);
  run.kind = (char *) "sample";
  run.name = (char *) request->model;
  run.model = (char *) request->model;
  run.config = config;
  run.snapshot = snapshot;
  run.message = (char *) "";
  run.seed = request->seed;
  run.n_steps = (int) candidates->len;
  return queue_run (self, &run, error);
}

/* --- Resuming, steering, waiting ------------------------------------------------------- */

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
  if (run->output != NULL && run->output[0] != '\0') {
    g_autoptr (LaurelModelRecord) record = laurel_store_get_model (self->store, run->output, NULL);

    if (record != NULL && record->run_id != run_id) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS,
                   "Could not resume run %" G_GINT64_FORMAT
                   ": the project has a model “%s” by now; remove it first",
                   run_id, run->output);
      return 0;
    }
  }
  if (!laurel_store_set_run_status (self->store, run_id, LAUREL_RUN_QUEUED, "", error))
    return 0;
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_RUN, run_id, TRUE);
  return run_id;
}

LaurelJobSnapshot *
laurel_project_get_job (LaurelProject *self)
{
  return self->trainer != NULL ? laurel_trainer_get_job (self->trainer) : NULL;
}

void
laurel_project_pause_job (LaurelProject *self)
{
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_PAUSE, 0, FALSE);
}

void
laurel_project_resume_job (LaurelProject *self)
{
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_RESUME, 0, FALSE);
}

void
laurel_project_stop_job (LaurelProject *self)
{
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_STOP, 0, FALSE);
}

void
laurel_project_checkpoint_job (LaurelProject *self)
{
  laurel_trainer_send (self->trainer, LAUREL_COMMAND_CHECKPOINT, 0, FALSE);
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
