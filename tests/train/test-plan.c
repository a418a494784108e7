/* test-plan.c: a run takes as much memory as was planned.
 *
 * Each stage runs in a process of its own, whose most memory is read when it
 * has ended, and is held against the plan beside what the process had before.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/train/held_out.h"
#include "core/train/normalize.h"
#include "core/train/plan.h"
#include "core/train/rows.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Weights of 28 MB, so that what is not tensors is small beside them. */
static const LaurelModelConfig small = { .vocab_size = 8000, .n_positions = 256, .n_embd = 256,
                                         .n_layer = 6, .n_head = 8, .n_inner = 1024,
                                         .layer_norm_epsilon = 1e-5, .initializer_range = 0.02,
                                         .tie_word_embeddings = TRUE, .bos_token_id = -1,
                                         .eos_token_id = -1, .head = LAUREL_HEAD_LM };

/* GPT-2 124M with a third of its width, vocabulary and context: weights, activations, logits and
 * caches are to each other as there, and a PPO run takes a ninth of its 5.4 GB. */
static const LaurelModelConfig third = { .vocab_size = 50257 / 3, .n_positions = 1024 / 3,
                                         .n_embd = 768 / 3, .n_layer = 12, .n_head = 12 / 3,
                                         .n_inner = 3072 / 3, .layer_norm_epsilon = 1e-5,
                                         .initializer_range = 0.02, .tie_word_embeddings = TRUE,
                                         .bos_token_id = -1, .eos_token_id = -1,
                                         .head = LAUREL_HEAD_LM };

typedef struct {
  LaurelStage stage;
  const LaurelModelConfig *config;
  gboolean has_gold; /* online: a reward model of the same shape judges held-out answers */
  int n_beside; /* tokens of rows that are learned beside or held out; 0: as many as in others */
} Case;

#define N_ROWS 8
#define N_TOKENS 128
#define N_RESPONSE 64

static gint32 *
make_tokens (const LaurelModelConfig *config, int n)
{
  gint32 *tokens = g_new (gint32, n);

  for (int i = 0; i < n; i++)
    tokens[i] = i * 61 % config->vocab_size;
  return tokens;
}

static LaurelModel *
make_model (const LaurelModelConfig *config, LaurelHead head)
{
  g_autoptr (LaurelTemplate) chat_template = laurel_template_load ("/nonexistent", NULL);
  LaurelModelConfig mine = *config;

  mine.head = head;
  mine.normalized = head == LAUREL_HEAD_SCORE;
  mine.reward_gain = 1;
  return laurel_model_new (&mine, fixture_tokenizer (), chat_template, 1, NULL);
}

static LaurelRows *
make_rows (const LaurelModelConfig *config, int n_tokens)
{
  g_autoptr (GPtrArray) sequences =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  g_autofree gint32 *tokens = make_tokens (config, n_tokens);
  LaurelRows *rows = laurel_rows_new ();

  for (int i = 0; i < N_ROWS; i++)
    g_ptr_array_add (sequences, laurel_sequence_new (tokens, n_tokens, 0));
  laurel_rows_add_sequences (rows, sequences);
  return rows;
}

static GPtrArray *
make_prompts (const LaurelModelConfig *config, int n)
{
  GPtrArray *prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_train_prompt_free);

  for (int i = 0; i < n; i++) {
    LaurelTrainPrompt *prompt = g_new0 (LaurelTrainPrompt, 1);

    prompt->tokens = make_tokens (config, N_TOKENS);
    prompt->n_tokens = N_TOKENS - N_RESPONSE;
    prompt->text = g_strdup ("");
    g_ptr_array_add (prompts, prompt);
  }
  return prompts;
}

