/* test-generate.c: sampling whole completions: sameness, stop strings, streaming, stopping.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/model/rounding.h"

#include <math.h>
#include <string.h>

#define N_PROMPTS 12
#define MAX_TOKENS 24

static char *const corpus[] = {
  (char *) "the cat sat on the mat and the dog sat on the cat; the hen ran and the man ran",
  (char *) "ä ö ü → ← 猫が好き \360\237\220\210 \360\237\220\225 the end of the line",
  (char *) "User: why?\nAssistant: because the cat said so.\nUser: and then?\nAssistant: the end."
};

/* A random model over a real tokenizer: its text is full of broken and of long characters. */
static LaurelModel *
make_model (const char *lead)
{
  g_autoptr (GError) error = NULL;
  LaurelTokenizer *tokenizer =
      laurel_tokenizer_train_bpe ((const char *const *) corpus, NULL, G_N_ELEMENTS (corpus), 300,
                                  NULL, NULL, &error);
  LaurelTemplate chat = { (char *) "", (char *) "", (char *) lead };
  LaurelModelConfig config = {
    .n_positions = 64, .n_embd = 32, .n_layer = 2, .n_head = 4, .n_inner = 128,
    .layer_norm_epsilon = 1e-5, .initializer_range = 0.2, .tie_word_embeddings = TRUE,
    .bos_token_id = -1, .head = LAUREL_HEAD_LM, .reward_gain = 1,
  };
  LaurelModel *model;

  g_assert_no_error (error);
  config.vocab_size = laurel_tokenizer_get_vocab_size (tokenizer);
  config.eos_token_id = laurel_tokenizer_get_end_of_text (tokenizer);
  model = laurel_model_new (&config, tokenizer, &chat, 3, &error);
  g_assert_no_error (error);
  laurel_tokenizer_unref (tokenizer);
  return model;
}

typedef struct {
  gint32 tokens[N_PROMPTS][20];
  LaurelPromptTokens prompts[N_PROMPTS];
} Prompts;

static void
fill_prompts (Prompts *self)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 20, 0);
  for (int p = 0; p < N_PROMPTS; p++) {
    self->prompts[p] = (LaurelPromptTokens) { self->tokens[p], 3 + p, 100 + (guint64) p };
    for (int t = 0; t < 20; t++)
      self->tokens[p][t] = (gint32) laurel_rng_below (&rng, 256);
  }
}

static LaurelSamplingOptions
get_options (void)
{
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;

  options.max_tokens = MAX_TOKENS;
  options.seed = 9;
  return options;
}

static GPtrArray *
sample (const LaurelModel *model, const LaurelPromptTokens *prompts, int n, int n_completions,
        const LaurelSamplingOptions *options)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *samples = laurel_generate (model, prompts, n, n_completions, options, NULL, NULL,
                                        &error);

  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, ==, (guint) (n * n_completions));
  return samples;
}

/* --- Sameness ----------------------------------------------------------------------------- */

/* To the bit: no kernel lets a row's sums depend on its company. */
static void
assert_same (const LaurelSample *a, const LaurelSample *b)
{
  g_assert_cmpint (a->finish, ==, b->finish);
  g_assert_cmpmem (a->tokens, (gsize) a->n_tokens * 4, b->tokens, (gsize) b->n_tokens * 4);
  g_assert_cmpmem (a->logprobs, (gsize) a->n_tokens * 4, b->logprobs, (gsize) b->n_tokens * 4);
  g_assert_cmpmem (a->plain_logprobs, (gsize) a->n_tokens * 4, b->plain_logprobs,
                   (gsize) b->n_tokens * 4);
}

