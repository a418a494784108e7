/* test-rng.c: the random numbers are Philox's, and streams do not meet.
 *
 * Every draw below comes from a fixed seed, so a pass stays a pass; limits of
 * statistics are five standard deviations, which an unlucky but right
 * generator would miss once in a million seeds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"

#include <math.h>
#include <string.h>

typedef struct {
  guint32 key[2];
  guint32 counter[4];
  guint32 block[4];
} KnownAnswer;

/* The answers that the authors of Philox publish for ten rounds of 4x32. */
static const KnownAnswer known_answers[] = {
  { { 0, 0 }, { 0, 0, 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
  { { 0xffffffff, 0xffffffff },
    { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
    { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
  { { 0xa4093822, 0x299f31d0 },
    { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
    { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static void
test_known_answers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known_answers); i++) {
    const KnownAnswer *known = &known_answers[i];
    LaurelRng rng = { .n_used = 4 };

    memcpy (rng.key, known->key, sizeof rng.key);
    memcpy (rng.counter, known->counter, sizeof rng.counter);
    for (int word = 0; word < 4; word++)
      g_assert_cmphex (laurel_rng_next (&rng), ==, known->block[word]);
  }
}

static void
test_next_block (void)
{
  LaurelRng rng, second;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 3, 5);
  second = rng;
  second.counter[0] = 1;
  for (int word = 0; word < 4; word++)
    laurel_rng_next (&rng);
  for (int word = 0; word < 4; word++)
    g_assert_cmphex (laurel_rng_next (&rng), ==, laurel_rng_next (&second));
}

#define N_DRAWS 65536

static void
test_uniform (void)
{
  LaurelRng rng;
  double sum = 0, square = 0;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < N_DRAWS; i++) {
    double u = laurel_rng_uniform (&rng);

    g_assert_cmpfloat (u, >=, 0.0);
    g_assert_cmpfloat (u, <, 1.0);
    sum += u;
    square += u * u;
  }
  /* Var (u) = 1/12, Var (u²) = 4/45. */
  g_assert_cmpfloat_with_epsilon (sum / N_DRAWS, 0.5, 5 * sqrt (1.0 / 12 / N_DRAWS));
  g_assert_cmpfloat_with_epsilon (square / N_DRAWS, 1.0 / 3, 5 * sqrt (4.0 / 45 / N_DRAWS));
}

static void
test_normal (void)
{
  LaurelRng rng;
  double sum = 0, square = 0;
  int n_far = 0;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 1);
  for (int i = 0; i < N_DRAWS; i++) {
    double x = laurel_rng_normal (&rng);

    sum += x;
    square += x * x;
    n_far += fabs (x) > 2.0;
  }
  g_assert_cmpfloat_with_epsilon (sum / N_DRAWS, 0.0, 5 * sqrt (1.0 / N_DRAWS));
  /* Var (x²) = 2. */
  g_assert_cmpfloat_with_epsilon (square / N_DRAWS, 1.0, 5 * sqrt (2.0 / N_DRAWS));
  /* P (|x| > 2) = 0.0455, a binomial share. */
  g_assert_cmpfloat_with_epsilon ((double) n_far / N_DRAWS, 0.0455,
                                  5 * sqrt (0.0455 * 0.9545 / N_DRAWS));
}

static void
test_below (void)
{
  enum { N = 7 };
  LaurelRng rng;
  int counts[N] = { 0 };
  double chi_square = 0;

  laurel_rng_init (&rng, 2, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < N_DRAWS; i++) {
    guint32 draw = laurel_rng_below (&rng, N);

    g_assert_cmpuint (draw, <, N);
    counts[draw]++;
  }
  for (int i = 0; i < N; i++)
    chi_square += pow (counts[i] - (double) N_DRAWS / N, 2) / ((double) N_DRAWS / N);
  /* Six degrees of freedom: mean 6, variance 12. */
  g_assert_cmpfloat (chi_square, <, 6 + 5 * sqrt (12));
  g_assert_cmpuint (laurel_rng_below (&rng, 1), ==, 0);
}

/* Of this bound a quarter of the draws is thrown away; what is left must still be even. */
static void
test_below_unbiased (void)
{
  const guint32 n = 0xc0000000u;
  LaurelRng rng;
  int n_low = 0;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < N_DRAWS; i++)
    n_low += laurel_rng_below (&rng, n) < n / 2;
  /* Taken modulo n without throwing away, five of eight would be low. */
  g_assert_cmpfloat_with_epsilon ((double) n_low / N_DRAWS, 0.5, 5 * sqrt (0.25 / N_DRAWS));
}

static void
test_shuffle_permutes (void)
{
  enum { N = 1000 };
  LaurelRng rng;
  guint32 items[N];
  gboolean seen[N] = { FALSE };
  int n_fixed = 0;

  for (guint32 i = 0; i < N; i++)
    items[i] = i;
  laurel_rng_init (&rng, 4, LAUREL_RNG_SHUFFLE, 0, 0);
  laurel_rng_shuffle (&rng, items, N);
  for (guint32 i = 0; i < N; i++) {
    g_assert_cmpuint (items[i], <, N);
    g_assert_false (seen[items[i]]);
    seen[items[i]] = TRUE;
    n_fixed += items[i] == i;
  }
  /* A random permutation leaves one item in place on average, with variance one. */
  g_assert_cmpint (n_fixed, <, 7);
}

/* All 24 orders of four items come up equally often. */
static void
test_shuffle_even (void)
{
  enum { N_ORDERS = 24, N_SHUFFLES = 24000 };
  int counts[256] = { 0 };
  double chi_square = 0;
  int n_orders = 0;

  for (guint64 row = 0; row < N_SHUFFLES; row++) {
    guint32 items[] = { 0, 1, 2, 3 };
    LaurelRng rng;

    laurel_rng_init (&rng, 5, LAUREL_RNG_SHUFFLE, 0, row);
    laurel_rng_shuffle (&rng, items, 4);
    counts[items[0] << 6 | items[1] << 4 | items[2] << 2 | items[3]]++;
  }
  for (int code = 0; code < 256; code++) {
    if (counts[code] == 0)
      continue;
    n_orders++;
    chi_square += pow (counts[code] - N_SHUFFLES / N_ORDERS, 2) / (N_SHUFFLES / N_ORDERS);
  }
  g_assert_cmpint (n_orders, ==, N_ORDERS);
  /* 23 degrees of freedom: mean 23, variance 46. */
  g_assert_cmpfloat (chi_square, <, 23 + 5 * sqrt (46));
}

static void
test_shuffle_small (void)
{
  guint32 items[] = { 9 };
  LaurelRng rng;

  laurel_rng_init (&rng, 6, LAUREL_RNG_SHUFFLE, 0, 0);
  laurel_rng_shuffle (&rng, items, 0);
  laurel_rng_shuffle (&rng, items, 1);
  g_assert_cmpuint (items[0], ==, 9);
}

static void
test_same_name_same_numbers (void)
{
  LaurelRng first, second, other;

  laurel_rng_init (&first, 11, LAUREL_RNG_SAMPLE, 12, 13);
  laurel_rng_init (&second, 11, LAUREL_RNG_SAMPLE, 12, 13);
  laurel_rng_init (&other, 11, LAUREL_RNG_SAMPLE, 12, 14);
  for (int i = 0; i < 100; i++) {
    laurel_rng_next (&other); /* reading one stream does not move another */
    g_assert_cmphex (laurel_rng_next (&first), ==, laurel_rng_next (&second));
  }
}

/* A change of any one word of a stream's name, in its lower or its upper half, gives unrelated
 * numbers. */
static void
test_streams_differ (void)
{
  static const struct {
    guint64 seed;
    LaurelRngPurpose purpose;
    guint64 step, row;
  } names[] = {
    { 0, LAUREL_RNG_INIT, 0, 0 },
    { 1, LAUREL_RNG_INIT, 0, 0 },
    { G_GUINT64_CONSTANT (1) << 63, LAUREL_RNG_INIT, 0, 0 },
    { 0, LAUREL_RNG_SHUFFLE, 0, 0 },
    { 0, LAUREL_RNG_TEST, 0, 0 },
    { 0, LAUREL_RNG_INIT, 1, 0 },
    { 0, LAUREL_RNG_INIT, G_GUINT64_CONSTANT (1) << 32, 0 },
    { 0, LAUREL_RNG_INIT, 0, 1 },
    { 0, LAUREL_RNG_INIT, 0, G_GUINT64_CONSTANT (1) << 32 },
  };

  for (gsize a = 0; a < G_N_ELEMENTS (names); a++) {
    for (gsize b = a + 1; b < G_N_ELEMENTS (names); b++) {
      LaurelRng x, y;
      int n_bits = 0;

      laurel_rng_init (&x, names[a].seed, names[a].purpose, names[a].step, names[a].row);
      laurel_rng_init (&y, names[b].seed, names[b].purpose, names[b].step, names[b].row);
      for (int i = 0; i < 128; i++)
        n_bits += __builtin_popcount (laurel_rng_next (&x) ^ laurel_rng_next (&y));
      /* 4096 bits agree or not by the toss of a coin: standard deviation 32. */
      g_assert_cmpint (ABS (n_bits - 2048), <, 5 * 32);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/rng/known-answers", test_known_answers);
  g_test_add_func ("/base/rng/next-block", test_next_block);
  g_test_add_func ("/base/rng/uniform", test_uniform);
  g_test_add_func ("/base/rng/normal", test_normal);
  g_test_add_func ("/base/rng/below", test_below);
  g_test_add_func ("/base/rng/below/unbiased", test_below_unbiased);
  g_test_add_func ("/base/rng/shuffle/permutes", test_shuffle_permutes);
  g_test_add_func ("/base/rng/shuffle/even", test_shuffle_even);
  g_test_add_func ("/base/rng/shuffle/small", test_shuffle_small);
  g_test_add_func ("/base/rng/same-name-same-numbers", test_same_name_same_numbers);
  g_test_add_func ("/base/rng/streams-differ", test_streams_differ);
  return g_test_run ();
}
