/* ranking.c: laurelctl ranking …
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/label/agreement.h"
#include "core/label/exchange.h"
#include "core/label/judge.h"
#include "core/label/simulate.h"
#include "core/train/train.h"

#include <math.h>
#include <stdio.h>

/* Tasks whose bootstrap decides an interval of agreement. */
#define N_RESAMPLES 1000

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
  int n;

  if (format != NULL && !laurel_export_format_from_string (format, &export_format, error))
    return FALSE;
  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  n = laurel_export_rankings (laurel_project_get_store (self->project), path, export_format, error);
  if (n < 0)
    return FALSE;
  laurel_ctl_report_export (self, path, n);
  return TRUE;
}

/* --- Simulation --------------------------------------------------------------------- */

static double
score_by_rules (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  return laurel_judge_score (user_data, prompt, completion->text,
                             completion->finish == LAUREL_FINISH_STOP, NULL);
}

/* NaN, which ends the simulation, when a text cannot be tokenised or is too long. */
static double
score_by_model (const char *prompt, const LaurelCompletion *completion, gpointer user_data)
{
  const LaurelModel *model = user_data;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  LaurelSequence *sequence;
  float score = NAN;
  guint n_prompt;

  if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt, ids, NULL))
    return NAN;
  n_prompt = ids->len;
  if (!laurel_template_encode_completion (model->chat_template, model->tokenizer, completion->text,
                                          ids, NULL))
    return NAN;
  if (completion->finish != LAUREL_FINISH_STOP && ids->len > n_prompt)
    g_array_set_size (ids, ids->len - 1); /* it never said end-of-text */
  sequence = laurel_sequence_new ((const gint32 *) (const void *) ids->data,
                                  MIN ((int) ids->len, model->config.n_positions), (int) n_prompt);
  if (!laurel_reward_score (model, &sequence, 1, &score, NULL))
    score = NAN;
  laurel_sequence_free (sequence);
  return score;
}

typedef struct {
  gint64 count;
  double noise;
  gint64 seed;
} Simulation;

static int
simulate_rules (LaurelStore *store, const char *path, const Simulation *options, GError **error)
{
  g_autoptr (LaurelJudge) judge = laurel_judge_load (path, error);
  g_autofree char *name = g_path_get_basename (path);
  gint64 labeler;

  if (judge == NULL)
    return -1;
  labeler = laurel_store_ensure_labeler (store, name, LAUREL_LABELER_RULES, error);
  if (labeler == 0)
    return -1;
  return laurel_label_simulate (store, labeler, score_by_rules, judge, options->noise,
                                (guint64) options->seed, (int) options->count, error);
}

static int
simulate_model (LaurelCtl *self,
                LaurelStore *store,
                const char *name,
                const Simulation *options,
                GError **error)
{
  g_autoptr (LaurelModel) model = laurel_ctl_load_model (self, name, error);
  gint64 labeler;

  if (model == NULL)
    return -1;
  if (model->config.head != LAUREL_HEAD_SCORE) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
        "Could not rank with “%s”: it is a language model; choose a reward model or a rule file",
        name);
    return -1;
  }
  labeler = laurel_store_ensure_labeler (store, name, LAUREL_LABELER_REWARD_MODEL, error);
  if (labeler == 0)
    return -1;
  return laurel_label_simulate (store, labeler, score_by_model, model, options->noise,
                                (guint64) options->seed, (int) options->count, error);
}

static gboolean
run_simulate (LaurelCtl *self, GError **error)
{
  const char *judge = laurel_ctl_require (self, "judge", error);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Simulation options = { 0 };
  LaurelStore *store;
  int n;

  if (judge == NULL || !laurel_ctl_get_int (self, "count", 0, G_MAXINT, &options.count, error)
      || !laurel_ctl_get_double (self, "noise", 0, 1, &options.noise, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &options.seed, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  store = laurel_project_get_store (self->project);
  n = g_file_test (judge, G_FILE_TEST_IS_REGULAR)
          ? simulate_rules (store, judge, &options, error)
          : simulate_model (self, store, judge, &options, error);
  if (n < 0)
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_int (builder, "rankings", n);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    printf ("ranked %d tasks\n", n);
  return TRUE;
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

static void
print_agreement (GPtrArray *list)
{
  LaurelCtlTable *table = laurel_ctl_table_new (
      "LABELERS", "TASKS", "PAIRS", "AGREE, TIES LEFT OUT", "AGREE, TIES HALF", "TAU-B", NULL);

  for (guint i = 0; i < list->len; i++) {
    const LaurelAgreement *row = g_ptr_array_index (list, i);
    g_autofree char *strict = format_estimate (&row->strict);
    g_autofree char *half = format_estimate (&row->half);
    g_autofree char *tau = format_estimate (&row->tau_b);

    laurel_ctl_table_add (
        table, "%s%s%s\t%d\t%d\t%s\t%s\t%s", row->labeler_a != NULL ? row->labeler_a : "all",
        row->labeler_b != NULL ? ", " : "", row->labeler_b != NULL ? row->labeler_b : "",
        row->n_tasks, row->n_pairs, strict, half, tau);
  }
  laurel_ctl_table_print (table);
  printf ("Intervals are 95 %%, from drawing whole tasks again %d times.\n", N_RESAMPLES);
}

static gboolean
run_agreement (LaurelCtl *self, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) list = NULL;

  if (!laurel_ctl_open_project (self, error))
    return FALSE;
  list =
      laurel_label_list_agreement (laurel_project_get_store (self->project), N_RESAMPLES, 0, error);
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
  { "format", "NAME", "laurel, trl or hh-rlhf (laurel)", FALSE }, { NULL }
};

static const LaurelCtlOption simulate_options[] = {
  { "judge", "J", "A rule file, or a reward model", FALSE },
  { "count", "N", "Rank at most so many open tasks (0: all)", FALSE },
  { "noise", "P", "Share of rankings in which two neighbours are swapped (0)", FALSE },
  { "seed", "N", "The same seed makes the same mistakes (0)", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = {
  { "import", "FILE", 1, 1, NULL, "Take in rankings as JSONL", run_import },
  { "export", "FILE", 1, 1, export_options, "Write the rankings in force as JSONL", run_export },
  { "simulate", "", 0, 0, simulate_options, "Let a judge rank the open tasks", run_simulate },
  { "agreement", "", 0, 0, NULL, "Say how far labelers agree", run_agreement },
  { NULL }
};

const LaurelCtlNoun laurel_ctl_ranking = { "ranking", "Rankings: what labelers and judges prefer",
                                           verbs };
