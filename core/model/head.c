/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/head.h"

#include "core/base/memory.h"
#include "core/math/kernels.h"

#include <string.h>

/* 4 MiB of logits at a time stay in the cache; fewer rows than MIN_ROWS would starve the matrix
 * products. */
#define CHUNK_FLOATS (1u << 20)
#define MIN_ROWS 256

static int
chunk_rows (const LaurelModel *model, int n)
{
  int rows = (int) (CHUNK_FLOATS / (guint) model->config.vocab_size);

  return MIN (MAX (rows, MIN_ROWS), MAX (n, 1));
}

/* rows (n, C) = hidden[positions] */
static void
gather (float *rows, const float *hidden, const gint32 *positions, int n, int C)
{
  for (int i = 0; i < n; i++)
    memcpy (rows + (gsize) i * C, hidden + (gsize) positions[i] * C, (gsize) C * sizeof *rows);
}

/* logits (n, V) = rows (n, C) · headᵀ (C, V) */
static void
make_logits (const LaurelModel *model, float *logits, const float *rows, int n)
{
  int C = model->config.n_embd, V = model->config.vocab_size;

  laurel_matmul (FALSE, TRUE, n, V, C, rows, C, model->weights + model->at.head, C, FALSE, logits,
                 V);
}

/* What laurel_log_softmax() would leave at @target, to the bit, without working out the others. */
static float
get_logprob (const float *logits, int V, gint32 target, double temperature)
{
  float inverse = (float) (1.0 / temperature);

  return (float) ((double) (logits[target] * inverse)
                  - laurel_log_sum_exp (logits, V, temperature));
}

void
laurel_lm_head_compare (const LaurelModel *policy, const float *hidden,
                        const LaurelModel *reference, const float *ref_hidden,
                        const LaurelLabels *labels, double temperature,
                        float *logprobs, float *ref_logprobs, float *kl, float *entropies)
{
  int C = policy->config.n_embd, V = policy->config.vocab_size;
  int ref_C = reference != NULL ? reference->config.n_embd : 0; /* the two may differ in width */
  int rows = chunk_rows (policy, labels->n);
  gsize logit_size = (gsize) rows * (gsize) V;
  gsize row_size = (gsize) rows * (gsize) MAX (C, ref_C);
  float *gathered = laurel_scratch_get (LAUREL_SCRATCH_ROWS, row_size * sizeof (float));
  float *logits = laurel_scratch_get (LAUREL_SCRATCH_LOGITS, logit_size * sizeof (float));
  float *ref_logits =
      reference != NULL
          ? laurel_scratch_get (LAUREL_SCRATCH_REF_LOGITS, logit_size * sizeof (float))
          : NULL;

  for (int start = 0; start < labels->n; start += rows) {
    int n = MIN (rows, labels->n - start);

    gather (gathered, hidden, labels->positions + start, n, C);
    make_logits (policy, logits, gathered, n);
    if (reference != NULL) {
      gather (gathered, ref_hidden, labels->positions + start, n, ref_C);
      make_logits (reference, ref_logits, gathered, n);
    }
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
      float *row = logits + (gsize) i * V;
      gint32 target = labels->targets[start + i];
      double entropy = laurel_log_softmax (row, V, temperature);

      if (logprobs != NULL)
        logprobs[start + i] = row[target];
      if (entropies != NULL)
        entropies[start + i] = (float) entropy;
      if (reference != NULL && kl != NULL) {
        float *ref_row = ref_logits + (gsize) i * V;

        laurel_log_softmax (ref_row, V, temperature);
        if (ref_logprobs != NULL)
          ref_logprobs[start + i] = ref_row[target];
        kl[start + i] = (float) laurel_kl_divergence (row, ref_row, V);
      } else if (reference != NULL && ref_logprobs != NULL) {
        ref_logprobs[start + i] = get_logprob (ref_logits + (gsize) i * V, V, target, temperature);
      }
    }
  }
}

void
laurel_lm_head_logprobs (const LaurelModel *model, const float *hidden, const LaurelLabels *labels,
                         double temperature, float *logprobs, float *entropies)
{
  laurel_lm_head_compare (model, hidden, NULL, NULL, labels, temperature, logprobs, NULL, NULL,
                          entropies);
}

