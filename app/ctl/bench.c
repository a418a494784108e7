/* bench.c: laurelctl bench: how fast the engine is on this machine.
 *
 * Each measure is the median of five, after one that is thrown away. Beside
 * each absolute stands its share of what this machine can do at best: the
 * SGEMM peak and the memory bandwidth are measured first, with the same threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/math/kernels.h"
#include "core/model/generate.h"
#include "core/model/head.h"
#include "core/model/transformer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_TIMES 5
#define GEMM_SIZE 1024
/* Bytes copied at once: far more than any cache holds. */
#define COPY_BYTES ((gsize) 256 << 20)
#define N_SEQUENCES 8
#define PROMPT_TOKENS 32
#define DECODED_TOKENS 64
#define MAX_ROWS 32

/* The starter's shape (data/starter/recipe/model.json). */
static const LaurelModelConfig shape = { .vocab_size = 2048,
                                         .n_positions = 256,
                                         .n_embd = 256,
                                         .n_layer = 4,
                                         .n_head = 8,
                                         .n_inner = 1024,
                                         .layer_norm_epsilon = 1e-5,
                                         .initializer_range = 0.02,
                                         .tie_word_embeddings = TRUE,
                                         .bos_token_id = -1,
                                         .eos_token_id = -1,
                                         .head = LAUREL_HEAD_LM };

typedef struct {
  LaurelCtl *ctl;
  JsonBuilder *builder;
  LaurelCtlTable *table;
  double peak;      /* floating-point operations a second */
  double bandwidth; /* bytes a second, read and written */
  LaurelModel *model;
  LaurelActivations *acts;
  float *gradients;
  float *dhidden;
  gint32 *tokens; /* (N_SEQUENCES × n_positions) */
  gint32 *offsets;
  float *a, *b, *c; /* (GEMM_SIZE²) */
  char *from, *to;  /* (COPY_BYTES) */
  int n_rows;       /* of the decoding that is measured */
  int n_decoded;
  LaurelTokenizer *tokenizer;
  GString *text;
} Bench;

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Median seconds of @func. */
static double
measure (Bench *bench, void (*func) (Bench *))
{
  double seconds[N_TIMES];

  func (bench);
  for (int i = 0; i < N_TIMES; i++) {
    gint64 from = g_get_monotonic_time ();

    func (bench);
    seconds[i] = (double) (g_get_monotonic_time () - from) / G_USEC_PER_SEC;
  }
  qsort (seconds, N_TIMES, sizeof *seconds, compare_doubles);
  return fmax (seconds[N_TIMES / 2], 1e-9);
}

/* One line: a rate in @unit, and the shares of the two limits (0: it says nothing about that one).
 */
static void
report (Bench *bench, const char *name, double rate, const char *unit, double flops, double bytes)
{
  double of_peak = flops > 0 && bench->peak > 0 ? flops / bench->peak : NAN;
  double of_bandwidth = bytes > 0 && bench->bandwidth > 0 ? bytes / bench->bandwidth : NAN;
  g_autofree char *peak = isnan (of_peak) ? g_strdup ("") : g_strdup_printf ("%.3f", of_peak);
  g_autofree char *memory =
      isnan (of_bandwidth) ? g_strdup ("") : g_strdup_printf ("%.3f", of_bandwidth);

  laurel_ctl_table_add (bench->table, "%s\t%.1f\t%s\t%s\t%s", name, rate, unit, peak, memory);
  json_builder_begin_object (bench->builder);
  laurel_json_add_string (bench->builder, "name", name);
  laurel_json_add_double (bench->builder, "value", rate);
  laurel_json_add_string (bench->builder, "unit", unit);
  laurel_json_add_double (bench->builder, "of_sgemm_peak", of_peak);
  laurel_json_add_double (bench->builder, "of_bandwidth", of_bandwidth);
  json_builder_end_object (bench->builder);
}

/* --- What is measured ------------------------------------------------------------- */

static void
multiply (Bench *bench)
{
  const int n = GEMM_SIZE;

  laurel_blas_matmul (FALSE, FALSE, n, n, n, bench->a, n, bench->b, n, FALSE, bench->c, n);
}

/* With all threads, as the kernels read memory. */
static void
copy (Bench *bench)
{
  const gsize n_parts = 16, part = COPY_BYTES / n_parts;

#pragma omp parallel for
  for (gsize i = 0; i < n_parts; i++)
    memcpy (bench->to + i * part, bench->from + i * part, part);
}

