/* fuzz-rows.c: files to train on, named by their first line: pretrain.txt, pretrain.json,
 * pretrain.tokens, sft.jsonl, reward.jsonl, ppo.jsonl or ppo.txt.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/project/data.h"
#include "core/train/rows.h"

#include <stdlib.h>
#include <string.h>

const FuzzFormat fuzz_format = { NULL, NULL };

static LaurelModel *model;
static LaurelStore *store; /* empty */

static void
clear (void)
{
  laurel_model_free (model);
  laurel_store_close (store);
}

static LaurelTokenizer *
make_tokenizer (void)
{
  const char *const texts[] = { "User: hello there\nAssistant: hello, hello to you there" };
  g_autoptr (GError) error = NULL;
  LaurelTokenizer *tokenizer = laurel_tokenizer_train_bpe (texts, NULL, 1, 280, NULL, NULL,
                                                           &error);

  g_assert_no_error (error);
  return tokenizer;
}

static void
set_up (void)
{
  const char text[] = "{\"prompt\":\"User: {prompt}\\nAssistant:\","
                      "\"completion\":\" {completion}\",\"system\":\"{system}\\n\"}";
  g_autofree char *path = g_build_filename (fuzz_folder (), "project.sqlite", NULL);
  g_autoptr (LaurelTokenizer) tokenizer = make_tokenizer ();
  g_autoptr (LaurelTemplate) chat_template = NULL;
  g_autoptr (GError) error = NULL;
  LaurelModelConfig config = {
    .n_positions = 48, .n_embd = 4, .n_layer = 1, .n_head = 1, .n_inner = 4,
    .layer_norm_epsilon = 1e-5, .initializer_range = 0.02, .tie_word_embeddings = TRUE,
    .bos_token_id = -1,
  };

  fuzz_write ("chat_template.json", text, strlen (text));
  chat_template = laurel_template_load (fuzz_folder (), &error);
  g_assert_no_error (error);
  config.vocab_size = laurel_tokenizer_get_vocab_size (tokenizer);
  config.eos_token_id = laurel_tokenizer_get_end_of_text (tokenizer);
  model = laurel_model_new (&config, tokenizer, chat_template, 0, &error);
  g_assert_no_error (error);
  store = laurel_store_open (path, &error);
  g_assert_no_error (error);
  atexit (clear);
}

static void
check_tokens (const gint32 *tokens, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    g_assert_cmpint (tokens[i], >=, 0);
    g_assert_cmpint (tokens[i], <, model->config.vocab_size);
  }
}

/* Every row has something to learn, tokens of the vocabulary and at most @limit of them in a
 * sequence. */
static void
check_rows (const LaurelRows *rows, int limit)
{
  for (gsize row = 0; row < laurel_rows_count (rows); row++) {
    g_auto (LaurelRagged) ragged;

    laurel_ragged_init (&ragged);
    laurel_rows_gather (rows, row, limit, &ragged);
    g_assert_cmpint (ragged.n_labels, >, 0);
    g_assert_cmpuint (ragged.learned->len, ==, ragged.tokens->len);
    check_tokens ((const gint32 *) (const void *) ragged.tokens->data, ragged.tokens->len);
    for (guint i = 0; i + 1 < ragged.offsets->len; i++) {
      gint32 from = g_array_index (ragged.offsets, gint32, i);

      g_assert_cmpint (g_array_index (ragged.offsets, gint32, i + 1) - from, <=, limit);
      g_assert_cmpint (g_array_index (ragged.learned, guint8, from), ==, 0);
    }
  }
}

static void
check_data (const LaurelTrainData *data, int limit)
{
  check_rows (data->rows, limit);
  check_rows (data->eval_rows, limit);
  for (guint i = 0; i < data->comparisons->len; i++) {
    const LaurelComparison *comparison = g_ptr_array_index (data->comparisons, i);

    g_assert_cmpint (comparison->n, >=, 2);
    for (int j = 0; j < comparison->n; j++)
      check_tokens (comparison->completions[j]->tokens,
                    (gsize) comparison->completions[j]->n_tokens);
  }
  for (guint i = 0; i < data->prompts->len; i++) {
    const LaurelTrainPrompt *prompt = g_ptr_array_index (data->prompts, i);

    check_tokens (prompt->tokens, (gsize) prompt->n_tokens);
  }
  for (guint i = 0; i < data->notes->len; i++)
    g_assert_true (g_utf8_validate (g_ptr_array_index (data->notes, i), -1, NULL));
}

static void
run (LaurelStage stage, const char *path)
{
  char *files[] = { (char *) path, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) snapshot =
      laurel_data_snapshot (store, stage, files, LAUREL_LABELERS_ALL, &error);
  g_auto (LaurelTrainData) data = { 0 };
  LaurelHyperparameters hp;
  gboolean loaded;

  fuzz_check (snapshot != NULL, error);
  if (snapshot == NULL)
    return;
  laurel_hyperparameters_init (&hp, stage);
  loaded = laurel_data_load (store, stage, json_node_get_object (snapshot), model, &hp,
                             fuzz_folder (), NULL, &data, &error);
  fuzz_check (loaded, error);
  if (loaded)
    check_data (&data, laurel_data_max_length (model, &hp));
  laurel_data_remove_encoded (fuzz_folder ());
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const struct {
    const char *name;
    LaurelStage stage;
  } kinds[] = {
    { "pretrain.txt", LAUREL_STAGE_PRETRAIN },    { "pretrain.json", LAUREL_STAGE_PRETRAIN },
    { "pretrain.tokens", LAUREL_STAGE_PRETRAIN }, { "sft.jsonl", LAUREL_STAGE_SFT },
    { "reward.jsonl", LAUREL_STAGE_REWARD },      { "ppo.jsonl", LAUREL_STAGE_PPO },
    { "ppo.txt", LAUREL_STAGE_PPO },
  };
  const char *newline = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize n = newline != NULL ? (gsize) (newline - (const char *) data) : 0;
  g_autofree char *wanted = g_strndup ((const char *) data, n);

  if (model == NULL)
    set_up ();
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (wanted, kinds[i].name)) {
      g_autofree char *path = g_strdup (fuzz_write (wanted, data + n + 1, size - n - 1));

      run (kinds[i].stage, path);
    }
  return 0;
}
