/* job_sample.c: sampling K completions for each of N prompts, stored as tasks to rank.
 *
 * With a second model to mix in, a task has completions of both; which are whose is in the
 * completions' rows and nowhere that a labeler looks.
 *
 * Prompts go in small groups; each group's completions and tasks are one
 * transaction together with the run's step, so a run that is stopped goes on
 * with the first prompt that has no task yet.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/model/rounding.h"
#include "core/project/best_of.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/monitor.h"

/* Sequences decoded together: enough to keep the kernels busy, few enough to stop soon. */
#define SEQUENCES_AT_A_TIME 64
/* What the second model's seed is told apart by: a number of 63 bits, as the database has them. */
#define MIXED_SEED G_GUINT64_CONSTANT (0x4d69786564)

/* A model and what it is asked to write for each prompt. */
typedef struct {
  const char *name;
  LaurelModel *model;
  LaurelSamplingOptions options;
  GArray *biases; /* (element-type LaurelLogitBias), in this model's tokens */
  int n_completions;
} Writer;

typedef struct {
  Writer writers[2];
  int n_writers;
  LaurelModel *reward; /* that chooses; NULL: every sample is kept */
  LaurelBestOf best_of;
  LaurelSamplingOptions options; /* without the biases */
  char **stop, **logit_bias;
  char *stop_text, *logit_bias_text; /* as stored: JSON */
  int n_completions;                 /* of a task */
  double shared;                     /* this share of the tasks wants two labelers */
  GPtrArray *prompts;                /* (element-type LaurelPrompt), of the snapshot */
  gboolean has_told;                 /* what rounding the weights costs */
} SampleWork;

static void
sample_work_clear (SampleWork *work)
{
  for (int i = 0; i < work->n_writers; i++) {
    g_clear_pointer (&work->writers[i].model, laurel_model_free);
    g_clear_pointer (&work->writers[i].biases, g_array_unref);
  }
  g_clear_pointer (&work->reward, laurel_model_free);
  g_clear_pointer (&work->prompts, g_ptr_array_unref);
  g_clear_pointer (&work->stop, g_strfreev);
  g_clear_pointer (&work->logit_bias, g_strfreev);
  g_clear_pointer (&work->stop_text, g_free);
  g_clear_pointer (&work->logit_bias_text, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SampleWork, sample_work_clear)

LaurelSamplingOptions
laurel_sample_request_get_options (const LaurelSampleRequest *request)
{
  return (LaurelSamplingOptions) { .temperature = request->temperature,
                                   .top_k = request->top_k,
                                   .top_p = request->top_p,
                                   .min_p = request->min_p,
                                   .max_tokens = request->max_tokens,
                                   .seed = request->seed,
                                   .repetition_penalty = request->repetition_penalty,
                                   .stop = request->stop,
                                   .max_rows = request->max_rows,
                                   .bf16_weights = request->bf16_weights };
}

static double
get_number (JsonObject *object, const char *member, double otherwise)
{
  return json_object_get_double_member_with_default (object, member, otherwise);
}

/* The texts of a list that an older Laurel did not write; @out_json is the list itself. */
static char **
get_texts (JsonObject *object, const char *member, char **out_json)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node)
                                                                  : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  *out_json = array != NULL ? laurel_json_to_string (node, FALSE) : NULL;
  return g_strv_builder_end (builder);
}

