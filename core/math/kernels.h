/* kernels.h: forward and backward over float arrays.
 *
 * N tokens, C channels (n_embd), H heads, D = C/H, V vocabulary, B sequences.
 * Matrices are row-major. A backward pass adds (+=) into the gradients of
 * weights, and sets (=) the gradient of its input unless it says otherwise.
 * Kernels run on the OpenMP team of the calling thread; their results depend
 * only on their arguments and the number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* --- matmul.c (and matmul.h, for packed matrices) -------------------------- */

/* c (M, N) = op (a) · op (b), added to c if @add, with row strides lda, ldb, ldc. An element's bits depend on its
 * row of op (a) and its column of op (b) alone. */
void laurel_matmul (gboolean transpose_a, gboolean transpose_b, int M, int N, int K, const float *a,
                    int lda, const float *b, int ldb, gboolean add, float *c, int ldc);

/* --- blas.c: the one file that knows OpenBLAS, as a yardstick ---------------- */

/* laurel_matmul() by OpenBLAS: what tests compare with and benchmarks measure against. */
void laurel_blas_matmul (gboolean transpose_a, gboolean transpose_b, int M, int N, int K, const float *a,
                         int lda, const float *b, int ldb, gboolean add, float *c, int ldc);
const char *laurel_blas_describe (void); /* "OpenBLAS 0.3.21 SkylakeX" */

/* --- linear.c ------------------------------------------------------------ */

int laurel_n_threads (void);

/* y (N, OC) = residual (N, OC) + x (N, IC) · w (IC, OC) + b (OC), Hugging Face's Conv1D. @residual and @b may be
 * NULL, @residual may be @y. Rows of x stand x_stride apart, those of y and residual y_stride. */
void laurel_linear_forward (float *y, gsize y_stride, const float *residual, const float *x, gsize x_stride,
                            const float *w, const float *b, int N, int IC, int OC);
/* dw += xᵀ · dy; db += Σ rows of dy; then dx = dy · wᵀ, whose rows stand as those of x. db may be NULL; dx may be
 * NULL or x itself. */
void laurel_linear_backward (float *dx, float *dw, float *db, const float *dy, gsize dy_stride, const float *x,
                             gsize x_stride, const float *w, int N, int IC, int OC);

/* --- embedding.c --------------------------------------------------------- */

/* x (N, C) = wte[tokens] + wpe[positions] */
void laurel_embedding_forward (float *x, const gint32 *tokens, const gint32 *positions, const float *wte, const float *wpe, int N, int C);
/* dwte[tokens] += dx; dwpe[positions] += dx */
void laurel_embedding_backward (float *dwte, float *dwpe, const float *dx, const gint32 *tokens, const gint32 *positions, int N, int C);

/* --- layernorm.c --------------------------------------------------------- */

/* y = (x − mean) · rstd · w + b per row; mean (N) and rstd (N) are kept for backward.
 * Ba, Kiros, Hinton, “Layer normalization”, 2016. */
void laurel_layernorm_forward (float *y, float *mean, float *rstd, const float *x, const float *w, const float *b, int N, int C, float epsilon);
/* The same y again, from the mean and rstd that forward left. */
void laurel_layernorm_again (float *y, const float *mean, const float *rstd, const float *x, const float *w, const float *b, int N, int C);
/* One row, by the calling thread alone. */
void laurel_layernorm_row (float *y, float *mean, float *rstd, const float *x, const float *w, const float *b, int C, float epsilon);
/* dx += …; dw += …; db += …: dx adds, since the residual stream's gradient passes beside the norm. */
void laurel_layernorm_backward (float *dx, float *dw, float *db, const float *dy, const float *x, const float *mean, const float *rstd, const float *w, int N, int C);

/* --- gelu.c -------------------------------------------------------------- */

/* y = ½ x (1 + tanh (√(2/π) (x + 0.044715 x³))), “gelu_new”. Hendrycks and Gimpel, 2016. */
void laurel_gelu_forward (float *y, const float *x, gsize n);
void laurel_gelu_few (float *y, const float *x, gsize n); /* by the calling thread alone */
/* dx = dy · gelu′(x); dx may be dy. */
void laurel_gelu_backward (float *dx, const float *dy, const float *x, gsize n);

/* --- attention.c --------------------------------------------------------- */

/* Causal self-attention within each sequence: y (N, C) from qkv (N, 3C) [q | k | v], heads side by side.
 * log_sums (N, H) keeps log Σ exp of each row of scores, from which backward makes the weights again:
 * T × T weights are never stored (Dao et al., FlashAttention, 2022). */
void laurel_attention_forward (float *y, float *log_sums, const float *qkv, const gint32 *offsets, int B, int H, int C);
void laurel_attention_backward (float *dqkv, const float *dy, const float *y, const float *log_sums, const float *qkv, const gint32 *offsets, int B, int H, int C);

/* --- softmax.c ----------------------------------------------------------- */

/* logits (V) become log-probabilities at @temperature, in place; returns the entropy in nats. */
double laurel_log_softmax (float *logits, int V, double temperature);
/* logits (V) stay; returns log Σ exp (logits/temperature). */
double laurel_log_sum_exp (const float *logits, int V, double temperature);
/* From logits (V): dlogits in place: dlogprob · (1[v = target] − π_v) / temperature. @log_sum is laurel_log_sum_exp(). */
void laurel_softmax_backward (float *logits, int V, double temperature, double log_sum, int target, double dlogprob);
/* Σ_v π_v · (log π_v − log ρ_v) from two rows of log-probabilities. */
double laurel_kl_divergence (const float *logp, const float *ref_logp, int V);

/* --- adamw.c ------------------------------------------------------------- */

typedef struct {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double gradient_scale; /* multiplies g: clipping */
  int step;              /* from 1 */
} LaurelAdamW;

/* Decoupled weight decay, bias-corrected moments, ε outside the root (PyTorch's form).
 * Loshchilov and Hutter, “Decoupled weight decay regularization”, 2019. */
void laurel_adamw_update (float *w, const float *g, float *m, float *v, gsize n, const LaurelAdamW *params);
double laurel_sum_squares (const float *x, gsize n); /* in double, in a fixed order */

G_END_DECLS
