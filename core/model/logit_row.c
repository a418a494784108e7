/* logit_row.c: softmax, selection and draws over one row of logits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/logit_row.h"

#include "core/math/simd.h"

#include <math.h>
#include <string.h>

#define BLOCK 128
/* e^−87 is the smallest that laurel_expf() gives; below it a token has no weight at all. */
#define NO_WEIGHT -87.0f
/* Of a histogram of logits over the temperature, from the largest down; the last has the rest. */
#define N_BINS 2048
#define BINS_PER_UNIT 64.0f

static inline float
weigh (float x, float max, float inverse)
{
  float y = (x - max) * inverse;

  return y < NO_WEIGHT ? 0.0f : laurel_expf (y); /* a NaN stays one */
}

LAUREL_CLONES static float
find_maxima (const float *x, int n, float *maxima)
{
  float all = -INFINITY;

  for (int b = 0; b * BLOCK < n; b++) {
    int end = MIN (n, (b + 1) * BLOCK);
    float max = -INFINITY;

#pragma omp simd reduction(max : max)
    for (int v = b * BLOCK; v < end; v++)
      max = x[v] > max ? x[v] : max;
    maxima[b] = max;
    all = MAX (all, max);
  }
  return all;
}

/* A block is short enough for a float to hold its sum; the blocks are added in double. */
LAUREL_CLONES static double
sum_weights (const float *x, int n, float max, float inverse, float *sums)
{
  double all = 0;

  for (int b = 0; b * BLOCK < n; b++) {
    int end = MIN (n, (b + 1) * BLOCK);
    float sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int v = b * BLOCK; v < end; v++)
      sum += weigh (x[v], max, inverse);
    sums[b] = sum;
    all += (double) sum;
  }
  return all;
}

LAUREL_CLONES static void
weigh_all (const float *x, int n, float max, float inverse, float *weights)
{
#pragma omp simd
  for (int i = 0; i < n; i++)
    weights[i] = weigh (x[i], max, inverse);
}

static int
count_blocks (int V)
{
  return (V + BLOCK - 1) / BLOCK;
}

gsize
laurel_logit_row_scratch_size (int V)
{
  return (3 * ((gsize) V + 1) + 2 * (gsize) count_blocks (V)) * sizeof (float);
}

void
laurel_logit_row_init (LaurelLogitRow *self, int V, void *scratch)
{
  gsize n = (gsize) V + 1;

  self->V = V;
  self->n_blocks = count_blocks (V);
  self->values = scratch;
  self->weights = self->values + n;
  self->ids = (int *) (void *) (self->weights + n);
  self->maxima = (float *) (void *) (self->ids + n);
  self->sums = self->maxima + self->n_blocks;
}

gboolean
laurel_logit_row_read (LaurelLogitRow *self, const float *logits, double temperature)
{
  self->logits = logits;
  self->inverse = (float) (1.0 / temperature);
  self->max = find_maxima (logits, self->V, self->maxima);
  self->total = sum_weights (logits, self->V, self->max, self->inverse, self->sums);
  return isfinite (self->total);
}

int
laurel_logit_row_find_max (const LaurelLogitRow *self)
{
  int b = 0, v;

  while (self->maxima[b] != self->max)
    b++;
  v = b * BLOCK;
  while (self->logits[v] != self->max)
    v++;
  return v;
}

int
laurel_logit_row_draw (const LaurelLogitRow *self, double u)
{
  double target = u * self->total, sum = 0;
  int b = 0, last = -1;

  while (b < self->n_blocks && !(sum + (double) self->sums[b] > target))
    sum += (double) self->sums[b++];
  if (b == self->n_blocks) /* u fell into the rounding error past the last sum */
    return laurel_logit_row_find_max (self);
  for (int v = b * BLOCK; v < MIN (self->V, (b + 1) * BLOCK); v++) {
    float weight = weigh (self->logits[v], self->max, self->inverse);

    sum += (double) weight;
    if (weight > 0)
      last = v;
    if (sum > target)
      break;
  }
  return last; /* a block with a sum has a token with a weight */
}

/* --- Selection ------------------------------------------------------------------ */

/* Fills ids and values with the tokens of at least @floor, and says how many they are. */
static int
gather (LaurelLogitRow *self, float floor)
{
  const float *x = self->logits;
  int n = 0;

  for (int b = 0; b < self->n_blocks; b++) {
    int end = MIN (self->V, (b + 1) * BLOCK);

    if (self->maxima[b] < floor)
      continue;
    for (int v = b * BLOCK; v < end; v++) {
      self->ids[n] = v;
      self->values[n] = x[v];
      n += x[v] >= floor;
    }
  }
  return n;
}

static float
median (float a, float b, float c)
{
  return MAX (MIN (a, b), MIN (MAX (a, b), c));
}

static void
swap (float *x, int i, int j)
{
  float kept = x[i];

  x[i] = x[j];
  x[j] = kept;
}

typedef struct {
  int greater; /* [from, greater) is larger than the pivot */
  int equal;   /* [greater, equal) is the pivot */
} Parts;

/* Parts values from … to − 1, and weights with them, by one of them. */
static Parts
part (float *values, float *weights, int from, int to)
{
  float pivot = median (values[from], values[(from + to) / 2], values[to - 1]);
  Parts parts = { from, from };

  while (parts.equal < to) {
    float x = values[parts.equal];
    int with = parts.equal;

    if (x > pivot)
      with = parts.greater++;
    else if (x < pivot)
      with = --to;
    if (with != parts.equal) {
      swap (values, parts.equal, with);
      swap (weights, parts.equal, with);
    }
    if (x >= pivot)
      parts.equal++;
  }
  return parts;
}

