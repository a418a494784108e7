/* test-sampler.c: each filter against a plain slow one, and draws against their distribution.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/model/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const LaurelSamplerContext nothing_before = { NULL, 0, NULL, 0 };

static void
fill_logits (float *logits, int V, double spread, guint64 row)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 11, LAUREL_RNG_TEST, 2, row);
  for (int v = 0; v < V; v++)
    logits[v] = (float) (spread * laurel_rng_normal (&rng));
}

/* --- The slow sampler: a full sort and doubles everywhere ------------------------------ */

typedef struct {
  int V;
  double *logits; /* (V) after biases and penalty, divided by the temperature */
  int *order;     /* (V) falling, equals by id */
  gboolean *kept; /* (V) */
} Slow;

static int
compare_falling (const void *a, const void *b, void *user_data)
{
  int i = *(const int *) a, j = *(const int *) b;
  const double *x = user_data;

  return x[i] != x[j] ? (x[i] > x[j] ? -1 : 1) : i - j;
}

static double
slow_weight (const Slow *self, int v)
{
  return self->kept[v] ? exp (self->logits[v] - self->logits[self->order[0]]) : 0;
}

static double
slow_total (const Slow *self)
{
  double total = 0;

  for (int v = 0; v < self->V; v++)
    total += slow_weight (self, v);
  return total;
}

static gboolean
has_token (const LaurelSamplerContext *context, int v)
{
  for (int i = 0; i < context->n_prompt; i++)
    if (context->prompt[i] == v)
      return TRUE;
  for (int i = 0; i < context->n_own; i++)
    if (context->own[i] == v)
      return TRUE;
  return FALSE;
}

static void
slow_filter (Slow *self, const LaurelSamplingOptions *options)
{
  double total, sum = 0;

  for (int i = 0; i < self->V && options->top_k > 0 && options->top_k < self->V; i++)
    self->kept[self->order[i]] =
        self->logits[self->order[i]] >= self->logits[self->order[options->top_k - 1]];
  total = slow_total (self);
  for (int i = 0; i < self->V && options->top_p < 1; i++) {
    double weight = slow_weight (self, self->order[i]);

    if (sum >= options->top_p * total)
      self->kept[self->order[i]] = FALSE;
    sum += weight;
  }
  for (int v = 0; v < self->V && options->min_p > 0; v++)
    if (self->logits[v] - self->logits[self->order[0]] < log (options->min_p))
      self->kept[v] = FALSE;
}

static Slow *
slow_new (const LaurelSamplingOptions *options, const float *logits, int V,
          const LaurelSamplerContext *context)
{
  Slow *self = g_new0 (Slow, 1);
  double penalty = options->repetition_penalty;

  self->V = V;
  self->logits = g_new (double, (gsize) V);
  self->order = g_new (int, (gsize) V);
  self->kept = g_new (gboolean, (gsize) V);
  for (int v = 0; v < V; v++) {
    double x = (double) logits[v];

    if (has_token (context, v))
      x = x < 0 ? x * penalty : x / penalty;
    self->logits[v] = x / options->temperature;
    self->order[v] = v;
    self->kept[v] = TRUE;
  }
  qsort_r (self->order, (gsize) V, sizeof (int), compare_falling, self->logits);
  slow_filter (self, options);
  return self;
}

static void
slow_free (Slow *self)
{
  g_free (self->logits);
  g_free (self->order);
  g_free (self->kept);
  g_free (self);
}

static int
slow_draw (const Slow *self, double u)
{
  double total = slow_total (self), sum = 0;
  int last = -1;

  for (int v = 0; v < self->V && !(sum > u * total); v++)
    if (slow_weight (self, v) > 0) {
      sum += slow_weight (self, v);
      last = v;
    }
  return last;
}

/* --- Filters ----------------------------------------------------------------------------- */

/* Draws @n_draws tokens both ways from the same numbers. */
static void
compare_with_slow (const LaurelSamplingOptions *options, const float *logits, int V,
                   const LaurelSamplerContext *context, int n_draws, guint64 row)
{
  Slow *slow = slow_new (options, logits, V, context);
  double total = slow_total (slow), plain = 0;
  LaurelRng rng, again;

  for (int v = 0; v < V; v++)
    plain += exp ((double) logits[v] / options->temperature);
  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 3, row);
  again = rng;
  for (int i = 0; i < n_draws; i++) {
    LaurelDraw draw;
    int token = slow_draw (slow, laurel_rng_uniform (&again));

    g_assert_cmpint (laurel_sampler_draw (options, logits, V, context, &rng, &draw), ==,
                     LAUREL_DRAW_DONE);
    g_assert_cmpint (draw.token, ==, token);
    /* float weights are within 2 units in the last place and blocks of 128 are summed in float */
    g_assert_cmpfloat_with_epsilon (draw.logprob, log (slow_weight (slow, token) / total), 2e-6);
    g_assert_cmpfloat_with_epsilon (draw.plain_logprob,
                                    (double) logits[token] / options->temperature - log (plain),
                                    2e-6);
  }
  slow_free (slow);
}

