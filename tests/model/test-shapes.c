/* test-shapes.c: the engine against PyTorch's figures for larger shapes, up to GPT-2 124M.
 *
 * Weights and tokens are a formula (tests/vectors/gpt2_shapes.py), so that only the figures are
 * stored. With -m slow the loss curve of GPT-2 124M has all its 50 steps, otherwise the first 4.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"
#include "tests/model/fixture.h"

#include <math.h>
#include <string.h>

/* Sums of some hundred products of size one, through up to twelve layers, in float32. */
#define LOGIT_TOLERANCE 1e-4
/* Of a gradient tensor's length. Rounding leaves 4e-6 through six layers and 1.1e-5 through twelve;
 * three times that still notices some ten wrong elements in a matrix of 124M's. */
#define GRADIENT_TOLERANCE 3e-5
/* Of the loss, which nearly vanishes. Adam turns small errors of a gradient near zero into whole
 * steps; rounding leaves 1e-5 over 50 of them. */
#define CURVE_TOLERANCE 1e-4

#define N_LOGITS 8
#define N_SIGNS 4
#define QUICK_STEPS 4
#define LARGE 100000000 /* parameters */

/* --- The formula ------------------------------------------------------------------ */

enum { TOKENS = 1, LOGITS = 2, WEIGHTS = 1000, SIGNS = 1000000 }; /* streams */

/* The finishing step of SplitMix64 (Steele, Lea and Flood 2014). */
static guint64
mix (guint64 x)
{
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  return x ^ (x >> 31);
}

static guint64
draw (int stream, gsize i)
{
  return mix (mix ((guint64) stream) + i);
}

static double
normal_draw (int stream, gsize i)
{
  guint64 bits = draw (stream, i);
  int sum = 0;

  for (int part = 0; part < 4; part++)
    sum += (int) (bits >> (16 * part) & 0xffff);
  return (sum - 131070) / 37837.0;
}

static void
fill_weights (LaurelModel *model, double matrix_std)
{
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < model->layout->n_tensors; i++) {
    const LaurelTensor *tensor = &model->layout->tensors[i];
    gboolean gain = tensor->n_dims == 1 && g_str_has_suffix (tensor->name, ".weight");
    double scale = tensor->n_dims == 2 ? matrix_std : gain ? 0.1 : 0.05;
    float *w = model->weights + tensor->offset;

    for (gsize k = 0; k < tensor->n; k++) {
      double value = scale * normal_draw (WEIGHTS + i, k);

      w[k] = (float) (gain ? 1 + value : value);
    }
  }
}

/* --- A shape ---------------------------------------------------------------------- */

typedef struct {
  JsonNode *root;
  JsonObject *expected;
  LaurelModel *model;
  FixtureBatch *batch;
  FixtureTrainer *trainer;
} Shape;

static FixtureBatch *
make_batch (JsonObject *expected, int vocab_size)
{
  JsonArray *list = json_object_get_array_member (expected, "lengths");
  int n = (int) json_array_get_length (list), n_tokens = 0;
  g_autofree int *lengths = g_new (int, (gsize) n);
  g_autofree gint32 *tokens = NULL;

  for (int b = 0; b < n; b++)
    n_tokens += lengths[b] = (int) json_array_get_int_element (list, (guint) b);
  tokens = g_new (gint32, (gsize) n_tokens);
  for (int t = 0; t < n_tokens; t++)
    tokens[t] = (gint32) (draw (TOKENS, (gsize) t) % (guint64) vocab_size);
  return fixture_batch_new (tokens, lengths, n);
}

static void
shape_init (Shape *self, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "vectors", "shapes", file, NULL);
  g_autoptr (GError) error = NULL;
  LaurelModelConfig config;

  self->root = laurel_json_load (path, &error);
  g_assert_no_error (error);
  self->expected = json_node_get_object (self->root);
  laurel_model_config_from_json (&config, json_object_get_object_member (self->expected, "config"),
                                 path, &error);
  g_assert_no_error (error);
  self->model = laurel_model_new_blank (&config, NULL, NULL, &error);
  g_assert_no_error (error);
  fill_weights (self->model, json_object_get_double_member (self->expected, "matrix_std"));
  self->batch = make_batch (self->expected, config.vocab_size);
  self->trainer = fixture_trainer_new (self->model, self->batch->n_tokens);
}

