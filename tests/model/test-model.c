/* test-model.c: the transformer, its cache and its files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/math/kernels.h"
#include "core/model/generate.h"
#include "core/model/head.h"
#include "core/model/safetensors.h"
#include "core/model/transformer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const LaurelModelConfig tiny = {
  .vocab_size = 61, .n_positions = 48, .n_embd = 32, .n_layer = 2, .n_head = 4, .n_inner = 128,
  .layer_norm_epsilon = 1e-5, .initializer_range = 0.2, .tie_word_embeddings = TRUE,
  .bos_token_id = -1, .eos_token_id = 60, .head = LAUREL_HEAD_LM, .reward_gain = 1,
};

static LaurelModel *
make_model (guint64 seed)
{
  g_autoptr (GError) error = NULL;
  LaurelModel *model = laurel_model_new (&tiny, NULL, NULL, seed, &error);

  g_assert_no_error (error);
  return model;
}

static void
fill_tokens (gint32 *tokens, int n, guint64 row)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 3, LAUREL_RNG_TEST, 1, row);
  for (int i = 0; i < n; i++)
    tokens[i] = (gint32) laurel_rng_below (&rng, 60);
}

/* log π of every next token of one sequence, by a whole forward pass. */
static void
full_logprobs (const LaurelModel *model, const gint32 *tokens, int n, double temperature,
               float *logprobs)
{
  g_autoptr (LaurelActivations) acts = laurel_activations_new (&model->config, n, FALSE, NULL);
  gint32 offsets[] = { 0, n };
  LaurelBatch batch = { tokens, offsets, 1 };
  g_autofree gint32 *positions = g_new (gint32, (gsize) n);
  LaurelLabels labels = { positions, tokens + 1, n - 1 };

  for (int i = 0; i < n; i++)
    positions[i] = i;
  laurel_lm_head_logprobs (model, laurel_transformer_forward (model, &batch, acts), &labels,
                           temperature, logprobs, NULL);
}

static void
test_cache_equals_forward (void)
{
  g_autoptr (LaurelModel) model = make_model (1);
  g_autoptr (GError) error = NULL;
  gint32 a[7], b[19];
  LaurelPromptTokens prompts[] = { { a, 7, 11 }, { b, 19, 12 } };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  g_autoptr (GPtrArray) samples = NULL;

  fill_tokens (a, 7, 1);
  fill_tokens (b, 19, 2);
  options.temperature = 0.7;
  options.max_tokens = 40; /* past n_positions − 19, so the context bounds some of them */
  samples = laurel_generate (model, prompts, 2, 3, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, ==, 6);
  for (guint s = 0; s < samples->len; s++) {
    const LaurelSample *sample = g_ptr_array_index (samples, s);
    const LaurelPromptTokens *prompt = &prompts[sample->prompt];
    int n = prompt->n_tokens + sample->n_tokens;
    gint32 tokens[64];
    float logprobs[64];

    g_assert_cmpint (sample->prompt, ==, (int) s / 3);
    g_assert_cmpint (sample->index, ==, (int) s % 3);
    memcpy (tokens, prompt->tokens, (gsize) prompt->n_tokens * sizeof *tokens);
    memcpy (tokens + prompt->n_tokens, sample->tokens, (gsize) sample->n_tokens * sizeof *tokens);
    full_logprobs (model, tokens, n, 0.7, logprobs);
    /* 1e-5: the bound; sums in another order differ by 1e-6 */
    for (int t = 0; t < sample->n_tokens; t++)
      g_assert_cmpfloat_with_epsilon (sample->logprobs[t], logprobs[prompt->n_tokens - 1 + t],
                                      1e-5f);
    g_assert_cmpint (sample->finish == LAUREL_FINISH_STOP, ==,
                     sample->tokens[sample->n_tokens - 1] == tiny.eos_token_id);
    if (sample->finish == LAUREL_FINISH_LENGTH)
      g_assert_cmpint (sample->n_tokens, ==, MIN (40, tiny.n_positions - prompt->n_tokens));
  }
}

