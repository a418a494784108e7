/* decode.c: prompts in one ragged forward pass, then a token of every slot at a time.
 *
 * A step is one parallel region: threads part the columns of each product and the (row, head) pairs
 * of attention, and meet at barriers in between. What is too small to part, the norms, each thread
 * makes for itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/decode.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/math/attention.h"
#include "core/math/kernels.h"
#include "core/math/matmul.h"
#include "core/math/tile.h"
#include "core/model/prefill.h"

#include <string.h>

/* Keys and values of one text: for each layer and head, the keys and then the values, packed as
 * core/math/attention.h says. */
struct _LaurelPromptCache {
  float *block;
  float *logits; /* (V) */
  int n_tokens;
};

/* One layer's matrices, packed. */
typedef struct {
  LaurelPanels qkv, attn, fc, proj;
} LayerPanels;

struct _LaurelDecoder {
  const LaurelModel *model;
  int n_slots, max_own;
  float *own; /* (n_slots) caches of max_own tokens */
  LaurelActivations *acts;
  LayerPanels *layers; /* (n_layer) */
  LaurelPanels head;
  void *panels; /* all of them */
  /* one step, rows of slots; the inner rows stand inner_stride apart */
  float *x, *qkv, *attn, *inner, *logits;
  gsize inner_stride;
};

/* --- Keys and values ------------------------------------------------------------ */

static gsize
head_floats (const LaurelModelConfig *config, int capacity)
{
  return laurel_head_cache_size (capacity, config->n_embd / config->n_head);
}

static gsize
cache_floats (const LaurelModelConfig *config, int capacity)
{
  return 2 * (gsize) config->n_layer * (gsize) config->n_head * head_floats (config, capacity);
}

/* The keys of a layer's head in a cache's block; its values follow. */
static float *
head_keys (const LaurelModelConfig *config, float *block, int capacity, int layer, int head)
{
  return block + 2 * ((gsize) layer * (gsize) config->n_head + (gsize) head)
         * head_floats (config, capacity);
}

const float *
laurel_prompt_cache_get_logits (const LaurelPromptCache *self)
{
  return self->logits;
}

void
laurel_prompt_cache_free (LaurelPromptCache *self)
{
  if (self == NULL)
    return;
  laurel_free_aligned (self->block);
  g_free (self->logits);
  g_free (self);
}

static LaurelPromptCache *
prompt_cache_new (const LaurelModelConfig *config, int n_tokens)
{
  LaurelPromptCache *self = g_new0 (LaurelPromptCache, 1);

  self->n_tokens = n_tokens;
  self->block = laurel_alloc_aligned (cache_floats (config, n_tokens) * sizeof (float));
  self->logits = g_new0 (float, (gsize) config->vocab_size);
  return self;
}

/* --- Prompts -------------------------------------------------------------------- */

typedef struct {
  const LaurelModelConfig *config;
  GPtrArray *caches;
  const gint32 *offsets;
  LaurelDecoderGoOn go_on;
  gpointer user_data;
} SinkData;

static gboolean
keep_keys_and_values (int layer, const float *qkv, gpointer user_data)
{
  const SinkData *sink = user_data;
  const LaurelModelConfig *config = sink->config;
  int C = config->n_embd, H = config->n_head, D = C / H;
  gsize stride = 3 * (gsize) C;

#pragma omp parallel for collapse(2)
  for (guint p = 0; p < sink->caches->len; p++)
    for (int h = 0; h < H; h++) {
      LaurelPromptCache *cache = g_ptr_array_index (sink->caches, p);
      int n = cache->n_tokens;
      float *keys = head_keys (config, cache->block, n, layer, h);
      const float *k = qkv + (gsize) sink->offsets[p] * stride + C + (gsize) h * (gsize) D;

      laurel_attention_pack_across (keys, k, stride, n, D);
      laurel_attention_pack_along (keys + head_floats (config, n), k + C, stride, n, D, n);
    }
  return sink->go_on == NULL || sink->go_on (sink->user_data);
}

static GPtrArray *
make_caches (const LaurelModelConfig *config, const gint32 *offsets, int n_prompts, GError **error)
{
  g_autoptr (GPtrArray) caches =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_prompt_cache_free);

  for (int p = 0; p < n_prompts; p++) {
    LaurelPromptCache *cache = prompt_cache_new (config, offsets[p + 1] - offsets[p]);

    g_ptr_array_add (caches, cache);
    if (cache->block == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                   "Could not sample: memory is short for the prompts; close other programs or "
                   "sample fewer prompts at a time");
      return NULL;
    }
  }
  return g_steal_pointer (&caches);
}

