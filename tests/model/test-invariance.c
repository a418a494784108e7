/* test-invariance.c: what a sequence gives depends on nothing but the sequence and the weights.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/math/kernels.h"
#include "core/model/decode.h"
#include "tests/model/fixture.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#define MAX_LENGTH 70

/* No size is a multiple of what vector units or tiles hold; then one where all are. */
static const LaurelModelConfig shapes[] = {
  { .vocab_size = 1009, .n_positions = MAX_LENGTH, .n_embd = 60, .n_layer = 3, .n_head = 5,
    .n_inner = 100, .layer_norm_epsilon = 1e-5, .initializer_range = 0.13,
    .tie_word_embeddings = FALSE, .bos_token_id = -1, .eos_token_id = -1, .reward_gain = 1 },
  { .vocab_size = 512, .n_positions = MAX_LENGTH, .n_embd = 256, .n_layer = 2, .n_head = 8,
    .n_inner = 1024, .layer_norm_epsilon = 1e-5, .initializer_range = 0.06,
    .tie_word_embeddings = TRUE, .bos_token_id = -1, .eos_token_id = -1, .reward_gain = 1 },
};

static LaurelModel *
make_model (gsize shape)
{
  g_autoptr (GError) error = NULL;
  LaurelModel *model = laurel_model_new (&shapes[shape], NULL, NULL, 3, &error);

  g_assert_no_error (error);
  return model;
}

static void
fill_tokens (gint32 *tokens, int n, int vocab_size)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 5, LAUREL_RNG_TEST, 1, 0);
  for (int i = 0; i < n; i++)
    tokens[i] = (gint32) laurel_rng_below (&rng, (guint32) vocab_size);
}

/* Short, long, even and odd, so that a sequence's rows lie anywhere in a tile. */
static const int lengths[] = { 33, 1, 70, 2, 16, 7, 64, 5, 70, 31, 8, 13 };
#define N_SEQUENCES ((int) G_N_ELEMENTS (lengths))
#define N_TOKENS 320

/* Hidden states (n_tokens, C) and the labels' log-probabilities, entropies behind them. */
static void
run_forward (const LaurelModel *model, const FixtureBatch *batch, float *hidden, float *logprobs)
{
  g_autoptr (LaurelActivations) acts =
    laurel_activations_new (&model->config, batch->n_tokens, FALSE, NULL);
  const float *found = laurel_transformer_forward (model, &batch->batch, acts);

  memcpy (hidden, found, (gsize) batch->n_tokens * (gsize) model->config.n_embd * sizeof (float));
  laurel_lm_head_logprobs (model, found, &batch->labels, 0.7, logprobs,
                           logprobs + batch->labels.n);
}

/* To the bit: alone, in pairs, and all together. */
static void
test_batch (gconstpointer shape)
{
  g_autoptr (LaurelModel) model = make_model (GPOINTER_TO_SIZE (shape));
  gsize C = (gsize) model->config.n_embd;
  gint32 tokens[N_TOKENS];
  g_autoptr (FixtureBatch) all = NULL;
  g_autofree float *together = g_new (float, N_TOKENS * C), *apart = g_new (float, N_TOKENS * C);
  float logprobs[2 * N_TOKENS], few[2 * N_TOKENS];

  fill_tokens (tokens, N_TOKENS, model->config.vocab_size);
  all = fixture_batch_new (tokens, lengths, N_SEQUENCES);
  run_forward (model, all, together, logprobs);
  for (int at_once = 1; at_once <= 3; at_once++) {
    int row = 0, label = 0;

    for (int b = 0; b < N_SEQUENCES; b += at_once) {
      g_autoptr (FixtureBatch) batch = fixture_batch_new (tokens + row, lengths + b, at_once);

      run_forward (model, batch, apart, few);
      g_assert_cmpmem (apart, (gsize) batch->n_tokens * C * sizeof (float),
                       together + (gsize) row * C, (gsize) batch->n_tokens * C * sizeof (float));
      g_assert_cmpmem (few, (gsize) batch->labels.n * sizeof (float), logprobs + label,
                       (gsize) batch->labels.n * sizeof (float));
      g_assert_cmpmem (few + batch->labels.n, (gsize) batch->labels.n * sizeof (float),
                       logprobs + all->labels.n + label, (gsize) batch->labels.n * sizeof (float));
      row += batch->n_tokens;
      label += batch->labels.n;
    }
  }
}

