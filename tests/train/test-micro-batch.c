/* test-micro-batch.c: how a batch is cut into micro-batches changes no gradient; the optimiser's
 * step.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/language.h"
#include "core/train/optimizer.h"
#include "core/train/ppo.h"
#include "core/train/reward_walk.h"

#include <math.h>
#include <string.h>

#define N_ROWS 24

/* Float sums in another order: a few units in the last place of each of some hundred terms. */
#define GRADIENT_TOLERANCE 1e-6

static void
assert_same_gradient (const float *a, const float *b, gsize n)
{
  double gap = 0, size = 0;

  for (gsize i = 0; i < n; i++) {
    gap += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    size += (double) a[i] * a[i];
  }
  g_assert_cmpfloat (size, >, 0);
  g_assert_cmpfloat (sqrt (gap / size), <, GRADIENT_TOLERANCE);
}

static float *
language_gradient (const LaurelModel *model, GPtrArray *sequences, int max_tokens, double *out_loss)
{
  g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (max_tokens);
  float *gradients = laurel_alloc_aligned (model->layout->n_floats * sizeof (float));
  g_autoptr (LaurelRows) rows = fixture_rows (sequences);
  g_auto (LaurelRagged) batch = { 0 };
  LaurelPass pass = { 0 };

  laurel_ragged_init (&batch);
  for (guint i = 0; i < sequences->len; i++)
    laurel_rows_gather (rows, i, 40, &batch);
  *out_loss = 0;
  g_assert_true (laurel_pass_init (&pass, model, max_tokens, TRUE, NULL));
  g_assert_true (laurel_language_walk (&pass, micro, &batch, gradients, NULL, NULL, out_loss,
                                       NULL));
  laurel_pass_clear (&pass);
  return gradients;
}

/* Rows of different lengths, so a mean of the micro-batches' means would be wrong. */
static void
test_language (void)
{
  g_autoptr (LaurelModel) model = fixture_sft_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (N_ROWS, 3);
  const int sizes[] = { 16, 40, 100 };
  double whole_loss, loss;
  float *whole = language_gradient (model, sequences, 1000, &whole_loss);

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    float *cut = language_gradient (model, sequences, sizes[i], &loss);

    assert_same_gradient (whole, cut, model->layout->n_floats);
    g_assert_cmpfloat_with_epsilon (loss, whole_loss, 1e-5 * whole_loss);
    laurel_free_aligned (cut);
  }
  laurel_free_aligned (whole);
}

/* Which tokens are learned: the loss is the sum over those alone, and the gradient their mean's. */
static void
test_mask (void)
{
  g_autoptr (LaurelModel) model = fixture_sft_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (1, 3);
  g_autoptr (GPtrArray) masked = g_ptr_array_new_with_free_func ((GDestroyNotify)
                                                                     laurel_sequence_free);
  const LaurelSequence *all = g_ptr_array_index (sequences, 0);
  g_autofree guint8 *learned = g_new0 (guint8, all->n_tokens);
  g_autofree float *logprobs = g_new (float, all->n_tokens);
  double loss = 0, expected = 0;
  float *gradients;

  learned[0] = learned[2] = learned[3] = learned[all->n_tokens - 1] = 1; /* the first never is */
  g_ptr_array_add (masked, laurel_sequence_new_masked (all->tokens, learned, all->n_tokens));
  gradients = language_gradient (model, masked, 100, &loss);
  g_assert_true (laurel_evaluate_logprobs (model, all, logprobs, NULL));
  for (int t = 1; t < all->n_tokens; t++)
    expected -= learned[t] ? logprobs[t - 1] : 0;
  /* The same pass with fewer labels in the head's product. */
  g_assert_cmpfloat_with_epsilon (loss, expected, 1e-5);
  laurel_free_aligned (gradients);
}

static float *
reward_gradient (const LaurelModel *model, GPtrArray *rows, int max_tokens)
{
  g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (max_tokens);
  float *gradients = laurel_alloc_aligned (model->layout->n_floats * sizeof (float));
  const LaurelRewardRule rule = { LAUREL_REWARD_PAIRWISE, LAUREL_TIES_HALF };
  LaurelPass pass = { 0 };
  LaurelRewardSums sums;

  g_assert_true (laurel_pass_init (&pass, model, max_tokens, TRUE, NULL));
  g_assert_true (laurel_reward_walk (&pass, micro, rows, NULL, (int) rows->len, 40,
                                     &rule, gradients, NULL, NULL, &sums, NULL));
  g_assert_cmpint (sums.n_prompts, ==, rows->len);
  laurel_pass_clear (&pass);
  return gradients;
}

