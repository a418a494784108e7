/* generate.c: continuous batching over slots.
 *
 * A slot is a row of the decoding batch: one completion with its own keys and
 * values, beside those of its prompt, which all K completions of the prompt
 * read. Slots that finish are filled with the next waiting completions; the
 * prompts these need are run together in one ragged forward pass.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/generate.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/math/kernels.h"
#include "core/model/prefill.h"
#include "core/model/sampler.h"

#include <string.h>

#define MAX_SLOTS 64
#define SLOT_MEMORY (512u << 20) /* bytes for all slots' keys and values */
#define PREFILL_TOKENS 2048

/* One prompt's keys and values (n_layer, n_tokens, C each), and the logits after its last token. */
typedef struct {
  float *k, *v;
  float *logits; /* (V) */
  int n_tokens;
  int n_left; /* completions that still need it */
} PromptCache;

typedef struct {
  LaurelSample *sample; /* NULL: free */
  PromptCache *prompt;
  LaurelRng rng;
  float *k, *v; /* (n_layer, max_own, C) */
  int limit;    /* tokens it may sample */
} Slot;

typedef struct {
  const LaurelModel *model;
  const LaurelPromptTokens *prompts;
  const LaurelSamplingOptions *options;
  int n_prompts, n_completions;
  int next; /* the first completion that waits, prompt-major */
  int n_done;
  PromptCache **caches; /* (n_prompts) */
  GPtrArray *samples;
  Slot *slots;
  int n_slots, max_own;
  float *block;          /* the slots' keys and values */
  LaurelActivations *acts;
  /* one decoding step, rows = live slots */
  float *x, *norm, *qkv, *attn, *inner, *logits, *mean, *rstd;
  int *order; /* (n_slots, V) */
} Generator;

void
laurel_sample_free (LaurelSample *self)
{
  if (self == NULL)
    return;
  g_free (self->tokens);
  g_free (self->logprobs);
  g_free (self);
}

static void
prompt_cache_free (PromptCache *cache)
{
  if (cache == NULL)
    return;
  laurel_free_aligned (cache->k);
  laurel_free_aligned (cache->v);
  g_free (cache->logits);
  g_free (cache);
}

/* --- Prompts ---------------------------------------------------------------- */

typedef struct {
  PromptCache **caches;
  const gint32 *offsets;
  int n, C;
} SinkData;

static void
keep_keys_and_values (int layer, const float *qkv, gpointer user_data)
{
  const SinkData *sink = user_data;
  gsize C = (gsize) sink->C;

  for (int p = 0; p < sink->n; p++) {
    PromptCache *cache = sink->caches[p];
    gsize start = (gsize) layer * (gsize) cache->n_tokens * C;

    for (int t = 0; t < cache->n_tokens; t++) {
      const float *row = qkv + (gsize) (sink->offsets[p] + t) * 3 * C;

      memcpy (cache->k + start + (gsize) t * C, row + C, C * sizeof (float));
      memcpy (cache->v + start + (gsize) t * C, row + 2 * C, C * sizeof (float));
    }
  }
}

static PromptCache *
prompt_cache_new (const Generator *self, const LaurelPromptTokens *prompt)
{
  PromptCache *cache = g_new0 (PromptCache, 1);
  const LaurelModelConfig *config = &self->model->config;
  gsize n_floats = (gsize) config->n_layer * (gsize) prompt->n_tokens * (gsize) config->n_embd;
  gsize size = n_floats * sizeof (float);

  cache->n_tokens = prompt->n_tokens;
  cache->n_left = self->n_completions;
  cache->k = laurel_alloc_aligned (size);
  cache->v = laurel_alloc_aligned (size);
  cache->logits = g_new0 (float, (gsize) self->model->config.vocab_size);
  return cache;
}

