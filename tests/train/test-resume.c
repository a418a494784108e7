/* test-resume.c: a run that is stopped and resumed ends in the bytes of one that was not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/train/state.h"

#include <unistd.h>

typedef struct {
  LaurelModel *(*start) (void);
  gboolean (*train) (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error);
  int stops[6]; /* polls at which to stop; 0 ends the list */
} Case;

static LaurelModel *
start_language (void)
{
  return fixture_model (1);
}

static gboolean
train_sft (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  g_autoptr (GPtrArray) sequences = fixture_sequences (100, 1);
  LaurelHyperparameters hp;

  fixture_sft_settings (&hp);
  hp.max_steps = 10; /* four steps are an epoch of 100: the stops fall into different epochs */
  hp.save_steps = 3;
  hp.seed = seed;
  return fixture_train_sft (model, sequences, &hp, monitor, error);
}

static LaurelModel *
start_reward (void)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();

  return laurel_model_with_head (sft, LAUREL_HEAD_SCORE, 5, NULL);
}

static gboolean
train_reward (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (80, 2);
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  LaurelHyperparameters hp;

  fixture_reward_settings (&hp);
  hp.max_steps = 9;
  hp.save_steps = 4;
  hp.seed = seed;
  return laurel_train_reward (model, comparisons, sft, prompts, &hp, monitor, error);
}

/* Scaled before the first step, once: a resumed run finds it done. */
static gboolean
train_reward_scaled (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  g_autoptr (LaurelModel) sft = fixture_sft_model ();
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (80, 2);
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  LaurelHyperparameters hp;

  fixture_reward_settings (&hp);
  hp.max_steps = 5;
  hp.save_steps = 2;
  hp.seed = seed;
  hp.normalize_before = TRUE;
  hp.reward_loss = LAUREL_REWARD_PLACKETT_LUCE;
  return laurel_train_reward (model, comparisons, sft, prompts, &hp, monitor, error);
}

static gboolean
train_dpo (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  g_autoptr (GPtrArray) comparisons = fixture_comparisons (80, 2);
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_DPO);
  hp.max_steps = 9;
  hp.save_steps = 4;
  hp.seed = seed;
  return laurel_train_dpo (model, comparisons, &hp, monitor, error);
}

static LaurelModel *
start_policy (void)
{
  return fixture_sft_model ();
}

/* What differs between the runs with a reward model. */
typedef struct {
  LaurelStage stage;
  gboolean share_layers;
  double ema_decay;
  double ptx_coef;
  double kl_budget;
} PolicyCase;

static gboolean
train_policy (LaurelModel *model,
              const LaurelMonitor *monitor,
              int seed,
              const PolicyCase *c,
              GError **error)
{
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) texts = fixture_sequences (30, 1);
  g_autoptr (LaurelRows) rows = fixture_rows (texts);
  g_autoptr (GPtrArray)
      prompts = fixture_prompts (20); /* fewer than a batch: the cursor wraps within one */
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, c->stage);
  hp.learning_rate = 1e-3;
  hp.value_learning_rate = 1e-3;
  hp.batch_size = 32;
  hp.response_length = 12;
  hp.save_steps = 0;
  hp.max_steps = 4;
  hp.target_kl = 0.1; /* β moves, so it must come back too */
  hp.kl_horizon = 64;
  hp.seed = seed;
  hp.vf_share_layers = c->share_layers;
  hp.ema_decay = c->ema_decay;
  hp.ptx_coef = c->ptx_coef;
  hp.kl_budget = c->kl_budget;
  return laurel_train_policy (c->stage, model, NULL, reward, prompts, rows, &hp, monitor, error);
}

static gboolean
train_ppo (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  const PolicyCase c = { .stage = LAUREL_STAGE_PPO };

  return train_policy (model, monitor, seed, &c, error);
}