static void
shape_clear (Shape *self)
{
  fixture_trainer_free (self->trainer);
  fixture_batch_free (self->batch);
  laurel_model_free (self->model);
  json_node_unref (self->root);
}

/* --- What is compared ------------------------------------------------------------- */

static double
largest_difference (const Shape *shape, const char *member, const double *values, int n)
{
  JsonArray *list = json_object_get_array_member (shape->expected, member);
  double largest = 0;

  g_assert_cmpuint (json_array_get_length (list), ==, (guint) n);
  for (int i = 0; i < n; i++) {
    double difference = fabs (values[i] - json_array_get_double_element (list, (guint) i));

    largest = difference <= largest ? largest : difference; /* NaN stays */
  }
  g_test_message ("%s: %d figures, at most %.1e off", member, n, largest);
  return largest;
}

/* Logits are never formed by the engine: here they are hidden · headᵀ, in double. */
static void
check_logits (const Shape *shape, const float *hidden)
{
  const LaurelModel *model = shape->model;
  gsize C = (gsize) model->config.n_embd;
  int n = shape->batch->n_tokens * N_LOGITS;
  g_autofree double *logits = g_new0 (double, (gsize) n);

  for (int i = 0; i < n; i++) {
    gsize v = draw (LOGITS, (gsize) i) % (guint64) model->config.vocab_size;
    const float *x = hidden + (gsize) (i / N_LOGITS) * C;
    const float *w = model->weights + model->at.head + v * C;

    for (gsize c = 0; c < C; c++)
      logits[i] += (double) x[c] * w[c];
  }
  g_assert_cmpfloat (largest_difference (shape, "logits", logits, n), <=, LOGIT_TOLERANCE);
}

static void
check_logprobs (const Shape *shape, const float *hidden)
{
  gsize n = (gsize) shape->batch->labels.n;
  g_autofree float *logprobs = g_new (float, n);
  g_autofree float *entropies = g_new (float, n);
  g_autofree double *wide = g_new (double, n);

  laurel_lm_head_logprobs (shape->model, hidden, &shape->batch->labels, 1.0, logprobs, entropies);
  for (gsize i = 0; i < n; i++)
    wide[i] = logprobs[i];
  g_assert_cmpfloat (largest_difference (shape, "logprobs", wide, (int) n), <=, LOGIT_TOLERANCE);
  for (gsize i = 0; i < n; i++)
    wide[i] = entropies[i];
  g_assert_cmpfloat (largest_difference (shape, "entropies", wide, (int) n), <=, LOGIT_TOLERANCE);
}

/* The length of @g, and its products with the vectors of signs. */
static void
summarise (const float *g, gsize n, int index, double figures[1 + N_SIGNS])
{
  double squares = 0, a = 0, b = 0, c = 0, d = 0;

#pragma omp parallel for reduction(+ : squares, a, b, c, d)
  for (gsize k = 0; k < n; k++) {
    guint64 bits = draw (SIGNS + index, k);
    double x = g[k];

    squares += x * x;
    a += bits & 1 ? -x : x;
    b += bits & 2 ? -x : x;
    c += bits & 4 ? -x : x;
    d += bits & 8 ? -x : x;
  }
  memcpy (figures, (double[]) { sqrt (squares), a, b, c, d }, (1 + N_SIGNS) * sizeof (double));
}

/* The product of an error e with random signs has the mean square ‖e‖², so that four of them say
 * how long e is, wherever in the tensor it lies. */
