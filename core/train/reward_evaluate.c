/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/reward_evaluate.h"

#include "core/base/rng.h"
#include "core/train/reward_loss.h"

#include <math.h>
#include <stdlib.h>

#define N_BINS 10
#define MAX_BARS 24
/* Resamples for figures that are solved for, and simulations of ones that are compared with. */
#define N_SLOW_RESAMPLES 200

typedef struct {
  double margin; /* in scores */
  double logit;  /* margin / gain */
  double right;
  gint64 prompt_id;
  int labeler;
  int length_gap;
  int rank_distance;
  int quality_gap; /* G_MININT: not rated */
} Pair;

/* A completion, less the means of its ranking. */
typedef struct {
  double score, length, rank;
} Centred;

typedef struct {
  GArray *pairs;     /* (element-type Pair) */
  GArray *centred;   /* (element-type Centred) */
  GArray *prompts;   /* (element-type gint64) of @centred */
  double squares;    /* Σ (Δ logit)² over pairs of different texts, tied ones too */
  int n_squares;
  guint64 seed;
} Work;

void
laurel_reward_evaluation_clear (LaurelRewardEvaluation *self)
{
  g_clear_pointer (&self->by_labeler, g_array_unref);
  g_clear_pointer (&self->by_length_gap, g_array_unref);
  g_clear_pointer (&self->by_rank_distance, g_array_unref);
  g_clear_pointer (&self->by_quality_gap, g_array_unref);
  g_clear_pointer (&self->calibration, g_array_unref);
  g_clear_pointer (&self->histogram, g_array_unref);
}

static double
sigmoid (double x)
{
  return exp (laurel_log_sigmoid (x));
}

static const Pair *
get_pair (const Work *work, guint i)
{
  return &g_array_index (work->pairs, Pair, i);
}

/* --- Pairs and completions ------------------------------------------------------------ */

static Pair
make_pair (const LaurelScoredRanking *ranking, int better, int worse, double gain)
{
  const LaurelScoredCompletion *b = &ranking->completions[better];
  const LaurelScoredCompletion *w = &ranking->completions[worse];
  Pair pair = { .margin = b->score - w->score,
                .prompt_id = ranking->prompt_id,
                .labeler = ranking->labeler,
                .length_gap = b->n_tokens - w->n_tokens,
                .rank_distance = w->rank - b->rank,
                .quality_gap = G_MININT };

  pair.logit = pair.margin / gain;
  pair.right = pair.margin > 0 ? 1 : pair.margin == 0 ? 0.5 : 0;
  if (b->quality > 0 && w->quality > 0)
    pair.quality_gap = b->quality - w->quality;
  return pair;
}

static void
add_pairs (Work *work, const LaurelScoredRanking *ranking, double gain, int *n_tied)
{
  for (int i = 0; i < ranking->n; i++) {
    for (int j = i + 1; j < ranking->n; j++) {
      const LaurelScoredCompletion *a = &ranking->completions[i];
      const LaurelScoredCompletion *b = &ranking->completions[j];
      double logit = (a->score - b->score) / gain;

      if (a->twin == b->twin)
        continue;
      work->squares += logit * logit;
      work->n_squares++;
      if (a->rank == b->rank) {
        (*n_tied)++;
      } else {
        Pair pair = make_pair (ranking, a->rank < b->rank ? i : j, a->rank < b->rank ? j : i, gain);

        g_array_append_val (work->pairs, pair);
      }
    }
  }
}

static void
add_centred (Work *work, const LaurelScoredRanking *ranking)
{
  Centred mean = { 0 };

  for (int i = 0; i < ranking->n; i++) {
    mean.score += ranking->completions[i].score / ranking->n;
    mean.length += (double) ranking->completions[i].n_tokens / ranking->n;
    mean.rank += (double) ranking->completions[i].rank / ranking->n;
  }
  for (int i = 0; i < ranking->n; i++) {
    Centred own = { ranking->completions[i].score - mean.score,
                    ranking->completions[i].n_tokens - mean.length,
                    ranking->completions[i].rank - mean.rank };

    g_array_append_val (work->centred, own);
    g_array_append_val (work->prompts, ranking->prompt_id);
  }
}

