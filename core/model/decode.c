/* decode.c: prompts in one ragged forward pass, then a token of every slot at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/decode.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/math/kernels.h"
#include "core/model/prefill.h"

#include <string.h>

struct _LaurelPromptCache {
  float *k, *v;  /* (n_layer, n_tokens, C) each */
  float *logits; /* (V) */
  int n_tokens;
};

struct _LaurelDecoder {
  const LaurelModel *model;
  int n_slots, max_own;
  float *own; /* (n_slots, 2, n_layer, max_own, C): each slot's keys, then its values */
  LaurelActivations *acts;
  LaurelCacheView *views; /* (n_slots) */
  gint32 *tokens, *positions;
  /* one step, rows of slots */
  float *x, *norm, *qkv, *attn, *inner, *logits, *mean, *rstd;
};

/* --- Prompts ---------------------------------------------------------------- */

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
  laurel_free_aligned (self->k);
  laurel_free_aligned (self->v);
  g_free (self->logits);
  g_free (self);
}

static LaurelPromptCache *
prompt_cache_new (const LaurelModelConfig *config, int n_tokens)
{
  LaurelPromptCache *self = g_new0 (LaurelPromptCache, 1);
  gsize n_floats = (gsize) config->n_layer * (gsize) n_tokens * (gsize) config->n_embd;

  self->n_tokens = n_tokens;
  self->k = laurel_alloc_aligned (n_floats * sizeof (float));
  self->v = laurel_alloc_aligned (n_floats * sizeof (float));
  self->logits = g_new0 (float, (gsize) config->vocab_size);
  return self;
}

typedef struct {
  GPtrArray *caches;
  const gint32 *offsets;
  int C;
  LaurelDecoderGoOn go_on;
  gpointer user_data;
} SinkData;

static gboolean
keep_keys_and_values (int layer, const float *qkv, gpointer user_data)
{
  const SinkData *sink = user_data;
  gsize C = (gsize) sink->C;

  for (guint p = 0; p < sink->caches->len; p++) {
    LaurelPromptCache *cache = g_ptr_array_index (sink->caches, p);
    gsize start = (gsize) layer * (gsize) cache->n_tokens * C;

    for (int t = 0; t < cache->n_tokens; t++) {
      const float *row = qkv + (gsize) (sink->offsets[p] + t) * 3 * C;

      memcpy (cache->k + start + (gsize) t * C, row + C, C * sizeof (float));
      memcpy (cache->v + start + (gsize) t * C, row + 2 * C, C * sizeof (float));
    }
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
    if (cache->k == NULL || cache->v == NULL) {
      g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                   "Could not sample: memory is short for the prompts; close other programs or "
                   "sample fewer prompts at a time");
      return NULL;
    }
  }
  return g_steal_pointer (&caches);
}

gboolean
laurel_decoder_prefill (LaurelDecoder *self, const gint32 *tokens, const gint32 *offsets,
                        int n_prompts, LaurelPromptCache **out_caches, LaurelDecoderGoOn go_on,
                        gpointer user_data, GError **error)
{
  const LaurelModel *model = self->model;
  int C = model->config.n_embd, V = model->config.vocab_size;
  g_autoptr (GPtrArray) caches = make_caches (&model->config, offsets, n_prompts, error);
  SinkData sink = { caches, offsets, C, go_on, user_data };
  const LaurelBatch batch = { tokens, offsets, n_prompts };
  const float *hidden;

  if (caches == NULL)
    return FALSE;
  hidden = laurel_transformer_prefill (model, &batch, self->acts, keep_keys_and_values, &sink);
  if (hidden == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED, "Sampling was stopped");
    return FALSE;
  }
  for (int p = 0; p < n_prompts; p++) {
    LaurelPromptCache *cache = g_ptr_array_index (caches, p);

    laurel_matmul (FALSE, TRUE, 1, V, C, 1.0f, hidden + (gsize) (offsets[p + 1] - 1) * (gsize) C, C,
                   model->weights + model->at.head, C, 0.0f, cache->logits, V);
    out_caches[p] = cache;
  }
  g_ptr_array_set_free_func (caches, NULL);
  return TRUE;
}

/* --- One step ---------------------------------------------------------------- */

static void
embed (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows)
{
  const LaurelModel *model = self->model;

  for (int r = 0; r < n_rows; r++) {
    self->tokens[r] = rows[r].token;
    self->positions[r] = rows[r].prompt->n_tokens + rows[r].n_before;
  }
  laurel_embedding_forward (self->x, self->tokens, self->positions, model->weights + model->at.wte,
                            model->weights + model->at.wpe, n_rows, model->config.n_embd);
}

