/* test-reward.c: what a reward model starts from, is held to, and ends as.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/train/comparison.h"
#include "core/train/normalize.h"
#include "core/train/schedule.h"

#include <math.h>
#include <string.h>

/* N(0, 1/(d + 1)) as in Stiennon et al.'s code; their paper prints that as the deviation. */
static void
test_head_start (void)
{
  g_autoptr (LaurelModel) trunk = fixture_model (1);
  int d = trunk->config.n_embd;
  double sum = 0, squares = 0;
  int n = 0;

  for (guint64 seed = 0; seed < 400; seed++) {
    g_autoptr (LaurelModel) model = laurel_model_with_head (trunk, LAUREL_HEAD_SCORE, seed, NULL);

    for (int c = 0; c < d; c++, n++) {
      double w = model->weights[model->at.head + (gsize) c];

      sum += w;
      squares += w * w;
    }
  }
  /* 12800 draws: the mean within 4/√n deviations of 0, the deviation within 4/√(2n) of its own. */
  g_assert_cmpfloat_with_epsilon (sum / n, 0, 4 / sqrt (n) / sqrt (d + 1));
  g_assert_cmpfloat_with_epsilon (sqrt (squares / n) * sqrt (d + 1), 1, 4 / sqrt (2 * n));
}

/* One epoch to a learning rate of zero, pairs, ties dropped, scores normalised at the end. */
static void
test_defaults (void)
{
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_REWARD);
  g_assert_cmpfloat (hp.num_train_epochs, ==, 1);
  g_assert_cmpint (hp.max_steps, ==, 0);
  g_assert_cmpfloat (laurel_schedule_factor (hp.lr_scheduler_type, 40, 40, hp.warmup_steps), ==, 0);
  g_assert_cmpint (hp.reward_loss, ==, LAUREL_REWARD_PAIRWISE);
  g_assert_cmpint (hp.ties, ==, LAUREL_TIES_DROP);
  g_assert_true (hp.normalize_rewards);
  g_assert_cmpint (hp.num_seeds, ==, 1);
  g_assert_cmpint (hp.split_seed, ==, -1);
}

/* A fixed split seed holds out the same prompts whatever the seed is. */
static void
test_split (void)
{
  LaurelHyperparameters one, other;
  int n_differ = 0, n_held_out = 0;

  laurel_hyperparameters_init (&one, LAUREL_STAGE_REWARD);
  other = one;
  other.seed = 1;
  for (gint64 id = 1; id <= 1000; id++) {
    gboolean is_held_out = laurel_comparison_is_held_out (&one, id);

    n_differ += is_held_out != laurel_comparison_is_held_out (&other, id);
    n_held_out += is_held_out;
  }
  g_assert_cmpint (n_differ, >, 100); /* of 1000, 2 · 0.1 · 0.9 of them, less four deviations */
  g_assert_cmpint (ABS (n_held_out - 100), <, 40); /* four deviations */
  other.split_seed = 0;
  for (gint64 id = 1; id <= 1000; id++)
    g_assert_cmpint (laurel_comparison_is_held_out (&one, id), ==,
                     laurel_comparison_is_held_out (&other, id));
}

static LaurelModel *
train_by (LaurelRewardLoss loss, LaurelTies ties, const LaurelMonitor *monitor)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (200, 2);
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (GError) error = NULL;
  LaurelModel *reward = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
  LaurelHyperparameters hp;

  fixture_reward_settings (&hp);
  hp.reward_loss = loss;
  hp.ties = ties;
  g_assert_true (laurel_train_reward (reward, comparisons, sft, prompts, &hp, monitor, &error));
  g_assert_no_error (error);
  return reward;
}

