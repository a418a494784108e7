/* ppo.c: one iteration of PPO and its phases, as a run times them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#include "core/train/train.h"

#define RESPONSE_TOKENS 64
#define N_EPOCHS 4
#define N_MINI_BATCHES 4
/* Of a tokenizer that only has to be there: no response is read as text. */
#define VOCAB_SIZE 300

/* The phases under the names that a run gives them, in the order they are printed. */
static const char *const phases[] = { "time/rollout", "time/sampling", "time/scoring",
                                      "time/update", "time/optimizer" };
enum { N_PHASES = G_N_ELEMENTS (phases) };

typedef struct {
  int n_times;
  gint64 last;
  int n_steps;
  double *seconds[N_PHASES + 1]; /* (n_times) each; the last one: of the whole iteration */
} Iterations;

static void
take_metric (gpointer user_data, int step, const char *key, double value)
{
  Iterations *self = user_data;

  /* The first iteration is thrown away. */
  for (gsize i = 0; i < N_PHASES && step > 1; i++)
    if (g_str_equal (key, phases[i]))
      self->seconds[i][step - 2] = value;
}

static void
count_iteration (gpointer user_data, int step, int n_steps)
{
  Iterations *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (step > 1)
    self->seconds[N_PHASES][self->n_steps++] = (double) (now - self->last) / G_USEC_PER_SEC;
  self->last = now;
}

/* A run keeps its rollouts; here they only have to be made. */
static void
drop_rollout (gpointer user_data, const LaurelRollout *rollout)
{
}

static LaurelTokenizer *
make_tokenizer (GError **error)
{
  g_autoptr (GString) text = laurel_bench_make_text (20000, 1000);
  const char *const texts[] = { text->str };

  return laurel_tokenizer_train_bpe (texts, &text->len, 1, VOCAB_SIZE, NULL, NULL, error);
}

static GPtrArray *
make_prompts (const LaurelBenchWorkload *workload)
{
  GPtrArray *prompts = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_train_prompt_free);
  g_autofree gint32 *tokens =
      laurel_bench_make_tokens (workload->config, workload->rows * workload->tokens);

  for (int i = 0; i < workload->rows; i++) {
    LaurelTrainPrompt *prompt = g_new0 (LaurelTrainPrompt, 1);

    prompt->tokens = g_memdup2 (tokens + i * workload->tokens,
                                sizeof *tokens * (gsize) workload->tokens);
    prompt->n_tokens = workload->tokens;
    prompt->text = g_strdup ("");
    g_ptr_array_add (prompts, prompt);
  }
  return prompts;
}

static gboolean
train (LaurelBench *bench,
       const LaurelBenchWorkload *workload,
       gboolean share_layers,
       const LaurelMonitor *monitor,
       GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = make_tokenizer (error);
  g_autoptr (LaurelTemplate) template = laurel_template_load (bench->folder, error);
  g_autoptr (GPtrArray) prompts = make_prompts (workload);
  LaurelModelConfig reward_config = *workload->config;
  g_autoptr (LaurelModel) policy = NULL;
  g_autoptr (LaurelModel) reward = NULL;
  LaurelHyperparameters hp;

  if (tokenizer == NULL || template == NULL)
    return FALSE;
  reward_config.head = LAUREL_HEAD_SCORE;
  reward_config.normalized = TRUE;
  reward_config.reward_gain = 1;
  policy = laurel_model_new (workload->config, tokenizer, template, 1, error);
  reward = policy != NULL ? laurel_model_new (&reward_config, tokenizer, template, 2, error) : NULL;
  if (reward == NULL)
    return FALSE;
  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PPO);
  hp.batch_size = workload->rows;
  hp.response_length = RESPONSE_TOKENS;
  hp.num_ppo_epochs = N_EPOCHS;
  hp.num_mini_batches = N_MINI_BATCHES;
  hp.max_steps = bench->n_times + 1;
  hp.save_steps = hp.value_warmup_steps = 0;
  hp.vf_share_layers = share_layers;
  return laurel_train_ppo (policy, reward, prompts, &hp, monitor, error);
}

/* Prompts and decoding; policy, reference, reward model and value network, if there is one, over
 * every sequence; the updates of policy and value network. */
static void
report (LaurelBench *bench,
        const LaurelBenchWorkload *workload,
        gboolean share_layers,
        Iterations *iterations)
{
  const int n_trained = share_layers ? 1 : 2;
  const LaurelModelConfig *config = workload->config;
  const int rows = workload->rows, n_prompt = workload->tokens, all = n_prompt + RESPONSE_TOKENS;
  const double sampled = (double) rows * RESPONSE_TOKENS;
  const double pass = laurel_bench_forward_flop (config, rows, all, 0);
  const double head = laurel_bench_forward_flop (config, 0, 0, rows * RESPONSE_TOKENS);
  double sampling = laurel_bench_forward_flop (config, rows, n_prompt, rows);
  double scoring = (2 + n_trained) * pass + 2 * head;
  double update = 3 * N_EPOCHS * (n_trained * pass + head);
  double flop[N_PHASES + 1];

  for (int t = 1; t < RESPONSE_TOKENS; t++)
    sampling += rows
                * (laurel_bench_forward_flop (config, 1, 1, 1)
                   + 4.0 * config->n_layer * config->n_embd * (n_prompt + t - 1));
  flop[0] = sampling + scoring;
  flop[1] = sampling;
  flop[2] = scoring;
  flop[3] = update;
  flop[4] = 0;
  flop[N_PHASES] = sampling + scoring + update;
  for (int i = N_PHASES; i >= 0; i--) {
    g_autofree char *name = i < N_PHASES ? g_strdup_printf ("PPO iteration, %s", phases[i])
                                         : g_strdup ("PPO iteration");

    laurel_bench_report (bench, name,
                         laurel_bench_median (iterations->seconds[i], iterations->n_times), sampled,
                         "sampled tokens/s", flop[i], 0);
  }
}

static gboolean
run (LaurelBench *bench,
     const LaurelBenchWorkload *workload,
     gboolean share_layers,
     GError **error)
{
  Iterations iterations = { .n_times = bench->n_times };
  const LaurelMonitor monitor = { .user_data = &iterations,
                                  .metric = take_metric,
                                  .progress = count_iteration,
                                  .rollout = drop_rollout };
  gboolean ok;

  for (int i = 0; i <= N_PHASES; i++)
    iterations.seconds[i] = g_new0 (double, bench->n_times);
  ok = train (bench, workload, share_layers, &monitor, error);
  if (ok)
    report (bench, workload, share_layers, &iterations);
  for (int i = 0; i <= N_PHASES; i++)
    g_free (iterations.seconds[i]);
  return ok;
}

gboolean
laurel_bench_ppo (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  return run (bench, workload, FALSE, error);
}

gboolean
laurel_bench_ppo_shared (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  return run (bench, workload, TRUE, error);
}
