/* test-ppo.c: what PPO and RLOO do beside the plain run: budgets, averages, other text, large
 * vocabularies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/model/head.h"
#include "core/model/transformer.h"
#include "core/train/ppo.h"

#include <math.h>
#include <string.h>

/* Lines of a run's log that were seen. */
typedef struct {
  Recorder *recorder;
  GString *log;
  GArray *exact_kls; /* (element-type float) */
} Watch;

static void
log_cb (gpointer user_data, const char *line)
{
  g_string_append_printf (((Watch *) user_data)->log, "%s\n", line);
}

static void
watch_metric_cb (gpointer user_data, int step, const char *key, double value)
{
  const Watch *self = user_data;

  self->recorder->monitor.metric (self->recorder, step, key, value);
}

static void
watch_progress_cb (gpointer user_data, int step, int n_steps)
{
  const Watch *self = user_data;

  self->recorder->monitor.progress (self->recorder, step, n_steps);
}

static void
watch_rollout_cb (gpointer user_data, const LaurelRollout *rollout)
{
  const Watch *self = user_data;

  self->recorder->monitor.rollout (self->recorder, rollout);
  for (int t = 0; t < rollout->n_tokens; t++)
    g_array_append_val (self->exact_kls, rollout->records[t].exact_kl);
}

static LaurelMonitor
watch_init (Watch *self, const char *dir, gboolean resume)
{
  self->recorder = recorder_new (dir, resume);
  self->log = g_string_new (NULL);
  self->exact_kls = g_array_new (FALSE, FALSE, sizeof (float));
  return (LaurelMonitor){ .user_data = self,
                          .metric = watch_metric_cb,
                          .progress = watch_progress_cb,
                          .rollout = watch_rollout_cb,
                          .log = log_cb,
                          .checkpoint_dir = dir,
                          .resume = resume };
}

static void
watch_clear (Watch *self)
{
  recorder_free (self->recorder);
  g_string_free (self->log, TRUE);
  g_array_unref (self->exact_kls);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watch, watch_clear)

static void
short_settings (LaurelHyperparameters *hp, LaurelStage stage)
{
  laurel_hyperparameters_init (hp, stage);
  hp->learning_rate = 1e-3;
  hp->value_learning_rate = 1e-3;
  hp->batch_size = 32;
  hp->response_length = 12;
  hp->max_steps = 2;
  hp->save_steps = 0;
  /* So that a shorter run begins as a longer one. */
  hp->lr_scheduler_type = LAUREL_SCHEDULE_CONSTANT;
}

static LaurelModel *
train (LaurelStage stage, const LaurelHyperparameters *hp, const LaurelMonitor *monitor)
{
  LaurelModel *policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (GPtrArray) texts = fixture_sequences (100, 1);
  g_autoptr (LaurelRows) rows = fixture_rows (texts);
  g_autoptr (GError) error = NULL;

  laurel_train_policy (stage, policy, NULL, reward, prompts, rows, hp, monitor, &error);
  g_assert_no_error (error);
  return policy;
}

/* --- RLOO ----------------------------------------------------------------------------- */

static void
test_rloo_raises_score (gconstpointer data)
{
  g_auto (Watch) watch = { 0 };
  LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
  g_autoptr (LaurelModel) policy = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_RLOO);
  hp.max_steps = 15;
  hp.lr_scheduler_type = LAUREL_SCHEDULE_LINEAR;
  hp.advantage_estimator = GPOINTER_TO_UINT (data);
  policy = train (LAUREL_STAGE_RLOO, &hp, &monitor);
  g_assert_cmpint (watch.recorder->n_rollouts, ==, 15 * 32);
  g_test_message ("score %g to %g, kl %g", recorder_first (watch.recorder, "objective/scores"),
                  recorder_last (watch.recorder, "objective/scores"),
                  recorder_last (watch.recorder, "objective/kl"));
  /* As PPO in test-stages.c: three standard errors of the mean of 32 normalised scores. */
  g_assert_cmpfloat (recorder_last (watch.recorder, "objective/scores"), >,
                     recorder_first (watch.recorder, "objective/scores") + 0.6);
  g_assert_cmpfloat_with_epsilon (recorder_first (watch.recorder, "val/ratio"), 1, 0.1);
  g_assert_cmpint (recorder_count (watch.recorder, "loss/value_avg"), ==, 0);
  g_assert_cmpint (recorder_count (watch.recorder, "val/explained_variance"), ==, 0);
}

