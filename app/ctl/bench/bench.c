/* bench.c: laurelctl bench: how fast the engine is on this machine.
 *
 * Each measure is the median of five, after one that is thrown away. Beside
 * each absolute stands its share of what this machine can do at best, which is
 * measured first, in the same run and with the same threads; and the most
 * memory that the workload's process ever had.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#include "app/ctl/ctl.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/math/kernels.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_TIMES 5
#define N_FIELDS 7

#define SHAPE(vocab, positions, width, layers, heads) \
  {                                                   \
    .vocab_size = vocab,                              \
    .n_positions = positions,                         \
    .n_embd = width,                                  \
    .n_layer = layers,                                \
    .n_head = heads,                                  \
    .n_inner = 4 * width,                             \
    .layer_norm_epsilon = 1e-5,                       \
    .initializer_range = 0.02,                        \
    .tie_word_embeddings = TRUE,                      \
    .bos_token_id = -1,                               \
    .eos_token_id = -1,                               \
    .head = LAUREL_HEAD_LM                            \
  }

static const LaurelModelConfig small256 = SHAPE (4096, 256, 256, 6, 8);
static const LaurelModelConfig small384 = SHAPE (4096, 256, 384, 6, 6);
static const LaurelModelConfig gpt2_124m = SHAPE (50257, 1024, 768, 12, 12);

static const LaurelBenchWorkload workloads[] = {
  { "machine", laurel_bench_machine, NULL, 0, 0, NULL },
  { "train/small256/8x256", laurel_bench_train, &small256, 8, 256, NULL },
  { "train/small384/8x256", laurel_bench_train, &small384, 8, 256, NULL },
  { "train/gpt2-124m/4x64", laurel_bench_train, &gpt2_124m, 4, 64, NULL },
  { "train/gpt2-124m/4x256", laurel_bench_train, &gpt2_124m, 4, 256, NULL },
  { "prefill/small256/1x64", laurel_bench_prefill, &small256, 1, 64, NULL },
  { "prefill/small256/1x256", laurel_bench_prefill, &small256, 1, 256, NULL },
  { "prefill/small256/8x256", laurel_bench_prefill, &small256, 8, 256, NULL },
  { "prefill/gpt2-124m/1x64", laurel_bench_prefill, &gpt2_124m, 1, 64, NULL },
  { "prefill/gpt2-124m/1x256", laurel_bench_prefill, &gpt2_124m, 1, 256, NULL },
  { "decode/small256/1", laurel_bench_decode, &small256, 1, 0, NULL },
  { "decode/small256/4", laurel_bench_decode, &small256, 4, 0, NULL },
  { "decode/small256/8", laurel_bench_decode, &small256, 8, 0, NULL },
  { "decode/small256/16", laurel_bench_decode, &small256, 16, 0, NULL },
  { "decode/small256/32", laurel_bench_decode, &small256, 32, 0, NULL },
  { "decode/gpt2-124m/1", laurel_bench_decode, &gpt2_124m, 1, 0, NULL },
  { "decode/gpt2-124m/4", laurel_bench_decode, &gpt2_124m, 4, 0, NULL },
  { "decode/gpt2-124m/8", laurel_bench_decode, &gpt2_124m, 8, 0, NULL },
  { "decode/gpt2-124m/16", laurel_bench_decode, &gpt2_124m, 16, 0, NULL },
  { "decode/gpt2-124m/32", laurel_bench_decode, &gpt2_124m, 32, 0, NULL },
  { "decode-bf16/gpt2-124m/1", laurel_bench_decode_bf16, &gpt2_124m, 1, 0, NULL },
  { "decode-bf16/gpt2-124m/8", laurel_bench_decode_bf16, &gpt2_124m, 8, 0, NULL },
  { "decode-bf16/gpt2-124m/16", laurel_bench_decode_bf16, &gpt2_124m, 16, 0, NULL },
  { "tokenizer", laurel_bench_tokenizer, NULL, 0, 0, laurel_bench_prepare_tokenizer },
  { "open/gpt2-124m", laurel_bench_open, &gpt2_124m, 0, 0, laurel_bench_prepare_open },
  { "ppo/small256", laurel_bench_ppo_shared, &small256, 32, 32, NULL },
  { "ppo-value-network/small256", laurel_bench_ppo, &small256, 32, 32, NULL },
  { "ppo/gpt2-124m", laurel_bench_ppo, &gpt2_124m, 32, 32, NULL, TRUE },
  { NULL }
};

typedef struct {
  LaurelCtl *ctl;
  int n_times;
  JsonBuilder *builder;
  LaurelCtlTable *table;
  double limits[LAUREL_BENCH_READ + 1]; /* a second; 0: not measured */
} Report;

/* --- What a workload measured ------------------------------------------------------- */

