/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/reward_loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double
laurel_log_sigmoid (double x)
{
  return x >= 0 ? -log1p (exp (-x)) : x - log1p (exp (x));
}

static double
sigmoid (double x)
{
  return x >= 0 ? 1 / (1 + exp (-x)) : exp (x) / (1 + exp (x));
}

static gboolean
is_tied (const int *ranks, const int *twins, int i, int j)
{
  return ranks[i] == ranks[j] || (twins != NULL && twins[i] == twins[j]);
}

/* --- Pairs ----------------------------------------------------------------------- */

static int
count_pairs (const int *ranks, const int *twins, int n, LaurelTies ties)
{
  int n_pairs = 0;

  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      n_pairs += ties == LAUREL_TIES_HALF || !is_tied (ranks, twins, i, j);
  return n_pairs;
}

/* A tied pair: both orders, half each. */
static double
add_tied_pair (double difference, double *dfirst)
{
  *dfirst = 0.5 * (sigmoid (difference) - sigmoid (-difference));
  return -0.5 * laurel_log_sigmoid (difference) - 0.5 * laurel_log_sigmoid (-difference);
}

static double
add_strict_pair (double difference, double *dbetter)
{
  *dbetter = -sigmoid (-difference);
  return -laurel_log_sigmoid (difference);
}

static double
add_pairs (const float *scores, const int *ranks, const int *twins, int n, LaurelTies ties,
           double *gradient)
{
  double loss = 0;

  for (int i = 0; i < n; i++) {
    for (int j = i + 1; j < n; j++) {
      gboolean tied = is_tied (ranks, twins, i, j);
      int better = ranks[i] <= ranks[j] ? i : j;
      int worse = better == i ? j : i;
      double difference = (double) scores[better] - scores[worse];
      double dbetter;

      if (tied && ties == LAUREL_TIES_DROP)
        continue;
      loss += tied ? add_tied_pair (difference, &dbetter) : add_strict_pair (difference, &dbetter);
      gradient[better] += dbetter;
      gradient[worse] -= dbetter;
    }
  }
  return loss;
}

static void
measure_pairs (const float *scores, const int *ranks, const int *twins, int n,
               LaurelRewardStats *stats)
{
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double difference = (double) scores[i] - scores[j];

      if (ranks[i] >= ranks[j] || is_tied (ranks, twins, i, j))
        continue;
      stats->n_strict++;
      stats->n_right += difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
      stats->margin += difference;
    }
  }
}

/* --- Texts: completions without their copies --------------------------------------- */

typedef struct {
  double rank;  /* the mean of its copies' */
  double score; /* the mean of its copies' */
  double gradient;
  int n_copies;
  int twin;
} Text;

static int
compare_texts (const void *a, const void *b)
{
  const Text *x = a, *y = b;

  if (x->rank != y->rank)
    return x->rank < y->rank ? -1 : 1;
  return (x->twin > y->twin) - (x->twin < y->twin);
}

/* Best first. @scores may be NULL. */
static Text *
list_texts (const float *scores, const int *ranks, const int *twins, int n, int *out_n)
{
  Text *texts = g_new0 (Text, MAX (n, 1));
  int n_texts = 0;

  for (int i = 0; i < n; i++) {
    int twin = twins != NULL ? twins[i] : i;
    int t = 0;

    while (t < n_texts && texts[t].twin != twin)
      t++;
    n_texts = MAX (n_texts, t + 1);
    texts[t].twin = twin;
    texts[t].n_copies++;
    texts[t].rank += ranks[i];
    texts[t].score += scores != NULL ? scores[i] : 0;
  }
  for (int t = 0; t < n_texts; t++) {
    texts[t].rank /= texts[t].n_copies;
    texts[t].score /= texts[t].n_copies;
  }
  qsort (texts, (gsize) n_texts, sizeof *texts, compare_texts);
  *out_n = n_texts;
  return texts;
}

/* How many from @from on have its rank. */
static int
count_group (const Text *texts, int n, int from)
{
  int to = from;

  while (to < n && texts[to].rank == texts[from].rank)
    to++;
  return to - from;
}