static int
count_prompts (GPtrArray *rankings)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < rankings->len; i++)
    g_hash_table_add (seen, &((LaurelScoredRanking *) g_ptr_array_index (rankings, i))->prompt_id);
  return (int) g_hash_table_size (seen);
}

/* --- Accuracy --------------------------------------------------------------------------- */

typedef int (*PairKey) (const Pair *pair);

static int
get_labeler (const Pair *pair)
{
  return pair->labeler;
}

static int
get_length_gap (const Pair *pair)
{
  return pair->length_gap;
}

static int
get_rank_distance (const Pair *pair)
{
  return pair->rank_distance;
}

static int
get_quality_gap (const Pair *pair)
{
  return pair->quality_gap;
}

static LaurelInterval
measure_share (const double *right, const gint64 *prompts, int n, guint64 seed)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  LaurelInterval share =
      laurel_bootstrap_mean_clustered (right, prompts, n, LAUREL_BOOTSTRAP_RESAMPLES, seed);

  for (int i = 0; i < n; i++)
    g_hash_table_add (seen, (gpointer) &prompts[i]);
  laurel_interval_widen_share (&share, (int) g_hash_table_size (seen));
  return share;
}

/* Of the pairs with a key from @low to @high. */
static LaurelInterval
measure_accuracy (const Work *work, PairKey key, int low, int high)
{
  g_autofree double *right = g_new (double, work->pairs->len + 1);
  g_autofree gint64 *prompts = g_new (gint64, work->pairs->len + 1);
  int n = 0;

  for (guint i = 0; i < work->pairs->len; i++) {
    const Pair *pair = get_pair (work, i);

    if (key != NULL && (key (pair) < low || key (pair) > high))
      continue;
    right[n] = pair->right;
    prompts[n++] = pair->prompt_id;
  }
  return measure_share (right, prompts, n, work->seed);
}

static void
add_group (GArray *groups, const Work *work, PairKey key, int low, int high)
{
  LaurelRewardGroup group = { low, high, measure_accuracy (work, key, low, high) };

  if (group.accuracy.n > 0)
    g_array_append_val (groups, group);
}

/* Up to edges[0] − 1, from there to edges[1] − 1, …, from the last edge on. */
static GArray *
group_by_edges (const Work *work, PairKey key, int first, const int *edges, int n_edges)
{
  GArray *groups = g_array_new (FALSE, FALSE, sizeof (LaurelRewardGroup));

  for (int e = 0; e <= n_edges; e++)
    add_group (groups, work, key, e == 0 ? first : edges[e - 1],
               e == n_edges ? G_MAXINT : edges[e] - 1);
  return groups;
}

static int
compare_ints (const void *a, const void *b)
{
  int x = *(const int *) a, y = *(const int *) b;

  return (x > y) - (x < y);
}

static GArray *
group_by_labeler (const Work *work)
{
  GArray *groups = g_array_new (FALSE, FALSE, sizeof (LaurelRewardGroup));
  g_autofree int *labelers = g_new (int, work->pairs->len + 1);
  int n = (int) work->pairs->len;

  for (int i = 0; i < n; i++)
    labelers[i] = get_pair (work, (guint) i)->labeler;
  qsort (labelers, (gsize) n, sizeof *labelers, compare_ints);
  for (int i = 0; i < n; i++)
    if (i == 0 || labelers[i] != labelers[i - 1])
      add_group (groups, work, get_labeler, labelers[i], labelers[i]);
  return groups;
}

