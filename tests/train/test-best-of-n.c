/* test-best-of-n.c: estimates against all subsets, and KL and gains against closed forms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/train/best_of_n.h"

#include <math.h>

#define N_SAMPLES 8

/* --- Against all subsets ------------------------------------------------------------------ */

/* The highest members of a set of samples, as bits. */
static guint
find_tops (const double *proxy, guint set)
{
  double best = -INFINITY;
  guint tops = 0;

  for (int i = 0; i < N_SAMPLES; i++)
    if (set & 1u << i)
      best = MAX (best, proxy[i]);
  for (int i = 0; i < N_SAMPLES; i++)
    if (set & 1u << i && proxy[i] == best)
      tops |= 1u << i;
  return tops;
}

static int
count_bits (guint set)
{
  int n = 0;

  for (; set != 0; set &= set - 1)
    n++;
  return n;
}

static void
count_weights (const double *proxy, int n, double *weights)
{
  int n_sets = 0;

  for (int i = 0; i < N_SAMPLES; i++)
    weights[i] = 0;
  for (guint set = 0; set < 1u << N_SAMPLES; set++) {
    guint tops = find_tops (proxy, set);

    if (count_bits (set) != n)
      continue;
    n_sets++;
    for (int i = 0; i < N_SAMPLES; i++)
      if (tops & 1u << i)
        weights[i] += 1.0 / count_bits (tops);
  }
  for (int i = 0; i < N_SAMPLES; i++)
    weights[i] /= n_sets;
}

static double
count_wins (const double *proxy, const double *gold, int n)
{
  double wins = 0;
  int n_games = 0;

  for (int j = 0; j < N_SAMPLES; j++) {
    for (guint set = 0; set < 1u << N_SAMPLES; set++) {
      guint tops = find_tops (proxy, set);

      if (count_bits (set) != n || set & 1u << j)
        continue;
      n_games++;
      for (int i = 0; i < N_SAMPLES; i++)
        if (tops & 1u << i)
          wins += (gold[i] > gold[j]   ? 1
                   : gold[i] == gold[j] ? 0.5
                                        : 0)
                  / count_bits (tops);
    }
  }
  return wins / n_games;
}

static void
test_subsets (void)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 0, 0);
  for (int round = 0; round < 40; round++) {
    double proxy[N_SAMPLES], gold[N_SAMPLES], weights[N_SAMPLES], expected[N_SAMPLES];

    for (int i = 0; i < N_SAMPLES; i++) {
      proxy[i] = laurel_rng_below (&rng, round % 2 ? 4 : 1000); /* every other round full of ties */
      gold[i] = laurel_rng_below (&rng, 5);
    }
    for (int n = 1; n <= N_SAMPLES; n++) {
      laurel_best_of_n_weights (proxy, N_SAMPLES, n, weights);
      count_weights (proxy, n, expected);
      for (int i = 0; i < N_SAMPLES; i++) /* 1e-14: a dozen operations on shares */
        g_assert_cmpfloat_with_epsilon (weights[i], expected[i], 1e-14);
      if (n < N_SAMPLES)
        g_assert_cmpfloat_with_epsilon (
            laurel_best_of_n_win_rate (proxy, gold, N_SAMPLES, n), count_wins (proxy, gold, n),
            1e-14);
    }
    g_assert_true (isnan (laurel_best_of_n_win_rate (proxy, gold, N_SAMPLES, N_SAMPLES)));
  }
}

static void
test_ends (void)
{
  const double proxy[] = { 3, 1, 2 };
  double weights[3];

  laurel_best_of_n_weights (proxy, 3, 1, weights);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (weights[i], 1.0 / 3, 1e-15);
  laurel_best_of_n_weights (proxy, 3, 3, weights);
  g_assert_cmpfloat (weights[0], ==, 1);
  g_assert_cmpfloat (weights[1], ==, 0);
}

/* C(4096, 1000) is far beyond a double. */
static void
test_many_samples (void)
{
  enum { N = 4096 };
  g_autofree double *proxy = g_new (double, N);
  g_autofree double *weights = g_new (double, N);
  double sum = 0, mean = 0;

  for (int i = 0; i < N; i++)
    proxy[i] = i + 1;
  laurel_best_of_n_weights (proxy, N, 1000, weights);
  for (int i = 0; i < N; i++) {
    sum += weights[i];
    mean += weights[i] * proxy[i];
  }
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-12);
  /* The mean highest rank of n out of N is n (N + 1) / (n + 1). */
  g_assert_cmpfloat_with_epsilon (mean, 1000 * 4097.0 / 1001, 1e-8);
}

/* With gold for proxy and no ties, the one that is left out is the best of n + 1 once in n + 1. */
static void
test_win_rate_limit (void)
{
  double proxy[64], twice[64];

  for (int i = 0; i < 64; i++) {
    proxy[i] = (i * 37) % 64;
    twice[i] = (int) proxy[i] / 2;
  }
  for (int n = 1; n < 64; n++) {
    g_assert_cmpfloat_with_epsilon (laurel_best_of_n_win_rate (proxy, proxy, 64, n), n / (n + 1.0),
                                    1e-12);
    /* Ties can only lower it. */
    g_assert_cmpfloat (laurel_best_of_n_win_rate (twice, twice, 64, n), <=, n / (n + 1.0) + 1e-12);
    g_assert_cmpfloat (laurel_best_of_n_win_rate (proxy, twice, 64, n), <=, n / (n + 1.0) + 1e-12);
  }
}

/* --- Normal rewards ------------------------------------------------------------------------- */

