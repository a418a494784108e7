/* bench.h: what the workloads of laurelctl bench share.
 *
 * Every workload runs in a process of its own, so that the peak memory it
 * leaves is its own, and writes its measures into a pipe.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/model/model.h"

#include <stdio.h>

G_BEGIN_DECLS

typedef struct {
  FILE *out;          /* to the process that prints */
  int n_times;        /* that each measure is taken, after one that is thrown away */
  const char *folder; /* an empty folder, or what the workload's preparation left in it */
} LaurelBench;

typedef struct _LaurelBenchWorkload LaurelBenchWorkload;
typedef gboolean (*LaurelBenchRun) (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);

struct _LaurelBenchWorkload {
  const char *name; /* NULL ends the table */
  LaurelBenchRun run;
  const LaurelModelConfig *config; /* NULL: it has no model */
  int rows;
  int tokens;
  LaurelBenchRun prepare; /* in a process of its own before @run; NULL: there is none */
  gboolean is_long;       /* only when it is named */
};

/* Which limit of the machine a measure is. */
typedef enum { LAUREL_BENCH_NO_LIMIT, LAUREL_BENCH_SGEMM, LAUREL_BENCH_FMA, LAUREL_BENCH_READ } LaurelBenchLimit;

/* --- measure.c ---------------------------------------------------------------- */

double laurel_bench_median (double *values, int n); /* sorts them */
/* Median seconds of @func, after one run that is thrown away. */
double laurel_bench_time (const LaurelBench *bench, void (*func) (gpointer data), gpointer data);
/* One line: @amount of @unit in @seconds, in which @flop operations were done and @bytes read (0: it says nothing). */
void laurel_bench_report (LaurelBench *bench, const char *name, double seconds, double amount, const char *unit, double flop, double bytes);
void laurel_bench_report_limit (LaurelBench *bench, LaurelBenchLimit limit, const char *name, double seconds, double amount, const char *unit);

/* Floating-point operations of a forward pass over @rows sequences of @tokens, the output projection applied to
 * @labels rows, by the convention of other engines' figures: 2 a weight of a matrix, and attention uncausal. */
double laurel_bench_forward_flop (const LaurelModelConfig *config, int rows, int tokens, int labels);
gint32 *laurel_bench_make_tokens (const LaurelModelConfig *config, int n) G_GNUC_WARN_UNUSED_RESULT;
/* English in its statistics alone: words of syllables, the common ones short and frequent, in sentences. */
GString *laurel_bench_make_text (gsize n_bytes, guint32 n_words) G_GNUC_WARN_UNUSED_RESULT;

/* --- the workloads --------------------------------------------------------------- */

gboolean laurel_bench_machine (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_train (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_prefill (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_decode (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
/* With the weights rounded to bfloat16. */
gboolean laurel_bench_decode_bf16 (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_prepare_tokenizer (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_tokenizer (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_prepare_open (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_open (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
gboolean laurel_bench_ppo (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);
/* The value as a head on the policy, not a network of its own. */
gboolean laurel_bench_ppo_shared (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error);

G_END_DECLS
