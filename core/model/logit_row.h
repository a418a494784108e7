/* logit_row.h: one row of logits as the sampler reads it, in blocks.
 *
 * The largest logit and the weight e^((x − max)/T) of each block are kept, so
 * that a draw rereads one block, and a filter only those that can hold what it
 * keeps. Nothing is ever sorted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const float *logits; /* (V) */
  int V, n_blocks;
  float inverse;     /* 1 / temperature */
  float max;         /* the largest logit */
  double total;      /* Σ of all weights */
  float *maxima;     /* (n_blocks) */
  float *sums;       /* (n_blocks) */
  /* scratch for what the filters look at: (V + 1) each, by id unless select has been at them */
  int *ids;
  float *values, *weights;
} LaurelLogitRow;

/* Bytes that laurel_logit_row_init() wants. */
gsize laurel_logit_row_scratch_size (int V);
void laurel_logit_row_init (LaurelLogitRow *self, int V, void *scratch);

/* Reads @logits. FALSE when they make no distribution: a NaN, a +∞, or nothing but −∞. */
gboolean laurel_logit_row_read (LaurelLogitRow *self, const float *logits, double temperature);

/* The lowest id of the largest logit. */
int laurel_logit_row_find_max (const LaurelLogitRow *self);

/* The token where the running sum of weights passes @u (under 1) of all. */
int laurel_logit_row_draw (const LaurelLogitRow *self, double u);

/* What a filter leaves: tokens over @floor, and the first @n_equal of those at it, by id. */
typedef struct {
  float floor;
  int n_equal;
} LaurelLogitCut;

/* The tokens among the k largest, ties with the last of them included. */
LaurelLogitCut laurel_logit_row_cut_top_k (LaurelLogitRow *self, int k);
/* Of those that @cut leaves, the fewest likeliest that hold @top_p of their weight. */
LaurelLogitCut laurel_logit_row_cut_top_p (LaurelLogitRow *self, LaurelLogitCut cut, double top_p);
LaurelLogitCut laurel_logit_row_cut_min_p (const LaurelLogitRow *self, LaurelLogitCut cut, double min_p);

/* As laurel_logit_row_draw(), of what @cut leaves; *@out_total is its weight. */
int laurel_logit_row_draw_cut (LaurelLogitRow *self, LaurelLogitCut cut, double u, double *out_total);

G_END_DECLS
