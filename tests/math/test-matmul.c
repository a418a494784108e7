/* Matrix products: against sums in double and against OpenBLAS, and their bits against their own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/math/kernels.h"
#include "core/math/matmul.h"
#include "core/math/tile_private.h"

#include <math.h>
#include <string.h>

static float *
random_floats (gsize n, guint64 seed)
{
  float *x = g_new (float, n);
  LaurelRng rng;

  laurel_rng_init (&rng, 1, LAUREL_RNG_TEST, seed, 0);
  for (gsize i = 0; i < n; i++)
    x[i] = (float) laurel_rng_normal (&rng);
  return x;
}

/* Rows, columns and depths around every boundary of tiles (12), panels (32) and paddings (512). */
static const struct {
  int M, N, K;
} shapes[] = { { 1, 1, 1 },     { 1, 33, 7 },   { 2, 32, 1 },    { 5, 31, 64 },
               { 12, 64, 17 },  { 13, 65, 100 }, { 24, 96, 512 }, { 40, 70, 512 },
               { 70, 200, 33 }, { 300, 40, 512 }, { 31, 513, 1024 },
               { 13, 70, 9000 } /* sums in three parts */ };

static void
test_against_blas (void)
{
  for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++)
    for (int kind = 0; kind < 8; kind++) {
      gboolean ta = kind & 1, tb = kind & 2, add = (kind & 4) != 0;
      int M = shapes[s].M, N = shapes[s].N, K = shapes[s].K;
      g_autofree float *a = random_floats ((gsize) M * (gsize) K, 1);
      g_autofree float *b = random_floats ((gsize) K * (gsize) N, 2);
      g_autofree float *c = random_floats ((gsize) M * (gsize) N, 3);
      g_autofree float *wanted = g_memdup2 (c, (gsize) M * (gsize) N * sizeof *c);

      laurel_matmul (ta, tb, M, N, K, a, ta ? M : K, b, tb ? K : N, add, c, N);
      laurel_blas_matmul (ta, tb, M, N, K, a, ta ? M : K, b, tb ? K : N, add, wanted, N);
      /* Two orders of K products of size 1, rounded at 2⁻²⁴ of sums near √K: √K · √K · 2⁻²⁴ each,
       * and as much room again. */
      for (int i = 0; i < M * N; i++)
        g_assert_cmpfloat_with_epsilon (c[i], wanted[i], (float) (K + 4) * 2.4e-7f);
    }
}

/* A row's bits do not depend on the rows beside it, nor on packing. */
static void
test_rows_alone (void)
{
  enum { M = 45, N = 70, K = 512 };
  g_autofree float *a = random_floats ((gsize) M * (gsize) K, 1);
  g_autofree float *b = random_floats ((gsize) K * N, 2);
  g_autofree float *bias = random_floats (N, 3);
  g_autofree float *all = g_new (float, M * N), *row = g_new (float, N);
  g_autofree float *packed = g_new (float, laurel_panels_size (K, N));
  const LaurelPanels panels = { packed, NULL, K, N };
  LaurelProduct product = { .M = M, .N = N, .K = K, .a = a, .row_stride = K, .k_stride = 1, .b = b,
                            .ldb = N, .bias = bias, .c = all, .ldc = N };

  laurel_product_run (&product);
  laurel_panels_pack (packed, b, N, FALSE, K, N);
  product.M = 1;
  product.c = row;
  product.panels = &panels;
  for (int i = 0; i < M; i++) {
    product.a = a + i * K;
    laurel_product_run (&product);
    g_assert_cmpmem (row, N * sizeof *row, all + i * N, N * sizeof *row);
  }
}

static void
check_bias_residual_gelu (int K)
{
  enum { M = 14, N = 40 };
  g_autofree float *a = random_floats ((gsize) M * (gsize) K, 1);
  g_autofree float *b = random_floats ((gsize) K * N, 2);
  g_autofree float *bias = random_floats (N, 3), *residual = random_floats (M * N, 4);
  float y[M * N];

  laurel_product_run (&(LaurelProduct) { .M = M, .N = N, .K = K, .a = a, .row_stride = (gsize) K,
                                         .k_stride = 1, .b = b, .ldb = N, .bias = bias,
                                         .residual = residual, .gelu = TRUE, .c = y, .ldc = N });
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      double x = (double) residual[i * N + j] + (double) bias[j];

      for (int k = 0; k < K; k++)
        x += (double) a[i * K + k] * (double) b[k * N + j];
      x = 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
      /* K + 3 roundings at 2⁻²⁴ of sums near √K */
      g_assert_cmpfloat_with_epsilon ((double) y[i * N + j], x, 2e-7 * (K + 3) * sqrt (K));
    }
}