static void
attend (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows, int layer)
{
  gsize C = (gsize) self->model->config.n_embd, L = (gsize) self->model->config.n_layer;
  gsize half = L * (gsize) self->max_own * C;

  for (int r = 0; r < n_rows; r++) {
    const LaurelPromptCache *prompt = rows[r].prompt;
    float *k = self->own + 2 * half * (gsize) rows[r].slot
               + (gsize) layer * (gsize) self->max_own * C;
    float *v = k + half;
    gsize before = (gsize) layer * (gsize) prompt->n_tokens * C;
    gsize at = (gsize) rows[r].n_before * C;

    memcpy (k + at, self->qkv + (gsize) r * 3 * C + C, C * sizeof (float));
    memcpy (v + at, self->qkv + (gsize) r * 3 * C + 2 * C, C * sizeof (float));
    self->views[r] = (LaurelCacheView) { prompt->k + before, prompt->v + before, k, v,
                                         prompt->n_tokens, rows[r].n_before + 1 };
  }
  laurel_attention_decode (self->attn, self->qkv, (int) (3 * C), self->views, n_rows,
                           self->model->config.n_head, (int) C);
}

static void
decode_layer (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows, int layer)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  const float *w = model->weights + at->layer0 + (gsize) layer * at->layer_stride;
  int C = model->config.n_embd, I = model->config.n_inner;
  float epsilon = (float) model->config.layer_norm_epsilon;

  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, w + at->ln1_w,
                            w + at->ln1_b, n_rows, C, epsilon);
  laurel_linear_forward (self->qkv, self->norm, w + at->qkv_w, w + at->qkv_b, n_rows, C, 3 * C);
  attend (self, rows, n_rows, layer);
  laurel_linear_onto (self->x, self->x, self->attn, w + at->attn_w, w + at->attn_b, n_rows, C, C);
  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, w + at->ln2_w,
                            w + at->ln2_b, n_rows, C, epsilon);
  laurel_linear_forward (self->inner, self->norm, w + at->fc_w, w + at->fc_b, n_rows, C, I);
  laurel_gelu_forward (self->inner, self->inner, (gsize) n_rows * (gsize) I);
  laurel_linear_onto (self->x, self->x, self->inner, w + at->proj_w, w + at->proj_b, n_rows, I, C);
}

float *
laurel_decoder_step (LaurelDecoder *self, const LaurelDecoderRow *rows, int n_rows)
{
  const LaurelModel *model = self->model;
  const LaurelOffsets *at = &model->at;
  int C = model->config.n_embd, V = model->config.vocab_size;

  g_assert (n_rows <= self->n_slots);
  embed (self, rows, n_rows);
  for (int l = 0; l < model->config.n_layer; l++)
    decode_layer (self, rows, n_rows, l);
  laurel_layernorm_forward (self->norm, self->mean, self->rstd, self->x, model->weights + at->lnf_w,
                            model->weights + at->lnf_b, n_rows, C,
                            (float) model->config.layer_norm_epsilon);
  laurel_matmul (FALSE, TRUE, n_rows, V, C, 1.0f, self->norm, C, model->weights + at->head, C, 0.0f,
                 self->logits, V);
  return self->logits;
}

/* --- The whole ----------------------------------------------------------------- */

gsize
laurel_decoder_slot_size (const LaurelModelConfig *config, int max_own)
{
  return 2 * (gsize) config->n_layer * (gsize) max_own * (gsize) config->n_embd * sizeof (float);
}

LaurelDecoder *
laurel_decoder_new (const LaurelModel *model, int n_slots, int max_own, int max_prompt_tokens,
                    GError **error)
{
  g_autoptr (LaurelDecoder) self = g_new0 (LaurelDecoder, 1);
  const LaurelModelConfig *config = &model->config;
  gsize C = (gsize) config->n_embd, I = (gsize) config->n_inner, V = (gsize) config->vocab_size;
  gsize rows = (gsize) n_slots;

  self->model = model;
  self->n_slots = n_slots;
  self->max_own = max_own;
  self->views = g_new0 (LaurelCacheView, rows);
  self->tokens = g_new0 (gint32, rows);
  self->positions = g_new0 (gint32, rows);
  self->acts = laurel_activations_new (config, max_prompt_tokens, FALSE, error);
  if (self->acts == NULL)
    return NULL;
  self->own = laurel_alloc_aligned (rows * laurel_decoder_slot_size (config, max_own));
  self->x = laurel_alloc_aligned (rows * (6 * C + I + V + 2) * sizeof (float));
  if (self->own == NULL || self->x == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not sample: memory is short; close other programs or lower max_tokens");
    return NULL;
  }
  self->norm = self->x + rows * C;
  self->qkv = self->norm + rows * C;
  self->attn = self->qkv + rows * 3 * C;
  self->inner = self->attn + rows * C;
  self->logits = self->inner + rows * I;
  self->mean = self->logits + rows * V;
  self->rstd = self->mean + rows;
  return g_steal_pointer (&self);
}

void
laurel_decoder_free (LaurelDecoder *self)
{
  if (self == NULL)
    return;
  laurel_activations_free (self->acts);
  laurel_free_aligned (self->own);
  laurel_free_aligned (self->x);
  g_free (self->views);
  g_free (self->tokens);
  g_free (self->positions);
  g_free (self);
}