static double
check_gradient (const Shape *shape, int index)
{
  const LaurelTensor *tensor = &shape->model->layout->tensors[index];
  const char *name = tensor->name;
  double found[1 + N_SIGNS], length, squares = 0;
  JsonArray *wanted;

  if (g_str_has_prefix (name, "transformer."))
    name += strlen ("transformer.");
  wanted = json_object_get_array_member (
    json_object_get_object_member (shape->expected, "gradients"), name);
  summarise (shape->trainer->gradients + tensor->offset, tensor->n, index, found);
  length = json_array_get_double_element (wanted, 0);
  for (guint j = 1; j <= N_SIGNS; j++) {
    double difference = found[j] - json_array_get_double_element (wanted, j);

    squares += difference * difference / N_SIGNS;
  }
  g_test_message ("%s: %.2e of %.2e", name, sqrt (squares), length);
  g_assert_cmpfloat (length, >, 0);
  g_assert_cmpfloat_with_epsilon (found[0], length, GRADIENT_TOLERANCE * length);
  g_assert_cmpfloat (sqrt (squares), <=, GRADIENT_TOLERANCE * length);
  return sqrt (squares) / length;
}

/* One sequence alone gives the hidden states that it gave among the others, to the bit. */
static void
check_alone (const Shape *shape, const float *together)
{
  const LaurelModel *model = shape->model;
  const LaurelBatch *batch = &shape->batch->batch;
  int b = batch->n_sequences - 2, n = batch->offsets[b + 1] - batch->offsets[b];
  g_autoptr (FixtureBatch) one = fixture_batch_new (batch->tokens + batch->offsets[b], &n, 1);
  g_autoptr (LaurelActivations) acts = laurel_activations_new (&model->config, n, FALSE, NULL);
  gsize C = (gsize) model->config.n_embd;

  g_assert_cmpmem (laurel_transformer_forward (model, &one->batch, acts),
                   (gsize) n * C * sizeof (float), together + (gsize) batch->offsets[b] * C,
                   (gsize) n * C * sizeof (float));
}

static void
check_curve (Shape *shape)
{
  JsonObject *settings = json_object_get_object_member (shape->expected, "adamw");
  JsonArray *curve = json_object_get_array_member (shape->expected, "loss_curve");
  int n_steps = (int) json_array_get_length (curve);

  g_assert_cmpint (n_steps, ==, 50);
  if (shape->model->layout->n_parameters > LARGE && !g_test_slow ())
    n_steps = QUICK_STEPS;
  for (int step = 0; step < n_steps; step++) {
    double loss = fixture_train_pass (shape->trainer, shape->model, shape->batch);
    double expected = json_array_get_double_element (curve, (guint) step);

    g_test_message ("step %d: %.6f, %.1e of it off", step, loss, (loss - expected) / expected);
    g_assert_cmpfloat_with_epsilon (loss, expected, CURVE_TOLERANCE * expected);
    fixture_adamw (shape->trainer, shape->model, settings, step + 1);
  }
}

static void
test_shape (gconstpointer name)
{
  Shape shape;
  const float *hidden;
  double loss, largest = 0;

  shape_init (&shape, name);
  hidden = laurel_transformer_forward (shape.model, &shape.batch->batch, shape.trainer->acts);
  check_logits (&shape, hidden);
  check_logprobs (&shape, hidden);
  check_alone (&shape, hidden);
  loss = fixture_train_pass (shape.trainer, shape.model, shape.batch);
  g_assert_cmpfloat_with_epsilon (loss, json_object_get_double_member (shape.expected, "loss"),
                                  LOGIT_TOLERANCE);
  for (int i = 0; i < shape.model->layout->n_tensors; i++)
    largest = MAX (largest, check_gradient (&shape, i));
  g_test_message ("gradients: at most %.1e of a tensor's length off", largest);
  check_curve (&shape);
  shape_clear (&shape);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/model/shapes/odd", "odd", test_shape);
  g_test_add_data_func ("/model/shapes/small256", "small256", test_shape);
  g_test_add_data_func ("/model/shapes/gpt2-124m", "gpt2-124m", test_shape);
  return g_test_run ();
}
