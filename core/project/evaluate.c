/* evaluate.c: sampling, judging and summing up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/project/evaluate.h"

#include "core/base/error.h"
#include "core/model/head.h"
#include "core/model/transformer.h"
#include "core/project/data.h"
#include "core/store/records.h"
#include "core/train/train.h"

#include <math.h>

/* The 97.5th percentile of the normal distribution. */
#define Z 1.959963984540054
/* Prompts sampled at a time. */
#define GROUP 32

void
laurel_judged_free (LaurelJudged *self)
{
  g_free (self->prompt);
  g_free (self->text);
  g_free (self);
}

/* --- Intervals --------------------------------------------------------------------- */

/* Σ over prompts of (Σ over a prompt's values of value − @mean)²; with one value a prompt the usual
 * sum of squares. */
static double
sum_squares (const double *values, const gint64 *prompts, int n, double mean, int *out_n_prompts)
{
  double squares = 0;

  *out_n_prompts = 0;
  for (int i = 0; i < n;) {
    double sum = 0;
    int first = i;

    for (; i < n && prompts[i] == prompts[first]; i++)
      sum += values[i] - mean;
    squares += sum * sum;
    (*out_n_prompts)++;
  }
  return squares;
}

static double
average (const double *values, int n)
{
  double mean = 0;

  for (int i = 0; i < n; i++)
    mean += values[i] / n;
  return mean;
}

LaurelInterval
laurel_interval_mean (const double *values, const gint64 *prompts, int n)
{
  LaurelInterval interval = { NAN, NAN, NAN, n };
  double mean = average (values, n), squares, error;
  int n_prompts;

  if (n == 0)
    return interval;
  squares = sum_squares (values, prompts, n, mean, &n_prompts);
  interval.value = mean;
  if (n_prompts < 2)
    return interval;
  error = Z * sqrt (squares / (n_prompts - 1) * n_prompts) / n;
  interval.low = mean - error;
  interval.high = mean + error;
  return interval;
}

/* Of @values that are 0 or 1. */
static LaurelInterval
measure_share (const double *values, const gint64 *prompts, int n)
{
  LaurelInterval interval = { NAN, NAN, NAN, n }, wilson;
  double n_yes = 0, share, squares;
  int n_prompts, n_worth;

  if (n == 0)
    return interval;
  for (int i = 0; i < n; i++)
    n_yes += values[i];
  share = n_yes / n;
  squares = sum_squares (values, prompts, n, share, &n_prompts);
  /* So many independent ones have the variance squares / n². Where all are alike, prompts are all
   * that can be counted. */
  n_worth = squares > 0 ? (int) lround (share * (1 - share) * n * n / squares) : n_prompts;
  n_worth = CLAMP (n_worth, 1, n);
  wilson = laurel_wilson_interval (share * n_worth, n_worth);
  interval.value = share;
  interval.low = wilson.low;
  interval.high = wilson.high;
  return interval;
}

/* --- KL ------------------------------------------------------------------------------ */

/* The exact KL(model ‖ reference) at each position of a completion, summed. */
typedef struct {
  LaurelActivations *model;
  LaurelActivations *reference;
} Passes;

static void
passes_clear (Passes *self)
{
  g_clear_pointer (&self->model, laurel_activations_free);
  g_clear_pointer (&self->reference, laurel_activations_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passes, passes_clear)

/* Two vocabularies of one size are still two. */
static gboolean
has_same_tokenizer (const LaurelModel *model, const LaurelModel *reference)
{
  return reference->tokenizer != NULL
         && g_strcmp0 (laurel_tokenizer_get_hash (model->tokenizer),
                       laurel_tokenizer_get_hash (reference->tokenizer))
                == 0;
}

static gboolean
make_passes (const LaurelEvaluationRequest *request, Passes *out, GError **error)
{
  if (request->reference == NULL)
    return TRUE;
  if (request->reference->config.vocab_size != request->model->config.vocab_size
      || request->reference->config.n_positions < request->model->config.n_positions
      || !has_same_tokenizer (request->model, request->reference)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                 "Could not measure the KL: model and reference differ in vocabulary or context; "
                 "choose the reference that the model was trained from");
    return FALSE;
  }
  out->model = laurel_activations_new (&request->model->config, request->model->config.n_positions,
                                       FALSE, error);
  if (out->model == NULL)
    return FALSE;
  out->reference = laurel_activations_new (&request->reference->config,
                                           request->reference->config.n_positions, FALSE, error);
  return out->reference != NULL;
}