/* Completion j of prompt i is the same alone and among 90 others (more than there are slots). */
static void
test_sample_alone_or_together (void)
{
  g_autoptr (LaurelModel) model = make_model (1);
  g_autoptr (GPtrArray) many = NULL, alone = NULL;
  gint32 tokens[30][5];
  LaurelPromptTokens prompts[30];
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  const LaurelSample *x, *y;

  for (int p = 0; p < 30; p++) {
    fill_tokens (tokens[p], 5, 100 + (guint64) p);
    prompts[p] = (LaurelPromptTokens) { tokens[p], 5, (guint64) p };
  }
  options.max_tokens = 12;
  options.seed = 5;
  many = laurel_generate (model, prompts, 30, 3, &options, NULL, NULL, NULL);
  alone = laurel_generate (model, prompts + 17, 1, 3, &options, NULL, NULL, NULL);
  for (guint j = 0; j < 3; j++) {
    x = g_ptr_array_index (many, 17 * 3 + j);
    y = g_ptr_array_index (alone, j);
    g_assert_cmpmem (x->tokens, (gsize) x->n_tokens * 4, y->tokens, (gsize) y->n_tokens * 4);
  }
  x = g_ptr_array_index (many, 0);
  y = g_ptr_array_index (many, 1);
  g_assert_false (x->n_tokens == y->n_tokens && memcmp (x->tokens, y->tokens,
                                                        (gsize) x->n_tokens * 4) == 0);
}

static void
test_filters (void)
{
  g_autoptr (LaurelModel) model = make_model (1);
  gint32 tokens[6];
  LaurelPromptTokens prompt = { tokens, 6, 0 };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  g_autoptr (GPtrArray) greedy = NULL, top1 = NULL, tiny_p = NULL, high_min = NULL;
  const LaurelSample *g, *k, *p, *m;

  fill_tokens (tokens, 6, 9);
  options.max_tokens = 10;
  options.temperature = 0;
  greedy = laurel_generate (model, &prompt, 1, 1, &options, NULL, NULL, NULL);
  options.temperature = 1;
  options.top_k = 1;
  top1 = laurel_generate (model, &prompt, 1, 1, &options, NULL, NULL, NULL);
  options.top_k = 0;
  options.top_p = 1e-9;
  tiny_p = laurel_generate (model, &prompt, 1, 1, &options, NULL, NULL, NULL);
  options.top_p = 1;
  options.min_p = 0.999999;
  high_min = laurel_generate (model, &prompt, 1, 1, &options, NULL, NULL, NULL);
  g = g_ptr_array_index (greedy, 0);
  k = g_ptr_array_index (top1, 0);
  p = g_ptr_array_index (tiny_p, 0);
  m = g_ptr_array_index (high_min, 0);
  /* Each filter at its tightest leaves the most likely token alone, with probability 1. */
  g_assert_cmpmem (g->tokens, (gsize) g->n_tokens * 4, k->tokens, (gsize) k->n_tokens * 4);
  g_assert_cmpmem (g->tokens, (gsize) g->n_tokens * 4, p->tokens, (gsize) p->n_tokens * 4);
  g_assert_cmpmem (g->tokens, (gsize) g->n_tokens * 4, m->tokens, (gsize) m->n_tokens * 4);
  for (int t = 0; t < k->n_tokens; t++)
    g_assert_cmpfloat_with_epsilon (k->logprobs[t], 0.0f, 1e-6f);
}