static const int sizes[] = { 1, 2, 127, 128, 129, 1000, 5003 };
static const double spreads[] = { 0.05, 1, 4 };

static void
compare_everywhere (const LaurelSamplingOptions *options)
{
  guint64 row = 0;

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint w = 0; w < G_N_ELEMENTS (spreads); w++) {
      g_autofree float *logits = g_new (float, (gsize) sizes[s]);

      fill_logits (logits, sizes[s], spreads[w], ++row);
      compare_with_slow (options, logits, sizes[s], &nothing_before, 20, row);
    }
}

static void
test_temperature (void)
{
  for (double t = 0.05; t < 20; t *= 2) {
    LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

    options.temperature = t;
    compare_everywhere (&options);
  }
}

static void
test_top_k (void)
{
  static const int ks[] = { 1, 2, 40, 127, 128, 500, 4000, 100000 };

  for (guint i = 0; i < G_N_ELEMENTS (ks); i++) {
    LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

    options.top_k = ks[i];
    compare_everywhere (&options);
  }
}

static void
test_top_p (void)
{
  static const double ps[] = { 1e-6, 0.1, 0.5, 0.9, 0.99, 0.9999 };

  for (guint i = 0; i < G_N_ELEMENTS (ps); i++) {
    LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

    options.top_p = ps[i];
    compare_everywhere (&options);
  }
}

static void
test_min_p (void)
{
  static const double ps[] = { 1e-6, 0.01, 0.1, 0.5, 0.99 };

  for (guint i = 0; i < G_N_ELEMENTS (ps); i++) {
    LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

    options.min_p = ps[i];
    compare_everywhere (&options);
  }
}

/* All together, in the stated order. */
static void
test_chain (void)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 4, 0);
  for (guint64 i = 0; i < 300; i++) {
    int V = 1 + (int) laurel_rng_below (&rng, 3000);
    g_autofree float *logits = g_new (float, (gsize) V);
    gint32 prompt[20], own[20];
    const LaurelSamplerContext context = { prompt, 20, own, (int) laurel_rng_below (&rng, 20) };
    const LaurelSamplingOptions options = {
      .temperature = 0.3 + 2 * laurel_rng_uniform (&rng),
      .top_k = (int) laurel_rng_below (&rng, 200),
      .top_p = 0.2 + 0.8 * laurel_rng_uniform (&rng),
      .min_p = 0.2 * laurel_rng_uniform (&rng),
      .max_tokens = 1,
      .repetition_penalty = 0.7 + laurel_rng_uniform (&rng),
    };

    for (int t = 0; t < 20; t++) {
      prompt[t] = (gint32) laurel_rng_below (&rng, (guint32) V);
      own[t] = (gint32) laurel_rng_below (&rng, (guint32) V);
    }
    fill_logits (logits, V, 3, 1000 + i);
    compare_with_slow (&options, logits, V, &context, 10, i);
  }
}

/* Ties with the k-th stay; where top-p cuts among equals, the lowest ids stay. */
static void
test_ties (void)
{
  static const float logits[] = { 1, 2, 1, 3, 1, 2, -INFINITY, 1 };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  gboolean by_k[8] = { FALSE }, by_p[8] = { FALSE };
  LaurelRng rng;
  LaurelDraw draw;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 5, 0);
  options.top_k = 2;
  for (int i = 0; i < 1000; i++) {
    laurel_sampler_draw (&options, logits, 8, &nothing_before, &rng, &draw);
    by_k[draw.token] = TRUE;
  }
  options.top_k = 0;
  /* e³ + 2e² + 4e = 45.74: tokens 3, 1, 5, 0 and 2 hold 0.8811 of it, 3, 1, 5 and 0 hold 0.8217 */
  options.top_p = 0.88;
  for (int i = 0; i < 1000; i++) {
    laurel_sampler_draw (&options, logits, 8, &nothing_before, &rng, &draw);
    by_p[draw.token] = TRUE;
  }
  for (int v = 0; v < 8; v++) {
    g_assert_cmpint (by_k[v], ==, v == 1 || v == 3 || v == 5);
    g_assert_cmpint (by_p[v], ==, v == 0 || v == 1 || v == 2 || v == 3 || v == 5);
  }
  options.temperature = 0;
  laurel_sampler_draw (&options, logits + 4, 2, &nothing_before, &rng, &draw);
  g_assert_cmpint (draw.token, ==, 1);
  laurel_sampler_draw (&options, logits + 1, 1, &nothing_before, &rng, &draw);
  g_assert_cmpint (draw.token, ==, 0);
}

