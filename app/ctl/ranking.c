/* ranking.c: laurelctl ranking …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/label/agreement.h"
#include "core/label/exchange.h"
#include "core/project/queue.h"
#include "core/project/rater.h"

#include <math.h>
#include <stdio.h>

static gboolean
run_import (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  g_autoptr (LaurelImportResult) result = NULL;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  result = laurel_project_import_rankings (self->project, path, error);
  return result != NULL && laurel_ctl_report_import (self, path, result, error);
}

static gboolean
run_export (LaurelCtl *self, GError **error)
{
  const char *path = laurel_ctl_argument (self, 0);
  const char *format = laurel_ctl_get (self, "format");
  LaurelExportFormat export_format = LAUREL_EXPORT_LAUREL;
  LaurelLabelers labelers = LAUREL_LABELERS_ALL;
  int n;

  if (format != NULL && !laurel_export_format_from_string (format, &export_format, error))
    return FALSE;
  if (!laurel_ctl_get_labelers (self, &labelers, error) || !laurel_ctl_open_project (self, error))
    return FALSE;
  n = laurel_export_rankings (laurel_project_get_store (self->project), path, export_format,
                              labelers, error);
  if (n < 0)
    return FALSE;
  laurel_ctl_report_export (self, path, n);
  return TRUE;
}

/* --- Simulation --------------------------------------------------------------------- */

typedef struct {
  LaurelCtl *ctl;
  const char *what;
  gint64 started;
} Progress;

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  const Progress *self = user_data;
  double seconds = (double) (g_get_monotonic_time () - self->started) / G_USEC_PER_SEC;

  laurel_ctl_show_progress (self->ctl, self->what, (double) n_done / MAX (n_all, 1),
                            seconds / n_done * (n_all - n_done));
  return laurel_ctl_go_on ();
}

static gboolean
read_tasks_option (LaurelCtl *self, gboolean *out_all, GError **error)
{
  const char *tasks = laurel_ctl_get (self, "tasks");

  *out_all = g_strcmp0 (tasks, "all") == 0;
  if (tasks == NULL || *out_all || g_str_equal (tasks, "open"))
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not choose the tasks “%s”: there is no such group; use open or all", tasks);
  return FALSE;
}

static gboolean
read_simulation (LaurelCtl *self, LaurelSimulation *simulation, GError **error)
{
  gint64 count = 0, seed = 0;

  if (!laurel_ctl_get_int (self, "count", 0, G_MAXINT, &count, error)
      || !laurel_ctl_get_double (self, "noise", 0, 1, &simulation->noise, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !read_tasks_option (self, &simulation->all_tasks, error))
    return FALSE;
  simulation->count = (int) count;
  simulation->seed = (guint64) seed;
  return TRUE;
}

static void
report_simulation (LaurelCtl *self, const LaurelRater *rater, int n, double seconds)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!self->json) {
    printf ("ranked %d tasks\n", n);
    return;
  }
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "rankings", n);
  laurel_json_add_string (builder, "labeler", rater->name);
  laurel_json_add_string (builder, "labeler_kind",
                          rater->kind == LAUREL_LABELER_RULES ? "rules" : "reward_model");
  laurel_json_add_double (builder, "seconds", seconds);
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