static gboolean
train_ppo_shared (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  const PolicyCase c = { .stage = LAUREL_STAGE_PPO, .share_layers = TRUE };

  return train_policy (model, monitor, seed, &c, error);
}

/* Everything at once that a checkpoint has to have. */
static gboolean
train_ppo_full (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  const PolicyCase c = { .stage = LAUREL_STAGE_PPO, .ema_decay = 0.5, .ptx_coef = 0.5 };

  return train_policy (model, monitor, seed, &c, error);
}

static gboolean
train_rloo (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  const PolicyCase c = { .stage = LAUREL_STAGE_RLOO, .ema_decay = 0.5, .ptx_coef = 0.5 };

  return train_policy (model, monitor, seed, &c, error);
}

/* Its budget is spent at the third or fourth iteration. */
static gboolean
train_budget (LaurelModel *model, const LaurelMonitor *monitor, int seed, GError **error)
{
  const PolicyCase c = { .stage = LAUREL_STAGE_PPO, .ema_decay = 0.5, .kl_budget = 0.02 };

  return train_policy (model, monitor, seed, &c, error);
}

/* One poll a micro-batch: SFT and reward have one a step; PPO up to 12 while sampling, then 4
 * and 16. The reward case's last stop falls into the sampling after training. DPO reads what the
 * reference says first, which is not kept: its stops fall behind that. */
static const Case sft_case = { start_language, train_sft, { 1, 2, 5, 10 } };
static const Case reward_case = { start_reward, train_reward, { 1, 4, 7, 14 } };
static const Case dpo_case = { start_policy, train_dpo, { 11, 14, 17 } };
static const Case ppo_case = { start_policy, train_ppo, { 1, 15, 29, 40, 75, 100 } };
static const Case ppo_full_case = { start_policy, train_ppo_full, { 15, 33, 60, 95 } };
static const Case rloo_case = { start_policy, train_rloo, { 5, 20, 45, 70 } };
static const Case budget_case = { start_policy, train_budget, { 15, 33, 50 } };
static const Case ppo_shared_case = { start_policy, train_ppo_shared, { 15, 30, 60 } };

static char *
checkpoint_path (const char *dir)
{
  return g_build_filename (dir, LAUREL_CHECKPOINT_NAME, NULL);
}