static void
test_bias_residual_gelu (void)
{
  check_bias_residual_gelu (9);
  check_bias_residual_gelu (5000); /* begins once, and has its GELU once, over two parts of a sum */
}

/* Every instruction set of this processor gives the sums that the plain one gives. */
static void
check_set (const LaurelTileSet *set)
{
  enum { K = 50 };
  g_autofree float *a = random_floats (LAUREL_TILE_ROWS * K, 1);
  g_autofree float *b = random_floats (K * LAUREL_PANEL, 2), *across = g_new (float, 12 * K);
  g_autofree float *widened = g_new (float, K * LAUREL_PANEL);
  g_autofree guint16 *halves = g_new (guint16, K * LAUREL_PANEL);
  const LaurelFetch ahead = laurel_fetch_ahead (b);

  laurel_panels_pack_bf16 (halves, b, LAUREL_PANEL, FALSE, K, LAUREL_PANEL);
  for (int i = 0; i < K * LAUREL_PANEL; i++) {
    int k = i / LAUREL_PANEL, j = i % LAUREL_PANEL;
    guint32 bits = (guint32) halves[k * LAUREL_PANEL + j % 16 * 2 + j / 16] << 16;

    memcpy (&widened[i], &bits, sizeof bits);
    /* eight bits of mantissa: half of the last one is at most 1/256 of the number */
    g_assert_cmpfloat (fabsf (widened[i] - b[i]), <=, fabsf (b[i]) / 256);
  }
  for (int i = 0; i < LAUREL_TILE_ROWS; i++)
    for (int k = 0; k < K; k++)
      across[k * LAUREL_TILE_ROWS + i] = a[i * K + k];
  for (int m = 1; m <= LAUREL_TILE_ROWS; m++) {
    float c[3][LAUREL_TILE_ROWS * LAUREL_PANEL];

    set->rows[m](a, K, b, K, c[0], LAUREL_PANEL, TRUE, ahead);
    set->columns[m](across, LAUREL_TILE_ROWS, b, K, c[1], LAUREL_PANEL, TRUE, ahead);
    g_assert_cmpmem (c[0], (gsize) m * LAUREL_PANEL * 4, c[1], (gsize) m * LAUREL_PANEL * 4);
    set->bf16[m](a, K, halves, K, c[1], LAUREL_PANEL, TRUE, ahead);
    set->rows[m](a, K, widened, K, c[2], LAUREL_PANEL, TRUE, ahead);
    g_assert_cmpmem (c[1], (gsize) m * LAUREL_PANEL * 4, c[2], (gsize) m * LAUREL_PANEL * 4);
    /* Half the sum, then the rest onto it: the same chain. */
    set->rows[m](a, K, b, K / 2, c[1], LAUREL_PANEL, TRUE, ahead);
    set->rows[m](a + K / 2, K, b + K / 2 * LAUREL_PANEL, K - K / 2, c[1], LAUREL_PANEL, FALSE,
                 ahead);
    g_assert_cmpmem (c[0], (gsize) m * LAUREL_PANEL * 4, c[1], (gsize) m * LAUREL_PANEL * 4);
    for (int i = 0; i < m; i++)
      for (int j = 0; j < LAUREL_PANEL; j++) {
        double sum = 0;

        for (int k = 0; k < K; k++)
          sum += (double) a[i * K + k] * (double) b[k * LAUREL_PANEL + j];
        /* 50 roundings of sums up to about 20 */
        g_assert_cmpfloat_with_epsilon ((double) c[0][i * LAUREL_PANEL + j], sum, 5e-5);
      }
  }
}

static void
test_sets (void)
{
  check_set (&laurel_tile_set_plain);
#if defined(__x86_64__)
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    check_set (&laurel_tile_set_avx2);
#endif
  check_set (laurel_tile_set ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/math/matmul/against-blas", test_against_blas);
  g_test_add_func ("/math/matmul/rows-alone", test_rows_alone);
  g_test_add_func ("/math/matmul/bias-residual-gelu", test_bias_residual_gelu);
  g_test_add_func ("/math/tile/sets", test_sets);
  return g_test_run ();
}
