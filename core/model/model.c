/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/model.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"

#include <math.h>
#include <string.h>

static gsize
offset_of (const LaurelLayout *layout, const char *name)
{
  const LaurelTensor *tensor = laurel_layout_find (layout, name);

  g_assert (tensor != NULL);
  return tensor->offset;
}

static void
find_offsets (LaurelOffsets *at, const LaurelLayout *layout, const LaurelModelConfig *config)
{
  struct {
    gsize *offset;
    const char *name;
  } in_layer[] = {
    { &at->ln1_w, "transformer.h.0.ln_1.weight" },
    { &at->ln1_b, "transformer.h.0.ln_1.bias" },
    { &at->qkv_w, "transformer.h.0.attn.c_attn.weight" },
    { &at->qkv_b, "transformer.h.0.attn.c_attn.bias" },
    { &at->attn_w, "transformer.h.0.attn.c_proj.weight" },
    { &at->attn_b, "transformer.h.0.attn.c_proj.bias" },
    { &at->ln2_w, "transformer.h.0.ln_2.weight" },
    { &at->ln2_b, "transformer.h.0.ln_2.bias" },
    { &at->fc_w, "transformer.h.0.mlp.c_fc.weight" },
    { &at->fc_b, "transformer.h.0.mlp.c_fc.bias" },
    { &at->proj_w, "transformer.h.0.mlp.c_proj.weight" },
    { &at->proj_b, "transformer.h.0.mlp.c_proj.bias" },
  };

  at->wte = offset_of (layout, "transformer.wte.weight");
  at->wpe = offset_of (layout, "transformer.wpe.weight");
  at->lnf_w = offset_of (layout, "transformer.ln_f.weight");
  at->lnf_b = offset_of (layout, "transformer.ln_f.bias");
  at->layer0 = offset_of (layout, "transformer.h.0.ln_1.weight");
  at->layer_stride = config->n_layer > 1 ? offset_of (layout,
                                                      "transformer.h.1.ln_1.weight") - at->layer0
                                                        : 0;
  for (gsize i = 0; i < G_N_ELEMENTS (in_layer); i++)
    *in_layer[i].offset = offset_of (layout, in_layer[i].name) - at->layer0;
  at->head = config->head == LAUREL_HEAD_SCORE ? offset_of (layout, "score.weight")
             : config->tie_word_embeddings     ? at->wte
                                               : offset_of (layout, "lm_head.weight");
}

LaurelModel *
laurel_model_new_blank (const LaurelModelConfig *config, LaurelTokenizer *tokenizer,
                        const LaurelTemplate *chat_template, GError **error)
{
  LaurelModel *self = g_new0 (LaurelModel, 1);

  self->config = *config;
  self->generation = (LaurelGenerationConfig) LAUREL_GENERATION_CONFIG_DEFAULTS;
  self->layout = laurel_layout_new (config);
  find_offsets (&self->at, self->layout, config);
  self->tokenizer = tokenizer != NULL ? laurel_tokenizer_ref (tokenizer) : NULL;
  self->chat_template = chat_template != NULL ? laurel_template_copy (chat_template) : NULL;
  self->weights = laurel_alloc_aligned (self->layout->n_floats * sizeof (float));
  if (self->weights == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not hold the model in memory: it needs %.1f GB; close other programs or "
                 "use a smaller model",
                 (double) self->layout->n_floats * sizeof (float) / 1e9);
    laurel_model_free (self);
    return NULL;
  }
  return self;
}

static gboolean
is_residual_projection (const char *name)
{
  return g_str_has_suffix (name, ".c_proj.weight");
}

static void
fill_normal (float *w, gsize n, double std, guint64 seed, guint64 row)
{
  LaurelRng rng;

  laurel_rng_init (&rng, seed, LAUREL_RNG_INIT, 0, row);
  for (gsize i = 0; i < n; i++)
    w[i] = (float) (std * laurel_rng_normal (&rng));
}