/* --- Penalty and bias ------------------------------------------------------------------ */

/* By hand: penalty 2 on {2, −1, 1, 0} with tokens 0, 1 and 1 again gives {1, −2, 1, 0}. */
static void
test_penalty (void)
{
  static const float logits[] = { 2, -1, 1, 0 };
  static const gint32 prompt[] = { 0, 1 }, own[] = { 1 };
  const LaurelSamplerContext context = { prompt, 2, own, 1 };
  const double expected[] = { 1, -2, 1, 0 };
  double total = 0, plain = exp (2) + exp (-1) + exp (1) + 1;
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  int n_seen = 0;
  gboolean seen[4] = { FALSE };
  LaurelRng rng;

  options.repetition_penalty = 2;
  for (int v = 0; v < 4; v++)
    total += exp (expected[v]);
  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 6, 0);
  for (int i = 0; i < 1000; i++) {
    LaurelDraw draw;

    laurel_sampler_draw (&options, logits, 4, &context, &rng, &draw);
    /* rounding of float */
    g_assert_cmpfloat_with_epsilon (draw.logprob, expected[draw.token] - log (total), 1e-6);
    g_assert_cmpfloat_with_epsilon (draw.plain_logprob, logits[draw.token] - log (plain), 1e-6);
    n_seen += !seen[draw.token];
    seen[draw.token] = TRUE;
  }
  g_assert_cmpint (n_seen, ==, 4);
}

static int
greedy (const LaurelSamplingOptions *options, const float *logits, int V,
        const LaurelSamplerContext *context)
{
  LaurelRng rng;
  LaurelDraw draw;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 7, 0);
  g_assert_cmpint (laurel_sampler_draw (options, logits, V, context, &rng, &draw), ==,
                   LAUREL_DRAW_DONE);
  g_assert_cmpfloat (draw.logprob, ==, 0);
  return draw.token;
}

static void
test_bias (void)
{
  static const float logits[] = { 2, -1, 1, 0 };
  static const gint32 zero[] = { 0 }, three[] = { 3 }, pair[] = { 2, 3 }, run[] = { 1, 2, 3 };
  static const gint32 prompt[] = { 1 }, own[] = { 2 };
  const LaurelLogitBias ban = { zero, 1, -INFINITY }, lift = { three, 1, 2.5f };
  const LaurelLogitBias after_two = { pair, 2, 5 }, after_one_two = { run, 3, 5 };
  const LaurelSamplerContext at_one = { prompt, 1, NULL, 0 }, at_two = { prompt, 1, own, 1 };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  LaurelRng rng;

  options.temperature = 0;
  options.n_biases = 1;
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &ban, &at_one)), ==, 2);
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &lift, &at_one)), ==, 3);
  /* Across the seam of prompt and completion, and only there. */
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &after_two, &at_one)), ==, 0);
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &after_two, &at_two)), ==, 3);
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &after_one_two, &at_one)), ==, 0);
  g_assert_cmpint (greedy (&options, logits, 4, (options.biases = &after_one_two, &at_two)), ==, 3);
  /* A bias comes before the penalty: (0 + 2.5) / 2 is under token 0's 2. */
  options.repetition_penalty = 2;
  options.biases = &lift;
  g_assert_cmpint (greedy (&options, logits, 4,
                           &(LaurelSamplerContext) { three, 1, NULL, 0 }), ==, 0);
  /* A banned token never comes, not even from the number 0. */
  options = (LaurelSamplingOptions) LAUREL_SAMPLING_DEFAULTS;
  options.biases = &ban;
  options.n_biases = 1;
  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 8, 0);
  for (int i = 0; i < 2000; i++) {
    LaurelDraw draw;

    options.top_k = i % 4;
    laurel_sampler_draw (&options, logits, 4, &nothing_before, &rng, &draw);
    g_assert_cmpint (draw.token, !=, 0);
  }
}

/* --- Draws ------------------------------------------------------------------------------ */

/* The 1 − 10⁻⁴ quantile of χ² with k degrees of freedom, by Wilson and Hilferty. */
static double
chi_square_bound (int k)
{
  double a = 2.0 / (9.0 * k);

  return k * pow (1 - a + 3.719 * sqrt (a), 3);
}

