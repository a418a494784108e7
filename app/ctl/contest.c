/* contest.c: laurelctl evaluate winrate and evaluate ratings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/evaluate.h"

#include "core/base/error.h"
#include "core/project/contest.h"
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
read_sampling (LaurelCtl *self, LaurelContest *contest, GError **error)
{
  gint64 count = 0, seed = 0, max_tokens = contest->max_tokens;

  if (!laurel_ctl_get_int (self, "count", 1, G_MAXINT, &count, error)
      || !laurel_ctl_get_int (self, "seed", 0, G_MAXINT64, &seed, error)
      || !laurel_ctl_get_int (self, "max-tokens", 1, G_MAXINT, &max_tokens, error)
      || !laurel_ctl_get_double (self, "temperature", 0, 100, &contest->temperature, error))
    return FALSE;
  contest->judge = laurel_ctl_get (self, "judge");
  contest->split = laurel_ctl_get (self, "prompts");
  contest->n_completions = (int) count;
  contest->max_tokens = (int) max_tokens;
  contest->seed = (guint64) seed;
  contest->progress = progress_cb;
  contest->user_data = self;
  return TRUE;
}

static gboolean
wants_rankings (LaurelCtl *self)
{
  return laurel_ctl_has (self, "people") || laurel_ctl_has (self, "labelers")
         || laurel_ctl_has (self, "labeler");
}

static gboolean
read_labelers (LaurelCtl *self, LaurelContest *contest, GError **error)
{
  contest->labeler = laurel_ctl_get (self, "labeler");
  if (laurel_ctl_has (self, "people"))
    contest->labelers = LAUREL_LABELERS_PEOPLE;
  if (!laurel_ctl_get_labelers (self, &contest->labelers, error))
    return FALSE;
  if (contest->judge == NULL || !wants_rankings (self))
    return TRUE;
  g_set_error (error, LAUREL_CTL_USAGE, 0,
               "Could not choose between a judge and rankings: “--judge” is given beside labelers; "
               "leave one of them out");
  return FALSE;
}

static LaurelOutcomes *
run_contest (LaurelCtl *self, LaurelContest *contest, GError **error)
{
  LaurelOutcomes *outcomes;

  if (!laurel_ctl_open_project (self, error))
    return NULL;
  if (contest->judge != NULL)
    laurel_ctl_catch_interrupts ();
  outcomes = laurel_contest_run (laurel_project_get_store (self->project),
                                 laurel_project_get_path (self->project), contest, error);
  laurel_ctl_hide_progress (self);
  return outcomes;
}

/* --- Two models --------------------------------------------------------------------- */

static void
print_row (LaurelCtlTable *table, const char *title, const LaurelInterval *interval)
{
  g_autofree char *cell = laurel_interval_format (interval, TRUE);

  laurel_ctl_table_add (table, "%s\t%s\t%d", title, cell, interval->n);
}

static void
print_summary (const char *model, const char *baseline, const LaurelWinSummary *wins)
{
  LaurelCtlTable *table = laurel_ctl_table_new ("WIN RATE, 95 % INTERVAL", "", "COMPARISONS", NULL);
  g_autofree char *rate = laurel_interval_format (&wins->strict, TRUE);

  printf ("%s beats %s: %s; %d wins, %d losses, %d ties left out\n", model, baseline, rate,
          wins->n_wins, wins->n_losses, wins->n_ties);
  print_row (table, "ties left out, Wilson", &wins->strict);
  print_row (table, "ties left out, prompts drawn again", &wins->clustered);
  print_row (table, "ties as half a win, prompts drawn again", &wins->half);
  print_row (table, "at equal length, prompts drawn again", &wins->controlled);
  laurel_ctl_table_print (table);
  if (!isnan (wins->length_gap))
    printf ("%s's completions have %+.1f tokens in the mean.\n", model, wins->length_gap);
  if (!isnan (wins->p_sign))
    printf ("p = %.3g by the sign test, %.3g by permuting the two names in each of %d prompts.\n",
            wins->p_sign, wins->p_permutation, wins->n_prompts);
}