static void
read_options (JsonObject *config, SampleWork *work)
{
  const LaurelSamplingOptions defaults = LAUREL_SAMPLING_DEFAULTS;

  work->options.temperature = get_number (config, "temperature", defaults.temperature);
  work->options.top_k =
      (int) json_object_get_int_member_with_default (config, "top_k", defaults.top_k);
  work->options.top_p = get_number (config, "top_p", defaults.top_p);
  work->options.min_p = get_number (config, "min_p", defaults.min_p);
  work->options.max_tokens =
      (int) json_object_get_int_member_with_default (config, "max_tokens", defaults.max_tokens);
  work->options.seed = (guint64) json_object_get_int_member_with_default (config, "seed", 0);
  work->options.repetition_penalty = get_number (config, "repetition_penalty", 1);
  work->options.max_rows = (int) json_object_get_int_member_with_default (config, "max_rows", 0);
  work->options.bf16_weights =
      json_object_get_boolean_member_with_default (config, "bf16_weights", FALSE);
  work->stop = get_texts (config, "stop", &work->stop_text);
  work->logit_bias = get_texts (config, "logit_bias", &work->logit_bias_text);
  work->options.stop = (const char *const *) work->stop;
  work->n_completions = (int) json_object_get_int_member_with_default (config, "n_completions", 4);
  work->shared = get_number (config, "shared", 0);
}

static gboolean
read_prompts (LaurelJob *job, SampleWork *work, GError **error)
{
  g_autoptr (GPtrArray) prompts = laurel_store_list_prompts (job->store, NULL, NULL, -1, 0, error);
  g_autoptr (GHashTable) places = g_hash_table_new (g_int64_hash, g_int64_equal);
  JsonArray *ids = json_object_get_array_member (job->snapshot, "prompt_ids");

  if (prompts == NULL)
    return FALSE;
  work->prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_prompt_free);
  for (guint i = 0; i < prompts->len; i++)
    g_hash_table_insert (places, &((LaurelPrompt *) g_ptr_array_index (prompts, i))->id,
                         GUINT_TO_POINTER (i + 1));
  for (guint i = 0; ids != NULL && i < json_array_get_length (ids); i++) {
    gint64 id = json_array_get_int_element (ids, i);
    guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places, &id));

    if (place > 0)
      g_ptr_array_add (work->prompts, g_steal_pointer (&g_ptr_array_index (prompts, place - 1)));
  }
  g_ptr_array_set_free_func (prompts, NULL);
  for (guint i = 0; i < prompts->len; i++)
    if (g_ptr_array_index (prompts, i) != NULL)
      laurel_prompt_free (g_ptr_array_index (prompts, i));
  return TRUE;
}

/* --- One group of prompts ------------------------------------------------------ */

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  LaurelJob *job = user_data;

  return job->monitor.poll (job->monitor.user_data) != LAUREL_STOP;
}

static gboolean
encode_prompts (const SampleWork *work,
                const Writer *writer,
                guint first,
                int n,
                LaurelPromptTokens *tokens,
                GPtrArray *arrays,
                GError **error)
{
  const LaurelModel *model = writer->model;

  for (int i = 0; i < n; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (work->prompts, first + (guint) i);
    GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    g_ptr_array_add (arrays, ids);
    if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt->text, ids,
                                        error))
      return FALSE;
    if ((int) ids->len >= model->config.n_positions) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not sample for prompt %" G_GINT64_FORMAT
                   ": it has %u tokens and the model's context is %d; "
                   "shorten it",
                   prompt->id, ids->len, model->config.n_positions);
      return FALSE;
    }
    tokens[i].tokens = (const gint32 *) (const void *) ids->data;
    tokens[i].n_tokens = (int) ids->len;
    tokens[i].stream = (guint64) prompt->id;
  }
  return TRUE;
}

static gboolean
store_completion (LaurelJob *job,
                  const SampleWork *work,
                  const Writer *writer,
                  gint64 prompt_id,
                  const LaurelSample *sample,
                  gint64 *out_id,
                  GError **error)
{
  g_autofree char *text = laurel_sample_dup_text (sample, writer->model);
  LaurelCompletion completion = { 0 };

  completion.prompt_id = prompt_id;
  completion.model = (char *) writer->name;
  completion.tokens = sample->tokens;
  completion.logprobs = sample->logprobs;
  completion.plain_logprobs = sample->plain_logprobs;
  completion.n_tokens = sample->n_tokens;
  completion.text = text;
  completion.finish = sample->finish;
  completion.temperature = writer->options.temperature;
  completion.top_k = writer->options.top_k;
  completion.top_p = writer->options.top_p;
  completion.min_p = writer->options.min_p;
  completion.repetition_penalty = writer->options.repetition_penalty;
  completion.stop = work->stop_text;
  completion.logit_bias = work->logit_bias_text;
  completion.seed = writer->options.seed;
  completion.created = g_get_real_time ();
  if (!laurel_store_add_completion (job->store, &completion, error))
    return FALSE;
  *out_id = completion.id;
  return TRUE;
}