/* The logits after each prompt's last token. */
static void
prompt_logits (const LaurelDecoder *self, const float *hidden, const gint32 *offsets,
               GPtrArray *caches)
{
  gsize C = (gsize) self->model->config.n_embd;

  for (guint p = 0; p < caches->len; p++)
    laurel_product_run (&(LaurelProduct) {
        .M = 1, .N = self->head.N, .K = self->head.K, .row_stride = C, .k_stride = 1,
        .a = hidden + (gsize) (offsets[p + 1] - 1) * C, .panels = &self->head,
        .c = ((LaurelPromptCache *) g_ptr_array_index (caches, p))->logits,
        .ldc = (gsize) self->head.N });
}

gboolean
laurel_decoder_prefill (LaurelDecoder *self, const gint32 *tokens, const gint32 *offsets,
                        int n_prompts, LaurelPromptCache **out_caches, LaurelDecoderGoOn go_on,
                        gpointer user_data, GError **error)
{
  const LaurelModel *model = self->model;
  g_autoptr (GPtrArray) caches = make_caches (&model->config, offsets, n_prompts, error);
  SinkData sink = { &model->config, caches, offsets, go_on, user_data };
  const LaurelBatch batch = { tokens, offsets, n_prompts };
  const float *hidden;

  if (caches == NULL)
    return FALSE;
  hidden = laurel_transformer_prefill (model, &batch, self->acts, keep_keys_and_values, &sink);
  if (hidden == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED, "Sampling was stopped");
    return FALSE;
  }
  prompt_logits (self, hidden, offsets, caches);
  for (int p = 0; p < n_prompts; p++)
    out_caches[p] = g_ptr_array_index (caches, p);
  g_ptr_array_set_free_func (caches, NULL);
  return TRUE;
}

/* --- One step, by the threads of one region ------------------------------------- */

static void
embed (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows)
{
  const LaurelModel *model = self->model;
  gsize C = (gsize) model->config.n_embd;

#pragma omp for schedule(static)
  for (int r = 0; r < n_rows; r++) {
    const float *token = model->weights + model->at.wte + (gsize) rows[r].token * C;
    const float *position = model->weights + model->at.wpe
                            + (gsize) (rows[r].prompt->n_tokens + rows[r].n_before) * C;

    for (gsize c = 0; c < C; c++)
      self->x[(gsize) r * C + c] = token[c] + position[c];
  }
}

/* The calling thread's own normalised copy of x. */
static const float *
normalise (const LaurelDecoder *self, int n_rows, const float *w, const float *b)
{
  const LaurelModelConfig *config = &self->model->config;
  gsize C = (gsize) config->n_embd;
  float *norm = laurel_scratch_get (LAUREL_SCRATCH_ROWS, (gsize) n_rows * C * sizeof (float));
  float mean, rstd;

  for (int r = 0; r < n_rows; r++)
    laurel_layernorm_row (norm + (gsize) r * C, &mean, &rstd, self->x + (gsize) r * C, w, b,
                          (int) C, (float) config->layer_norm_epsilon);
  return norm;
}

/* y = residual + bias + x · panels, or its GELU. */
static void
share (const LaurelPanels *panels, int n_rows, const float *x, gsize x_stride, const float *bias,
       const float *residual, gboolean gelu, float *y, gsize y_stride)
{
  laurel_product_share (&(LaurelProduct) { .M = n_rows, .N = panels->N, .K = panels->K, .a = x,
                                           .row_stride = x_stride, .k_stride = 1,
                                           .panels = panels, .bias = bias, .residual = residual,
                                           .gelu = gelu, .c = y, .ldc = y_stride });
#pragma omp barrier
}

/* Rows of one prompt that stand together; they read its keys and values once. */
static int
count_siblings (const LaurelDecoderRow *rows, int first, int n_rows)
{
  int n = 1;

  while (n < LAUREL_DECODE_ROWS && first + n < n_rows
         && rows[first + n].prompt == rows[first].prompt)
    n++;
  return n;
}

