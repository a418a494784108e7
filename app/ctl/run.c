/* run.c: laurelctl run …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/run_alarms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A cancelled run is waited for this long: a checkpoint of a large model takes a while. */
#define CANCEL_SECONDS 60

static LaurelStore *
open_store (LaurelCtl *self, GError **error)
{
  return laurel_ctl_open_project (self, error) ? laurel_project_get_store (self->project) : NULL;
}

static LaurelRun *
get_run (LaurelCtl *self, LaurelStore *store, GError **error)
{
  gint64 id;

  if (!laurel_ctl_parse_id (laurel_ctl_argument (self, 0), &id, error))
    return NULL;
  return laurel_store_get_run (store, id, error);
}

static void
add_run (JsonBuilder *builder, const LaurelRun *run)
{
  laurel_json_add_int (builder, "run", run->id);
  laurel_json_add_string (builder, "kind", run->kind);
  laurel_json_add_string (builder, "status", laurel_run_status_to_string (run->status));
  laurel_json_add_string (builder, "model", run->model);
  laurel_json_add_string (builder, "output", run->output);
  laurel_json_add_int (builder, "step", run->step);
  laurel_json_add_int (builder, "steps", run->n_steps);
  laurel_json_add_int (builder, "seed", (gint64) run->seed);
  laurel_json_add_string (builder, "message", run->message);
}

static gboolean
run_list (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (GPtrArray) runs = store != NULL ? laurel_store_list_runs (store, error) : NULL;
  LaurelCtlTable *table;

  if (runs == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  table = laurel_ctl_table_new ("RUN", "KIND", "STATUS", "STEP", "MODEL", "OUTPUT", NULL);
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = g_ptr_array_index (runs, i);

    json_builder_begin_object (builder);
    add_run (builder, run);
    json_builder_end_object (builder);
    laurel_ctl_table_add (table, "%" G_GINT64_FORMAT "\t%s\t%s\t%d/%d\t%s\t%s", run->id, run->kind,
                          laurel_run_status_to_string (run->status), run->step, run->n_steps,
                          run->model != NULL ? run->model : "",
                          run->output != NULL ? run->output : "");
  }
  json_builder_end_array (builder);
  if (self->json) {
    laurel_ctl_print_builder (builder);
    laurel_ctl_table_free (table);
  } else {
    laurel_ctl_table_print (table);
  }
  return TRUE;
}

static void
add_parsed (JsonBuilder *builder, const char *member, const char *json)
{
  JsonNode *node = laurel_json_parse (json, member, NULL);

  json_builder_set_member_name (builder, member);
  if (node != NULL)
    json_builder_add_value (builder, node);
  else
    json_builder_add_null_value (builder);
}

static const char *
name_light (LaurelLightState state)
{
  static const char *const names[] = { "unknown", "good", "warning", "alarm" };

  return names[state];
}

static void
add_light (JsonBuilder *builder, const LaurelAlarms *alarms, LaurelAlarmId id)
{
  const LaurelAlarmInfo *info = laurel_alarm_info (id);
  const LaurelLight *light = laurel_alarms_get (alarms, id);

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "name", info->name);
  laurel_json_add_string (builder, "state", name_light (light->state));
  laurel_json_add_double (builder, "value", light->value);
  laurel_json_add_double (builder, "limit", light->limit);
  laurel_json_add_int (builder, "since", light->since);
  laurel_json_add_int (builder, "steps_lit", light->n_lit);
  laurel_json_add_string (builder, "metric", info->key);
  laurel_json_add_string (builder, "meaning", info->meaning);
  laurel_json_add_string (builder, "remedy", info->remedy);
  json_builder_end_object (builder);
}

static void
add_lights (JsonBuilder *builder, const LaurelAlarms *alarms)
{
  json_builder_set_member_name (builder, "alarms");
  json_builder_begin_array (builder);
  for (int id = 0; id < LAUREL_N_ALARMS; id++)
    if (laurel_alarms_get (alarms, id)->state != LAUREL_LIGHT_UNKNOWN)
      add_light (builder, alarms, id);
  json_builder_end_array (builder);
  laurel_json_add_int (builder, "gold_peak", laurel_alarms_get_peak (alarms));
}

