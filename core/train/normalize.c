/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/normalize.h"

#include "core/base/error.h"
#include "core/train/answers.h"
#include "core/train/comparison.h"
#include "core/train/monitor.h"
#include "core/train/ppo_math.h"
#include "core/train/sequence.h"

#include <math.h>

/* Keeps these draws apart from those of any rollout of the same seed. */
#define FIRST_STREAM (G_GUINT64_CONSTANT (1) << 40)

void
laurel_reward_fold (LaurelModel *reward, double gain, double bias)
{
  float *w = reward->weights + reward->at.head;
  float *lnf_b = reward->weights + reward->at.lnf_b;
  double squares = 0;

  for (int c = 0; c < reward->config.n_embd; c++) {
    w[c] = (float) (w[c] * gain);
    squares += (double) w[c] * w[c];
  }
  for (int c = 0; c < reward->config.n_embd; c++)
    lnf_b[c] = (float) (lnf_b[c] + bias * w[c] / squares);
}

typedef struct {
  const LaurelMonitor *monitor;
} Sampling;

static gboolean
sampling_cb (int n_done, int n_all, gpointer user_data)
{
  Sampling *sampling = user_data;

  return laurel_monitor_go_on (sampling->monitor, NULL, NULL);
}

/* (element-type LaurelAnswer) */
static GPtrArray *
answer (const LaurelModel *sft,
        GPtrArray *prompts,
        const LaurelHyperparameters *hp,
        const LaurelMonitor *monitor,
        GError **error)
{
  int n = MIN ((int) prompts->len, LAUREL_NORMALIZE_SAMPLES);
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, n);
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  Sampling sampling = { monitor };
  const LaurelAnswersRequest wanted = {
    .model = sft,
    .prompts = tokens,
    .n_prompts = n,
    /* Few prompts give several samples each. */
    .n_completions = MAX (LAUREL_NORMALIZE_SAMPLES / n, 1),
    .options = &options,
    .progress = sampling_cb,
    .user_data = &sampling,
  };

  options.max_tokens = hp->response_length;
  options.seed = (guint64) laurel_comparison_split_seed (hp);
  for (int i = 0; i < n; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, i);

    tokens[i] = (LaurelPromptTokens){ prompt->tokens, prompt->n_tokens,
                                      FIRST_STREAM + (guint64) i };
  }
  return laurel_answers_new (&wanted, error);
}

/* (element-type LaurelSequence): of answers that are not needed otherwise. */
static GPtrArray *
take_sequences (GPtrArray *answers)
{
  GPtrArray *sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);

  for (guint i = 0; i < answers->len; i++) {
    LaurelAnswer *one = g_ptr_array_index (answers, i);

    g_ptr_array_add (sequences, g_steal_pointer (&one->sequence));
  }
  return sequences;
}

static gboolean
measure (const LaurelModel *reward, GPtrArray *sequences, LaurelMoments *out, GError **error)
{
  g_autofree float *scores = g_new0 (float, sequences->len);

  if (!laurel_reward_score (reward, (LaurelSequence *const *) sequences->pdata,
                            (int) sequences->len, scores, error))
    return FALSE;
  *out = laurel_masked_moments (scores, NULL, sequences->len);
  return TRUE;
}

static gboolean
check_prompts (const LaurelModel *reward,
               const LaurelModel *sft,
               GPtrArray *prompts,
               GError **error)
{
  int context = MIN (reward->config.n_positions, sft->config.n_positions);

  if (prompts == NULL || prompts->len == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not normalise the scores: there are no reference prompts to sample on; "
                 "add prompts, or switch normalize_rewards off");
    return FALSE;
  }
  for (guint i = 0; i < prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, i);

    if (!laurel_tokens_check (prompt->tokens, prompt->n_tokens, &sft->config, "reference prompt",
                              (int) i + 1, error))
      return FALSE;
    if (prompt->n_tokens < context)
      continue;
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
        "Could not use reference prompt %u: it has %d tokens and the context holds %d; shorten it",
        i + 1, prompt->n_tokens, context);
    return FALSE;
  }
  return TRUE;
}

GPtrArray *
laurel_reward_sample_reference (const LaurelModel *reward,
                                const LaurelModel *sft,
                                GPtrArray *prompts,
                                const LaurelHyperparameters *hp,
                                const LaurelMonitor *monitor,
                                GError **error)
{
  g_autoptr (GPtrArray) answers = NULL;

  if (!check_prompts (reward, sft, prompts, error))
    return NULL;
  answers = answer (sft, prompts, hp, monitor, error);
  return answers != NULL ? take_sequences (answers) : NULL;
}

gboolean
laurel_reward_normalize (LaurelModel *reward,
                         GPtrArray *samples,
                         LaurelRewardScale *out,
                         GError **error)
{
  LaurelMoments before, after;

  if (!measure (reward, samples, &before, error))
    return FALSE;
  if (!(before.variance > 0) || !isfinite (before.variance)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                 "Could not normalise the scores: %" G_GSIZE_FORMAT
                 " samples score alike (deviation %g); "
                 "train the reward model on more rankings",
                 before.n, sqrt (before.variance));
    return FALSE;
  }
  out->gain = 1 / sqrt (before.variance);
  out->bias = -out->gain * before.mean;
  laurel_reward_fold (reward, out->gain, out->bias);
  if (!measure (reward, samples, &after, error))
    return FALSE;
  out->mean = after.mean;
  out->std = sqrt (after.variance);
  return TRUE;
}