/* One chunk's losses: logits (n, V) become dlogits. */
static double
chunk_loss (const LaurelModel *model, float *logits, const LaurelLabels *labels, int start, int n,
            double temperature,
            LaurelTokenLoss loss, gpointer user_data, double scale, float *logprobs)
{
  int V = model->config.vocab_size;
  g_autofree double *losses = g_new (double, (gsize) n);
  double sum = 0;

#pragma omp parallel for schedule(static)
  for (int i = 0; i < n; i++) {
    float *row = logits + (gsize) i * V;
    gint32 target = labels->targets[start + i];
    double log_sum = laurel_log_sum_exp (row, V, temperature);
    double logprob = (double) row[target] / temperature - log_sum;
    double dlogprob = -scale;

    losses[i] = loss != NULL ? loss (start + i, (float) logprob, &dlogprob, user_data)
                : -scale * logprob;
    if (logprobs != NULL)
      logprobs[start + i] = (float) logprob;
    laurel_softmax_backward (row, V, temperature, log_sum, target, dlogprob);
  }
  for (int i = 0; i < n; i++)
    sum += losses[i];
  return sum;
}

double
laurel_lm_head_loss (const LaurelModel *model, const float *hidden, const LaurelLabels *labels,
                     double temperature,
                     LaurelTokenLoss loss, gpointer user_data, double scale, float *logprobs,
                     float *dhidden, float *gradients)
{
  int C = model->config.n_embd, V = model->config.vocab_size;
  int rows = chunk_rows (model, labels->n);
  gsize row_size = (gsize) rows * (gsize) C, logit_size = (gsize) rows * (gsize) V;
  float *gathered = laurel_scratch_get (LAUREL_SCRATCH_ROWS, 2 * row_size * sizeof (float));
  float *dgathered = gathered + (gsize) rows * (gsize) C;
  float *logits = laurel_scratch_get (LAUREL_SCRATCH_LOGITS, logit_size * sizeof (float));
  double sum = 0;

  for (int start = 0; start < labels->n; start += rows) {
    int n = MIN (rows, labels->n - start);

    gather (gathered, hidden, labels->positions + start, n, C);
    make_logits (model, logits, gathered, n);
    sum += chunk_loss (model, logits, labels, start, n, temperature, loss, user_data, scale,
                       logprobs);
    /* logits now hold dlogits: drows = dlogits · head;  dhead += dlogitsᵀ · rows */
    laurel_matmul (FALSE, FALSE, n, C, V, logits, V, model->weights + model->at.head, C, FALSE,
                   dgathered, C);
    laurel_matmul (TRUE, FALSE, V, C, n, logits, V, gathered, C, TRUE,
                   gradients + model->at.head, C);
    for (int i = 0; i < n; i++)
      for (int c = 0; c < C; c++)
        dhidden[(gsize) labels->positions[start + i] * C + c] += dgathered[(gsize) i * C + c];
  }
  return sum;
}

void
laurel_score_head_forward (const LaurelModel *model, const float *hidden, const gint32 *positions,
                           int n, float *scores)
{
  int C = model->config.n_embd;
  const float *w = model->weights + model->at.head;

  for (int i = 0; i < n; i++) {
    const float *row = hidden + (gsize) positions[i] * C;
    double sum = 0;

    for (int c = 0; c < C; c++)
      sum += (double) row[c] * w[c];
    scores[i] = (float) sum;
  }
}

void
laurel_score_head_backward (const LaurelModel *model, const float *hidden, const gint32 *positions,
                            int n, const float *dscores, float *dhidden, float *gradients)
{
  int C = model->config.n_embd;
  const float *w = model->weights + model->at.head;
  float *dw = gradients + model->at.head;

  for (int i = 0; i < n; i++) {
    const float *row = hidden + (gsize) positions[i] * C;
    float *drow = dhidden + (gsize) positions[i] * C;

    for (int c = 0; c < C; c++) {
      drow[c] += dscores[i] * w[c];
      dw[c] += dscores[i] * row[c];
    }
  }
}
