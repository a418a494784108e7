/* generate.c: continuous batching over slots.
 *
 * A slot is a row of the decoding batch: one completion with its own keys and
 * values, beside those of its prompt, which all K completions of the prompt
 * read. Slots that finish are filled with the next waiting completions; the
 * prompts these need are run together. The arithmetic is decode.c's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/generate.h"

#include "core/base/error.h"
#include "core/model/decode.h"
#include "core/model/sampler.h"
#include "core/model/text_stream.h"

#define MAX_SLOTS 64
#define SLOT_MEMORY (512u << 20) /* bytes for all slots' keys and values */
#define PREFILL_TOKENS 2048

typedef struct {
  LaurelSample *sample; /* NULL: free */
  LaurelRng rng;
  LaurelTextStream *stream; /* NULL: nobody needs the text yet */
  int limit;                /* tokens it may sample */
} Slot;

typedef struct {
  const LaurelModel *model;
  const LaurelPromptTokens *prompts;
  const LaurelSamplingOptions *options;
  int n_prompts, n_completions;
  int next; /* the first completion that waits, prompt-major */
  int n_done;
  LaurelDecoder *decoder;
  LaurelPromptCache **caches; /* (n_prompts) */
  int *n_left;                /* (n_prompts) completions that still need the cache */
  int prefill_tokens;         /* the most that one prefill runs */
  GPtrArray *samples;
  Slot *slots;
  int n_slots;
  LaurelGenerateProgress progress;
  LaurelGenerateToken on_token;
  gpointer user_data;
  gint32 *stop_tokens;
} Generator;

void
laurel_sample_free (LaurelSample *self)
{
  if (self == NULL)
    return;
  g_free (self->tokens);
  g_free (self->logprobs);
  g_free (self->plain_logprobs);
  g_free (self->text);
  g_free (self);
}

char *
laurel_sample_dup_text (const LaurelSample *self, const LaurelModel *model)
{
  if (self->text != NULL)
    return g_strdup (self->text);
  return laurel_template_decode_completion (model->chat_template, model->tokenizer, self->tokens,
                                            (gsize) self->n_tokens);
}

static gboolean
go_on (gpointer user_data)
{
  const Generator *self = user_data;

  return self->progress == NULL
         || self->progress (self->n_done, self->n_prompts * self->n_completions, self->user_data);
}

/* --- Prompts ---------------------------------------------------------------- */

/* Runs prompts first … last − 1, which fit one prefill together. */
static gboolean
prefill (Generator *self, int first, int last, GError **error)
{
  int n = last - first;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree gint32 *offsets = g_new0 (gint32, (gsize) n + 1);

  for (int p = 0; p < n; p++) {
    const LaurelPromptTokens *prompt = &self->prompts[first + p];

    g_array_append_vals (tokens, prompt->tokens, (guint) prompt->n_tokens);
    offsets[p + 1] = (gint32) tokens->len;
  }
  return laurel_decoder_prefill (self->decoder, (const gint32 *) (gpointer) tokens->data, offsets,
                                 n, self->caches + first, go_on, self, error);
}

/* Makes sure that prompts up to the one of completion @wanted − 1 are cached. */
static gboolean
prefill_for (Generator *self, int wanted, GError **error)
{
  int last_prompt = (wanted - 1) / self->n_completions;
  int first = self->next / self->n_completions;

  while (first <= last_prompt && self->caches[first] != NULL)
    first++;
  while (first <= last_prompt) {
    int room = self->prefill_tokens, end = first;

    while (end <= last_prompt && self->prompts[end].n_tokens <= room)
      room -= self->prompts[end++].n_tokens;
    if (!prefill (self, first, end, error))
      return FALSE;
    first = end;
  }
  return TRUE;
}

/* --- Slots ------------------------------------------------------------------ */

static void
finish (Generator *self, Slot *slot)
{
  LaurelSample *sample = slot->sample;

  if (slot->stream != NULL)
    sample->text = g_strdup (laurel_text_stream_get_text (slot->stream));
  g_clear_pointer (&slot->stream, laurel_text_stream_free);
  slot->sample = NULL;
  self->n_done++;
  if (--self->n_left[sample->prompt] == 0)
    g_clear_pointer (&self->caches[sample->prompt], laurel_prompt_cache_free);
}