static double
divide (double rate, double limit)
{
  return rate > 0 && limit > 0 ? rate / limit : NAN;
}

static char *
format_share (double share)
{
  return isnan (share) ? g_strdup ("") : g_strdup_printf ("%.3f", share);
}

static void
add_json (Report *self,
          const LaurelBenchWorkload *workload,
          char **fields,
          double seconds,
          double rate,
          const double shares[3],
          gsize peak_bytes)
{
  json_builder_begin_object (self->builder);
  laurel_json_add_string (self->builder, "workload", workload->name);
  laurel_json_add_string (self->builder, "name", fields[6]);
  laurel_json_add_double (self->builder, "value", rate);
  laurel_json_add_string (self->builder, "unit", fields[5]);
  laurel_json_add_double (self->builder, "seconds", seconds);
  laurel_json_add_double (self->builder, "of_sgemm_peak", shares[0]);
  laurel_json_add_double (self->builder, "of_fma_peak", shares[1]);
  laurel_json_add_double (self->builder, "of_bandwidth", shares[2]);
  laurel_json_add_int (self->builder, "peak_bytes", (gint64) peak_bytes);
  json_builder_end_object (self->builder);
}

/* The fields are those of laurel_bench_report(). */
static void
add_measure (Report *self, const LaurelBenchWorkload *workload, char **fields, gsize peak_bytes)
{
  const int limit = (int) strtol (fields[0], NULL, 10);
  const double seconds = g_ascii_strtod (fields[1], NULL);
  const double rate = g_ascii_strtod (fields[2], NULL) / seconds;
  const double flops = g_ascii_strtod (fields[3], NULL) / seconds;
  const double bytes = g_ascii_strtod (fields[4], NULL) / seconds;
  const double shares[] = { divide (flops, self->limits[LAUREL_BENCH_SGEMM]),
                            divide (flops, self->limits[LAUREL_BENCH_FMA]),
                            divide (bytes, self->limits[LAUREL_BENCH_READ]) };
  g_autofree char *of_sgemm = format_share (shares[0]);
  g_autofree char *of_fma = format_share (shares[1]);
  g_autofree char *of_bandwidth = format_share (shares[2]);

  if (limit != LAUREL_BENCH_NO_LIMIT)
    self->limits[limit] = rate * 1e9;
  laurel_ctl_table_add (self->table, "%s\t%s\t%.1f\t%s\t%.4f\t%s\t%s\t%s\t%.0f", workload->name,
                        fields[6], rate, fields[5], seconds, of_sgemm, of_fma, of_bandwidth,
                        (double) peak_bytes / 1e6);
  add_json (self, workload, fields, seconds, rate, shares, peak_bytes);
}

/* --- Processes ----------------------------------------------------------------------- */

/* The child's part: its measures go into the pipe, or one line that says what went wrong. */
static void G_GNUC_NORETURN
run_in_child (const LaurelBenchWorkload *workload,
              LaurelBenchRun run,
              int n_times,
              const char *folder,
              int pipe)
{
  LaurelBench bench = { fdopen (pipe, "w"), n_times, folder };
  g_autoptr (GError) error = NULL;
  gboolean ok = run (&bench, workload, &error);

  if (!ok)
    fprintf (bench.out, "%s", error->message);
  fclose (bench.out);
  _exit (ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

static char *
read_pipe (int pipe)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  while ((n = read (pipe, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    g_string_append_len (text, buffer, MAX (n, 0));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Nothing here has started a thread yet, so the child may go on as it is. Returns what it wrote;
 * (nullable). */
static char *
run_process (const LaurelBenchWorkload *workload,
             LaurelBenchRun run,
             int n_times,
             const char *folder,
             gsize *out_peak_bytes,
             GError **error)
{
  g_autofree char *text = NULL;
  struct rusage usage;
  int ends[2], status = 0;
  pid_t child;

  if (pipe (ends) != 0 || (child = fork ()) < 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not measure “%s”: no process could be started; close other programs",
                 workload->name);
    return NULL;
  }
  if (child == 0) {
    close (ends[0]);
    run_in_child (workload, run, n_times, folder, ends[1]);
  }
  close (ends[1]);
  text = read_pipe (ends[0]);
  close (ends[0]);
  while (wait4 (child, &status, 0, &usage) < 0 && errno == EINTR)
    continue;
  *out_peak_bytes = (gsize) usage.ru_maxrss * 1024;
  if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SUCCESS)
    return g_steal_pointer (&text);
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED, "Could not measure “%s”: %s",
               workload->name, WIFEXITED (status) ? text : "its process was killed");
  return NULL;
}

static gboolean
run_workload (Report *self, const LaurelBenchWorkload *workload, const char *folder, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize peak_bytes;

  if (workload->prepare != NULL) {
    text = run_process (workload, workload->prepare, self->n_times, folder, &peak_bytes, error);
    if (text == NULL)
      return FALSE;
    g_free (text);
  }
  text = run_process (workload, workload->run, self->n_times, folder, &peak_bytes, error);
  if (text == NULL)
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (int i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], "\t", N_FIELDS);

    if (g_strv_length (fields) == N_FIELDS)
      add_measure (self, workload, fields, peak_bytes);
  }
  return TRUE;
}