gboolean
laurel_ctl_run_winrate (LaurelCtl *self, GError **error)
{
  const char *models[3] = { laurel_ctl_require (self, "model", error), NULL, NULL };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (GArray) between = NULL;
  LaurelContest contest;
  LaurelWinSummary wins;

  laurel_contest_init (&contest);
  models[1] = models[0] != NULL ? laurel_ctl_require (self, "baseline", error) : NULL;
  if (models[1] == NULL || !read_sampling (self, &contest, error)
      || !read_labelers (self, &contest, error))
    return FALSE;
  if (!wants_rankings (self) && laurel_ctl_require (self, "judge", error) == NULL)
    return FALSE;
  contest.models = models;
  outcomes = run_contest (self, &contest, error);
  if (outcomes == NULL)
    return FALSE;
  between = laurel_outcomes_between (outcomes, 0, 1);
  laurel_win_rate_summarise (between, LAUREL_BOOTSTRAP_RESAMPLES, contest.seed, &wins);
  json_builder_begin_object (builder);
  laurel_json_add_win_summary (builder, &wins);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    print_summary (models[0], models[1], &wins);
  return TRUE;
}

/* --- Many models ----------------------------------------------------------------------- */

/* Points of Elo in one unit of log-odds. */
#define ELO (400 / G_LN10)

