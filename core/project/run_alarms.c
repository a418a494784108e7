/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/run_alarms.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/project/best.h"
#include "core/project/internal.h"

/* The settings that the run was started with; the stage's defaults where it does not say. */
static gboolean
read_settings (const LaurelRun *run, LaurelHyperparameters *hp, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_parse (run->config, "configuration", error);
  JsonObject *config = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node)
                                                                     : NULL;
  LaurelStage stage = LAUREL_STAGE_PPO;

  for (int i = 0; i < LAUREL_N_STAGES; i++)
    if (g_str_equal (laurel_stage_name (i), run->kind))
      stage = i;
  laurel_hyperparameters_init (hp, stage);
  if (node == NULL)
    return FALSE;
  return config == NULL || !json_object_has_member (config, "hyperparameters")
         || laurel_hyperparameters_from_json (
             hp, stage, json_object_get_object_member (config, "hyperparameters"), error);
}

LaurelAlarms *
laurel_run_new_alarms (const LaurelRun *run, GError **error)
{
  LaurelHyperparameters hp;

  return read_settings (run, &hp, error) ? laurel_alarms_new (&hp) : NULL;
}

LaurelAlarms *
laurel_run_read_alarms (LaurelStore *store, const LaurelRun *run, GError **error)
{
  g_autoptr (GPtrArray) metrics = NULL;
  LaurelAlarms *alarms;

  metrics = laurel_store_list_metrics (store, run->id, NULL, -1, error);
  alarms = metrics != NULL ? laurel_run_new_alarms (run, error) : NULL;
  if (alarms == NULL)
    return NULL;
  for (guint i = 0; i < metrics->len; i++) {
    const LaurelMetric *metric = g_ptr_array_index (metrics, i);

    (void) laurel_alarms_feed (alarms, metric->step, metric->key, metric->value);
  }
  return alarms;
}

/* --- The best weights ----------------------------------------------------------------- */

static char *
get_folder (LaurelProject *self, gint64 run_id)
{
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, run_id);

  return g_build_filename (self->path, "runs", id, NULL);
}

int
laurel_project_get_best_step (LaurelProject *self, gint64 run_id)
{
  g_autofree char *folder = get_folder (self, run_id);
  g_auto (LaurelBest) best = { .step = -1 };

  laurel_best_find (folder, G_MAXINT, &best);
  return best.step;
}

static char *
choose_name (LaurelProject *self, const LaurelRun *run, GError **error)
{
  for (int i = 1;; i++) {
    g_autofree char *name = i == 1 ? g_strdup_printf ("%s-best", run->output)
                                   : g_strdup_printf ("%s-best-%d", run->output, i);
    g_autoptr (GError) local = NULL;

    if (laurel_model_name_is_free (self->store, self->path, name, &local))
      return g_steal_pointer (&name);
    if (!g_error_matches (local, LAUREL_ERROR, LAUREL_ERROR_EXISTS)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  }
}

char *
laurel_project_keep_best (LaurelProject *self, gint64 run_id, const char *name, GError **error)
{
  g_autoptr (LaurelRun) run = laurel_store_get_run (self->store, run_id, error);
  g_autofree char *folder = get_folder (self, run_id);
  g_auto (LaurelBest) best = { .step = -1 };
  g_autoptr (LaurelModelRecord) parent = NULL;
  g_autoptr (LaurelModel) model = NULL;
  g_autofree char *path = NULL;
  g_autofree char *output = NULL;
  LaurelModelOrigin origin = { NULL, "policy", NULL, run_id };

  if (run == NULL)
    return NULL;
  laurel_best_find (folder, G_MAXINT, &best);
  if (best.step < 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not keep the best weights of run %" G_GINT64_FORMAT
                 ": it had no gold judge; start one with --gold",
                 run_id);
    return NULL;
  }
  output = name != NULL ? g_strdup (name) : choose_name (self, run, error);
  if (output == NULL || !laurel_model_name_is_free (self->store, self->path, output, error))
    return NULL;
  path = laurel_best_get_model (&best, folder);
  model = laurel_model_load (path, error);
  if (model == NULL)
    return NULL;
  parent = laurel_store_get_model (self->store, run->model, NULL);
  origin.name = output;
  origin.parent = parent != NULL ? run->model : NULL;
  if (!laurel_register_model (self->store, self->path, model, &origin, error))
    return NULL;
  g_signal_emit_by_name (self, "models-changed");
  return g_steal_pointer (&output);
}
