/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/config.h"

#include "core/base/error.h"
#include "core/base/json.h"

#define MAX_SIZE (1 << 24)

static gboolean
refuse (GError **error, const char *name, const char *why)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH,
               "Could not read “%s”: %s; only GPT-2 models are supported", name, why);
  return FALSE;
}

/* Fields of GPT-2's configuration that have one value Laurel computes with. */
static gboolean
check_fixed_fields (JsonObject *object, const char *name, GError **error)
{
  static const struct {
    const char *member;
    gboolean wanted;
  } fixed[] = {
    { "scale_attn_weights", TRUE },
    { "scale_attn_by_inverse_layer_idx", FALSE },
    { "add_cross_attention", FALSE },
  };
  const char *model_type = "gpt2", *activation = "gelu_new";

  if (!laurel_json_get_string (object, name, "model_type", &model_type, error)
      || !laurel_json_get_string (object, name, "activation_function", &activation, error))
    return FALSE;
  if (g_strcmp0 (model_type, "gpt2") != 0) {
    g_autofree char *why = g_strdup_printf ("its model_type is “%s”", model_type);

    return refuse (error, name, why);
  }
  if (g_strcmp0 (activation, "gelu_new") != 0 && g_strcmp0 (activation, "gelu_pytorch_tanh") != 0) {
    g_autofree char *why = g_strdup_printf ("its activation_function is “%s”, not gelu_new",
                                            activation);

    return refuse (error, name, why);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (fixed); i++) {
    gboolean value = fixed[i].wanted;

    if (!laurel_json_get_boolean (object, name, fixed[i].member, &value, error))
      return FALSE;
    if (value != fixed[i].wanted) {
      g_autofree char *why = g_strdup_printf ("its %s is %s", fixed[i].member,
                                              value ? "true" : "false");

      return refuse (error, name, why);
    }
  }
  return TRUE;
}

static gboolean
read_head (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (object, "architectures");
  const char *architecture = "GPT2LMHeadModel";
  JsonNode *labels = json_object_get_member (object, "id2label");

  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node)
      && json_array_get_length (json_node_get_array (node)) > 0) {
    JsonNode *first = json_array_get_element (json_node_get_array (node), 0);

    if (JSON_NODE_HOLDS_VALUE (first) && json_node_get_value_type (first) == G_TYPE_STRING)
      architecture = json_node_get_string (first);
  }
  if (g_str_equal (architecture, "GPT2LMHeadModel") || g_str_equal (architecture, "GPT2Model")) {
    self->head = LAUREL_HEAD_LM;
    return TRUE;
  }
  if (!g_str_equal (architecture, "GPT2ForSequenceClassification")) {
    g_autofree char *why = g_strdup_printf ("its architecture is “%s”", architecture);

    return refuse (error, name, why);
  }
  self->head = LAUREL_HEAD_SCORE;
  if (labels == NULL || !JSON_NODE_HOLDS_OBJECT (labels)
      || json_object_get_size (json_node_get_object (labels)) != 1)
    return refuse (error, name, "a reward model must have one label");
  return TRUE;
}

static gboolean
read_laurel_fields (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (object, "laurel");
  JsonObject *ours;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return TRUE;
  ours = json_node_get_object (node);
  return laurel_json_get_boolean (ours, name, "normalized", &self->normalized, error)
         && laurel_json_get_double (ours, name, "reward_gain", &self->reward_gain, error)
         && laurel_json_get_double (ours, name, "reward_bias", &self->reward_bias, error);
}