/* One head of rows first … first + n − 1, which share a prompt. */
static void
attend_head (LaurelDecoder *self, const LaurelDecoderRow *rows, int first, int n, int layer, int h)
{
  const LaurelModelConfig *config = &self->model->config;
  int C = config->n_embd, D = C / config->n_head, n_prompt = rows[first].prompt->n_tokens;
  gsize q_stride = 3 * (gsize) C;
  float *q = self->qkv + (gsize) first * q_stride + h * D, *scratch;
  const float *prompt_keys = head_keys (config, rows[first].prompt->block, n_prompt, layer, h);
  const LaurelHeadCache prompt = { prompt_keys, prompt_keys + head_floats (config, n_prompt),
                                   n_prompt, n_prompt };
  LaurelHeadCache own[LAUREL_DECODE_ROWS];
  int longest = 0;

  for (int r = 0; r < n; r++) {
    const LaurelDecoderRow *row = &rows[first + r];
    float *block = self->own + (gsize) row->slot * cache_floats (config, self->max_own);
    float *keys = head_keys (config, block, self->max_own, layer, h);
    float *values = keys + head_floats (config, self->max_own);
    const float *key = q + (gsize) r * q_stride + C;

    laurel_head_cache_put (keys, values, self->max_own, row->n_before, key, key + C, D);
    own[r] = (LaurelHeadCache) { keys, values, row->n_before + 1, self->max_own };
    longest = MAX (longest, own[r].n);
  }
  scratch = laurel_scratch_get (LAUREL_SCRATCH_ATTENTION,
                                laurel_attention_decode_scratch (n_prompt + longest, D)
                                * sizeof (float));
  laurel_attention_decode (self->attn + (gsize) first * (gsize) C + h * D, (gsize) C, q, q_stride,
                           n, &prompt, own, D, scratch);
}

/* All heads of all rows, by the team. */
static void
attend (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows, int layer)
{
  for (int first = 0, n; first < n_rows; first += n) {
    n = count_siblings (rows, first, n_rows);
#pragma omp for schedule(static) nowait
    for (int h = 0; h < self->model->config.n_head; h++)
      attend_head (self, rows, first, n, layer, h);
  }
#pragma omp barrier
}

static void
decode_layer (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows, int layer)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  const LayerPanels *panels = &self->layers[layer];
  const float *w = model->weights + at->layer0 + (gsize) layer * at->layer_stride;
  gsize C = (gsize) model->config.n_embd;
  const float *norm = normalise (self, n_rows, w + at->ln1_w, w + at->ln1_b);

  share (&panels->qkv, n_rows, norm, C, w + at->qkv_b, NULL, FALSE, self->qkv, 3 * C);
  attend (self, rows, n_rows, layer);
  share (&panels->attn, n_rows, self->attn, C, w + at->attn_b, self->x, FALSE, self->x, C);
  norm = normalise (self, n_rows, w + at->ln2_w, w + at->ln2_b);
  share (&panels->fc, n_rows, norm, C, w + at->fc_b, NULL, TRUE, self->inner, self->inner_stride);
  share (&panels->proj, n_rows, self->inner, self->inner_stride, w + at->proj_b, self->x, FALSE,
         self->x, C);
}

float *
laurel_decoder_step (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  gsize C = (gsize) model->config.n_embd;

  g_assert (n_rows <= self->n_slots);
#pragma omp parallel
  {
    const float *norm;

    embed (self, rows, n_rows);
    for (int l = 0; l < model->config.n_layer; l++)
      decode_layer (self, rows, n_rows, l);
    norm = normalise (self, n_rows, model->weights + at->lnf_w, model->weights + at->lnf_b);
    share (&self->head, n_rows, norm, C, NULL, NULL, FALSE, self->logits, (gsize) self->head.N);
  }
  return self->logits;
}

/* --- The whole ----------------------------------------------------------------- */

gsize
laurel_decoder_slot_size (const LaurelModelConfig *config, int max_own)
{
  return cache_floats (config, max_own) * sizeof (float);
}

/* Walks over the model's matrices: counts their elements as packed, and packs them given room. */
typedef struct {
  float *floats;   /* NULL beside a NULL @halves: count only */
  guint16 *halves;
  gsize used;
} Packer;

static LaurelPanels
pack (Packer *packer, const float *matrix, gboolean transposed, int K, int N)
{
  LaurelPanels panels = { NULL, NULL, K, N };

  gsize ldb = (gsize) (transposed ? K : N);

  if (packer->floats != NULL) {
    panels.floats = packer->floats + packer->used;
    laurel_panels_pack (packer->floats + packer->used, matrix, ldb, transposed, K, N);
  } else if (packer->halves != NULL) {
    panels.halves = packer->halves + packer->used;
    laurel_panels_pack_bf16 (packer->halves + packer->used, matrix, ldb, transposed, K, N);
  }
  packer->used += laurel_panels_size (K, N);
  return panels;
}