static void
measure_groups (const Work *work, LaurelRewardEvaluation *out)
{
  static const int length_gaps[] = { -15, -3, 4, 16 };
  static const int rank_distances[] = { 2, 3, 4 };
  static const int quality_gaps[] = { 1, 2, 3 };
  double n_right = 0;

  for (guint i = 0; i < work->pairs->len; i++)
    n_right += get_pair (work, i)->right;
  out->accuracy = measure_accuracy (work, NULL, 0, 0);
  out->wilson = laurel_wilson_interval (n_right, (int) work->pairs->len);
  out->by_labeler = group_by_labeler (work);
  out->by_length_gap = group_by_edges (work, get_length_gap, G_MININT, length_gaps,
                                       G_N_ELEMENTS (length_gaps));
  out->by_rank_distance = group_by_edges (work, get_rank_distance, 1, rank_distances,
                                          G_N_ELEMENTS (rank_distances));
  /* G_MININT stands for pairs without a rating. */
  out->by_quality_gap = group_by_edges (work, get_quality_gap, G_MININT + 1, quality_gaps,
                                        G_N_ELEMENTS (quality_gaps));
}

/* --- Calibration ------------------------------------------------------------------------- */

static int
find_bin (const Pair *pair)
{
  return CLAMP ((int) ((sigmoid (fabs (pair->logit)) - 0.5) * 2 * N_BINS), 0, N_BINS - 1);
}

static double
measure_ece (const double *weights, int n, gpointer user_data)
{
  const Work *work = user_data;
  double gaps[N_BINS] = { 0 };
  double sum = 0, weight = 0;

  for (int i = 0; i < n; i++) {
    const Pair *pair = get_pair (work, (guint) i);

    gaps[find_bin (pair)] += weights[i] * (pair->right - sigmoid (fabs (pair->logit)));
    weight += weights[i];
  }
  for (int b = 0; b < N_BINS; b++)
    sum += fabs (gaps[b]);
  return weight > 0 ? sum / weight : NAN;
}

/* The same with outcomes that are drawn with the predicted probabilities. */
static double
simulate_ece (const Work *work)
{
  double mean = 0;

  for (int r = 0; r < N_SLOW_RESAMPLES; r++) {
    double gaps[N_BINS] = { 0 };
    double sum = 0;
    LaurelRng rng;

    laurel_rng_init (&rng, work->seed, LAUREL_RNG_BOOTSTRAP, (guint64) r, 1);
    for (guint i = 0; i < work->pairs->len; i++) {
      double predicted = sigmoid (fabs (get_pair (work, i)->logit));

      gaps[find_bin (get_pair (work, i))] += (laurel_rng_uniform (&rng) < predicted) - predicted;
    }
    for (int b = 0; b < N_BINS; b++)
      sum += fabs (gaps[b]);
    mean += sum / work->pairs->len / N_SLOW_RESAMPLES;
  }
  return work->pairs->len > 0 ? mean : NAN;
}

static LaurelCalibrationBin
measure_bin (const Work *work, int bin)
{
  g_autofree double *right = g_new (double, work->pairs->len + 1);
  g_autofree gint64 *prompts = g_new (gint64, work->pairs->len + 1);
  LaurelCalibrationBin result = { 0.5 + 0.5 * bin / N_BINS, 0.5 + 0.5 * (bin + 1) / N_BINS };
  int n = 0;

  for (guint i = 0; i < work->pairs->len; i++) {
    const Pair *pair = get_pair (work, i);

    if (find_bin (pair) != bin)
      continue;
    result.predicted += sigmoid (fabs (pair->logit));
    right[n] = pair->right;
    prompts[n++] = pair->prompt_id;
  }
  result.predicted /= MAX (n, 1);
  result.observed = measure_share (right, prompts, n, work->seed);
  return result;
}

/* Σ logit · σ(−a · logit), the slope of Σ log σ(a · logit) in a, and how fast it falls. */
static double
find_slope (const Work *work, const double *weights, int n, double a, double *out_fall)
{
  double slope = 0, fall = 0;

  for (int i = 0; i < n; i++) {
    double logit = get_pair (work, (guint) i)->logit;
    double wrong = 1 / (1 + exp (a * logit));

    slope += weights[i] * logit * wrong;
    fall += weights[i] * logit * logit * wrong * (1 - wrong);
  }
  *out_fall = fall;
  return slope;
}

/* The a for which σ(a · logit) predicts best: Newton's steps, halves where they leave the bracket.
 * NaN where more is always better: all right or all wrong. */