/* Stops at poll @stop_at, then resumes from the same starting weights, as a new process would. */
static LaurelModel *
train_in_two_parts (const Case *c, int stop_at)
{
  char *dir = fixture_make_dir ();
  g_autofree char *path = checkpoint_path (dir);
  g_autoptr (Recorder) first = recorder_new (dir, FALSE);
  g_autoptr (Recorder) second = recorder_new (dir, TRUE);
  g_autoptr (LaurelModel) stopped = c->start ();
  LaurelModel *resumed = c->start ();
  g_autoptr (GError) error = NULL;

  first->stop_at = stop_at;
  g_assert_false (c->train (stopped, &first->monitor, 3, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_assert_cmpint (first->n_polls, ==,
                   stop_at); /* it was not asked again: the stop was heeded at once */
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_true (c->train (resumed, &second->monitor, 3, &error));
  g_assert_no_error (error);
  fixture_remove_dir (dir);
  return resumed;
}

static void
test_same_bytes (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (LaurelModel) whole = c->start ();
  g_autoptr (GError) error = NULL;

  g_assert_true (c->train (whole, NULL, 3, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (c->stops) && c->stops[i] > 0; i++) {
    g_autoptr (LaurelModel) resumed = train_in_two_parts (c, c->stops[i]);

    assert_same_weights (whole, resumed);
    g_assert_cmpfloat (whole->config.reward_gain, ==, resumed->config.reward_gain);
  }
}

/* Stops in each of the five steps that follow the sampling at the start. */
static void
test_scaled_before (void)
{
  const Case c = { start_reward, train_reward_scaled, { 0 } };
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (LaurelModel) whole = start_reward ();
  g_autoptr (GError) error = NULL;

  g_assert_true (train_reward_scaled (whole, &recorder->monitor, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpint (recorder->polls_at_first_step, >, 1); /* it sampled first */
  for (int step = 0; step < 5; step++) {
    g_autoptr (LaurelModel)
        resumed = train_in_two_parts (&c, recorder->polls_at_first_step + step);

    assert_same_weights (whole, resumed);
    g_assert_cmpfloat (whole->config.reward_gain, ==, resumed->config.reward_gain);
  }
}

/* The seed matters, so equal bytes above are no accident. */
static void
test_seed_matters (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (LaurelModel) a = c->start ();
  g_autoptr (LaurelModel) b = c->start ();

  g_assert_true (c->train (a, NULL, 3, NULL));
  g_assert_true (c->train (b, NULL, 4, NULL));
  g_assert_cmpint (memcmp (a->weights, b->weights, a->layout->n_floats * sizeof (float)), !=, 0);
}

static void
test_other_settings (gconstpointer data)
{
  const Case *c = data;
  char *dir = fixture_make_dir ();
  g_autoptr (Recorder) first = recorder_new (dir, FALSE);
  g_autoptr (Recorder) second = recorder_new (dir, TRUE);
  g_autoptr (LaurelModel) model = c->start ();
  g_autoptr (LaurelModel) again = c->start ();
  g_autoptr (LaurelModel) before = c->start ();
  g_autoptr (GError) error = NULL;

  g_assert_true (c->train (model, &first->monitor, 3, NULL));
  g_assert_false (c->train (again, &second->monitor, 4, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  assert_same_weights (again, before);
  fixture_remove_dir (dir);
}

/* A PPO iteration that is stopped half-way through its update leaves no trace in the model. */
static void
test_ppo_goes_back (void)
{
  g_autoptr (LaurelModel) policy = start_policy ();
  g_autoptr (LaurelModel) again = start_policy ();
  g_autoptr (LaurelModel) before = start_policy ();
  g_autoptr (Recorder) whole = recorder_new (NULL, FALSE);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_true (train_ppo (policy, &whole->monitor, 3, NULL));
  recorder->stop_at = whole->polls_at_first_step
                      - 3; /* before the third last of the 16 mini-batches */
  g_assert_false (train_ppo (again, &recorder->monitor, 3, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_assert_cmpint (recorder_count (recorder, "objective/kl"), ==, 0);
  assert_same_weights (again, before);
}

/* Models too large for a copy in memory go back as well; the file has no name that could stay
 * behind. */
static void
test_goes_back_from_disk (void)
{
  char *dir = fixture_make_dir ();
  const LaurelMonitor monitor = { .checkpoint_dir = dir };
  /* Six blocks of 45 MB are more than are kept in memory. */
  const LaurelModelConfig config = { .vocab_size = 44000, .n_positions = 8, .n_embd = 256,
                                     .n_layer = 1, .n_head = 4, .n_inner = 64,
                                     .layer_norm_epsilon = 1e-5, .tie_word_embeddings = TRUE };
  g_autoptr (LaurelModel) model = laurel_model_new (&config, NULL, NULL, 1, NULL);
  g_autoptr (LaurelModel) value = laurel_model_copy (model, NULL);
  g_autoptr (GDir) listing = NULL;
  LaurelTrainState state = { .monitor = &monitor, .model = model, .value = value };
  LaurelHyperparameters hp;
  gsize last = model->layout->n_floats - 1;
  int standard_input;
  g_autoptr (GError) error = NULL;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  state.optimizer = laurel_optimizer_new (model->layout, &hp, NULL, NULL);
  state.value_optimizer = laurel_optimizer_new (model->layout, &hp, NULL, NULL);
  g_assert_cmpuint (laurel_train_state_reserve_size (24 * model->layout->n_floats), ==, 0);
  standard_input = dup (STDIN_FILENO);
  close (STDIN_FILENO); /* as for a service: a file's number may be 0 */
  g_assert_true (laurel_train_state_reserve (&state, &error));
  model->weights[0] = 1;
  state.value_optimizer->v[last] = 2;
  state.optimizer->n_steps = 3;
  g_assert_true (laurel_train_state_keep (&state, &error));
  model->weights[0] = 4;
  state.value_optimizer->v[last] = 5;
  state.optimizer->n_steps = 6;
  g_assert_true (laurel_train_state_go_back (&state, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (model->weights[0], ==, 1);
  g_assert_cmpfloat (state.value_optimizer->v[last], ==, 2);
  g_assert_cmpint (state.optimizer->n_steps, ==, 3);
  listing = g_dir_open (dir, 0, NULL);
  g_assert_null (g_dir_read_name (listing));
  laurel_train_state_clear (&state);
  dup2 (standard_input, STDIN_FILENO);
  close (standard_input);
  fixture_remove_dir (dir);
}

/* A resume before the first checkpoint starts anew; one after the last step only returns. */
static void
test_ends (void)
{
  char *dir = fixture_make_dir ();
  g_autoptr (Recorder) first = recorder_new (dir, TRUE);
  g_autoptr (Recorder) second = recorder_new (dir, TRUE);
  g_autoptr (LaurelModel) a = start_language ();
  g_autoptr (LaurelModel) b = start_language ();
  g_autoptr (GError) error = NULL;

  g_assert_true (train_sft (a, &first->monitor, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpint (recorder_count (first, "loss"), ==, 10);
  g_assert_true (train_sft (b, &second->monitor, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpint (recorder_count (second, "loss"), ==, 0);
  assert_same_weights (a, b);
  fixture_remove_dir (dir);
}

static void
test_asked_checkpoint (void)
{
  char *dir = fixture_make_dir ();
  g_autofree char *path = checkpoint_path (dir);
  g_autoptr (Recorder) recorder = recorder_new (dir, FALSE);
  g_autoptr (LaurelModel) model = start_policy ();
  g_autoptr (GError) error = NULL;

  recorder->checkpoint_at = 1;
  recorder->stop_at = 2;
  /* The stop's own checkpoint is of step 0; asking for one alone writes nothing before the step's
   * end. */
  g_assert_false (train_ppo (model, &recorder->monitor, 3, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  fixture_remove_dir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/train/resume/sft/same-bytes", &sft_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/reward/same-bytes", &reward_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/dpo/same-bytes", &dpo_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/ppo/same-bytes", &ppo_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/ppo/same-bytes-shared-layers", &ppo_shared_case,
                        test_same_bytes);
  g_test_add_data_func ("/train/resume/ppo/same-bytes-average-and-other-text", &ppo_full_case,
                        test_same_bytes);
  g_test_add_data_func ("/train/resume/ppo/same-bytes-budget", &budget_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/rloo/same-bytes", &rloo_case, test_same_bytes);
  g_test_add_data_func ("/train/resume/sft/seed-matters", &sft_case, test_seed_matters);
  g_test_add_data_func ("/train/resume/ppo/seed-matters", &ppo_case, test_seed_matters);
  g_test_add_data_func ("/train/resume/sft/other-settings", &sft_case, test_other_settings);
  g_test_add_data_func ("/train/resume/reward/other-settings", &reward_case, test_other_settings);
  g_test_add_data_func ("/train/resume/ppo/other-settings", &ppo_case, test_other_settings);
  g_test_add_func ("/train/resume/ppo/goes-back", test_ppo_goes_back);
  g_test_add_func ("/train/resume/reward/scaled-before", test_scaled_before);
  g_test_add_func ("/train/resume/ends", test_ends);
  g_test_add_func ("/train/resume/goes-back-from-disk", test_goes_back_from_disk);
  g_test_add_func ("/train/resume/asked-checkpoint", test_asked_checkpoint);
  return g_test_run ();
}
