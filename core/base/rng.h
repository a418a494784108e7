/* rng.h: counter-based random numbers (Philox 4x32-10).
 *
 * A stream is named by (seed, purpose, step, row), so a resumed run draws the
 * same numbers without any saved generator state, and completion j of prompt i
 * draws the same numbers whatever else is sampled with it.
 *
 * Salmon et al., “Parallel random numbers: as easy as 1, 2, 3”, SC 2011.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_RNG_INIT = 1,  /* parameter initialisation */
  LAUREL_RNG_SHUFFLE,   /* order of training rows, of prompts */
  LAUREL_RNG_SAMPLE,    /* sampling tokens */
  LAUREL_RNG_MINIBATCH, /* order of rollout rows within a PPO epoch */
  LAUREL_RNG_LABEL,     /* simulated labelers */
  LAUREL_RNG_BLIND,     /* the order in which a labeler sees completions */
  LAUREL_RNG_SPLIT,     /* training and held-out rows */
  LAUREL_RNG_DATA,      /* generated text */
  LAUREL_RNG_BOOTSTRAP, /* intervals */
  LAUREL_RNG_TEST,
  LAUREL_RNG_QUEUE,     /* the random part of the labelers' queue */
} LaurelRngPurpose;

typedef struct {
  guint32 key[2];
  guint32 counter[4];
  guint32 block[4];
  int n_used; /* words of @block already handed out */
} LaurelRng;

void laurel_rng_init (LaurelRng *rng, guint64 seed, LaurelRngPurpose purpose, guint64 step, guint64 row);
guint32 laurel_rng_next (LaurelRng *rng);
double laurel_rng_uniform (LaurelRng *rng);                       /* [0, 1), 53 bits */
double laurel_rng_normal (LaurelRng *rng);                        /* mean 0, variance 1 */
guint32 laurel_rng_below (LaurelRng *rng, guint32 n);             /* 0 … n − 1, unbiased */
void laurel_rng_shuffle (LaurelRng *rng, guint32 *items, gsize n); /* Fisher–Yates */

G_END_DECLS