static gboolean
run_in_folder (Report *self, const LaurelBenchWorkload *workload, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("laurel-bench-XXXXXX", error);
  gboolean ok;

  if (folder == NULL)
    return FALSE;
  ok = run_workload (self, workload, folder, error);
  return laurel_file_remove_tree (folder, ok ? error : NULL) && ok;
}

/* --- The verb ------------------------------------------------------------------------ */

/* “decode/small256” names all of its rows. */
static gboolean
is_named (const char *workload, const char *argument)
{
  gsize n = strlen (argument);

  return g_str_has_prefix (workload, argument) && (workload[n] == '\0' || workload[n] == '/');
}

static gboolean
check_arguments (LaurelCtl *ctl, GError **error)
{
  for (guint i = 0; i < ctl->arguments->len; i++) {
    const char *argument = g_ptr_array_index (ctl->arguments, i);
    const LaurelBenchWorkload *w = workloads;

    while (w->name != NULL && !is_named (w->name, argument))
      w++;
    if (w->name == NULL) {
      g_set_error (error, LAUREL_CTL_USAGE, 0,
                   "Could not measure “%s”: there is no such workload; see "
                   "“laurelctl bench --help”",
                   argument);
      return FALSE;
    }
  }
  return TRUE;
}

/* The limits of the machine are always measured: everything else is held against them. */
static gboolean
is_chosen (LaurelCtl *ctl, const LaurelBenchWorkload *workload)
{
  if (workload == workloads || (ctl->arguments->len == 0 && !workload->is_long))
    return TRUE;
  for (guint i = 0; i < ctl->arguments->len; i++)
    if (is_named (workload->name, g_ptr_array_index (ctl->arguments, i)))
      return TRUE;
  return FALSE;
}

static gboolean
run_chosen (Report *self, GError **error)
{
  for (const LaurelBenchWorkload *w = workloads; w->name != NULL; w++) {
    if (!is_chosen (self->ctl, w))
      continue;
    laurel_ctl_show_progress (self->ctl, w->name,
                              (double) (w - workloads) / (G_N_ELEMENTS (workloads) - 1), -1);
    if (!run_in_folder (self, w, error)) {
      laurel_ctl_hide_progress (self->ctl);
      return FALSE;
    }
  }
  laurel_ctl_hide_progress (self->ctl);
  return TRUE;
}

static gboolean
run_bench (LaurelCtl *ctl, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Report report = { .ctl = ctl, .n_times = N_TIMES, .builder = builder };
  gint64 n_times = N_TIMES;

  if (!check_arguments (ctl, error) || !laurel_ctl_get_int (ctl, "times", 1, 1000, &n_times, error))
    return FALSE;
  report.n_times = (int) n_times;
  report.table = laurel_ctl_table_new ("WORKLOAD", "MEASURE", "VALUE", "UNIT", "SECONDS",
                                       "OF SGEMM PEAK", "OF FMA PEAK", "OF BANDWIDTH", "PEAK MB",
                                       NULL);
  json_builder_begin_array (builder);
  if (!run_chosen (&report, error)) {
    laurel_ctl_table_free (report.table);
    return FALSE;
  }
  json_builder_end_array (builder);
  if (ctl->json) {
    laurel_ctl_print_builder (builder);
    laurel_ctl_table_free (report.table);
    return TRUE;
  }
  printf ("%s, %d threads; medians of %d\n", laurel_blas_describe (), laurel_n_threads (),
          report.n_times);
  laurel_ctl_table_print (report.table);
  return TRUE;
}

static void
list_workloads (GString *text)
{
  g_string_append (text, "\nWorkloads; “decode” or “decode/small256” names several at once, none "
                         "names all:\n");
  for (const LaurelBenchWorkload *w = workloads; w->name != NULL; w++)
    g_string_append_printf (text, "  %s%s\n", w->name, w->is_long ? " (takes long)" : "");
}

static const LaurelCtlOption options[] = {
  { "times", "N", "How often each measure is taken; the median of 5 unless said otherwise", FALSE },
  { NULL }
};

static const LaurelCtlVerb verbs[] = { { "", "[WORKLOAD…]", 0, -1, options,
                                         "Measure this machine and the engine on it", run_bench,
                                         list_workloads },
                                       { NULL } };

const LaurelCtlNoun laurel_ctl_bench = { "bench", "Speed: of this machine and the engine on it",
                                         verbs };
