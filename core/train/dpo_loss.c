/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/dpo_loss.h"

#include "core/train/reward_loss.h"

#include <math.h>
#include <string.h>

static gboolean
is_strict (const int *ranks, const int *twins, int i, int j)
{
  return ranks[i] != ranks[j] && (twins == NULL || twins[i] != twins[j]);
}

int
laurel_dpo_count_pairs (const int *ranks, const int *twins, int n)
{
  int n_pairs = 0;

  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      n_pairs += is_strict (ranks, twins, i, j);
  return n_pairs;
}

/* ℓ(h) and its derivative. */
static double
sigmoid_loss (double h, const LaurelHyperparameters *hp, double *dh)
{
  double kept = 1 - hp->label_smoothing, flipped = hp->label_smoothing;
  double right = laurel_log_sigmoid (hp->beta * h), wrong = laurel_log_sigmoid (-hp->beta * h);

  /* σ(x) = e^(log σ(x)), which neither side overflows. */
  *dh = hp->beta * (flipped * exp (right) - kept * exp (wrong));
  return -kept * right - flipped * wrong;
}

static double
ipo_loss (double h, const LaurelHyperparameters *hp, double *dh)
{
  double miss = h - 1 / (2 * hp->beta);

  *dh = 2 * miss;
  return miss * miss;
}

/* How much likelier the completion became, and what a nat of it counts. */
static double
get_gain (const LaurelDpoCompletion *completion, const LaurelHyperparameters *hp, double *out_share)
{
  *out_share = hp->loss_type == LAUREL_DPO_IPO ? 1.0 / completion->n_tokens : 1;
  return (completion->logprob - completion->ref_logprob) * *out_share;
}

static double
add_pair (const LaurelDpoCompletion *better,
          const LaurelDpoCompletion *worse,
          const LaurelHyperparameters *hp,
          double *dbetter,
          double *dworse)
{
  double better_share, worse_share, dh, loss;
  double h = get_gain (better, hp, &better_share) - get_gain (worse, hp, &worse_share);

  loss = hp->loss_type == LAUREL_DPO_IPO ? ipo_loss (h, hp, &dh) : sigmoid_loss (h, hp, &dh);
  *dbetter = dh * better_share;
  *dworse = -dh * worse_share;
  return loss;
}

static void
count_pair (const LaurelDpoCompletion *better,
            const LaurelDpoCompletion *worse,
            const LaurelHyperparameters *hp,
            LaurelDpoStats *stats)
{
  double chosen = hp->beta * (better->logprob - better->ref_logprob);
  double rejected = hp->beta * (worse->logprob - worse->ref_logprob);

  stats->n_pairs++;
  stats->n_right += chosen > rejected ? 1 : chosen == rejected ? 0.5 : 0;
  stats->chosen += chosen;
  stats->rejected += rejected;
  stats->logps_chosen += better->logprob;
  stats->logps_rejected += worse->logprob;
}

double
laurel_dpo_loss (const LaurelDpoCompletion *completions,
                 const int *ranks,
                 const int *twins,
                 int n,
                 const LaurelHyperparameters *hp,
                 double scale,
                 double *dlogprobs,
                 LaurelDpoStats *out_stats)
{
  LaurelDpoStats stats = { 0 };
  int n_pairs = laurel_dpo_count_pairs (ranks, twins, n);
  double loss = 0;

  if (dlogprobs != NULL)
    memset (dlogprobs, 0, sizeof *dlogprobs * (gsize) n);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double dbetter, dworse;

      if (ranks[i] >= ranks[j] || !is_strict (ranks, twins, i, j))
        continue;
      loss += add_pair (&completions[i], &completions[j], hp, &dbetter, &dworse) / n_pairs;
      count_pair (&completions[i], &completions[j], hp, &stats);
      if (dlogprobs == NULL)
        continue;
      dlogprobs[i] += scale * dbetter / n_pairs;
      dlogprobs[j] += scale * dworse / n_pairs;
    }
  }
  if (out_stats != NULL)
    *out_stats = stats;
  return loss;
}