static void
compare_company (const LaurelModel *model, LaurelSamplingOptions options)
{
  static const int rows[] = { 1, 3, 7, 64 };
  Prompts all;
  LaurelPromptTokens turned[N_PROMPTS];
  g_autoptr (GPtrArray) together = NULL, other_order = NULL;

  fill_prompts (&all);
  together = sample (model, all.prompts, N_PROMPTS, 3, &options);
  for (int p = 0; p < N_PROMPTS; p++)
    turned[p] = all.prompts[N_PROMPTS - 1 - p];
  other_order = sample (model, turned, N_PROMPTS, 3, &options);
  for (guint p = 0; p < N_PROMPTS; p++) {
    g_autoptr (GPtrArray) alone = sample (model, &all.prompts[p], 1, 3, &options);
    g_autoptr (GPtrArray) more = sample (model, &all.prompts[p], 1, 5, &options);

    for (guint j = 0; j < 3; j++) {
      const LaurelSample *wanted = g_ptr_array_index (together, p * 3 + j);

      assert_same (wanted, g_ptr_array_index (alone, j));
      assert_same (wanted, g_ptr_array_index (more, j));
      assert_same (wanted, g_ptr_array_index (other_order, (N_PROMPTS - 1 - p) * 3 + j));
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) samples = NULL;

    options.max_rows = rows[i];
    samples = sample (model, all.prompts, N_PROMPTS, 3, &options);
    for (guint s = 0; s < samples->len; s++)
      assert_same (g_ptr_array_index (together, s), g_ptr_array_index (samples, s));
  }
}

static void
test_company (void)
{
  g_autoptr (LaurelModel) model = make_model ("");
  LaurelSamplingOptions options = get_options ();

  compare_company (model, options);
  options.temperature = 0.8;
  options.top_k = 40;
  options.top_p = 0.9;
  options.min_p = 0.02;
  options.repetition_penalty = 1.3;
  compare_company (model, options);
}

static void
test_seeds (void)
{
  g_autoptr (LaurelModel) model = make_model ("");
  LaurelSamplingOptions options = get_options ();
  Prompts all;
  g_autoptr (GPtrArray) first = NULL, second = NULL;
  const LaurelSample *a, *b, *c;

  fill_prompts (&all);
  first = sample (model, all.prompts, 1, 2, &options);
  options.seed++;
  second = sample (model, all.prompts, 1, 2, &options);
  a = g_ptr_array_index (first, 0);
  b = g_ptr_array_index (first, 1);
  c = g_ptr_array_index (second, 0);
  g_assert_cmpint (memcmp (a->tokens, b->tokens, sizeof (gint32) * 5), !=, 0);
  g_assert_cmpint (memcmp (a->tokens, c->tokens, sizeof (gint32) * 5), !=, 0);
}

/* Apart when something is filtered, the same when nothing is. */
static void
test_two_logprobs (void)
{
  g_autoptr (LaurelModel) model = make_model ("");
  LaurelSamplingOptions options = get_options ();
  Prompts all;
  double gap = 0;

  fill_prompts (&all);
  for (int filtered = 0; filtered < 2; filtered++) {
    g_autoptr (GPtrArray) samples = NULL;

    options.temperature = 0.7;
    options.top_k = filtered ? 5 : 0;
    samples = sample (model, all.prompts, 2, 2, &options);
    for (guint s = 0; s < samples->len; s++) {
      const LaurelSample *one = g_ptr_array_index (samples, s);

      for (int t = 0; t < one->n_tokens; t++) {
        if (!filtered)
          g_assert_cmpfloat (one->logprobs[t], ==, one->plain_logprobs[t]);
        else /* renormalised over fewer, so more likely */
          g_assert_cmpfloat (one->logprobs[t], >=, one->plain_logprobs[t]);
        gap += fabs ((double) one->logprobs[t] - (double) one->plain_logprobs[t]);
      }
    }
  }
  g_assert_cmpfloat (gap, >, 1);
}

/* --- Rounding ------------------------------------------------------------------------------ */

static LaurelRoundingCost
measure_rounding (const LaurelModel *model, gboolean bf16_weights, double temperature)
{
  LaurelSamplingOptions options = get_options ();
  g_autoptr (GPtrArray) samples = NULL;
  LaurelRoundingCost cost;
  Prompts all;

  fill_prompts (&all);
  options.bf16_weights = bf16_weights;
  options.temperature = temperature;
  samples = sample (model, all.prompts, N_PROMPTS, 4, &options);
  g_assert_true (laurel_rounding_measure (model, all.prompts, samples, temperature, &cost, NULL));
  g_test_message ("%.2e on average, %.2e at most, %d tokens", cost.mean, cost.worst, cost.n_tokens);
  g_assert_cmpfloat (cost.mean, <=, cost.worst);
  /* 32 of the 48 samples are looked at; few of them end before the last token. */
  g_assert_cmpint (cost.n_tokens, >, 32 * MAX_TOKENS / 2);
  g_assert_cmpint (cost.n_tokens, <=, 32 * MAX_TOKENS);
  return cost;
}

