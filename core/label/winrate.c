/* winrate.c: rates and their intervals, a logistic fit in two numbers, exact tests.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/label/winrate.h"

#include <math.h>

/* ρ of the length fit: a thousandth of one comparison's worth. */
#define RIDGE 1e-4
#define MAX_STEPS 200
#define CONVERGED 1e-12

/* --- Exact tests ------------------------------------------------------------------ */

double
laurel_sign_test (int n_wins, int n_losses)
{
  int n = n_wins + n_losses, most = MAX (n_wins, n_losses);
  double tail = 0;

  if (n == 0)
    return NAN;
  for (int k = most; k <= n; k++)
    tail += exp (lgamma (n + 1.0) - lgamma (k + 1.0) - lgamma (n - k + 1.0) - n * G_LN2);
  return MIN (2 * tail, 1);
}

/* With T = Σ|net|, a choice of signs sums to 2·(what was taken) − T, and what is taken of |net| has
 * the distribution of a sum of coins: convolved one prompt at a time. */
double
laurel_permutation_test (const int *net, int n)
{
  g_autofree double *chance = NULL;
  int total = 0, sum = 0, reach = 0;
  double tail = 0;

  for (int i = 0; i < n; i++) {
    total += ABS (net[i]);
    sum += net[i];
  }
  if (total == 0)
    return NAN;
  chance = g_new0 (double, total + 1);
  chance[0] = 1;
  for (int i = 0; i < n; i++) {
    int step = ABS (net[i]);

    if (step == 0)
      continue;
    reach += step;
    for (int k = reach; k >= 0; k--)
      chance[k] = 0.5 * ((k <= reach - step ? chance[k] : 0) + (k >= step ? chance[k - step] : 0));
  }
  for (int k = 0; k <= total; k++)
    if (ABS (2 * k - total) >= ABS (sum))
      tail += chance[k];
  return MIN (tail, 1);
}

/* --- The length-controlled rate ------------------------------------------------------ */

static double
sigmoid (double x)
{
  return x >= 0 ? 1 / (1 + exp (-x)) : exp (x) / (1 + exp (x));
}

/* log (1 + e^x) without overflow. */
static double
softplus (double x)
{
  return x > 0 ? x + log1p (exp (-x)) : log1p (exp (x));
}

typedef struct {
  const int *results;
  const double *weights;
  double *bends; /* (n) tanh of the gaps */
  int n;
} LengthFit;

static double
get_objective (const LengthFit *fit, double alpha, double beta)
{
  double sum = -0.5 * RIDGE * (alpha * alpha + beta * beta);

  for (int i = 0; i < fit->n; i++) {
    double eta = alpha + beta * fit->bends[i], y = (1 + fit->results[i]) / 2.0;

    sum += fit->weights[i] * (y * eta - softplus (eta));
  }
  return sum;
}

/* Newton's step, halved until the objective, which is concave, is no lower. FALSE: it has
 * converged. */
static gboolean
take_step (const LengthFit *fit, double *alpha, double *beta)
{
  double g0 = -RIDGE * *alpha, g1 = -RIDGE * *beta, h00 = RIDGE, h01 = 0, h11 = RIDGE;
  double step0, step1, before;

  for (int i = 0; i < fit->n; i++) {
    double t = fit->bends[i], y = (1 + fit->results[i]) / 2.0;
    double p = sigmoid (*alpha + *beta * t), w = fit->weights[i];

    g0 += w * (y - p);
    g1 += w * (y - p) * t;
    h00 += w * p * (1 - p);
    h01 += w * p * (1 - p) * t;
    h11 += w * p * (1 - p) * t * t;
  }
  step0 = (h11 * g0 - h01 * g1) / (h00 * h11 - h01 * h01);
  step1 = (h00 * g1 - h01 * g0) / (h00 * h11 - h01 * h01);
  before = get_objective (fit, *alpha, *beta);
  for (int halvings = 0; halvings < 60; halvings++) {
    if (fabs (step0) + fabs (step1) < CONVERGED)
      return FALSE;
    if (get_objective (fit, *alpha + step0, *beta + step1) >= before) {
      *alpha += step0;
      *beta += step1;
      return TRUE;
    }
    step0 /= 2;
    step1 /= 2;
  }
  return FALSE;
}

