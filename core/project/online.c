/* online.c: the loop's settings, which models it takes, and its steps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/online.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/internal.h"

/* Few enough that people see the effect of an hour's work. */
#define EVERY 50
#define LOW 20
#define N_TASKS 50
#define N_COMPLETIONS 4
/* With a tenth of some hundred prompts no gain could be told from chance. */
#define EVAL_SPLIT 0.2
#define MAX_TOKENS 64

/* --- Settings ----------------------------------------------------------------- */

void
laurel_online_settings_clear (LaurelOnlineSettings *self)
{
  g_clear_pointer (&self->model, g_free);
  g_clear_pointer (&self->gold, g_free);
  g_clear_pointer (&self->reward, json_object_unref);
  g_clear_pointer (&self->ppo, json_object_unref);
}

static JsonObject *
get_object (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_dup_object (node)
                                                       : json_object_new ();
}

static int
get_int (JsonObject *object, const char *member, int otherwise)
{
  return (int) json_object_get_int_member_with_default (object, member, otherwise);
}

static void
read_settings (JsonObject *object, LaurelOnlineSettings *out)
{
  out->enabled = json_object_get_boolean_member_with_default (object, "enabled", FALSE);
  out->model = g_strdup (json_object_get_string_member_with_default (object, "model", NULL));
  out->every = MAX (get_int (object, "every", EVERY), 1);
  out->low = MAX (get_int (object, "low", LOW), 0);
  out->n_tasks = MAX (get_int (object, "tasks", N_TASKS), 1);
  out->n_completions = CLAMP (get_int (object, "completions", N_COMPLETIONS), 2, 9);
  out->tune = json_object_get_boolean_member_with_default (object, "tune", FALSE);
  out->gold = g_strdup (json_object_get_string_member_with_default (object, "gold", NULL));
  out->reward = get_object (object, "reward");
  out->ppo = get_object (object, "ppo");
}

gboolean
laurel_online_settings_load (LaurelStore *store, LaurelOnlineSettings *out, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *text = laurel_store_get_fact (store, "online", &local);
  g_autoptr (JsonNode) node = NULL;

  *out = (LaurelOnlineSettings){ 0 };
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  node = laurel_json_parse (text != NULL ? text : "{}", "the settings of the online loop", error);
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read the settings of the online loop: they are no JSON object; save "
                 "them again");
    return FALSE;
  }
  read_settings (json_node_get_object (node), out);
  return TRUE;
}

gboolean
laurel_online_settings_save (LaurelStore *store,
                             const LaurelOnlineSettings *settings,
                             GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *text = NULL;

  json_object_set_boolean_member (object, "enabled", settings->enabled);
  if (settings->model != NULL)
    json_object_set_string_member (object, "model", settings->model);
  json_object_set_int_member (object, "every", settings->every);
  json_object_set_int_member (object, "low", settings->low);
  json_object_set_int_member (object, "tasks", settings->n_tasks);
  json_object_set_int_member (object, "completions", settings->n_completions);
  json_object_set_boolean_member (object, "tune", settings->tune);
  if (settings->gold != NULL)
    json_object_set_string_member (object, "gold", settings->gold);
  json_object_set_object_member (object, "reward", json_object_ref (settings->reward));
  json_object_set_object_member (object, "ppo", json_object_ref (settings->ppo));
  json_node_init_object (node, object);
  text = laurel_json_to_string (node, FALSE);
  /* With other settings, what failed may be tried again. */
  return laurel_store_set_fact (store, "online", text, error)
         && laurel_store_set_fact (store, LAUREL_ONLINE_SAMPLED, "", error);
}

gboolean
laurel_online_hyperparameters (const LaurelOnlineSettings *settings,
                               LaurelStage stage,
                               LaurelHyperparameters *out,
                               GError **error)
{
  laurel_hyperparameters_init (out, stage);
  if (stage == LAUREL_STAGE_REWARD) {
    out->num_train_epochs = 1;
    out->eval_split = EVAL_SPLIT;
  }
  return laurel_hyperparameters_from_json (
      out, stage, stage == LAUREL_STAGE_REWARD ? settings->reward : settings->ppo, error);
}

