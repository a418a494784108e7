/* loop_status.c: laurelctl loop status: reward models, policies and what rankings say of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"
#include "app/ctl/loop.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/project/report.h"

#include <math.h>
#include <stdio.h>

/* --- Scores that were measured --------------------------------------------------------- */

char *
laurel_ctl_loop_name_scores (const char *judge)
{
  g_autofree char *name = g_path_get_basename (judge);
  g_autofree char *sha256 = laurel_file_sha256 (judge, NULL);

  return g_strdup_printf ("online/score/%s/%.16s", name, sha256 != NULL ? sha256 : "");
}

gboolean
laurel_ctl_loop_get_score (
    LaurelStore *store, const char *model, const char *scores, LaurelInterval *out, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%s/%s", scores, model);
  g_autoptr (GError) local = NULL;
  g_autofree char *text = laurel_store_get_fact (store, key, &local);

  *out = (LaurelInterval){ NAN, NAN, NAN, 0 };
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (text != NULL) {
    g_auto (GStrv) parts = g_strsplit (text, " ", 4);

    if (g_strv_length (parts) == 4)
      *out = (LaurelInterval){ g_ascii_strtod (parts[0], NULL), g_ascii_strtod (parts[1], NULL),
                               g_ascii_strtod (parts[2], NULL),
                               (int) g_ascii_strtoll (parts[3], NULL, 10) };
  }
  return TRUE;
}

gboolean
laurel_ctl_loop_set_score (LaurelStore *store,
                           const char *model,
                           const char *scores,
                           const LaurelInterval *score,
                           GError **error)
{
  g_autofree char *key = g_strdup_printf ("%s/%s", scores, model);
  const double values[] = { score->value, score->low, score->high };
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (text, "%s ", g_ascii_dtostr (buffer, sizeof buffer, values[i]));
  }
  g_string_append_printf (text, "%d", score->n);
  return laurel_store_set_fact (store, key, text->str, error);
}

/* --- One line a reward model -------------------------------------------------------------- */

/* A reward model and the policy that was tuned with it, either of which may be missing. */
typedef struct {
  int round; /* 0: none */
  const LaurelRewardGain *gain;
  const char *policy;
  LaurelPolicyWins *wins;
  LaurelInterval score;
} Line;

static gboolean
fill_line (LaurelCtl *self,
           const LaurelOutcomes *outcomes,
           const char *reference,
           const char *scores,
           Line *line,
           GError **error)
{
  LaurelStore *store = laurel_project_get_store (self->project);

  line->score = (LaurelInterval){ NAN, NAN, NAN, 0 };
  if (line->policy == NULL)
    return TRUE;
  line->wins = laurel_online_get_wins (outcomes, line->policy, reference);
  return scores == NULL
         || laurel_ctl_loop_get_score (store, line->policy, scores, &line->score, error);
}

static void
add_line_json (JsonBuilder *builder, const Line *line, gboolean has_judge)
{
  const LaurelRewardGain *gain = line->gain;

  json_builder_begin_object (builder);
  if (line->round > 0)
    laurel_json_add_int (builder, "round", line->round);
  laurel_json_add_string (builder, "reward_model", gain->model);
  laurel_json_add_boolean (builder, "newest", gain->is_newest);
  laurel_json_add_int (builder, "run", gain->run_id);
  laurel_json_add_int (builder, "rankings", gain->n_rankings);
  laurel_json_add_int (builder, "new_rankings", gain->n_new);
  laurel_json_add_int (builder, "heldout_prompts", gain->n_prompts);
  laurel_json_add_int (builder, "heldout_pairs", gain->n_pairs);
  laurel_json_add_interval (builder, "accuracy", &gain->accuracy);
  laurel_json_add_string (builder, "previous", gain->previous);
  laurel_json_add_interval (builder, "before", &gain->before);
  laurel_json_add_interval (builder, "gain", &gain->gain);
  laurel_json_add_string (builder, "policy", line->policy);
  if (line->wins != NULL) {
    laurel_json_add_interval (builder, "win_rate", &line->wins->rate);
    laurel_json_add_int (builder, "ranked_tasks", line->wins->n_tasks);
    laurel_json_add_int (builder, "wins", line->wins->n_wins);
    laurel_json_add_int (builder, "losses", line->wins->n_losses);
    laurel_json_add_int (builder, "ties", line->wins->n_ties);
  }
  if (has_judge)
    laurel_json_add_interval (builder, "score", &line->score);
  json_builder_end_object (builder);
}

static void
add_line_text (LaurelCtlTable *table, const Line *line, gboolean has_judge)
{
  const LaurelRewardGain *gain = line->gain;
  LaurelInterval none = { NAN, NAN, NAN, 0 };
  g_autofree char *accuracy = laurel_interval_format (&gain->accuracy, TRUE);
  g_autofree char *points = laurel_reward_gain_format (&gain->gain);
  g_autofree char *wins =
      laurel_interval_format (line->wins != NULL ? &line->wins->rate : &none, TRUE);
  g_autofree char *score = laurel_interval_format (&line->score, FALSE);
  g_autofree char *round =
      line->round > 0 ? g_strdup_printf ("%d", line->round) : g_strdup ("–");
  g_autofree char *name =
      g_strdup_printf ("%s%s", gain->model, gain->is_newest ? " (newest)" : "");

  laurel_ctl_table_add (table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s%s%s", round, name, gain->n_rankings,
                        gain->n_new, accuracy, points,
                        line->policy != NULL ? line->policy : "–", wins, has_judge ? "\t" : "",
                        has_judge ? score : "");
}

