/* sampling.c: what sampling options may be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/sampling.h"

#include "core/base/error.h"

#include <math.h>

/* Colder than this, logits divided by the temperature leave float's range. */
#define MIN_TEMPERATURE 1e-6

static const char *
find_fault (const LaurelSamplingOptions *options)
{
  if (options->temperature != 0
      && !(options->temperature >= MIN_TEMPERATURE && options->temperature <= 100))
    return "temperature must be 0 (the likeliest token) or from 0.000001 to 100";
  if (options->top_k < 0)
    return "top_k must be 0 (off) or more";
  if (!(options->top_p > 0 && options->top_p <= 1))
    return "top_p must be over 0 and at most 1 (off)";
  if (!(options->min_p >= 0 && options->min_p < 1))
    return "min_p must be from 0 (off) to under 1";
  if (options->max_tokens < 1)
    return "max_tokens must be at least 1";
  if (options->repetition_penalty != 0
      && !(options->repetition_penalty >= 0.01 && options->repetition_penalty <= 100))
    return "repetition_penalty must be from 0.01 to 100, 1 being off";
  if (options->max_rows < 0)
    return "max_rows must be 0 (as memory allows) or more";
  for (int i = 0; options->stop != NULL && options->stop[i] != NULL; i++)
    if (options->stop[i][0] == '\0' || !g_utf8_validate (options->stop[i], -1, NULL))
      return "a stop sequence must be a text of at least one character";
  for (int i = 0; i < options->n_biases; i++) {
    if (options->biases[i].n_tokens < 1)
      return "a logit bias names no token";
    if (isnan (options->biases[i].value) || options->biases[i].value == INFINITY)
      return "a logit bias must be a number, or -inf to ban a token";
  }
  return NULL;
}

gboolean
laurel_sampling_options_validate (const LaurelSamplingOptions *options, GError **error)
{
  const char *why = find_fault (options);

  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: %s; correct it", why);
  return FALSE;
}