/* Rollouts of a prompt stand together, each token has its rollout's advantage, and value plus
 * advantage is what the rollout was paid in all. */
typedef struct {
  int n;
  double sum_advantages;
  char *prompt;
} Groups;

static void
check_group_cb (gpointer user_data, const LaurelRollout *rollout)
{
  Groups *self = user_data;
  const LaurelTokenRecord *first = &rollout->records[0];

  if (self->n % 4 == 0) {
    g_free (self->prompt);
    self->prompt = g_strdup (rollout->prompt);
    self->sum_advantages = 0;
  }
  g_assert_cmpstr (rollout->prompt, ==, self->prompt);
  for (int t = 1; t < rollout->n_tokens; t++) {
    g_assert_cmpfloat (rollout->records[t].advantage, ==, first->advantage);
    g_assert_cmpfloat (rollout->records[t].value, ==, first->value);
  }
  /* Sums of up to 12 floats of size 1. */
  g_assert_cmpfloat_with_epsilon (first->return_, laurel_rollout_sum_reward (rollout), 1e-5);
  g_assert_cmpfloat_with_epsilon (first->value + first->advantage, first->return_, 1e-5);
  self->sum_advantages += first->advantage;
  self->n++;
  if (self->n % 4 == 0)
    g_assert_cmpfloat_with_epsilon (self->sum_advantages, 0, 1e-5);
}

static void
test_rloo_record (void)
{
  Groups groups = { 0 };
  const LaurelMonitor monitor = { .user_data = &groups, .rollout = check_group_cb };
  g_autoptr (LaurelModel) policy = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_RLOO);
  policy = train (LAUREL_STAGE_RLOO, &hp, &monitor);
  g_assert_cmpint (groups.n, ==, 64);
  g_free (groups.prompt);
}

/* --- The KL ---------------------------------------------------------------------------- */

static void
test_kl_metrics (void)
{
  g_auto (Watch) watch = { 0 };
  LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
  g_autoptr (LaurelModel) policy = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_PPO);
  hp.max_steps = 10;
  policy = train (LAUREL_STAGE_PPO, &hp, &monitor);
  g_assert_cmpint (recorder_count (watch.recorder, "objective/exact_kl"), ==, 10);
  g_assert_cmpint (recorder_count (watch.recorder, "objective/kl_se"), ==, 10);
  g_assert_cmpfloat (recorder_last (watch.recorder, "objective/kl_se"), >, 0);
  /* One iteration's estimate lies as near as its error says; 5 of them is once in two million. */
  g_assert_cmpfloat (fabs (recorder_last (watch.recorder, "objective/kl")
                           - recorder_last (watch.recorder, "objective/exact_kl")),
                     <, 5 * recorder_last (watch.recorder, "objective/kl_se"));
  g_assert_cmpfloat (recorder_first (watch.recorder, "objective/kl_gap_se"), ==, 0);
  g_assert_cmpfloat (fabs (recorder_last (watch.recorder, "objective/kl_gap_se")), >, 0);
  g_assert_cmpfloat (fabs (recorder_last (watch.recorder, "objective/kl_gap_se")), <, 4);
}

static LaurelModel *
make_wide_model (LaurelHead head)
{
  LaurelTemplate template = { (char *) "", (char *) "", (char *) "" };
  LaurelModelConfig config = {
    .vocab_size = LAUREL_PPO_MAX_EXACT_VOCAB + 1, .n_positions = 40, .n_embd = 16, .n_layer = 1,
    .n_head = 2, .n_inner = 32, .layer_norm_epsilon = 1e-5, .initializer_range = 0.05,
    .tie_word_embeddings = TRUE, .bos_token_id = -1,
    .eos_token_id = laurel_tokenizer_get_end_of_text (fixture_tokenizer ()), .head = head,
    .reward_gain = 1, .normalized = head == LAUREL_HEAD_SCORE,
  };

  return laurel_model_new (&config, fixture_tokenizer (), &template, 1, NULL);
}

