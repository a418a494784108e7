/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/config.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/model/config_fields.h"

#include <math.h>

#define MAX_SIZE (1 << 24)
#define MAX_LAYERS 1000
#define MAX_PARAMETERS 1e12

static gboolean G_GNUC_PRINTF (3, 4)
refuse (GError **error, const char *name, const char *format, ...)
{
  g_autofree char *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH, "Could not read “%s”: %s", name, why);
  return FALSE;
}

static gboolean
check_kind (JsonObject *object, const char *name, GError **error)
{
  /* transformers' names for ½ x (1 + tanh (√(2/π) (x + 0.044715 x³))) */
  static const char *const activations[] = { "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh",
                                             "gelu_fast", "gelu_accurate", NULL };
  const char *model_type = "gpt2", *activation = "gelu_new";

  if (!laurel_json_get_string (object, name, "model_type", &model_type, error)
      || !laurel_json_get_string (object, name, "activation_function", &activation, error))
    return FALSE;
  if (!g_str_equal (model_type, "gpt2"))
    return refuse (error, name, "its “model_type” is “%s”; only GPT-2 models (“gpt2”) can be used",
                   model_type);
  if (!g_strv_contains (activations, activation))
    return refuse (error, name, "its “activation_function” is “%s”, but Laurel computes gelu_new; "
                   "use a model with that", activation);
  return TRUE;
}

/* GPT2Model is the trunk alone, whose head is the embedding. */
static gboolean
read_head (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (object, "architectures");
  const char *architecture = "GPT2LMHeadModel";

  self->head = LAUREL_HEAD_LM;
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 1)
    node = json_array_get_element (json_node_get_array (node), 0);
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return refuse (error, name, "its “architectures” must be a list of one name; correct it");
  architecture = json_node_get_string (node);
  if (g_str_equal (architecture, "GPT2ForSequenceClassification"))
    self->head = LAUREL_HEAD_SCORE;
  else if (!g_str_equal (architecture, "GPT2LMHeadModel")
           && !g_str_equal (architecture, "GPT2Model"))
    return refuse (error, name, "its “architectures” say “%s”; only GPT2LMHeadModel, GPT2Model and "
                   "GPT2ForSequenceClassification can be used", architecture);
  return TRUE;
}

/* A score head gives one number. Without a word about labels transformers makes it two. */
static gboolean
check_labels (const LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  JsonNode *labels = json_object_get_member (object, "id2label");
  gint64 n_labels = 2;

  if (self->head != LAUREL_HEAD_SCORE)
    return TRUE;
  if (!laurel_json_get_int (object, name, "num_labels", 1, MAX_SIZE, &n_labels, error))
    return FALSE;
  if (labels != NULL && JSON_NODE_HOLDS_OBJECT (labels))
    n_labels = json_object_get_size (json_node_get_object (labels));
  if (n_labels == 1)
    return TRUE;
  return refuse (error, name, "its “id2label” makes %d labels, but a reward model has one; use a "
                 "model with a single score", (int) n_labels);
}

static gboolean
read_laurel_fields (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  JsonNode *node = json_object_get_member (object, "laurel");
  JsonObject *ours;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error, name, "its “laurel” must be an object; correct it");
  ours = json_node_get_object (node);
  return laurel_json_get_boolean (ours, name, "normalized", &self->normalized, error)
         && laurel_json_get_double (ours, name, "reward_gain", &self->reward_gain, error)
         && laurel_json_get_double (ours, name, "reward_bias", &self->reward_bias, error);
}

/* A size under GPT-2's name, or under the one that transformers has for it in every model. */
static gboolean
read_size (int *out, JsonObject *object, const char *name, const char *member, const char *other,
           gint64 fallback, GError **error)
{
  gint64 size = 0, same = 0;

  if (!laurel_json_get_int (object, name, member, 1, MAX_SIZE, &size, error)
      || !laurel_json_get_int (object, name, other, 1, MAX_SIZE, &same, error))
    return FALSE;
  if (size > 0 && same > 0 && size != same)
    return refuse (error, name, "its “%s” is %d but its “%s” is %d; remove the wrong one", member,
                   (int) size, other, (int) same);
  *out = (int) (size > 0 ? size : same > 0 ? same : fallback);
  return TRUE;
}

/* −1 where there is none. Newer files have lists of end tokens. */
static gboolean
read_token (int *out, JsonObject *object, const char *name, const char *member, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  g_autoptr (JsonObject) single = NULL;
  gint64 id = -1;

  *out = -1;
  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node)) {
    if (json_array_get_length (json_node_get_array (node)) != 1)
      return refuse (error, name, "its “%s” is a list of several tokens, but Laurel uses one; keep "
                     "the one that ends a text", member);
    single = json_object_new ();
    json_object_set_member (single, member,
                            json_node_copy (json_array_get_element (json_node_get_array (node),
                                                                    0)));
    object = single;
  }
  if (!laurel_json_get_int (object, name, member, 0, MAX_SIZE, &id, error))
    return FALSE;
  *out = (int) id;
  return TRUE;
}