/* Lights that are known; what an alarm means and what to do below it. */
static void
print_lights (const LaurelAlarms *alarms)
{
  for (int id = 0; id < LAUREL_N_ALARMS; id++) {
    const LaurelAlarmInfo *info = laurel_alarm_info (id);
    LaurelLightState state = laurel_alarms_get (alarms, id)->state;
    g_autofree char *what = laurel_alarms_describe (alarms, id);

    if (state == LAUREL_LIGHT_UNKNOWN)
      continue;
    printf ("%-8s%-20s %s\n", name_light (state), info->name, what);
    if (state == LAUREL_LIGHT_ALARM)
      printf ("        %s\n        %s\n", info->meaning, info->remedy);
  }
}

/* What a run was told, one value a line; what stands in an object is a line of the same list. The
 * model that it starts from and the one that it makes are above. */
static void
print_settings (JsonNode *node, const char *name)
{
  JsonObjectIter iter;
  const char *member;
  JsonNode *value;

  if (JSON_NODE_HOLDS_OBJECT (node)) {
    json_object_iter_init_ordered (&iter, json_node_get_object (node));
    while (json_object_iter_next_ordered (&iter, &member, &value))
      if (!g_str_equal (member, "model") && !g_str_equal (member, "output"))
        print_settings (value, member);
  } else if (json_node_get_value_type (node) == G_TYPE_DOUBLE) {
    printf ("  %-20s %.6g\n", name, json_node_get_double (node));
  } else if (json_node_get_value_type (node) == G_TYPE_STRING) {
    printf ("  %-20s %s\n", name, json_node_get_string (node));
  } else {
    g_autofree char *text = laurel_json_to_string (node, FALSE);

    printf ("  %-20s %s\n", name, text);
  }
}

static void
print_run (const LaurelRun *run)
{
  g_autoptr (JsonNode) config = laurel_json_parse (run->config, "config", NULL);

  printf ("run     %" G_GINT64_FORMAT
          " (%s)\nstatus  %s%s%s\nstep    %d of %d\nmodel   %s\noutput  %s\nconfig\n",
          run->id, run->kind, laurel_run_status_to_string (run->status),
          run->message[0] != '\0' ? ": " : "", run->message, run->step, run->n_steps,
          run->model != NULL ? run->model : "", run->output != NULL ? run->output : "");
  if (config != NULL)
    print_settings (config, "");
}

static gboolean
run_show (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (LaurelRun) run = store != NULL ? get_run (self, store, error) : NULL;
  g_autoptr (GPtrArray) log = run != NULL ? laurel_store_list_log (store, run->id, error) : NULL;
  g_autoptr (LaurelAlarms) alarms = log != NULL ? laurel_run_read_alarms (store, run, error) : NULL;

  if (alarms == NULL)
    return FALSE;
  if (self->json) {
    json_builder_begin_object (builder);
    add_run (builder, run);
    add_parsed (builder, "config", run->config);
    add_parsed (builder, "snapshot", run->snapshot);
    add_lights (builder, alarms);
    json_builder_set_member_name (builder, "log");
    json_builder_begin_array (builder);
    for (guint i = 0; i < log->len; i++)
      json_builder_add_string_value (builder, g_ptr_array_index (log, i));
    json_builder_end_array (builder);
    json_builder_end_object (builder);
    laurel_ctl_print_builder (builder);
    return TRUE;
  }
  print_run (run);
  print_lights (alarms);
  for (guint i = 0; i < log->len; i++)
    printf ("  %s\n", (const char *) g_ptr_array_index (log, i));
  return TRUE;
}

