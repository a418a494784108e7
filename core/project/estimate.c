/* estimate.c: what a run will need, before it starts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "core/project/data.h"
#include "core/project/internal.h"
#include "core/train/plan.h"

/* That a step goes through; stages that know no accumulation have 1 of it. */
static int
count_rows (const LaurelHyperparameters *hp)
{
  return hp->batch_size * hp->gradient_accumulation_steps;
}

/* Of the newest run of the same kind and start that got anywhere; < 0: there is none. */
static double
measure_seconds_per_row (LaurelProject *self, const LaurelTrainRequest *request)
{
  g_autoptr (GPtrArray) runs = laurel_store_list_runs (self->store, NULL);

  for (guint i = 0; runs != NULL && i < runs->len; i++) {
    const LaurelRun *run = g_ptr_array_index (runs, i);
    LaurelHyperparameters hp;
    g_autoptr (JsonNode) config = NULL;
    JsonObject *object;

    if (run->status != LAUREL_RUN_DONE || run->step == 0 || run->finished <= run->started
        || !g_str_equal (run->kind, laurel_stage_name (request->stage))
        || g_strcmp0 (run->model, request->model) != 0)
      continue;
    config = laurel_json_parse (run->config, "configuration", NULL);
    object =
        config != NULL && JSON_NODE_HOLDS_OBJECT (config) ? json_node_get_object (config) : NULL;
    laurel_hyperparameters_init (&hp, request->stage);
    if (object == NULL || !json_object_has_member (object, "hyperparameters")
        || !laurel_hyperparameters_from_json (
            &hp, request->stage, json_object_get_object_member (object, "hyperparameters"), NULL))
      continue;
    return (double) (run->finished - run->started) / G_USEC_PER_SEC / run->step / count_rows (&hp);
  }
  return -1.0;
}

/* What a gold judge adds that is a reward model; rules take next to nothing, and of a name that
 * nobody has the run's start will say so. */
static gsize
plan_gold (LaurelProject *self,
           const LaurelTrainRequest *request,
           const LaurelModelConfig *config,
           const LaurelHyperparameters *hp,
           int longest)
{
  g_autofree char *folder = NULL;
  LaurelModelConfig gold = { 0 };

  if (request->gold == NULL || !laurel_stage_is_online (request->stage)
      || g_file_test (request->gold, G_FILE_TEST_IS_REGULAR))
    return 0;
  folder = laurel_project_resolve_model (self, request->gold, NULL);
  if (folder == NULL || !laurel_model_load_config (folder, &gold, NULL))
    return 0;
  return laurel_train_plan_gold (request->stage, config, hp, longest, &gold);
}

/* Held-out prompts that are not there take no room. */
static void
count_held_out (LaurelProject *self, LaurelHyperparameters *hp)
{
  gint64 n = MAX (laurel_store_count_prompts (self->store, "heldout", NULL, NULL), 1);

  hp->eval_rows = hp->eval_rows > 0 ? (int) MIN (n, hp->eval_rows) : (int) MIN (n, G_MAXINT);
}

gsize
laurel_project_plan_memory (LaurelProject *self,
                            const LaurelTrainRequest *request,
                            const LaurelModelConfig *config)
{
  g_autofree char *folder = laurel_project_resolve_model (self, request->model, NULL);
  g_autoptr (LaurelTemplate) template = folder != NULL ? laurel_template_load (folder, NULL) : NULL;
  LaurelModel outline = { .config = *config, .chat_template = template };
  LaurelHyperparameters hp = request->hyperparameters;
  int longest = 0, beside = 0;

  if (laurel_stage_is_online (request->stage))
    count_held_out (self, &hp);
  outline.tokenizer = laurel_project_get_tokenizer (self, request->model, NULL);
  if (outline.tokenizer != NULL && template != NULL) {
    longest = laurel_data_measure_longest (self->store, request, &outline);
    beside = laurel_data_measure_longest_ptx (self->store, request, &outline);
  }
  return laurel_train_plan_memory (request->stage, config, &hp, longest)
         + (beside > 0 ? laurel_train_plan_beside (request->stage, config, &hp, longest, beside)
                       : 0)
         + plan_gold (self, request, config, &hp, longest);
}

gboolean
laurel_project_estimate (LaurelProject *self,
                         const LaurelTrainRequest *request,
                         gsize *out_bytes,
                         int *out_steps,
                         double *out_seconds,
                         GError **error)
{
  const LaurelHyperparameters *hp = &request->hyperparameters;
  g_autofree char *folder = laurel_project_resolve_model (self, request->model, error);
  LaurelModelConfig config = { 0 };
  double seconds;

  if (folder == NULL || !laurel_model_load_config (folder, &config, error))
    return FALSE;
  *out_bytes = laurel_project_plan_memory (self, request, &config);
  seconds = measure_seconds_per_row (self, request);
  *out_steps = laurel_project_count_steps (self, request);
  *out_seconds = seconds >= 0 && *out_steps > 0 ? seconds * *out_steps * count_rows (hp) : -1.0;
  return TRUE;
}