LAUREL_CLONES static double
add_up (const float *weights, int from, int to)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (int i = from; i < to; i++)
    sum += (double) weights[i];
  return sum;
}

/* The cut of values (n) that keeps the fewest of the largest whose weights reach @wanted; @above is
 * the weight of others that are larger than all of them. Moves values and weights about. */
static LaurelLogitCut
part_until (LaurelLogitRow *self, int n, double above, double wanted)
{
  int from = 0, to = n;

  while (to > from) {
    Parts parts = part (self->values, self->weights, from, to);
    double greater = add_up (self->weights, from, parts.greater);
    double equal = add_up (self->weights, parts.greater, parts.equal);

    if (above + greater >= wanted && parts.greater > from) {
      to = parts.greater;
    } else if (above + greater + equal >= wanted || parts.equal == to) {
      double each = (double) self->weights[parts.greater];
      double n_equal = ceil ((wanted - above - greater) / each);

      return (LaurelLogitCut) { self->values[parts.greater],
                                n_equal >= 1 ? (int) MIN (n_equal, 1e9) : 1 };
    } else {
      above += greater + equal;
      from = parts.equal;
    }
  }
  return (LaurelLogitCut) { -INFINITY, G_MAXINT };
}

LAUREL_CLONES static void
find_bins (const float *values, int n, float max, float scale, int *bins)
{
#pragma omp simd
  for (int i = 0; i < n; i++) {
    float bin = (max - values[i]) * scale;

    bins[i] = bin < (float) (N_BINS - 1) ? (int) bin : N_BINS - 1;
  }
}

/* As part_until(), of all: bins of like logits first, so that only one bin is parted. */
static LaurelLogitCut
select_weight (LaurelLogitRow *self, int n, double wanted)
{
  double sums[N_BINS] = { 0 }, above = 0;
  int bin = 0, n_inside = 0;

  if (n < N_BINS)
    return part_until (self, n, 0, wanted);
  find_bins (self->values, n, self->max, self->inverse * BINS_PER_UNIT, self->ids);
  for (int i = 0; i < n; i++)
    sums[self->ids[i]] += (double) self->weights[i];
  while (bin < N_BINS - 1 && above + sums[bin] < wanted)
    above += sums[bin++];
  for (int i = 0; i < n; i++) {
    self->values[n_inside] = self->values[i];
    self->weights[n_inside] = self->weights[i];
    n_inside += self->ids[i] == bin;
  }
  return part_until (self, n_inside, above, wanted);
}

/* For top-k every token weighs as much. */
static void
count_alike (LaurelLogitRow *self, int n)
{
  for (int i = 0; i < n; i++)
    self->weights[i] = 1;
}

LaurelLogitCut
laurel_logit_row_cut_top_k (LaurelLogitRow *self, int k)
{
  float bound = -INFINITY;
  int n;

  if (k >= self->V)
    return (LaurelLogitCut) { -INFINITY, G_MAXINT };
  /* The k largest maxima are k tokens, so no smaller token is among the k largest. */
  if (k <= self->n_blocks) {
    memcpy (self->values, self->maxima, (gsize) self->n_blocks * sizeof (float));
    count_alike (self, self->n_blocks);
    bound = part_until (self, self->n_blocks, 0, k).floor;
  }
  n = gather (self, bound);
  count_alike (self, n);
  return (LaurelLogitCut) { select_weight (self, n, k).floor, G_MAXINT };
}

LaurelLogitCut
laurel_logit_row_cut_top_p (LaurelLogitRow *self, LaurelLogitCut cut, double top_p)
{
  gboolean whole = cut.floor == -INFINITY;

  /* Few tokens make up most of what a language model says: look under the maximum first. */
  for (float depth = 4.0f;; depth *= 2.0f) {
    gboolean last = !whole || depth > 32.0f;
    int n = gather (self, last ? cut.floor : self->max - depth / self->inverse);
    double found;

    weigh_all (self->values, n, self->max, self->inverse, self->weights);
    found = add_up (self->weights, 0, n);
    if (last || found >= top_p * self->total)
      return select_weight (self, n, top_p * (whole ? self->total : found));
  }
}

LaurelLogitCut
laurel_logit_row_cut_min_p (const LaurelLogitRow *self, LaurelLogitCut cut, double min_p)
{
  float floor = (float) ((double) self->max + log (min_p) / (double) self->inverse);

  return floor > cut.floor ? (LaurelLogitCut) { floor, G_MAXINT } : cut;
}

/* Leaves the first n_equal of those at the floor, and says how many all are. */
static int
drop_equals (LaurelLogitRow *self, int n, LaurelLogitCut cut)
{
  int kept = 0, n_equal = 0;

  for (int i = 0; i < n; i++) {
    n_equal += self->values[i] == cut.floor;
    self->ids[kept] = self->ids[i];
    self->values[kept] = self->values[i];
    kept += self->values[i] > cut.floor || n_equal <= cut.n_equal;
  }
  return kept;
}

int
laurel_logit_row_draw_cut (LaurelLogitRow *self, LaurelLogitCut cut, double u, double *out_total)
{
  int n = gather (self, cut.floor), last = -1;
  int kept = cut.n_equal < G_MAXINT ? drop_equals (self, n, cut) : n;
  double total, sum = 0;

  weigh_all (self->values, kept, self->max, self->inverse, self->weights);
  total = add_up (self->weights, 0, kept);
  for (int i = 0; i < kept; i++) {
    sum += (double) self->weights[i];
    if (self->weights[i] > 0)
      last = self->ids[i];
    if (sum > u * total)
      break;
  }
  *out_total = total;
  return last;
}
