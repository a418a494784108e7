/* matmul.c: products as panels × tiles.
 *
 * One piece of work is a panel of b (32 columns, packed unless it is already) against the rows of
 * a, twelve at a time, over the whole of K: the panel stays in the second-level cache and the rows
 * stream past it. Threads take pieces as they are free.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/math/matmul.h"

#include "core/base/memory.h"
#include "core/math/bf16.h"
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <omp.h>
#include <string.h>

/* Rows this many floats apart, or a multiple, meet in one set of the first-level cache. */
#define CONFLICT_STRIDE 512
#define CACHE_LINE 16 /* floats */
/* Rows, and floats of a row, that are fetched before they are packed: memory's latency. */
#define PACK_ROWS_AHEAD 48
#define PACK_FLOATS_AHEAD 64
/* What is kept of a in padded copies at a time: more would not stay in the last-level cache. */
#define MAX_COPY_FLOATS ((gsize) 2 << 20)
/* Rows of a tall result that are walked together, so that its pages and those of a stay at hand. */
#define MAX_TALL_ROWS (100 * LAUREL_TILE_ROWS)
/* Rows that are cut into tiles together, so that each is read in order. */
#define CUT_ROWS 16
/* Longer sums are cut, so that a panel packed on the way stays in the second-level cache. */
#define MAX_PANEL_ROWS 4096
/* Fewer multiplications are done before a second thread wakes. */
#define PARALLEL_WORK (64.0 * 1024.0)

typedef float Four __attribute__ ((vector_size (16)));
typedef float LooseFour __attribute__ ((vector_size (16), aligned (4), may_alias));

/* --- Packing --------------------------------------------------------------------- */

gsize
laurel_panels_size (int K, int N)
{
  return (gsize) ((N + LAUREL_PANEL - 1) / LAUREL_PANEL) * (gsize) K * LAUREL_PANEL;
}

/* A block of 4 × 4 from rows @ldb apart into columns LAUREL_PANEL apart. */
static inline void
transpose_four (float *out, const float *b, gsize ldb)
{
  Four r0 = *(const LooseFour *) b, r1 = *(const LooseFour *) (b + ldb);
  Four r2 = *(const LooseFour *) (b + 2 * ldb), r3 = *(const LooseFour *) (b + 3 * ldb);
  Four low01 = __builtin_shufflevector (r0, r1, 0, 4, 1, 5);
  Four high01 = __builtin_shufflevector (r0, r1, 2, 6, 3, 7);
  Four low23 = __builtin_shufflevector (r2, r3, 0, 4, 1, 5);
  Four high23 = __builtin_shufflevector (r2, r3, 2, 6, 3, 7);

  *(LooseFour *) out = __builtin_shufflevector (low01, low23, 0, 1, 4, 5);
  *(LooseFour *) (out + LAUREL_PANEL) = __builtin_shufflevector (low01, low23, 2, 3, 6, 7);
  *(LooseFour *) (out + 2 * LAUREL_PANEL) = __builtin_shufflevector (high01, high23, 0, 1, 4, 5);
  *(LooseFour *) (out + 3 * LAUREL_PANEL) = __builtin_shufflevector (high01, high23, 2, 3, 6, 7);
}

static void
pack_transposed (float *out, const float *b, gsize ldb, int K, int width)
{
  int whole_k = K - K % 4, whole_j = width - width % 4;

  /* A cache line of each row at a time. */
  for (int line = 0; line < whole_k; line += 16)
    for (int j = 0; j < whole_j; j += 4) {
      for (int i = 0; i < 4; i++)
        __builtin_prefetch (b + (gsize) (j + i) * ldb + line + PACK_FLOATS_AHEAD);
      for (int k = line; k < MIN (line + 16, whole_k); k += 4)
        transpose_four (out + (gsize) k * LAUREL_PANEL + j, b + (gsize) j * ldb + k, ldb);
    }
  for (int k = 0; k < K; k++)
    for (int j = k < whole_k ? whole_j : 0; j < width; j++)
      out[(gsize) k * LAUREL_PANEL + j] = b[(gsize) j * ldb + k];
}

void
laurel_panel_pack (float *out, const float *b, gsize ldb, gboolean transposed, int K, int N,
                   int column)
{
  int width = MIN (LAUREL_PANEL, N - column);

  if (width < LAUREL_PANEL)
    memset (out, 0, (gsize) K * LAUREL_PANEL * sizeof *out);
  if (transposed) {
    pack_transposed (out, b + (gsize) column * ldb, ldb, K, width);
    return;
  }
  for (int k = 0; k < K; k++) {
    const float *from = b + (gsize) k * ldb + column;

    /* The rows lie pages apart, where the processor fetches nothing by itself. */
    __builtin_prefetch (from + PACK_ROWS_AHEAD * ldb);
    __builtin_prefetch (from + PACK_ROWS_AHEAD * ldb + 16);
    if (width == LAUREL_PANEL)
      memcpy (out + (gsize) k * LAUREL_PANEL, from, LAUREL_PANEL * sizeof *out);
    else
      memcpy (out + (gsize) k * LAUREL_PANEL, from, (gsize) width * sizeof *out);
  }
}

