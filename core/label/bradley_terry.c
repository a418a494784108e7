/* bradley_terry.c: Newton's method on a concave likelihood, and intervals for its ratings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/bradley_terry.h"

#include "core/base/error.h"

#include <math.h>
#include <stdlib.h>

#define MAX_STEPS 200
/* Of the largest part of a step, in log-odds. */
#define CONVERGED 1e-11

gboolean
laurel_tie_rule_from_string (const char *text, LaurelTieRule *out_rule, GError **error)
{
  if (g_str_equal (text, "half") || g_str_equal (text, "davidson")) {
    *out_rule = text[0] == 'h' ? LAUREL_TIE_HALF : LAUREL_TIE_DAVIDSON;
    return TRUE;
  }
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not count ties as “%s”: there is no such rule; use half or davidson", text);
  return FALSE;
}

/* --- The likelihood ------------------------------------------------------------------ */

/* Parameters are the n ratings, then ln ν where ties are an outcome of their own. */
typedef struct {
  const double *wins;
  const double *ties;
  int n;
  int n_parameters;
  double prior;
} Problem;

/* What is known of two models, and the chances of “first”, “second”, “neither”. */
typedef struct {
  double seen[3];
  double chances[3];
  double log_chances[3];
} Pair;

static gboolean
has_tie_parameter (const Problem *problem)
{
  return problem->n_parameters > problem->n;
}

/* FALSE when the two were never compared. */
static gboolean
get_pair (const Problem *problem, const double *theta, int i, int j, Pair *out)
{
  int n = problem->n;
  double ties = problem->ties[i * n + j], most, sum = 0;
  double logits[3] = { theta[i], theta[j], -INFINITY };

  out->seen[0] = problem->wins[i * n + j];
  out->seen[1] = problem->wins[j * n + i];
  out->seen[2] = has_tie_parameter (problem) ? ties : 0;
  if (has_tie_parameter (problem)) {
    logits[2] = (theta[i] + theta[j]) / 2 + theta[n];
  } else {
    out->seen[0] += ties / 2;
    out->seen[1] += ties / 2;
  }
  if (out->seen[0] + out->seen[1] + out->seen[2] == 0)
    return FALSE;
  most = MAX (MAX (logits[0], logits[1]), logits[2]);
  for (int k = 0; k < 3; k++)
    sum += exp (logits[k] - most);
  for (int k = 0; k < 3; k++) {
    out->log_chances[k] = logits[k] - most - log (sum);
    out->chances[k] = exp (out->log_chances[k]);
  }
  return TRUE;
}

static double
get_likelihood (const Problem *problem, const double *theta)
{
  double sum = 0;

  for (int i = 0; i < problem->n_parameters; i++)
    sum -= 0.5 * problem->prior * theta[i] * theta[i];
  for (int i = 0; i < problem->n; i++)
    for (int j = i + 1; j < problem->n; j++) {
      Pair pair;

      if (get_pair (problem, theta, i, j, &pair))
        for (int k = 0; k < 3; k++)
          sum += pair.seen[k] > 0 ? pair.seen[k] * pair.log_chances[k] : 0;
    }
  return sum;
}

/* Each outcome's features: what it takes of θᵢ, θⱼ and ln ν. */
static const double features[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0.5, 0.5, 1 } };

/* The gradient (p) and the Hessian's negative (p, p), added to. */
static void
add_pair (const Problem *problem, const Pair *pair, int i, int j, double *gradient, double *hessian)
{
  int p = problem->n_parameters, n_features = has_tie_parameter (problem) ? 3 : 2;
  int at[3] = { i, j, problem->n };
  double all = pair->seen[0] + pair->seen[1] + pair->seen[2];
  double means[3] = { 0 };

  for (int a = 0; a < n_features; a++)
    for (int k = 0; k < 3; k++) {
      means[a] += pair->chances[k] * features[k][a];
      gradient[at[a]] += (pair->seen[k] - all * pair->chances[k]) * features[k][a];
    }
  for (int a = 0; a < n_features; a++)
    for (int b = 0; b < n_features; b++) {
      double product = -means[a] * means[b];

      for (int k = 0; k < 3; k++)
        product += pair->chances[k] * features[k][a] * features[k][b];
      hessian[at[a] * p + at[b]] += all * product;
    }
}