/* Of a larger vocabulary the estimate and its error are all there is, and the record says so. */
static void
test_no_exact_kl (void)
{
  g_auto (Watch) watch = { 0 };
  LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
  g_autoptr (LaurelModel) policy = make_wide_model (LAUREL_HEAD_LM);
  g_autoptr (LaurelModel) reward = make_wide_model (LAUREL_HEAD_SCORE);
  g_autoptr (GPtrArray) prompts = fixture_prompts (8);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_PPO);
  hp.batch_size = 8;
  laurel_train_ppo (policy, reward, prompts, &hp, &monitor, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (watch.exact_kls->len, >, 0);
  for (guint i = 0; i < watch.exact_kls->len; i++)
    g_assert_true (isnan (g_array_index (watch.exact_kls, float, i)));
  g_assert_cmpint (recorder_count (watch.recorder, "objective/exact_kl"), ==, 0);
  g_assert_cmpint (recorder_count (watch.recorder, "objective/kl_gap_se"), ==, 0);
  g_assert_cmpint (recorder_count (watch.recorder, "objective/kl_se"), ==, 2);
  g_assert_cmpfloat (recorder_first (watch.recorder, "objective/kl"), ==, 0);
}

/* Leaving the exact KL out changes no other number. */
static void
test_compare_without_kl (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reference = fixture_model (3);
  g_autoptr (GPtrArray) sequences = fixture_sequences (1, 4);
  const LaurelSequence *s = g_ptr_array_index (sequences, 0);
  g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (40);
  LaurelPass a = { 0 }, b = { 0 };
  float logprobs[2][40], ref_logprobs[2][40], entropies[2][40], kl[40];

  g_assert_true (laurel_pass_init (&a, policy, 40, FALSE, NULL));
  g_assert_true (laurel_pass_init (&b, reference, 40, FALSE, NULL));
  laurel_micro_batch_add (micro, s->tokens, s->n_tokens, 1, 0);
  laurel_pass_forward (&a, micro);
  laurel_pass_forward (&b, micro);
  for (int i = 0; i < 2; i++) {
    LaurelLabels labels = laurel_micro_batch_as_labels (micro);

    laurel_lm_head_compare (policy, a.hidden, reference, b.hidden, &labels, 0.7, logprobs[i],
                            ref_logprobs[i], i == 0 ? kl : NULL, entropies[i]);
  }
  g_assert_cmpmem (logprobs[0], sizeof (float) * (gsize) micro->n_labels, logprobs[1],
                   sizeof (float) * (gsize) micro->n_labels);
  g_assert_cmpmem (ref_logprobs[0], sizeof (float) * (gsize) micro->n_labels, ref_logprobs[1],
                   sizeof (float) * (gsize) micro->n_labels);
  g_assert_cmpmem (entropies[0], sizeof (float) * (gsize) micro->n_labels, entropies[1],
                   sizeof (float) * (gsize) micro->n_labels);
  laurel_pass_clear (&a);
  laurel_pass_clear (&b);
}

static LaurelModel *
make_wide (void)
{
  g_autoptr (LaurelModel) plain = fixture_model (1);
  LaurelModelConfig config = plain->config;
  g_autoptr (GError) error = NULL;
  LaurelModel *model;

  config.n_embd *= 2;
  config.n_inner *= 2;
  model = laurel_model_new (&config, fixture_tokenizer (), plain->chat_template, 5, &error);
  g_assert_no_error (error);
  return model;
}

/* A policy may be compared with a model of another width, which says what it says alone. */
static void
test_compare_widths (void)
{
  g_autoptr (LaurelModel) policy = fixture_model (1);
  g_autoptr (LaurelModel) reference = make_wide ();
  g_autoptr (GPtrArray) sequences = fixture_sequences (1, 4);
  const LaurelSequence *s = g_ptr_array_index (sequences, 0);
  g_autoptr (LaurelMicroBatch) micro = laurel_micro_batch_new (40);
  LaurelPass a = { 0 }, b = { 0 };
  float logprobs[40], ref_logprobs[40], alone[40], kl[40];
  LaurelLabels labels;

  g_assert_true (laurel_pass_init (&a, policy, 40, FALSE, NULL));
  g_assert_true (laurel_pass_init (&b, reference, 40, FALSE, NULL));
  laurel_micro_batch_add (micro, s->tokens, s->n_tokens, 1, 0);
  laurel_pass_forward (&a, micro);
  laurel_pass_forward (&b, micro);
  labels = laurel_micro_batch_as_labels (micro);
  laurel_lm_head_compare (policy, a.hidden, reference, b.hidden, &labels, 1, logprobs,
                          ref_logprobs, kl, NULL);
  laurel_lm_head_logprobs (reference, b.hidden, &labels, 1, alone, NULL);
  g_assert_cmpmem (ref_logprobs, sizeof (float) * (gsize) labels.n, alone,
                   sizeof (float) * (gsize) labels.n);
  laurel_pass_clear (&a);
  laurel_pass_clear (&b);
}