void
laurel_panels_pack (float *out, const float *b, gsize ldb, gboolean transposed, int K, int N)
{
#pragma omp parallel for schedule(static)
  for (int column = 0; column < N; column += LAUREL_PANEL)
    laurel_panel_pack (out + (gsize) column * (gsize) K, b, ldb, transposed, K, N, column);
}

/* Columns j and j + 16 of each row go side by side: see tile.h. */
static void
round_panel (guint16 *out, const float *panel, int K)
{
  const int half = LAUREL_PANEL / 2;

  for (gsize k = 0; k < (gsize) K; k++, out += LAUREL_PANEL, panel += LAUREL_PANEL)
    for (int j = 0; j < half; j++) {
      out[2 * j] = laurel_bf16_from_float (panel[j]);
      out[2 * j + 1] = laurel_bf16_from_float (panel[j + half]);
    }
}

void
laurel_panels_pack_bf16 (guint16 *out, const float *b, gsize ldb, gboolean transposed, int K, int N)
{
  gsize size = (gsize) K * LAUREL_PANEL;

#pragma omp parallel for schedule(static)
  for (int column = 0; column < N; column += LAUREL_PANEL) {
    float *panel = laurel_scratch_get (LAUREL_SCRATCH_PANEL, size * sizeof (float));

    laurel_panel_pack (panel, b, ldb, transposed, K, N, column);
    round_panel (out + (gsize) column * (gsize) K, panel, K);
  }
}

/* --- Rows of a ----------------------------------------------------------------- */

/* Whether a is copied to where its rows, or columns, do not meet in the cache. */
static gboolean
must_copy (const LaurelProduct *p)
{
  if (p->k_stride != 1)
    return !laurel_tile_set ()->one_pass || p->k_stride % CONFLICT_STRIDE == 0
           || p->k_stride % CACHE_LINE != 0;
  return p->row_stride % CONFLICT_STRIDE == 0 && p->M > 4 && p->N > 2 * LAUREL_PANEL;
}

/* Rows first_row … + n − 1 into copies K + LAUREL_ROW_PADDING apart, by the team. */
static void
pad_rows (float *out, const LaurelProduct *p, int first_row, int n)
{
#pragma omp for schedule(static)
  for (int i = 0; i < n; i++)
    memcpy (out + (gsize) i * (gsize) (p->K + LAUREL_ROW_PADDING),
            p->a + (gsize) (first_row + i) * p->row_stride, (gsize) p->K * sizeof *out);
}

/* The same rows, which are columns in memory, into tiles of (K, 12). */
static void
cut_columns (float *out, const LaurelProduct *p, int first_row, int n)
{
#pragma omp for schedule(static)
  for (int start = 0; start < p->K; start += CUT_ROWS)
    for (int i = 0; i < n; i += LAUREL_TILE_ROWS)
      for (int k = start; k < MIN (start + CUT_ROWS, p->K); k++) {
        const float *from = p->a + (gsize) k * p->k_stride + first_row + i;
        float *to = out + (gsize) i * (gsize) p->K + (gsize) k * LAUREL_TILE_ROWS;

        if (i + LAUREL_TILE_ROWS <= n)
          memcpy (to, from, LAUREL_TILE_ROWS * sizeof *to);
        else
          memcpy (to, from, (gsize) (n - i) * sizeof *to);
      }
}

/* --- Products ------------------------------------------------------------------ */

LAUREL_CLONES static void
add_row (float *restrict to, const float *restrict x, const float *restrict y, int n)
{
  for (int j = 0; j < n; j++)
    to[j] = x[j] + y[j];
}

/* c = residual + bias where there is either; returns whether c is to begin as zero. */
static gboolean
begin_tile (const LaurelProduct *p, float *c, gsize ldc, int row, int m, int column, int width)
{
  gsize size = (gsize) width * sizeof *c;

  if (p->residual == NULL && p->bias == NULL)
    return TRUE;
  for (int i = 0; i < m; i++) {
    float *to = c + (gsize) i * ldc;
    const float *residual =
        p->residual != NULL ? p->residual + (gsize) (row + i) * p->ldc + column : NULL;

    if (residual == NULL)
      memcpy (to, p->bias + column, size);
    else if (p->bias != NULL)
      add_row (to, residual, p->bias + column, width);
    else if (residual != to)
      memcpy (to, residual, size);
  }
  return FALSE;
}

