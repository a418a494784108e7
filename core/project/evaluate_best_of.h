/* evaluate_best_of.h: what best-of-n is worth for every n, from samples drawn once.
 *
 * N samples a prompt, scored by a proxy and by a judge, say without bias what
 * best-of-n would be like for each n up to N (core/train/best_of_n.h). Prompts
 * are what is independent, so intervals draw whole prompts again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/project/evaluate.h"
#include "core/store/store.h"

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

/* What no best of @n passes in wins over one sample: n / (n + 1). */
double laurel_best_of_win_limit (int n);

/* @judged (element-type LaurelJudged): @n_samples of each prompt, one prompt after the other, with their proxy. @n from 1
 * to @n_samples. The same @seed gives the same intervals. */
void laurel_best_of_estimate (GPtrArray *judged, int n_samples, int n, guint64 seed, LaurelBestOfEstimate *out);

typedef struct {
  const char *model;        /* who writes: a name or a directory */
  const char *reward_model; /* who chooses: the proxy */
  const char *judge;        /* gold: a rule file or a reward model; NULL: the proxy, which is then both */
  const char *split;        /* NULL: “heldout” */
  int n_prompts;            /* the first so many; 0: all */
  int n_samples;            /* of each prompt */
  const int *counts;        /* (nullable): the n's that are asked about, each 1 … @n_samples; NULL: 1, 2, 4, … */
  int n_counts;
  LaurelSamplingOptions options;
  LaurelGenerateProgress progress; /* NULL: none; samples */
  gpointer user_data;
} LaurelBestOfRequest;

typedef struct {
  GArray *estimates; /* (element-type LaurelBestOfEstimate) in the order of the n's */
  int n_prompts, n_samples;
  char *gold; /* the judge's name; NULL: there is none but the proxy */
} LaurelBestOfCurve;

LaurelBestOfCurve *laurel_evaluate_best_of (LaurelStore *store, const char *project_path, const LaurelBestOfRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_best_of_curve_free (LaurelBestOfCurve *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelBestOfCurve, laurel_best_of_curve_free)

G_END_DECLS
