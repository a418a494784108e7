/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/parameters.h"

#define ALIGNMENT 16 /* floats: a cache line */

/* The table: every tensor of GPT-2, once. Sizes are multiples of C (n_embd), I (n_inner), V
 * (vocab_size) and P (n_positions); 0 rows marks a vector. */
typedef enum { SIZE_0, SIZE_1, SIZE_C, SIZE_3C, SIZE_I, SIZE_V, SIZE_P } Size;

typedef struct {
  const char *name;
  Size rows, columns;
  gboolean decay;
} TensorSpec;

static const TensorSpec before_layers[] = {
  { "transformer.wte.weight", SIZE_V, SIZE_C, TRUE },
  { "transformer.wpe.weight", SIZE_P, SIZE_C, TRUE },
};

static const TensorSpec per_layer[] = {
  { "transformer.h.%d.ln_1.weight", SIZE_0, SIZE_C, FALSE },
  { "transformer.h.%d.ln_1.bias", SIZE_0, SIZE_C, FALSE },
  { "transformer.h.%d.attn.c_attn.weight", SIZE_C, SIZE_3C, TRUE },
  { "transformer.h.%d.attn.c_attn.bias", SIZE_0, SIZE_3C, FALSE },
  { "transformer.h.%d.attn.c_proj.weight", SIZE_C, SIZE_C, TRUE },
  { "transformer.h.%d.attn.c_proj.bias", SIZE_0, SIZE_C, FALSE },
  { "transformer.h.%d.ln_2.weight", SIZE_0, SIZE_C, FALSE },
  { "transformer.h.%d.ln_2.bias", SIZE_0, SIZE_C, FALSE },
  { "transformer.h.%d.mlp.c_fc.weight", SIZE_C, SIZE_I, TRUE },
  { "transformer.h.%d.mlp.c_fc.bias", SIZE_0, SIZE_I, FALSE },
  { "transformer.h.%d.mlp.c_proj.weight", SIZE_I, SIZE_C, TRUE },
  { "transformer.h.%d.mlp.c_proj.bias", SIZE_0, SIZE_C, FALSE },
};

static const TensorSpec after_layers[] = {
  { "transformer.ln_f.weight", SIZE_0, SIZE_C, FALSE },
  { "transformer.ln_f.bias", SIZE_0, SIZE_C, FALSE },
};

static const TensorSpec lm_head = { "lm_head.weight", SIZE_V, SIZE_C, TRUE };
static const TensorSpec score_head = { "score.weight", SIZE_1, SIZE_C, TRUE };

static int
resolve (Size size, const LaurelModelConfig *config)
{
  switch (size) {
    case SIZE_0: return 0;
    case SIZE_1: return 1;
    case SIZE_C: return config->n_embd;
    case SIZE_3C: return 3 * config->n_embd;
    case SIZE_I: return config->n_inner;
    case SIZE_V: return config->vocab_size;
    case SIZE_P: return config->n_positions;
    default: g_assert_not_reached ();
  }
}

static void
append (GArray *tensors, LaurelLayout *layout, const TensorSpec *spec, int layer,
        const LaurelModelConfig *config)
{
  LaurelTensor tensor = { 0 };
  int rows = resolve (spec->rows, config);
  g_autofree char *number = g_strdup_printf ("%d", layer);
  g_auto (GStrv) parts = g_strsplit (spec->name, "%d", 2);

  tensor.name = g_strjoinv (number, parts);
  tensor.rows = MAX (rows, 1);
  tensor.columns = resolve (spec->columns, config);
  tensor.n_dims = rows == 0 ? 1 : 2;
  tensor.n = (gsize) tensor.rows * (gsize) tensor.columns;
  tensor.offset = layout->n_floats;
  tensor.decay = spec->decay;
  g_array_append_val (tensors, tensor);
  layout->n_parameters += tensor.n;
  layout->n_floats += (tensor.n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static LaurelLayout *
finish (LaurelLayout *self, GArray *tensors)
{
  g_atomic_ref_count_init (&self->ref_count);
  self->n_tensors = (int) tensors->len;
  self->tensors = (LaurelTensor *) (gpointer) g_array_free (tensors, FALSE);
  return self;
}

LaurelLayout *
laurel_layout_new_score_head (const LaurelModelConfig *config)
{
  LaurelLayout *self = g_new0 (LaurelLayout, 1);
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (LaurelTensor));

  append (tensors, self, &score_head, 0, config);
  return finish (self, tensors);
}

LaurelLayout *
laurel_layout_new (const LaurelModelConfig *config)
{
  LaurelLayout *self = g_new0 (LaurelLayout, 1);
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (LaurelTensor));

  for (gsize i = 0; i < G_N_ELEMENTS (before_layers); i++)
    append (tensors, self, &before_layers[i], 0, config);
  for (int layer = 0; layer < config->n_layer; layer++)
    for (gsize i = 0; i < G_N_ELEMENTS (per_layer); i++)
      append (tensors, self, &per_layer[i], layer, config);
  for (gsize i = 0; i < G_N_ELEMENTS (after_layers); i++)
    append (tensors, self, &after_layers[i], 0, config);
  if (config->head == LAUREL_HEAD_SCORE)
    append (tensors, self, &score_head, 0, config);
  else if (!config->tie_word_embeddings)
    append (tensors, self, &lm_head, 0, config);
  return finish (self, tensors);
}

LaurelLayout *
laurel_layout_ref (LaurelLayout *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
laurel_layout_unref (LaurelLayout *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (int i = 0; i < self->n_tensors; i++)
    g_free (self->tensors[i].name);
  g_free (self->tensors);
  g_free (self);
}

const LaurelTensor *
laurel_layout_find (const LaurelLayout *self, const char *name)
{
  for (int i = 0; i < self->n_tensors; i++)
    if (g_str_equal (self->tensors[i].name, name))
      return &self->tensors[i];
  return NULL;
}
