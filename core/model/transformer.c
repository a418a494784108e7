/* transformer.c: GPT-2, x = residual stream.
 *
 * tokens ─ wte + wpe ─ x ─┬─ LN1 ─ qkv ─ attention ─ projection ─ + ─┬─ LN2 ─ fc ─ GELU ─
 * projection ─ + ─ … ─ LNf ─ hidden
 * └─────────────────────────────────────────┘└──────────────────────────────────┘
 *
 * N tokens, C = n_embd, I = n_inner, H heads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/model/transformer.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/math/kernels.h"
#include "core/model/prefill.h"

#include <string.h>

/* What one layer's forward leaves for its backward. What is cheap to make again is made again, the
 * norms, GELU and attention: keeping it would take four fifths of this memory again. */
typedef struct {
  float *x;       /* (N, C) what came in */
  float *ln1_mean, *ln1_rstd, *ln2_mean, *ln2_rstd; /* (N) */
  float *qkv;     /* (N, 3C) */
  float *mid;     /* (N, C) the stream between attention and MLP */
  float *fc;      /* (N, I) before GELU; rows inner_stride apart */
} LayerActivations;

struct _LaurelActivations {
  int max_tokens;
  gboolean for_backward;
  float *block;
  gint32 *positions;
  LayerActivations *layers; /* (n_layer), all the same memory without backward */
  int n_layer;
  float *last;   /* (N, C) the stream after the last layer */
  float *hidden; /* (N, C) */
  float *lnf_mean, *lnf_rstd;
  /* for one layer at a time */
  float *norm;  /* (N, C) a norm, then its gradient */
  float *inner; /* (N, I) the GELU, then its gradient; in backward also that of qkv */
  float *attn;     /* (N, C) heads side by side, before the projection */
  float *log_sums; /* (N, H) of attention's scores */
  float *dx;    /* (N, C), backward only */
};

/* Hands out pieces of one block; with base NULL it only counts. */
typedef struct {
  float *base;
  gsize used;
} Carver;

static float *
carve (Carver *carver, gsize n)
{
  float *piece = carver->base != NULL ? carver->base + carver->used : NULL;

  carver->used += (n + 15) / 16 * 16;
  return piece;
}

/* Rows of I floats stand this far apart, so that they do not all meet in one set of the cache. */
static gsize
inner_stride (const LaurelModelConfig *config)
{
  return (gsize) config->n_inner + 16;
}

static void
carve_layer (Carver *carver, LayerActivations *layer, const LaurelModelConfig *config, gsize N)
{
  gsize C = (gsize) config->n_embd;

  layer->x = carve (carver, N * C);
  layer->ln1_mean = carve (carver, N);
  layer->ln1_rstd = carve (carver, N);
  layer->qkv = carve (carver, N * 3 * C);
  layer->mid = carve (carver, N * C);
  layer->ln2_mean = carve (carver, N);
  layer->ln2_rstd = carve (carver, N);
}

static void
carve_all (LaurelActivations *self, Carver *carver, const LaurelModelConfig *config)
{
  gsize N = (gsize) self->max_tokens, C = (gsize) config->n_embd;
  LayerActivations shared = { 0 };

  self->norm = carve (carver, N * C);
  self->inner = carve (carver, N * MAX (inner_stride (config), 3 * C));
  self->attn = carve (carver, N * C);
  self->log_sums = carve (carver, N * (gsize) config->n_head);
  shared.fc = self->inner;
  if (!self->for_backward)
    carve_layer (carver, &shared, config, N);
  for (int l = 0; l < self->n_layer; l++) {
    LayerActivations layer = shared;

    if (self->for_backward) {
      carve_layer (carver, &layer, config, N);
      layer.fc = carve (carver, N * inner_stride (config));
    }
    if (self->layers != NULL)
      self->layers[l] = layer;
  }
  self->last = self->for_backward ? carve (carver, N * C) : shared.x;
  self->hidden = carve (carver, N * C);
  self->lnf_mean = carve (carver, N);
  self->lnf_rstd = carve (carver, N);
  if (self->for_backward)
    self->dx = carve (carver, N * C);
}

gsize
laurel_activations_size (const LaurelModelConfig *config, int max_tokens, gboolean for_backward)
{
  LaurelActivations plan = { .max_tokens = max_tokens, .for_backward = for_backward,
                             .n_layer = config->n_layer };
  Carver counter = { 0 };

  carve_all (&plan, &counter, config);
  return counter.used * sizeof (float) + (gsize) max_tokens * sizeof (gint32);
}

