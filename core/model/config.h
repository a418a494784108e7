/* config.h: what a model's config.json says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_HEAD_LM,    /* GPT2LMHeadModel: logits, tied to wte or lm_head.weight */
  LAUREL_HEAD_SCORE, /* GPT2ForSequenceClassification: score.weight (1, n_embd) */
} LaurelHead;

/* GPT-2's fields under Hugging Face's names. */
typedef struct {
  int vocab_size;
  int n_positions;
  int n_embd;
  int n_layer;
  int n_head;
  int n_inner; /* 4 n_embd unless config.json says otherwise */
  double layer_norm_epsilon;
  double initializer_range;
  double attn_pdrop, embd_pdrop, resid_pdrop; /* dropout: kept for who trains on elsewhere, never applied */
  gboolean tie_word_embeddings;
  int bos_token_id; /* −1: none */
  int eos_token_id;
  LaurelHead head;
  /* Reward models only: whether gain and bias were normalised on reference samples,
   * and with what. Both are folded into the weights already (see reward.c). */
  gboolean normalized;
  double reward_gain;
  double reward_bias;
} LaurelModelConfig;

/* @name is what errors call it. A field that would change the arithmetic and is not honoured is refused by
 * name, as is one that nobody knows unless it is off; dropout is kept and not applied, as Laurel trains
 * without it. */
gboolean laurel_model_config_from_json (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error);
JsonNode *laurel_model_config_to_json (const LaurelModelConfig *self) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_model_config_validate (const LaurelModelConfig *self, const char *name, GError **error);

G_END_DECLS