static void
prefill (Bench *bench)
{
  const LaurelBatch batch = { bench->tokens, bench->offsets, N_SEQUENCES };

  laurel_transformer_forward (bench->model, &batch, bench->acts);
}

static void
train_once (Bench *bench)
{
  const LaurelBatch batch = { bench->tokens, bench->offsets, N_SEQUENCES };
  const int n = N_SEQUENCES * shape.n_positions;
  g_autofree gint32 *positions = g_new (gint32, n);
  const LaurelLabels labels = { positions, bench->tokens, n };
  const float *hidden = laurel_transformer_forward (bench->model, &batch, bench->acts);

  for (int i = 0; i < n; i++)
    positions[i] = i;
  memset (bench->dhidden, 0, (gsize) n * (gsize) shape.n_embd * sizeof (float));
  laurel_lm_head_loss (bench->model, hidden, &labels, 1, NULL, NULL, 1.0 / n, NULL, bench->dhidden,
                       bench->gradients);
  laurel_transformer_backward (bench->model, &batch, bench->acts, bench->dhidden, bench->gradients);
}

static void
decode (Bench *bench)
{
  const LaurelSamplingOptions options = {
    .temperature = 1.0, .top_p = 1.0, .max_tokens = DECODED_TOKENS, .seed = 1
  };
  const LaurelPromptTokens prompt = { bench->tokens, PROMPT_TOKENS, 1 };
  g_autoptr (GPtrArray) samples =
      laurel_generate (bench->model, &prompt, 1, bench->n_rows, &options, NULL, NULL, NULL);

  bench->n_decoded = 0;
  for (guint i = 0; samples != NULL && i < samples->len; i++)
    bench->n_decoded += ((LaurelSample *) g_ptr_array_index (samples, i))->n_tokens;
}

static void
encode (Bench *bench)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  (void) laurel_tokenizer_encode (bench->tokenizer, bench->text->str, (gssize) bench->text->len,
                                  ids, NULL);
}

/* --- Setting up --------------------------------------------------------------------- */

static gboolean
refuse_memory (GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
               "Could not measure: there is too little memory; close other programs");
  return FALSE;
}

static gboolean
allocate (Bench *bench, GError **error)
{
  const gsize n_gemm = GEMM_SIZE * GEMM_SIZE * sizeof (float);
  const int n = N_SEQUENCES * shape.n_positions;

  bench->model = laurel_model_new (&shape, NULL, NULL, 1, error);
  if (bench->model == NULL)
    return FALSE;
  bench->acts = laurel_activations_new (&shape, n, TRUE, error);
  if (bench->acts == NULL)
    return FALSE;
  bench->gradients = laurel_alloc_aligned (bench->model->layout->n_floats * sizeof (float));
  bench->dhidden = laurel_alloc_aligned ((gsize) n * (gsize) shape.n_embd * sizeof (float));
  bench->a = laurel_alloc_aligned (n_gemm);
  bench->b = laurel_alloc_aligned (n_gemm);
  bench->c = laurel_alloc_aligned (n_gemm);
  bench->from = laurel_alloc_aligned (COPY_BYTES);
  bench->to = laurel_alloc_aligned (COPY_BYTES);
  return (bench->gradients != NULL && bench->dhidden != NULL && bench->a != NULL && bench->b != NULL
          && bench->c != NULL && bench->from != NULL && bench->to != NULL)
         || refuse_memory (error);
}

static void
fill (Bench *bench)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  bench->tokens = g_new (gint32, N_SEQUENCES * shape.n_positions);
  bench->offsets = g_new (gint32, N_SEQUENCES + 1);
  for (int i = 0; i <= N_SEQUENCES; i++)
    bench->offsets[i] = i * shape.n_positions;
  for (int i = 0; i < N_SEQUENCES * shape.n_positions; i++)
    bench->tokens[i] = (gint32) laurel_rng_below (&rng, (guint32) shape.vocab_size);
  for (int i = 0; i < GEMM_SIZE * GEMM_SIZE; i++)
    bench->a[i] = bench->b[i] = (float) laurel_rng_uniform (&rng);
  memset (bench->from, 1, COPY_BYTES);
  bench->text = g_string_new (NULL);
  for (int i = 0; i < 40000; i++)
    g_string_append_printf (bench->text, "The answer to question %u is %u, or so. ",
                            laurel_rng_below (&rng, 1000), laurel_rng_below (&rng, 100));
}

