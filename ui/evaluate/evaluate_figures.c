/* evaluate_figures.c: what a contest came to, in drawings and sentences.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/evaluate/evaluate_figures.h"

#include "ui/charts/figure.h"

#include <glib/gi18n.h>
#include <math.h>

static void
add_row (LaurelIntervalPlot *plot, const char *name, const LaurelInterval *rate)
{
  if (!isnan (rate->value))
    laurel_interval_plot_add (plot, name, rate->value, rate->low, rate->high, rate->n);
}

GtkWidget *
laurel_win_rate_figure_new (const LaurelWinSummary *wins, const char *model, const char *baseline)
{
  LaurelIntervalPlot *plot = laurel_interval_plot_new (_("comparisons"));
  /* Translators: two models, and a share in percent. */
  g_autofree char *summary = g_strdup_printf (_("%s is preferred to %s in %.0f %% of comparisons"),
                                                 model, baseline, 100 * wins->half.value);

  laurel_interval_plot_set_line (plot, 0, .5, _("even"));
  add_row (plot, _("Ties left out, by comparison"), &wins->strict);
  add_row (plot, _("Ties left out, by prompt"), &wins->clustered);
  add_row (plot, _("Ties as half a win, by prompt"), &wins->half);
  add_row (plot, _("At equal length, by prompt"), &wins->controlled);
  return laurel_figure_new_intervals (plot, summary);
}

static double
to_chance (double rating)
{
  return 1 / (1 + exp (-rating));
}

GtkWidget *
laurel_ratings_figure_new (const LaurelRatings *ratings, const char *baseline)
{
  LaurelIntervalPlot *plot = laurel_interval_plot_new (_("comparisons"));
  const LaurelRating *best = g_ptr_array_index (ratings->ratings, 0);
  g_autofree char *summary =
      g_strdup_printf (ngettext ("Ratings of %u model; %s is best",
                                 "Ratings of %u models; %s is best", ratings->ratings->len),
                       ratings->ratings->len, best->model);

  laurel_interval_plot_set_line (plot, 0, .5, baseline);
  for (guint i = 0; i < ratings->ratings->len; i++) {
    const LaurelRating *rating = g_ptr_array_index (ratings->ratings, i);
    gboolean is_baseline = g_str_equal (rating->model, baseline);

    laurel_interval_plot_add (plot, rating->model, to_chance (rating->rating.value),
                              is_baseline ? NAN : to_chance (rating->rating.low),
                              is_baseline ? NAN : to_chance (rating->rating.high),
                              rating->rating.n);
  }
  return laurel_figure_new_intervals (plot, summary);
}

GtkWidget *
laurel_compared_figure_new (GPtrArray *rows)
{
  LaurelIntervalPlot *plot = laurel_interval_plot_new (_("comparisons"));
  g_autoptr (GString) summary = g_string_new (_("Win rates, ties as half"));

  laurel_interval_plot_set_line (plot, 0, .5, _("even"));
  for (guint i = 0; i < rows->len; i++) {
    const LaurelCompared *row = g_ptr_array_index (rows, i);

    if (row->is_baseline)
      continue;
    add_row (plot, row->name, &row->wins.half);
    /* Translators: a model and its win rate, one of a list. */
    g_string_append_printf (summary, _("; %s %.0f %%"), row->name, 100 * row->wins.half.value);
  }
  return laurel_figure_new_intervals (plot, summary->str);
}

char *
laurel_win_summary_describe (const LaurelWinSummary *wins)
{
  /* Translators: all of them counts; keep it short. */
  return g_strdup_printf (ngettext ("Won %d, lost %d, tied %d comparisons on %d prompt",
                                    "Won %d, lost %d, tied %d comparisons on %d prompts",
                                    (gulong) wins->n_prompts),
                          wins->n_wins, wins->n_losses, wins->n_ties, wins->n_prompts);
}

char *
laurel_win_summary_describe_lengths (const LaurelWinSummary *wins,
                                     const char *model,
                                     const char *baseline)
{
  double gap = fabs (wins->length_gap);

  if (isnan (gap))
    return NULL;
  if (gap < .05)
    return g_strdup_printf (_("Answers of %s and of %s are equally long in the mean"), model,
                            baseline);
  /* Translators: a model, a number, and the model that it is compared with. */
  if (wins->length_gap > 0)
    return g_strdup_printf (_("Answers of %s are %.1f tokens longer in the mean than those of %s"),
                            model, gap, baseline);
  return g_strdup_printf (_("Answers of %s are %.1f tokens shorter in the mean than those of %s"),
                          model, gap, baseline);
}

/* As many digits as mean something; nobody reads “1.42e−07”. */
static char *
format_chance (double chance)
{
  if (chance < 1e-4)
    return g_strdup (_("less than 0.0001"));
  return g_strdup_printf (chance < .1 ? "%.4f" : "%.2f", chance);
}

char *
laurel_win_summary_describe_chance (const LaurelWinSummary *wins)
{
  g_autofree char *permutation = NULL;
  g_autofree char *sign = NULL;

  if (isnan (wins->p_permutation))
    return NULL;
  permutation = format_chance (wins->p_permutation);
  sign = format_chance (wins->p_sign);
  return g_strdup_printf (
      _("Were neither better, the chance of so uneven a result would be %s by swapping models "
        "prompt by prompt, and %s by the sign test, which takes comparisons for independent"),
      permutation, sign);
}
