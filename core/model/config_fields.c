/* SPDX-License-Identifier: Apache-2.0 */
#include "core/model/config_fields.h"

#include "core/base/error.h"
#include "core/base/json.h"

/* What config.c reads, honours and writes again. */
static const char *const honoured[] = {
  "activation_function", "architectures", "attn_pdrop", "bos_token_id", "embd_pdrop",
  "eos_token_id", "hidden_size", "id2label", "initializer_range", "laurel", "layer_norm_epsilon",
  "max_position_embeddings", "model_type", "n_ctx", "n_embd", "n_head", "n_inner", "n_layer",
  "n_positions", "num_attention_heads", "num_hidden_layers", "num_labels", "resid_pdrop",
  "tie_word_embeddings", "vocab_size", NULL
};

/* What does not touch the numbers that a model computes. */
static const char *const harmless[] = {
  /* how numbers are stored, or how exactly others compute with them: here always in float32 */
  "dtype", "reorder_and_upcast_attn", "torch_dtype", "use_bfloat16", "fp16", "bf16",
  /* what a call gives back, keeps or recomputes */
  "gradient_checkpointing", "is_decoder", "output_attentions", "output_hidden_states",
  "output_past", "output_scores", "return_dict", "return_dict_in_generate", "torchscript",
  "use_cache", "chunk_size_feed_forward", "attn_implementation",
  /* the head of GPT2DoubleHeadsModel, which is refused as such */
  "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
  "summary_use_proj",
  /* names, tasks and other tokens */
  "finetuning_task", "label2id", "name_or_path", "pad_token_id", "prefix", "problem_type",
  "sep_token_id", "task_specific_params", "tf_legacy_loss", "tokenizer_class",
  "transformers_version", "decoder_start_token_id",
  /* defaults of generate(), from when they were kept here */
  "bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping",
  "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id",
  "forced_eos_token_id", "length_penalty", "max_length", "max_new_tokens", "min_length",
  "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences",
  "remove_invalid_values", "repetition_penalty", "suppress_tokens", "temperature", "top_k",
  "top_p", "typical_p", NULL
};

/* Switches with one position that Laurel computes with. */
static const struct {
  const char *field;
  gboolean wanted;
  const char *what;
} fixed[] = {
  { "scale_attn_weights", TRUE, "Laurel's attention divides by √(head size)" },
  { "scale_attn_by_inverse_layer_idx", FALSE, "Laurel's attention does not divide by the layer" },
  { "add_cross_attention", FALSE, "Laurel has no cross-attention" },
  { "is_encoder_decoder", FALSE, "Laurel has no encoder" },
};

/* Fields of other models' making, with more to say than that they are unknown. */
static const struct {
  const char *field, *advice;
} known[] = {
  { "quantization_config", "its weights are quantized; use the model it was made from" },
  { "pruned_heads", "heads were taken out of it; use the model it was made from" },
  { "auto_map", "it asks for program code of its own; use a model of plain GPT-2" },
  { "per_layer_config", "its layers differ; use a model of plain GPT-2" },
};

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
check_fixed (JsonObject *object, const char *name, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fixed); i++) {
    gboolean value = fixed[i].wanted;

    if (!laurel_json_get_boolean (object, name, fixed[i].field, &value, error))
      return FALSE;
    if (value != fixed[i].wanted)
      return refuse (error, name, "its “%s” is %s, but %s; use a model with %s", fixed[i].field,
                     value ? "true" : "false", fixed[i].what, fixed[i].wanted ? "true" : "false");
  }
  return TRUE;
}

/* null, false, 0 and what is empty: a switch that is off. */
static gboolean
is_off (JsonNode *node)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (JSON_NODE_HOLDS_ARRAY (node))
    return json_array_get_length (json_node_get_array (node)) == 0;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_size (json_node_get_object (node)) == 0;
  switch (json_node_get_value_type (node)) {
    case G_TYPE_BOOLEAN: return !json_node_get_boolean (node);
    case G_TYPE_INT64: return json_node_get_int (node) == 0;
    case G_TYPE_DOUBLE: return json_node_get_double (node) == 0;
    default: return *json_node_get_string (node) == '\0';
  }
}

static gboolean
is_fixed (const char *field)
{
  for (gsize i = 0; i < G_N_ELEMENTS (fixed); i++)
    if (g_str_equal (field, fixed[i].field))
      return TRUE;
  return FALSE;
}

/* A field that nobody here knows may change the model, so it must be off. Those that begin with an
 * underscore are transformers' notes to itself. */
static gboolean
check_unknown (const char *field, JsonNode *node, const char *name, GError **error)
{
  if (*field == '_' || is_off (node) || is_fixed (field) || g_strv_contains (honoured, field)
      || g_strv_contains (harmless, field))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (field, known[i].field))
      return refuse (error, name, "it has “%s”: %s", field, known[i].advice);
  return refuse (error, name, "its field “%s” is none of GPT-2's, and it may change what the model "
                 "computes; remove it from the file if it is only a note", field);
}

gboolean
laurel_config_check_fields (JsonObject *object, const char *name, GError **error)
{
  JsonObjectIter iter;
  const char *field;
  JsonNode *node;

  if (!check_fixed (object, name, error))
    return FALSE;
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &field, &node))
    if (!check_unknown (field, node, name, error))
      return FALSE;
  return TRUE;
}
