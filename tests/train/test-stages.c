/* test-stages.c: SFT, reward model and PPO from end to end on a tiny world.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/train/reward_loss.h"

#include <math.h>
#include <string.h>

static void
test_sft_lowers_loss (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (GPtrArray) sequences = fixture_sequences (400, 1);
  g_autoptr (GPtrArray) held_out = fixture_sequences (60, 9);
  g_autoptr (LaurelRows) rows = fixture_rows (sequences);
  g_autoptr (LaurelRows) eval_rows = fixture_rows (held_out);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;
  double before, after;
  gint64 n;

  fixture_sft_settings (&hp);
  hp.eval_steps = 40;
  g_assert_true (laurel_evaluate_loss (model, eval_rows, &before, &n, &error));
  g_assert_true (laurel_train_sft (model, rows, eval_rows, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  g_assert_true (laurel_evaluate_loss (model, eval_rows, &after, &n, &error));
  /* A fresh model guesses among 300 tokens; the answers have an entropy of log 6 over 2 to 5
   * tokens, under 1 nat each. */
  g_assert_cmpfloat (before, >, 5);
  g_assert_cmpfloat (after, <, 1);
  g_assert_cmpint (recorder_count (recorder, "loss"), ==, 120);
  g_assert_cmpint (recorder_count (recorder, "eval/loss"), ==, 3);
  g_assert_cmpfloat (recorder_last (recorder, "eval/loss"), ==, after);
  g_assert_cmpint (recorder->last_step, ==, recorder->n_steps);
}

