/* rounding.c: bfloat16 decoding beside a pass without rounding.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/rounding.h"

#include "core/model/head.h"
#include "core/model/transformer.h"

#include <math.h>

/* A pass over them costs little beside writing them one token at a time. */
#define MAX_SAMPLES 32

typedef struct {
  const LaurelModel *model;
  LaurelActivations *acts;
  gint32 *tokens, *positions, *targets; /* (longest) */
  float *logprobs;
  double temperature;
} Measure;

static int
count_tokens (const LaurelPromptTokens *prompts, const LaurelSample *sample)
{
  return prompts[sample->prompt].n_tokens + sample->n_tokens;
}

/* Adds one sample's tokens to @out, whose mean is a sum yet. */
static void
compare (const Measure *self, const LaurelPromptTokens *prompt, const LaurelSample *sample,
         LaurelRoundingCost *out)
{
  const gint32 offsets[] = { 0, prompt->n_tokens + sample->n_tokens };
  const LaurelBatch batch = { self->tokens, offsets, 1 };
  const LaurelLabels labels = { self->positions, self->targets, sample->n_tokens };
  const float *hidden;

  for (int t = 0; t < prompt->n_tokens; t++)
    self->tokens[t] = prompt->tokens[t];
  for (int t = 0; t < sample->n_tokens; t++) {
    self->tokens[prompt->n_tokens + t] = self->targets[t] = sample->tokens[t];
    self->positions[t] = prompt->n_tokens + t - 1;
  }
  hidden = laurel_transformer_forward (self->model, &batch, self->acts);
  laurel_lm_head_logprobs (self->model, hidden, &labels, self->temperature, self->logprobs, NULL);
  for (int t = 0; t < sample->n_tokens; t++) {
    double apart = fabs ((double) sample->plain_logprobs[t] - (double) self->logprobs[t]);

    out->mean += apart;
    out->worst = MAX (out->worst, apart);
  }
  out->n_tokens += sample->n_tokens;
}

gboolean
laurel_rounding_measure (const LaurelModel *model, const LaurelPromptTokens *prompts,
                         GPtrArray *samples, double temperature, LaurelRoundingCost *out,
                         GError **error)
{
  guint n = MIN (samples->len, MAX_SAMPLES);
  /* Plain log-probabilities at temperature 0 are those at 1. */
  Measure self = { .model = model, .temperature = temperature > 0 ? temperature : 1 };
  g_autoptr (LaurelActivations) acts = NULL;
  g_autofree gint32 *tokens = NULL;
  g_autofree float *logprobs = NULL;
  int longest = 1;

  *out = (LaurelRoundingCost) { 0 };
  for (guint i = 0; i < samples->len; i++)
    longest = MAX (longest, count_tokens (prompts, g_ptr_array_index (samples, i)));
  acts = laurel_activations_new (&model->config, longest, FALSE, error);
  if (acts == NULL)
    return FALSE;
  tokens = g_new (gint32, 3 * (gsize) longest);
  logprobs = g_new (float, (gsize) longest);
  self.acts = acts;
  self.tokens = tokens;
  self.positions = tokens + longest;
  self.targets = tokens + 2 * longest;
  self.logprobs = logprobs;
  for (guint i = 0; i < n; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, (guint64) i * samples->len / n);

    compare (&self, &prompts[sample->prompt], sample, out);
  }
  out->mean /= MAX (out->n_tokens, 1);
  return TRUE;
}

char *
laurel_rounding_describe (const LaurelRoundingCost *cost)
{
  return g_strdup_printf ("Weights of bfloat16 change the log-probability of a sampled token by "
                          "%.4f on average, %.4f at most (%d tokens)",
                          cost->mean, cost->worst, cost->n_tokens);
}