/* Runs prompts first … last − 1, which fit the activations together. */
static void
prefill (Generator *self, int first, int last)
{
  const LaurelModel *model = self->model;
  int C = model->config.n_embd, V = model->config.vocab_size, n = last - first;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree gint32 *offsets = g_new0 (gint32, (gsize) n + 1);
  SinkData sink = { self->caches + first, offsets, n, C };
  LaurelBatch batch;
  const float *hidden;

  for (int p = 0; p < n; p++) {
    const LaurelPromptTokens *prompt = &self->prompts[first + p];

    g_array_append_vals (tokens, prompt->tokens, (guint) prompt->n_tokens);
    offsets[p + 1] = (gint32) tokens->len;
    self->caches[first + p] = prompt_cache_new (self, prompt);
  }
  batch = (LaurelBatch) { (const gint32 *) (gpointer) tokens->data, offsets, n };
  hidden = laurel_transformer_prefill (model, &batch, self->acts, keep_keys_and_values, &sink);
  for (int p = 0; p < n; p++)
    laurel_matmul (FALSE, TRUE, 1, V, C, 1.0f, hidden + (gsize) (offsets[p + 1] - 1) * C, C,
                   model->weights + model->at.head, C, 0.0f,
                   self->caches[first + p]->logits, V);
}

/* Makes sure that prompts up to the one of completion @wanted − 1 are cached. */
static void
prefill_for (Generator *self, int wanted)
{
  int last_prompt = (wanted - 1) / self->n_completions;
  int first = self->next / self->n_completions;

  while (first <= last_prompt && self->caches[first] != NULL)
    first++;
  while (first <= last_prompt) {
    int room = laurel_activations_get_max_tokens (self->acts), end = first;

    while (end <= last_prompt && self->prompts[end].n_tokens <= room)
      room -= self->prompts[end++].n_tokens;
    prefill (self, first, end);
    first = end;
  }
}

/* --- Slots ------------------------------------------------------------------ */

static void
finish (Generator *self, Slot *slot, LaurelFinish why)
{
  slot->sample->finish = why;
  slot->sample = NULL;
  self->n_done++;
  if (--slot->prompt->n_left == 0) {
    int p = 0;

    while (self->caches[p] != slot->prompt)
      p++;
    g_clear_pointer (&self->caches[p], prompt_cache_free);
  }
  slot->prompt = NULL;
}

/* Takes the sampled token into the slot's completion, which may end with it. */
static void
take_token (Generator *self, Slot *slot, int token, float logprob)
{
  LaurelSample *sample = slot->sample;

  sample->tokens[sample->n_tokens] = token;
  sample->logprobs[sample->n_tokens] = logprob;
  sample->n_tokens++;
  if (token == self->model->config.eos_token_id)
    finish (self, slot, LAUREL_FINISH_STOP);
  else if (sample->n_tokens == slot->limit)
    finish (self, slot, LAUREL_FINISH_LENGTH);
}

