/* test-config.c: every field of config.json is honoured, known to be harmless, or refused by name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/model/config.h"

#include <string.h>

static gboolean
read_config (const char *text, LaurelModelConfig *config, GError **error)
{
  g_autoptr (JsonNode) node = laurel_json_parse (text, "the-file", error);

  return node != NULL && laurel_model_config_from_json (config, json_node_get_object (node),
                                                         "the-file", error);
}

/* As transformers 4 writes GPT-2's. */
static const char *const gpt2 =
  "{\"_name_or_path\": \"gpt2\", \"activation_function\": \"gelu_new\","
  " \"architectures\": [\"GPT2LMHeadModel\"], \"attn_pdrop\": 0.1, \"bos_token_id\": 50256,"
  " \"embd_pdrop\": 0.2, \"eos_token_id\": 50256, \"initializer_range\": 0.03,"
  " \"layer_norm_epsilon\": 1e-06, \"model_type\": \"gpt2\", \"n_ctx\": 1024, \"n_embd\": 768,"
  " \"n_head\": 12, \"n_inner\": null, \"n_layer\": 12, \"n_positions\": 1024,"
  " \"reorder_and_upcast_attn\": true, \"resid_pdrop\": 0.3,"
  " \"scale_attn_by_inverse_layer_idx\": false, \"scale_attn_weights\": true,"
  " \"summary_activation\": null, \"summary_first_dropout\": 0.1,"
  " \"summary_proj_to_labels\": true, \"summary_type\": \"cls_index\","
  " \"summary_use_proj\": true, \"task_specific_params\": {\"text-generation\":"
  " {\"do_sample\": true, \"max_length\": 50}}, \"torch_dtype\": \"float16\","
  " \"transformers_version\": \"4.36.2\", \"use_cache\": true, \"vocab_size\": 50257}";

static void
test_gpt2 (void)
{
  LaurelModelConfig config;
  g_autoptr (GError) error = NULL;

  read_config (gpt2, &config, &error);
  g_assert_no_error (error);
  g_assert_cmpint (config.vocab_size, ==, 50257);
  g_assert_cmpint (config.n_positions, ==, 1024);
  g_assert_cmpint (config.n_inner, ==, 3072);
  g_assert_cmpint (config.bos_token_id, ==, 50256);
  g_assert_true (config.layer_norm_epsilon == 1e-6);
  g_assert_true (config.initializer_range == 0.03);
  g_assert_true (config.attn_pdrop == 0.1 && config.embd_pdrop == 0.2 && config.resid_pdrop == 0.3);
  g_assert_true (config.tie_word_embeddings);
  g_assert_cmpint (config.head, ==, LAUREL_HEAD_LM);
}

/* What is written reads back the same, and is written the same again. */
static void
test_round_trip (void)
{
  static const char *const others[] = {
    "{\"architectures\": [\"GPT2ForSequenceClassification\"], \"num_labels\": 1, \"n_inner\": 5,"
    " \"laurel\": {\"normalized\": true, \"reward_gain\": 0.25, \"reward_bias\": -3}}",
    "{\"tie_word_embeddings\": false, \"eos_token_id\": [7], \"bos_token_id\": null}",
  };
  const char *texts[] = { gpt2, others[0], others[1] };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    LaurelModelConfig first, second;
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = NULL, again = NULL;
    g_autofree char *text = NULL, *text_again = NULL;

    read_config (texts[i], &first, &error);
    g_assert_no_error (error);
    node = laurel_model_config_to_json (&first);
    text = laurel_json_to_string (node, FALSE);
    read_config (text, &second, &error);
    g_assert_no_error (error);
    again = laurel_model_config_to_json (&second);
    text_again = laurel_json_to_string (again, FALSE);
    g_assert_cmpstr (text, ==, text_again);
    g_assert_cmpint (first.n_inner, ==, second.n_inner);
    g_assert_cmpint (first.eos_token_id, ==, second.eos_token_id);
    g_assert_cmpint (first.bos_token_id, ==, second.bos_token_id);
    g_assert_cmpint (first.head, ==, second.head);
    g_assert_true (first.reward_bias == second.reward_bias);
  }
}

/* transformers' general names, and its defaults where nothing is said. */
static void
test_names (void)
{
  LaurelModelConfig config;
  g_autoptr (GError) error = NULL;

  read_config ("{\"hidden_size\": 64, \"num_hidden_layers\": 3, \"num_attention_heads\": 8,"
               " \"max_position_embeddings\": 99, \"n_embd\": 64, \"eos_token_id\": [5]}",
               &config, &error);
  g_assert_no_error (error);
  g_assert_cmpint (config.n_embd, ==, 64);
  g_assert_cmpint (config.n_layer, ==, 3);
  g_assert_cmpint (config.n_head, ==, 8);
  g_assert_cmpint (config.n_positions, ==, 99);
  g_assert_cmpint (config.n_inner, ==, 256);
  g_assert_cmpint (config.eos_token_id, ==, 5);
  read_config ("{\"n_ctx\": 77}", &config, &error);
  g_assert_no_error (error);
  g_assert_cmpint (config.n_positions, ==, 77);
  g_assert_cmpint (config.vocab_size, ==, 50257);
  g_assert_true (config.attn_pdrop == 0);
}

