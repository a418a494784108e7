/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/held_out.h"

#include "core/base/error.h"
#include "core/train/answers.h"
#include "core/train/language.h"
#include "core/train/sequence.h"

void
laurel_held_out_answer_free (LaurelHeldOutAnswer *self)
{
  g_free (self->text);
  g_free (self);
}

static gboolean
measure_room (const LaurelHeldOutRequest *request, int *out_max_response, GError **error)
{
  int context = MIN (request->policy->config.n_positions, request->reward->config.n_positions);
  int longest = 0;

  for (guint i = 0; i < request->prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (request->prompts, i);

    if (!laurel_tokens_check (prompt->tokens, prompt->n_tokens, &request->policy->config,
                              "held-out prompt", (int) i + 1, error))
      return FALSE;
    if (prompt->n_tokens >= context) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not use held-out prompt %u: it has %d tokens and the context of %d "
                   "leaves no room for an answer; shorten it",
                   i + 1, prompt->n_tokens, context);
      return FALSE;
    }
    longest = MAX (longest, prompt->n_tokens);
  }
  /* The sampler ends each answer where the policy's context does; a reward model with a shorter one
   * binds them all, as it does rollouts. */
  *out_max_response = request->hp->response_length;
  if (context < request->policy->config.n_positions)
    *out_max_response = MIN (*out_max_response, context - longest);
  return TRUE;
}

static LaurelHeldOutAnswer *
make_answer (const LaurelHeldOutRequest *request, guint i, const LaurelAnswer *answer)
{
  LaurelHeldOutAnswer *out = g_new0 (LaurelHeldOutAnswer, 1);

  out->prompt = g_ptr_array_index (request->prompts, i);
  out->text = laurel_sample_dup_text (answer->sample, request->policy);
  out->n_tokens = answer->sample->n_tokens;
  out->stopped = answer->sample->finish == LAUREL_FINISH_STOP;
  out->score = answer->score;
  out->kl = answer->kl;
  return out;
}

GPtrArray *
laurel_held_out_answer (const LaurelHeldOutRequest *request, GError **error)
{
  GPtrArray *prompts = request->prompts, *out;
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, prompts->len + 1);
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  const LaurelAnswersRequest wanted = {
    .model = request->policy,
    .prompts = tokens,
    .n_prompts = (int) prompts->len,
    .n_completions = 1,
    .options = &options,
    .prompts_at_once = request->hp->batch_size, /* as a rollout's, which was planned */
    .progress = request->progress,
    .user_data = request->user_data,
    .reward = request->reward,
    .missing_eos_penalty = request->hp->missing_eos_penalty,
    .reference = request->reference,
    .temperature = request->hp->temperature,
    .rows_at_once = LAUREL_HELD_OUT_AT_ONCE,
  };
  g_autoptr (GPtrArray) answers = NULL;

  options.temperature = 0;
  if (!measure_room (request, &options.max_tokens, error))
    return NULL;
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, i);

    tokens[i] = (LaurelPromptTokens) { prompt->tokens, prompt->n_tokens, i };
  }
  answers = laurel_answers_new (&wanted, error);
  if (answers == NULL)
    return NULL;
  out = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_held_out_answer_free);
  for (guint i = 0; i < answers->len; i++)
    g_ptr_array_add (out, make_answer (request, i, g_ptr_array_index (answers, i)));
  return out;
}

gboolean
laurel_held_out_loss (const LaurelModel *policy,
                      const LaurelRows *rows,
                      const LaurelHyperparameters *hp,
                      const LaurelMonitor *monitor,
                      gboolean *checkpoint_wanted,
                      double *out,
                      GError **error)
{
  int limit = policy->config.n_positions;
  gsize n = laurel_rows_count (rows);
  g_autoptr (LaurelMicroBatch) micro = NULL;
  LaurelPass pass = { 0 };
  gint64 n_labels = 0;
  gboolean done;

  if (hp->eval_rows > 0)
    n = MIN (n, (gsize) hp->eval_rows);
  if (!laurel_rows_check (rows, &policy->config, limit, "held-out row", NULL, error))
    return FALSE;
  micro = laurel_micro_batch_new (laurel_micro_batch_room (
      &policy->config, laurel_rows_get_longest (rows, limit), LAUREL_HELD_OUT_AT_ONCE));
  done = laurel_pass_init (&pass, policy, micro->max_tokens, FALSE, error)
         && laurel_language_measure (&pass, micro, rows, n, limit, monitor, checkpoint_wanted, out,
                                     &n_labels, error);
  laurel_pass_clear (&pass);
  if (done)
    *out /= (double) n_labels;
  return done;
}
