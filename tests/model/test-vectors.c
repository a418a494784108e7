/* test-vectors.c: the engine against PyTorch's figures (tests/vectors/README.md).

 * PyTorch computed in float64, Laurel in float32 with the same weights.

 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "core/model/safetensors.h"
#include "tests/model/fixture.h"

#include <math.h>
#include <string.h>

/* Logits are sums of some hundred products of size one through two layers: about 300 · 2⁻²⁴ ≈
 * 2e-5. */
#define LOGIT_TOLERANCE 1e-4
/* A gradient tensor's error, as a share of the tensor's length. Rounding alone leaves about
 * 1e-6; ten times that still notices a constant of GELU or LayerNorm with a wrong fourth digit. */
#define GRADIENT_TOLERANCE 1e-5
/* Adam divides by the root of the second moment, so small errors of a gradient become whole steps
 * where it is near zero. Rounding alone leaves under 1e-6 over the whole curve; ten times that
 * still notices decay on a norm, or none on the position embedding. */
#define CURVE_TOLERANCE 1e-5

typedef struct {
  LaurelModel *model;
  JsonNode *root;
  JsonObject *expected;
  LaurelSafetensors *tensors;
  FixtureBatch *batch;
  FixtureTrainer *trainer;
} Fixture;

static FixtureBatch *
read_sequences (JsonObject *expected)
{
  JsonArray *sequences = json_object_get_array_member (expected, "sequences");
  guint n = json_array_get_length (sequences);
  g_autofree int *lengths = g_new (int, n);
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint b = 0; b < n; b++) {
    JsonArray *sequence = json_array_get_array_element (sequences, b);

    lengths[b] = (int) json_array_get_length (sequence);
    for (int t = 0; t < lengths[b]; t++) {
      gint32 token = (gint32) json_array_get_int_element (sequence, (guint) t);

      g_array_append_val (tokens, token);
    }
  }
  return fixture_batch_new ((const gint32 *) (gpointer) tokens->data, lengths, (int) n);
}

static void
set_up (Fixture *fixture, gconstpointer folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_test_build_filename (G_TEST_DIST, "vectors", folder, NULL);
  g_autofree char *json = g_build_filename (dir, "expected.json", NULL);
  g_autofree char *tensors = g_build_filename (dir, "expected.safetensors", NULL);

  fixture->model = laurel_model_load (dir, &error);
  g_assert_no_error (error);
  fixture->root = laurel_json_load (json, &error);
  g_assert_no_error (error);
  fixture->expected = json_node_get_object (fixture->root);
  fixture->tensors = laurel_safetensors_open (tensors, &error);
  g_assert_no_error (error);
  fixture->batch = read_sequences (fixture->expected);
  fixture->trainer = fixture_trainer_new (fixture->model, fixture->batch->n_tokens);
}

static void
tear_down (Fixture *fixture, gconstpointer folder)
{
  fixture_trainer_free (fixture->trainer);
  fixture_batch_free (fixture->batch);
  laurel_safetensors_free (fixture->tensors);
  json_node_unref (fixture->root);
  laurel_model_free (fixture->model);
}

static const float *
run_forward (const Fixture *fixture)
{
  return laurel_transformer_forward (fixture->model, &fixture->batch->batch,
                                     fixture->trainer->acts);
}

static const LaurelFileTensor *
find_expected (const Fixture *fixture, const char *name)
{
  const LaurelFileTensor *tensor = g_hash_table_lookup (fixture->tensors->tensors, name);

  g_assert_nonnull (tensor);
  return tensor;
}

/* Logits are never formed by the engine: here they are hidden · wteᵀ, in double. */
static void
test_logits (Fixture *fixture, gconstpointer folder)
{
  const LaurelModel *model = fixture->model;
  const float *hidden = run_forward (fixture);
  const LaurelFileTensor *expected = find_expected (fixture, "logits");
  g_autofree float *logits = g_new (float, expected->n);
  int C = model->config.n_embd, V = model->config.vocab_size;

  g_assert_cmpuint (expected->n, ==, (gsize) fixture->batch->n_tokens * (gsize) V);
  g_assert_true (laurel_dtype_to_float (expected->dtype, expected->data, logits, expected->n));
  for (gsize i = 0; i < (gsize) fixture->batch->n_tokens; i++) {
    for (int v = 0; v < V; v++) {
      double logit = 0;

      for (int c = 0; c < C; c++)
        logit += (double) hidden[i * C + c] * model->weights[model->at.wte + (gsize) v * C + c];
      g_assert_cmpfloat_with_epsilon (logit, logits[i * V + v], LOGIT_TOLERANCE);
    }
  }
}

