/* engine.c: training steps, prompts, decoding, and the way from a file to a first token.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#include "core/model/decode.h"
#include "core/model/generate.h"
#include "core/train/rows.h"

#define PROMPT_TOKENS 64
#define DECODED_TOKENS 128

/* --- Training steps --------------------------------------------------------------- */

typedef struct {
  gint64 last;
  double *seconds;
  int n;
} Steps;

/* What a stage does before its first step ends in the first, which is thrown away. */
static void
count_step (gpointer user_data, int step, int n_steps)
{
  Steps *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (step > 1)
    self->seconds[self->n++] = (double) (now - self->last) / G_USEC_PER_SEC;
  self->last = now;
}

static GPtrArray *
make_sequences (const LaurelBenchWorkload *workload)
{
  GPtrArray *sequences = g_ptr_array_new_with_free_func ((GDestroyNotify) laurel_sequence_free);
  g_autofree gint32 *tokens =
      laurel_bench_make_tokens (workload->config, workload->rows * workload->tokens);

  for (int row = 0; row < workload->rows; row++)
    g_ptr_array_add (sequences, laurel_sequence_new (tokens + row * workload->tokens,
                                                     workload->tokens, 0));
  return sequences;
}

/* Whole steps of pretraining, as a run makes them: forward, loss, backward, clipping, AdamW. */
gboolean
laurel_bench_train (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  g_autoptr (LaurelModel) model = laurel_model_new (workload->config, NULL, NULL, 1, error);
  g_autoptr (GPtrArray) sequences = make_sequences (workload);
  g_autoptr (LaurelRows) rows = laurel_rows_new ();
  g_autofree double *seconds = g_new (double, bench->n_times);
  g_autofree char *name =
      g_strdup_printf ("training step, %d × %d tokens", workload->rows, workload->tokens);
  Steps steps = { .seconds = seconds };
  const LaurelMonitor monitor = { .user_data = &steps, .progress = count_step };
  const int n = workload->rows * workload->tokens;
  LaurelHyperparameters hp;

  laurel_hyperparameters_init (&hp, LAUREL_STAGE_PRETRAIN);
  hp.batch_size = workload->rows;
  hp.gradient_accumulation_steps = 1;
  hp.max_length = workload->tokens;
  hp.max_steps = bench->n_times + 1;
  hp.save_steps = hp.eval_steps = 0;
  laurel_rows_add_sequences (rows, sequences);
  if (model == NULL || !laurel_train_pretrain (model, rows, NULL, &hp, &monitor, error))
    return FALSE;
  laurel_bench_report (
      bench, name, laurel_bench_median (seconds, steps.n), n, "tokens/s",
      3 * laurel_bench_forward_flop (workload->config, workload->rows, workload->tokens, n), 0);
  return TRUE;
}

/* --- Prompts ----------------------------------------------------------------------- */

typedef struct {
  LaurelDecoder *decoder;
  const gint32 *tokens;
  const gint32 *offsets;
  int rows;
} Prefill;

static void
prefill (gpointer data)
{
  Prefill *self = data;
  g_autofree LaurelPromptCache **caches = g_new0 (LaurelPromptCache *, self->rows);

  if (!laurel_decoder_prefill (self->decoder, self->tokens, self->offsets, self->rows, caches, NULL,
                               NULL, NULL))
    return;
  for (int row = 0; row < self->rows; row++)
    laurel_prompt_cache_free (caches[row]);
}

/* Whole prompts, and the logits after each. */
gboolean
laurel_bench_prefill (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  const int rows = workload->rows, n = rows * workload->tokens;
  g_autoptr (LaurelModel) model = laurel_model_new (workload->config, NULL, NULL, 1, error);
  g_autofree gint32 *tokens = laurel_bench_make_tokens (workload->config, n);
  g_autofree gint32 *offsets = g_new (gint32, rows + 1);
  g_autofree char *name = g_strdup_printf ("prefill, %d × %d tokens", rows, workload->tokens);
  Prefill self = { NULL, tokens, offsets, rows };

  if (model != NULL)
    self.decoder = laurel_decoder_new (model, rows, 1, n, FALSE, error);
  if (self.decoder == NULL)
    return FALSE;
  for (int row = 0; row <= rows; row++)
    offsets[row] = row * workload->tokens;
  laurel_bench_report (bench, name, laurel_bench_time (bench, prefill, &self), n, "tokens/s",
                       laurel_bench_forward_flop (workload->config, rows, workload->tokens, rows),
                       0);
  laurel_decoder_free (self.decoder);
  return TRUE;
}

/* --- Decoding ----------------------------------------------------------------------- */

/* The prompt gives the first token and a step each of the others. */
#define N_STEPS (DECODED_TOKENS - 1)

/* When the last steps ended, in turn. */
typedef struct {
  gint64 times[N_STEPS];
  int n_calls;
} Decoding;