/* Gold correlates with the proxy by 0.6: its gain is 0.6 of the proxy's, the mean of the highest of
 * n normal numbers. */
static void
test_normal_rewards (void)
{
  enum { N = 256, N_PROMPTS = 600 };
  const struct { int n; double highest; } table[] = { { 2, 0.5642 }, { 4, 1.0294 },
                                                      { 16, 1.7660 }, { 64, 2.3437 } };
  g_autofree double *proxy = g_new (double, N);
  g_autofree double *gold = g_new (double, N);
  g_autofree double *weights = g_new (double, N);
  double proxies[4] = { 0 }, golds[4] = { 0 };
  LaurelRng rng;

  for (int p = 0; p < N_PROMPTS; p++) {
    laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 1, (guint64) p);
    for (int i = 0; i < N; i++) {
      proxy[i] = laurel_rng_normal (&rng);
      gold[i] = 0.6 * proxy[i] + 0.8 * laurel_rng_normal (&rng);
    }
    for (int t = 0; t < 4; t++) {
      laurel_best_of_n_weights (proxy, N, table[t].n, weights);
      for (int i = 0; i < N; i++) {
        proxies[t] += weights[i] * proxy[i] / N_PROMPTS;
        golds[t] += weights[i] * gold[i] / N_PROMPTS;
      }
    }
  }
  for (int t = 0; t < 4; t++) {
    /* The highest of n deviates by less than 1 and gold by less than 1.1; 256 samples hold at least
     * 256/n independent draws a prompt. Four standard errors. */
    double error = 4 / sqrt (N_PROMPTS * (double) N / table[t].n);

    g_test_message ("n %d: proxy %.4f, gold %.4f, within %.4f", table[t].n, proxies[t], golds[t],
                    error);
    g_assert_cmpfloat_with_epsilon (proxies[t], table[t].highest, error);
    g_assert_cmpfloat_with_epsilon (golds[t], 0.6 * table[t].highest, 1.1 * error);
  }
}

/* --- KL --------------------------------------------------------------------------------------- */

static void
test_kl_bound (void)
{
  const struct { int n; double kl; } table[] = { { 1, 0 }, { 2, 0.193 }, { 4, 0.636 },
                                                 { 8, 1.204 }, { 16, 1.835 }, { 64, 3.175 },
                                                 { 256, 4.549 }, { 1000, 5.909 } };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) /* three decimals */
    g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl_bound (table[i].n), table[i].kl, 5e-4);
}

static void
test_kl_closed_forms (void)
{
  const double two[] = { 1, 2 }, same[] = { 5, 5, 5 }, weights[] = { 3, 1 };
  const double four[] = { 1, 2, 2, 3 }, never[] = { 1, 0, 0, 1 };

  /* Two equal outcomes, best of 2: 1/4 and 3/4. */
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (two, NULL, 2, 2),
                                  0.25 * log (0.5) + 0.75 * log (1.5), 1e-15);
  /* 3/4 and 1/4: 9/16 and 7/16. */
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (two, weights, 2, 2),
                                  9 / 16.0 * log (0.75) + 7 / 16.0 * log (1.75), 1e-15);
  /* What the proxy cannot tell apart is left as it was. */
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (same, NULL, 3, 64), 0, 1e-15);
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (four, never, 4, 2),
                                  laurel_best_of_n_kl (two, NULL, 2, 2), 1e-15);
  /* In the limit all falls on the best outcome. */
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (two, weights, 2, 1000000), log (4), 1e-12);
  g_assert_cmpfloat_with_epsilon (laurel_best_of_n_kl (two, weights, 2, 1), 0, 1e-15);
}

/* 8 tokens, 3 of them in a row: 512 sequences under a random policy, with random rewards. */
static void
test_kl_of_sequences (void)
{
  double weights[512], proxy[512], next[3][8];
  LaurelRng rng;
  double last = 0;

  laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 2, 0);
  for (int t = 0; t < 3; t++)
    for (int v = 0; v < 8; v++)
      next[t][v] = exp (0.7 * laurel_rng_normal (&rng));
  for (int s = 0; s < 512; s++) {
    weights[s] = next[0][s / 64] * next[1][s / 8 % 8] * next[2][s % 8];
    proxy[s] = laurel_rng_normal (&rng);
  }
  for (int n = 1; n <= 1 << 20; n *= 2) {
    double kl = laurel_best_of_n_kl (proxy, weights, 512, n);

    g_assert_cmpfloat (kl, <=, laurel_best_of_n_kl_bound (n) + 1e-14);
    g_assert_cmpfloat (kl, >=, last - 1e-14);
    last = kl;
    if (n == 16) /* of 512 outcomes hardly two of 16 are alike */
      g_assert_cmpfloat_with_epsilon (kl, laurel_best_of_n_kl_bound (16), 0.01);
    if (n == 256)
      g_assert_cmpfloat (kl, <, laurel_best_of_n_kl_bound (256) - 0.01);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/best-of-n/subsets", test_subsets);
  g_test_add_func ("/train/best-of-n/ends", test_ends);
  g_test_add_func ("/train/best-of-n/many-samples", test_many_samples);
  g_test_add_func ("/train/best-of-n/win-rate-limit", test_win_rate_limit);
  g_test_add_func ("/train/best-of-n/normal-rewards", test_normal_rewards);
  g_test_add_func ("/train/best-of-n/kl-bound", test_kl_bound);
  g_test_add_func ("/train/best-of-n/kl-closed-forms", test_kl_closed_forms);
  g_test_add_func ("/train/best-of-n/kl-of-sequences", test_kl_of_sequences);
  return g_test_run ();
}