static gboolean
make_tokenizer (Bench *bench, GError **error)
{
  const char *const texts[] = { bench->text->str };
  const gsize lengths[] = { MIN (bench->text->len, 100000) };

  bench->tokenizer = laurel_tokenizer_train_bpe (texts, lengths, 1, 400, NULL, NULL, error);
  return bench->tokenizer != NULL;
}

static void
bench_clear (Bench *bench)
{
  g_clear_object (&bench->builder);
  g_clear_pointer (&bench->acts, laurel_activations_free);
  g_clear_pointer (&bench->model, laurel_model_free);
  g_clear_pointer (&bench->tokenizer, laurel_tokenizer_unref);
  laurel_free_aligned (bench->gradients);
  laurel_free_aligned (bench->dhidden);
  laurel_free_aligned (bench->a);
  laurel_free_aligned (bench->b);
  laurel_free_aligned (bench->c);
  laurel_free_aligned (bench->from);
  laurel_free_aligned (bench->to);
  g_free (bench->tokens);
  g_free (bench->offsets);
  if (bench->text != NULL)
    g_string_free (bench->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

/* --- The measures ---------------------------------------------------------------------- */

static void
measure_machine (Bench *bench)
{
  double flops = 2.0 * pow (GEMM_SIZE, 3) / measure (bench, multiply);
  double bytes = 2.0 * (double) COPY_BYTES / measure (bench, copy);

  bench->peak = flops;
  bench->bandwidth = bytes;
  report (bench, "SGEMM 1024³", flops / 1e9, "GFLOP/s", flops, 0);
  report (bench, "memory copy, read and written", bytes / 1e9, "GB/s", 0, bytes);
}

static void
measure_model (Bench *bench)
{
  const double n = N_SEQUENCES * shape.n_positions;
  const double layers = 12.0 * shape.n_layer * shape.n_embd * shape.n_embd;
  const double head = (double) shape.vocab_size * shape.n_embd;
  /* Causal attention: half of 2 products of T × T × C a layer. */
  const double attention = 2.0 * shape.n_positions * shape.n_embd * shape.n_layer;
  double seconds = measure (bench, train_once);

  report (bench, "forward and backward, 8 × 256 tokens", n / seconds, "tokens/s",
          3 * n * (2 * (layers + head) + attention) / seconds, 0);
  seconds = measure (bench, prefill);
  report (bench, "prefill, 8 × 256 tokens", n / seconds, "tokens/s",
          n * (2 * layers + attention) / seconds, 0);
  for (bench->n_rows = 1; bench->n_rows <= MAX_ROWS; bench->n_rows *= bench->n_rows == 1 ? 4 : 2) {
    g_autofree char *name = g_strdup_printf ("decode, rows at a time: %d", bench->n_rows);
    double steps;

    seconds = measure (bench, decode);
    steps = (double) bench->n_decoded / bench->n_rows / seconds;
    /* Each step reads every weight once, whatever the number of rows. */
    report (bench, name, bench->n_decoded / seconds, "tokens/s",
            2 * (layers + head) * bench->n_decoded / seconds, 4 * (layers + head) * steps);
  }
  seconds = measure (bench, encode);
  report (bench, "tokenizer, encode", (double) bench->text->len / seconds / 1e6, "MB/s", 0, 0);
}

static gboolean
run_bench (LaurelCtl *self, GError **error)
{
  g_auto (Bench) bench = { .ctl = self, .builder = json_builder_new () };

  if (!allocate (&bench, error))
    return FALSE;
  fill (&bench);
  if (!make_tokenizer (&bench, error))
    return FALSE;
  bench.table =
      laurel_ctl_table_new ("MEASURE", "VALUE", "UNIT", "OF SGEMM PEAK", "OF BANDWIDTH", NULL);
  json_builder_begin_array (bench.builder);
  measure_machine (&bench);
  measure_model (&bench);
  json_builder_end_array (bench.builder);
  if (self->json) {
    laurel_ctl_print_builder (bench.builder);
    laurel_ctl_table_free (bench.table);
    return TRUE;
  }
  printf ("%s, %d threads; medians of %d\n", laurel_blas_describe (), laurel_n_threads (), N_TIMES);
  laurel_ctl_table_print (bench.table);
  return TRUE;
}

static const LaurelCtlVerb verbs[] = {
  { "", "", 0, 0, NULL, "Measure this machine and the engine on it", run_bench }, { NULL }
};

const LaurelCtlNoun laurel_ctl_bench = { "bench", "Speed: of this machine and the engine on it",
                                         verbs };