/* What the model's matrices lose, and nothing else. */
static void
test_rounding (void)
{
  static const double temperatures[] = { 1, 0.5, 0 };
  g_autoptr (LaurelModel) model = make_model ("");

  for (guint i = 0; i < G_N_ELEMENTS (temperatures); i++) {
    LaurelRoundingCost exact = measure_rounding (model, FALSE, temperatures[i]);
    LaurelRoundingCost rounded = measure_rounding (model, TRUE, temperatures[i]);

    /* Two ways of taking the softmax of logits near 10 in float32. */
    g_assert_cmpfloat (exact.worst, <, 1e-4);
    /* Eight bits of each weight. */
    g_assert_cmpfloat (rounded.mean, >, 1e-3);
    g_assert_cmpfloat (rounded.worst, <, 1);
  }
  /* Once rounded, matrices lose nothing more, though norms, biases and positions still would. */
  for (int t = 0; t < model->layout->n_tensors; t++) {
    const LaurelTensor *tensor = &model->layout->tensors[t];

    for (gsize i = 0; i < tensor->n; i++) {
      float *weight = &model->weights[tensor->offset + i];
      guchar half[2];

      *weight += 0.001f;
      if (tensor->decay && strstr (tensor->name, "wpe") == NULL) {
        g_assert_true (laurel_dtype_from_float (LAUREL_DTYPE_BF16, weight, half, 1));
        g_assert_true (laurel_dtype_to_float (LAUREL_DTYPE_BF16, half, weight, 1));
      }
    }
  }
  g_assert_cmpfloat (measure_rounding (model, TRUE, 1).worst, <, 1e-4);
}

/* --- Stop strings ------------------------------------------------------------------------ */

static char *
whole_text (const LaurelModel *model, const LaurelSample *one)
{
  return laurel_template_decode_completion (model->chat_template, model->tokenizer, one->tokens,
                                            (gsize) one->n_tokens);
}

/* Every text of two characters in a completion, wherever its tokens part, ends it there. */
static void
test_stop_strings (void)
{
  g_autoptr (LaurelModel) model = make_model ("");
  LaurelSamplingOptions options = get_options ();
  Prompts all;
  g_autoptr (GPtrArray) free_run = NULL;
  int n_spanning = 0, n_all = 0;

  fill_prompts (&all);
  free_run = sample (model, all.prompts, 4, 1, &options);
  for (guint s = 0; s < free_run->len; s++) {
    const LaurelSample *unstopped = g_ptr_array_index (free_run, s);
    g_autofree char *text = whole_text (model, unstopped);

    for (const char *at = text; *at != '\0' && *g_utf8_next_char (at) != '\0';
         at = g_utf8_next_char (at)) {
      const char *end = g_utf8_next_char (g_utf8_next_char (at));
      g_autofree char *stop = g_strndup (at, (gsize) (end - at));
      const char *const stops[] = { "never comes", stop, NULL };
      g_autofree char *expected = g_strndup (text, (gsize) (strstr (text, stop) - text));
      g_autoptr (GPtrArray) samples = NULL;
      g_autofree char *got = NULL, *kept = NULL;
      const LaurelSample *one;
      gsize length;

      if (strstr (stop, "\357\277\275") != NULL) /* stands for broken bytes, is none of the text */
        continue;
      options.stop = stops;
      samples = sample (model, &all.prompts[s], 1, 1, &options);
      one = g_ptr_array_index (samples, 0);
      got = laurel_sample_dup_text (one, model);
      g_assert_cmpstr (got, ==, expected);
      g_assert_cmpint (one->stop, ==, 1);
      g_assert_cmpint (one->finish, ==, LAUREL_FINISH_STOP);
      /* The tokens are the first of those that came without the stop string, up to the one that
       * completes it. */
      g_assert_cmpmem (one->tokens, (gsize) one->n_tokens * 4, unstopped->tokens,
                       (gsize) one->n_tokens * 4);
      kept = whole_text (model, one);
      g_assert_nonnull (strstr (kept, stop));
      laurel_tokenizer_get_bytes (model->tokenizer, one->tokens[one->n_tokens - 1], &length);
      n_spanning += length < strlen (stop);
      n_all++;
    }
  }
  g_assert_cmpint (n_all, >, 20);
  g_assert_cmpint (n_spanning, >, 10);
}

/* --- Streaming ------------------------------------------------------------------------------ */

#define N_STREAMED 12