/* Drawn for each prompt by itself, so that a resumed run draws the same. */
static int
count_wanted_labelers (const SampleWork *work, gint64 prompt_id)
{
  LaurelRng rng;

  laurel_rng_init (&rng, work->options.seed, LAUREL_RNG_QUEUE, 1, (guint64) prompt_id);
  return laurel_rng_uniform (&rng) < work->shared ? 2 : 1;
}

/* @samples: of each writer (element-type LaurelSample); prompt @index of the group is stored. */
static gboolean
store_task (LaurelJob *job,
            const SampleWork *work,
            gint64 prompt_id,
            GPtrArray *const *samples,
            int index,
            GError **error)
{
  g_autofree gint64 *ids = g_new (gint64, work->n_completions);
  int n = 0;

  for (int w = 0; w < work->n_writers; w++) {
    const Writer *writer = &work->writers[w];
    int first = index * writer->n_completions;

    for (int j = 0; j < writer->n_completions; j++)
      if (!store_completion (job, work, writer, prompt_id,
                             g_ptr_array_index (samples[w], first + j), &ids[n++], error))
        return FALSE;
  }
  return laurel_store_add_task (job->store, prompt_id, ids, n,
                                count_wanted_labelers (work, prompt_id), "random", error)
         != 0;
}

static gboolean
store_group (LaurelJob *job,
             const SampleWork *work,
             guint first,
             int n,
             GPtrArray *const *samples,
             GError **error)
{
  if (!laurel_store_begin (job->store, error))
    return FALSE;
  for (int i = 0; i < n; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (work->prompts, first + (guint) i);

    if (!store_task (job, work, prompt->id, samples, i, error)) {
      laurel_store_rollback (job->store);
      return FALSE;
    }
  }
  if (!laurel_store_set_run_step (job->store, job->run->id, (int) first + n,
                                  (int) work->prompts->len, error)) {
    laurel_store_rollback (job->store);
    return FALSE;
  }
  return laurel_store_commit (job->store, error);
}

/* Of the first group alone: the others would say much the same. */
static gboolean
tell_rounding_cost (LaurelJob *job,
                    SampleWork *work,
                    const Writer *writer,
                    const LaurelPromptTokens *tokens,
                    GPtrArray *samples,
                    GError **error)
{
  LaurelRoundingCost cost;
  g_autofree char *text = NULL;

  if (!work->options.bf16_weights || work->has_told)
    return TRUE;
  if (!laurel_rounding_measure (writer->model, tokens, samples, work->options.temperature, &cost,
                                error))
    return FALSE;
  text = laurel_rounding_describe (&cost);
  laurel_monitor_log (&job->monitor, "%s", text);
  work->has_told = TRUE;
  return TRUE;
}

static GPtrArray *
write_group (
    LaurelJob *job, SampleWork *work, const Writer *writer, guint first, int n, GError **error)
{
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, n);
  g_autoptr (GPtrArray) samples = NULL;

  if (!encode_prompts (work, writer, first, n, tokens, arrays, error))
    return NULL;
  samples = work->reward != NULL
                ? laurel_best_of_generate (&work->best_of, writer->model, tokens, n,
                                           writer->n_completions, &writer->options, progress_cb,
                                           job, NULL, error)
                : laurel_generate (writer->model, tokens, n, writer->n_completions,
                                   &writer->options, progress_cb, job, error);
  if (samples == NULL || !tell_rounding_cost (job, work, writer, tokens, samples, error))
    return NULL;
  return g_steal_pointer (&samples);
}

