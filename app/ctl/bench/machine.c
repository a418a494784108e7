/* machine.c: what this machine can do at best, with the threads that the engine uses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>
#include <string.h>

#define GEMM_SIZE 1024
/* Bytes read at once: far more than any cache holds. */
#define BUFFER_BYTES ((gsize) 256 << 20)
#define N_PARTS 16

/* Enough sums at once to hide an instruction's latency; they and two factors fit 16 registers. */
#define N_SUMS 12
#define N_FMA_ROUNDS 20000000

typedef float Narrow __attribute__ ((vector_size (32)));
typedef float Wide __attribute__ ((vector_size (64)));

typedef struct {
  float *a, *b, *c; /* (GEMM_SIZE²) */
  float *from, *to; /* (BUFFER_BYTES) */
  gboolean wide;
} Machine;

/* Where results go, so that no compiler leaves the work out. */
static volatile float sink;

static void
multiply (gpointer data)
{
  Machine *self = data;
  const int n = GEMM_SIZE;

  laurel_blas_matmul (FALSE, FALSE, n, n, n, self->a, n, self->b, n, FALSE, self->c, n);
}

static void
copy (gpointer data)
{
  Machine *self = data;
  const gsize part = BUFFER_BYTES / N_PARTS;

#pragma omp parallel for
  for (gsize i = 0; i < N_PARTS; i++)
    memcpy ((char *) self->to + i * part, (char *) self->from + i * part, part);
}

LAUREL_CLONES static float
sum_part (const float *from, gsize n)
{
  const gsize width = sizeof (Wide) / sizeof (float);
  Wide sums[8] = { 0 };
  float sum = 0;

  for (gsize i = 0; i + 8 * width <= n; i += 8 * width) {
#pragma GCC unroll 8
    for (gsize j = 0; j < 8; j++)
      sums[j] += *(const Wide *) (const void *) (from + i + j * width);
  }
  for (int j = 0; j < 8; j++)
    sum += sums[j][0] + sums[j][15];
  return sum;
}

static void
read_all (gpointer data)
{
  Machine *self = data;
  const gsize part = BUFFER_BYTES / sizeof (float) / N_PARTS;
  float sum = 0;

#pragma omp parallel for reduction(+ \
                                   : sum)
  for (gsize i = 0; i < N_PARTS; i++)
    sum += sum_part (self->from + i * part, part);
  sink = sum;
}

/* Multiplications and additions that touch registers alone. */
#define DEFINE_FMA(name, Vector)                                                            \
  LAUREL_CLONES static float name (float factor)                                            \
  {                                                                                         \
    Vector sums[N_SUMS], x = { 0 }, y = { 0 };                                              \
                                                                                            \
    x += factor;                                                                            \
    y += 1 - factor;                                                                        \
    _Pragma ("GCC unroll 12") for (int j = 0; j < N_SUMS; j++) sums[j] = x * (float) j;     \
    for (int i = 0; i < N_FMA_ROUNDS; i++) {                                                \
      _Pragma ("GCC unroll 12") for (int j = 0; j < N_SUMS; j++) sums[j] = sums[j] * x + y; \
    }                                                                                       \
    _Pragma ("GCC unroll 12") for (int j = 1; j < N_SUMS; j++) sums[0] += sums[j];          \
    return sums[0][0] + sums[0][1];                                                         \
  }

DEFINE_FMA (multiply_add_narrow, Narrow)
DEFINE_FMA (multiply_add_wide, Wide)

static void
multiply_add (gpointer data)
{
  Machine *self = data;
  float sum = 0;

#pragma omp parallel reduction(+ \
                               : sum)
  sum += self->wide ? multiply_add_wide (0.999f) : multiply_add_narrow (0.999f);
  sink = sum;
}

static void
measure_fma (LaurelBench *bench, Machine *self)
{
  const double rounds = 2.0 * N_SUMS * N_FMA_ROUNDS * laurel_n_threads ();
  double narrow, wide;

  narrow = rounds * 8 / laurel_bench_time (bench, multiply_add, self);
  self->wide = TRUE;
  wide = rounds * 16 / laurel_bench_time (bench, multiply_add, self);
  laurel_bench_report_limit (bench, LAUREL_BENCH_FMA, "multiply-add in registers", 1,
                             fmax (narrow, wide) / 1e9, "GFLOP/s");
}

static void
fill (Machine *self)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, 0, 0);
  for (int i = 0; i < GEMM_SIZE * GEMM_SIZE; i++)
    self->a[i] = self->b[i] = (float) laurel_rng_uniform (&rng);
  memset (self->from, 1, BUFFER_BYTES);
}

static void
machine_clear (Machine *self)
{
  laurel_free_aligned (self->a);
  laurel_free_aligned (self->b);
  laurel_free_aligned (self->c);
  laurel_free_aligned (self->from);
  laurel_free_aligned (self->to);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Machine, machine_clear)

gboolean
laurel_bench_machine (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  const gsize n_gemm = GEMM_SIZE * GEMM_SIZE * sizeof (float);
  g_auto (Machine) self = { laurel_alloc_aligned (n_gemm), laurel_alloc_aligned (n_gemm),
                            laurel_alloc_aligned (n_gemm), laurel_alloc_aligned (BUFFER_BYTES),
                            laurel_alloc_aligned (BUFFER_BYTES), FALSE };

  if (self.a == NULL || self.b == NULL || self.c == NULL || self.from == NULL || self.to == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED,
                 "Could not measure: there is too little memory; close other programs");
    return FALSE;
  }
  fill (&self);
  laurel_bench_report_limit (bench, LAUREL_BENCH_SGEMM, "SGEMM 1024³",
                             laurel_bench_time (bench, multiply, &self),
                             2 * pow (GEMM_SIZE, 3) / 1e9, "GFLOP/s");
  measure_fma (bench, &self);
  laurel_bench_report_limit (bench, LAUREL_BENCH_READ, "memory, read",
                             laurel_bench_time (bench, read_all, &self),
                             (double) BUFFER_BYTES / 1e9, "GB/s");
  laurel_bench_report_limit (bench, LAUREL_BENCH_NO_LIMIT, "memory copy, read and written",
                             laurel_bench_time (bench, copy, &self),
                             2.0 * (double) BUFFER_BYTES / 1e9, "GB/s");
  return TRUE;
}