static GPtrArray *
make_comparisons (const LaurelModelConfig *config)
{
  GPtrArray *comparisons =
      g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_comparison_free);
  g_autofree gint32 *tokens = make_tokens (config, N_TOKENS);

  for (int i = 0; i < N_ROWS; i++) {
    LaurelComparison *comparison = g_new0 (LaurelComparison, 1);

    comparison->n = 2;
    comparison->prompt_id = i;
    comparison->completions = g_new0 (LaurelSequence *, 2);
    comparison->ranks = g_new0 (int, 2);
    for (int k = 0; k < 2; k++) {
      comparison->completions[k] = laurel_sequence_new (tokens, N_TOKENS - k, N_RESPONSE);
      comparison->ranks[k] = k + 1;
    }
    g_ptr_array_add (comparisons, comparison);
  }
  return comparisons;
}

static void
make_settings (const Case *self, LaurelHyperparameters *hp)
{
  LaurelStage stage = self->stage;

  laurel_hyperparameters_init (hp, stage);
  hp->batch_size = laurel_stage_is_online (stage) ? 4 * N_ROWS : N_ROWS;
  hp->gradient_accumulation_steps = 1;
  hp->max_steps = 1;
  hp->eval_split = 0.1;
  hp->response_length = N_RESPONSE;
  hp->num_ppo_epochs = 1;
  hp->num_mini_batches = 4;
  hp->eval_rows = 4 * N_ROWS;
  if (stage == LAUREL_STAGE_RLOO) {
    hp->ema_decay = 0.9;
    hp->ptx_coef = 1;
    /* More than a mini-batch has, by their number or by their length. */
    hp->ptx_batch_size = self->n_beside > 0 ? N_ROWS : 2 * N_ROWS;
  }
}

/* What answers held-out prompts are read with, as whoever watches over a run has it. */
typedef struct {
  const LaurelModel *reward, *gold; /* @gold NULL: none */
  GPtrArray *prompts;
  const LaurelHyperparameters *hp;
  const LaurelRows *rows;
} Watcher;

static Watcher watcher;

static LaurelVerdict
evaluate_cb (gpointer user_data, int step, const LaurelModel *policy, const LaurelModel *reference)
{
  const LaurelHeldOutRequest request = { policy,     reference, watcher.reward, watcher.prompts,
                                         watcher.hp, NULL,      NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) answers = laurel_held_out_answer (&request, &error);
  g_autofree gint32 *tokens = make_tokens (&watcher.reward->config, N_TOKENS);
  LaurelSequence *sequence = laurel_sequence_new (tokens, N_TOKENS, N_RESPONSE);
  double loss;
  float score;

  g_assert_no_error (error);
  if (watcher.hp->ptx_coef > 0)
    g_assert_true (laurel_held_out_loss (policy, watcher.rows, watcher.hp, NULL, NULL, &loss,
                                         &error));
  if (watcher.gold != NULL)
    g_assert_true (laurel_reward_score (watcher.gold, &sequence, 1, &score, &error));
  laurel_sequence_free (sequence);
  return LAUREL_GO_ON;
}

/* Samples are only taken where somebody reads the log. */
static void
drop_line (gpointer user_data, const char *line)
{
}