static void
differentiate (const Problem *problem, const double *theta, double *gradient, double *hessian)
{
  int p = problem->n_parameters;

  for (int i = 0; i < p; i++) {
    gradient[i] = -problem->prior * theta[i];
    for (int j = 0; j < p; j++)
      hessian[i * p + j] = i == j ? problem->prior : 0;
  }
  for (int i = 0; i < problem->n; i++)
    for (int j = i + 1; j < problem->n; j++) {
      Pair pair;

      if (get_pair (problem, theta, i, j, &pair))
        add_pair (problem, &pair, i, j, gradient, hessian);
    }
  /* All ratings up by the same changes nothing; this fills the hole in the Hessian and moves no
   * step, as the gradient has no part in that direction. */
  for (int i = 0; i < problem->n; i++)
    for (int j = 0; j < problem->n; j++)
      hessian[i * p + j] += 1;
}

/* --- Newton's method -------------------------------------------------------------------- */

/* Solves @matrix · x = @x in place, @matrix (n, n) symmetric; FALSE when it is not positive
 * definite. */
static gboolean
solve (double *matrix, double *x, int n)
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double sum = matrix[i * n + j];

      for (int k = 0; k < j; k++)
        sum -= matrix[i * n + k] * matrix[j * n + k];
      if (i == j && !(sum > 0))
        return FALSE;
      matrix[i * n + j] = i == j ? sqrt (sum) : sum / matrix[j * n + j];
    }
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++)
      x[i] -= matrix[i * n + k] * x[k];
    x[i] /= matrix[i * n + i];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++)
      x[i] -= matrix[k * n + i] * x[k];
    x[i] /= matrix[i * n + i];
  }
  return TRUE;
}

typedef enum { STEP_TAKEN, STEP_NONE_LEFT, STEP_IMPOSSIBLE } Step;

/* @room has place for a step, a place to try, and the Hessian. */
static Step
take_step (const Problem *problem, double *theta, double *room)
{
  int p = problem->n_parameters;
  double *step = room, *trial = room + p, *hessian = room + 2 * p;
  double before = get_likelihood (problem, theta), longest = 0;

  differentiate (problem, theta, step, hessian);
  if (!solve (hessian, step, p))
    return STEP_IMPOSSIBLE;
  for (int i = 0; i < p; i++)
    longest = MAX (longest, fabs (step[i]));
  for (double share = 1; share * longest > CONVERGED; share /= 2) {
    for (int i = 0; i < p; i++)
      trial[i] = theta[i] + share * step[i];
    if (get_likelihood (problem, trial) >= before) {
      for (int i = 0; i < p; i++)
        theta[i] = trial[i];
      return STEP_TAKEN;
    }
  }
  return STEP_NONE_LEFT;
}

static double
count_ties (const double *ties, int n)
{
  double sum = 0;

  for (int i = 0; i < n * n; i++)
    sum += ties[i];
  return sum;
}

gboolean
laurel_bradley_terry_fit (const double *wins,
                          const double *ties,
                          int n,
                          LaurelTieRule rule,
                          double prior,
                          double *ratings,
                          double *out_log_nu)
{
  gboolean with_ties = rule == LAUREL_TIE_DAVIDSON && count_ties (ties, n) > 0;
  const Problem problem = { wins, ties, n, with_ties ? n + 1 : n, prior };
  int p = problem.n_parameters;
  g_autofree double *theta = g_new0 (double, p);
  g_autofree double *room = g_new (double, 2 * p + p * p);
  Step step = STEP_TAKEN;

  for (int i = 0; i < MAX_STEPS && step == STEP_TAKEN; i++)
    step = take_step (&problem, theta, room);
  for (int i = 0; i < n; i++)
    ratings[i] = theta[i];
  if (out_log_nu != NULL)
    *out_log_nu = with_ties ? theta[n] : -INFINITY;
  return step == STEP_NONE_LEFT;
}

/* --- Who was compared with whom -------------------------------------------------------------- */

/* Marks in @reached (n) what leads from @from over edges of the matrix; @ties (nullable) lead both
 * ways. */
static void
reach (const double *edges, gboolean turned, const double *ties, int n, int from, gboolean *reached)
{
  reached[from] = TRUE;
  for (int i = 0; i < n; i++) {
    double edge = turned ? edges[i * n + from] : edges[from * n + i];

    if (!reached[i] && (edge > 0 || ties[from * n + i] > 0))
      reach (edges, turned, ties, n, i, reached);
  }
}

