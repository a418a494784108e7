/* blas.c: OpenBLAS, the yardstick of tests and of laurelctl bench. The engine has its own products.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"

#include <cblas.h>
#include <string.h>

void
laurel_blas_matmul (gboolean transpose_a, gboolean transpose_b, int M, int N, int K, const float *a,
                    int lda, const float *b, int ldb, gboolean add, float *c, int ldc)
{
  cblas_sgemm (CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
               transpose_b ? CblasTrans : CblasNoTrans, M, N, K, 1, a, lda, b, ldb, add ? 1 : 0, c,
               ldc);
}

const char *
laurel_blas_describe (void)
{
  static char text[160];
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    g_autofree char *config = g_strdup (openblas_get_config ());
    char *space = strchr (config, ' ');

    /* name and version are the first two words */
    space = space != NULL ? strchr (space + 1, ' ') : NULL;
    if (space != NULL)
      *space = '\0';
    g_snprintf (text, sizeof text, "%s %s", config, openblas_get_corename ());
    g_once_init_leave (&once, 1);
  }
  return text;
}