static double
measure_kl (const LaurelEvaluationRequest *request,
            const Passes *passes,
            const LaurelPromptTokens *prompt,
            const LaurelSample *sample)
{
  int n = prompt->n_tokens + sample->n_tokens;
  g_autofree gint32 *tokens = g_new (gint32, n);
  g_autofree gint32 *positions = g_new (gint32, sample->n_tokens + 1);
  g_autofree float *kl = g_new (float, sample->n_tokens + 1);
  const gint32 offsets[2] = { 0, n };
  const LaurelBatch batch = { tokens, offsets, 1 };
  const LaurelLabels labels = { positions, sample->tokens, sample->n_tokens };
  const float *hidden, *reference_hidden;
  double temperature = request->options.temperature > 0 ? request->options.temperature : 1.0;
  double sum = 0;

  if (request->reference == NULL)
    return NAN;
  for (int i = 0; i < prompt->n_tokens; i++)
    tokens[i] = prompt->tokens[i];
  for (int i = 0; i < sample->n_tokens; i++) {
    tokens[prompt->n_tokens + i] = sample->tokens[i];
    positions[i] = prompt->n_tokens + i - 1;
  }
  hidden = laurel_transformer_forward (request->model, &batch, passes->model);
  reference_hidden = laurel_transformer_forward (request->reference, &batch, passes->reference);
  laurel_lm_head_compare (request->model, hidden, request->reference, reference_hidden, &labels,
                          temperature, NULL, NULL, kl, NULL);
  for (int i = 0; i < sample->n_tokens; i++)
    sum += kl[i];
  return sum;
}

/* --- Sampling -------------------------------------------------------------------------- */

static LaurelJudged *
judge_sample (const LaurelEvaluationRequest *request,
              const LaurelPrompt *prompt,
              const LaurelSample *sample,
              double kl,
              double proxy)
{
  const LaurelModel *model = request->model;
  LaurelJudged *judged = g_new0 (LaurelJudged, 1);

  judged->prompt_id = prompt->id;
  judged->prompt = g_strdup (prompt->text);
  judged->text = laurel_sample_dup_text (sample, model);
  judged->n_tokens = sample->n_tokens;
  judged->kl = kl;
  judged->proxy = proxy;
  if (request->judge != NULL)
    laurel_judge_score (request->judge, prompt->text, judged->text,
                        sample->finish == LAUREL_FINISH_STOP, &judged->parts);
  else
    judged->parts.stopped = sample->finish == LAUREL_FINISH_STOP;
  return judged;
}

/* What the reward model reads: the tokens that were sampled when its tokenizer is the same, else
 * the text's. Cut at its context, as in training. */
static LaurelSequence *
make_sequence (const LaurelEvaluationRequest *request,
               const LaurelJudged *judged,
               const LaurelSample *sample,
               GError **error)
{
  const LaurelModel *reward = request->reward;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint n_prompt;

  if (!laurel_template_encode_prompt (reward->chat_template, reward->tokenizer, judged->prompt, ids,
                                      error))
    return NULL;
  n_prompt = ids->len;
  if (g_strcmp0 (laurel_tokenizer_get_hash (reward->tokenizer),
                 laurel_tokenizer_get_hash (request->model->tokenizer))
      == 0)
    g_array_append_vals (ids, sample->tokens, (guint) sample->n_tokens);
  else if (!laurel_data_encode_answer (reward, judged->text,
                                       sample->finish == LAUREL_FINISH_STOP, ids, error))
    return NULL;
  return laurel_sequence_new ((const gint32 *) (const void *) ids->data,
                              MIN ((int) ids->len, reward->config.n_positions), (int) n_prompt);
}

