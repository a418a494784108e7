/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>

LAUREL_CLONES double
laurel_log_sum_exp (const float *logits, int V, double temperature)
{
  float inverse = (float) (1.0 / temperature);
  float max = -INFINITY;
  double sum = 0;

#pragma omp simd reduction(max : max)
  for (int v = 0; v < V; v++)
    max = logits[v] > max ? logits[v] : max;
#pragma omp simd reduction(+ : sum)
  for (int v = 0; v < V; v++)
    sum += (double) laurel_expf ((logits[v] - max) * inverse);
  return (double) max * inverse + log (sum);
}

LAUREL_CLONES double
laurel_log_softmax (float *logits, int V, double temperature)
{
  float inverse = (float) (1.0 / temperature);
  double log_sum = laurel_log_sum_exp (logits, V, temperature);
  double entropy = 0;

#pragma omp simd reduction(+ : entropy)
  for (int v = 0; v < V; v++) {
    float logp = (float) ((double) (logits[v] * inverse) - log_sum);

    logits[v] = logp;
    entropy -= (double) (laurel_expf (logp) * logp);
  }
  return entropy;
}

LAUREL_CLONES void
laurel_softmax_backward (float *logits, int V, double temperature, double log_sum, int target,
                         double dlogprob)
{
  float inverse = (float) (1.0 / temperature);
  float scale = (float) (dlogprob / temperature);

#pragma omp simd
  for (int v = 0; v < V; v++)
    logits[v] = -scale * laurel_expf ((float) ((double) (logits[v] * inverse) - log_sum));
  logits[target] += scale;
}

LAUREL_CLONES double
laurel_kl_divergence (const float *logp, const float *ref_logp, int V)
{
  double sum = 0;

#pragma omp simd reduction(+ : sum)
  for (int v = 0; v < V; v++)
    sum += (double) (laurel_expf (logp[v]) * (logp[v] - ref_logp[v]));
  return sum;
}