int
laurel_contests_connect (const double *wins, const double *ties, int n, int *groups)
{
  g_autofree double *any = g_new (double, MAX (n * n, 1));
  int n_groups = 0;

  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      any[i * n + j] = wins[i * n + j] + wins[j * n + i];
  for (int i = 0; i < n; i++)
    groups[i] = -1;
  for (int i = 0; i < n; i++) {
    g_autofree gboolean *reached = g_new0 (gboolean, n);

    if (groups[i] >= 0)
      continue;
    reach (any, FALSE, ties, n, i, reached);
    for (int j = 0; j < n; j++)
      if (reached[j])
        groups[j] = n_groups;
    n_groups++;
  }
  return n_groups;
}

gboolean
laurel_contests_bound (const double *wins, const double *ties, int n)
{
  for (int turned = 0; turned < 2 && n > 0; turned++) {
    g_autofree gboolean *reached = g_new0 (gboolean, n);

    reach (wins, turned != 0, ties, n, 0, reached);
    for (int i = 0; i < n; i++)
      if (!reached[i])
        return FALSE;
  }
  return TRUE;
}

/* --- Ratings with intervals ---------------------------------------------------------------------
 */

void
laurel_ratings_free (LaurelRatings *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->ratings);
  g_free (self);
}

static void
rating_free (LaurelRating *self)
{
  g_free (self->model);
  g_free (self);
}

/* One fit for each resample; every model's rating in each is kept, so that one round of draws makes
 * all the intervals. */
typedef struct {
  const LaurelOutcomes *outcomes;
  LaurelTieRule rule;
  int baseline; /* −1: none */
  int n;
  double *wins, *ties; /* (n, n) */
  int *groups;         /* (n) */
  GArray *fits;        /* (element-type double) n for each fit, the first with every prompt once */
  double log_nu;       /* of the first fit */
} Fitting;

static void
fitting_clear (Fitting *self)
{
  g_free (self->wins);
  g_free (self->ties);
  g_free (self->groups);
  g_clear_pointer (&self->fits, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fitting, fitting_clear)

static void
count_contests (Fitting *self, const double *weights)
{
  int n = self->n;

  for (int i = 0; i < n * n; i++)
    self->wins[i] = self->ties[i] = 0;
  for (guint i = 0; i < self->outcomes->outcomes->len; i++) {
    const LaurelOutcome *outcome = &g_array_index (self->outcomes->outcomes, LaurelOutcome, i);
    int forth = outcome->a * n + outcome->b, back = outcome->b * n + outcome->a;
    double weight = weights != NULL ? weights[i] : 1;

    self->wins[forth] += outcome->result > 0 ? weight : 0;
    self->wins[back] += outcome->result < 0 ? weight : 0;
    self->ties[forth] += outcome->result == 0 ? weight : 0;
    self->ties[back] += outcome->result == 0 ? weight : 0;
  }
}

/* Returns the first model's rating; NaN where the drawn prompts do not connect the models. */
static double
fit_resample (const double *weights, int n_outcomes, gpointer user_data)
{
  Fitting *self = user_data;
  guint at = self->fits->len;
  double *ratings, zero, log_nu = NAN;

  g_array_set_size (self->fits, at + (guint) self->n);
  ratings = &g_array_index (self->fits, double, at);
  count_contests (self, weights);
  if (laurel_contests_connect (self->wins, self->ties, self->n, self->groups) > 1
      || !laurel_bradley_terry_fit (self->wins, self->ties, self->n, self->rule,
                                    LAUREL_RATING_PRIOR, ratings, &log_nu)) {
    for (int i = 0; i < self->n; i++)
      ratings[i] = NAN;
    return NAN;
  }
  if (at == 0)
    self->log_nu = log_nu;
  zero = self->baseline >= 0 ? ratings[self->baseline] : 0;
  for (int i = 0; i < self->n; i++)
    ratings[i] -= zero;
  return ratings[0];
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* @n_fits: the first is of all prompts, the others are the resamples. */
static LaurelRating *
make_rating (const Fitting *self, int model, gboolean has_interval, int n_fits)
{
  LaurelRating *rating = g_new0 (LaurelRating, 1);
  g_autofree double *values = g_new (double, n_fits);
  int n = 0;

  rating->model = g_strdup (g_ptr_array_index (self->outcomes->models, model));
  rating->rating = (LaurelInterval){ g_array_index (self->fits, double, model), NAN, NAN, 0 };
  for (guint i = 0; i < self->outcomes->outcomes->len; i++) {
    const LaurelOutcome *outcome = &g_array_index (self->outcomes->outcomes, LaurelOutcome, i);
    int sign = outcome->a == model ? 1 : outcome->b == model ? -1 : 0;

    rating->n_wins += sign * outcome->result > 0;
    rating->n_losses += sign * outcome->result < 0;
    rating->n_ties += sign != 0 && outcome->result == 0;
  }
  rating->rating.n = rating->n_wins + rating->n_losses + rating->n_ties;
  for (int i = 1; i < n_fits; i++) {
    values[n] = g_array_index (self->fits, double, i * self->n + model);
    n += !isnan (values[n]);
  }
  if (!has_interval || n == 0)
    return rating;
  qsort (values, (gsize) n, sizeof *values, compare_doubles);
  rating->rating.low = laurel_quantile (values, n, 0.025);
  rating->rating.high = laurel_quantile (values, n, 0.975);
  return rating;
}

static int
compare_ratings (gconstpointer a, gconstpointer b)
{
  const LaurelRating *x = *(LaurelRating *const *) a, *y = *(LaurelRating *const *) b;

  return (x->rating.value < y->rating.value) - (x->rating.value > y->rating.value);
}

static gboolean
check_connected (Fitting *self, GError **error)
{
  GPtrArray *models = self->outcomes->models;
  int n_groups;

  if (self->n < 2) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
                 "Could not rate the models: no ranking compares completions of two of them; rank "
                 "tasks that hold completions of several models");
    return FALSE;
  }
  count_contests (self, NULL);
  n_groups = laurel_contests_connect (self->wins, self->ties, self->n, self->groups);
  for (int i = 0; i < self->n && n_groups > 1; i++)
    if (self->groups[i] != self->groups[0]) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not rate the models: nothing connects “%s” with “%s” (%d groups that "
                   "were never compared); rank tasks that hold completions of both",
                   (char *) g_ptr_array_index (models, 0), (char *) g_ptr_array_index (models, i),
                   n_groups);
      return FALSE;
    }
  return TRUE;
}