static void
initialise_tensor (LaurelModel *self, int index, guint64 seed)
{
  const LaurelTensor *tensor = &self->layout->tensors[index];
  float *w = self->weights + tensor->offset;
  double std = self->config.initializer_range;

  if (tensor->n_dims == 1) {
    if (g_str_has_suffix (tensor->name, ".weight")) /* a norm's gain */
      for (gsize i = 0; i < tensor->n; i++)
        w[i] = 1.0f;
    return;
  }
  if (is_residual_projection (tensor->name))
    std /= sqrt (2.0 * self->config.n_layer);
  if (g_str_equal (tensor->name, "score.weight"))
    std = 1.0 / sqrt (self->config.n_embd + 1.0); /* Stiennon et al. 2020, as in their code */
  fill_normal (w, tensor->n, std, seed, (guint64) index);
}

LaurelModel *
laurel_model_new (const LaurelModelConfig *config, LaurelTokenizer *tokenizer,
                  const LaurelTemplate *chat_template, guint64 seed, GError **error)
{
  LaurelModel *self = laurel_model_new_blank (config, tokenizer, chat_template, error);

  if (self == NULL)
    return NULL;
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < self->layout->n_tensors; i++)
    initialise_tensor (self, i, seed);
  return self;
}

LaurelModel *
laurel_model_copy (const LaurelModel *self, GError **error)
{
  LaurelModel *copy = laurel_model_new_blank (&self->config, self->tokenizer, self->chat_template,
                                              error);

  if (copy == NULL)
    return NULL;
  copy->generation = self->generation;
  memcpy (copy->weights, self->weights, self->layout->n_floats * sizeof (float));
  return copy;
}

LaurelModel *
laurel_model_with_head (const LaurelModel *self, LaurelHead head, guint64 seed, GError **error)
{
  LaurelModelConfig config = self->config;
  LaurelModel *other;

  config.head = head;
  config.normalized = FALSE;
  config.reward_gain = 1.0;
  config.reward_bias = 0.0;
  other = laurel_model_new_blank (&config, self->tokenizer, self->chat_template, error);
  if (other == NULL)
    return NULL;
  other->generation = self->generation;
  for (int i = 0; i < other->layout->n_tensors; i++) {
    const LaurelTensor *to = &other->layout->tensors[i];
    const LaurelTensor *from = laurel_layout_find (self->layout, to->name);

    if (from != NULL)
      memcpy (other->weights + to->offset, self->weights + from->offset, to->n * sizeof (float));
    else
      initialise_tensor (other, i, seed);
  }
  return other;
}

LaurelModel *
laurel_model_new_score_head (const LaurelModel *trunk, GError **error)
{
  LaurelModel *self = g_new0 (LaurelModel, 1);

  self->config = trunk->config;
  self->config.head = LAUREL_HEAD_SCORE;
  self->layout = laurel_layout_new_score_head (&self->config);
  self->weights = laurel_alloc_aligned (self->layout->n_floats * sizeof (float));
  if (self->weights != NULL)
    return self;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not hold a value head in memory; close other programs");
  laurel_model_free (self);
  return NULL;
}

void
laurel_model_free (LaurelModel *self)
{
  if (self == NULL)
    return;
  laurel_free_aligned (self->weights);
  laurel_layout_unref (self->layout);
  g_clear_pointer (&self->tokenizer, laurel_tokenizer_unref);
  laurel_template_free (self->chat_template);
  g_free (self);
}

char *
laurel_model_hash_weights (const LaurelModel *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for (int i = 0; i < self->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &self->layout->tensors[i];
    const guchar *bytes = (const guchar *) (self->weights + tensor->offset);
    gsize left = tensor->n * sizeof (float);

    while (left > 0) {
      gsize n = MIN (left, 1u << 30);

      g_checksum_update (checksum, bytes, (gssize) n);
      bytes += n;
      left -= n;
    }
  }
  return g_strdup (g_checksum_get_string (checksum));
}