/* A training step's loss and gradients, to the bit. */
static void
test_threads (gconstpointer shape)
{
  g_autoptr (LaurelModel) model = make_model (GPOINTER_TO_SIZE (shape));
  g_autoptr (FixtureTrainer) one = fixture_trainer_new (model, N_TOKENS);
  g_autoptr (FixtureTrainer) two = fixture_trainer_new (model, N_TOKENS);
  gint32 tokens[N_TOKENS];
  g_autoptr (FixtureBatch) batch = NULL;
  int n_threads = omp_get_max_threads ();
  double loss_one, loss_two;

  fill_tokens (tokens, N_TOKENS, model->config.vocab_size);
  batch = fixture_batch_new (tokens, lengths, N_SEQUENCES);
  omp_set_num_threads (1);
  loss_one = fixture_train_pass (one, model, batch);
  for (int n = 2; n <= 3; n++) {
    omp_set_num_threads (n);
    loss_two = fixture_train_pass (two, model, batch);
    g_assert_true (loss_one == loss_two);
    for (int i = 0; i < model->layout->n_tensors; i++) {
      const LaurelTensor *tensor = &model->layout->tensors[i];

      g_test_message ("%s, %d threads", tensor->name, n);
      g_assert_cmpmem (one->gradients + tensor->offset, tensor->n * sizeof (float),
                       two->gradients + tensor->offset, tensor->n * sizeof (float));
    }
  }
  omp_set_num_threads (n_threads);
}

/* The same gradient from micro-batches of 1, 2, 3, 5 and all sequences. Each adds its share into
 * float32 sums in another order, which leaves some 1e-7 of a tensor's length. */
static void
test_micro_batch (gconstpointer shape)
{
  g_autoptr (LaurelModel) model = make_model (GPOINTER_TO_SIZE (shape));
  g_autoptr (FixtureTrainer) whole = fixture_trainer_new (model, N_TOKENS);
  gint32 tokens[N_TOKENS];
  g_autoptr (FixtureBatch) all = NULL;
  static const int sizes[] = { 1, 2, 3, 5 };
  double loss;

  fill_tokens (tokens, N_TOKENS, model->config.vocab_size);
  all = fixture_batch_new (tokens, lengths, N_SEQUENCES);
  loss = fixture_train_pass (whole, model, all);
  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++) {
    g_autoptr (FixtureTrainer) parts = fixture_trainer_new (model, N_TOKENS);
    double sum = 0;
    int row = 0;

    for (int b = 0; b < N_SEQUENCES; b += sizes[s]) {
      g_autoptr (FixtureBatch) batch =
        fixture_batch_new (tokens + row, lengths + b, MIN (sizes[s], N_SEQUENCES - b));

      sum += fixture_accumulate (parts, model, batch, 1.0 / all->labels.n);
      row += batch->n_tokens;
    }
    g_assert_cmpfloat_with_epsilon (sum, loss, 1e-6 * loss);
    for (int i = 0; i < model->layout->n_tensors; i++) {
      const LaurelTensor *tensor = &model->layout->tensors[i];
      double squares = 0, length;

      for (gsize k = tensor->offset; k < tensor->offset + tensor->n; k++) {
        double difference = (double) parts->gradients[k] - whole->gradients[k];

        squares += difference * difference;
      }
      length = sqrt (laurel_sum_squares (whole->gradients + tensor->offset, tensor->n));
      g_test_message ("%s by %d: %.1e", tensor->name, sizes[s], sqrt (squares) / length);
      g_assert_cmpfloat (sqrt (squares), <=, 1e-6 * length);
    }
  }
}

/* log softmax of @logits at @token, in double. */
static double
logprob_of (const float *logits, int n, gint32 token)
{
  double max = logits[0], sum = 0;

  for (int v = 1; v < n; v++)
    max = MAX (max, (double) logits[v]);
  for (int v = 0; v < n; v++)
    sum += exp (logits[v] - max);
  return logits[token] - max - log (sum);
}

/* Prompts of several lengths, then token by token from the cache, in one batch: how far
 * a token's log-probability is at most from that of a forward pass over the whole sequence. */