static void
add_ratings (JsonBuilder *builder, const LaurelRatings *ratings)
{
  laurel_json_add_double (builder, "tie_strength", ratings->tie_strength);
  laurel_json_add_boolean (builder, "bound", ratings->is_bound);
  json_builder_set_member_name (builder, "models");
  json_builder_begin_array (builder);
  for (guint i = 0; i < ratings->ratings->len; i++) {
    const LaurelRating *rating = g_ptr_array_index (ratings->ratings, i);

    json_builder_begin_object (builder);
    laurel_json_add_string (builder, "model", rating->model);
    laurel_json_add_interval (builder, "rating", &rating->rating);
    laurel_json_add_double (builder, "elo", ELO * rating->rating.value);
    laurel_json_add_int (builder, "wins", rating->n_wins);
    laurel_json_add_int (builder, "losses", rating->n_losses);
    laurel_json_add_int (builder, "ties", rating->n_ties);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
print_ratings (const LaurelRatings *ratings)
{
  LaurelCtlTable *table = laurel_ctl_table_new ("MODEL", "RATING, 95 % INTERVAL", "ELO", "WINS",
                                                "LOSSES", "TIES", NULL);

  for (guint i = 0; i < ratings->ratings->len; i++) {
    const LaurelRating *rating = g_ptr_array_index (ratings->ratings, i);
    g_autofree char *cell = laurel_interval_format (&rating->rating, FALSE);

    laurel_ctl_table_add (table, "%s\t%s\t%+.0f\t%d\t%d\t%d", rating->model, cell,
                          ELO * rating->rating.value, rating->n_wins, rating->n_losses,
                          rating->n_ties);
  }
  laurel_ctl_table_print (table);
  if (!ratings->is_bound)
    printf ("Some models only won or only lost against the others: a weak prior alone keeps their "
            "ratings finite.\n");
}

gboolean
laurel_ctl_run_ratings (LaurelCtl *self, GError **error)
{
  GPtrArray *named = laurel_ctl_get_all (self, "model");
  const char *ties = laurel_ctl_get (self, "ties");
  g_autoptr (GPtrArray) models = g_ptr_array_new ();
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (LaurelOutcomes) outcomes = NULL;
  g_autoptr (LaurelRatings) ratings = NULL;
  LaurelTieRule rule = LAUREL_TIE_HALF;
  LaurelContest contest;

  laurel_contest_init (&contest);
  if (!read_sampling (self, &contest, error) || !read_labelers (self, &contest, error)
      || (ties != NULL && !laurel_tie_rule_from_string (ties, &rule, error))
      || (contest.judge != NULL && laurel_ctl_require (self, "model", error) == NULL))
    return FALSE;
  for (guint i = 0; named != NULL && i < named->len; i++)
    if (!g_ptr_array_find_with_equal_func (models, g_ptr_array_index (named, i), g_str_equal, NULL))
      g_ptr_array_add (models, g_ptr_array_index (named, i));
  g_ptr_array_add (models, NULL);
  contest.models = named != NULL ? (const char *const *) models->pdata : NULL;
  outcomes = run_contest (self, &contest, error);
  ratings = outcomes != NULL
                ? laurel_ratings_estimate (outcomes, rule, laurel_ctl_get (self, "baseline"),
                                           LAUREL_BOOTSTRAP_RESAMPLES, contest.seed, error)
                : NULL;
  if (ratings == NULL)
    return FALSE;
  json_builder_begin_object (builder);
  add_ratings (builder, ratings);
  json_builder_end_object (builder);
  if (self->json)
    laurel_ctl_print_builder (builder);
  else
    print_ratings (ratings);
  return TRUE;
}

/* --- Help --------------------------------------------------------------------------------- */

void
laurel_ctl_help_winrate (GString *text)
{
  g_string_append (
      text,
      "\nWith --judge both models answer the same prompts and the judge compares the answers. With "
      "--people the\nproject's rankings of tasks count that hold completions of both models, which "
      "the labeler could not tell\napart; --labelers and --labeler choose whose. The same text "
      "twice is a tie.\n\nAt equal length: P(win) = σ(α + β·tanh(g/s)), g the tokens of the "
      "model's "
      "completion less the\nbaseline's, s the root mean square of g, ties as half a win; the rate "
      "is "
      "σ(α). Intervals are 95 %.\n");
}

void
laurel_ctl_help_ratings (GString *text)
{
  g_string_append (
      text,
      "\nP(i is preferred to j) = σ(θi − θj), fitted to all comparisons of two models in the "
      "project's rankings,\nor with --judge to its comparisons of answers to the same prompts. "
      "Ratings θ are log-odds and add up\nto 0, or are differences from --baseline. Intervals are "
      "95 "
      "%, from drawing whole prompts again.\n");
}

#define CONTEST_OPTIONS                                                                            \
  { "judge", "J", "A rule file, or a reward model", FALSE },                                       \
      { "labelers", "WHOSE", "Count rankings by people, simulated ones or all", FALSE },           \
      { "labeler", "NAME", "Count this labeler's rankings alone", FALSE },                         \
      { "prompts", "SPLIT", "“heldout” or “train” (heldout)", FALSE },                             \
      { "count", "N", "Completions of each model in all (one a prompt)", FALSE },                  \
      { "temperature", "T", "Of the sampling (1)", FALSE },                                        \
      { "max-tokens", "N", "The longest completion (64)", FALSE },                                 \
  {                                                                                                \
    "seed", "N", "Of the sampling, and of the prompts that are drawn again (0)", FALSE             \
  }

const LaurelCtlOption laurel_ctl_winrate_options[] = {
  { "model", "M", "A model's name or a Hugging Face directory", FALSE },
  { "baseline", "M", "The model to beat", FALSE },
  { "people", NULL, "Count people's rankings", FALSE },
  CONTEST_OPTIONS,
  { NULL }
};

const LaurelCtlOption laurel_ctl_ratings_options[] = {
  { "model", "M", "Rate this model; without any, all that were ranked", TRUE },
  { "baseline", "M", "The model whose rating is 0", FALSE },
  { "ties", "RULE", "“half” a win for both, or “davidson” (half)", FALSE },
  CONTEST_OPTIONS,
  { NULL }
};
