/* test-rollout.c: token records survive storing, bit by bit, and add up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/rollout.h"

#include <math.h>
#include <string.h>

#define N_TOKENS 17
#define SCORE 1.75
#define KL_COEF 0.05

/* A rollout as PPO pays it: −β·KL on every token, the score on the last. */
static LaurelRollout *
make_rollout (void)
{
  LaurelRollout *rollout = g_new0 (LaurelRollout, 1);
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  rollout->n_tokens = N_TOKENS;
  rollout->score = SCORE;
  rollout->kl_coef = KL_COEF;
  rollout->records = g_new0 (LaurelTokenRecord, N_TOKENS);
  for (int t = 0; t < N_TOKENS; t++) {
    LaurelTokenRecord *record = &rollout->records[t];

    record->token = t * 3;
    record->logprob = -(float) laurel_rng_uniform (&rng) * 5;
    record->ref_logprob = -(float) laurel_rng_uniform (&rng) * 5;
    record->kl = record->logprob - record->ref_logprob;
    record->exact_kl = NAN;
    record->entropy = (float) laurel_rng_uniform (&rng);
    record->reward = (float) (-KL_COEF * record->kl + (t == N_TOKENS - 1 ? SCORE : 0));
    record->value = (float) laurel_rng_normal (&rng);
    record->advantage = (float) laurel_rng_normal (&rng);
    record->return_ = (float) laurel_rng_normal (&rng);
    record->ratio = 1;
    record->clipped = t & 1;
  }
  return rollout;
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LaurelRollout) rollout = make_rollout ();
  g_autoptr (GBytes) bytes = laurel_token_records_to_bytes (rollout->records, N_TOKENS);
  g_autofree LaurelTokenRecord *back = NULL;
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  int n = 0;

  g_assert_cmpuint (size, ==, N_TOKENS * 48);
  g_assert_true (laurel_token_records_from_bytes (data, size, &back, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, N_TOKENS);
  /* Bytes, not numbers: NaN must come back as well. */
  g_assert_cmpmem (back, n * sizeof *back, rollout->records, N_TOKENS * sizeof *back);
}

/* The layout on the disk is fixed: words in the struct's order, lowest byte first. */
static void
test_layout (void)
{
  const LaurelTokenRecord record = { .token = 0x01020304, .logprob = 1.0f, .clipped = 1 };
  g_autoptr (GBytes) bytes = laurel_token_records_to_bytes (&record, 1);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  const guint8 token[] = { 0x04, 0x03, 0x02, 0x01 };
  const guint8 one[] = { 0x00, 0x00, 0x80, 0x3f };
  const guint8 clipped[] = { 0x01, 0x00, 0x00, 0x00 };

  g_assert_cmpmem (data, 4, token, 4);
  g_assert_cmpmem (data + 4, 4, one, 4);
  g_assert_cmpmem (data + 44, 4, clipped, 4);
}

static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = laurel_token_records_to_bytes (NULL, 0);
  g_autofree LaurelTokenRecord *back = NULL;
  int n = -1;

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
  g_assert_true (laurel_token_records_from_bytes (NULL, 0, &back, &n, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 0);
}

static void
test_damaged (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree LaurelTokenRecord *back = NULL;
  const char bytes[47] = { 0 };
  int n = -1;

  g_assert_false (laurel_token_records_from_bytes (bytes, sizeof bytes, &back, &n, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_null (back);
}

static void
test_identity (void)
{
  g_autoptr (LaurelRollout) rollout = make_rollout ();
  double sum_kl = 0;

  for (int t = 0; t < N_TOKENS; t++)
    sum_kl += rollout->records[t].logprob - rollout->records[t].ref_logprob;
  /* Each of 17 rewards is rounded to float once: 17 × 2⁻²⁴ × 2 < 1e-5. */
  g_assert_cmpfloat_with_epsilon (laurel_rollout_sum_kl (rollout), sum_kl, 1e-5);
  g_assert_cmpfloat_with_epsilon (laurel_rollout_sum_reward (rollout), SCORE - KL_COEF * sum_kl,
                                  1e-5);
  g_assert_cmpfloat (fabs (sum_kl), >, 0.1); /* or the identity would hold without the KL term */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/rollout/round-trip", test_round_trip);
  g_test_add_func ("/base/rollout/layout", test_layout);
  g_test_add_func ("/base/rollout/empty", test_empty);
  g_test_add_func ("/base/rollout/damaged", test_damaged);
  g_test_add_func ("/base/rollout/identity", test_identity);
  return g_test_run ();
}