/* Every loss learns the fixture's rule; pairs are the measure whatever it was trained by. */
static void
test_losses (void)
{
  for (int loss = LAUREL_REWARD_PAIRWISE; loss <= LAUREL_REWARD_PLACKETT_LUCE; loss++)
    for (int ties = LAUREL_TIES_DROP; ties <= LAUREL_TIES_HALF; ties++) {
      g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
      g_autoptr (LaurelModel) reward = train_by (loss, ties, &recorder->monitor);

      g_test_message ("loss %d, ties %d: %.3f", loss, ties,
                      recorder_last (recorder, "eval/accuracy"));
      g_assert_cmpfloat (recorder_last (recorder, "eval/accuracy"), >, 0.9);
      g_assert_cmpfloat (recorder_last (recorder, "loss"), <, recorder_first (recorder, "loss"));
    }
}

/* Scaled before the first step: the loss begins as that of scores with deviation 1 does, and the
 * scale at the end is measured again. */
static void
test_normalize_before (void)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
  g_autoptr (LaurelModel) start = laurel_model_copy (reward, NULL);
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (80, 2);
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (GPtrArray) samples = NULL;
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;
  LaurelRewardScale scale;

  fixture_reward_settings (&hp);
  hp.max_steps = 2;
  hp.learning_rate = 0; /* nothing but the two scalings happens to the weights */
  hp.weight_decay = 0;
  hp.normalize_before = TRUE;
  g_assert_true (
      laurel_train_reward (reward, comparisons, sft, prompts, &hp, &recorder->monitor, &error));
  g_assert_no_error (error);
  samples = laurel_reward_sample_reference (start, sft, prompts, &hp, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (samples->len, >=, 240); /* five of each of 48 prompts; 256 wanted */
  g_assert_true (laurel_reward_normalize (start, samples, &scale, &error));
  g_assert_cmpfloat (recorder_last (recorder, "normalize_before/gain"), ==, scale.gain);
  g_assert_cmpfloat (recorder_last (recorder, "normalize_before/bias"), ==, scale.bias);
  /* The second scaling found mean 0 and deviation 1 already; 1e-4 as rounding of a float head. */
  g_assert_cmpfloat_with_epsilon (recorder_last (recorder, "normalize/gain"), 1, 1e-4);
  g_assert_cmpfloat_with_epsilon (recorder_last (recorder, "normalize/bias"), 0, 1e-4);
}

static void
test_refusals (void)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (1, 2);
  LaurelComparison *comparison = g_ptr_array_index (comparisons, 0);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  fixture_reward_settings (&hp);
  hp.normalize_rewards = FALSE;
  hp.normalize_before = TRUE;
  g_assert_false (laurel_train_reward (reward, comparisons, NULL, NULL, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_clear_error (&error);
  /* A tie for the best leaves pick_best nothing. */
  hp.normalize_before = FALSE;
  hp.eval_split = 0;
  hp.reward_loss = LAUREL_REWARD_PICK_BEST;
  for (int k = 0; k < comparison->n; k++)
    comparison->ranks[k] = 1;
  g_assert_false (laurel_train_reward (reward, comparisons, NULL, NULL, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_clear_error (&error);
  /* plackett_luce goes through the subsets of the tied, which must be few. */
  hp.reward_loss = LAUREL_REWARD_PLACKETT_LUCE;
  comparison->completions = g_renew (LaurelSequence *, comparison->completions, 14);
  comparison->ranks = g_renew (int, comparison->ranks, 14);
  for (int k = comparison->n; k < 14; k++) {
    gint32 tokens[] = { 1, 2 + k };

    comparison->completions[k] = laurel_sequence_new (tokens, 2, 1);
    comparison->ranks[k] = 1;
  }
  comparison->n = 14;
  g_assert_false (laurel_train_reward (reward, comparisons, NULL, NULL, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "tied with each other"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/reward/head-start", test_head_start);
  g_test_add_func ("/train/reward/defaults", test_defaults);
  g_test_add_func ("/train/reward/split", test_split);
  g_test_add_func ("/train/reward/losses", test_losses);
  g_test_add_func ("/train/reward/normalize-before", test_normalize_before);
  g_test_add_func ("/train/reward/refusals", test_refusals);
  return g_test_run ();
}
