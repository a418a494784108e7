/* compare.c: laurelctl evaluate compare.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/base/error.h"
#include "core/project/evaluation_export.h"
#include "core/project/report.h"

#include <math.h>
#include <stdio.h>

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "sampling", (double) n_done / MAX (n_all, 1), -1.0);
  return laurel_ctl_go_on ();
}

static gboolean
read_request (LaurelCtl *self, LaurelCompareRequest *out, char ***out_models, GError **error)
{
  const char *models = laurel_ctl_require (self, "models", error);
  gint64 count = 0, seed = 0, max_tokens = 64, best_of = 0;

  out->judge = models != NULL ? laurel_ctl_require (self, "judge", error) : NULL;
  out->options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  if (out->judge == NULL || !laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !laurel_ctl_get_int (self, "best-of", 2, 65536, &best_of, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64 - 1, &seed, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_double (self, "temperature", 0, 100, &out->options.temperature, error))
    return FALSE;
  *out_models = g_strsplit (models, ",", -1);
  out->models = (const char *const *) *out_models;
  out->baseline = laurel_ctl_get (self, "baseline");
  out->reward_model = laurel_ctl_get (self, "reward-model");
  out->best_of = (int) best_of;
  out->split = laurel_ctl_get (self, "prompts");
  out->n_completions = (int) count;
  out->options.max_tokens = (int) max_tokens;
  out->options.seed = (guint64) seed;
  out->progress = progress_cb;
  out->user_data = self;
  return TRUE;
}

/* --- What comes out -------------------------------------------------------------------- */

static void
print_json (GPtrArray *rows)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  laurel_compared_add_json (builder, rows);
  laurel_ctl_print_builder (builder);
}

static void
print_csv (GPtrArray *rows)
{
  g_autofree char *csv = laurel_compared_to_csv (rows);

  printf ("%s", csv);
}

/* A line of the table: the measure, and its cell for each policy. */
typedef char *(*FormatCell) (const LaurelCompared *row, const LaurelEvaluationRow *measure);

static char *
format_measure (const LaurelCompared *row, const LaurelEvaluationRow *measure)
{
  if (measure->offset == G_STRUCT_OFFSET (LaurelEvaluation, kl) && !isnan (row->kl_bound))
    return g_strdup_printf ("%.3f at most", row->kl_bound);
  return laurel_interval_format (G_STRUCT_MEMBER_P (&row->evaluation, measure->offset),
                                 measure->share);
}

static char *
format_proxy (const LaurelCompared *row, const LaurelEvaluationRow *measure)
{
  return laurel_interval_format (&row->proxy, FALSE);
}

static char *
format_counts (const LaurelCompared *row, const LaurelEvaluationRow *measure)
{
  if (row->is_baseline)
    return g_strdup ("–");
  return g_strdup_printf ("%d, %d, %d", row->wins.n_wins, row->wins.n_losses, row->wins.n_ties);
}

static char *
format_half (const LaurelCompared *row, const LaurelEvaluationRow *measure)
{
  return row->is_baseline ? g_strdup ("–") : laurel_interval_format (&row->wins.half, TRUE);
}

static char *
format_controlled (const LaurelCompared *row, const LaurelEvaluationRow *measure)
{
  return row->is_baseline ? g_strdup ("–") : laurel_interval_format (&row->wins.controlled, TRUE);
}

static void
add_line (LaurelCtlTable *table,
          const char *title,
          GPtrArray *rows,
          FormatCell format,
          const LaurelEvaluationRow *measure)
{
  g_autoptr (GString) line = g_string_new (title);

  for (guint i = 0; i < rows->len; i++) {
    g_autofree char *cell = format (g_ptr_array_index (rows, i), measure);

    g_string_append_printf (line, "\t%s", cell);
  }
  laurel_ctl_table_add (table, "%s", line->str);
}

static void
print_table (GPtrArray *rows, const char *reward_model)
{
  int n_measures;
  const LaurelEvaluationRow *measures = laurel_evaluation_rows (&n_measures);
  g_autoptr (GPtrArray) headings = g_ptr_array_new ();
  LaurelCtlTable *table;

  g_ptr_array_add (headings, (char *) "MEASURE, 95 % INTERVAL");
  for (guint i = 0; i < rows->len; i++)
    g_ptr_array_add (headings, ((LaurelCompared *) g_ptr_array_index (rows, i))->name);
  g_ptr_array_add (headings, NULL);
  table = laurel_ctl_table_new_columns ((const char *const *) headings->pdata);
  for (int m = 0; m < n_measures; m++)
    add_line (table, measures[m].title, rows, format_measure, &measures[m]);
  if (reward_model != NULL)
    add_line (table, "score of the reward model", rows, format_proxy, NULL);
  add_line (table, "wins, losses, ties", rows, format_counts, NULL);
  add_line (table, "win rate, ties as half", rows, format_half, NULL);
  add_line (table, "win rate at equal length", rows, format_controlled, NULL);
  laurel_ctl_table_print (table);
}

gboolean
laurel_ctl_run_compare (LaurelCtl *self, GError **error)
{
  LaurelCompareRequest request = { 0 };
  g_auto (GStrv) models = NULL;
  g_autoptr (GPtrArray) rows = NULL;

  if (!read_request (self, &request, &models, error) || !laurel_ctl_open_project (self, error))
    return FALSE;
  laurel_ctl_catch_interrupts ();
  rows = laurel_evaluate_compare (laurel_project_get_store (self->project),
                                  laurel_project_get_path (self->project), &request, error);
  laurel_ctl_hide_progress (self);
  if (rows == NULL)
    return FALSE;
  if (self->json)
    print_json (rows);
  else if (laurel_ctl_has (self, "csv"))
    print_csv (rows);
  else
    print_table (rows, request.reward_model);
  return TRUE;
}

const LaurelCtlOption laurel_ctl_compare_options[] = {
  { "models", "M,M,…", "Names or Hugging Face directories, with commas", FALSE },
  { "baseline", "M", "The one to beat and to measure the KL to (the first)", FALSE },
  { "judge", "JUDGE", "A rule file or a reward model", FALSE },
  { "reward-model", "M", "Show this reward model's scores besides", FALSE },
  { "best-of", "N", "The baseline's best of N by the reward model is one more policy", FALSE },
  { "prompts", "SPLIT", "“heldout” or “train” (heldout)", FALSE },
  { "count", "N", "Completions of each in all (one a prompt)", FALSE },
  { "temperature", "T", "Of the sampling (1)", FALSE },
  { "max-tokens", "N", "The longest completion (64)", FALSE },
  { "seed", "N", "Of sampling and intervals (0)", FALSE },
  { "csv", NULL, "Comma-separated values, one policy a line", FALSE },
  { NULL }
};

void
laurel_ctl_help_compare (GString *text)
{
  g_string_append (
      text,
      "\nEach model answers the same prompts, with the same random numbers. The KL is to the "
      "baseline, exact at\neach position and summed over a completion; best-of-n's is known not "
      "to pass log n − (n−1)/n. Its\nsamples are others than the baseline's, or it could not "
      "lose. Wins are over the baseline's answer to\nthe same prompt. A completion that does not "
      "end by itself costs 1 of the reward model's score, as in\nPPO.\n");
}
