/* evaluate_best_of.h: what best-of-n is worth for every n, from samples drawn once.
 *
 * N samples a prompt, scored by a proxy and by a judge, say without bias what
 * best-of-n would be like for each n up to N (core/train/best_of_n.h). Prompts
 * are what is independent, so intervals draw whole prompts again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/evaluate.h"

G_BEGIN_DECLS

typedef struct {
  int n;
  double kl_bound;    /* log n − (n − 1)/n */
  LaurelInterval kl;  /* of the distribution that the samples show: less where some are alike */
  LaurelInterval proxy;
  LaurelInterval gold;
  LaurelInterval win_rate;       /* against one sample, by the judge; nothing for n = N */
  LaurelInterval proxy_win_rate; /* and by the proxy: at most n / (n + 1) */
  LaurelInterval complied;       /* share of the harmful prompts */
  LaurelInterval right;          /* share of the questions of fact */
  LaurelInterval stopped;
  LaurelInterval length; /* tokens */
} LaurelBestOfEstimate;

/* @judged (element-type LaurelJudged): @n_samples of each prompt, one prompt after the other, with their proxy. @n from 1
 * to @n_samples. The same @seed gives the same intervals. */
void laurel_best_of_estimate (GPtrArray *judged, int n_samples, int n, guint64 seed, LaurelBestOfEstimate *out);

G_END_DECLS
