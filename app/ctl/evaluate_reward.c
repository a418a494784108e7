/* evaluate_reward.c: laurelctl evaluate reward.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/project/report.h"
#include "core/project/reward_report.h"

#include <math.h>
#include <stdio.h>

static const char *const kind_names[] = { "person", "rules", "reward_model" };

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  laurel_ctl_show_progress (user_data, "scoring", (double) n_done / MAX (n_all, 1), -1.0);
  return TRUE;
}

/* --- JSON ------------------------------------------------------------------------------ */

static void
add_groups (JsonBuilder *builder, const LaurelRewardReport *report, LaurelRewardGroupKind kind)
{
  static const char *const members[LAUREL_N_GROUPS] = { "by_labeler", "by_length_gap",
                                                        "by_rank_distance", "by_quality_gap" };
  const GArray *groups = laurel_reward_report_get_groups (report, kind);

  json_builder_set_member_name (builder, members[kind]);
  json_builder_begin_array (builder);
  for (guint i = 0; i < groups->len; i++) {
    const LaurelRewardGroup *group = &g_array_index (groups, LaurelRewardGroup, i);
    const LaurelLabeler *labeler =
        kind == LAUREL_GROUP_LABELER ? g_ptr_array_index (report->labelers, group->low) : NULL;

    json_builder_begin_object (builder);
    if (labeler != NULL) {
      laurel_json_add_string (builder, "labeler", labeler->name);
      laurel_json_add_string (builder, "kind", kind_names[labeler->kind]);
    } else {
      laurel_json_add_double (builder, "low", group->low < -G_MAXINT / 2 ? NAN : group->low);
      laurel_json_add_double (builder, "high", group->high == G_MAXINT ? NAN : group->high);
    }
    laurel_json_add_interval (builder, "accuracy", &group->accuracy);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_calibration (JsonBuilder *builder, const LaurelRewardEvaluation *figures)
{
  json_builder_set_member_name (builder, "calibration");
  json_builder_begin_array (builder);
  for (guint i = 0; i < figures->calibration->len; i++) {
    const LaurelCalibrationBin *bin =
        &g_array_index (figures->calibration, LaurelCalibrationBin, i);

    json_builder_begin_object (builder);
    laurel_json_add_double (builder, "low", bin->low);
    laurel_json_add_double (builder, "high", bin->high);
    laurel_json_add_double (builder, "predicted", bin->predicted);
    laurel_json_add_interval (builder, "observed", &bin->observed);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  laurel_json_add_interval (builder, "ece", &figures->ece);
  laurel_json_add_double (builder, "ece_by_chance", figures->ece_by_chance);
  laurel_json_add_interval (builder, "calibration_slope", &figures->slope);
}

static void
add_histogram (JsonBuilder *builder, const LaurelRewardEvaluation *figures)
{
  json_builder_set_member_name (builder, "margins");
  json_builder_begin_object (builder);
  laurel_json_add_double (builder, "median", figures->median_margin);
  laurel_json_add_double (builder, "start", figures->histogram_start);
  laurel_json_add_double (builder, "width", figures->histogram_width);
  json_builder_set_member_name (builder, "pairs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < figures->histogram->len; i++)
    json_builder_add_int_value (builder, g_array_index (figures->histogram, int, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_ceiling (JsonBuilder *builder, const LaurelRewardReport *report)
{
  json_builder_set_member_name (builder, "ceiling");
  json_builder_begin_object (builder);
  laurel_json_add_double (builder, "agreement", report->agreement.value);
  laurel_json_add_double (builder, "agreement_low", report->agreement.low);
  laurel_json_add_double (builder, "agreement_high", report->agreement.high);
  laurel_json_add_int (builder, "shared_tasks", report->n_shared_tasks);
  laurel_json_add_double (builder, "spread", report->figures.spread);
  laurel_json_add_double (builder, "bradley_terry", report->figures.ceiling);
  json_builder_end_object (builder);
}

static void
print_json (const LaurelRewardReport *report)
{
  const LaurelRewardEvaluation *figures = &report->figures;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "model", report->model);
  laurel_json_add_string (builder, "verdict", report->verdict);
  laurel_json_add_boolean (builder, "split_known", report->split_known);
  laurel_json_add_int (builder, "left_out", report->n_left_out);
  laurel_json_add_int (builder, "prompts", figures->n_prompts);
  laurel_json_add_int (builder, "rankings", figures->n_rankings);
  laurel_json_add_int (builder, "pairs", figures->n_pairs);
  laurel_json_add_int (builder, "ties", figures->n_tied);
  laurel_json_add_interval (builder, "accuracy", &figures->accuracy);
  laurel_json_add_interval (builder, "accuracy_wilson", &figures->wilson);
  for (int kind = 0; kind < LAUREL_N_GROUPS; kind++)
    add_groups (builder, report, kind);
  add_calibration (builder, figures);
  add_histogram (builder, figures);
  laurel_json_add_interval (builder, "score_length", &figures->score_length);
  laurel_json_add_interval (builder, "score_length_given_rank", &figures->partial_length);
  laurel_json_add_double (builder, "rank_length", figures->rank_length);
  add_ceiling (builder, report);
  laurel_json_add_int (builder, "seeds", report->n_seeds);
  laurel_json_add_int (builder, "kept_seed", report->kept_seed);
  if (report->n_seeds > 1) {
    laurel_json_add_double (builder, "seeds_low", report->seeds_low);
    laurel_json_add_double (builder, "seeds_high", report->seeds_high);
  }
  json_builder_end_object (builder);
  laurel_ctl_print_builder (builder);
}

/* --- Words ----------------------------------------------------------------------------- */

static void
add_row (LaurelCtlTable *table, const char *title, const LaurelInterval *interval, gboolean share)
{
  g_autofree char *text = laurel_interval_format (interval, share);

  laurel_ctl_table_add (table, "%s\t%s\t%d", title, text, interval->n);
}

static void
print_groups (const LaurelRewardReport *report, LaurelRewardGroupKind kind)
{
  const GArray *groups = laurel_reward_report_get_groups (report, kind);
  LaurelCtlTable *table;

  if (groups->len == 0)
    return;
  table = laurel_ctl_table_new (laurel_reward_group_kind_title (kind), "RIGHT", "PAIRS", NULL);
  for (guint i = 0; i < groups->len; i++) {
    const LaurelRewardGroup *group = &g_array_index (groups, LaurelRewardGroup, i);
    g_autofree char *name = laurel_reward_report_name_group (report, kind, group);

    add_row (table, name, &group->accuracy, TRUE);
  }
  laurel_ctl_table_print (table);
  printf ("\n");
}

static void
print_calibration (const LaurelRewardEvaluation *figures)
{
  LaurelCtlTable *table = laurel_ctl_table_new ("How sure", "SAID", "RIGHT", "PAIRS", NULL);

  for (guint i = 0; i < figures->calibration->len; i++) {
    const LaurelCalibrationBin *bin =
        &g_array_index (figures->calibration, LaurelCalibrationBin, i);
    g_autofree char *observed = laurel_interval_format (&bin->observed, TRUE);

    laurel_ctl_table_add (table, "%.0f to %.0f %%\t%.1f %%\t%s\t%d", 100 * bin->low,
                          100 * bin->high, 100 * bin->predicted, observed, bin->observed.n);
  }
  laurel_ctl_table_print (table);
  printf ("\n");
}

static void
print_ceiling (const LaurelRewardReport *report)
{
  const LaurelInterval agreement = { report->agreement.value, report->agreement.low,
                                     report->agreement.high, report->n_shared_tasks };
  g_autofree char *text = laurel_interval_format (&agreement, TRUE);

  if (isnan (report->agreement.value))
    printf ("labelers' agreement   not known: %s\n", report->agreement.reason);
  else
    printf ("labelers' agreement   %s, %d shared tasks\n", text, report->n_shared_tasks);
  printf ("Bradley–Terry ceiling %.1f %%, if true scores were spread as its logits are (%.2f)\n",
          100 * report->figures.ceiling, report->figures.spread);
}

static void
print_report (const LaurelRewardReport *report)
{
  const LaurelRewardEvaluation *figures = &report->figures;
  LaurelCtlTable *table = laurel_ctl_table_new ("95 % INTERVAL", report->model, "OF", NULL);

  add_row (table, "accuracy, by prompts", &figures->accuracy, TRUE);
  add_row (table, "accuracy, Wilson", &figures->wilson, TRUE);
  add_row (table, "calibration error", &figures->ece, TRUE);
  add_row (table, "calibration slope", &figures->slope, FALSE);
  add_row (table, "score and length", &figures->score_length, FALSE);
  add_row (table, "the same, rank fixed", &figures->partial_length, FALSE);
  laurel_ctl_table_print (table);
  printf ("\n");
  for (int kind = 0; kind < LAUREL_N_GROUPS; kind++)
    print_groups (report, kind);
  print_calibration (figures);
  print_ceiling (report);
  printf ("calibration error of a model that is right about itself, by chance: %.1f %%\n",
          100 * figures->ece_by_chance);
  printf ("%d prompts, %d rankings, %d pairs and %d ties; %d rankings of prompts that it was "
          "trained on left out\n",
          figures->n_prompts, figures->n_rankings, figures->n_pairs, figures->n_tied,
          report->n_left_out);
  if (report->n_seeds > 1)
    printf ("seed %d of %d was kept; held-out accuracies from %.3f to %.3f\n", report->kept_seed,
            report->n_seeds, report->seeds_low, report->seeds_high);
  printf ("\n%s\n", report->verdict);
}

gboolean
laurel_ctl_evaluate_reward (LaurelCtl *self, GError **error)
{
  LaurelRewardReportRequest request = { .model = laurel_ctl_require (self, "model", error),
                                        .all = laurel_ctl_has (self, "all"),
                                        .progress = progress_cb,
                                        .user_data = self };
  g_autoptr (LaurelRewardReport) report = NULL;
  gint64 seed = 0;

  if (request.model == NULL || !laurel_ctl_get_labelers (self, &request.labelers, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !laurel_ctl_open_project (self, error))
    return FALSE;
  request.seed = (guint64) seed;
  request.project_path = laurel_project_get_path (self->project);
  report = laurel_reward_report_new (laurel_project_get_store (self->project), &request, error);
  laurel_ctl_hide_progress (self);
  if (report == NULL)
    return FALSE;
  if (self->json)
    print_json (report);
  else
    print_report (report);
  return TRUE;
}