/* --- Models --------------------------------------------------------------------- */

/* The number in "STEM-12"; 0 when it is no such name. */
static gint64
read_number (const char *name, const char *stem)
{
  gsize length = strlen (stem);
  gint64 number = 0;

  if (name == NULL || !g_str_has_prefix (name, stem) || name[length] != '-'
      || !g_ascii_string_to_signed (name + length + 1, 10, 1, G_MAXINT, &number, NULL))
    return 0;
  return number;
}

char *
laurel_project_choose_name (LaurelProject *self, const char *stem, GError **error)
{
  g_autoptr (GPtrArray) models = laurel_store_list_models (self->store, error);
  g_autoptr (GPtrArray) runs = models != NULL ? laurel_store_list_runs (self->store, error) : NULL;
  gint64 last = 0;

  if (runs == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++)
    last = MAX (last, read_number (((LaurelModelRecord *) models->pdata[i])->name, stem));
  for (guint i = 0; i < runs->len; i++)
    last = MAX (last, read_number (((LaurelRun *) runs->pdata[i])->output, stem));
  return g_strdup_printf ("%s-%" G_GINT64_FORMAT, stem, last + 1);
}

static const LaurelModelRecord *
find_record (GPtrArray *models, const char *name)
{
  for (guint i = 0; i < models->len; i++) {
    const LaurelModelRecord *record = models->pdata[i];

    if (g_strcmp0 (record->name, name) == 0)
      return record;
  }
  return NULL;
}

/* Whether @record was made from @reference by way of models of its own kind alone. */
static gboolean
descends_from (GPtrArray *models, const LaurelModelRecord *record, const char *reference)
{
  const char *kind = record->kind;

  for (guint n = 0; record != NULL && n < models->len && g_str_equal (record->kind, kind); n++) {
    if (g_strcmp0 (record->parent, reference) == 0)
      return TRUE;
    record = find_record (models, record->parent);
  }
  return FALSE;
}

/* @reference NULL: made from whatever. NULL without error: there is none. */
static char *
find_newest (LaurelStore *store, const char *kind, const char *reference, GError **error)
{
  g_autoptr (GPtrArray) models = laurel_store_list_models (store, error);
  const LaurelModelRecord *newest = NULL;

  for (guint i = 0; models != NULL && i < models->len; i++) {
    const LaurelModelRecord *record = models->pdata[i];

    if (g_str_equal (record->kind, kind) && (newest == NULL || record->created > newest->created)
        && (reference == NULL || descends_from (models, record, reference)))
      newest = record;
  }
  return newest != NULL ? g_strdup (newest->name) : NULL;
}

char *
laurel_online_find_reference (LaurelStore *store,
                              const LaurelOnlineSettings *settings,
                              GError **error)
{
  g_autoptr (LaurelModelRecord) record = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *name = NULL;

  if (settings->model != NULL) {
    record = laurel_store_get_model (store, settings->model, error);
    return record != NULL ? g_strdup (record->name) : NULL;
  }
  name = find_newest (store, "sft", NULL, &local);
  if (name == NULL && local == NULL)
    g_set_error (&local, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not go on with the loop: the project has no SFT model; train or import "
                 "one, or name the model to start from");
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return g_steal_pointer (&name);
}

char *
laurel_online_find_policy (LaurelStore *store, const char *reference, GError **error)
{
  return find_newest (store, "policy", reference, error);
}

char *
laurel_online_find_reward (LaurelStore *store, const char *reference, GError **error)
{
  return find_newest (store, "reward", reference, error);
}

/* --- The steps -------------------------------------------------------------------- */

/* What is counted as new starts again, whatever becomes of the run: one that fails is not tried
 * again and again. */