/* A panel of b in either form, and what is fetched while it is used. */
typedef struct {
  const float *floats;
  const guint16 *halves;
  LaurelFetch fetch;
} Panel;

/* @a is where the tile's first row stands; its rows, or its columns, are @stride apart. */
static void
run_tile (const LaurelTileSet *set, const LaurelProduct *p, const float *a, gsize stride,
          const Panel *panel, int row, int m, int column)
{
  float edge[LAUREL_TILE_ROWS * LAUREL_PANEL];
  int width = MIN (LAUREL_PANEL, p->N - column);
  float *c = p->c + (gsize) row * p->ldc + column;
  float *to = width == LAUREL_PANEL ? c : edge;
  gsize ldc = width == LAUREL_PANEL ? p->ldc : LAUREL_PANEL;
  gboolean from_zero;

  if (width < LAUREL_PANEL)
    memset (edge, 0, sizeof edge);
  from_zero = begin_tile (p, to, ldc, row, m, column, width);
  if (p->k_stride != 1)
    set->columns[m](a, stride, panel->floats, p->K, to, ldc, from_zero, panel->fetch);
  else if (panel->floats != NULL)
    set->rows[m](a, stride, panel->floats, p->K, to, ldc, from_zero, panel->fetch);
  else
    set->bf16[m](a, stride, panel->halves, p->K, to, ldc, from_zero, panel->fetch);
  if (p->gelu)
    for (int i = 0; i < m; i++)
      laurel_gelu_few (to + (gsize) i * ldc, to + (gsize) i * ldc, (gsize) width);
  if (width < LAUREL_PANEL)
    for (int i = 0; i < m; i++)
      memcpy (c + (gsize) i * p->ldc, edge + i * LAUREL_PANEL, (gsize) width * sizeof *c);
}

/* The tile after this one writes to lines that the processor does not expect. */
static void
fetch_tile (const LaurelProduct *p, int row, int last, int column)
{
  for (int i = row; i < MIN (row + LAUREL_TILE_ROWS, last); i++) {
    __builtin_prefetch (p->c + (gsize) i * p->ldc + column, 1);
    __builtin_prefetch (p->c + (gsize) i * p->ldc + column + 16, 1);
  }
}

/* Where rows of a stand: row i begins at a + i · step, and its numbers, or those of the tile's
 * columns, are found with @stride. */
typedef struct {
  const float *a;
  gsize step, stride;
} Rows;

static Panel
find_panel (const LaurelProduct *p, int column)
{
  gsize at = (gsize) column * (gsize) p->K, size = (gsize) p->K * LAUREL_PANEL;
  float *packed;

  if (p->panels != NULL && p->panels->floats != NULL)
    return (Panel) { .floats = p->panels->floats + at };
  if (p->panels != NULL)
    return (Panel) { .halves = p->panels->halves + at };
  packed = laurel_scratch_get (LAUREL_SCRATCH_PANEL, size * sizeof (float));
  laurel_panel_pack (packed, p->b, p->ldb, p->b_transposed, p->K, p->N, column);
  return (Panel) { .floats = packed };
}

/* Tile @t of @n: the first and only one fetches its own panel, a latency ahead; several bring the
 * next panel in, each its share, so that memory works all the time. */
static LaurelFetch
plan_fetch (const LaurelProduct *p, const Panel *panel, int t, int n)
{
  gsize row = LAUREL_PANEL * (panel->floats != NULL ? sizeof (float) : sizeof (guint16));
  gsize share = row / (gsize) n;
  const char *start = panel->floats != NULL ? (const char *) panel->floats
                                            : (const char *) panel->halves;

  if (n == 1 || p->panels == NULL)
    return (LaurelFetch) { start + LAUREL_FETCH_AHEAD, row };
  return (LaurelFetch) { start + (gsize) p->K * (row + (gsize) t * share), share };
}

/* Rows first … last − 1 of c, those of @rows from @skip on, against the panel of @column, @height
 * rows at a time. */
static void
run_panel (const LaurelTileSet *set, const LaurelProduct *p, const Rows *rows, int skip, int first,
           int last, int height, int column)
{
  const float *a = rows->a + (gsize) skip * rows->step;
  Panel panel = find_panel (p, column);
  int n = (last - first + height - 1) / height;

  for (int t = 0, row = first; t < n; t++, row += height) {
    panel.fetch = plan_fetch (p, &panel, t, n);
    fetch_tile (p, row + height, last, column);
    run_tile (set, p, a + (gsize) (row - first) * rows->step, rows->stride, &panel, row,
              MIN (height, last - row), column);
  }
}

