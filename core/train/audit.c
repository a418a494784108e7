/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/audit.h"

#include <math.h>

#define MIN_EFFECTIVE 16.0
/* Halvings of an interval of log b: far below what the samples tell. */
#define N_HALVINGS 60

typedef struct {
  const double *scores;
  int n;
  double max;
  double kl;
} Problem;

/* log of the mean of e^(r/b), and how many equal weights say as much: (Σw)² / Σw². */
static double
log_mean (const Problem *self, double b, double *effective)
{
  double sum = 0, squares = 0;

  for (int i = 0; i < self->n; i++) {
    double w = exp ((self->scores[i] - self->max) / b);

    sum += w;
    squares += w * w;
  }
  if (effective != NULL)
    *effective = sum * sum / squares;
  return self->max / b + log (sum / self->n);
}

static double
bound_at (const Problem *self, double b)
{
  return b * self->kl + b * log_mean (self, b, NULL);
}

/* The log of the smallest b at which enough samples count; more do as b grows. */
static double
find_least (const Problem *self, double low, double high)
{
  double enough = MIN (MIN_EFFECTIVE, self->n / 4.0);

  for (int i = 0; i < N_HALVINGS; i++) {
    double middle = (low + high) / 2, effective;

    (void) log_mean (self, exp (middle), &effective);
    if (effective >= enough)
      high = middle;
    else
      low = middle;
  }
  return high;
}

/* The bound is convex in b, so thirds that do not hold the least can go. */
static double
minimise (const Problem *self, double low, double high)
{
  for (int i = 0; i < 2 * N_HALVINGS; i++) {
    double third = (high - low) / 3;

    if (bound_at (self, exp (low + third)) <= bound_at (self, exp (high - third)))
      high -= third;
    else
      low += third;
  }
  return exp ((low + high) / 2);
}

LaurelAuditBound
laurel_audit_bound (const double *scores, int n, double kl)
{
  Problem problem = { scores, n, -INFINITY, MAX (kl, 0) };
  LaurelAuditBound out;
  double min = INFINITY, range, effective, high;

  g_return_val_if_fail (n >= 2, ((LaurelAuditBound) { INFINITY, NAN, NAN }));

  for (int i = 0; i < n; i++) {
    problem.max = MAX (problem.max, scores[i]);
    min = MIN (min, scores[i]);
  }
  range = problem.max - min;
  if (!(range > 0))
    return (LaurelAuditBound) { problem.max, 0, 0 };
  /* At a million times their range all weights are one to six digits. */
  high = log (range * 1e6);
  out.b = minimise (&problem, find_least (&problem, log (range * 1e-3), high), high);
  out.bound = out.b * problem.kl + out.b * log_mean (&problem, out.b, &effective);
  out.standard_error = out.b * sqrt (MAX (1 / effective - 1.0 / n, 0));
  return out;
}