static void
start_slot (Generator *self, Slot *slot, int completion)
{
  int p = completion / self->n_completions, index = completion % self->n_completions;
  int V = self->model->config.vocab_size, token;
  g_autofree float *logits = NULL;
  float logprob;

  slot->sample = g_ptr_array_index (self->samples, completion);
  slot->prompt = self->caches[p];
  slot->limit = MIN (self->options->max_tokens,
                     self->model->config.n_positions - self->prompts[p].n_tokens);
  laurel_rng_init (&slot->rng, self->options->seed, LAUREL_RNG_SAMPLE, self->prompts[p].stream,
                   (guint64) index);
  logits = g_memdup2 (slot->prompt->logits, (gsize) V * sizeof (float));
  token = laurel_sampler_draw (self->options, logits, V, &slot->rng, self->order, &logprob);
  take_token (self, slot, token, logprob);
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
 * at a time. */
static void
fill_slots (Generator *self)
{
  int all = self->n_prompts * self->n_completions;
  int n_free = self->n_slots - count_live (self);

  if (n_free < self->n_slots && n_free * 4 < self->n_slots)
    return;
  if (self->next < all)
    prefill_for (self, MIN (all, self->next + n_free));
  for (int s = 0; s < self->n_slots && self->next < all && n_free > 0; s++)
    if (self->slots[s].sample == NULL) {
      start_slot (self, &self->slots[s], self->next++);
      /* a completion of one token frees its slot at once; it is filled at the next call */
      n_free--;
    }
}

/* --- One step of all live slots ------------------------------------------------ */

static void
embed (Generator *self, Slot **live, int rows)
{
  const LaurelModel *model = self->model;
  gint32 tokens[MAX_SLOTS], positions[MAX_SLOTS];

  for (int r = 0; r < rows; r++) {
    const LaurelSample *sample = live[r]->sample;

    tokens[r] = sample->tokens[sample->n_tokens - 1];
    positions[r] = live[r]->prompt->n_tokens + sample->n_tokens - 1;
  }
  laurel_embedding_forward (self->x, tokens, positions, model->weights + model->at.wte,
                            model->weights + model->at.wpe, rows,
                            model->config.n_embd);
}

static void
attend (Generator *self, Slot **live, int rows, int layer)
{
  gsize C = (gsize) self->model->config.n_embd;
  LaurelCacheView views[MAX_SLOTS];

  for (int r = 0; r < rows; r++) {
    Slot *slot = live[r];
    gsize own = (gsize) layer * (gsize) self->max_own * C;
    gsize prompt = (gsize) layer * (gsize) slot->prompt->n_tokens * C;
    int at = slot->sample->n_tokens - 1;

    memcpy (slot->k + own + (gsize) at * C, self->qkv + (gsize) r * 3 * C + C, C * sizeof (float));
    memcpy (slot->v + own + (gsize) at * C, self->qkv + (gsize) r * 3 * C + 2 * C,
            C * sizeof (float));
    views[r] = (LaurelCacheView) { slot->prompt->k + prompt, slot->prompt->v + prompt,
                                   slot->k + own, slot->v + own, slot->prompt->n_tokens, at + 1 };
  }
  laurel_attention_decode (self->attn, self->qkv, (int) (3 * C), views, rows,
                           self->model->config.n_head, (int) C);
}

static void
decode_layer (Generator *self, Slot **live, int rows, int layer)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  const float *w = model->weights + at->layer0 + (gsize) layer * at->layer_stride;
  int C = model->config.n_embd, I = model->config.n_inner;
  float epsilon = (float) model->config.layer_norm_epsilon;

  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, w + at->ln1_w,
                            w + at->ln1_b, rows, C, epsilon);
  laurel_linear_forward (self->qkv, self->norm, w + at->qkv_w, w + at->qkv_b, rows, C, 3 * C);
  attend (self, live, rows, layer);
  laurel_linear_onto (self->x, self->x, self->attn, w + at->attn_w, w + at->attn_b, rows, C, C);
  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, w + at->ln2_w,
                            w + at->ln2_b, rows, C, epsilon);
  laurel_linear_forward (self->inner, self->norm, w + at->fc_w, w + at->fc_b, rows, C, I);
  laurel_gelu_forward (self->inner, self->inner, (gsize) rows * (gsize) I);
  laurel_linear_onto (self->x, self->x, self->inner, w + at->proj_w, w + at->proj_b, rows, I, C);
}

static void
decode_step (Generator *self)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  int C = model->config.n_embd, V = model->config.vocab_size, rows = 0;
  Slot *live[MAX_SLOTS];
  int tokens[MAX_SLOTS];
  float logprobs[MAX_SLOTS];

  for (int s = 0; s < self->n_slots; s++)
    if (self->slots[s].sample != NULL)
      live[rows++] = &self->slots[s];
  if (rows == 0)
    return;
  embed (self, live, rows);
  for (int l = 0; l < model->config.n_layer; l++)
    decode_layer (self, live, rows, l);
  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, model->weights + at->lnf_w,
                            model->weights + at->lnf_b, rows, C,
                            (float) model->config.layer_norm_epsilon);
  laurel_matmul (FALSE, TRUE, rows, V, C, 1.0f, self->norm, C, model->weights + at->head, C, 0.0f,
                 self->logits, V);
#pragma omp parallel for schedule(static)
  for (int r = 0; r < rows; r++)
    tokens[r] = laurel_sampler_draw (self->options, self->logits + (gsize) r * V, V, &live[r]->rng,
                                     self->order + (gsize) r * V, &logprobs[r]);
  for (int r = 0; r < rows; r++)
    take_token (self, live[r], tokens[r], logprobs[r]);
}

