/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"

#include <math.h>

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define PHILOX_ROUNDS 10

static void
philox (const guint32 key[2], const guint32 counter[4], guint32 out[4])
{
  guint32 k0 = key[0], k1 = key[1];
  guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    guint64 p0 = (guint64) PHILOX_M0 * c0;
    guint64 p1 = (guint64) PHILOX_M1 * c2;
    guint32 n0 = (guint32) (p1 >> 32) ^ c1 ^ k0;
    guint32 n2 = (guint32) (p0 >> 32) ^ c3 ^ k1;

    c1 = (guint32) p1;
    c3 = (guint32) p0;
    c0 = n0;
    c2 = n2;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* The key carries the seed, the counter what the numbers are for; its first
 * word counts blocks, so streams of different (purpose, step, row) never meet
 * before 2^32 blocks. */
void
laurel_rng_init (LaurelRng *rng, guint64 seed, LaurelRngPurpose purpose, guint64 step, guint64 row)
{
  rng->key[0] = (guint32) seed;
  rng->key[1] = (guint32) (seed >> 32) ^ ((guint32) purpose << 24);
  rng->counter[0] = 0;
  rng->counter[1] = (guint32) step;
  rng->counter[2] = (guint32) row;
  rng->counter[3] = (guint32) (step >> 32) ^ ((guint32) (row >> 32) << 16);
  rng->n_used = 4;
}

guint32
laurel_rng_next (LaurelRng *rng)
{
  if (rng->n_used == 4) {
    philox (rng->key, rng->counter, rng->block);
    rng->counter[0]++;
    rng->n_used = 0;
  }
  return rng->block[rng->n_used++];
}

double
laurel_rng_uniform (LaurelRng *rng)
{
  guint64 high = laurel_rng_next (rng) >> 5;
  guint64 low = laurel_rng_next (rng) >> 6;

  return (double) (high << 26 | low) / 9007199254740992.0;
}

/* Box–Muller; the second number of the pair is not kept, so that a stream's
 * state is its counter alone. */
double
laurel_rng_normal (LaurelRng *rng)
{
  double u = 1.0 - laurel_rng_uniform (rng); /* (0, 1] */
  double v = laurel_rng_uniform (rng);

  return sqrt (-2.0 * log (u)) * cos (2.0 * G_PI * v);
}

guint32
laurel_rng_below (LaurelRng *rng, guint32 n)
{
  guint32 limit;
  guint32 draw;

  g_return_val_if_fail (n > 0, 0);

  limit = -n % n; /* 2^32 mod n: draws under it would favour small numbers */
  do {
    draw = laurel_rng_next (rng);
  } while (draw < limit);
  return draw % n;
}

void
laurel_rng_shuffle (LaurelRng *rng, guint32 *items, gsize n)
{
  for (gsize i = n; i > 1; i--) {
    gsize j = laurel_rng_below (rng, (guint32) i);
    guint32 swap = items[i - 1];

    items[i - 1] = items[j];
    items[j] = swap;
  }
}
