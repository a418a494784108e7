/* best_of.h: best-of-n, a policy that writes n times and keeps what a reward model likes best.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/generate.h"

G_BEGIN_DECLS

/* What a sample costs that does not end by itself: PPO's default. */
#define LAUREL_BEST_OF_MISSING_EOS_PENALTY 1.0

typedef struct {
  const LaurelModel *reward;
  int n;                      /* samples of which one is kept; 1: every one is */
  double missing_eos_penalty; /* taken off the score of a sample that did not end by itself, as in PPO */
} LaurelBestOf;

/* MISMATCH when @reward cannot score what @model writes: it has no score head, or another tokenizer. */
gboolean laurel_best_of_check (const LaurelBestOf *self, const LaurelModel *model, GError **error);

/* laurel_generate() where each of the @n_completions of a prompt is the best of n: completion j is among the samples
 * j·n … j·n + n − 1, the first of them where several are equally good. @progress counts samples. @out_scores (nullable,
 * n_prompts × n_completions): of those that were kept. */
GPtrArray *laurel_best_of_generate (const LaurelBestOf *self, const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts, int n_completions,
                                    const LaurelSamplingOptions *options, LaurelGenerateProgress progress, gpointer user_data, double *out_scores, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