void
laurel_length_fit (const int *results,
                   const double *gaps,
                   const double *weights,
                   int n,
                   double scale,
                   double *out_alpha,
                   double *out_beta)
{
  g_autofree double *bends = g_new (double, MAX (n, 1));
  const LengthFit fit = { results, weights, bends, n };
  double alpha = 0, beta = 0;

  for (int i = 0; i < n; i++)
    bends[i] = scale > 0 ? tanh (gaps[i] / scale) : 0;
  for (int i = 0; i < MAX_STEPS && take_step (&fit, &alpha, &beta); i++)
    ;
  *out_alpha = alpha;
  *out_beta = beta;
}

/* --- The summary ------------------------------------------------------------------------ */

/* The outcomes as columns; those with known lengths once more. */
typedef struct {
  int n, n_known;
  gint64 *prompts;       /* (n) */
  int *results;          /* (n) */
  int *known;            /* (n_known) which of them */
  int *known_results;    /* (n_known) */
  double *gaps;          /* (n_known) */
  double *known_weights; /* (n_known) */
  double scale;
} Columns;

static void
columns_clear (Columns *self)
{
  g_free (self->prompts);
  g_free (self->results);
  g_free (self->known);
  g_free (self->known_results);
  g_free (self->gaps);
  g_free (self->known_weights);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Columns, columns_clear)

static void
fill_columns (const GArray *outcomes, Columns *out)
{
  gsize room = outcomes->len + 1;
  double squares = 0;

  out->n = (int) outcomes->len;
  out->prompts = g_new (gint64, room);
  out->results = g_new (int, room);
  out->known = g_new (int, room);
  out->known_results = g_new (int, room);
  out->gaps = g_new (double, room);
  out->known_weights = g_new (double, room);
  for (int i = 0; i < out->n; i++) {
    const LaurelOutcome *outcome = &g_array_index (outcomes, LaurelOutcome, i);

    out->prompts[i] = outcome->prompt_id;
    out->results[i] = outcome->result;
    if (isnan (outcome->length_gap))
      continue;
    out->known[out->n_known] = i;
    out->known_results[out->n_known] = outcome->result;
    out->gaps[out->n_known++] = outcome->length_gap;
    squares += outcome->length_gap * outcome->length_gap;
  }
  out->scale = out->n_known > 0 ? sqrt (squares / out->n_known) : 0;
}

/* Wins over wins and losses. */
static double
get_strict (const double *weights, int n, gpointer user_data)
{
  const Columns *columns = user_data;
  double n_wins = 0, n_losses = 0;

  for (int i = 0; i < n; i++) {
    n_wins += columns->results[i] > 0 ? weights[i] : 0;
    n_losses += columns->results[i] < 0 ? weights[i] : 0;
  }
  return n_wins + n_losses > 0 ? n_wins / (n_wins + n_losses) : NAN;
}

static double
get_half (const double *weights, int n, gpointer user_data)
{
  const Columns *columns = user_data;
  double sum = 0, n_all = 0;

  for (int i = 0; i < n; i++) {
    sum += weights[i] * (1 + columns->results[i]) / 2.0;
    n_all += weights[i];
  }
  return n_all > 0 ? sum / n_all : NAN;
}

static void
fit_lengths (Columns *columns, const double *weights, double *out_alpha, double *out_beta)
{
  double n_known = 0;

  for (int i = 0; i < columns->n_known; i++) {
    columns->known_weights[i] = weights != NULL ? weights[columns->known[i]] : 1;
    n_known += columns->known_weights[i];
  }
  *out_alpha = *out_beta = NAN;
  if (n_known > 0)
    laurel_length_fit (columns->known_results, columns->gaps, columns->known_weights,
                       columns->n_known, columns->scale, out_alpha, out_beta);
}

static double
get_controlled (const double *weights, int n, gpointer user_data)
{
  double alpha, beta;

  fit_lengths (user_data, weights, &alpha, &beta);
  return isnan (alpha) ? NAN : sigmoid (alpha);
}

/* By the prompts' wins less their losses. Where these are 0 in each prompt, they are so whatever
 * the names, and nothing is likelier than that. */