static double
compare_cache (gconstpointer shape, gboolean bf16_weights)
{
  g_autoptr (LaurelModel) model = make_model (GPOINTER_TO_SIZE (shape));
  int V = model->config.vocab_size;
  enum { N = 3, LENGTH = MAX_LENGTH };
  static const int prompts[N] = { 1, 20, 33 };
  gint32 tokens[N * LENGTH], start[N * LENGTH], offsets[N + 1] = { 0 };
  int whole[N] = { LENGTH, LENGTH, LENGTH };
  g_autoptr (FixtureBatch) batch = NULL;
  g_autoptr (LaurelDecoder) decoder = NULL;
  LaurelPromptCache *caches[N];
  float logprobs[2 * N * LENGTH];
  g_autoptr (LaurelActivations) acts = NULL;
  double largest = 0;

  fill_tokens (tokens, N * LENGTH, V);
  batch = fixture_batch_new (tokens, whole, N);
  acts = laurel_activations_new (&model->config, N * LENGTH, FALSE, NULL);
  laurel_lm_head_logprobs (model, laurel_transformer_forward (model, &batch->batch, acts),
                           &batch->labels, 1.0, logprobs, NULL);
  for (int p = 0; p < N; p++) {
    memcpy (start + offsets[p], tokens + p * LENGTH, (gsize) prompts[p] * sizeof *tokens);
    offsets[p + 1] = offsets[p] + prompts[p];
  }
  decoder = laurel_decoder_new (model, N, LENGTH, offsets[N], bf16_weights, NULL);
  g_assert_true (laurel_decoder_prefill (decoder, start, offsets, N, caches, NULL, NULL, NULL));
  for (int step = 0; step < LENGTH - prompts[0]; step++) {
    LaurelDecoderRow rows[N];
    const float *logits;
    int n_rows = 0;

    for (int p = 0; p < N; p++) {
      int at = prompts[p] + step; /* the token that is predicted */

      if (at >= LENGTH)
        continue;
      if (step > 0)
        rows[n_rows++] = (LaurelDecoderRow) { p, caches[p], tokens[p * LENGTH + at - 1], step - 1 };
      else
        largest = MAX (largest, fabs (logprob_of (laurel_prompt_cache_get_logits (caches[p]), V,
                                                  tokens[p * LENGTH + at])
                                      - logprobs[p * (LENGTH - 1) + at - 1]));
    }
    if (n_rows == 0)
      continue;
    logits = laurel_decoder_step (decoder, rows, n_rows);
    for (int r = 0; r < n_rows; r++) {
      int at = prompts[rows[r].slot] + step;
      double difference = fabs (logprob_of (logits + (gsize) r * (gsize) V, V,
                                            tokens[rows[r].slot * LENGTH + at])
                                - logprobs[rows[r].slot * (LENGTH - 1) + at - 1]);

      largest = MAX (largest, difference);
    }
  }
  g_test_message ("at most %.1e off", largest);
  for (int p = 0; p < N; p++)
    laurel_prompt_cache_free (caches[p]);
  return largest;
}

static void
test_cache (gconstpointer data)
{
  /* log-probabilities near −7 in float32, through two ways of taking the softmax: some 2e-6 */
  g_assert_cmpfloat (compare_cache (data, FALSE), <=, 1e-5);
}

/* Eight bits of each weight: more than float32's rounding and, in so small a model, under 0.1. */
static void
test_bf16_cache (gconstpointer data)
{
  double difference = compare_cache (data, TRUE);

  g_assert_cmpfloat (difference, >, 1e-5);
  g_assert_cmpfloat (difference, <, 0.1);
}

static void
add (const char *name, void (*test) (gconstpointer))
{
  static const char *const names[] = { "odd", "even" };

  for (gsize shape = 0; shape < G_N_ELEMENTS (shapes); shape++) {
    g_autofree char *path = g_strdup_printf ("/model/invariance/%s/%s", name, names[shape]);

    g_test_add_data_func (path, GSIZE_TO_POINTER (shape), test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("batch", test_batch);
  add ("threads", test_threads);
  add ("micro-batch", test_micro_batch);
  add ("cache", test_cache);
  add ("cache-of-bf16-weights", test_bf16_cache);
  return g_test_run ();
}