/* --- The budget -------------------------------------------------------------------------- */

/* It ends with the policy that wrote the rollouts which were too far away: that of a run that is so
 * many iterations long. */
static void
test_budget (gconstpointer data)
{
  LaurelStage stage = GPOINTER_TO_INT (data);
  char *dir = fixture_make_dir ();
  g_auto (Watch) watch = { 0 };
  g_auto (Watch) again = { 0 };
  LaurelMonitor monitor = watch_init (&watch, dir, FALSE);
  LaurelMonitor resume = watch_init (&again, dir, TRUE);
  g_autoptr (LaurelModel) policy = NULL;
  g_autoptr (LaurelModel) resumed = NULL;
  g_autoptr (LaurelModel) shorter = NULL;
  LaurelHyperparameters hp;
  int last;

  short_settings (&hp, stage);
  hp.max_steps = 20;
  hp.kl_budget = 0.3;
  policy = train (stage, &hp, &monitor);
  last = watch.recorder->last_step;
  g_assert_cmpint (last, >, 1);
  g_assert_cmpint (last, <, 20);
  g_assert_cmpint (watch.recorder->n_steps, ==, last);
  g_assert_cmpint (watch.recorder->n_rollouts, ==, 32 * last);
  g_assert_cmpint (recorder_count (watch.recorder, "objective/kl"), ==, last);
  g_assert_cmpint (recorder_count (watch.recorder, "loss/policy_avg"), ==, last - 1);
  g_assert_cmpint (recorder_count (watch.recorder, "stop/kl_budget"), ==, 1);
  g_assert_cmpfloat (recorder_last (watch.recorder, "stop/kl_budget"), >, 0.3);
  g_assert_cmpfloat (recorder_last (watch.recorder, "stop/kl_budget"), ==,
                     recorder_last (watch.recorder, "objective/exact_kl"));
  g_assert_nonnull (strstr (watch.log->str, "kl_budget is 0.3"));
  resumed = train (stage, &hp, &resume);
  g_assert_cmpint (recorder_count (again.recorder, "objective/kl"), ==, 0);
  assert_same_weights (policy, resumed);
  hp.kl_budget = 0;
  hp.max_steps = last - 1;
  shorter = train (stage, &hp, NULL);
  assert_same_weights (policy, shorter);
  fixture_remove_dir (dir);
}

/* --- The average --------------------------------------------------------------------------- */

static void
test_average (void)
{
  g_auto (Watch) watch = { 0 };
  LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
  g_autoptr (LaurelModel) start = fixture_sft_model ();
  g_autoptr (LaurelModel) one = NULL;
  g_autoptr (LaurelModel) two = NULL;
  g_autoptr (LaurelModel) average = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_PPO);
  hp.max_steps = 1;
  one = train (LAUREL_STAGE_PPO, &hp, NULL);
  hp.max_steps = 2;
  two = train (LAUREL_STAGE_PPO, &hp, NULL);
  hp.ema_decay = 0.75;
  average = train (LAUREL_STAGE_PPO, &hp, &monitor);
  for (gsize i = 0; i < start->layout->n_floats; i++) {
    double wanted = 0.75 * (0.75 * start->weights[i] + 0.25 * one->weights[i])
                    + 0.25 * two->weights[i];

    /* Two roundings to a float. */
    g_assert_cmpfloat_with_epsilon (average->weights[i], wanted, 2e-7 * (1 + fabs (wanted)));
  }
  g_assert_cmpint (memcmp (average->weights, two->weights,
                           sizeof (float) * average->layout->n_floats), !=, 0);
  g_assert_nonnull (strstr (watch.log->str, "56.2 % of it are the weights"));
}

/* --- Other text ------------------------------------------------------------------------------ */

/* With a reward that pulls hard, what is learned beside keeps the loss on it down. */
static void
test_ptx (void)
{
  double losses[2];

  for (int i = 0; i < 2; i++) {
    g_auto (Watch) watch = { 0 };
    LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
    g_autoptr (GPtrArray) texts = fixture_sequences (100, 1);
    g_autoptr (LaurelRows) rows = fixture_rows (texts);
    g_autoptr (LaurelModel) policy = NULL;
    LaurelHyperparameters hp;
    gint64 n;

    short_settings (&hp, LAUREL_STAGE_PPO);
    hp.max_steps = 10;
    hp.kl_coef = 0;
    hp.ptx_coef = i;
    policy = train (LAUREL_STAGE_PPO, &hp, &monitor);
    g_assert_true (laurel_evaluate_loss (policy, rows, &losses[i], &n, NULL));
    g_assert_cmpint (recorder_count (watch.recorder, "loss/ptx"), ==, i * 10);
  }
  g_test_message ("loss on the text: %.3f without, %.3f with", losses[0], losses[1]);
  g_assert_cmpfloat (losses[1], <, losses[0] - 0.1); /* ten times what rows of 100 differ by */
}