/* Called some times while the prompt runs, then once a step. */
static gboolean
count_decoding (int n_done, int n_all, gpointer user_data)
{
  Decoding *self = user_data;

  self->times[self->n_calls++ % N_STEPS] = g_get_monotonic_time ();
  return TRUE;
}

/* From the end of the first step to that of the last. */
static double
get_seconds_per_step (const Decoding *self)
{
  gint64 last = self->times[(self->n_calls + N_STEPS - 1) % N_STEPS];
  gint64 first = self->times[self->n_calls % N_STEPS];

  return (double) (last - first) / G_USEC_PER_SEC / (N_STEPS - 1);
}

static gboolean
decode (const LaurelModel *model,
        const gint32 *tokens,
        int rows,
        int n_tokens,
        gboolean bf16_weights,
        Decoding *decoding,
        GError **error)
{
  LaurelSamplingOptions options = LAUREL_SAMPLING_DEFAULTS;
  const LaurelPromptTokens prompt = { .tokens = tokens, .n_tokens = PROMPT_TOKENS, .stream = 1 };
  g_autoptr (GPtrArray) samples = NULL;

  options.max_tokens = n_tokens;
  options.bf16_weights = bf16_weights;
  *decoding = (Decoding){ 0 };
  samples = laurel_generate (model, &prompt, 1, rows, &options, count_decoding, decoding, error);
  return samples != NULL;
}

/* Rows that share a prompt, sampled a token each at a time; the steps alone are timed. */
static gboolean
time_decoding (LaurelBench *bench,
               const LaurelBenchWorkload *workload,
               gboolean bf16_weights,
               GError **error)
{
  const LaurelModelConfig *config = workload->config;
  g_autoptr (LaurelModel) model = laurel_model_new (config, NULL, NULL, 1, error);
  g_autofree gint32 *tokens = laurel_bench_make_tokens (config, PROMPT_TOKENS);
  g_autofree double *seconds = g_new (double, bench->n_times);
  g_autofree char *name = g_strdup_printf ("decode%s, rows at a time: %d",
                                           bf16_weights ? ", bfloat16 weights" : "",
                                           workload->rows);
  const double context = PROMPT_TOKENS + DECODED_TOKENS / 2.0;
  const double weights = laurel_bench_forward_flop (config, 1, 1, 1) / 2;
  const double flop = 2 * weights + 4 * config->n_layer * config->n_embd * context;
  Decoding decoding;

  if (model == NULL)
    return FALSE;
  for (int i = -1; i < bench->n_times; i++) {
    if (!decode (model, tokens, workload->rows, DECODED_TOKENS, bf16_weights, &decoding, error))
      return FALSE;
    if (i >= 0)
      seconds[i] = get_seconds_per_step (&decoding);
  }
  /* Each step reads every weight once, whatever the number of rows. */
  laurel_bench_report (bench, name, laurel_bench_median (seconds, bench->n_times), workload->rows,
                       "tokens/s",
                       workload->rows * flop,
                       (bf16_weights ? sizeof (guint16) : sizeof (float)) * weights);
  return TRUE;
}

gboolean
laurel_bench_decode (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  return time_decoding (bench, workload, FALSE, error);
}

gboolean
laurel_bench_decode_bf16 (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  return time_decoding (bench, workload, TRUE, error);
}

/* --- Opening ------------------------------------------------------------------------ */

gboolean
laurel_bench_prepare_open (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  g_autoptr (LaurelModel) model = laurel_model_new (workload->config, NULL, NULL, 1, error);

  return model != NULL && laurel_model_save (model, bench->folder, LAUREL_DTYPE_F32, error);
}

/* From a model's folder, which the machine has read before, to the first sampled token. */
gboolean
laurel_bench_open (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  g_autofree gint32 *tokens = laurel_bench_make_tokens (workload->config, PROMPT_TOKENS);
  g_autofree double *opened = g_new (double, bench->n_times);
  g_autofree double *seconds = g_new (double, bench->n_times);

  for (int i = -1; i < bench->n_times; i++) {
    gint64 from = g_get_monotonic_time (), loaded;
    g_autoptr (LaurelModel) model = laurel_model_load (bench->folder, error);
    Decoding decoding;

    loaded = g_get_monotonic_time ();
    if (model == NULL || !decode (model, tokens, 1, 1, FALSE, &decoding, error))
      return FALSE;
    if (i >= 0) {
      opened[i] = (double) (loaded - from) / G_USEC_PER_SEC;
      seconds[i] = (double) (g_get_monotonic_time () - from) / G_USEC_PER_SEC;
    }
  }
  laurel_bench_report (bench, "opening a model", laurel_bench_median (opened, bench->n_times), 1,
                       "models/s", 0, 0);
  laurel_bench_report (bench, "first token after opening",
                       laurel_bench_median (seconds, bench->n_times), 1, "tokens/s", 0, 0);
  return TRUE;
}