static void
assert_list (const Fixture *fixture, const char *member, const float *values, int n)
{
  JsonArray *list = json_object_get_array_member (fixture->expected, member);

  g_assert_cmpuint (json_array_get_length (list), ==, (guint) n);
  for (int i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (values[i], json_array_get_double_element (list, i),
                                    LOGIT_TOLERANCE);
}

static void
test_logprobs (Fixture *fixture, gconstpointer folder)
{
  const LaurelLabels *labels = &fixture->batch->labels;
  const float *hidden = run_forward (fixture);
  double temperature = json_object_get_double_member (fixture->expected, "temperature");
  g_autofree float *logprobs = g_new (float, labels->n);
  g_autofree float *entropies = g_new (float, labels->n);

  laurel_lm_head_logprobs (fixture->model, hidden, labels, 1.0, logprobs, entropies);
  assert_list (fixture, "logprobs", logprobs, labels->n);
  assert_list (fixture, "entropies", entropies, labels->n);

  laurel_lm_head_logprobs (fixture->model, hidden, labels, temperature, logprobs, entropies);
  assert_list (fixture, "temperature_logprobs", logprobs, labels->n);
  assert_list (fixture, "temperature_entropies", entropies, labels->n);
}

/* Every tensor of the model has a gradient in the file, in its own shape, and it agrees. */
static void
assert_gradients (const Fixture *fixture, const char *prefix)
{
  const LaurelLayout *layout = fixture->model->layout;

  for (int i = 0; i < layout->n_tensors; i++) {
    const LaurelTensor *tensor = &layout->tensors[i];
    const char *name = tensor->name;
    g_autofree char *key = NULL;
    g_autofree float *values = NULL;
    const LaurelFileTensor *expected;
    double difference = 0, length = 0;

    if (*prefix == '\0' && g_str_has_prefix (name, "transformer."))
      name += strlen ("transformer.");
    key = g_strconcat ("gradient.", name, NULL);
    expected = find_expected (fixture, key);
    g_assert_cmpuint (expected->n, ==, tensor->n);
    g_assert_cmpint (expected->n_dims, ==, tensor->n_dims);
    values = g_new (float, tensor->n);
    g_assert_true (laurel_dtype_to_float (expected->dtype, expected->data, values, expected->n));
    for (gsize k = 0; k < tensor->n; k++) {
      double d = (double) fixture->trainer->gradients[tensor->offset + k] - values[k];

      difference += d * d;
      length += (double) values[k] * values[k];
    }
    g_test_message ("%s: %.2e of %.2e", name, sqrt (difference), sqrt (length));
    g_assert_cmpfloat (length, >, 0);
    g_assert_cmpfloat (sqrt (difference), <=, GRADIENT_TOLERANCE * sqrt (length));
  }
}

static void
test_gradients (Fixture *fixture, gconstpointer folder)
{
  double loss = fixture_train_pass (fixture->trainer, fixture->model, fixture->batch);

  g_assert_cmpfloat_with_epsilon (
    loss, json_object_get_double_member (fixture->expected, "loss"), LOGIT_TOLERANCE);
  assert_gradients (fixture, "");
}

static void
test_loss_curve (Fixture *fixture, gconstpointer folder)
{
  JsonObject *settings = json_object_get_object_member (fixture->expected, "adamw");
  JsonArray *curve = json_object_get_array_member (fixture->expected, "loss_curve");
  guint n_steps = json_array_get_length (curve);

  g_assert_cmpuint (n_steps, ==, 50);
  for (guint step = 0; step < n_steps; step++) {
    double loss = fixture_train_pass (fixture->trainer, fixture->model, fixture->batch);
    double expected = json_array_get_double_element (curve, step);

    g_test_message ("step %u: %.6f, %.1e off", step, loss, loss - expected);
    g_assert_cmpfloat_with_epsilon (loss, expected, CURVE_TOLERANCE);
    fixture_adamw (fixture->trainer, fixture->model, settings, (int) step + 1);
  }
}

static void
test_scores (Fixture *fixture, gconstpointer folder)
{
  JsonArray *scores = json_object_get_array_member (fixture->expected, "scores");
  JsonArray *coefficients = json_object_get_array_member (fixture->expected, "coefficients");
  int n = fixture->batch->batch.n_sequences;
  g_autofree gint32 *last = g_new (gint32, n);
  g_autofree float *found = g_new (float, n);
  g_autofree float *dscores = g_new (float, n);
  const float *hidden;

  for (int b = 0; b < n; b++) {
    last[b] = fixture->batch->batch.offsets[b + 1] - 1;
    dscores[b] = (float) json_array_get_double_element (coefficients, b);
  }
  hidden = run_forward (fixture);
  laurel_score_head_forward (fixture->model, hidden, last, n, found);
  for (int b = 0; b < n; b++)
    g_assert_cmpfloat_with_epsilon (found[b], json_array_get_double_element (scores, b),
                                    LOGIT_TOLERANCE);

  laurel_score_head_backward (fixture->model, hidden, last, n, dscores,
                              fixture->trainer->dhidden, fixture->trainer->gradients);
  laurel_transformer_backward (fixture->model, &fixture->batch->batch, fixture->trainer->acts,
                               fixture->trainer->dhidden, fixture->trainer->gradients);
  assert_gradients (fixture, "transformer.");
}

static void
add (const char *path, const char *folder, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, folder, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/model/vectors/logits", "gpt2-tiny", test_logits);
  add ("/model/vectors/logprobs", "gpt2-tiny", test_logprobs);
  add ("/model/vectors/gradients", "gpt2-tiny", test_gradients);
  add ("/model/vectors/loss-curve", "gpt2-tiny", test_loss_curve);
  add ("/model/vectors/scores", "gpt2-tiny-score", test_scores);
  return g_test_run ();
}