typedef struct {
  GString *texts[N_STREAMED];
  GArray *tokens[N_STREAMED];
  gboolean is_done[N_STREAMED];
  int n_calls, stop_after; /* tokens; 0: never */
  int n_progress;
} Listener;

static gboolean
token_cb (const LaurelSampledToken *token, gpointer user_data)
{
  Listener *self = user_data;
  int at = token->prompt * 3 + token->index;

  g_assert_false (self->is_done[at]);
  g_assert_cmpint (token->position, ==, (int) self->tokens[at]->len);
  g_assert_true (g_utf8_validate (token->text, -1, NULL));
  g_array_append_val (self->tokens[at], token->token);
  g_string_append (self->texts[at], token->text);
  self->is_done[at] = token->finished != NULL;
  self->n_calls++;
  return self->stop_after == 0 || self->n_calls < self->stop_after;
}

static gboolean
progress_cb (int n_done, int n_all, gpointer user_data)
{
  Listener *self = user_data;

  g_assert_cmpint (n_all, ==, N_STREAMED);
  return --self->n_progress != 0;
}

static void
listener_init (Listener *self)
{
  *self = (Listener) { 0 };
  for (int i = 0; i < N_STREAMED; i++) {
    self->texts[i] = g_string_new (NULL);
    self->tokens[i] = g_array_new (FALSE, FALSE, sizeof (gint32));
  }
}

static void
listener_clear (Listener *self)
{
  for (int i = 0; i < N_STREAMED; i++) {
    g_string_free (self->texts[i], TRUE);
    g_array_unref (self->tokens[i]);
  }
}

static void
test_stream (void)
{
  static const char *const stops[] = { "th", "a", NULL };
  g_autoptr (LaurelModel) model = make_model (" ");

  for (int with_stop = 0; with_stop < 2; with_stop++) {
    LaurelSamplingOptions options = get_options ();
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) samples = NULL, silent = NULL;
    Listener listener;
    Prompts all;

    fill_prompts (&all);
    listener_init (&listener);
    options.max_rows = 5;
    options.stop = with_stop ? stops : NULL;
    samples = laurel_generate_stream (model, all.prompts, N_STREAMED / 3, 3, &options, progress_cb,
                                      token_cb, &listener, &error);
    g_assert_no_error (error);
    silent = sample (model, all.prompts, N_STREAMED / 3, 3, &options);
    for (guint s = 0; s < samples->len; s++) {
      const LaurelSample *one = g_ptr_array_index (samples, s);
      g_autofree char *text = laurel_sample_dup_text (g_ptr_array_index (silent, s), model);

      assert_same (one, g_ptr_array_index (silent, s));
      g_assert_true (listener.is_done[s]);
      g_assert_cmpstr (listener.texts[s]->str, ==, text);
      g_assert_cmpmem (listener.tokens[s]->data, listener.tokens[s]->len * 4, one->tokens,
                       (gsize) one->n_tokens * 4);
    }
    listener_clear (&listener);
  }
}