static void
test_sampling_errors (void)
{
  g_autoptr (LaurelModel) model = make_model (1);
  gint32 tokens[60] = { 0 }, bad[] = { 61 };
  LaurelPromptTokens empty = { tokens, 0, 0 }, full = { tokens, 48, 0 }, foreign = { bad, 1, 0 };
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  g_autoptr (GError) a = NULL, b = NULL, c = NULL, d = NULL;

  g_assert_null (laurel_generate (model, &empty, 1, 1, &options, NULL, NULL, &a));
  g_assert_error (a, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_null (laurel_generate (model, &full, 1, 1, &options, NULL, NULL, &b));
  g_assert_error (b, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_null (laurel_generate (model, &foreign, 1, 1, &options, NULL, NULL, &c));
  g_assert_error (c, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  options.top_p = NAN;
  g_assert_null (laurel_generate (model, &full, 1, 1, &options, NULL, NULL, &d));
  g_assert_error (d, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* --- Gradients -------------------------------------------------------------------- */

static double
model_loss (const LaurelModel *model, LaurelActivations *acts, float *gradients)
{
  static const gint32 offsets[] = { 0, 9, 10, 40 };
  gint32 tokens[40], positions[37], targets[37];
  LaurelBatch batch = { tokens, offsets, 3 };
  LaurelLabels labels = { positions, targets, 0 };
  g_autofree float *dhidden = g_new0 (float, 40 * 32);
  g_autofree float *scratch = g_new0 (float, model->layout->n_floats);
  const float *hidden;
  double loss;

  fill_tokens (tokens, 40, 77);
  for (int b = 0; b < 3; b++)
    for (int i = offsets[b]; i + 1 < offsets[b + 1]; i++) {
      positions[labels.n] = i;
      targets[labels.n++] = tokens[i + 1];
    }
  hidden = laurel_transformer_forward (model, &batch, acts);
  loss = laurel_lm_head_loss (model, hidden, &labels, 0.8, NULL, NULL, 1.0 / labels.n, NULL,
                              dhidden, gradients != NULL ? gradients : scratch);
  if (gradients != NULL)
    laurel_transformer_backward (model, &batch, acts, dhidden, gradients);
  return loss;
}

/* Along one random direction per tensor, so that every tensor is held to its own gradient. */
static void
test_gradients (void)
{
  g_autoptr (LaurelModel) model = make_model (4);
  g_autoptr (LaurelActivations) acts = laurel_activations_new (&tiny, 40, TRUE, NULL);
  g_autofree float *gradients = g_new0 (float, model->layout->n_floats);

  model_loss (model, acts, gradients);
  for (int i = 0; i < model->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &model->layout->tensors[i];
    float *w = model->weights + tensor->offset;
    g_autofree float *kept = g_memdup2 (w, tensor->n * sizeof (float));
    double norm = sqrt (laurel_sum_squares (gradients + tensor->offset, tensor->n));
    double up, down, h = 0.03;

    g_assert_cmpfloat (norm, >, 0);
    /* The steepest direction has the derivative ‖g‖; a float32 loss near 4 has an error of 1e-6,
     * which a step of 0.03 turns into 3e-5, beside a relative curvature error of about h². */
    for (gsize j = 0; j < tensor->n; j++)
      w[j] = kept[j] + (float) (h * (double) gradients[tensor->offset + j] / norm);
    up = model_loss (model, acts, NULL);
    for (gsize j = 0; j < tensor->n; j++)
      w[j] = kept[j] - (float) (h * (double) gradients[tensor->offset + j] / norm);
    down = model_loss (model, acts, NULL);
    memcpy (w, kept, tensor->n * sizeof (float));
    g_test_message ("%s: %g against %g", tensor->name, (up - down) / (2 * h), norm);
    g_assert_cmpfloat_with_epsilon ((up - down) / (2 * h), norm, 5e-3 * norm + 1e-4);
  }
}

/* --- Files ------------------------------------------------------------------------- */

static char *
make_directory (void)
{
  char *dir = g_dir_make_tmp ("laurel-model-XXXXXX", NULL);

  g_assert_nonnull (dir);
  return dir;
}

static void
test_round_trip (void)
{
  g_autofree char *dir = make_directory (), *again = make_directory ();
  g_autofree char *file_a = g_build_filename (dir, "model.safetensors", NULL),
  *file_b = g_build_filename (again, "model.safetensors", NULL);

  for (int head = 0; head < 2; head++)
    for (int dtype = 0; dtype < 3; dtype++) {
      g_autoptr (LaurelModel) lm = make_model (8), model = NULL, loaded = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *a = NULL, *b = NULL;

      model = laurel_model_with_head (lm, head ? LAUREL_HEAD_SCORE : LAUREL_HEAD_LM, 1, &error);
      model->config.normalized = TRUE;
      model->config.reward_gain = 1.5;
      g_assert_true (laurel_model_save (model, dir, (LaurelDtype) dtype, &error));
      loaded = laurel_model_load (dir, &error);
      g_assert_no_error (error);
      g_assert_true (laurel_model_save (loaded, again, (LaurelDtype) dtype, &error));
      a = laurel_file_sha256 (file_a, NULL);
      b = laurel_file_sha256 (file_b, NULL);
      g_assert_cmpstr (a, ==, b);
      g_assert_cmpint (loaded->config.head, ==, head);
      g_assert_cmpint (loaded->config.eos_token_id, ==, 60);
      if (head)
        g_assert_cmpfloat (loaded->config.reward_gain, ==, 1.5);
      for (gsize i = 0; i < model->layout->n_floats; i++) {
        /* bf16 keeps 8 bits of fraction, f16 11 (and 2⁻²⁵ absolutely, below its normal range). */
        float tolerance = dtype == LAUREL_DTYPE_F32 ? 0
                          : fabsf (model->weights[i]) * (dtype == LAUREL_DTYPE_BF16 ? 0x1p-8f
                                                         : 0x1p-11f) + 0x1p-25f;

        g_assert_cmpfloat (fabsf (loaded->weights[i] - model->weights[i]), <=, tolerance);
      }
    }
  laurel_file_remove_tree (dir, NULL);
  laurel_file_remove_tree (again, NULL);
}

static void
replace_file (const char *dir, const char *name, const void *bytes, gsize n)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) n, NULL));
}

static void
assert_refused (const char *dir, int code, const char *word)
{
  g_autoptr (GError) error = NULL;
  LaurelModel *model = laurel_model_load (dir, &error);

  g_assert_null (model);
  g_assert_error (error, LAUREL_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_bad_files (void)
{
  g_autofree char *dir = make_directory (), *path = g_build_filename (dir, "model.safetensors",
                                                                      NULL), *good = NULL;
  g_autofree char *config_path = g_build_filename (dir, "config.json", NULL), *config = NULL;
  g_autoptr (LaurelModel) model = make_model (8);
  gsize n;
  guint64 length;

  laurel_model_save (model, dir, LAUREL_DTYPE_F32, NULL);
  g_assert_true (g_file_get_contents (path, &good, &n, NULL));
  g_assert_true (g_file_get_contents (config_path, &config, NULL, NULL));

  replace_file (dir, "model.safetensors", good, 5);
  assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "first 8 bytes");
  replace_file (dir, "model.safetensors", good, 300);
  assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "claims");
  replace_file (dir, "model.safetensors", good, n - 4);
  assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "cut short");
  for (guint64 claim = n; claim != 0; claim *= 1024) { /* up to an overflow of 64 bits */
    g_autofree char *bad = g_memdup2 (good, n);

    memcpy (bad, &claim, 8);
    replace_file (dir, "model.safetensors", bad, n);
    assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "claims");
  }
  {
    g_autofree char *bad = g_memdup2 (good, n);
    char *shape = g_strstr_len (bad + 8, 4096, "\"shape\":[61,32]");

    g_assert_nonnull (shape);
    memcpy (shape, "\"shape\":[32,61]", 15);
    replace_file (dir, "model.safetensors", bad, n);
    assert_refused (dir, LAUREL_ERROR_MISMATCH, "needs (61, 32)");
    memcpy (shape, "\"shape\":[61,-2]", 15);
    replace_file (dir, "model.safetensors", bad, n);
    assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "shape");
  }
  {
    g_autofree char *bad = g_memdup2 (good, n);
    char *name = g_strstr_len (bad + 8, 4096, "transformer.wpe");

    memcpy (name, "transformer.wxe", 15);
    replace_file (dir, "model.safetensors", bad, n);
    assert_refused (dir, LAUREL_ERROR_MISMATCH, "wpe.weight is missing");
  }
  memcpy (&length, good, 8);
  /* any byte of the header may be broken: an error or a model, never a crash */
  for (gsize i = 8; i < 8 + length; i += 7) {
    g_autofree char *bad = g_memdup2 (good, n);
    g_autoptr (LaurelModel) loaded = NULL;

    bad[i] = '}';
    replace_file (dir, "model.safetensors", bad, n);
    loaded = laurel_model_load (dir, NULL);
  }
  replace_file (dir, "model.safetensors", good, n);
  replace_file (dir, "config.json", "{\"model_type\": \"llama\"}", 23);
  assert_refused (dir, LAUREL_ERROR_MISMATCH, "llama");
  replace_file (dir, "config.json", "{\"n_head\": 7}", 13);
  assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "multiple of n_head");
  replace_file (dir, "config.json", "{\"n_layer\": 1e9", 15);
  assert_refused (dir, LAUREL_ERROR_INVALID_DATA, "JSON");
  {
    g_autofree char *other = g_strdup (config);
    char *found = strstr (other, "\"vocab_size\" : 61");

    g_assert_nonnull (found);
    memcpy (found, "\"vocab_size\" : 62", 17);
    replace_file (dir, "config.json", other, strlen (other));
    assert_refused (dir, LAUREL_ERROR_MISMATCH, "needs (62, 32)");
  }
  laurel_file_remove_tree (dir, NULL);
}