static gboolean
run_simulate (LaurelCtl *self, GError **error)
{
  const char *judge = laurel_ctl_require (self, "judge", error);
  Progress progress = { self, "ranking", g_get_monotonic_time () };
  LaurelSimulation simulation = { .score = laurel_rater_score_tasks,
                                  .progress = progress_cb,
                                  .progress_data = &progress };
  g_autoptr (LaurelRater) rater = NULL;
  LaurelStore *store;
  int n;

  if (judge == NULL || !read_simulation (self, &simulation, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  store = laurel_project_get_store (self->project);
  rater = laurel_rater_load (store, laurel_project_get_path (self->project), judge, error);
  simulation.labeler_id = rater != NULL ? laurel_rater_ensure_labeler (rater, error) : 0;
  if (simulation.labeler_id == 0)
    return FALSE;
  simulation.score_data = rater;
  laurel_ctl_catch_interrupts ();
  n = laurel_label_simulate_tasks (store, &simulation, error);
  laurel_ctl_hide_progress (self);
  if (n < 0)
    return FALSE;
  report_simulation (self, rater, n,
                     (double) (g_get_monotonic_time () - progress.started) / G_USEC_PER_SEC);
  return TRUE;
}

/* --- The queue ------------------------------------------------------------------------- */

static gboolean
read_queue_request (LaurelCtl *self, LaurelQueueRequest *request, GError **error)
{
  const char *strategy = laurel_ctl_require (self, "strategy", error);
  gint64 seed = 0;

  if (strategy == NULL || !laurel_strategy_from_string (strategy, &request->strategy, error)
      || !laurel_ctl_get_double (self, "random-share", 0, 1, &request->random_share, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error))
    return FALSE;
  request->seed = (guint64) seed;
  return laurel_ctl_open_project (self, error);
}

static gboolean
run_queue (LaurelCtl *self, GError **error)
{
  GPtrArray *named = laurel_ctl_get_all (self, "reward-model");
  g_autoptr (GPtrArray) models = g_ptr_array_new ();
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Progress progress = { self, "scoring", g_get_monotonic_time () };
  LaurelQueueRequest request = { .random_share = LAUREL_RANDOM_SHARE,
                                 .progress = progress_cb,
                                 .user_data = &progress };
  LaurelQueueResult result;
  gboolean is_done;

  if (!read_queue_request (self, &request, error))
    return FALSE;
  for (guint i = 0; named != NULL && i < named->len; i++)
    g_ptr_array_add (models, g_ptr_array_index (named, i));
  g_ptr_array_add (models, NULL);
  request.reward_models = (const char *const *) models->pdata;
  laurel_ctl_catch_interrupts ();
  is_done = laurel_queue_order (laurel_project_get_store (self->project),
                                laurel_project_get_path (self->project), &request, &result, error);
  laurel_ctl_hide_progress (self);
  if (!is_done)
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "strategy", laurel_strategy_to_string (request.strategy));
  laurel_json_add_int (builder, "tasks", result.n_tasks);
  laurel_json_add_int (builder, "random", result.n_random);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("ordered %d open tasks by %s, %d of them at random\n", result.n_tasks,
            laurel_strategy_to_string (request.strategy), result.n_random);
  return TRUE;
}

static void
help_queue (GString *text)
{
  g_string_append (
      text,
      "\nStrategies, from the reward models' chances p = σ(ri − rj) for the pairs of a task's "
      "completions:\n  random       by chance\n  uncertainty  most deviation of p between two or "
      "more reward models first\n  near-tie     p nearest to one half first\n  large-gap    p "
      "farthest from one half first\nOf all tasks --random-share keeps to chance, spread over the "
      "queue. Each task is marked with the strategy\nthat put it where it is and its priority, "
      "which labelers do not see. Tasks that come later go behind.\n");
}

/* --- Agreement ------------------------------------------------------------------------ */

static void
add_estimate (JsonBuilder *builder, const char *member, const LaurelEstimate *estimate)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_object (builder);
  laurel_json_add_double (builder, "value", estimate->value);
  laurel_json_add_double (builder, "low", estimate->low);
  laurel_json_add_double (builder, "high", estimate->high);
  laurel_json_add_string (builder, "reason", estimate->reason);
  json_builder_end_object (builder);
}

static char *
format_estimate (const LaurelEstimate *estimate)
{
  if (isnan (estimate->value))
    return g_strdup (estimate->reason != NULL ? estimate->reason : "undefined");
  if (isnan (estimate->low))
    return g_strdup_printf ("%.3f", estimate->value);
  return g_strdup_printf ("%.3f [%.3f, %.3f]", estimate->value, estimate->low, estimate->high);
}

static const char *
mark_program (LaurelLabelerKind kind)
{
  return kind == LAUREL_LABELER_PERSON ? "" : " (simulated)";
}

static char *
name_agreement (const LaurelAgreement *row)
{
  switch (row->group) {
  case LAUREL_AGREEMENT_ALL: return g_strdup ("all");
  case LAUREL_AGREEMENT_PEOPLE: return g_strdup ("people among themselves");
  case LAUREL_AGREEMENT_MIXED: return g_strdup ("people with simulated");
  case LAUREL_AGREEMENT_PAIR:
  default:
    return g_strdup_printf ("%s%s, %s%s", row->labeler_a, mark_program (row->kind_a),
                            row->labeler_b, mark_program (row->kind_b));
  }
}