static void
test_chi_square (void)
{
  enum { V = 300, DRAWS = 200000 };
  g_autofree float *logits = g_new (float, V);
  LaurelSamplingOptions all[4] = { LAUREL_SAMPLING_DEFAULTS, LAUREL_SAMPLING_DEFAULTS,
                                   LAUREL_SAMPLING_DEFAULTS, LAUREL_SAMPLING_DEFAULTS };

  all[0].temperature = 0.8;
  all[1].top_k = 50;
  all[2].top_p = 0.9;
  all[3].min_p = 0.05;
  fill_logits (logits, V, 1, 5000);
  for (guint64 o = 0; o < 4; o++) {
    Slow *slow = slow_new (&all[o], logits, V, &nothing_before);
    int counts[V] = { 0 }, degrees = -1;
    double total = slow_total (slow), chi = 0;
    LaurelRng rng;

    laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 9, o);
    for (int i = 0; i < DRAWS; i++) {
      LaurelDraw draw;

      laurel_sampler_draw (&all[o], logits, V, &nothing_before, &rng, &draw);
      counts[draw.token]++;
    }
    for (int v = 0; v < V; v++) {
      double expected = DRAWS * slow_weight (slow, v) / total;

      if (expected == 0)
        g_assert_cmpint (counts[v], ==, 0);
      else
        chi += (counts[v] - expected) * (counts[v] - expected) / expected;
      degrees += expected > 0;
    }
    g_test_message ("χ² %.1f of %d degrees, at most %.1f", chi, degrees,
                    chi_square_bound (degrees));
    g_assert_cmpfloat (chi, <, chi_square_bound (degrees));
    slow_free (slow);
  }
}

static void
test_no_distribution (void)
{
  static const gint32 ids[] = { 0, 1, 2 };
  const LaurelLogitBias bans[] = { { ids, 1, -INFINITY }, { ids + 1, 1, -INFINITY },
                                   { ids + 2, 1, -INFINITY } };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  LaurelRng rng;
  LaurelDraw draw;

  laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 10, 0);
  for (int bad = 0; bad < 3; bad++) {
    static const float values[] = { NAN, INFINITY };

    for (int i = 0; i < 2; i++) {
      float logits[] = { 0, 1, 2 };

      logits[bad] = values[i];
      options.temperature = i;
      g_assert_cmpint (laurel_sampler_draw (&options, logits, 3, &nothing_before, &rng, &draw), ==,
                       LAUREL_DRAW_NOT_FINITE);
    }
  }
  options.biases = bans;
  options.n_biases = 3;
  g_assert_cmpint (laurel_sampler_draw (&options, (const float[]){ 0, 1, 2 }, 3, &nothing_before,
                                        &rng, &draw), ==, LAUREL_DRAW_ALL_BANNED);
}

/* --- Options ------------------------------------------------------------------------------ */

static void
assert_refused (LaurelSamplingOptions options, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_sampling_options_validate (&options, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_options (void)
{
  static const gint32 id = 1;
  const LaurelLogitBias nan = { &id, 1, NAN }, infinite = { &id, 1, INFINITY };
  LaurelSamplingOptions fine = LAUREL_SAMPLING_DEFAULTS, bad;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_sampling_options_validate (&fine, &error));
  g_assert_no_error (error);
  assert_refused ((bad = fine, bad.temperature = 1e-9, bad), "temperature");
  assert_refused ((bad = fine, bad.temperature = NAN, bad), "temperature");
  assert_refused ((bad = fine, bad.top_k = -1, bad), "top_k");
  assert_refused ((bad = fine, bad.top_p = 0, bad), "top_p");
  assert_refused ((bad = fine, bad.min_p = 1, bad), "min_p");
  assert_refused ((bad = fine, bad.max_tokens = 0, bad), "max_tokens");
  assert_refused ((bad = fine, bad.repetition_penalty = -1, bad), "repetition_penalty");
  assert_refused ((bad = fine, bad.biases = &nan, bad.n_biases = 1, bad), "bias");
  assert_refused ((bad = fine, bad.biases = &infinite, bad.n_biases = 1, bad), "bias");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/sampler/temperature", test_temperature);
  g_test_add_func ("/model/sampler/top-k", test_top_k);
  g_test_add_func ("/model/sampler/top-p", test_top_p);
  g_test_add_func ("/model/sampler/min-p", test_min_p);
  g_test_add_func ("/model/sampler/chain", test_chain);
  g_test_add_func ("/model/sampler/ties", test_ties);
  g_test_add_func ("/model/sampler/repetition-penalty", test_penalty);
  g_test_add_func ("/model/sampler/logit-bias", test_bias);
  g_test_add_func ("/model/sampler/chi-square", test_chi_square);
  g_test_add_func ("/model/sampler/no-distribution", test_no_distribution);
  g_test_add_func ("/model/sampler/options", test_options);
  return g_test_run ();
}
