/* start_sampling.c: which prompts a run samples for, and its row, on the project's thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/rng.h"
#include "core/model/generate.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/project/outline.h"

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
  g_autoptr (GHashTable) tasks = laurel_store_map_tasks (store, error);
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  GHashTableIter iter;
  gpointer value;

  if (tasks == NULL)
    return NULL;
  g_hash_table_iter_init (&iter, tasks);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const LaurelTaskOutline *task = value;
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

/* How many completions of a prompt are the second model's. */
static int
count_mixed (const LaurelSampleRequest *request)
{
  return request->n_mix > 0 ? request->n_mix : request->n_completions / 2;
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
  if (request->mix != NULL) {
    json_object_set_string_member (object, "mix", request->mix);
    json_object_set_int_member (object, "n_mix", count_mixed (request));
  }
  if (request->shared > 0)
    json_object_set_double_member (object, "shared", request->shared);
  if (request->round != 0)
    json_object_set_int_member (object, "round", request->round);
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
  folder = laurel_project_resolve_model (self, record->name, error);
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
  g_auto (LaurelModelOutline) policy = { 0 };
  g_auto (LaurelModelOutline) reward = { 0 };

  if (request->best_of <= 1)
    return TRUE;
  if (request->reward_model != NULL)
    return laurel_model_outline_load (self, request->model, &policy, error)
           && laurel_model_outline_load (self, request->reward_model, &reward, error)
           && laurel_check_reward_fits (&policy, &reward, request->model, request->reward_model,
                                      error);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not choose the best of %d: no reward model is named; choose one, or train "
               "one first",
               request->best_of);
  return FALSE;
}

/* A model of the project that can write. */
static gboolean
check_writer (LaurelProject *self,
              const LaurelSampleRequest *request,
              const char *name,
              GError **error)
{
  g_autoptr (LaurelModelRecord) record =
      laurel_store_get_model (self->store, name != NULL ? name : "", error);

  if (record == NULL)
    return FALSE;
  if (g_str_equal (record->kind, "reward"))
    return laurel_refuse_head (error, name, "a reward model, not a language model",
                               "a language model");
  return check_logit_bias (self, request, record, error);
}

static gboolean
check_mix (LaurelProject *self, const LaurelSampleRequest *request, GError **error)
{
  if (request->mix == NULL)
    return TRUE;
  if (g_strcmp0 (request->mix, request->model) == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not mix completions: both models are “%s”; choose another one to mix in",
                 request->mix);
    return FALSE;
  }
  if (count_mixed (request) < 1 || count_mixed (request) >= request->n_completions) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not mix completions: %d of %d are to come from “%s”; leave at least one to "
                 "each model",
                 count_mixed (request), request->n_completions, request->mix);
    return FALSE;
  }
  return check_writer (self, request, request->mix, error);
}

static gboolean
check_shared (const LaurelSampleRequest *request, GError **error)
{
  if (request->shared >= 0 && request->shared <= 1)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: %g of the tasks cannot be for two labelers; choose a share from "
               "0 to 1",
               request->shared);
  return FALSE;
}

static gboolean
check_sampling (LaurelProject *self, const LaurelSampleRequest *request, GError **error)
{
  const LaurelSamplingOptions options = laurel_sample_request_get_options (request);

  if (request->n_completions < 2 || request->n_completions > 9) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not sample: %d completions a prompt cannot be ranked; choose 2 to 9",
                 request->n_completions);
    return FALSE;
  }
  return laurel_sampling_options_validate (&options, error) && check_shared (request, error)
         && check_writer (self, request, request->model, error)
         && check_mix (self, request, error) && check_best_of (self, request, error);
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
  return laurel_project_queue_run (self, &run, error);
}