static gboolean
start_counting (LaurelStore *store, GError **error)
{
  gint64 last = laurel_store_last_ranking (store, error);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, last);

  return last >= 0 && laurel_store_set_fact (store, LAUREL_ONLINE_RANKING, text, error);
}

/* The head is drawn anew for each reward model, but all are measured on the same prompts. */
static void
separate_seeds (LaurelHyperparameters *hp, const char *output)
{
  if (hp->split_seed < 0)
    hp->split_seed = hp->seed;
  hp->seed += read_number (output, "reward");
}

gint64
laurel_project_start_retraining (LaurelProject *self,
                                 const LaurelOnlineSettings *settings,
                                 int round,
                                 GError **error)
{
  LaurelTrainRequest request = { .stage = LAUREL_STAGE_REWARD, .late = TRUE, .round = round };
  g_autofree char *reference = laurel_online_find_reference (self->store, settings, error);
  g_autofree char *output =
      reference != NULL ? laurel_project_choose_name (self, "reward", error) : NULL;
  g_autofree char *previous = NULL;
  g_autoptr (GError) local = NULL;

  if (output == NULL
      || !laurel_online_hyperparameters (settings, request.stage, &request.hyperparameters, error))
    return 0;
  if (laurel_store_last_ranking (self->store, NULL) == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start reward-model training: nothing has been ranked yet; rank some "
                 "completions first");
    return 0;
  }
  previous = laurel_online_find_reward (self->store, reference, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  separate_seeds (&request.hyperparameters, output);
  request.model = reference;
  request.output = output;
  request.previous = previous;
  return start_counting (self->store, error) ? laurel_project_start_training (self, &request, error)
                                             : 0;
}

gint64
laurel_project_start_mixing (LaurelProject *self,
                             const LaurelOnlineSettings *settings,
                             int n_tasks,
                             guint64 seed,
                             int round,
                             GError **error)
{
  LaurelSampleRequest request = { .n_prompts = n_tasks,
                                  .n_completions = settings->n_completions,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .max_tokens = MAX_TOKENS,
                                  .seed = seed,
                                  .round = round };
  g_autofree char *reference = laurel_online_find_reference (self->store, settings, error);
  g_autofree char *policy = NULL;
  g_autoptr (GError) local = NULL;

  if (reference == NULL)
    return 0;
  policy = laurel_online_find_policy (self->store, reference, &local);
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  request.model = policy != NULL ? policy : reference;
  request.mix = policy != NULL ? reference : NULL;
  return laurel_project_start_sampling (self, &request, error);
}

gint64
laurel_project_start_tuning (LaurelProject *self,
                             const LaurelOnlineSettings *settings,
                             int round,
                             GError **error)
{
  LaurelTrainRequest request = { .stage = LAUREL_STAGE_PPO, .round = round };
  g_autofree char *reference = laurel_online_find_reference (self->store, settings, error);
  g_autofree char *output =
      reference != NULL ? laurel_project_choose_name (self, "policy", error) : NULL;
  g_autofree char *reward = NULL, *policy = NULL;
  g_autoptr (GError) local = NULL;

  if (output == NULL
      || !laurel_online_hyperparameters (settings, request.stage, &request.hyperparameters, error))
    return 0;
  reward = laurel_online_find_reward (self->store, reference, &local);
  if (reward == NULL && local == NULL)
    g_set_error (&local, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not start PPO: no reward model was trained from “%s” yet; train one first",
                 reference);
  policy = local == NULL ? laurel_online_find_policy (self->store, reference, &local) : NULL;
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return 0;
  }
  request.model = policy != NULL ? policy : reference;
  request.reference = reference;
  request.reward_model = reward;
  request.gold = settings->gold;
  request.on_overoptimisation = LAUREL_OVEROPTIMISED_KEEP_BEST; /* somebody waits */
  request.output = output;
  return laurel_project_start_training (self, &request, error);
}