static double
measure_slope (const double *weights, int n, gpointer user_data)
{
  const Work *work = user_data;
  gboolean any_right = FALSE, any_wrong = FALSE;
  double low = -1, high = 1, a = 0, fall;

  for (int i = 0; i < n; i++) {
    any_right |= weights[i] > 0 && get_pair (work, (guint) i)->logit > 0;
    any_wrong |= weights[i] > 0 && get_pair (work, (guint) i)->logit < 0;
  }
  if (!any_right || !any_wrong)
    return NAN;
  while (find_slope (work, weights, n, high, &fall) > 0 && high < 1e9)
    high *= 2;
  while (find_slope (work, weights, n, low, &fall) < 0 && low > -1e9)
    low *= 2;
  for (int i = 0; i < 60 && high - low > 1e-9; i++) {
    double slope = find_slope (work, weights, n, a, &fall);
    double next = a + slope / fall;

    *(slope > 0 ? &low : &high) = a;
    if (fabs (next - a) < 1e-9)
      return next;
    a = next > low && next < high ? next : (low + high) / 2;
  }
  return a;
}

static void
measure_calibration (Work *work, const gint64 *prompts, LaurelRewardEvaluation *out)
{
  int n = (int) work->pairs->len;

  out->calibration = g_array_new (FALSE, FALSE, sizeof (LaurelCalibrationBin));
  for (int b = 0; b < N_BINS; b++) {
    LaurelCalibrationBin bin = measure_bin (work, b);

    if (bin.observed.n > 0)
      g_array_append_val (out->calibration, bin);
  }
  out->ece = laurel_bootstrap_clustered (measure_ece, work, prompts, n, LAUREL_BOOTSTRAP_RESAMPLES,
                                         work->seed);
  out->ece_by_chance = simulate_ece (work);
  out->slope = laurel_bootstrap_clustered (measure_slope, work, prompts, n, N_SLOW_RESAMPLES,
                                           work->seed);
}

/* --- Margins ------------------------------------------------------------------------------ */

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* The smallest of 1, 2, 5 · 10^k that spans @low to @high in @max_bars bars whose edges are its
 * multiples. */
static double
choose_width (double low, double high, int max_bars)
{
  static const double steps[] = { 1, 2, 5 };

  for (int k = -6;; k++)
    for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
      double width = steps[i] * pow (10, k);

      if (floor (high / width) - floor (low / width) < max_bars)
        return width;
    }
}

static void
measure_margins (const Work *work, LaurelRewardEvaluation *out)
{
  int n = (int) work->pairs->len;
  g_autofree double *margins = g_new (double, n + 1);
  double first;

  out->histogram = g_array_new (FALSE, TRUE, sizeof (int));
  out->median_margin = NAN;
  for (int i = 0; i < n; i++)
    margins[i] = get_pair (work, (guint) i)->margin;
  if (n == 0)
    return;
  qsort (margins, (gsize) n, sizeof *margins, compare_doubles);
  out->median_margin = laurel_quantile (margins, n, 0.5);
  out->histogram_width = choose_width (margins[0], margins[n - 1], MAX_BARS);
  first = floor (margins[0] / out->histogram_width);
  out->histogram_start = first * out->histogram_width;
  g_array_set_size (out->histogram,
                    (guint) (floor (margins[n - 1] / out->histogram_width) - first) + 1);
  for (int i = 0; i < n; i++)
    g_array_index (out->histogram, int,
                   (guint) (floor (margins[i] / out->histogram_width) - first))++;
}

/* --- Length ------------------------------------------------------------------------------- */

typedef struct {
  double ss, ll, rr, sl, sr, lr;
} Products;

static Products
sum_products (const Work *work, const double *weights, int n)
{
  Products sum = { 0 };

  for (int i = 0; i < n; i++) {
    const Centred *c = &g_array_index (work->centred, Centred, (guint) i);

    sum.ss += weights[i] * c->score * c->score;
    sum.ll += weights[i] * c->length * c->length;
    sum.rr += weights[i] * c->rank * c->rank;
    sum.sl += weights[i] * c->score * c->length;
    sum.sr += weights[i] * c->score * c->rank;
    sum.lr += weights[i] * c->length * c->rank;
  }
  return sum;
}

