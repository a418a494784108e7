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
  g_assert_true (laurel_language_walk (&pass, micro, &batch, 1, gradients, NULL, NULL,
                                       out_loss, NULL));
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

/* A batch of rollouts made by hand: the tokens of @sequences with made-up advantages and returns.
 */
static void
fill_batch (LaurelPpo *ppo, GPtrArray *sequences)
{
  LaurelPpoBatch *batch = &ppo->batch;
  LaurelRng rng;

  laurel_rng_init (&rng, 8, LAUREL_RNG_TEST, 2, 0);
  laurel_ppo_batch_reserve (batch, N_ROWS, 40, 40);
  for (int r = 0; r < N_ROWS; r++) {
    LaurelSequence *s = g_ptr_array_index (sequences, r);
    float logprobs[64];

    batch->rows[r] = (LaurelPpoRow){ .tokens = s->tokens,
                                     .n_prompt = s->n_prompt,
                                     .n_response = s->n_tokens - s->n_prompt,
                                     .first = batch->n_tokens };
    g_assert_true (laurel_evaluate_logprobs (ppo->policy, s, logprobs, NULL));
    for (int t = s->n_prompt; t < s->n_tokens; t++) {
      int at = batch->n_tokens++;

      batch->logprobs[at] = logprobs[t - 1];
      batch->advantages[at] = (float) laurel_rng_normal (&rng);
      batch->values[at] = 0.1f * (float) laurel_rng_normal (&rng);
      batch->returns[at] = (float) laurel_rng_normal (&rng);
    }
  }
}

/* What ppo_gradients() is to compute. */
typedef struct {
  LaurelModel *policy, *value; /* @value NULL: RLOO */
  GPtrArray *sequences;
  const LaurelRows *ptx; /* NULL: nothing is learned beside */
  double ptx_coef;
  int ptx_batch_size;
} PpoCase;

/* One epoch of one mini-batch at learning rate 0 leaves the gradients where they can be read. */
static void
ppo_gradients (const PpoCase *c,
               int max_tokens,
               LaurelOptimizer **out_policy,
               LaurelOptimizer **out_value)
{
  LaurelPpo ppo = { .stage = c->value != NULL ? LAUREL_STAGE_PPO : LAUREL_STAGE_RLOO,
                    .policy = c->policy,
                    .value = c->value,
                    .n_iterations = 1 };
  LaurelHyperparameters hp;
  LaurelPpoStats stats;
  g_autoptr (GError) error = NULL;
  int longest;

  fixture_ppo_settings (&hp);
  hp.learning_rate = hp.value_learning_rate = 0;
  hp.num_ppo_epochs = hp.num_mini_batches = 1;
  hp.batch_size = N_ROWS;
  hp.ptx_coef = c->ptx_coef;
  hp.ptx_batch_size = c->ptx_batch_size;
  ppo.hp = &hp;
  ppo.row_order = g_new0 (guint32, N_ROWS);
  ppo.micro = laurel_micro_batch_new (max_tokens);
  g_assert_true (laurel_ppo_prepare_ptx (&ppo, c->ptx, &longest, NULL));
  g_assert_true (laurel_pass_init (&ppo.policy_pass, c->policy, max_tokens, TRUE, NULL));
  ppo.state.optimizer = *out_policy = laurel_optimizer_new (c->policy->layout, &hp, NULL, NULL);
  if (c->value != NULL) {
    g_assert_true (laurel_pass_init (&ppo.value_pass, c->value, max_tokens, TRUE, NULL));
    *out_value = laurel_optimizer_new (c->value->layout, &hp, NULL, NULL);
    ppo.state.value_optimizer = *out_value;
  }
  fill_batch (&ppo, c->sequences);
  g_assert_true (laurel_ppo_update (&ppo, &stats, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stats.n_mini_batches, ==, 1);
  laurel_pass_clear (&ppo.policy_pass);
  laurel_pass_clear (&ppo.value_pass);
  laurel_micro_batch_free (ppo.micro);
  laurel_ppo_batch_release (&ppo.batch);
  laurel_ragged_clear (&ppo.ptx_batch);
  g_free (ppo.ptx_order);
  g_free (ppo.row_order);
}

static void
assert_ppo_same (const PpoCase *c, const int *sizes, gsize n_sizes)
{
  g_autoptr (LaurelOptimizer) policy_whole = NULL;
  g_autoptr (LaurelOptimizer) value_whole = NULL;

  ppo_gradients (c, 1000, &policy_whole, &value_whole);
  for (gsize i = 0; i < n_sizes; i++) {
    g_autoptr (LaurelOptimizer) policy_cut = NULL;
    g_autoptr (LaurelOptimizer) value_cut = NULL;

    ppo_gradients (c, sizes[i], &policy_cut, &value_cut);
    assert_same_gradient (policy_whole->gradients, policy_cut->gradients,
                          c->policy->layout->n_floats);
    if (c->value != NULL)
      assert_same_gradient (value_whole->gradients, value_cut->gradients,
                            c->value->layout->n_floats);
  }
}

/* Rows of different lengths, so a mean of the micro-batches' means would be wrong. */
static void
test_ppo (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) value = fixture_reward_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (N_ROWS, 3);
  const PpoCase c = { policy, value, sequences, NULL, 0, 1 };
  const int sizes[] = { 16, 50, 200 };

  assert_ppo_same (&c, sizes, G_N_ELEMENTS (sizes));
}

