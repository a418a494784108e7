/* test-kernels.c: each backward kernel against central differences of its forward.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"
#include "core/math/attention.h"
#include "core/math/kernels.h"
#include "core/math/simd.h"

#include <math.h>
#include <string.h>

/* A float32 forward pass has a relative error near 1e-6; a central difference with h = 1e-2
 * divides it by 2h and adds O(h²) curvature: together about 1e-3 of the largest gradient. */
#define STEP 1e-2f
#define TOLERANCE 2e-3

static void
fill (float *x, int n, guint64 row)
{
  LaurelRng rng;

  laurel_rng_init (&rng, 7, LAUREL_RNG_TEST, 0, row);
  for (int i = 0; i < n; i++)
    x[i] = (float) laurel_rng_normal (&rng);
}

/* Σ y ∘ c with a fixed random c: its gradient with respect to y is c. */
static double
weighted_sum (const float *y, const float *c, int n)
{
  double sum = 0;

  for (int i = 0; i < n; i++)
    sum += (double) y[i] * c[i];
  return sum;
}

typedef struct {
  const char *path;
  int n; /* parameters: inputs and weights in one vector */
  double (*loss) (const float *params);
  void (*gradient) (const float *params, float *out);
} Case;

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree float *params = g_new (float, (gsize) c->n);
  g_autofree float *gradient = g_new0 (float, (gsize) c->n);
  double largest = 0;

  fill (params, c->n, 1);
  c->gradient (params, gradient);
  for (int i = 0; i < c->n; i++)
    largest = MAX (largest, fabs ((double) gradient[i]));
  g_assert_cmpfloat (largest, >, 0);
  for (int i = 0; i < c->n; i++) {
    float kept = params[i];
    double up, down;

    params[i] = kept + STEP;
    up = c->loss (params);
    params[i] = kept - STEP;
    down = c->loss (params);
    params[i] = kept;
    g_assert_cmpfloat_with_epsilon ((up - down) / (2.0 * (double) STEP), (double) gradient[i],
                                    TOLERANCE * MAX (largest, 1.0));
  }
}

/* --- linear: x (5, 7), w (7, 6), b (6) ------------------------------------------- */

enum { LN = 5, LI = 7, LO = 6 };

static double
linear_loss (const float *p)
{
  float y[LN * LO], c[LN * LO];

  fill (c, LN * LO, 2);
  laurel_linear_forward (y, LO, NULL, p, LI, p + LN * LI, p + LN * LI + LI * LO, LN, LI, LO);
  return weighted_sum (y, c, LN * LO);
}

static void
linear_gradient (const float *p, float *g)
{
  float c[LN * LO];

  fill (c, LN * LO, 2);
  laurel_linear_backward (g, g + LN * LI, g + LN * LI + LI * LO, c, LO, p, LI, p + LN * LI, LN, LI,
                          LO);
}

/* --- layernorm: x (4, 33), w (33), b (33); odd width exercises the vector loops' tails --- */

enum { NN = 4, NC = 33 };

static double
layernorm_loss (const float *p)
{
  float y[NN * NC], mean[NN], rstd[NN], c[NN * NC];

  fill (c, NN * NC, 3);
  laurel_layernorm_forward (y, mean, rstd, p, p + NN * NC, p + NN * NC + NC, NN, NC, 1e-5f);
  return weighted_sum (y, c, NN * NC);
}

static void
layernorm_gradient (const float *p, float *g)
{
  float y[NN * NC], mean[NN], rstd[NN], c[NN * NC];

  fill (c, NN * NC, 3);
  laurel_layernorm_forward (y, mean, rstd, p, p + NN * NC, p + NN * NC + NC, NN, NC, 1e-5f);
  laurel_layernorm_backward (g, g + NN * NC, g + NN * NC + NC, c, p, mean, rstd, p + NN * NC, NN,
                             NC);
}

/* --- gelu ------------------------------------------------------------------------ */

enum { GN = 50 };

static double
gelu_loss (const float *p)
{
  float y[GN], c[GN];

  fill (c, GN, 4);
  laurel_gelu_forward (y, p, GN);
  return weighted_sum (y, c, GN);
}

static void
gelu_gradient (const float *p, float *g)
{
  float c[GN];

  fill (c, GN, 4);
  laurel_gelu_backward (g, c, p, GN);
}

/* --- attention: two sequences of 3 and 70 tokens (over one query block), 2 heads of 4 --- */

enum { AN = 73, AH = 2, AC = 8 };
static const gint32 attention_offsets[] = { 0, 3, AN };