static void
test_reward (void)
{
  g_autoptr (LaurelModel) model = fixture_reward_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (N_ROWS, 3);
  g_autoptr (GPtrArray)
      rows = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_reward_row_free);
  float *whole, *cut;

  for (guint i = 0; i < comparisons->len; i++)
    g_ptr_array_add (rows, laurel_reward_row_new (g_ptr_array_index (comparisons, i), 40));
  whole = reward_gradient (model, rows, 2000);
  cut = reward_gradient (model, rows, 60); /* one prompt's three completions at a time */
  assert_same_gradient (whole, cut, model->layout->n_floats);
  laurel_free_aligned (whole);
  laurel_free_aligned (cut);
}

/* A batch of rollouts made by hand: the tokens of fixture_sequences() with made-up advantages and
 * returns. */
typedef struct {
  LaurelPpo ppo;
  LaurelPpoRow rows[N_ROWS];
  guint32 order[N_ROWS];
  float logprobs[N_ROWS * 40], advantages[N_ROWS * 40], values[N_ROWS * 40], returns[N_ROWS * 40];
  float ratios[N_ROWS * 40];
  gint32 clipped[N_ROWS * 40];
} HandMade;

static void
fill_rows (HandMade *self, GPtrArray *sequences)
{
  LaurelPpoBatch *batch = &self->ppo.batch;
  LaurelRng rng;

  laurel_rng_init (&rng, 8, LAUREL_RNG_TEST, 2, 0);
  batch->n_rows = N_ROWS;
  batch->rows = self->rows;
  for (int r = 0; r < N_ROWS; r++) {
    LaurelSequence *s = g_ptr_array_index (sequences, r);
    float logprobs[64];

    self->rows[r] = (LaurelPpoRow){ .tokens = s->tokens,
                                    .n_prompt = s->n_prompt,
                                    .n_response = s->n_tokens - s->n_prompt,
                                    .first = batch->n_tokens };
    g_assert_true (laurel_evaluate_logprobs (self->ppo.policy, s, logprobs, NULL));
    for (int t = s->n_prompt; t < s->n_tokens; t++) {
      int at = batch->n_tokens++;

      self->logprobs[at] = logprobs[t - 1];
      self->advantages[at] = (float) laurel_rng_normal (&rng);
      self->values[at] = 0.1f * (float) laurel_rng_normal (&rng);
      self->returns[at] = (float) laurel_rng_normal (&rng);
    }
  }
  batch->logprobs = self->logprobs;
  batch->advantages = self->advantages;
  batch->values = self->values;
  batch->returns = self->returns;
  batch->ratios = self->ratios;
  batch->clipped = self->clipped;
}

/* One epoch of one mini-batch at learning rate 0 leaves the gradients where they can be read. */
static void
ppo_gradients (LaurelModel *policy,
               LaurelModel *value,
               GPtrArray *sequences,
               int max_tokens,
               LaurelOptimizer **out_policy,
               LaurelOptimizer **out_value)
{
  g_autofree HandMade *self = g_new0 (HandMade, 1);
  LaurelPpo *ppo = &self->ppo;
  LaurelHyperparameters hp;
  LaurelPpoStats stats;
  g_autoptr (GError) error = NULL;

  fixture_ppo_settings (&hp);
  hp.learning_rate = hp.value_learning_rate = 0;
  hp.num_ppo_epochs = hp.num_mini_batches = 1;
  hp.batch_size = N_ROWS;
  ppo->hp = &hp;
  ppo->n_iterations = 1;
  ppo->policy = policy;
  ppo->value = value;
  ppo->row_order = self->order;
  ppo->micro = laurel_micro_batch_new (max_tokens);
  g_assert_true (laurel_pass_init (&ppo->policy_pass, policy, max_tokens, TRUE, NULL));
  g_assert_true (laurel_pass_init (&ppo->value_pass, value, max_tokens, TRUE, NULL));
  ppo->state.optimizer = *out_policy = laurel_optimizer_new (policy->layout, &hp, NULL, NULL);
  ppo->state.value_optimizer = *out_value = laurel_optimizer_new (value->layout, &hp, NULL, NULL);
  fill_rows (self, sequences);
  g_assert_true (laurel_ppo_update (ppo, &stats, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stats.n_mini_batches, ==, 1);
  laurel_pass_clear (&ppo->policy_pass);
  laurel_pass_clear (&ppo->value_pass);
  laurel_micro_batch_free (ppo->micro);
}

static void
test_ppo (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) value = fixture_reward_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (N_ROWS, 3);
  g_autoptr (LaurelOptimizer) policy_whole = NULL;
  g_autoptr (LaurelOptimizer) value_whole = NULL;
  const int sizes[] = { 16, 50, 200 };

  ppo_gradients (policy, value, sequences, 1000, &policy_whole, &value_whole);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (LaurelOptimizer) policy_cut = NULL;
    g_autoptr (LaurelOptimizer) value_cut = NULL;

    ppo_gradients (policy, value, sequences, sizes[i], &policy_cut, &value_cut);
    assert_same_gradient (policy_whole->gradients, policy_cut->gradients, policy->layout->n_floats);
    assert_same_gradient (value_whole->gradients, value_cut->gradients, value->layout->n_floats);
  }
}

