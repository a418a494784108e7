/* sampling.c: what sampling options may be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/sampling.h"

#include "core/base/error.h"

#include <math.h>
#include <string.h>

/* Colder than this, logits divided by the temperature leave float's range. */
#define MIN_TEMPERATURE 1e-6

const char *
laurel_sampling_options_find_fault (const LaurelSamplingOptions *options)
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
  const char *why = laurel_sampling_options_find_fault (options);

  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: %s; correct it", why);
  return FALSE;
}

/* --- Logit biases ------------------------------------------------------------ */

static void
bias_clear (gpointer bias)
{
  g_free ((gint32 *) ((LaurelLogitBias *) bias)->tokens);
}

static gboolean
refuse_bias (const char *spec, const char *why, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not understand the logit bias “%s”: %s", spec, why);
  return FALSE;
}

static gboolean
parse_value (const char *spec, const char *text, float *out, GError **error)
{
  char *end;
  double value = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || isnan (value) || value > 1e6
      || (value < -1e6 && value != -INFINITY))
    return refuse_bias (spec, "its value must be a number from -1000000 to 1000000, or -inf to "
                              "ban; write TOKEN=VALUE", error);
  *out = (float) value;
  return TRUE;
}

static gboolean
parse_text (const char *spec, const char *text, gsize length, const LaurelTokenizer *tokenizer,
            GArray *ids, GError **error)
{
  if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
    text++;
    length -= 2;
  }
  if (length == 0)
    return refuse_bias (spec, "it names no token; write TOKEN=VALUE", error);
  if (tokenizer == NULL)
    return refuse_bias (spec, "the model has no tokenizer; name the token by its id", error);
  return laurel_tokenizer_encode (tokenizer, text, (gssize) length, ids, error);
}

static gboolean
parse_bias (const char *spec, const LaurelTokenizer *tokenizer, int vocab_size,
            LaurelLogitBias *out, GError **error)
{
  const char *equals = strrchr (spec, '=');
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  gsize length = equals != NULL ? (gsize) (equals - spec) : 0;

  if (equals == NULL)
    return refuse_bias (spec, "it has no value; write TOKEN=VALUE", error);
  if (!parse_value (spec, equals + 1, &out->value, error))
    return FALSE;
  if (length > 0 && strspn (spec, "0123456789") == length) {
    guint64 id = g_ascii_strtoull (spec, NULL, 10);
    gint32 token = (gint32) id;

    if (id >= (guint64) vocab_size)
      return refuse_bias (spec, "the model's vocabulary has no such id; put a text of figures in "
                                "double quotes", error);
    g_array_append_val (ids, token);
  } else if (!parse_text (spec, spec, length, tokenizer, ids, error)) {
    return FALSE;
  }
  out->n_tokens = (int) ids->len;
  out->tokens = (const gint32 *) (gpointer) g_array_free (g_steal_pointer (&ids), FALSE);
  return TRUE;
}

GArray *
laurel_logit_bias_parse (const char *const *specs, const LaurelTokenizer *tokenizer, int vocab_size,
                         GError **error)
{
  g_autoptr (GArray) biases = g_array_new (FALSE, FALSE, sizeof (LaurelLogitBias));

  g_array_set_clear_func (biases, bias_clear);
  for (int i = 0; specs != NULL && specs[i] != NULL; i++) {
    LaurelLogitBias bias;

    if (!parse_bias (specs[i], tokenizer, vocab_size, &bias, error))
      return NULL;
    g_array_append_val (biases, bias);
  }
  return g_steal_pointer (&biases);
}