gboolean
laurel_model_config_from_json (LaurelModelConfig *self, JsonObject *object, const char *name,
                               GError **error)
{
  gint64 vocab_size = 50257, n_positions = 1024, n_embd = 768, n_layer = 12, n_head = 12,
  n_inner = 0;
  gint64 bos = -1, eos = -1;

  *self = (LaurelModelConfig) { .layer_norm_epsilon = 1e-5, .initializer_range = 0.02,
                                .tie_word_embeddings = TRUE, .reward_gain = 1.0 };
  if (!check_fixed_fields (object, name, error)
      || !read_head (self, object, name, error)
      || !read_laurel_fields (self, object, name, error)
      || !laurel_json_get_int (object, name, "vocab_size", 1, MAX_SIZE, &vocab_size, error)
      || !laurel_json_get_int (object, name, "n_ctx", 1, MAX_SIZE, &n_positions, error)
      || !laurel_json_get_int (object, name, "n_positions", 1, MAX_SIZE, &n_positions, error)
      || !laurel_json_get_int (object, name, "n_embd", 1, MAX_SIZE, &n_embd, error)
      || !laurel_json_get_int (object, name, "n_layer", 1, 1000, &n_layer, error)
      || !laurel_json_get_int (object, name, "n_head", 1, 1000, &n_head, error)
      || !laurel_json_get_int (object, name, "n_inner", 1, MAX_SIZE, &n_inner, error)
      || !laurel_json_get_int (object, name, "bos_token_id", 0, MAX_SIZE, &bos, error)
      || !laurel_json_get_int (object, name, "eos_token_id", 0, MAX_SIZE, &eos, error)
      || !laurel_json_get_double (object, name, "layer_norm_epsilon", &self->layer_norm_epsilon,
                                  error)
      || !laurel_json_get_double (object, name, "initializer_range", &self->initializer_range,
                                  error)
      || !laurel_json_get_boolean (object, name, "tie_word_embeddings", &self->tie_word_embeddings,
                                   error))
    return FALSE;
  self->vocab_size = (int) vocab_size;
  self->n_positions = (int) n_positions;
  self->n_embd = (int) n_embd;
  self->n_layer = (int) n_layer;
  self->n_head = (int) n_head;
  self->n_inner = n_inner > 0 ? (int) n_inner : 4 * self->n_embd;
  self->bos_token_id = (int) bos;
  self->eos_token_id = (int) eos;
  return laurel_model_config_validate (self, name, error);
}

gboolean
laurel_model_config_validate (const LaurelModelConfig *self, const char *name, GError **error)
{
  const char *why = NULL;

  if (self->n_embd % self->n_head != 0)
    why = "n_embd must be a multiple of n_head";
  else if (self->n_inner > MAX_SIZE)
    why = "n_inner, which is 4 n_embd when it is missing, must be at most 16777216";
  else if (self->bos_token_id >= self->vocab_size || self->eos_token_id >= self->vocab_size)
    why = "bos_token_id and eos_token_id must be within the vocabulary";
  else if (self->layer_norm_epsilon <= 0)
    why = "layer_norm_epsilon must be over 0";
  if (why == NULL)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: %s; correct it", name, why);
  return FALSE;
}

static void
add_label_maps (JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "id2label");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "0");
  json_builder_add_string_value (builder, "LABEL_0");
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "label2id");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "LABEL_0");
  json_builder_add_int_value (builder, 0);
  json_builder_end_object (builder);
}

static void
add_int (JsonBuilder *builder, const char *member, gint64 value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_int_value (builder, value);
}

static void
add_double (JsonBuilder *builder, const char *member, double value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_double_value (builder, value);
}

static void
add_boolean (JsonBuilder *builder, const char *member, gboolean value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_boolean_value (builder, value);
}

/* No pad_token_id for reward models: with pad = end-of-text, transformers would read the score
 * one token early (huggingface/trl#937). */
JsonNode *
laurel_model_config_to_json (const LaurelModelConfig *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "architectures");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, self->head == LAUREL_HEAD_LM ? "GPT2LMHeadModel"
                                 : "GPT2ForSequenceClassification");
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "model_type");
  json_builder_add_string_value (builder, "gpt2");
  json_builder_set_member_name (builder, "activation_function");
  json_builder_add_string_value (builder, "gelu_new");
  add_int (builder, "vocab_size", self->vocab_size);
  add_int (builder, "n_positions", self->n_positions);
  add_int (builder, "n_embd", self->n_embd);
  add_int (builder, "n_layer", self->n_layer);
  add_int (builder, "n_head", self->n_head);
  add_int (builder, "n_inner", self->n_inner);
  add_double (builder, "layer_norm_epsilon", self->layer_norm_epsilon);
  add_double (builder, "initializer_range", self->initializer_range);
  add_double (builder, "attn_pdrop", 0.0);
  add_double (builder, "embd_pdrop", 0.0);
  add_double (builder, "resid_pdrop", 0.0);
  add_boolean (builder, "tie_word_embeddings", self->tie_word_embeddings);
  if (self->bos_token_id >= 0)
    add_int (builder, "bos_token_id", self->bos_token_id);
  if (self->eos_token_id >= 0)
    add_int (builder, "eos_token_id", self->eos_token_id);
  if (self->head == LAUREL_HEAD_SCORE) {
    add_label_maps (builder);
    json_builder_set_member_name (builder, "laurel");
    json_builder_begin_object (builder);
    add_boolean (builder, "normalized", self->normalized);
    add_double (builder, "reward_gain", self->reward_gain);
    add_double (builder, "reward_bias", self->reward_bias);
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
