/* sampler.c: biases, the repetition penalty, the filters in their order, and the draw.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/sampler.h"

#include "core/base/memory.h"
#include "core/model/logit_row.h"

#include <math.h>
#include <string.h>

/* Token @back from the end of prompt and completion, 1 being the newest; −1 before all of them. */
static gint32
look_back (const LaurelSamplerContext *context, int back)
{
  if (back <= context->n_own)
    return context->own[context->n_own - back];
  back -= context->n_own;
  return back <= context->n_prompt ? context->prompt[context->n_prompt - back] : -1;
}

static gboolean
applies (const LaurelLogitBias *bias, const LaurelSamplerContext *context)
{
  for (int i = 0; i < bias->n_tokens - 1; i++)
    if (look_back (context, bias->n_tokens - 1 - i) != bias->tokens[i])
      return FALSE;
  return TRUE;
}

/* Each token once, however often it came. */
static void
penalise (float *logits, const gint32 *tokens, int n, double penalty, guint8 *seen)
{
  for (int i = 0; i < n; i++) {
    gint32 v = tokens[i];
    guint8 bit = (guint8) (1u << (v % 8));

    if (seen[v / 8] & bit)
      continue;
    seen[v / 8] |= bit;
    logits[v] = (float) (logits[v] < 0 ? (double) logits[v] * penalty
                                       : (double) logits[v] / penalty);
  }
}

static gboolean
has_penalty (const LaurelSamplingOptions *options)
{
  return options->repetition_penalty != 0 && options->repetition_penalty != 1;
}

static void
adjust (const LaurelSamplingOptions *options, const LaurelSamplerContext *context, float *logits,
        int V, guint8 *seen)
{
  for (int i = 0; i < options->n_biases; i++)
    if (applies (&options->biases[i], context))
      logits[options->biases[i].tokens[options->biases[i].n_tokens - 1]]
        += options->biases[i].value;
  if (!has_penalty (options))
    return;
  memset (seen, 0, (gsize) V / 8 + 1);
  penalise (logits, context->prompt, context->n_prompt, options->repetition_penalty, seen);
  penalise (logits, context->own, context->n_own, options->repetition_penalty, seen);
}

static double
logprob_of (const LaurelLogitRow *row, const float *logits, int token, double temperature,
            double total)
{
  return ((double) logits[token] - (double) row->max) / temperature - log (total);
}

static int
draw_filtered (const LaurelSamplingOptions *options, LaurelLogitRow *row, double u,
               double *out_total)
{
  LaurelLogitCut cut = { -INFINITY, G_MAXINT };

  if (options->top_k > 0)
    cut = laurel_logit_row_cut_top_k (row, options->top_k);
  if (options->top_p < 1)
    cut = laurel_logit_row_cut_top_p (row, cut, options->top_p);
  if (options->min_p > 0)
    cut = laurel_logit_row_cut_min_p (row, cut, options->min_p);
  return laurel_logit_row_draw_cut (row, cut, u, out_total);
}

static void
draw (const LaurelSamplingOptions *options, LaurelLogitRow *row, double u, LaurelDraw *out)
{
  double total = row->total;

  out->logprob = 0;
  if (options->temperature == 0) {
    out->token = laurel_logit_row_find_max (row);
    return;
  }
  if (options->top_k > 0 || options->top_p < 1 || options->min_p > 0)
    out->token = draw_filtered (options, row, u, &total);
  else
    out->token = laurel_logit_row_draw (row, u);
  out->logprob = (float) logprob_of (row, row->logits, out->token, options->temperature, total);
}

LaurelDrawResult
laurel_sampler_draw (const LaurelSamplingOptions *options, const float *logits, int V,
                     const LaurelSamplerContext *context, LaurelRng *rng, LaurelDraw *out)
{
  double u = laurel_rng_uniform (rng);
  double temperature = options->temperature > 0 ? options->temperature : 1;
  gsize row_size = laurel_logit_row_scratch_size (V), copy_size = (gsize) V * sizeof (float);
  guint8 *scratch = laurel_scratch_get (LAUREL_SCRATCH_SAMPLER,
                                        row_size + copy_size + (gsize) V / 8 + 1);
  LaurelLogitRow row, plain;

  if (scratch == NULL)
    return LAUREL_DRAW_NO_MEMORY;
  laurel_logit_row_init (&row, V, scratch);
  if (!laurel_logit_row_read (&row, logits, temperature))
    return LAUREL_DRAW_NOT_FINITE;
  plain = row;
  if (options->n_biases > 0 || has_penalty (options)) {
    float *copy = (float *) (void *) (scratch + row_size);

    memcpy (copy, logits, copy_size);
    adjust (options, context, copy, V, scratch + row_size + copy_size);
    if (!laurel_logit_row_read (&row, copy, temperature))
      return LAUREL_DRAW_ALL_BANNED;
  }
  draw (options, &row, u, out);
  out->plain_logprob = (float) logprob_of (&plain, logits, out->token, temperature, plain.total);
  return LAUREL_DRAW_DONE;
}
