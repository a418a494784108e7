/* held_out.h: what a policy answers to prompts that it is not trained on, and how well it still
 * foresees text that it is not.
 *
 * Answers are the likeliest ones (temperature 0): they need no random numbers,
 * so that two evaluations differ by the policy alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/generate.h"
#include "core/train/train.h"

G_BEGIN_DECLS

/* Answers that are read at once: few, as a trainer holds all that it planned for meanwhile. */
#define LAUREL_HELD_OUT_AT_ONCE 2

typedef struct {
  const LaurelTrainPrompt *prompt; /* borrowed */
  char *text;
  int n_tokens; /* end-of-text included */
  gboolean stopped;
  double score; /* the reward model's, after the missing-end rule */
  double kl;    /* Σ over its tokens of the exact KL to the reference, nats */
} LaurelHeldOutAnswer;

void laurel_held_out_answer_free (LaurelHeldOutAnswer *self);

typedef struct {
  const LaurelModel *policy;
  const LaurelModel *reference;
  const LaurelModel *reward;
  GPtrArray *prompts; /* (element-type LaurelTrainPrompt) */
  const LaurelHyperparameters *hp;
  LaurelGenerateProgress progress; /* NULL: none */
  gpointer user_data;
} LaurelHeldOutRequest;

/* (element-type LaurelHeldOutAnswer): one a prompt, in order. Prompts that leave no room for an answer are errors. */
GPtrArray *laurel_held_out_answer (const LaurelHeldOutRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Mean loss per learned token of at most hp->eval_rows (0: all) of @rows, of which there is one, spread evenly over them
 * all. Asks @monitor as training does. */
gboolean laurel_held_out_loss (const LaurelModel *policy, const LaurelRows *rows, const LaurelHyperparameters *hp, const LaurelMonitor *monitor, gboolean *checkpoint_wanted, double *out, GError **error);

G_END_DECLS