static double
measure_score_length (const double *weights, int n, gpointer user_data)
{
  Products sum = sum_products (user_data, weights, n);

  return sum.ss > 0 && sum.ll > 0 ? sum.sl / sqrt (sum.ss * sum.ll) : NAN;
}

static double
measure_rank_length (const double *weights, int n, gpointer user_data)
{
  Products sum = sum_products (user_data, weights, n);

  return sum.rr > 0 && sum.ll > 0 ? sum.lr / sqrt (sum.rr * sum.ll) : NAN;
}

/* The correlation of what rank leaves unexplained of score and of length. */
static double
measure_partial (const double *weights, int n, gpointer user_data)
{
  Products sum = sum_products (user_data, weights, n);
  double sl, sr, lr, left;

  if (!(sum.ss > 0 && sum.ll > 0 && sum.rr > 0))
    return NAN;
  sl = sum.sl / sqrt (sum.ss * sum.ll);
  sr = sum.sr / sqrt (sum.ss * sum.rr);
  lr = sum.lr / sqrt (sum.ll * sum.rr);
  left = (1 - sr * sr) * (1 - lr * lr);
  /* Where rank explains one of them all but wholly, what is left of it is rounding. */
  return left > 1e-12 ? CLAMP ((sl - sr * lr) / sqrt (left), -1, 1) : NAN;
}

static void
measure_length (Work *work, LaurelRewardEvaluation *out)
{
  const gint64 *prompts = (const gint64 *) (const void *) work->prompts->data;
  int n = (int) work->centred->len;
  g_autofree double *ones = g_new (double, n + 1);

  for (int i = 0; i < n; i++)
    ones[i] = 1;
  out->score_length = laurel_bootstrap_clustered (measure_score_length, work, prompts, n,
                                                  LAUREL_BOOTSTRAP_RESAMPLES, work->seed);
  out->partial_length = laurel_bootstrap_clustered (measure_partial, work, prompts, n,
                                                    LAUREL_BOOTSTRAP_RESAMPLES, work->seed);
  out->rank_length = measure_rank_length (ones, n, work);
}

/* --- The ceiling -------------------------------------------------------------------------- */

/* By Simpson's rule over ±8 deviations of d, on whose half it is enough to look. */
double
laurel_bradley_terry_ceiling (double spread)
{
  const int n = 2000;
  double h = 8.0 / n;
  double sum = 0;

  for (int i = 0; i <= n; i++) {
    double z = h * i;
    double weight = i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2;

    sum += weight * sigmoid (G_SQRT2 * spread * z) * exp (-z * z / 2);
  }
  return 2 * sum * h / 3 / sqrt (2 * G_PI);
}

void
laurel_reward_evaluate (GPtrArray *rankings, double gain, guint64 seed, LaurelRewardEvaluation *out)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  g_autoptr (GArray) centred = g_array_new (FALSE, FALSE, sizeof (Centred));
  g_autoptr (GArray) prompts = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree gint64 *clusters = NULL;
  Work work = { .pairs = pairs, .centred = centred, .prompts = prompts, .seed = seed };

  *out = (LaurelRewardEvaluation) { .n_rankings = (int) rankings->len,
                                    .n_prompts = count_prompts (rankings) };
  for (guint i = 0; i < rankings->len; i++) {
    const LaurelScoredRanking *ranking = g_ptr_array_index (rankings, i);

    add_pairs (&work, ranking, gain, &out->n_tied);
    add_centred (&work, ranking);
  }
  out->n_pairs = (int) pairs->len;
  clusters = g_new (gint64, pairs->len + 1);
  for (guint i = 0; i < pairs->len; i++)
    clusters[i] = get_pair (&work, i)->prompt_id;
  measure_groups (&work, out);
  measure_calibration (&work, clusters, out);
  measure_margins (&work, out);
  measure_length (&work, out);
  out->spread = work.n_squares > 0 ? sqrt (work.squares / work.n_squares / 2) : NAN;
  out->ceiling = laurel_bradley_terry_ceiling (out->spread);
}