static gboolean
find_baseline (Fitting *self, const char *baseline, GError **error)
{
  self->baseline = baseline != NULL ? laurel_outcomes_find_model (self->outcomes, baseline) : -1;
  if (baseline == NULL || self->baseline >= 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
               "Could not rate the models against “%s”: it was compared with none; choose another",
               baseline);
  return FALSE;
}

LaurelRatings *
laurel_ratings_estimate (const LaurelOutcomes *outcomes,
                         LaurelTieRule rule,
                         const char *baseline,
                         int n_resamples,
                         guint64 seed,
                         GError **error)
{
  int n = (int) outcomes->models->len, n_outcomes = (int) outcomes->outcomes->len;
  g_auto (Fitting) fitting = { outcomes, rule, -1, n };
  g_autofree gint64 *prompts = g_new (gint64, n_outcomes + 1);
  g_autoptr (LaurelRatings) self = g_new0 (LaurelRatings, 1);
  LaurelInterval first;

  self->ratings = g_ptr_array_new_with_free_func ((GDestroyNotify) rating_free);
  fitting.wins = g_new (double, n *n + 1);
  fitting.ties = g_new (double, n *n + 1);
  fitting.groups = g_new (int, n + 1);
  fitting.fits = g_array_new (FALSE, FALSE, sizeof (double));
  if (!check_connected (&fitting, error) || !find_baseline (&fitting, baseline, error))
    return NULL;
  self->is_bound = laurel_contests_bound (fitting.wins, fitting.ties, n);
  for (int i = 0; i < n_outcomes; i++)
    prompts[i] = g_array_index (outcomes->outcomes, LaurelOutcome, i).prompt_id;
  first =
      laurel_bootstrap_clustered (fit_resample, &fitting, prompts, n_outcomes, n_resamples, seed);
  self->tie_strength = exp (fitting.log_nu);
  for (int i = 0; i < n; i++)
    g_ptr_array_add (self->ratings,
                     make_rating (&fitting, i, !isnan (first.low), (int) fitting.fits->len / n));
  g_ptr_array_sort (self->ratings, compare_ratings);
  return g_steal_pointer (&self);
}
