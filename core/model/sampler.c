/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/sampler.h"

#include "core/base/error.h"
#include "core/math/kernels.h"

#include <math.h>
#include <stdlib.h>

gboolean
laurel_sampling_options_validate (const LaurelSamplingOptions *options, GError **error)
{
  const char *why = NULL;

  if (!(options->temperature >= 0 && options->temperature <= 100))
    why = "temperature must be from 0 to 100";
  else if (options->top_k < 0)
    why = "top_k must be 0 (off) or more";
  else if (!(options->top_p > 0 && options->top_p <= 1))
    why = "top_p must be over 0 and at most 1 (off)";
  else if (!(options->min_p >= 0 && options->min_p < 1))
    why = "min_p must be from 0 (off) to under 1";
  else if (options->max_tokens < 1)
    why = "max_tokens must be at least 1";
  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: %s; correct it", why);
  return FALSE;
}

static int
greedy (const float *logits, int V)
{
  int best = 0;

  for (int v = 1; v < V; v++)
    if (logits[v] > logits[best])
      best = v;
  return best;
}

static int
compare_falling (const void *a, const void *b, void *logp)
{
  int i = *(const int *) a, j = *(const int *) b;
  float x = ((const float *) logp)[i], y = ((const float *) logp)[j];

  if (x != y)
    return x > y ? -1 : 1;
  return i - j; /* equals in order of id, so that the cut is the same everywhere */
}

/* How many of the tokens in @order survive the filters. */
static int
count_kept (const LaurelSamplingOptions *options, const float *logp, const int *order, int V)
{
  int kept = V;
  double total = 0, sum = 0;

  if (options->top_k > 0)
    kept = MIN (kept, options->top_k);
  for (int i = 0; i < kept; i++)
    total += exp ((double) logp[order[i]]);
  if (options->top_p < 1) {
    int i = 0;

    while (i < kept && sum < options->top_p * total)
      sum += exp ((double) logp[order[i++]]);
    kept = MAX (i, 1);
  }
  if (options->min_p > 0) {
    double floor = (double) logp[order[0]] + log (options->min_p);

    while (kept > 1 && (double) logp[order[kept - 1]] < floor)
      kept--;
  }
  return kept;
}

static int
draw_filtered (const LaurelSamplingOptions *options, const float *logp, int V, double u, int *order,
               float *logprob)
{
  double total = 0, sum = 0;
  int kept, i;

  for (int v = 0; v < V; v++)
    order[v] = v;
  qsort_r (order, (gsize) V, sizeof *order, compare_falling, (void *) logp);
  kept = count_kept (options, logp, order, V);
  for (i = 0; i < kept; i++)
    total += exp ((double) logp[order[i]]);
  for (i = 0; i < kept - 1; i++) {
    sum += exp ((double) logp[order[i]]);
    if (u * total < sum)
      break;
  }
  *logprob = (float) ((double) logp[order[i]] - log (total));
  return order[i];
}

static int
draw_plain (const float *logp, int V, double u, float *logprob)
{
  double sum = 0;
  int token = -1;

  for (int v = 0; v < V && token < 0; v++) {
    sum += exp ((double) logp[v]);
    if (u < sum)
      token = v;
  }
  if (token < 0) /* u fell into the rounding error past the last sum */
    token = greedy (logp, V);
  *logprob = logp[token];
  return token;
}

int
laurel_sampler_draw (const LaurelSamplingOptions *options, float *logits, int V, LaurelRng *rng,
                     int *order, float *logprob)
{
  double u = laurel_rng_uniform (rng);

  if (options->temperature == 0) {
    *logprob = 0;
    return greedy (logits, V);
  }
  laurel_log_softmax (logits, V, options->temperature);
  if (options->top_k > 0 || options->top_p < 1 || options->min_p > 0)
    return draw_filtered (options, logits, V, u, order, logprob);
  return draw_plain (logits, V, u, logprob);
}