static void
pack_model (LaurelDecoder *self, Packer *packer)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  int C = model->config.n_embd, I = model->config.n_inner;

  for (int l = 0; l < model->config.n_layer; l++) {
    const float *w = model->weights + at->layer0 + (gsize) l * at->layer_stride;

    self->layers[l] = (LayerPanels) { .qkv = pack (packer, w + at->qkv_w, FALSE, C, 3 * C),
                                      .attn = pack (packer, w + at->attn_w, FALSE, C, C),
                                      .fc = pack (packer, w + at->fc_w, FALSE, C, I),
                                      .proj = pack (packer, w + at->proj_w, FALSE, I, C) };
  }
  self->head = pack (packer, model->weights + at->head, TRUE, C, model->config.vocab_size);
}

/* One block for the rows of a step. */
static gboolean
carve_rows (LaurelDecoder *self)
{
  const LaurelModelConfig *config = &self->model->config;
  gsize C = (gsize) config->n_embd, V = (gsize) config->vocab_size, rows = (gsize) self->n_slots;

  self->inner_stride = (gsize) config->n_inner + LAUREL_ROW_PADDING;
  self->x = laurel_alloc_aligned (rows * (5 * C + self->inner_stride + V) * sizeof (float));
  if (self->x == NULL)
    return FALSE;
  self->qkv = self->x + rows * C;
  self->attn = self->qkv + rows * 3 * C;
  self->inner = self->attn + rows * C;
  self->logits = self->inner + rows * self->inner_stride;
  return TRUE;
}

gsize
laurel_prompt_cache_size (const LaurelModelConfig *config, int n_tokens)
{
  return laurel_alloc_size (cache_floats (config, n_tokens) * sizeof (float))
         + (gsize) config->vocab_size * sizeof (float);
}

gsize
laurel_decoder_size (const LaurelModelConfig *config, int n_slots, int max_own,
                     int max_prompt_tokens, gboolean bf16_weights)
{
  int C = config->n_embd, I = config->n_inner;
  gsize layer = laurel_panels_size (C, 3 * C) + laurel_panels_size (C, C)
                + laurel_panels_size (C, I) + laurel_panels_size (I, C);
  gsize panels = (gsize) config->n_layer * layer + laurel_panels_size (C, config->vocab_size);
  gsize row = 5 * (gsize) C + (gsize) I + LAUREL_ROW_PADDING + (gsize) config->vocab_size;

  return laurel_alloc_size (panels * (bf16_weights ? sizeof (guint16) : sizeof (float)))
         + laurel_alloc_size ((gsize) n_slots * laurel_decoder_slot_size (config, max_own))
         + laurel_alloc_size ((gsize) n_slots * row * sizeof (float))
         + laurel_alloc_size (laurel_activations_size (config, max_prompt_tokens, FALSE));
}

LaurelDecoder *
laurel_decoder_new (const LaurelModel *model, int n_slots, int max_own, int max_prompt_tokens,
                    gboolean bf16_weights, GError **error)
{
  g_autoptr (LaurelDecoder) self = g_new0 (LaurelDecoder, 1);
  const LaurelModelConfig *config = &model->config;
  Packer packer = { 0 };

  self->model = model;
  self->n_slots = n_slots;
  self->max_own = max_own;
  self->layers = g_new0 (LayerPanels, (gsize) config->n_layer);
  self->acts = laurel_activations_new (config, max_prompt_tokens, FALSE, error);
  if (self->acts == NULL)
    return NULL;
  self->own = laurel_alloc_aligned ((gsize) n_slots * laurel_decoder_slot_size (config, max_own));
  pack_model (self, &packer);
  self->panels =
      laurel_alloc_aligned (packer.used * (bf16_weights ? sizeof (guint16) : sizeof (float)));
  if (self->own == NULL || self->panels == NULL || !carve_rows (self)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not sample: memory is short; close other programs or lower max_tokens");
    return NULL;
  }
  if (bf16_weights)
    packer = (Packer) { .halves = self->panels };
  else
    packer = (Packer) { .floats = self->panels };
  pack_model (self, &packer);
  return g_steal_pointer (&self);
}

void
laurel_decoder_free (LaurelDecoder *self)
{
  if (self == NULL)
    return;
  laurel_activations_free (self->acts);
  laurel_free_aligned (self->own);
  laurel_free_aligned (self->panels);
  laurel_free_aligned (self->x);
  g_free (self->layers);
  g_free (self);
}