static void
print_agreement (GPtrArray *list)
{
  LaurelCtlTable *table = laurel_ctl_table_new (
      "LABELERS", "TASKS", "PAIRS", "AGREE, TIES LEFT OUT", "AGREE, TIES HALF", "TAU-B", NULL);

  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);
    g_autofree char *names = name_agreement (row);
    g_autofree char *strict = format_estimate (&row->strict);
    g_autofree char *half = format_estimate (&row->half);
    g_autofree char *tau = format_estimate (&row->tau_b);

    laurel_ctl_table_add (table, "%s\t%d\t%d\t%s\t%s\t%s", names, row->n_tasks, row->n_pairs,
                          strict, half, tau);
  }
  laurel_ctl_table_print (table);
  printf ("Intervals are 95 %%, from drawing whole tasks again %d times.\n",
          LAUREL_BOOTSTRAP_RESAMPLES);
}

static gboolean
run_agreement (LaurelCtl *self, GError **error)
{
  const LaurelAgreementRequest request = { .n_resamples = LAUREL_BOOTSTRAP_RESAMPLES };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) list = NULL;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  list = laurel_label_list_agreement (laurel_project_get_store (self->project), &request, error);
  if (list == NULL)
    return FALSE;
  if (!self->json) {
    print_agreement (list);
    return TRUE;
  }
  json_builder_begin_array (builder);
  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);

    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "labeler_a", row->labeler_a);
    laurel_json_add_string (builder, "labeler_b", row->labeler_b);
    laurel_json_add_string (builder, "group", laurel_agreement_group_to_string (row->group));
    laurel_json_add_boolean (builder, "simulated_a",
                             row->labeler_a != NULL && row->kind_a != LAUREL_LABELER_PERSON);
    laurel_json_add_boolean (builder, "simulated_b",
                             row->labeler_b != NULL && row->kind_b != LAUREL_LABELER_PERSON);
    laurel_json_add_int (builder, "tasks", row->n_tasks);
    laurel_json_add_int (builder, "pairs", row->n_pairs);
    add_estimate (builder, "strict", &row->strict);
    add_estimate (builder, "half", &row->half);
    add_estimate (builder, "tau_b", &row->tau_b);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  laurel_ctl_print_builder (builder);
  return TRUE;
}

static const LaurelCtlOption export_options[] = {
  { "format", "NAME", "laurel, trl or hh-rlhf (laurel)", FALSE },
  { "labelers", "WHOSE", "Rankings by people, simulated ones or all (all)", FALSE },
  { NULL }
};

static const LaurelCtlOption simulate_options[] = {
  { "judge", "J", "A rule file (edited, another labeler), or a reward model", FALSE },
  { "count", "N", "Rank at most so many tasks (0: all)", FALSE },
  { "tasks", "WHICH", "“open”, or “all”: those too that others have ranked (open)", FALSE },
  { "noise", "P", "Share of rankings in which two neighbours are swapped (0)", FALSE },
  { "seed", "N", "The same seed makes the same mistakes (0)", FALSE },
  { NULL }
};

static const LaurelCtlOption queue_options[] = {
  { "strategy", "NAME", "random, uncertainty, near-tie or large-gap", FALSE },
  { "reward-model", "M", "Whose scores decide", TRUE },
  { "random-share", "P", "Share of the tasks that keeps to chance (0.2)", FALSE },
  { "seed", "N", "Of the chance (0)", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "import", "FILE", 1, 1, NULL, "Take in rankings as JSONL", run_import },
  { "export", "FILE", 1, 1, export_options, "Write the rankings in force as JSONL", run_export },
  { "simulate", "", 0, 0, simulate_options, "Let a judge rank the tasks that it has not ranked",
    run_simulate },
  { "queue", "", 0, 0, queue_options, "Choose which open tasks labelers get first", run_queue,
    help_queue },
  { "agreement", "", 0, 0, NULL, "Say how far labelers agree", run_agreement },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_ranking = { "ranking", "Rankings: what labelers and judges prefer",
                                           verbs };