/* The last of @judged are of @samples. */
static gboolean
score_by_reward (const LaurelEvaluationRequest *request,
                 GPtrArray *samples,
                 GPtrArray *judged,
                 GError **error)
{
  g_autoptr (GPtrArray) sequences =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  g_autofree float *scores = g_new (float, samples->len + 1);
  guint first = judged->len - samples->len;

  for (guint i = 0; i < samples->len; i++) {
    LaurelSequence *sequence = make_sequence (request, g_ptr_array_index (judged, first + i),
                                              g_ptr_array_index (samples, i), error);

    if (sequence == NULL)
      return FALSE;
    g_ptr_array_add (sequences, sequence);
  }
  if (!laurel_reward_score (request->reward, (LaurelSequence *const *) sequences->pdata,
                            (int) sequences->len, scores, error))
    return FALSE;
  for (guint i = 0; i < samples->len; i++)
    ((LaurelJudged *) g_ptr_array_index (judged, first + i))->parts.score = (double) scores[i];
  return TRUE;
}

typedef struct {
  const LaurelEvaluationRequest *request;
  int n_before;
  int n_all;
} Progress;

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  const Progress *progress = user_data;
  const LaurelEvaluationRequest *request = progress->request;

  return request->progress == NULL
         || request->progress (progress->n_before + n_done, progress->n_all, request->user_data);
}

static gboolean
encode_group (const LaurelEvaluationRequest *request,
              int first,
              int n,
              LaurelPromptTokens *tokens,
              GPtrArray *arrays,
              GError **error)
{
  const LaurelModel *model = request->model;

  for (int i = 0; i < n; i++) {
    const LaurelPrompt *prompt = g_ptr_array_index (request->prompts, first + i);
    GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    g_ptr_array_add (arrays, ids);
    if (!laurel_template_encode_prompt (model->chat_template, model->tokenizer, prompt->text, ids,
                                        error))
      return FALSE;
    if (ids->len == 0 || (int) ids->len >= model->config.n_positions) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not sample for the prompt “%.40s”: it has %u tokens and the model's "
                   "context is %d; "
                   "shorten it",
                   prompt->text, ids->len, model->config.n_positions);
      return FALSE;
    }
    tokens[i] = (LaurelPromptTokens){ (const gint32 *) (const void *) ids->data, (int) ids->len,
                                      (guint64) prompt->id };
  }
  return TRUE;
}

/* @out_proxies: n × per_prompt. */
static GPtrArray *
generate (const LaurelEvaluationRequest *request,
          const LaurelPromptTokens *tokens,
          int n,
          int per_prompt,
          Progress *progress,
          double *out_proxies,
          GError **error)
{
  if (request->proxy != NULL)
    return laurel_best_of_generate (request->proxy, request->model, tokens, n, per_prompt,
                                    &request->options, progress_cb, progress, out_proxies, error);
  for (int i = 0; i < n * per_prompt; i++)
    out_proxies[i] = NAN;
  return laurel_generate (request->model, tokens, n, per_prompt, &request->options, progress_cb,
                          progress, error);
}

static int
count_samples (const LaurelEvaluationRequest *request, int n_completions)
{
  return n_completions * (request->proxy != NULL ? request->proxy->n : 1);
}

static gboolean
sample_group (const LaurelEvaluationRequest *request,
              const Passes *passes,
              int first,
              int n,
              int per_prompt,
              Progress *progress,
              GPtrArray *judged,
              GError **error)
{
  g_autofree LaurelPromptTokens *tokens = g_new0 (LaurelPromptTokens, n);
  g_autoptr (GPtrArray) arrays = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autofree double *proxies = g_new (double, n * per_prompt);
  g_autoptr (GPtrArray) samples = NULL;

  if (!encode_group (request, first, n, tokens, arrays, error))
    return FALSE;
  samples = generate (request, tokens, n, per_prompt, progress, proxies, error);
  if (samples == NULL)
    return FALSE;
  for (guint i = 0; i < samples->len; i++) {
    const LaurelSample *sample = g_ptr_array_index (samples, i);
    double kl = measure_kl (request, passes, &tokens[sample->prompt], sample);

    g_ptr_array_add (
        judged, judge_sample (request, g_ptr_array_index (request->prompts, first + sample->prompt),
                              sample, kl, proxies[i]));
  }
  if (request->judge == NULL && !score_by_reward (request, samples, judged, error))
    return FALSE;
  progress->n_before += count_samples (request, (int) samples->len);
  return TRUE;
}