LaurelActivations *
laurel_activations_new (const LaurelModelConfig *config, int max_tokens, gboolean for_backward,
                        GError **error)
{
  LaurelActivations *self = g_new0 (LaurelActivations, 1);
  gsize size = laurel_activations_size (config, max_tokens, for_backward);
  Carver carver = { 0 };

  self->max_tokens = max_tokens;
  self->for_backward = for_backward;
  self->n_layer = config->n_layer;
  self->layers = g_new0 (LayerActivations, (gsize) config->n_layer);
  self->positions = g_new0 (gint32, (gsize) MAX (max_tokens, 1));
  self->block = carver.base = laurel_alloc_aligned (size);
  if (self->block == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not hold %d tokens' activations in memory: they need %.1f GB; use a "
                 "smaller batch_size or max_length",
                 max_tokens, (double) size / 1e9);
    laurel_activations_free (self);
    return NULL;
  }
  carve_all (self, &carver, config);
  return self;
}

void
laurel_activations_free (LaurelActivations *self)
{
  if (self == NULL)
    return;
  laurel_free_aligned (self->block);
  g_free (self->layers);
  g_free (self->positions);
  g_free (self);
}

static void
layer_forward (const LaurelModel *model, const float *w, LaurelActivations *acts,
               const LayerActivations *a, float *out, const LaurelBatch *batch, int N)
{
  const LaurelModelConfig *config = &model->config;
  const LaurelOffsets *at = &model->at;
  int C = config->n_embd, I = config->n_inner;
  gsize c = (gsize) C, inner = inner_stride (config);
  float epsilon = (float) config->layer_norm_epsilon, *norm = acts->norm;

  laurel_layernorm_forward (norm, a->ln1_mean, a->ln1_rstd, a->x, w + at->ln1_w, w + at->ln1_b, N,
                            C, epsilon);
  laurel_linear_forward (a->qkv, 3 * c, NULL, norm, c, w + at->qkv_w, w + at->qkv_b, N, C, 3 * C);
  laurel_attention_forward (acts->attn, acts->log_sums, a->qkv, batch->offsets, batch->n_sequences,
                            config->n_head, C);
  laurel_linear_forward (a->mid, c, a->x, acts->attn, c, w + at->attn_w, w + at->attn_b, N, C, C);
  laurel_layernorm_forward (norm, a->ln2_mean, a->ln2_rstd, a->mid, w + at->ln2_w, w + at->ln2_b, N,
                            C, epsilon);
  laurel_linear_forward (a->fc, inner, NULL, norm, c, w + at->fc_w, w + at->fc_b, N, C, I);
  laurel_gelu_forward (acts->inner, a->fc, (gsize) N * inner);
  laurel_linear_forward (out, c, a->mid, acts->inner, inner, w + at->proj_w, w + at->proj_b, N, I,
                         C);
}

static int
fill_positions (LaurelActivations *acts, const LaurelBatch *batch)
{
  for (int b = 0; b < batch->n_sequences; b++)
    for (int i = batch->offsets[b]; i < batch->offsets[b + 1]; i++)
      acts->positions[i] = i - batch->offsets[b];
  return batch->offsets[batch->n_sequences];
}

const float *
laurel_transformer_prefill (const LaurelModel *model, const LaurelBatch *batch,
                            LaurelActivations *acts, LaurelPrefillSink sink, gpointer user_data)
{
  const LaurelModelConfig *config = &model->config;
  const LaurelOffsets *at = &model->at;
  int C = config->n_embd;
  int N = batch->offsets[batch->n_sequences];

  g_assert (N <= acts->max_tokens);
  fill_positions (acts, batch);
  laurel_embedding_forward (acts->layers[0].x, batch->tokens, acts->positions,
                            model->weights + at->wte, model->weights + at->wpe, N, C);
  for (int l = 0; l < config->n_layer; l++) {
    const float *w = model->weights + at->layer0 + (gsize) l * at->layer_stride;
    float *out = l + 1 < config->n_layer ? acts->layers[l + 1].x : acts->last;

    layer_forward (model, w, acts, &acts->layers[l], out, batch, N);
    if (sink != NULL && !sink (l, acts->layers[l].qkv, user_data))
      return NULL;
  }
  laurel_layernorm_forward (acts->hidden, acts->lnf_mean, acts->lnf_rstd, acts->last,
                            model->weights + at->lnf_w, model->weights + at->lnf_b,
                            N, C, (float) config->layer_norm_epsilon);
  return acts->hidden;
}

