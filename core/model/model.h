/* model.h: a configuration, a block of weights, a tokenizer and a chat template.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/config.h"
#include "core/model/generation_config.h"
#include "core/model/dtype.h"
#include "core/model/parameters.h"
#include "core/text/template.h"
#include "core/text/tokenizer.h"

G_BEGIN_DECLS

/* Where a tensor of each kind lies in a block, so that the step loop looks up no names. */
typedef struct {
  gsize wte, wpe, lnf_w, lnf_b;
  gsize head; /* wte when tied, lm_head.weight or score.weight */
  gsize layer0;       /* the first tensor of layer 0 */
  gsize layer_stride; /* floats from one layer to the next */
  /* relative to the layer */
  gsize ln1_w, ln1_b, qkv_w, qkv_b, attn_w, attn_b, ln2_w, ln2_b, fc_w, fc_b, proj_w, proj_b;
} LaurelOffsets;

typedef struct {
  LaurelModelConfig config;
  LaurelGenerationConfig generation;
  LaurelLayout *layout;
  LaurelOffsets at;
  float *weights; /* one block of @layout */
  LaurelTokenizer *tokenizer;
  LaurelTemplate *chat_template;
} LaurelModel;

/* Weights N(0, initializer_range), residual projections scaled by 1/√(2 n_layer), norms 1 and 0 (GPT-2's
 * initialisation); a score head N(0, 1/(n_embd + 1)). NULL and an error when memory is short. */
LaurelModel *laurel_model_new (const LaurelModelConfig *config, LaurelTokenizer *tokenizer, const LaurelTemplate *chat_template, guint64 seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with every weight 0, for who fills them all. */
LaurelModel *laurel_model_new_blank (const LaurelModelConfig *config, LaurelTokenizer *tokenizer, const LaurelTemplate *chat_template, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LaurelModel *laurel_model_copy (const LaurelModel *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same trunk with another head: an SFT model's trunk under a fresh score head. */
LaurelModel *laurel_model_with_head (const LaurelModel *self, LaurelHead head, guint64 seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A score head alone, of zeros, that reads @trunk's hidden states: it takes the score head's functions (head.h) and
 * nothing else. */
LaurelModel *laurel_model_new_score_head (const LaurelModel *trunk, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_model_free (LaurelModel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelModel, laurel_model_free)

/* Hugging Face directories: config.json, model.safetensors (or pytorch-style shards with
 * model.safetensors.index.json), tokenizer files, chat_template.json (ours). F32, F16 and BF16 become float32;
 * a number that is not finite is refused with its tensor's name, as is a tensor that has no place. */
LaurelModel *laurel_model_load (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_model_save (const LaurelModel *self, const char *dir, LaurelDtype dtype, GError **error);
gboolean laurel_model_load_config (const char *dir, LaurelModelConfig *out_config, GError **error);

/* SHA-256 of the weights in memory. */
char *laurel_model_hash_weights (const LaurelModel *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
