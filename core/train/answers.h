/* answers.h: fresh answers to prompts, and what others say of them.
 *
 * What is read is what was sampled, token by token, never its text encoded
 * again. All answers are sampled before any is read, so that the room for the
 * one is free for the other; how many are sampled or read at once changes
 * memory alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/generate.h"
#include "core/train/train.h"

G_BEGIN_DECLS

typedef struct {
  const LaurelModel *model; /* who answers */
  const LaurelPromptTokens *prompts;
  int n_prompts;
  int n_completions; /* of each */
  const LaurelSamplingOptions *options;
  int prompts_at_once; /* sampled together; 0: all of them */
  LaurelGenerateProgress progress; /* NULL: none; of the prompts that are sampled together */
  gpointer user_data;

  const LaurelModel *reward; /* NULL: nobody scores them */
  double missing_eos_penalty; /* what an answer costs that did not end by itself */
  const LaurelModel *reference; /* NULL: no KL; else of the model's vocabulary, and with a reward model */
  double temperature; /* of the distributions whose KL it is */
  int rows_at_once; /* so many of the longest answers are read together at most; 0: as a micro-batch has room */
} LaurelAnswersRequest;

typedef struct {
  LaurelSample *sample;
  LaurelSequence *sequence; /* prompt and sample as one, within the reward model's context where there is one */
  double score; /* NaN: not asked for */
  double kl; /* Σ over the sampled tokens of the exact KL of @model to @reference, nats */
} LaurelAnswer;

void laurel_answer_free (LaurelAnswer *self);

/* (element-type LaurelAnswer): n_prompts × n_completions, prompt-major. MISMATCH for tokens that the reward model does
 * not know. */
GPtrArray *laurel_answers_new (const LaurelAnswersRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