const float *
laurel_transformer_forward (const LaurelModel *model, const LaurelBatch *batch,
                            LaurelActivations *acts)
{
  return laurel_transformer_prefill (model, batch, acts, NULL, NULL);
}

/* acts->dx holds the gradient of what the layer gave; on return, of what it got. */
static void
layer_backward (const LaurelModel *model, const float *w, float *g, const LayerActivations *a,
                LaurelActivations *acts, const LaurelBatch *batch, int N)
{
  const LaurelOffsets *at = &model->at;
  int C = model->config.n_embd, I = model->config.n_inner, H = model->config.n_head;
  gsize c = (gsize) C, inner_step = inner_stride (&model->config);
  float *norm = acts->norm, *inner = acts->inner, *dqkv = acts->inner;

  laurel_gelu_forward (inner, a->fc, (gsize) N * inner_step);
  laurel_linear_backward (inner, g + at->proj_w, g + at->proj_b, acts->dx, c, inner, inner_step,
                          w + at->proj_w, N, I, C);
  laurel_gelu_backward (inner, inner, a->fc, (gsize) N * inner_step);
  laurel_layernorm_again (norm, a->ln2_mean, a->ln2_rstd, a->mid, w + at->ln2_w, w + at->ln2_b, N,
                          C);
  laurel_linear_backward (norm, g + at->fc_w, g + at->fc_b, inner, inner_step, norm, c,
                          w + at->fc_w, N, C, I);
  laurel_layernorm_backward (acts->dx, g + at->ln2_w, g + at->ln2_b, norm, a->mid, a->ln2_mean,
                             a->ln2_rstd, w + at->ln2_w, N, C);

  laurel_attention_forward (acts->attn, acts->log_sums, a->qkv, batch->offsets, batch->n_sequences,
                            H, C);
  /* attn's values are wanted once more, by attention's backward. */
  laurel_linear_backward (NULL, g + at->attn_w, g + at->attn_b, acts->dx, c, acts->attn, c,
                          w + at->attn_w, N, C, C);
  laurel_matmul (FALSE, TRUE, N, C, C, acts->dx, C, w + at->attn_w, C, FALSE, norm, C);
  laurel_attention_backward (dqkv, norm, acts->attn, acts->log_sums, a->qkv, batch->offsets,
                             batch->n_sequences, H, C);
  laurel_layernorm_again (norm, a->ln1_mean, a->ln1_rstd, a->x, w + at->ln1_w, w + at->ln1_b, N, C);
  laurel_linear_backward (norm, g + at->qkv_w, g + at->qkv_b, dqkv, 3 * c, norm, c, w + at->qkv_w,
                          N, C, 3 * C);
  laurel_layernorm_backward (acts->dx, g + at->ln1_w, g + at->ln1_b, norm, a->x, a->ln1_mean,
                             a->ln1_rstd, w + at->ln1_w, N, C);
}

void
laurel_transformer_backward (const LaurelModel *model, const LaurelBatch *batch,
                             LaurelActivations *acts, float *dhidden, float *gradients)
{
  const LaurelModelConfig *config = &model->config;
  const LaurelOffsets *at = &model->at;
  int C = config->n_embd;
  int N = batch->offsets[batch->n_sequences];

  g_assert (acts->for_backward);
  memset (acts->dx, 0, (gsize) N * (gsize) C * sizeof (float));
  laurel_layernorm_backward (acts->dx, gradients + at->lnf_w, gradients + at->lnf_b, dhidden,
                             acts->last, acts->lnf_mean, acts->lnf_rstd,
                             model->weights + at->lnf_w, N, C);
  for (int l = config->n_layer - 1; l >= 0; l--) {
    gsize layer = at->layer0 + (gsize) l * at->layer_stride;

    layer_backward (model, model->weights + layer, gradients + layer, &acts->layers[l], acts, batch,
                    N);
  }
  laurel_embedding_backward (gradients + at->wte, gradients + at->wpe, acts->dx, batch->tokens,
                             acts->positions, N, C);
}