static gboolean
tell (Generator *self, Slot *slot, gboolean is_last)
{
  const LaurelSample *sample = slot->sample;
  int at = sample->n_tokens - 1;
  const LaurelSampledToken token = {
    sample->prompt, sample->index, at, sample->tokens[at], sample->logprobs[at],
    sample->plain_logprobs[at], laurel_text_stream_take (slot->stream, is_last),
    is_last ? sample : NULL,
  };

  return self->on_token (&token, self->user_data);
}

/* Takes the sampled token into the slot's completion, which may end with it. FALSE: the caller
 * wants no more. */
static gboolean
take_token (Generator *self, Slot *slot, const LaurelDraw *draw)
{
  LaurelSample *sample = slot->sample;
  gboolean is_last = TRUE, wants_more = TRUE;

  sample->tokens[sample->n_tokens] = draw->token;
  sample->logprobs[sample->n_tokens] = draw->logprob;
  sample->plain_logprobs[sample->n_tokens] = draw->plain_logprob;
  sample->n_tokens++;
  if (slot->stream != NULL)
    sample->stop = laurel_text_stream_push (slot->stream, draw->token);
  if (draw->token == self->model->config.eos_token_id || sample->stop >= 0)
    sample->finish = LAUREL_FINISH_STOP;
  else if (sample->n_tokens == slot->limit)
    sample->finish = LAUREL_FINISH_LENGTH;
  else
    is_last = FALSE;
  if (self->on_token != NULL)
    wants_more = tell (self, slot, is_last);
  if (is_last)
    finish (self, slot);
  return wants_more;
}

static void
start_slot (Generator *self, Slot *slot, int completion)
{
  int p = completion / self->n_completions, index = completion % self->n_completions;

  slot->sample = g_ptr_array_index (self->samples, completion);
  slot->limit = MIN (self->options->max_tokens,
                     self->model->config.n_positions - self->prompts[p].n_tokens);
  laurel_rng_init (&slot->rng, self->options->seed, LAUREL_RNG_SAMPLE, self->prompts[p].stream,
                   (guint64) index);
  if (self->on_token != NULL || self->stop_tokens != NULL)
    slot->stream = laurel_text_stream_new (self->model, self->options->stop, self->stop_tokens);
}

static gboolean
set_stopped (GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED, "Sampling was stopped");
  return FALSE;
}

static gboolean
set_draw_error (LaurelDrawResult why, const LaurelSample *sample, GError **error)
{
  if (why == LAUREL_DRAW_NOT_FINITE)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE,
                 "Could not sample: the model's logits after token %d of prompt %d are not finite; "
                 "its weights are broken: use an earlier checkpoint",
                 sample->n_tokens, sample->prompt + 1);
  else if (why == LAUREL_DRAW_ALL_BANNED)
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not sample: the logit biases ban every token; ban fewer");
  else
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not sample: memory is short; close other programs");
  return FALSE;
}

/* Draws the next token of each of @slots (n) from its logits. */
static gboolean
draw_tokens (Generator *self, Slot **slots, const float **logits, int n, GError **error)
{
  int V = self->model->config.vocab_size;
  LaurelDraw draws[MAX_SLOTS];
  LaurelDrawResult results[MAX_SLOTS];

#pragma omp parallel for schedule(static)
  for (int r = 0; r < n; r++) {
    const LaurelSample *sample = slots[r]->sample;
    const LaurelPromptTokens *prompt = &self->prompts[sample->prompt];
    const LaurelSamplerContext context = { prompt->tokens, prompt->n_tokens, sample->tokens,
                                           sample->n_tokens };

    results[r] = laurel_sampler_draw (self->options, logits[r], V, &context, &slots[r]->rng,
                                      &draws[r]);
  }
  for (int r = 0; r < n; r++)
    if (results[r] != LAUREL_DRAW_DONE)
      return set_draw_error (results[r], slots[r]->sample, error);
  for (int r = 0; r < n; r++)
    if (!take_token (self, slots[r], &draws[r]))
      return set_stopped (error);
  return TRUE;
}

static int
count_live (const Generator *self)
{
  int live = 0;

  for (int s = 0; s < self->n_slots; s++)
    live += self->slots[s].sample != NULL;
  return live;
}

/* Joins waiting completions once a quarter of the slots is free, so that prompts are run several
 * at a time. A completion of one token frees its slot at once; it is filled at the next call. */