static void
test_dtype_names (void)
{
  LaurelDtype dtype = LAUREL_DTYPE_F32;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_dtype_from_string ("bf16", &dtype, NULL));
  g_assert_cmpint (dtype, ==, LAUREL_DTYPE_BF16);
  g_assert_false (laurel_dtype_from_string ("int8", &dtype, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT);
}

/* The F16 table's corners, whose values IEEE 754 gives. */
static void
test_half (void)
{
  static const struct {
    guint16 half;
    float value;
  } known[] = {
    { 0x0000, 0.0f }, { 0x3c00, 1.0f }, { 0xc000, -2.0f }, { 0x7bff, 65504.0f },
    { 0x0400, 0x1p-14f }, { 0x0001, 0x1p-24f },
    { 0x83ff, -0x1.ff8p-15f }, { 0x3555, 0x1.554p-2f }, { 0x7c00, INFINITY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    guint16 little = GUINT16_TO_LE (known[i].half);
    float out;

    (void) laurel_dtype_to_float (LAUREL_DTYPE_F16, (const guchar *) &little, &out, 1);
    g_assert_cmpfloat (out, ==, known[i].value);
  }
}

static void
test_score_head (void)
{
  g_autoptr (LaurelModel) lm = make_model (2), model = NULL;
  g_autoptr (LaurelActivations) acts = NULL;
  gint32 tokens[10], offsets[] = { 0, 4, 10 }, last[] = { 3, 9 };
  LaurelBatch batch = { tokens, offsets, 2 };
  float scores[2], dscores[2] = { 1.0f, -2.0f };
  g_autofree float *dhidden = g_new0 (float, 10 * 32), *gradients = NULL;
  const float *hidden, *w;

  model = laurel_model_with_head (lm, LAUREL_HEAD_SCORE, 3, NULL);
  acts = laurel_activations_new (&model->config, 10, TRUE, NULL);
  gradients = g_new0 (float, model->layout->n_floats);
  fill_tokens (tokens, 10, 5);
  hidden = laurel_transformer_forward (model, &batch, acts);
  laurel_score_head_forward (model, hidden, last, 2, scores);
  w = model->weights + model->at.head;
  for (int b = 0; b < 2; b++) {
    double wanted = 0;

    for (int c = 0; c < 32; c++)
      wanted += (double) w[c] * hidden[last[b] * 32 + c];
    /* a float32 rounding of the sum */
    g_assert_cmpfloat_with_epsilon ((double) scores[b], wanted, 1e-5);
  }
  laurel_score_head_backward (model, hidden, last, 2, dscores, dhidden, gradients);
  for (int c = 0; c < 32; c++) {
    g_assert_cmpfloat_with_epsilon (gradients[model->at.head + (gsize) c],
                                    hidden[3 * 32 + c] - 2 * hidden[9 * 32 + c], 1e-5f);
    g_assert_cmpfloat_with_epsilon (dhidden[9 * 32 + c], -2 * w[c], 1e-6f);
    g_assert_cmpfloat (dhidden[8 * 32 + c], ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/generate/kv-cache-equals-full-forward", test_cache_equals_forward);
  g_test_add_func ("/model/generate/alone-or-together", test_sample_alone_or_together);
  g_test_add_func ("/model/generate/filters", test_filters);
  g_test_add_func ("/model/generate/errors", test_sampling_errors);
  g_test_add_func ("/model/transformer/gradients", test_gradients);
  g_test_add_func ("/model/score-head", test_score_head);
  g_test_add_func ("/model/directory/round-trip", test_round_trip);
  g_test_add_func ("/model/directory/bad-files", test_bad_files);
  g_test_add_func ("/model/safetensors/half", test_half);
  g_test_add_func ("/model/safetensors/dtype-names", test_dtype_names);
  return g_test_run ();
}
