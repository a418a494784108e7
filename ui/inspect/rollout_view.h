/* rollout_view.h: numbers of a rollout by name: what the strip colours, the lines draw and the table lists.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

#include "core/base/rollout.h"
#include "ui/charts/series.h"

G_BEGIN_DECLS

typedef enum {
  LAUREL_TOKEN_ADVANTAGE,
  LAUREL_TOKEN_REWARD,
  LAUREL_TOKEN_KL_COST, /* −β·KL */
  LAUREL_TOKEN_KL,
  LAUREL_TOKEN_VALUE,
  LAUREL_TOKEN_RETURN,
  LAUREL_TOKEN_RATIO,
  LAUREL_TOKEN_ENTROPY,
  LAUREL_N_TOKEN_VALUES,
} LaurelTokenValue;

const char *laurel_token_value_label (LaurelTokenValue value);
double laurel_rollout_get_value (const LaurelRollout *rollout, int t, LaurelTokenValue value);
/* As laurel_rollout_get_value(), but 0 where nothing happened: log of the ratio. For the diverging colours. */
double laurel_rollout_get_heat (const LaurelRollout *rollout, int t, LaurelTokenValue value);

/* The largest heat of a token either way, 0 when there is none: the ends of the colours. */
double laurel_rollout_find_largest_heat (const LaurelRollout *rollout, LaurelTokenValue value);

/* (transfer full): @value over the tokens, x from 1. */
LaurelSeries *laurel_rollout_make_series (const LaurelRollout *rollout, LaurelTokenValue value) G_GNUC_WARN_UNUSED_RESULT;

/* Σ reward − (score − β·ΣKL): 0 but for rounding. Holds when it is within 1e-4, the sum of a thousand float32s. */
double laurel_rollout_check (const LaurelRollout *rollout);
#define LAUREL_ROLLOUT_TOLERANCE 1e-4
/* “Σ reward 2.31 = score 2.60 − β·ΣKL 0.29 ✓” */
char *laurel_rollout_describe_check (const LaurelRollout *rollout, gboolean *out_holds) G_GNUC_WARN_UNUSED_RESULT;

/* One object with RLLoggingBoard's keys (prompt, response, response_tokens, logprobs, ref_logprobs, values,
 * token_rewards, reward, step) and ours beside them. @labels (n_tokens) are the tokens' texts. */
JsonNode *laurel_rollout_to_json (const LaurelRollout *rollout, const char *const *labels) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