static gboolean
fill_slots (Generator *self, GError **error)
{
  int all = self->n_prompts * self->n_completions, n = 0;
  int n_free = self->n_slots - count_live (self);
  Slot *started[MAX_SLOTS];
  const float *logits[MAX_SLOTS];

  if (self->next == all || (n_free < self->n_slots && n_free * 4 < self->n_slots))
    return TRUE;
  if (!prefill_for (self, MIN (all, self->next + n_free), error))
    return FALSE;
  for (int s = 0; s < self->n_slots && self->next < all; s++)
    if (self->slots[s].sample == NULL) {
      started[n] = &self->slots[s];
      start_slot (self, started[n], self->next++);
      logits[n] = laurel_prompt_cache_get_logits (self->caches[started[n]->sample->prompt]);
      n++;
    }
  return draw_tokens (self, started, logits, n, error);
}

/* Runs the newest token of all live slots and draws their next. */
static gboolean
decode_step (Generator *self, GError **error)
{
  gsize V = (gsize) self->model->config.vocab_size;
  LaurelDecoderRow rows[MAX_SLOTS];
  Slot *live[MAX_SLOTS];
  const float *logits[MAX_SLOTS];
  int n = 0;

  for (int s = 0; s < self->n_slots; s++) {
    const LaurelSample *sample = self->slots[s].sample;

    if (sample == NULL)
      continue;
    rows[n] = (LaurelDecoderRow) { s, self->caches[sample->prompt],
                                   sample->tokens[sample->n_tokens - 1], sample->n_tokens - 1 };
    live[n++] = &self->slots[s];
  }
  if (n == 0)
    return TRUE;
  logits[0] = laurel_decoder_step (self->decoder, rows, n);
  for (int r = 1; r < n; r++)
    logits[r] = logits[r - 1] + V;
  return draw_tokens (self, live, logits, n, error);
}

/* --- The whole ----------------------------------------------------------------- */