/* Sequences of one length, whose responses are 2 to 6 tokens of it. */
static GPtrArray *
make_equal_sequences (int *out_length)
{
  g_autoptr (GPtrArray) all = fixture_sequences (400, 3);
  GPtrArray *chosen = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);

  *out_length = ((LaurelSequence *) g_ptr_array_index (all, 0))->n_tokens;
  for (guint i = 0; i < all->len && chosen->len < N_ROWS; i++) {
    const LaurelSequence *s = g_ptr_array_index (all, i);
    int n_prompt = *out_length - 2 - (int) chosen->len % 5;

    if (s->n_tokens == *out_length)
      g_ptr_array_add (chosen, laurel_sequence_new (s->tokens, s->n_tokens, n_prompt));
  }
  g_assert_cmpuint (chosen->len, ==, N_ROWS);
  return chosen;
}

/* The mini-batch in micro-batches of 1, 2, 4 and all rows, with and without a value. */
static void
test_ppo_rows (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) value = fixture_reward_model ();
  int length;
  g_autoptr (GPtrArray) sequences = make_equal_sequences (&length);
  const PpoCase with_value = { policy, value, sequences, NULL, 0, 1 };
  const PpoCase without = { policy, NULL, sequences, NULL, 0, 1 };
  const int sizes[] = { length, 2 * length, 4 * length, N_ROWS * length };

  assert_ppo_same (&with_value, sizes, G_N_ELEMENTS (sizes));
  assert_ppo_same (&without, sizes, G_N_ELEMENTS (sizes));
}

/* What is learned beside adds ptx_coef times its own mean's gradient, however both are cut. */
static void
test_ptx (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (N_ROWS, 3);
  g_autoptr (GPtrArray) texts = fixture_sequences (N_ROWS, 4);
  g_autoptr (LaurelRows) rows = fixture_rows (texts);
  g_autoptr (LaurelOptimizer) alone = NULL;
  g_autoptr (LaurelOptimizer) none = NULL;
  const PpoCase without = { policy, NULL, sequences, NULL, 0, 1 };
  const PpoCase with = { policy, NULL, sequences, rows, 0.7, N_ROWS };
  const int sizes[] = { 16, 50, 200 };
  double loss;
  float *sum = language_gradient (policy, texts, 1000, &loss);

  ppo_gradients (&without, 1000, &alone, &none);
  for (gsize i = 0; i < policy->layout->n_floats; i++)
    sum[i] = 0.7f * sum[i] + alone->gradients[i];
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (LaurelOptimizer) both = NULL;

    ppo_gradients (&with, sizes[i], &both, &none);
    assert_same_gradient (sum, both->gradients, policy->layout->n_floats);
  }
  laurel_free_aligned (sum);
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
  g_test_add_func ("/train/micro-batch/ppo-rows", test_ppo_rows);
  g_test_add_func ("/train/micro-batch/ptx", test_ptx);
  g_test_add_func ("/train/optimizer/first-step", test_optimizer_first_step);
  g_test_add_func ("/train/optimizer/not-finite", test_optimizer_not_finite);
  g_test_add_func ("/train/plan", test_plan);
  return g_test_run ();
}