static int
count_choices (const LaurelRewardRule *rule, const Text *texts, int n)
{
  int from = 0;

  if (n < 2)
    return 0;
  if (rule->loss == LAUREL_REWARD_PICK_BEST)
    return rule->ties == LAUREL_TIES_HALF || count_group (texts, n, 0) == 1;
  if (rule->ties == LAUREL_TIES_HALF)
    return n - 1;
  while (from + count_group (texts, n, from) < n)
    from += count_group (texts, n, from);
  return from; /* all but the worst group were chosen over something */
}

/* --- Choices ----------------------------------------------------------------------- */

static double
add_logs (double a, double b)
{
  double high = MAX (a, b);

  return isinf (high) ? high : high + log1p (exp (MIN (a, b) - high));
}

static double
sum_logs (const Text *texts, int n)
{
  double sum = -INFINITY;

  for (int t = 0; t < n; t++)
    sum = add_logs (sum, texts[t].score);
  return sum;
}

static double
add_pick_best (Text *texts, int n)
{
  int n_best = count_group (texts, n, 0);
  double total = sum_logs (texts, n);
  double loss = total;

  for (int t = 0; t < n; t++) {
    texts[t].gradient += exp (texts[t].score - total);
    if (t >= n_best)
      continue;
    loss -= texts[t].score / n_best;
    texts[t].gradient -= 1.0 / n_best;
  }
  return loss;
}

/* The choice among a subset of the tied and all that is ranked worse. */
typedef struct {
  Text *texts; /* (m) the tied, then (n − m) the worse ones */
  int m, n;
  double rest;  /* log Σ exp of the worse ones */
  double *logs; /* (2^m) log Σ exp of the subset and the worse ones */
  double mass;  /* of the gradient, for the worse ones together */
} Group;

static void
group_init (Group *self, Text *texts, int m, int n)
{
  *self = (Group) { .texts = texts, .m = m, .n = n, .rest = sum_logs (texts + m, n - m) };
  self->logs = g_new (double, (gsize) 1 << m);
  self->logs[0] = self->rest;
  for (guint s = 1; s < 1u << m; s++)
    self->logs[s] = add_logs (self->logs[s & (s - 1)], texts[g_bit_nth_lsf (s, -1)].score);
}

/* @weight times the gradient of the subset's log Σ exp. */
static void
group_pull (Group *self, guint subset, double weight)
{
  for (int t = 0; t < self->m; t++)
    if (subset >> t & 1)
      self->texts[t].gradient += weight * exp (self->texts[t].score - self->logs[subset]);
  self->mass += weight * exp (self->rest - self->logs[subset]);
}

static void
group_finish (Group *self)
{
  for (int t = self->m; t < self->n; t++)
    self->texts[t].gradient += self->mass * exp (self->texts[t].score - self->rest);
  g_free (self->logs);
}

/* The mean of −log p over the orders of the tied. After k of them are left each subset of k is as
 * likely to be what is left, so the mean over m! orders is one over 2^m subsets. */
static double
add_mean_order (Group *self)
{
  double loss = 0;

  for (int t = 0; t < self->m; t++) {
    loss -= self->texts[t].score;
    self->texts[t].gradient -= 1;
  }
  for (guint s = 1; s < 1u << self->m; s++) {
    int k = __builtin_popcount (s);
    double share = 1; /* 1 / C(m, k) */

    for (int i = 1; i <= k; i++)
      share *= (double) i / (self->m - k + i);
    loss += share * self->logs[s];
    group_pull (self, s, share);
  }
  return loss;
}

/* −log of the probability that the tied come before the worse ones, the sum over their orders:
 * p(S) = Σ_{i∈S} exp(r_i) / Σ_{S and worse} exp · p(S∖i). */
