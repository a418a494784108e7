/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/answers.h"

#include "core/train/micro_batch.h"
#include "core/train/sequence.h"

#include <math.h>
#include <string.h>

void
laurel_answer_free (LaurelAnswer *self)
{
  if (self == NULL)
    return;
  laurel_sample_free (self->sample);
  laurel_sequence_free (self->sequence);
  g_free (self);
}

/* --- Sampling --------------------------------------------------------------------- */

static LaurelSequence *
join (const LaurelAnswersRequest *request, int prompt, const LaurelSample *sample)
{
  const LaurelPromptTokens *start = &request->prompts[prompt];
  int n = start->n_tokens + sample->n_tokens;
  g_autofree gint32 *tokens = g_new (gint32, n);

  memcpy (tokens, start->tokens, sizeof *tokens * (gsize) start->n_tokens);
  memcpy (tokens + start->n_tokens, sample->tokens, sizeof *tokens * (gsize) sample->n_tokens);
  if (request->reward != NULL)
    n = MIN (n, request->reward->config.n_positions);
  return laurel_sequence_new (tokens, n, start->n_tokens);
}

/* Takes the samples of the @n prompts from @first on. */
static gboolean
sample_some (const LaurelAnswersRequest *request,
             int first,
             int n,
             GPtrArray *answers,
             GError **error)
{
  g_autoptr (GPtrArray) samples =
      laurel_generate (request->model, request->prompts + first, n, request->n_completions,
                       request->options, request->progress, request->user_data, error);

  if (samples == NULL)
    return FALSE;
  for (guint i = 0; i < samples->len; i++) {
    LaurelAnswer *answer = g_new0 (LaurelAnswer, 1);

    answer->sample = g_steal_pointer (&g_ptr_array_index (samples, i));
    answer->sample->prompt += first;
    answer->sequence = join (request, answer->sample->prompt, answer->sample);
    answer->score = NAN;
    g_ptr_array_add (answers, answer);
  }
  return TRUE;
}

/* --- Reading ---------------------------------------------------------------------- */

typedef struct {
  const LaurelAnswersRequest *request;
  GPtrArray *answers;
  LaurelMicroBatch *micro;
  LaurelPass model, reference, reward;
} Reader;

static void
reader_clear (Reader *self)
{
  laurel_micro_batch_free (self->micro);
  laurel_pass_clear (&self->model);
  laurel_pass_clear (&self->reference);
  laurel_pass_clear (&self->reward);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static LaurelAnswer *
get_answer (const Reader *self, guint i)
{
  return g_ptr_array_index (self->answers, i);
}

static gboolean
make_room (Reader *self, GError **error)
{
  const LaurelAnswersRequest *request = self->request;
  const LaurelModel *sized_by = request->reference != NULL ? request->model : request->reward;
  int rows = request->rows_at_once > 0 ? request->rows_at_once : (int) self->answers->len;
  int longest = 1, room;

  for (guint i = 0; i < self->answers->len; i++) {
    const LaurelSequence *sequence = get_answer (self, i)->sequence;

    if (!laurel_tokens_check (sequence->tokens, sequence->n_tokens, &request->reward->config,
                              "sequence", (int) i + 1, error))
      return FALSE;
    longest = MAX (longest, sequence->n_tokens);
  }
  room = laurel_micro_batch_room (&sized_by->config, longest, rows);
  self->micro = laurel_micro_batch_new (room);
  return (request->reference == NULL
          || (laurel_pass_init (&self->model, request->model, room, FALSE, error)
              && laurel_pass_init (&self->reference, request->reference, room, FALSE, error)))
         && laurel_pass_init (&self->reward, request->reward, room, FALSE, error);
}

/* Fills the micro-batch from answer @from on; returns the first that it has no room for. Sources of
 * labels are the answer's number: all its tokens add up. */
static guint
pack (Reader *self, guint from)
{
  LaurelMicroBatch *micro = self->micro;
  guint at = from;

  laurel_micro_batch_clear (micro);
  for (; at < self->answers->len; at++) {
    const LaurelSequence *sequence = get_answer (self, at)->sequence;
    int first_label = micro->n_labels;

    if (!laurel_micro_batch_fits (micro, sequence->n_tokens))
      break;
    laurel_micro_batch_add (micro, sequence->tokens, sequence->n_tokens,
                            self->request->reference != NULL ? sequence->n_prompt
                                                             : sequence->n_tokens,
                            0);
    for (int i = first_label; i < micro->n_labels; i++)
      micro->sources[i] = (gint32) at;
  }
  return at;
}

static void
compare_packed (Reader *self)
{
  const LaurelAnswersRequest *request = self->request;
  LaurelMicroBatch *micro = self->micro;
  LaurelLabels labels = laurel_micro_batch_as_labels (micro);
  g_autofree float *kl = g_new (float, MAX (labels.n, 1));

  laurel_pass_forward (&self->model, micro);
  laurel_pass_forward (&self->reference, micro);
  laurel_lm_head_compare (request->model, self->model.hidden, request->reference,
                          self->reference.hidden, &labels, request->temperature, NULL, NULL, kl,
                          NULL);
  for (int i = 0; i < labels.n; i++)
    get_answer (self, (guint) micro->sources[i])->kl += kl[i];
}

static void
score_packed (Reader *self, guint from)
{
  LaurelMicroBatch *micro = self->micro;

  laurel_pass_score (&self->reward, micro, micro->outputs);
  for (int b = 0; b < micro->n_sequences; b++) {
    LaurelAnswer *answer = get_answer (self, from + (guint) b);

    answer->score = micro->outputs[b];
    if (answer->sample->finish != LAUREL_FINISH_STOP)
      answer->score -= self->request->missing_eos_penalty;
  }
}

static gboolean
read_answers (const LaurelAnswersRequest *request, GPtrArray *answers, GError **error)
{
  g_auto (Reader) self = { .request = request, .answers = answers };

  if (!make_room (&self, error))
    return FALSE;
  for (guint at = 0; at < answers->len;) {
    guint from = at;

    at = pack (&self, from);
    if (request->reference != NULL)
      compare_packed (&self);
    score_packed (&self, from);
  }
  return TRUE;
}

GPtrArray *
laurel_answers_new (const LaurelAnswersRequest *request, GError **error)
{
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_answer_free);
  int at_once = request->prompts_at_once > 0 ? request->prompts_at_once : request->n_prompts;

  for (int first = 0; first < request->n_prompts; first += at_once)
    if (!sample_some (request, first, MIN (at_once, request->n_prompts - first), answers, error))
      return NULL;
  if (request->reward != NULL && !read_answers (request, answers, error))
    return NULL;
  return g_steal_pointer (&answers);
}