static LaurelCtlTable *
make_table (gboolean has_judge)
{
  return has_judge
             ? laurel_ctl_table_new ("ROUND", "REWARD MODEL", "RANKINGS", "NEW", "ACCURACY",
                                     "GAIN, POINTS", "POLICY", "WINS", "JUDGE'S SCORE", NULL)
             : laurel_ctl_table_new ("ROUND", "REWARD MODEL", "RANKINGS", "NEW", "ACCURACY",
                                     "GAIN, POINTS", "POLICY", "WINS", NULL);
}

/* The policy of a reward model: the newest that a run of PPO made with it. */
static const char *
find_policy (GPtrArray *runs, const char *reward)
{
  for (guint i = 0; i < runs->len; i++) {
    const LaurelRun *run = runs->pdata[i];
    g_autoptr (JsonNode) node = NULL;

    if (!g_str_equal (run->kind, "ppo") || run->status != LAUREL_RUN_DONE)
      continue;
    node = laurel_json_parse (run->config, "configuration", NULL);
    if (node != NULL && JSON_NODE_HOLDS_OBJECT (node)
        && g_strcmp0 (json_object_get_string_member_with_default (json_node_get_object (node),
                                                                  "reward_model", NULL),
                      reward)
               == 0)
      return run->output;
  }
  return NULL;
}

static int
find_round (GPtrArray *rounds, gint64 run_id)
{
  for (guint i = 0; i < rounds->len; i++) {
    const LaurelRoundModels *round = rounds->pdata[i];

    if (round->reward_run == run_id)
      return round->round;
  }
  return 0;
}

typedef struct {
  GPtrArray *gains, *rounds, *runs;
  LaurelOutcomes *outcomes;
} Lists;

static void
lists_clear (Lists *self)
{
  g_clear_pointer (&self->gains, g_ptr_array_unref);
  g_clear_pointer (&self->rounds, g_ptr_array_unref);
  g_clear_pointer (&self->runs, g_ptr_array_unref);
  g_clear_pointer (&self->outcomes, laurel_outcomes_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

static gboolean
read_lists (LaurelCtl *self, Lists *out, GError **error)
{
  LaurelStore *store = laurel_project_get_store (self->project);

  out->gains = laurel_online_list_gains (store, error);
  out->rounds = out->gains != NULL ? laurel_online_list_rounds (self->project, error) : NULL;
  out->runs = out->rounds != NULL ? laurel_store_list_runs (store, error) : NULL;
  out->outcomes = out->runs != NULL
                      ? laurel_outcomes_collect (store, LAUREL_LABELERS_ALL, NULL, error)
                      : NULL;
  return out->outcomes != NULL;
}

static gboolean
print_lines (LaurelCtl *self,
             const Lists *lists,
             const char *reference,
             const char *scores,
             JsonBuilder *builder,
             GError **error)
{
  LaurelCtlTable *table = make_table (scores != NULL);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < lists->gains->len; i++) {
    Line line = { .gain = lists->gains->pdata[i] };

    line.round = find_round (lists->rounds, line.gain->run_id);
    line.policy = find_policy (lists->runs, line.gain->model);
    ok = fill_line (self, lists->outcomes, reference, scores, &line, error);
    if (ok) {
      add_line_json (builder, &line, scores != NULL);
      add_line_text (table, &line, scores != NULL);
    }
    laurel_policy_wins_free (line.wins);
  }
  if (ok && !self->json)
    laurel_ctl_table_print (table);
  else
    laurel_ctl_table_free (table);
  return ok;
}

static void
print_open_ends (
    LaurelCtl *self, const char *reference, const LaurelInterval *score, int n_new, gint64 n_open)
{
  g_autofree char *text = laurel_interval_format (score, FALSE);

  printf ("\n%d new rankings since the newest reward model; %d open tasks\n", n_new, (int) n_open);
  if (score->n > 0)
    printf ("the judge's score of %s: %s\n", reference, text);
}

gboolean
laurel_ctl_loop_print (LaurelCtl *self,
                       const LaurelOnlineSettings *settings,
                       const char *judge,
                       GError **error)
{
  LaurelStore *store = laurel_project_get_store (self->project);
  g_autofree char *reference = laurel_online_find_reference (store, settings, error);
  g_autofree char *scores = judge != NULL ? laurel_ctl_loop_name_scores (judge) : NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_auto (Lists) lists = { 0 };
  LaurelInterval score = { NAN, NAN, NAN, 0 };
  int n_new = laurel_online_count_new (store, NULL);
  gint64 n_open = laurel_store_count_tasks (store, TRUE, NULL);

  if (reference == NULL || !read_lists (self, &lists, error)
      || (scores != NULL
          && !laurel_ctl_loop_get_score (store, reference, scores, &score, error)))
    return FALSE;
  json_builder_begin_object (builder);
  laurel_json_add_string (builder, "reference", reference);
  if (scores != NULL)
    laurel_json_add_interval (builder, "reference_score", &score);
  laurel_json_add_int (builder, "new_rankings", n_new);
  laurel_json_add_int (builder, "open_tasks", n_open);
  json_builder_set_member_name (builder, "reward_models");
  json_builder_begin_array (builder);
  if (!print_lines (self, &lists, reference, scores, builder, error))
    return FALSE;
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    print_open_ends (self, reference, &score, n_new, n_open);
  return TRUE;
}

gboolean
laurel_ctl_loop_status (LaurelCtl *self, GError **error)
{
  g_auto (LaurelOnlineSettings) settings = { 0 };

  return laurel_ctl_open_project (self, error)
         && laurel_online_settings_load (laurel_project_get_store (self->project), &settings, error)
         && laurel_ctl_loop_print (self, &settings, laurel_ctl_get (self, "judge"), error);
}