static gboolean
train (const Case *self, GError **error)
{
  g_autoptr (LaurelModel) model = make_model (self->config, LAUREL_HEAD_LM);
  g_autoptr (LaurelModel) other = NULL;
  g_autoptr (LaurelModel) gold = NULL;
  g_autoptr (LaurelRows) rows =
      make_rows (self->config, self->n_beside > 0 ? self->n_beside : N_TOKENS);
  /* As many as a reward model is normalised on. */
  g_autoptr (GPtrArray) prompts = make_prompts (self->config, LAUREL_NORMALIZE_SAMPLES);
  g_autoptr (GPtrArray) held_out = make_prompts (self->config, 4 * N_ROWS);
  g_autoptr (GPtrArray) comparisons = make_comparisons (self->config);
  g_autoptr (Recorder) recorder = recorder_new (NULL, FALSE);
  LaurelHyperparameters hp;

  make_settings (self, &hp);
  recorder->monitor.log = drop_line;
  if (self->stage == LAUREL_STAGE_SFT)
    return laurel_train_sft (model, rows, NULL, &hp, &recorder->monitor, error);
  if (self->stage == LAUREL_STAGE_DPO)
    return laurel_train_dpo (model, comparisons, &hp, &recorder->monitor, error);
  other = make_model (self->config, LAUREL_HEAD_SCORE);
  if (self->stage == LAUREL_STAGE_REWARD)
    return laurel_train_reward (other, comparisons, model, prompts, &hp, &recorder->monitor, error);
  if (self->has_gold)
    gold = make_model (self->config, LAUREL_HEAD_SCORE);
  watcher = (Watcher) { other, gold, held_out, &hp, rows };
  recorder->monitor.evaluate = evaluate_cb;
  return laurel_train_policy (self->stage, model, NULL, other, prompts, rows, &hp,
                              &recorder->monitor, error);
}

/* Bytes of this process that are in memory now. */
static gsize
read_resident (void)
{
  g_autofree char *text = NULL;
  unsigned long total = 0, resident = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%lu %lu", &total, &resident), ==, 2);
  return resident * (gsize) sysconf (_SC_PAGESIZE);
}

/* Bytes that the stage took at most, in a process of its own. */
static gsize
measure (const Case *self)
{
  struct rusage usage;
  gsize before;
  int status;
  pid_t child;

  (void) fixture_tokenizer ();
  before = read_resident ();
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    g_autoptr (GError) error = NULL;

    _exit (train (self, &error) ? 0 : 1);
  }
  g_assert_cmpint (wait4 (child, &status, 0, &usage), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  return (gsize) usage.ru_maxrss * 1024 - before;
}

static void
test_stage (gconstpointer data)
{
  const Case *self = data;
  LaurelHyperparameters hp;
  double planned, taken;

  make_settings (self, &hp);
  planned = (double) laurel_train_plan_memory (self->stage, self->config, &hp, N_TOKENS);
  if (self->has_gold)
    planned += (double) laurel_train_plan_gold (self->stage, self->config, &hp, N_TOKENS,
                                                self->config);
  if (self->n_beside > 0)
    planned += (double) laurel_train_plan_beside (self->stage, self->config, &hp, N_TOKENS,
                                                  self->n_beside);
  taken = (double) measure (self);
  g_test_message ("planned %.1f MB, taken %.1f MB", planned / 1e6, taken / 1e6);
  /* What people are told before a run; code that is paged in as it goes is part of the rest. */
  g_assert_cmpfloat (fabs (planned / taken - 1), <, 0.05);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Sanitizers take memory of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  g_test_add_data_func ("/train/plan/sft", &(Case){ LAUREL_STAGE_SFT, &small }, test_stage);
  g_test_add_data_func ("/train/plan/reward", &(Case){ LAUREL_STAGE_REWARD, &small }, test_stage);
  g_test_add_data_func ("/train/plan/dpo", &(Case){ LAUREL_STAGE_DPO, &small }, test_stage);
  g_test_add_data_func ("/train/plan/ppo", &(Case){ LAUREL_STAGE_PPO, &small }, test_stage);
  g_test_add_data_func ("/train/plan/ppo-of-a-third", &(Case){ LAUREL_STAGE_PPO, &third },
                        test_stage);
  g_test_add_data_func ("/train/plan/ppo-with-gold", &(Case){ LAUREL_STAGE_PPO, &small, TRUE },
                        test_stage);
  g_test_add_data_func ("/train/plan/rloo", &(Case){ LAUREL_STAGE_RLOO, &small }, test_stage);
  g_test_add_data_func ("/train/plan/rloo-beside-longer-rows",
                        &(Case){ LAUREL_STAGE_RLOO, &small, .n_beside = 250 }, test_stage);
#endif
  return g_test_run ();
}