static gboolean
sample_group (LaurelJob *job, SampleWork *work, guint first, int n, GError **error)
{
  GPtrArray *samples[2] = { NULL, NULL };
  gboolean ok = TRUE;

  for (int i = 0; ok && i < work->n_writers; i++) {
    samples[i] = write_group (job, work, &work->writers[i], first, n, error);
    ok = samples[i] != NULL;
  }
  ok = ok && store_group (job, work, first, n, samples, error);
  for (int i = 0; i < work->n_writers; i++)
    g_clear_pointer (&samples[i], g_ptr_array_unref);
  if (ok)
    laurel_job_announce (job, FALSE, TRUE);
  return ok;
}

/* --- The run --------------------------------------------------------------------- */

static gboolean
load_reward (LaurelJob *job, SampleWork *work, GError **error)
{
  const char *name =
      json_object_get_string_member_with_default (job->config, "reward_model", NULL);
  g_autofree char *folder = NULL;

  work->best_of.n = (int) json_object_get_int_member_with_default (job->config, "best_of", 1);
  if (work->best_of.n <= 1 || name == NULL)
    return TRUE;
  folder = laurel_model_resolve (job->store, job->project_path, name, error);
  work->reward = folder != NULL ? laurel_model_load (folder, error) : NULL;
  work->best_of.reward = work->reward;
  work->best_of.missing_eos_penalty = LAUREL_BEST_OF_MISSING_EOS_PENALTY;
  return work->reward != NULL;
}

static gboolean
load_writer (
    LaurelJob *job, SampleWork *work, const char *name, int n_completions, GError **error)
{
  Writer *writer = &work->writers[work->n_writers];
  g_autofree char *folder = laurel_model_resolve (job->store, job->project_path, name, error);

  if (folder == NULL)
    return FALSE;
  writer->model = laurel_model_load (folder, error);
  if (writer->model == NULL)
    return FALSE;
  writer->name = name;
  writer->n_completions = n_completions;
  writer->options = work->options;
  /* With the same numbers drawn, two models that are still close would write the same. */
  if (work->n_writers > 0)
    writer->options.seed ^= MIXED_SEED;
  work->n_writers++;
  writer->biases =
      laurel_logit_bias_parse ((const char *const *) work->logit_bias, writer->model->tokenizer,
                               writer->model->config.vocab_size, error);
  if (writer->biases == NULL)
    return FALSE;
  writer->options.biases = (const LaurelLogitBias *) (gpointer) writer->biases->data;
  writer->options.n_biases = (int) writer->biases->len;
  return TRUE;
}

static gboolean
load_work (LaurelJob *job, SampleWork *work, GError **error)
{
  const char *name = json_object_get_string_member_with_default (job->config, "model", "");
  const char *mix = json_object_get_string_member_with_default (job->config, "mix", NULL);
  int n_mix = (int) json_object_get_int_member_with_default (job->config, "n_mix", 0);

  read_options (job->config, work);
  return laurel_sampling_options_validate (&work->options, error)
         && load_writer (job, work, name, work->n_completions - n_mix, error)
         && (mix == NULL || load_writer (job, work, mix, n_mix, error))
         && load_reward (job, work, error) && read_prompts (job, work, error);
}

gboolean
laurel_job_sample (LaurelJob *job, GError **error)
{
  g_auto (SampleWork) work = { 0 };
  int group;

  if (!load_work (job, &work, error))
    return FALSE;
  group = MAX (1, SEQUENCES_AT_A_TIME / (work.n_completions * work.best_of.n));
  for (guint first = job->resume ? (guint) job->run->step : 0; first < work.prompts->len;) {
    int n = (int) MIN ((guint) group, work.prompts->len - first);

    if (job->monitor.poll (job->monitor.user_data) == LAUREL_STOP) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED,
                   "Could not finish sampling: it was stopped; resume the run");
      return FALSE;
    }
    if (!sample_group (job, &work, first, n, error))
      return FALSE;
    first += (guint) n;
    job->monitor.progress (job->monitor.user_data, (int) first, (int) work.prompts->len);
  }
  return TRUE;
}