static double
test_prompts (const Columns *columns, gboolean any_strict)
{
  g_autoptr (GHashTable) nets = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree int *net = g_new (int, MAX (columns->n, 1));
  GHashTableIter iter;
  gpointer value;
  int n = 0;
  double p;

  for (int i = 0; i < columns->n; i++) {
    int before = GPOINTER_TO_INT (g_hash_table_lookup (nets, &columns->prompts[i]));

    g_hash_table_insert (nets, &columns->prompts[i],
                         GINT_TO_POINTER (before + columns->results[i]));
  }
  g_hash_table_iter_init (&iter, nets);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    net[n++] = GPOINTER_TO_INT (value);
  p = laurel_permutation_test (net, n);
  return isnan (p) && any_strict ? 1 : p;
}

/* Of the outcomes that @which (@n) says, NULL: of all. */
static int
count_prompts (const Columns *columns, const int *which, int n)
{
  g_autoptr (GHashTable) prompts = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (int i = 0; i < n; i++)
    g_hash_table_add (prompts, &columns->prompts[which != NULL ? which[i] : i]);
  return (int) g_hash_table_size (prompts);
}

static int
count_strict_prompts (const Columns *columns)
{
  g_autofree int *strict = g_new (int, columns->n + 1);
  int n = 0;

  for (int i = 0; i < columns->n; i++)
    if (columns->results[i] != 0)
      strict[n++] = i;
  return count_prompts (columns, strict, n);
}

/* Where all of known lengths are won, all lost or all tied, what the fit still tells apart is the
 * strength of its prior. */
static void
widen_controlled (const Columns *columns, LaurelInterval *controlled)
{
  for (int i = 1; i < columns->n_known; i++)
    if (columns->known_results[i] != columns->known_results[0])
      return;
  controlled->low = controlled->high = NAN;
  laurel_interval_widen_share (controlled,
                               count_prompts (columns, columns->known, columns->n_known));
}

LaurelInterval
laurel_win_rate_half (const GArray *outcomes, int n_resamples, guint64 seed)
{
  g_auto (Columns) columns = { 0 };
  LaurelInterval half;

  fill_columns (outcomes, &columns);
  half = laurel_bootstrap_clustered (get_half, &columns, columns.prompts, columns.n, n_resamples,
                                     seed);
  laurel_interval_widen_share (&half, count_prompts (&columns, NULL, columns.n));
  return half;
}

void
laurel_win_rate_summarise (const GArray *outcomes,
                           int n_resamples,
                           guint64 seed,
                           LaurelWinSummary *out)
{
  g_auto (Columns) columns = { 0 };
  const LaurelStatistic statistics[] = { get_strict, get_half, get_controlled };
  LaurelInterval *const intervals[] = { &out->clustered, &out->half, &out->controlled };
  double alpha;

  fill_columns (outcomes, &columns);
  *out = (LaurelWinSummary){ .n_prompts = count_prompts (&columns, NULL, columns.n),
                             .n_lengths = columns.n_known };
  for (int i = 0; i < columns.n; i++) {
    out->n_wins += columns.results[i] > 0;
    out->n_losses += columns.results[i] < 0;
    out->n_ties += columns.results[i] == 0;
  }
  out->strict = laurel_wilson_interval (out->n_wins, out->n_wins + out->n_losses);
  for (gsize i = 0; i < G_N_ELEMENTS (statistics); i++)
    *intervals[i] = laurel_bootstrap_clustered (statistics[i], &columns, columns.prompts, columns.n,
                                                n_resamples, seed);
  laurel_interval_widen_share (&out->clustered, count_strict_prompts (&columns));
  laurel_interval_widen_share (&out->half, out->n_prompts);
  widen_controlled (&columns, &out->controlled);
  out->clustered.n = out->n_wins + out->n_losses;
  out->controlled.n = columns.n_known;
  fit_lengths (&columns, NULL, &alpha, &out->length_slope);
  out->length_gap = columns.n_known > 0 ? 0 : NAN;
  for (int i = 0; i < columns.n_known; i++)
    out->length_gap += columns.gaps[i] / columns.n_known;
  out->p_sign = laurel_sign_test (out->n_wins, out->n_losses);
  out->p_permutation = test_prompts (&columns, out->n_wins + out->n_losses > 0);
}