static double
add_any_order (Group *self)
{
  guint all = (1u << self->m) - 1;
  g_autofree double *logp = g_new (double, all + 1);
  g_autofree double *reached = g_new0 (double, all + 1);

  logp[0] = 0;
  for (guint s = 1; s <= all; s++) {
    logp[s] = -INFINITY;
    for (int t = 0; t < self->m; t++)
      if (s >> t & 1)
        logp[s] =
            add_logs (logp[s], self->texts[t].score - self->logs[s] + logp[s & ~(1u << t)]);
  }
  reached[all] = 1;
  for (guint s = all; s > 0; s--) {
    for (int t = 0; t < self->m; t++) {
      guint left = s & ~(1u << t);
      double share;

      if (left == s)
        continue;
      share = reached[s] * exp (self->texts[t].score - self->logs[s] + logp[left] - logp[s]);
      reached[left] += share;
      self->texts[t].gradient -= share;
    }
    group_pull (self, s, reached[s]);
  }
  return -logp[all];
}

static double
add_plackett_luce (Text *texts, int n, LaurelTies ties)
{
  double loss = 0;

  for (int from = 0, m; from < n; from += m) {
    Group group;

    m = count_group (texts, n, from);
    g_return_val_if_fail (m <= LAUREL_REWARD_MAX_TIED, 0);
    if (ties == LAUREL_TIES_DROP && from + m == n)
      break; /* nothing is ranked worse */
    group_init (&group, texts + from, m, n - from);
    loss += ties == LAUREL_TIES_DROP ? add_any_order (&group) : add_mean_order (&group);
    group_finish (&group);
  }
  return loss;
}

/* A text's score is the mean of its copies', so each has its part of the gradient. */
static double
add_choices (const LaurelRewardRule *rule, const float *scores, const int *ranks, const int *twins,
             int n, double *gradient, int *out_n_counted)
{
  int n_texts;
  g_autofree Text *texts = list_texts (scores, ranks, twins, n, &n_texts);
  double loss;

  *out_n_counted = count_choices (rule, texts, n_texts);
  if (*out_n_counted == 0)
    return 0;
  loss = rule->loss == LAUREL_REWARD_PICK_BEST ? add_pick_best (texts, n_texts)
                                               : add_plackett_luce (texts, n_texts, rule->ties);
  for (int i = 0; i < n; i++) {
    int t = 0;

    while (texts[t].twin != (twins != NULL ? twins[i] : i))
      t++;
    gradient[i] = texts[t].gradient / texts[t].n_copies;
  }
  return loss;
}

/* --- All of them ------------------------------------------------------------------- */

int
laurel_reward_count (const LaurelRewardRule *rule, const int *ranks, const int *twins, int n)
{
  g_autofree Text *texts = NULL;
  int n_texts;

  if (rule->loss == LAUREL_REWARD_PAIRWISE)
    return count_pairs (ranks, twins, n, rule->ties);
  texts = list_texts (NULL, ranks, twins, n, &n_texts);
  return count_choices (rule, texts, n_texts);
}

int
laurel_reward_count_tied (const int *ranks, const int *twins, int n)
{
  int n_texts, longest = 0;
  g_autofree Text *texts = list_texts (NULL, ranks, twins, n, &n_texts);

  for (int from = 0; from < n_texts; from += count_group (texts, n_texts, from))
    longest = MAX (longest, count_group (texts, n_texts, from));
  return longest;
}

double
laurel_reward_loss (const LaurelRewardRule *rule, const float *scores, const int *ranks,
                    const int *twins, int n, double scale, float *dscores,
                    LaurelRewardStats *out_stats)
{
  g_autofree double *gradient = g_new0 (double, MAX (n, 1));
  LaurelRewardStats stats = { 0 };
  double loss;

  if (rule->loss == LAUREL_REWARD_PAIRWISE) {
    stats.n_counted = count_pairs (ranks, twins, n, rule->ties);
    loss = add_pairs (scores, ranks, twins, n, rule->ties, gradient);
  } else {
    loss = add_choices (rule, scores, ranks, twins, n, gradient, &stats.n_counted);
  }
  for (int i = 0; dscores != NULL && i < n; i++)
    dscores[i] = stats.n_counted > 0 ? (float) (scale * gradient[i] / stats.n_counted) : 0;
  measure_pairs (scores, ranks, twins, n, &stats);
  if (out_stats != NULL)
    *out_stats = stats;
  return stats.n_counted > 0 ? loss / stats.n_counted : 0;
}