static gboolean
check_tokens (const LaurelModel *model, const gint32 *tokens, int n, const char *whose, int number,
              GError **error)
{
  for (int t = 0; t < n; t++)
    if (tokens[t] < 0 || tokens[t] >= model->config.vocab_size) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                   "Could not sample: %s %d has the token id %d, the model's vocabulary ends at "
                   "%d; use the model's own tokenizer",
                   whose, number, tokens[t], model->config.vocab_size - 1);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_prompts (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts,
               GError **error)
{
  for (int p = 0; p < n_prompts; p++) {
    if (prompts[p].n_tokens < 1 || prompts[p].n_tokens >= model->config.n_positions) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                   "Could not sample: prompt %d has %d tokens, the model takes 1 to %d; %s it",
                   p + 1, prompts[p].n_tokens,
                   model->config.n_positions - 1,
                   prompts[p].n_tokens < 1 ? "leave out" : "shorten");
      return FALSE;
    }
    if (!check_tokens (model, prompts[p].tokens, prompts[p].n_tokens, "prompt", p + 1, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_biases (const LaurelModel *model, const LaurelSamplingOptions *options, GError **error)
{
  for (int i = 0; i < options->n_biases; i++)
    if (!check_tokens (model, options->biases[i].tokens, options->biases[i].n_tokens, "logit bias",
                       i + 1, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_text (const LaurelModel *model, const LaurelSamplingOptions *options, gboolean is_streamed,
            GError **error)
{
  gboolean has_stop = options->stop != NULL && options->stop[0] != NULL;

  if ((!has_stop && !is_streamed) || model->tokenizer != NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
               "Could not sample: %s need the model's tokenizer, and it has none; add its files to "
               "the model's folder",
               has_stop ? "stop sequences" : "texts");
  return FALSE;
}

static void
generator_clear (Generator *self)
{
  for (int p = 0; self->caches != NULL && p < self->n_prompts; p++)
    laurel_prompt_cache_free (self->caches[p]);
  g_free (self->caches);
  g_free (self->n_left);
  for (int i = 0; self->slots != NULL && i < self->n_slots; i++)
    laurel_text_stream_free (self->slots[i].stream);
  g_free (self->slots);
  g_free (self->stop_tokens);
  laurel_decoder_free (self->decoder);
}

static void
make_samples (Generator *self)
{
  self->samples = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sample_free);
  for (int i = 0; i < self->n_prompts * self->n_completions; i++) {
    LaurelSample *sample = g_new0 (LaurelSample, 1);
    int room = self->model->config.n_positions - self->prompts[i / self->n_completions].n_tokens;
    gsize limit = (gsize) MIN (self->options->max_tokens, room);

    sample->prompt = i / self->n_completions;
    sample->index = i % self->n_completions;
    sample->stop = -1;
    sample->tokens = g_new0 (gint32, limit);
    sample->logprobs = g_new0 (float, limit);
    sample->plain_logprobs = g_new0 (float, limit);
    g_ptr_array_add (self->samples, sample);
  }
}

static int
count_slots (const LaurelModelConfig *config, int n_samples, int max_own)
{
  int n_slots =
      (int) CLAMP (SLOT_MEMORY / laurel_decoder_slot_size (config, max_own), 4, MAX_SLOTS);

  return MIN (n_slots, MAX (n_samples, 1));
}

static int
count_prefill_tokens (int longest, int n_slots)
{
  return MAX (longest, MIN (PREFILL_TOKENS, longest * n_slots));
}

gsize
laurel_generate_size (const LaurelModelConfig *config, int n_prompts, int n_completions,
                      int longest, int max_tokens)
{
  int max_own = MIN (max_tokens, config->n_positions);
  int n_slots = count_slots (config, n_prompts * n_completions, max_own);
  /* Prompts whose completions are under way, one of them shared by two rounds of slots. */
  int n_caches = MIN (n_prompts, n_slots / n_completions + 1);

  return laurel_decoder_size (config, n_slots, max_own, count_prefill_tokens (longest, n_slots),
                              FALSE)
         + (gsize) n_caches * laurel_prompt_cache_size (config, longest);
}

/* Sizes the slots, and what a step and a prefill need. */
static gboolean
make_room (Generator *self, GError **error)
{
  const LaurelModelConfig *config = &self->model->config;
  int max_own = MIN (self->options->max_tokens, config->n_positions), longest = 0;

  for (int p = 0; p < self->n_prompts; p++)
    longest = MAX (longest, self->prompts[p].n_tokens);
  self->n_slots = count_slots (config, self->n_prompts * self->n_completions, max_own);
  if (self->options->max_rows > 0)
    self->n_slots = MIN (self->n_slots, self->options->max_rows);
  self->prefill_tokens = count_prefill_tokens (longest, self->n_slots);
  self->decoder = laurel_decoder_new (self->model, self->n_slots, max_own, self->prefill_tokens,
                                      self->options->bf16_weights, error);
  if (self->decoder == NULL)
    return FALSE;
  self->slots = g_new0 (Slot, (gsize) self->n_slots);
  self->caches = g_new0 (LaurelPromptCache *, (gsize) MAX (self->n_prompts, 1));
  self->n_left = g_new (int, (gsize) MAX (self->n_prompts, 1));
  for (int p = 0; p < self->n_prompts; p++)
    self->n_left[p] = self->n_completions;
  return TRUE;
}

/* Samples all of it, or stops with an error. */
static gboolean
run (Generator *self, GError **error)
{
  int all = self->n_prompts * self->n_completions;

  while (self->n_done < all) {
    if (!fill_slots (self, error) || !decode_step (self, error))
      return FALSE;
    if (!go_on (self))
      return set_stopped (error);
  }
  return TRUE;
}

GPtrArray *
laurel_generate_stream (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts,
                        int n_completions, const LaurelSamplingOptions *options,
                        LaurelGenerateProgress progress, LaurelGenerateToken on_token,
                        gpointer user_data, GError **error)
{
  Generator self = { .model = model, .prompts = prompts, .options = options, .n_prompts = n_prompts,
                     .n_completions = n_completions, .progress = progress, .on_token = on_token,
                     .user_data = user_data };
  gboolean ok;

  if (!laurel_sampling_options_validate (options, error)
      || !check_prompts (model, prompts, n_prompts, error)
      || !check_biases (model, options, error)
      || !check_text (model, options, on_token != NULL, error))
    return NULL;
  if (options->stop != NULL && options->stop[0] != NULL)
    self.stop_tokens = laurel_stop_find_tokens (model->tokenizer, options->stop);
  if (!make_room (&self, error)) {
    generator_clear (&self);
    return NULL;
  }
  make_samples (&self);
  ok = run (&self, error);
  generator_clear (&self);
  if (!ok)
    g_clear_pointer (&self.samples, g_ptr_array_unref);
  return self.samples;
}

GPtrArray *
laurel_generate (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts,
                 int n_completions, const LaurelSamplingOptions *options,
                 LaurelGenerateProgress progress, gpointer user_data, GError **error)
{
  return laurel_generate_stream (model, prompts, n_prompts, n_completions, options, progress, NULL,
                                 user_data, error);
}