/* Rows first_row … + n − 1 of c, by the whole team. @copy: room for those of a, or NULL. */
static void
run_rows (const LaurelProduct *p, int first_row, int n, float *copy)
{
  const LaurelTileSet *set = laurel_tile_set ();
  gboolean columns = p->k_stride != 1;
  Rows rows = { p->a + (gsize) first_row * p->row_stride, columns ? 1 : p->row_stride,
                columns ? p->k_stride : p->row_stride };
  int n_panels = (p->N + LAUREL_PANEL - 1) / LAUREL_PANEL;
  int n_tiles = (n + LAUREL_TILE_ROWS - 1) / LAUREL_TILE_ROWS;
  /* Few panels among many threads: part the rows as well. */
  int n_splits = CLAMP (4 * laurel_n_threads () / n_panels, 1, n_tiles);
  int split = (n_tiles + n_splits - 1) / n_splits * LAUREL_TILE_ROWS;

  if (copy != NULL && columns)
    rows = (Rows) { copy, (gsize) p->K, LAUREL_TILE_ROWS };
  else if (copy != NULL)
    rows = (Rows) { copy, (gsize) (p->K + LAUREL_ROW_PADDING),
                    (gsize) (p->K + LAUREL_ROW_PADDING) };

#pragma omp parallel if ((double) n * p->N * p->K > PARALLEL_WORK)
  {
    if (copy != NULL && columns)
      cut_columns (copy, p, first_row, n);
    else if (copy != NULL)
      pad_rows (copy, p, first_row, n);
#pragma omp for schedule(dynamic) collapse(2) nowait
    for (int panel = 0; panel < n_panels; panel++)
      for (int first = 0; first < n; first += split)
        run_panel (set, p, &rows, first, first_row + first, first_row + MIN (n, first + split),
                   LAUREL_TILE_ROWS, panel * LAUREL_PANEL);
  }
}

static void
run_product (const LaurelProduct *p)
{
  int at_once = p->k_stride == 1 ? p->M : MIN (p->M, MAX_TALL_ROWS);
  float *copy = NULL;

  if (must_copy (p)) {
    gsize row_floats = (gsize) (p->K + LAUREL_ROW_PADDING), tiles;

    at_once = (int) MIN ((gsize) at_once, MAX (MAX_COPY_FLOATS / row_floats / LAUREL_TILE_ROWS, 8)
                                          * LAUREL_TILE_ROWS);
    tiles = (gsize) (at_once + LAUREL_TILE_ROWS - 1) / LAUREL_TILE_ROWS;
    copy = laurel_scratch_get (LAUREL_SCRATCH_ROW_COPY,
                               tiles * LAUREL_TILE_ROWS * row_floats * sizeof (float));
  }
  for (int row = 0; row < p->M; row += at_once)
    run_rows (p, row, MIN (at_once, p->M - row), copy);
}

/* The part of @p's sums over k from @first on; those of the parts before are in c. */
static LaurelProduct
cut_sums (const LaurelProduct *p, int first)
{
  LaurelProduct part = *p;

  part.K = MIN (MAX_PANEL_ROWS, p->K - first);
  part.a += (gsize) first * p->k_stride;
  part.b += (gsize) first * (p->b_transposed ? 1 : p->ldb);
  part.gelu = p->gelu && first + part.K == p->K;
  if (first > 0) {
    part.residual = p->c;
    part.bias = NULL;
  }
  return part;
}

void
laurel_product_run (const LaurelProduct *p)
{
  if (p->M == 0 || p->N == 0)
    return;
  if (p->panels != NULL || p->K <= MAX_PANEL_ROWS) {
    run_product (p);
    return;
  }
  for (int first = 0; first < p->K; first += MAX_PANEL_ROWS) {
    const LaurelProduct part = cut_sums (p, first);

    run_product (&part);
  }
}

void
laurel_product_share (const LaurelProduct *p)
{
  const LaurelTileSet *set = laurel_tile_set ();
  const Rows rows = { p->a, p->row_stride, p->row_stride };
  int n_tiles = (p->M + LAUREL_TILE_ROWS - 1) / LAUREL_TILE_ROWS;
  int height = (p->M + n_tiles - 1) / n_tiles; /* tiles of one size ask memory evenly */

#pragma omp for schedule(static) nowait
  for (int column = 0; column < p->N; column += LAUREL_PANEL)
    run_panel (set, p, &rows, 0, 0, p->M, height, column);
}

void
laurel_matmul (gboolean transpose_a, gboolean transpose_b, int M, int N, int K, const float *a,
               int lda, const float *b, int ldb, gboolean add, float *c, int ldc)
{
  laurel_product_run (&(LaurelProduct) {
      .M = M, .N = N, .K = K, .a = a, .row_stride = transpose_a ? 1 : (gsize) lda,
      .k_stride = transpose_a ? (gsize) lda : 1, .b = b, .ldb = (gsize) ldb,
      .b_transposed = transpose_b, .residual = add ? c : NULL, .c = c, .ldc = (gsize) ldc });
}