/* --- The whole ----------------------------------------------------------------- */

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
    for (int t = 0; t < prompts[p].n_tokens; t++)
      if (prompts[p].tokens[t] < 0 || prompts[p].tokens[t] >= model->config.vocab_size) {
        g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
                     "Could not sample: prompt %d has the token id %d, the model's vocabulary ends "
                     "at %d; use the model's own tokenizer",
                     p + 1, prompts[p].tokens[t], model->config.vocab_size - 1);
        return FALSE;
      }
  }
  return TRUE;
}

static void
generator_clear (Generator *self)
{
  for (int p = 0; self->caches != NULL && p < self->n_prompts; p++)
    prompt_cache_free (self->caches[p]);
  g_free (self->caches);
  g_free (self->slots);
  g_free (self->order);
  laurel_free_aligned (self->block);
  laurel_free_aligned (self->x);
  laurel_activations_free (self->acts);
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
    sample->tokens = g_new0 (gint32, limit);
    sample->logprobs = g_new0 (float, limit);
    g_ptr_array_add (self->samples, sample);
  }
}

/* Sizes the slots, and one block for a step's rows. */
static gboolean
make_room (Generator *self, GError **error)
{
  const LaurelModelConfig *config = &self->model->config;
  gsize C = (gsize) config->n_embd, I = (gsize) config->n_inner, V = (gsize) config->vocab_size,
  rows;
  gsize slot_floats;
  int longest = 0;

  for (int p = 0; p < self->n_prompts; p++)
    longest = MAX (longest, self->prompts[p].n_tokens);
  self->max_own = MIN (self->options->max_tokens, config->n_positions);
  slot_floats = (gsize) config->n_layer * (gsize) self->max_own * C;
  self->n_slots = (int) CLAMP (SLOT_MEMORY / (2 * slot_floats * sizeof (float)), 4, MAX_SLOTS);
  self->n_slots = MIN (self->n_slots, MAX (self->n_prompts * self->n_completions, 1));
  rows = (gsize) self->n_slots;
  self->acts = laurel_activations_new (config,
                                       MAX (longest, MIN (PREFILL_TOKENS, longest * self->n_slots)),
                                       FALSE, error);
  self->block = laurel_alloc_aligned (2 * rows * slot_floats * sizeof (float));
  self->x = laurel_alloc_aligned (rows * (6 * C + I + V + 2) * sizeof (float));
  self->order = g_new (int, rows * V);
  if (self->acts == NULL)
    return FALSE;
  if (self->block == NULL || self->x == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not sample: memory is short; close other programs or lower max_tokens");
    return FALSE;
  }
  self->norm = self->x + rows * C;
  self->qkv = self->norm + rows * C;
  self->attn = self->qkv + rows * 3 * C;
  self->inner = self->attn + rows * C;
  self->logits = self->inner + rows * I;
  self->mean = self->logits + rows * V;
  self->rstd = self->mean + rows;
  self->slots = g_new0 (Slot, rows);
  for (gsize s = 0; s < rows; s++) {
    self->slots[s].k = self->block + 2 * s * slot_floats;
    self->slots[s].v = self->slots[s].k + slot_floats;
  }
  self->caches = g_new0 (PromptCache *, (gsize) MAX (self->n_prompts, 1));
  return TRUE;
}

GPtrArray *
laurel_generate (const LaurelModel *model, const LaurelPromptTokens *prompts, int n_prompts,
                 int n_completions,
                 const LaurelSamplingOptions *options, LaurelGenerateProgress progress,
                 gpointer user_data, GError **error)
{
  Generator self = { .model = model, .prompts = prompts, .options = options, .n_prompts = n_prompts,
                     .n_completions = n_completions };
  int all = n_prompts * n_completions;
  gboolean go_on = TRUE;

  if (!laurel_sampling_options_validate (options, error)
      || !check_prompts (model, prompts, n_prompts, error))
    return NULL;
  if (!make_room (&self, error)) {
    generator_clear (&self);
    return NULL;
  }
  make_samples (&self);
  while (go_on && self.n_done < all) {
    fill_slots (&self);
    decode_step (&self);
    go_on = progress == NULL || progress (self.n_done, all, user_data);
  }
  generator_clear (&self);
  if (!go_on) {
    g_ptr_array_unref (self.samples);
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED, "Sampling was stopped");
    return NULL;
  }
  return self.samples;
}