/* Not one token after the caller has said no; none at all when that was during the prompts. */
static void
test_cancel (void)
{
  g_autoptr (LaurelModel) model = make_model ("");
  LaurelSamplingOptions options = get_options ();
  Prompts all;

  fill_prompts (&all);
  for (int i = 1; i < 40; i += 7) {
    g_autoptr (GError) error = NULL;
    Listener listener;

    listener_init (&listener);
    listener.stop_after = i;
    g_assert_null (laurel_generate_stream (model, all.prompts, N_STREAMED / 3, 3, &options, NULL,
                                           token_cb, &listener, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
    g_assert_cmpint (listener.n_calls, ==, i);
    listener_clear (&listener);
  }
  for (int i = 1; i < 8; i++) {
    g_autoptr (GError) error = NULL;
    Listener listener;

    listener_init (&listener);
    listener.n_progress = i;
    g_assert_null (laurel_generate_stream (model, all.prompts, N_STREAMED / 3, 3, &options,
                                           progress_cb, token_cb, &listener, &error));
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
    if (i <= model->config.n_layer) /* asked after each layer of the prefill */
      g_assert_cmpint (listener.n_calls, ==, 0);
    listener_clear (&listener);
  }
}

/* --- Errors -------------------------------------------------------------------------------- */

static void
test_errors (void)
{
  static const gint32 foreign = 100000;
  static const char *const stops[] = { "x", NULL }, *const empty[] = { "", NULL };
  const LaurelLogitBias bias = { &foreign, 1, 1 };
  g_autoptr (LaurelModel) model = make_model ("");
  g_autoptr (GError) a = NULL, b = NULL, c = NULL, d = NULL;
  LaurelSamplingOptions options = get_options ();
  LaurelTokenizer *tokenizer = model->tokenizer;
  Prompts all;

  fill_prompts (&all);
  options.biases = &bias;
  options.n_biases = 1;
  g_assert_null (laurel_generate (model, all.prompts, 1, 1, &options, NULL, NULL, &a));
  g_assert_error (a, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  options.n_biases = 0;
  options.stop = empty;
  g_assert_null (laurel_generate (model, all.prompts, 1, 1, &options, NULL, NULL, &b));
  g_assert_error (b, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  options.stop = stops;
  model->tokenizer = NULL;
  g_assert_null (laurel_generate (model, all.prompts, 1, 1, &options, NULL, NULL, &c));
  g_assert_error (c, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
  model->tokenizer = tokenizer;
  options.stop = NULL;
  model->weights[model->at.lnf_b] = NAN;
  g_assert_null (laurel_generate (model, all.prompts, 1, 1, &options, NULL, NULL, &d));
  g_assert_error (d, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE);
}

/* --- generation_config.json --------------------------------------------------------------- */

static gboolean
load_text (const char *dir, const char *text, LaurelGenerationConfig *config, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "generation_config.json", NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return laurel_generation_config_load (config, dir, error);
}

static void
test_generation_config (void)
{
  static const char *const bad[] = { "[]", "{\"top_p\": 0}", "{\"temperature\": \"warm\"}",
                                     "{\"repetition_penalty\": -2}", "{\"top_k\": 0.5}" };
  g_autofree char *dir = g_dir_make_tmp ("laurel-generate-XXXXXX", NULL);
  g_autofree char *saved = g_build_filename (dir, "saved", NULL);
  g_autofree char *file = g_build_filename (saved, "generation_config.json", NULL), *text = NULL;
  g_autoptr (LaurelModel) model = make_model (""), copy = NULL, loaded = NULL;
  LaurelGenerationConfig config;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_generation_config_load (&config, dir, &error)); /* there is none */
  g_assert_cmpfloat (config.temperature, ==, 1);
  g_assert_true (load_text (dir, "{\"do_sample\": false, \"num_beams\": 4, \"top_p\": null}",
                            &config, &error));
  g_assert_cmpfloat (config.temperature, ==, 0);
  g_assert_cmpfloat (config.top_p, ==, 1);
  g_assert_cmpint (config.top_k, ==, 0);
  g_assert_true (load_text (dir,
                            "{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 40,"
                            " \"top_p\": 0.95, \"min_p\": 0.05, \"repetition_penalty\": 1.1,"
                            " \"max_new_tokens\": 200}", &model->generation, &error));
  g_assert_no_error (error);
  copy = laurel_model_copy (model, &error);
  g_assert_true (laurel_model_save (copy, saved, LAUREL_DTYPE_F32, &error));
  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "\"max_new_tokens\" : 200"));
  loaded = laurel_model_load (saved, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (loaded->generation.temperature, ==, 0.7);
  g_assert_cmpint (loaded->generation.top_k, ==, 40);
  g_assert_cmpfloat (loaded->generation.top_p, ==, 0.95);
  g_assert_cmpfloat (loaded->generation.min_p, ==, 0.05);
  g_assert_cmpfloat (loaded->generation.repetition_penalty, ==, 1.1);
  g_assert_cmpint (loaded->generation.max_new_tokens, ==, 200);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_false (load_text (dir, bad[i], &config, &error));
    g_assert_nonnull (strstr (error->message, "generation_config.json"));
    g_clear_error (&error);
  }
  laurel_file_remove_tree (dir, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/generate/company", test_company);
  g_test_add_func ("/model/generate/seeds", test_seeds);
  g_test_add_func ("/model/generate/two-logprobs", test_two_logprobs);
  g_test_add_func ("/model/generate/rounding", test_rounding);
  g_test_add_func ("/model/generate/stop-strings", test_stop_strings);
  g_test_add_func ("/model/generate/stream", test_stream);
  g_test_add_func ("/model/generate/cancel", test_cancel);
  g_test_add_func ("/model/generate/errors", test_errors);
  g_test_add_func ("/model/generate/generation-config", test_generation_config);
  return g_test_run ();
}
