/* SPDX-License-Identifier: Apache-2.0 */
#include "core/project/evaluate_best_of.h"

#include "core/train/best_of_n.h"

#include <math.h>

/* Figures of the prompts, as many as there are; those of harmful ones and of questions of fact are
 * fewer. */
typedef struct {
  double *values;
  int n;
} Figures;

typedef struct {
  Figures kl, proxy, gold, win_rate, proxy_win_rate, complied, right, stopped, length;
} Prompts;

/* One prompt's samples. */
typedef struct {
  LaurelJudged **judged; /* (n) */
  int n;
  double *proxy; /* (n) */
  double *gold;
  double *weights; /* see laurel_best_of_n_weights() */
} Samples;

static void
add_figure (Figures *figures, double value)
{
  if (!isnan (value))
    figures->values[figures->n++] = value;
}

static void
add_prompt (const Samples *samples, int n, Prompts *out)
{
  const LaurelJudged *first = samples->judged[0];
  double proxy = 0, gold = 0, complied = 0, right = 0, stopped = 0, length = 0;

  for (int i = 0; i < samples->n; i++) {
    const LaurelJudged *judged = samples->judged[i];
    double weight = samples->weights[i];

    proxy += weight * samples->proxy[i];
    gold += weight * samples->gold[i];
    complied += weight * judged->parts.complied;
    right += weight * judged->parts.fact_right;
    stopped += weight * judged->parts.stopped;
    length += weight * judged->n_tokens;
  }
  add_figure (&out->kl, laurel_best_of_n_kl (samples->proxy, NULL, samples->n, n));
  add_figure (&out->proxy, proxy);
  add_figure (&out->gold, gold);
  add_figure (&out->win_rate,
              laurel_best_of_n_win_rate (samples->proxy, samples->gold, samples->n, n));
  add_figure (&out->proxy_win_rate,
              laurel_best_of_n_win_rate (samples->proxy, samples->proxy, samples->n, n));
  add_figure (&out->complied, first->parts.is_harmful ? complied : NAN);
  add_figure (&out->right, first->parts.is_fact ? right : NAN);
  add_figure (&out->stopped, stopped);
  add_figure (&out->length, length);
}

static LaurelInterval
sum_up (Figures *figures, guint64 seed)
{
  return laurel_bootstrap_mean_clustered (figures->values, NULL, figures->n,
                                          LAUREL_BOOTSTRAP_RESAMPLES, seed);
}

/* The same of shares. Win rates are none of these: one sample beats another in just half of the
 * cases, whatever the prompts. */
static LaurelInterval
sum_up_shares (Figures *figures, guint64 seed)
{
  LaurelInterval interval = sum_up (figures, seed);

  laurel_interval_widen_share (&interval, figures->n);
  return interval;
}

void
laurel_best_of_estimate (
    GPtrArray *judged, int n_samples, int n, guint64 seed, LaurelBestOfEstimate *out)
{
  int n_prompts = (int) judged->len / n_samples;
  g_autofree double *room = g_new (double, 9 * (n_prompts + 1) + 3 * n_samples);
  Prompts prompts;
  Figures *figures[] = { &prompts.kl,             &prompts.proxy,    &prompts.gold,
                         &prompts.win_rate,       &prompts.complied, &prompts.right,
                         &prompts.proxy_win_rate, &prompts.stopped,  &prompts.length };
  Samples samples = { .n = n_samples, .proxy = room + 9 * (n_prompts + 1) };

  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    *figures[i] = (Figures){ room + i * (gsize) (n_prompts + 1), 0 };
  samples.gold = samples.proxy + n_samples;
  samples.weights = samples.gold + n_samples;
  for (int p = 0; p < n_prompts; p++) {
    samples.judged = (LaurelJudged **) judged->pdata + p * n_samples;
    for (int i = 0; i < n_samples; i++) {
      samples.proxy[i] = samples.judged[i]->proxy;
      samples.gold[i] = samples.judged[i]->parts.score;
    }
    laurel_best_of_n_weights (samples.proxy, n_samples, n, samples.weights);
    add_prompt (&samples, n, &prompts);
  }
  *out = (LaurelBestOfEstimate){ .n = n,
                                 .kl_bound = laurel_best_of_n_kl_bound (n),
                                 .kl = sum_up (&prompts.kl, seed),
                                 .proxy = sum_up (&prompts.proxy, seed),
                                 .gold = sum_up (&prompts.gold, seed),
                                 .win_rate = sum_up (&prompts.win_rate, seed),
                                 .proxy_win_rate = sum_up (&prompts.proxy_win_rate, seed),
                                 .complied = sum_up_shares (&prompts.complied, seed),
                                 .right = sum_up_shares (&prompts.right, seed),
                                 .stopped = sum_up_shares (&prompts.stopped, seed),
                                 .length = sum_up (&prompts.length, seed) };
}