static gboolean
run_metrics (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (LaurelRun) run = store != NULL ? get_run (self, store, error) : NULL;
  g_autoptr (GPtrArray) metrics = NULL;
  gboolean csv = laurel_ctl_has (self, "csv");

  if (run == NULL)
    return FALSE;
  metrics = laurel_store_list_metrics (store, run->id, NULL, -1, error);
  if (metrics == NULL)
    return FALSE;
  if (!self->json)
    printf (csv ? "step,key,value\n" : "%8s  %-28s %s\n", "step", "key", "value");
  json_builder_begin_array (builder);
  for (guint i = 0; i < metrics->len; i++) {
    const LaurelMetric *metric = g_ptr_array_index (metrics, i);

    if (!self->json) {
      printf (csv ? "%d,%s,%.17g\n" : "%8d  %-28s %.6g\n", metric->step, metric->key,
              metric->value);
      continue;
    }
    json_builder_begin_object (builder);
    laurel_json_add_int (builder, "step", metric->step);
    laurel_json_add_string (builder, "key", metric->key);
    laurel_json_add_double (builder, "value", metric->value);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

/* --- Rollouts -------------------------------------------------------------------- */

static void
add_token (JsonBuilder *builder, const LaurelTokenRecord *record)
{
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "token", record->token);
  laurel_json_add_double (builder, "logprob", record->logprob);
  laurel_json_add_double (builder, "ref_logprob", record->ref_logprob);
  laurel_json_add_double (builder, "kl", record->kl);
  laurel_json_add_double (builder, "exact_kl", record->exact_kl);
  laurel_json_add_double (builder, "entropy", record->entropy);
  laurel_json_add_double (builder, "reward", record->reward);
  laurel_json_add_double (builder, "value", record->value);
  laurel_json_add_double (builder, "advantage", record->advantage);
  laurel_json_add_double (builder, "return", record->return_);
  laurel_json_add_double (builder, "ratio", record->ratio);
  laurel_json_add_boolean (builder, "clipped", record->clipped != 0);
  json_builder_end_object (builder);
}

static void
add_rollout (JsonBuilder *builder, const LaurelRollout *rollout)
{
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "step", rollout->step);
  laurel_json_add_int (builder, "row", rollout->row);
  laurel_json_add_string (builder, "prompt", rollout->prompt);
  laurel_json_add_string (builder, "completion", rollout->completion);
  laurel_json_add_string (builder, "finish",
                          rollout->finish == LAUREL_FINISH_STOP ? "stop" : "length");
  laurel_json_add_double (builder, "score", rollout->score);
  laurel_json_add_double (builder, "kl_coef", rollout->kl_coef);
  laurel_json_add_double (builder, "kl", laurel_rollout_sum_kl (rollout));
  laurel_json_add_double (builder, "reward", laurel_rollout_sum_reward (rollout));
  json_builder_set_member_name (builder, "tokens");
  json_builder_begin_array (builder);
  for (int i = 0; i < rollout->n_tokens; i++)
    add_token (builder, &rollout->records[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static gboolean
run_rollouts (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (LaurelRun) run = store != NULL ? get_run (self, store, error) : NULL;
  g_autoptr (GPtrArray) rollouts = NULL;
  gint64 step = 0, limit = -1;

  if (run == NULL || !laurel_ctl_get_int (self, "step", 1, G_MAXINT, &step, error)
      || !laurel_ctl_get_int (self, "count", 1, G_MAXINT, &limit, error))
    return FALSE;
  rollouts = laurel_store_list_rollouts (store, run->id, (int) step, (int) limit, 0, error);
  if (rollouts == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < rollouts->len; i++) {
    const LaurelRollout *rollout = g_ptr_array_index (rollouts, i);

    if (self->json)
      add_rollout (builder, rollout);
    else
      printf ("step %d row %d: score %.3f, KL %.3f, reward %.3f, %d tokens\n  %s\n  → %s\n",
              rollout->step, rollout->row, rollout->score, laurel_rollout_sum_kl (rollout),
              laurel_rollout_sum_reward (rollout), rollout->n_tokens, rollout->prompt,
              rollout->completion);
  }
  json_builder_end_array (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  return TRUE;
}

/* --- Cancelling ------------------------------------------------------------------- */

static gboolean
ask_to_stop (LaurelCtl *self, LaurelStore *store, const LaurelRun *run, GError **error)
{
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, run->id);
  g_autofree char *folder =
      g_build_filename (laurel_project_get_path (self->project), "runs", id, NULL);
  g_autofree char *path = g_build_filename (folder, "stop", NULL);
  gint64 until = g_get_monotonic_time () + CANCEL_SECONDS * G_USEC_PER_SEC;

  if (run->status == LAUREL_RUN_QUEUED)
    return laurel_store_set_run_status (store, run->id, LAUREL_RUN_STOPPED,
                                        "stopped before it began", error);
  if (!laurel_file_make_directory (folder, error) || !laurel_file_write (path, "", 0, error))
    return FALSE;
  while (g_get_monotonic_time () < until) {
    g_autoptr (LaurelRun) now = laurel_store_get_run (store, run->id, error);

    if (now == NULL)
      return FALSE;
    if (now->status > LAUREL_RUN_PAUSED)
      return TRUE;
    g_usleep (100000);
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_BUSY,
               "Could not stop run %" G_GINT64_FORMAT
               ": its process did not answer in %d seconds; see what it is doing",
               run->id, CANCEL_SECONDS);
  return FALSE;
}

static gboolean
run_cancel (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (LaurelRun) run = store != NULL ? get_run (self, store, error) : NULL;
  g_autoptr (LaurelRun) after = NULL;

  if (run == NULL)
    return FALSE;
  if (run->status > LAUREL_RUN_PAUSED) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not stop run %" G_GINT64_FORMAT
                 ": it is %s already; see “laurelctl run list”",
                 run->id, laurel_run_status_to_string (run->status));
    return FALSE;
  }
  if (!ask_to_stop (self, store, run, error))
    return FALSE;
  after = laurel_store_get_run (store, run->id, error);
  if (after == NULL)
    return FALSE;
  json_builder_begin_object (builder);
  add_run (builder, after);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("run %" G_GINT64_FORMAT " is %s at step %d\n", after->id,
            laurel_run_status_to_string (after->status), after->step);
  return TRUE;
}

/* --- The best weights -------------------------------------------------------------- */

static gboolean
run_keep_best (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  LaurelStore *store = open_store (self, error);
  g_autoptr (LaurelRun) run = store != NULL ? get_run (self, store, error) : NULL;
  g_autofree char *name = NULL;
  int step;

  if (run == NULL)
    return FALSE;
  step = laurel_project_get_best_step (self->project, run->id);
  name = laurel_project_keep_best (self->project, run->id, laurel_ctl_get (self, "output"), error);
  if (name == NULL)
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "model", name);
  laurel_json_add_int (builder, "step", step);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("%s: the weights of run %" G_GINT64_FORMAT " after step %d\n", name, run->id, step);
  return TRUE;
}