static gboolean
read_sizes (LaurelModelConfig *self, JsonObject *object, const char *name, GError **error)
{
  gint64 vocab_size = 50257, n_ctx = 0, n_inner = 0;

  if (!laurel_json_get_int (object, name, "vocab_size", 1, MAX_SIZE, &vocab_size, error)
      || !laurel_json_get_int (object, name, "n_ctx", 1, MAX_SIZE, &n_ctx, error)
      || !read_size (&self->n_positions, object, name, "n_positions", "max_position_embeddings",
                     n_ctx > 0 ? n_ctx : 1024, error)
      || !read_size (&self->n_embd, object, name, "n_embd", "hidden_size", 768, error)
      || !read_size (&self->n_layer, object, name, "n_layer", "num_hidden_layers", 12, error)
      || !read_size (&self->n_head, object, name, "n_head", "num_attention_heads", 12, error)
      || !laurel_json_get_int (object, name, "n_inner", 1, MAX_SIZE, &n_inner, error))
    return FALSE;
  if (n_ctx > 0 && n_ctx != self->n_positions)
    return refuse (error, name, "its “n_ctx” is %d but its “n_positions” is %d; remove “n_ctx”, "
                   "which transformers no longer reads", (int) n_ctx, self->n_positions);
  if (self->n_layer > MAX_LAYERS || self->n_head > MAX_LAYERS)
    return refuse (error, name, "its “n_layer” or “n_head” is over %d; correct it", MAX_LAYERS);
  self->vocab_size = (int) vocab_size;
  self->n_inner = n_inner > 0 ? (int) n_inner : 4 * self->n_embd;
  return TRUE;
}

gboolean
laurel_model_config_from_json (LaurelModelConfig *self, JsonObject *object, const char *name,
                               GError **error)
{
  *self = (LaurelModelConfig) { .layer_norm_epsilon = 1e-5, .initializer_range = 0.02,
                                .tie_word_embeddings = TRUE, .reward_gain = 1.0 };
  return check_kind (object, name, error)
         && laurel_config_check_fields (object, name, error)
         && read_head (self, object, name, error)
         && check_labels (self, object, name, error)
         && read_laurel_fields (self, object, name, error)
         && read_sizes (self, object, name, error)
         && read_token (&self->bos_token_id, object, name, "bos_token_id", error)
         && read_token (&self->eos_token_id, object, name, "eos_token_id", error)
         && laurel_json_get_double (object, name, "layer_norm_epsilon", &self->layer_norm_epsilon,
                                    error)
         && laurel_json_get_double (object, name, "initializer_range", &self->initializer_range,
                                    error)
         && laurel_json_get_double (object, name, "attn_pdrop", &self->attn_pdrop, error)
         && laurel_json_get_double (object, name, "embd_pdrop", &self->embd_pdrop, error)
         && laurel_json_get_double (object, name, "resid_pdrop", &self->resid_pdrop, error)
         && laurel_json_get_boolean (object, name, "tie_word_embeddings",
                                     &self->tie_word_embeddings, error)
         && laurel_model_config_validate (self, name, error);
}

static gboolean
is_probability (double p)
{
  return p >= 0 && p <= 1;
}

/* In double, which sizes that are no model's do not wrap around. */
static double
count_parameters (const LaurelModelConfig *self)
{
  double C = self->n_embd, I = self->n_inner;

  return (2.0 * self->vocab_size + self->n_positions) * C
         + self->n_layer * (4 * C * C + 2 * C * I + 9 * C + I);
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
  else if (!(self->layer_norm_epsilon > 0 && self->layer_norm_epsilon < 1))
    why = "layer_norm_epsilon must be over 0 and under 1";
  else if (!(self->initializer_range >= 0 && self->initializer_range < 100))
    why = "initializer_range must be from 0 to 100";
  else if (!is_probability (self->attn_pdrop) || !is_probability (self->embd_pdrop)
           || !is_probability (self->resid_pdrop))
    why = "attn_pdrop, embd_pdrop and resid_pdrop must be from 0 to 1";
  else if (!isfinite (self->reward_gain) || !isfinite (self->reward_bias))
    why = "reward_gain and reward_bias must be finite";
  else if (count_parameters (self) > MAX_PARAMETERS)
    why = "its sizes make more than a million million weights";
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

/* Where nothing is said, transformers takes 50256. */
static void
add_token (JsonBuilder *builder, const char *member, int id)
{
  json_builder_set_member_name (builder, member);
  if (id >= 0)
    json_builder_add_int_value (builder, id);
  else
    json_builder_add_null_value (builder);
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
  add_double (builder, "attn_pdrop", self->attn_pdrop);
  add_double (builder, "embd_pdrop", self->embd_pdrop);
  add_double (builder, "resid_pdrop", self->resid_pdrop);
  add_boolean (builder, "tie_word_embeddings", self->tie_word_embeddings);
  add_token (builder, "bos_token_id", self->bos_token_id);
  add_token (builder, "eos_token_id", self->eos_token_id);
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