static void
test_ptx_refused (void)
{
  g_autoptr (LaurelModel) policy = fixture_sft_model ();
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (2);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_RLOO);
  hp.ptx_coef = 1;
  g_assert_false (laurel_train_policy (LAUREL_STAGE_RLOO, policy, NULL, reward, prompts, NULL, &hp,
                                       NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (error->message, "Could not start RLOO: ptx_coef is 1"));
}

/* --- Filters --------------------------------------------------------------------------- */

/* A model that asks for filters is sampled without them, and the log says so. */
static void
test_filters_are_ignored (void)
{
  g_auto (Watch) watch = { 0 };
  LaurelMonitor monitor = watch_init (&watch, NULL, FALSE);
  g_autoptr (LaurelModel) filtered = fixture_sft_model ();
  g_autoptr (LaurelModel) plain = NULL;
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (48);
  g_autoptr (GError) error = NULL;
  LaurelHyperparameters hp;

  short_settings (&hp, LAUREL_STAGE_PPO);
  plain = train (LAUREL_STAGE_PPO, &hp, NULL);
  filtered->generation.top_k = 5;
  g_assert_true (laurel_train_ppo (filtered, reward, prompts, &hp, &monitor, &error));
  g_assert_no_error (error);
  g_assert_nonnull (strstr (watch.log->str, "top_k 5"));
  assert_same_weights (filtered, plain);
}

/* --- Models that do not go together ------------------------------------------------------ */

/* Published models have rows that no token of their tokenizer has. A reward model with fewer of
 * them would read beyond its embeddings what such a policy writes. */
static void
test_padded_vocabulary (void)
{
  g_autoptr (LaurelModel) plain = fixture_model (1);
  g_autoptr (LaurelModel) reward = fixture_reward_model ();
  g_autoptr (GPtrArray) prompts = fixture_prompts (8);
  g_autoptr (LaurelModel) padded = NULL;
  g_autoptr (GError) error = NULL;
  LaurelModelConfig config = plain->config;
  LaurelHyperparameters hp;

  config.vocab_size += 8;
  padded = laurel_model_new (&config, fixture_tokenizer (), plain->chat_template, 1, &error);
  g_assert_no_error (error);
  short_settings (&hp, LAUREL_STAGE_PPO);
  g_assert_false (laurel_train_ppo (padded, reward, prompts, &hp, NULL, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "fewer tokens than the policy can write"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/train/rloo/raises-score", GUINT_TO_POINTER (LAUREL_ADVANTAGE_RLOO),
                        test_rloo_raises_score);
  g_test_add_data_func ("/train/rloo/raises-score-group-relative",
                        GUINT_TO_POINTER (LAUREL_ADVANTAGE_GRPO), test_rloo_raises_score);
  g_test_add_func ("/train/rloo/record", test_rloo_record);
  g_test_add_func ("/train/ppo/kl/metrics", test_kl_metrics);
  g_test_add_func ("/train/ppo/kl/large-vocabulary", test_no_exact_kl);
  g_test_add_func ("/train/ppo/kl/left-out", test_compare_without_kl);
  g_test_add_func ("/train/ppo/kl/other-width", test_compare_widths);
  g_test_add_data_func ("/train/ppo/budget", GINT_TO_POINTER (LAUREL_STAGE_PPO), test_budget);
  g_test_add_data_func ("/train/rloo/budget", GINT_TO_POINTER (LAUREL_STAGE_RLOO), test_budget);
  g_test_add_func ("/train/ppo/average", test_average);
  g_test_add_func ("/train/ppo/ptx", test_ptx);
  g_test_add_func ("/train/ppo/ptx-refused", test_ptx_refused);
  g_test_add_func ("/train/ppo/filters-are-ignored", test_filters_are_ignored);
  g_test_add_func ("/train/ppo/padded-vocabulary", test_padded_vocabulary);
  return g_test_run ();
}