static const LaurelCtlOption keep_best_options[] = {
  { "output", "NAME", "The name of the model it makes (the run's, with “-best”)", FALSE }, { NULL }
};

static const LaurelCtlOption metrics_options[] = {
  { "csv", NULL, "Print step,key,value in full precision", FALSE }, { NULL }
};

static const LaurelCtlOption rollouts_options[] = { { "step", "N", "Of this PPO iteration only",
                                                      FALSE },
                                                    { "count", "N", "At most so many", FALSE },
                                                    { NULL } };

static const LaurelCtlVerb verbs[] = {
  { "list", "", 0, 0, NULL, "List the project's runs, newest first", run_list },
  { "show", "ID", 1, 1, NULL, "Say all about one run", run_show },
  { "metrics", "ID", 1, 1, metrics_options, "Print what a run measured", run_metrics },
  { "rollouts", "ID", 1, 1, rollouts_options, "Print a PPO run's rollouts, with --json every token",
    run_rollouts },
  { "keep-best", "ID", 1, 1, keep_best_options,
    "Make a model of the weights that the gold judge found best", run_keep_best },
  { "cancel", "ID", 1, 1, NULL, "Stop a run of any process, with a checkpoint", run_cancel },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_run = { "run", "Runs: what was trained and sampled, and how it went",
                                       verbs };
