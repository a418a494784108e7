/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/held_out.h"

#include "core/base/error.h"
#include "core/train/micro_batch.h"
#include "core/train/sequence.h"

#include <string.h>

/* Sequences that are read at once: few, as a trainer holds all that it planned for meanwhile. */
#define N_AT_ONCE 2

typedef struct {
  const LaurelHeldOutRequest *request;
  int max_response;
  int longest; /* of a prompt and its answer */
  LaurelMicroBatch *micro;
  LaurelPass policy, reference, reward;
} Work;

static void
work_clear (Work *self)
{
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->policy);
  laurel_pass_clear (&self->reference);
  laurel_pass_clear (&self->reward);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

void
laurel_held_out_answer_free (LaurelHeldOutAnswer *self)
{
  g_free (self->text);
  g_free (self);
}

static gboolean
measure_room (Work *self, GError **error)
{
  const LaurelHeldOutRequest *request = self->request;
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
  self->max_response = request->hp->response_length;
  if (context < request->policy->config.n_positions)
    self->max_response = MIN (self->max_response, context - longest);
  self->longest = MIN (longest + self->max_response, context);
  return TRUE;
}

static gboolean
make_passes (Work *self, GError **error)
{
  const LaurelHeldOutRequest *request = self->request;
  int room = MAX (laurel_micro_batch_room (&request->policy->config, self->longest, N_AT_ONCE),
                  self->longest);

  self->micro = laurel_micro_batch_new (room);
  return laurel_pass_init (&self->policy, request->policy, room, FALSE, error)
         && laurel_pass_init (&self->reference, request->reference, room, FALSE, error)
         && laurel_pass_init (&self->reward, request->reward, room, FALSE, error);
}

static GPtrArray *
sample (const Work *self, guint first, guint n, GError **error)
{
  const LaurelHeldOutRequest *request = self->request;
  g_autofree LaurelPromptTokens *prompts = g_new0 (LaurelPromptTokens, n);
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

  for (guint i = 0; i < n; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (request->prompts, first + i);

    prompts[i] = (LaurelPromptTokens) { prompt->tokens, prompt->n_tokens, first + i };
  }
  options.temperature = 0;
  options.max_tokens = self->max_response;
  return laurel_generate (request->policy, prompts, (int) n, 1, &options, request->progress,
                          request->user_data, error);
}

/* KL and score of the answers [from, to) that the micro-batch holds, one a sequence; labels are in
 * the order of the sequences. */
static void
read_packed (Work *self, GPtrArray *answers, guint from)
{
  const LaurelHeldOutRequest *request = self->request;
  LaurelMicroBatch *micro = self->micro;
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);
  g_autofree float *kl = g_new (float, MAX (labels.n, 1));

  laurel_pass_forward (&self->policy, micro);
  laurel_pass_forward (&self->reference, micro);
  laurel_lm_head_compare (request->policy, self->policy.hidden, request->reference,
                          self->reference.hidden, &labels, request->hp->temperature, NULL, NULL, kl,
                          NULL);
  for (int i = 0; i < labels.n; i++)
    ((LaurelHeldOutAnswer *) g_ptr_array_index (answers, from + (guint) micro->sources[i]))->kl +=
        kl[i];
  laurel_pass_score (&self->reward, micro, micro->outputs);
  for (int b = 0; b < micro->n_sequences; b++) {
    LaurelHeldOutAnswer *answer = g_ptr_array_index (answers, from + (guint) b);

    answer->score = micro->outputs[b] - (answer->stopped ? 0 : request->hp->missing_eos_penalty);
  }
  laurel_micro_batch_clear (micro);
}

/* Sources of labels are the sequence's place in the micro-batch: all tokens of an answer add up. */
static void
add_packed (Work *self, const LaurelTrainPrompt *prompt, const LaurelSample *sample)
{
  int n = prompt->n_tokens + sample->n_tokens;
  int first_label = self->micro->n_labels;
  int place = self->micro->n_sequences;
  g_autofree gint32 *tokens = g_new (gint32, n);

  memcpy (tokens, prompt->tokens, sizeof *tokens * (gsize) prompt->n_tokens);
  memcpy (tokens + prompt->n_tokens, sample->tokens, sizeof *tokens * (gsize) sample->n_tokens);
  laurel_micro_batch_add (self->micro, tokens, n, prompt->n_tokens, 0);
  for (int i = first_label; i < self->micro->n_labels; i++)
    self->micro->sources[i] = place;
}

static void
take_samples (Work *self, GPtrArray *samples, guint first, GPtrArray *answers)
{
  guint from = answers->len;

  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);
    LaurelHeldOutAnswer *answer = g_new0 (LaurelHeldOutAnswer, 1);

    answer->prompt = g_ptr_array_index (self->request->prompts, first + i);
    answer->text = laurel_sample_dup_text (sample, self->request->policy);
    answer->n_tokens = sample->n_tokens;
    answer->stopped = sample->finish == LAUREL_FINISH_STOP;
    if (!laurel_micro_batch_fits (self->micro, answer->prompt->n_tokens + sample->n_tokens)) {
      read_packed (self, answers, from);
      from = answers->len;
    }
    add_packed (self, answer->prompt, sample);
    g_ptr_array_add (answers, answer);
  }
  read_packed (self, answers, from);
}

GPtrArray *
laurel_held_out_answer (const LaurelHeldOutRequest *request, GError **error)
{
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_held_out_answer_free);
  g_auto (Work) work = { .request = request };
  guint at_once = (guint) MAX (request->hp->batch_size, 1); /* as a rollout's, which was planned */

  if (!measure_room (&work, error) || !make_passes (&work, error))
    return NULL;
  for (guint first = 0; first < request->prompts->len; first += at_once) {
    guint n = MIN (at_once, request->prompts->len - first);
    g_autoptr (GPtrArray) samples = sample (&work, first, n, error);

    if (samples == NULL)
      return NULL;
    take_samples (&work, samples, first, answers);
  }
  return g_steal_pointer (&answers);
}