/* The first step of Adam is the learning rate in the gradient's sign, whatever the gradient's size.
 */
static void
test_optimizer_first_step (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (LaurelModel) before = fixture_model (1);
  g_autoptr (LaurelOptimizer) optimizer = NULL;
  LaurelHyperparameters hp;
  gsize wpe = model->at.wpe, bias = model->at.lnf_b;
  double norm;

  fixture_sft_settings (&hp);
  hp.weight_decay = 0.5;
  hp.max_grad_norm = 1;
  optimizer = laurel_optimizer_new (model->layout, &hp, NULL, NULL);
  optimizer->gradients[bias] = 3;
  optimizer->gradients[wpe] = -4;
  g_assert_true (laurel_optimizer_step (optimizer, model->weights, 0.01, &norm, NULL));
  g_assert_cmpfloat (norm, ==, 5); /* before clipping */
  /* 1e-7: ε = 1e-8 beside a clipped gradient of 0.6, and float rounding. A norm's bias does not
   * decay, a matrix does. */
  g_assert_cmpfloat_with_epsilon (model->weights[bias], before->weights[bias] - 0.01, 1e-7);
  g_assert_cmpfloat_with_epsilon (model->weights[wpe],
                                  before->weights[wpe] * (1 - 0.01 * 0.5) + 0.01, 1e-7);
  /* Clipped to length 1: 3 became 0.6. */
  g_assert_cmpfloat_with_epsilon (optimizer->m[bias], 0.1 * 0.6, 1e-7);
}

static void
test_optimizer_not_finite (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (LaurelModel) before = fixture_model (1);
  g_autoptr (LaurelOptimizer) optimizer = NULL;
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_sft_settings (&hp);
  optimizer = laurel_optimizer_new (model->layout, &hp, NULL, NULL);
  optimizer->gradients[model->at.wte] = 1;
  optimizer->gradients[model->at.lnf_w] = INFINITY;
  g_assert_false (laurel_optimizer_step (optimizer, model->weights, 0.01, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE);
  g_assert_nonnull (strstr (error->message, "ln_f.weight"));
  assert_same_weights (model, before);
  g_assert_cmpint (optimizer->n_steps, ==, 0);
}

static void
test_plan (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  LaurelHyperparameters hp;

  for (LaurelStage stage = 0; stage < LAUREL_N_STAGES; stage++) {
    laurel_hyperparameters_init (&hp, stage);
    g_assert_cmpuint (laurel_train_plan_memory (stage, &model->config, &hp, 0), >,
                      4 * model->layout->n_floats * sizeof (float));
  }
  g_assert_cmpint (laurel_micro_batch_budget (&model->config, 10), ==, 4096);
  g_assert_cmpint (laurel_micro_batch_budget (&model->config, 9000), ==, 9000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/micro-batch/language", test_language);
  g_test_add_func ("/train/micro-batch/mask", test_mask);
  g_test_add_func ("/train/micro-batch/reward", test_reward);
  g_test_add_func ("/train/micro-batch/ppo", test_ppo);
  g_test_add_func ("/train/optimizer/first-step", test_optimizer_first_step);
  g_test_add_func ("/train/optimizer/not-finite", test_optimizer_not_finite);
  g_test_add_func ("/train/plan", test_plan);
  return g_test_run ();
}
