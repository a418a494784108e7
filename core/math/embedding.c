/* SPDX-License-Identifier: Apache-2.0 */
#include "core/math/kernels.h"

void
laurel_embedding_forward (float *x, const gint32 *tokens, const gint32 *positions, const float *wte,
                          const float *wpe, int N, int C)
{
#pragma omp parallel for schedule(static)
  for (int i = 0; i < N; i++) {
    const float *token = wte + (gsize) tokens[i] * C;
    const float *position = wpe + (gsize) positions[i] * C;
    float *row = x + (gsize) i * C;

    for (int c = 0; c < C; c++)
      row[c] = token[c] + position[c];
  }
}

/* Two tokens may share a row of dwte, so threads split the channels, not the tokens. */
void
laurel_embedding_backward (float *dwte, float *dwpe, const float *dx, const gint32 *tokens,
                           const gint32 *positions, int N, int C)
{
#pragma omp parallel for schedule(static)
  for (int start = 0; start < C; start += 64) {
    int width = MIN (64, C - start);

    for (int i = 0; i < N; i++) {
      const float *row = dx + (gsize) i * C + start;
      float *token = dwte + (gsize) tokens[i] * C + start;
      float *position = dwpe + (gsize) positions[i] * C + start;

      for (int c = 0; c < width; c++) {
        token[c] += row[c];
        position[c] += row[c];
      }
    }
  }
}