static double
attention_loss (const float *p)
{
  float y[AN * AC], log_sums[AN * AH], c[AN * AC];

  fill (c, AN * AC, 5);
  laurel_attention_forward (y, log_sums, p, attention_offsets, 2, AH, AC);
  return weighted_sum (y, c, AN * AC);
}

static void
attention_gradient (const float *p, float *g)
{
  float y[AN * AC], log_sums[AN * AH], c[AN * AC];

  fill (c, AN * AC, 5);
  laurel_attention_forward (y, log_sums, p, attention_offsets, 2, AH, AC);
  laurel_attention_backward (g, c, y, log_sums, p, attention_offsets, 2, AH, AC);
}

/* --- embedding: repeated tokens and positions add up ------------------------------- */

enum { EN = 6, EC = 5, EV = 4, EP = 3 };
static const gint32 embedding_tokens[EN] = { 3, 1, 1, 0, 3, 3 },
embedding_positions[EN] = { 0, 1, 2, 0, 1, 2 };

static double
embedding_loss (const float *p)
{
  float x[EN * EC], c[EN * EC];

  fill (c, EN * EC, 6);
  laurel_embedding_forward (x, embedding_tokens, embedding_positions, p, p + EV * EC, EN, EC);
  return weighted_sum (x, c, EN * EC);
}

static void
embedding_gradient (const float *p, float *g)
{
  float c[EN * EC];

  fill (c, EN * EC, 6);
  laurel_embedding_backward (g, g + EV * EC, c, embedding_tokens, embedding_positions, EN, EC);
}

/* --- log-softmax at temperature 0.7 ----------------------------------------------- */

enum { SV = 37, TARGET = 5 };

static double
softmax_loss (const float *p)
{
  float logits[SV];

  memcpy (logits, p, sizeof logits);
  laurel_log_softmax (logits, SV, 0.7);
  return (double) logits[TARGET];
}

static void
softmax_gradient (const float *p, float *g)
{
  memcpy (g, p, SV * sizeof *g);
  laurel_softmax_backward (g, SV, 0.7, laurel_log_sum_exp (p, SV, 0.7), TARGET, 1.0);
}

static const Case cases[] = {
  { "/math/linear/backward", LN * LI + LI * LO + LO, linear_loss, linear_gradient },
  { "/math/layernorm/backward", NN * NC + 2 * NC, layernorm_loss, layernorm_gradient },
  { "/math/gelu/backward", GN, gelu_loss, gelu_gradient },
  { "/math/attention/backward", AN * 3 * AC, attention_loss, attention_gradient },
  { "/math/embedding/backward", EV * EC + EP * EC, embedding_loss, embedding_gradient },
  { "/math/softmax/backward", SV, softmax_loss, softmax_gradient },
};

/* --- Forward passes against plain loops in double ----------------------------------- */

static void
test_expf (void)
{
  for (double x = -86; x < 88; x += 0.0137) {
    double wanted = exp ((double) (float) x);

    /* 4e-7: about three units in the last place of a float. */
    g_assert_cmpfloat (fabs ((double) laurel_expf ((float) x) - wanted), <=, 4e-7 * wanted);
  }
  g_assert_cmpfloat (laurel_expf (-1000.0f), <, 1e-37f);
  g_assert_true (isnan (laurel_expf (NAN)));
}

static void
test_attention_forward (void)
{
  float qkv[AN * 3 * AC], y[AN * AC], log_sums[AN * AH];
  int D = AC / AH;

  fill (qkv, AN * 3 * AC, 1);
  laurel_attention_forward (y, log_sums, qkv, attention_offsets, 2, AH, AC);
  for (int b = 0; b < 2; b++)
    for (int i = attention_offsets[b]; i < attention_offsets[b + 1]; i++)
      for (int h = 0; h < AH; h++) {
        double weights[AN], total = 0, out[AC] = { 0 };

        for (int j = attention_offsets[b]; j <= i; j++) {
          double score = 0;

          for (int d = 0; d < D; d++)
            score += (double) qkv[i * 3 * AC + h * D + d] * qkv[j * 3 * AC + AC + h * D + d];
          weights[j] = exp (score / sqrt (D));
          total += weights[j];
        }
        for (int j = attention_offsets[b]; j <= i; j++)
          for (int d = 0; d < D; d++)
            out[d] += weights[j] / total * (double) qkv[j * 3 * AC + 2 * AC + h * D + d];
        for (int d = 0; d < D; d++) /* 1e-5: float32 sums over at most 70 terms of size 1 */
          g_assert_cmpfloat_with_epsilon ((double) y[i * AC + h * D + d], out[d], 1e-5);
      }
}