static void
test_accepted (void)
{
  static const char *const cases[] = {
    "{\"activation_function\": \"gelu_pytorch_tanh\"}",
    "{\"architectures\": null}",
    "{\"architectures\": [\"GPT2Model\"]}",
    "{\"pruned_heads\": {}}",
    "{\"auto_map\": null}",
    "{\"someones_switch\": false}",
    "{\"someones_number\": 0, \"someones_text\": \"\", \"someones_list\": []}",
    "{\"_private\": 5}",
    "{\"bos_token_id\": 50256, \"pad_token_id\": 50256}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    LaurelModelConfig config;
    g_autoptr (GError) error = NULL;

    read_config (cases[i], &config, &error);
    g_assert_no_error (error);
  }
}

/* The word is the field's name, so that people find it. */
static void
test_refused (void)
{
  static const struct {
    const char *text, *word;
  } cases[] = {
    { "{\"model_type\": \"llama\"}", "llama" },
    { "{\"model_type\": 5}", "model_type" },
    { "{\"activation_function\": \"gelu\"}", "activation_function" },
    { "{\"activation_function\": \"relu\"}", "relu" },
    { "{\"architectures\": [\"GPT2DoubleHeadsModel\"]}", "GPT2DoubleHeadsModel" },
    { "{\"architectures\": [\"GPT2LMHeadModel\", \"GPT2Model\"]}", "architectures" },
    { "{\"architectures\": [5]}", "architectures" },
    { "{\"architectures\": [\"GPT2ForSequenceClassification\"]}", "id2label" },
    { "{\"architectures\": [\"GPT2ForSequenceClassification\"], \"num_labels\": 3}", "3 labels" },
    { "{\"scale_attn_weights\": false}", "scale_attn_weights" },
    { "{\"scale_attn_by_inverse_layer_idx\": true}", "scale_attn_by_inverse_layer_idx" },
    { "{\"add_cross_attention\": true}", "add_cross_attention" },
    { "{\"add_cross_attention\": 1}", "add_cross_attention" },
    { "{\"is_encoder_decoder\": true}", "is_encoder_decoder" },
    { "{\"quantization_config\": {\"bits\": 4}}", "quantization_config" },
    { "{\"pruned_heads\": {\"1\": [0]}}", "pruned_heads" },
    { "{\"auto_map\": {\"AutoModel\": \"a.b\"}}", "auto_map" },
    { "{\"rope_theta\": 10000.0}", "rope_theta" },
    { "{\"position_embedding_type\": \"rotary\"}", "position_embedding_type" },
    { "{\"n_embd\": 64, \"hidden_size\": 32}", "hidden_size" },
    { "{\"n_ctx\": 512, \"n_positions\": 1024}", "n_ctx" },
    { "{\"n_embd\": 0}", "n_embd" },
    { "{\"n_embd\": 100}", "multiple of n_head" },
    { "{\"n_layer\": 1e9}", "n_layer" },
    { "{\"n_layer\": 5000}", "n_layer" },
    { "{\"n_inner\": -1}", "n_inner" },
    { "{\"vocab_size\": \"50257\"}", "vocab_size" },
    { "{\"vocab_size\": 99999999999999999999999}", "number is too large" },
    { "{\"n_embd\": 12000000, \"n_inner\": 16000000, \"n_layer\": 1000}", "sizes" },
    { "{\"eos_token_id\": 50257}", "eos_token_id" },
    { "{\"eos_token_id\": [1, 2]}", "eos_token_id" },
    { "{\"eos_token_id\": [[1]]}", "eos_token_id" },
    { "{\"layer_norm_epsilon\": 0}", "layer_norm_epsilon" },
    { "{\"layer_norm_epsilon\": 5}", "layer_norm_epsilon" },
    { "{\"initializer_range\": -1}", "initializer_range" },
    { "{\"attn_pdrop\": 1.5}", "attn_pdrop" },
    { "{\"tie_word_embeddings\": \"yes\"}", "tie_word_embeddings" },
    { "{\"laurel\": 5}", "laurel" },
    { "{\"laurel\": {\"reward_gain\": 1e999}}", "number" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    LaurelModelConfig config;
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", cases[i].text);
    g_assert_false (read_config (cases[i].text, &config, &error));
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, "the-file"));
    g_assert_nonnull (strstr (error->message, cases[i].word));
    g_assert_true (strstr (error->message, "; ") != NULL || strstr (error->message, ": ") != NULL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/config/gpt2", test_gpt2);
  g_test_add_func ("/model/config/round-trip", test_round_trip);
  g_test_add_func ("/model/config/names", test_names);
  g_test_add_func ("/model/config/accepted", test_accepted);
  g_test_add_func ("/model/config/refused", test_refused);
  return g_test_run ();
}