static void
test_pretrain_lowers_loss (void)
{
  g_autoptr (LaurelModel) model = fixture_model (2);
  g_autoptr (GPtrArray) sequences = fixture_sequences (200, 1);
  g_autoptr (LaurelRows) rows = fixture_rows (sequences);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  for (guint i = 0; i < sequences->len; i++)
    ((LaurelSequence *) g_ptr_array_index (sequences, i))->n_prompt = 0;
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PRETRAIN);
  hp.learning_rate = 5e-3;
  hp.warmup_steps = 5;
  hp.num_train_epochs = 8;
  g_assert_true (laurel_train_pretrain (model, rows, NULL, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  g_assert_cmpint (recorder->n_steps, ==, 56); /* 200 rows in batches of 32 are 7 steps */
  g_assert_cmpfloat (recorder_first (recorder, "loss"), >, 5);
  g_assert_cmpfloat (recorder_last (recorder, "loss"), <, 2);
}

static void
test_evaluate_logprobs (void)
{
  g_autoptr (LaurelModel) model = fixture_sft_model ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (1, 4);
  g_autoptr (LaurelRows) rows = fixture_rows (sequences);
  LaurelSequence *sequence = g_ptr_array_index (sequences, 0);
  float logprobs[64];
  double loss, sum = 0;
  gint64 n;

  g_assert_true (laurel_evaluate_logprobs (model, sequence, logprobs, NULL));
  g_assert_true (laurel_evaluate_loss (model, rows, &loss, &n, NULL));
  g_assert_cmpint (n, ==, sequence->n_tokens - sequence->n_prompt);
  for (int t = sequence->n_prompt; t < sequence->n_tokens; t++)
    sum -= logprobs[t - 1];
  /* The same forward pass; the labels alone are other ones. */
  g_assert_cmpfloat_with_epsilon (loss, sum / (double) n, 1e-6);
}

static void
test_reward_learns_the_rule (void)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (200, 2);
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_reward_settings (&hp);
  g_assert_true (
      laurel_train_reward (reward, comparisons, sft, prompts, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (recorder_last (recorder, "eval/accuracy"), >, 0.9);
  g_assert_cmpfloat (recorder_last (recorder, "loss"), <, recorder_first (recorder, "loss"));
  g_assert_cmpfloat (recorder_last (recorder, "margin"), >, 0);
  g_assert_true (reward->config.normalized);
  g_assert_cmpfloat (reward->config.reward_gain, ==, recorder_last (recorder, "normalize/gain"));
  /* Scores of size 1 through a float head: 1e-4 is far above their rounding and far under any use
   * of them. */
  g_assert_cmpfloat_with_epsilon (recorder_last (recorder, "normalize/mean"), 0, 1e-4);
  g_assert_cmpfloat_with_epsilon (recorder_last (recorder, "normalize/std"), 1, 1e-4);
}

/* The scores after folding are gain · raw + bias for any sequence, not the reference samples alone.
 */
static void
test_normalised_scores (void)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (LaurelModel) raw = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
  g_autoptr (LaurelModel) folded = fixture_reward_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (200, 2);
  g_autoptr (GPtrArray) sequences = fixture_sequences (20, 6);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;
  float raw_scores[20], scores[20];

  fixture_reward_settings (&hp);
  hp.normalize_rewards = FALSE;
  g_assert_true (laurel_train_reward (raw, comparisons, NULL, NULL, &hp, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (raw->config.normalized);
  g_assert_true (
      laurel_reward_score (raw, (LaurelSequence *const *) sequences->pdata, 20, raw_scores, NULL));
  g_assert_true (
      laurel_reward_score (folded, (LaurelSequence *const *) sequences->pdata, 20, scores, NULL));
  for (int i = 0; i < 20; i++) /* 1e-4: a float head sums 32 products of size 1 */
    g_assert_cmpfloat_with_epsilon (
        scores[i], folded->config.reward_gain * raw_scores[i] + folded->config.reward_bias, 1e-4);
}

static void
test_ppo_raises_score (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_ppo_settings (&hp);
  hp.target_kl = 2;
  g_assert_true (laurel_train_ppo (policy, reward, prompts, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  g_assert_cmpint (recorder->n_rollouts, ==, 15 * 32);
  /* Normalised scores have deviation 1; the mean of 32 starts within 3/√32 of what SFT has and must
   * leave that. */
  g_test_message ("score %g to %g, kl %g", recorder_first (recorder, "objective/scores"),
                  recorder_last (recorder, "objective/scores"),
                  recorder_last (recorder, "objective/kl"));
  g_assert_cmpfloat (recorder_last (recorder, "objective/scores"), >,
                     recorder_first (recorder, "objective/scores") + 0.6);
  g_assert_cmpfloat_with_epsilon (recorder_first (recorder, "objective/kl"), 0,
                                  1e-6); /* the same weights */
  g_assert_cmpfloat (recorder_last (recorder, "objective/exact_kl"), >, 0.05);
  g_assert_cmpfloat (recorder_last (recorder, "objective/kl_coef"), !=, hp.kl_coef);
}

static void
test_ppo_value_warmup (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) before = laurel_model_copy (policy, NULL);
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (20);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_ppo_settings (&hp);
  hp.max_steps = 4;
  hp.value_warmup_steps = 4;
  hp.whiten_rewards = TRUE;
  g_assert_true (laurel_train_ppo (policy, reward, prompts, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  assert_same_weights (policy, before);
  g_assert_cmpfloat (recorder_last (recorder, "val/ratio"), ==, 1);
  g_assert_cmpfloat (recorder_last (recorder, "loss/value_avg"), <,
                     recorder_first (recorder, "loss/value_avg"));
}

static void
assert_ppo_refused (LaurelModel *policy,
                    LaurelModel *reward,
                    const LaurelHyperparameters *hp,
                    const char *part)
{
  g_autoptr (GPtrArray) prompts = fixture_prompts (2);
  g_autoptr (GError) error = NULL;

  g_assert_false (laurel_train_ppo (policy, reward, prompts, hp, NULL, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, part));
}

static void
test_ppo_refusals (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (2);
  g_autoptr (GError) error = NULL;
  LaurelTrainPrompt *prompt = g_ptr_array_index (prompts, 0);
  LaurelHyperparameters hp;

  fixture_ppo_settings (&hp);
  assert_ppo_refused (policy, policy, &hp, "no score head");
  assert_ppo_refused (reward, reward, &hp, "the policy is a reward model");
  hp.temperature = 0;
  assert_ppo_refused (policy, reward, &hp, "temperature");
  hp.temperature = 1;
  reward->config.normalized = FALSE;
  assert_ppo_refused (policy, reward, &hp, "not normalised");
  reward->config.normalized = TRUE;
  prompt->tokens = g_realloc_n (prompt->tokens, 40, sizeof (gint32));
  for (int t = 0; t < 40; t++)
    prompt->tokens[t] = 1;
  prompt->n_tokens = 40;
  g_assert_false (laurel_train_ppo (policy, reward, prompts, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
}

static void
test_data_refusals (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (GPtrArray) sequences = fixture_sequences (3, 1);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  LaurelSequence *row = g_ptr_array_index (sequences, 1);
  LaurelHyperparameters hp;
  int n_prompt = row->n_prompt;

  fixture_sft_settings (&hp);
  g_assert_false (fixture_train_sft (model, none, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_clear_error (&error);
  row->n_prompt = row->n_tokens; /* every label masked */
  g_assert_false (fixture_train_sft (model, sequences, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "row 2"));
  g_clear_error (&error);
  row->n_prompt = n_prompt;
  row->tokens[0] = 300;
  g_assert_false (fixture_train_sft (model, sequences, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

static void
test_not_finite (void)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (LaurelModel) before = NULL;
  g_autoptr (GPtrArray) sequences = fixture_sequences (8, 1);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_sft_settings (&hp);
  model->weights[model->at.lnf_b] = NAN;
  before = laurel_model_copy (model, NULL);
  g_assert_false (fixture_train_sft (model, sequences, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FINITE);
  g_assert_nonnull (strstr (error->message, "wte.weight"));
  assert_same_weights (model, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/pretrain/lowers-loss", test_pretrain_lowers_loss);
  g_test_add_func ("/train/sft/lowers-loss", test_sft_lowers_loss);
  g_test_add_func ("/train/sft/refusals", test_data_refusals);
  g_test_add_func ("/train/sft/not-finite", test_not_finite);
  g_test_add_func ("/train/evaluate/logprobs", test_evaluate_logprobs);
  g_test_add_func ("/train/reward/learns-the-rule", test_reward_learns_the_rule);
  g_test_add_func ("/train/reward/normalised-scores", test_normalised_scores);
  g_test_add_func ("/train/ppo/raises-score", test_ppo_raises_score);
  g_test_add_func ("/train/ppo/value-warm-up", test_ppo_value_warmup);
  g_test_add_func ("/train/ppo/refusals", test_ppo_refusals);
  return g_test_run ();
}
