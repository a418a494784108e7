/* rollout_view.c: reads one rollout for the strip, the lines, the table and the export.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/inspect/rollout_view.h"

#include "ui/charts/scale.h"

#include <glib/gi18n.h>
#include <math.h>

const char *
laurel_token_value_label (LaurelTokenValue value)
{
  switch (value) {
  case LAUREL_TOKEN_ADVANTAGE: return _("Advantage");
  case LAUREL_TOKEN_REWARD: return _("Reward");
  case LAUREL_TOKEN_KL_COST: return _("−β·KL");
  case LAUREL_TOKEN_KL: return _("KL");
  case LAUREL_TOKEN_VALUE: return _("Value");
  case LAUREL_TOKEN_RETURN: return _("Return");
  case LAUREL_TOKEN_RATIO: return _("Ratio");
  case LAUREL_TOKEN_ENTROPY: return _("Entropy");
  case LAUREL_N_TOKEN_VALUES: break;
  }
  return "";
}

double
laurel_rollout_get_value (const LaurelRollout *rollout, int t, LaurelTokenValue value)
{
  const LaurelTokenRecord *record;

  g_return_val_if_fail (t >= 0 && t < rollout->n_tokens, NAN);

  record = &rollout->records[t];
  switch (value) {
  case LAUREL_TOKEN_ADVANTAGE: return record->advantage;
  case LAUREL_TOKEN_REWARD: return record->reward;
  case LAUREL_TOKEN_KL_COST: return -rollout->kl_coef * record->kl;
  case LAUREL_TOKEN_KL: return record->kl;
  case LAUREL_TOKEN_VALUE: return record->value;
  case LAUREL_TOKEN_RETURN: return record->return_;
  case LAUREL_TOKEN_RATIO: return record->ratio;
  case LAUREL_TOKEN_ENTROPY: return record->entropy;
  case LAUREL_N_TOKEN_VALUES: break;
  }
  return NAN;
}

double
laurel_rollout_get_heat (const LaurelRollout *rollout, int t, LaurelTokenValue value)
{
  double number = laurel_rollout_get_value (rollout, t, value);

  if (value == LAUREL_TOKEN_RATIO)
    return number > 0 ? log (number) : NAN;
  return number;
}

double
laurel_rollout_find_largest_heat (const LaurelRollout *rollout, LaurelTokenValue value)
{
  double largest = 0;

  for (int t = 0; t < rollout->n_tokens; t++) {
    double heat = fabs (laurel_rollout_get_heat (rollout, t, value));

    if (isfinite (heat))
      largest = MAX (largest, heat);
  }
  return largest;
}

LaurelSeries *
laurel_rollout_make_series (const LaurelRollout *rollout, LaurelTokenValue value)
{
  LaurelSeries *series = laurel_series_new (laurel_token_value_label (value), value);

  for (int t = 0; t < rollout->n_tokens; t++)
    laurel_series_append (series, t + 1, laurel_rollout_get_value (rollout, t, value));
  return series;
}

double
laurel_rollout_check (const LaurelRollout *rollout)
{
  return laurel_rollout_sum_reward (rollout) -
         (rollout->score - rollout->kl_coef * laurel_rollout_sum_kl (rollout));
}

char *
laurel_rollout_describe_check (const LaurelRollout *rollout, gboolean *out_holds)
{
  double difference = laurel_rollout_check (rollout);
  g_autofree char *sum = laurel_format_value (laurel_rollout_sum_reward (rollout));
  g_autofree char *score = laurel_format_value (rollout->score);
  g_autofree char *cost = laurel_format_value (rollout->kl_coef * laurel_rollout_sum_kl (rollout));
  g_autofree char *off = laurel_format_value (difference);

  *out_holds = fabs (difference) <= LAUREL_ROLLOUT_TOLERANCE; /* NaN does not hold */
  if (*out_holds)
    return g_strdup_printf (_("Σ reward %s = score %s − β·ΣKL %s ✓"), sum, score, cost);
  return g_strdup_printf (_("Σ reward %s ≠ score %s − β·ΣKL %s: off by %s ✗"), sum, score, cost,
                             off);
}

/* JSON has no NaN. */
static void
add_number (JsonBuilder *builder, double value)
{
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_floats (JsonBuilder *builder, const char *name, const LaurelRollout *rollout, gsize offset)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (int t = 0; t < rollout->n_tokens; t++)
    add_number (builder,
                *(const float *) (gconstpointer) ((const char *) &rollout->records[t] + offset));
  json_builder_end_array (builder);
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  add_number (builder, value);
}

static void
add_tokens (JsonBuilder *builder, const LaurelRollout *rollout, const char *const *labels)
{
  json_builder_set_member_name (builder, "response_tokens");
  json_builder_begin_array (builder);
  for (int t = 0; t < rollout->n_tokens; t++)
    json_builder_add_string_value (builder, labels[t]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "token_ids");
  json_builder_begin_array (builder);
  for (int t = 0; t < rollout->n_tokens; t++)
    json_builder_add_int_value (builder, rollout->records[t].token);
  json_builder_end_array (builder);
}

JsonNode *
laurel_rollout_to_json (const LaurelRollout *rollout, const char *const *labels)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "prompt", rollout->prompt);
  add_string (builder, "response", rollout->completion);
  add_tokens (builder, rollout, labels);
  add_floats (builder, "logprobs", rollout, offsetof (LaurelTokenRecord, logprob));
  add_floats (builder, "ref_logprobs", rollout, offsetof (LaurelTokenRecord, ref_logprob));
  add_floats (builder, "values", rollout, offsetof (LaurelTokenRecord, value));
  add_floats (builder, "token_rewards", rollout, offsetof (LaurelTokenRecord, reward));
  add_double (builder, "reward", rollout->score);
  json_builder_set_member_name (builder, "step");
  json_builder_add_int_value (builder, rollout->step);
  json_builder_set_member_name (builder, "row");
  json_builder_add_int_value (builder, rollout->row);
  add_double (builder, "kl_coef", rollout->kl_coef);
  add_floats (builder, "kl", rollout, offsetof (LaurelTokenRecord, kl));
  add_floats (builder, "entropy", rollout, offsetof (LaurelTokenRecord, entropy));
  add_floats (builder, "advantages", rollout, offsetof (LaurelTokenRecord, advantage));
  add_floats (builder, "returns", rollout, offsetof (LaurelTokenRecord, return_));
  add_floats (builder, "ratios", rollout, offsetof (LaurelTokenRecord, ratio));
  add_string (builder, "finish", rollout->finish == LAUREL_FINISH_STOP ? "stop" : "length");
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