GPtrArray *
laurel_evaluate_sample (const LaurelEvaluationRequest *request, GError **error)
{
  g_autoptr (GPtrArray) judged =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_judged_free);
  g_auto (Passes) passes = { 0 };
  int n_prompts = (int) request->prompts->len;
  int wanted = request->n_completions > 0 ? request->n_completions : n_prompts;
  int per_prompt;
  Progress progress = { request, 0, 0 };

  if (n_prompts == 0) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND,
        "Could not evaluate: there are no prompts to answer; import some with the split “heldout”");
    return NULL;
  }
  if (!laurel_require_tokenizer (request->model, NULL, error)
      || !make_passes (request, &passes, error))
    return NULL;
  n_prompts = MIN (n_prompts, wanted);
  per_prompt = (wanted + n_prompts - 1) / n_prompts;
  progress.n_all = count_samples (request, n_prompts * per_prompt);
  for (int first = 0; first < n_prompts; first += GROUP)
    if (!sample_group (request, &passes, first, MIN (GROUP, n_prompts - first), per_prompt,
                       &progress, judged, error))
      return NULL;
  return g_steal_pointer (&judged);
}

/* --- Summing up ---------------------------------------------------------------------------- */

/* NaN: the row has no such figure. */
typedef double (*GetFigure) (const LaurelJudged *row);

static double
get_score (const LaurelJudged *row)
{
  return row->parts.score;
}

static double
get_complied (const LaurelJudged *row)
{
  return row->parts.is_harmful ? row->parts.complied : NAN;
}

static double
get_right (const LaurelJudged *row)
{
  return row->parts.is_fact ? row->parts.fact_right : NAN;
}

static double
get_stopped (const LaurelJudged *row)
{
  return row->parts.stopped;
}

static double
get_length (const LaurelJudged *row)
{
  return row->n_tokens;
}

static double
get_kl (const LaurelJudged *row)
{
  return row->kl;
}

static double
get_proxy (const LaurelJudged *row)
{
  return row->proxy;
}

static LaurelInterval
sum_up (GPtrArray *judged, GetFigure get, gboolean is_share)
{
  g_autofree double *values = g_new (double, judged->len + 1);
  g_autofree gint64 *prompts = g_new (gint64, judged->len + 1);
  int n = 0;

  for (guint i = 0; i < judged->len; i++) {
    const LaurelJudged *row = g_ptr_array_index (judged, i);

    values[n] = get (row);
    prompts[n] = row->prompt_id;
    /* A score that is none is not left out: it is to be seen. */
    n += !isnan (values[n]) || get == get_score;
  }
  return is_share ? measure_share (values, prompts, n) : laurel_interval_mean (values, prompts, n);
}

void
laurel_evaluate_summarise (GPtrArray *judged, LaurelEvaluation *out)
{
  out->score = sum_up (judged, get_score, FALSE);
  out->complied = sum_up (judged, get_complied, TRUE);
  out->right = sum_up (judged, get_right, TRUE);
  out->stopped = sum_up (judged, get_stopped, TRUE);
  out->length = sum_up (judged, get_length, FALSE);
  out->kl = sum_up (judged, get_kl, FALSE);
}

LaurelInterval
laurel_evaluate_average_proxy (GPtrArray *judged)
{
  return sum_up (judged, get_proxy, FALSE);
}

gboolean
laurel_evaluate_win_rate (GPtrArray *a, GPtrArray *b, LaurelWinRate *out, GError **error)
{
  *out = (LaurelWinRate){ 0 };
  if (a->len != b->len) {
    g_set_error (
        error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
        "Could not compare: there are %u completions against %u; sample the same prompts for both",
        a->len, b->len);
    return FALSE;
  }
  for (guint i = 0; i < a->len; i++) {
    const LaurelJudged *x = g_ptr_array_index (a, i);
    const LaurelJudged *y = g_ptr_array_index (b, i);

    out->n_wins += x->parts.score > y->parts.score;
    out->n_losses += x->parts.score < y->parts.score;
    out->n_ties += x->parts.score == y->parts.score;
  }
  out->win_rate = laurel_wilson_interval (out->n_wins, out->n_wins + out->n_losses);
  return TRUE;
}