static void
test_attention_decode (void)
{
  enum { D = AC / AH };
  float qkv[AN * 3 * AC], y[AN * AC], log_sums[AN * AH], last[2 * D];
  int n = attention_offsets[2] - attention_offsets[1], shared = 20, own = n - shared;
  const float *first = qkv + attention_offsets[1] * 3 * AC;
  g_autofree float *blocks = g_new0 (float, 4 * laurel_head_cache_size (n, D));
  g_autofree float *scratch = g_new0 (float, laurel_attention_decode_scratch (n, D));
  float *parts[4];

  for (int i = 0; i < 4; i++)
    parts[i] = blocks + (gsize) i * laurel_head_cache_size (n, D);
  fill (qkv, AN * 3 * AC, 1);
  laurel_attention_forward (y, log_sums, qkv, attention_offsets, 2, AH, AC);
  for (int h = 0; h < AH; h++) {
    const float *k = first + AC + h * D, *v = k + AC;
    const LaurelHeadCache prompt = { parts[0], parts[1], shared, shared };
    const LaurelHeadCache owns[] = { { parts[2], parts[3], own, own },
                                     { parts[2], parts[3], own - 3, own } };
    const float *q = first + (n - 1) * 3 * AC + h * D;

    laurel_attention_pack_across (parts[0], k, 3 * AC, shared, D);
    laurel_attention_pack_along (parts[1], v, 3 * AC, shared, D, shared);
    for (int t = 0; t < own; t++)
      laurel_head_cache_put (parts[2], parts[3], own, t, k + (shared + t) * 3 * AC,
                             v + (shared + t) * 3 * AC, D);
    /* The last token, and the one three before it beside it. */
    laurel_attention_decode (last, D, q, (gsize) 0 - 9 * AC, 2, &prompt, owns, D, scratch);
    /* the same bits, cut into prompt and completion or not */
    for (int r = 0; r < 2; r++)
      g_assert_cmpmem (last + r * D, D * sizeof *last, y + (AN - 1 - 3 * r) * AC + h * D,
                       D * sizeof *last);
  }
}

static void
test_entropy_and_kl (void)
{
  float p[3] = { logf (0.5f), logf (0.25f), logf (0.25f) }, q[3] = { 0, 0, 0 };
  double entropy;

  entropy = laurel_log_softmax (p, 3, 1.0);
  g_assert_cmpfloat_with_epsilon (entropy, 1.5 * log (2), 1e-6); /* float32 logits */
  laurel_log_softmax (q, 3, 1.0);
  g_assert_cmpfloat_with_epsilon (laurel_kl_divergence (p, q, 3), log (3) - 1.5 * log (2), 1e-6);
  g_assert_cmpfloat_with_epsilon (laurel_kl_divergence (p, p, 3), 0, 1e-9);
}

static void
test_adamw (void)
{
  /* Two steps by hand in double, from the paper's formulae. */
  float w[1] = { 0.5f }, m[1] = { 0 }, v[1] = { 0 };
  double wd = 0.5, md = 0, vd = 0;

  for (int step = 1; step <= 2; step++) {
    float g[1] = { step == 1 ? 0.3f : -2.0f };
    double gd = (double) g[0] * 0.5;
    LaurelAdamW params = { 0.01, 0.9, 0.99, 1e-8, 0.1, 0.5, step };

    laurel_adamw_update (w, g, m, v, 1, &params);
    wd -= 0.01 * 0.1 * wd;
    md = 0.9 * md + 0.1 * gd;
    vd = 0.99 * vd + 0.01 * gd * gd;
    wd -= 0.01 * (md / (1 - pow (0.9, step))) / (sqrt (vd / (1 - pow (0.99, step))) + 1e-8);
    g_assert_cmpfloat_with_epsilon ((double) w[0], wd, 1e-7); /* one rounding of a float near 0.5 */
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, &cases[i], test_case);
  g_test_add_func ("/math/expf/accuracy", test_expf);
  g_test_add_func ("/math/attention/forward", test_attention_forward);
  g_test_add_func ("/math/attention/decode-equals-forward", test_attention_decode);
  g_test_add_func ("/math/softmax/entropy-and-kl", test_entropy_and_kl);
  g_test_add_func ("/math/adamw/two-steps", test_adamw);
  return g_test_run ();
}
