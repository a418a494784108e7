/* scale.c: round ticks on linear, logarithmic and time axes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/scale.h"

#include <glib/gi18n.h>
#include <math.h>

/* The smallest of 1, 2, 5 × 10^k that is at least @rough. */
static double
round_up_to_nice (double rough)
{
  double power = pow (10, floor (log10 (rough)));
  double fraction = rough / power;

  if (fraction <= 1 + 1e-9)
    return power;
  if (fraction <= 2 + 1e-9)
    return 2 * power;
  if (fraction <= 5 + 1e-9)
    return 5 * power;
  return 10 * power;
}

static double
round_up_to_time (double rough)
{
  static const double steps[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
                                  3600, 7200, 10800, 21600, 43200, 86400 };

  if (rough < 1)
    return round_up_to_nice (rough);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i] >= rough - 1e-9)
      return steps[i];
  return 86400 * round_up_to_nice (rough / 86400);
}

/* Of 5, 2 and 1 × 10^k the next one down: an axis from 1 to 6 would have one tick, at 5. Steps are
 * counted in whole ones. */
static double
find_finer_step (const LaurelScale *self)
{
  double step = self->step;

  while ((step > 1 || self->kind != LAUREL_SCALE_INTEGER)
         && floor (self->max / step + 1e-9) - ceil (self->min / step - 1e-9) < 1)
    step = round_up_to_nice (step / 2.5);
  return step;
}

static void
place_linear_ticks (LaurelScale *self, int max_ticks, gboolean widen)
{
  double rough = (self->max - self->min) / (max_ticks - 1);
  double first, last;

  if (self->kind == LAUREL_SCALE_TIME)
    self->step = round_up_to_time (rough);
  else
    self->step = round_up_to_nice (rough);
  if (self->kind == LAUREL_SCALE_INTEGER)
    self->step = MAX (1, self->step);
  if (self->kind != LAUREL_SCALE_TIME && !widen)
    self->step = find_finer_step (self);
  /* A hair of slack, or 0.3 / 0.1 would floor to 2. */
  first = widen ? floor (self->min / self->step + 1e-9) : ceil (self->min / self->step - 1e-9);
  last = widen ? ceil (self->max / self->step - 1e-9) : floor (self->max / self->step + 1e-9);
  if (widen) {
    self->min = first * self->step;
    self->max = last * self->step;
  }
  for (double i = first; i <= last && self->n_ticks < LAUREL_MAX_TICKS; i++)
    self->ticks[self->n_ticks++] = i == 0 ? 0 : i * self->step;
}

static void
place_log_ticks (LaurelScale *self, int max_ticks, gboolean widen)
{
  double low = floor (log10 (self->min) + 1e-9);
  double high = ceil (log10 (self->max) - 1e-9);
  int every = (int) MAX (1, ceil ((high - low) / (max_ticks - 1)));
  gboolean between = 3 * (high - low) + 1 <= max_ticks;

  if (widen || !between) {
    self->min = pow (10, low);
    self->max = pow (10, MAX (high, low + 1));
  }
  for (double e = low; e <= high && self->n_ticks < LAUREL_MAX_TICKS; e += every) {
    const double parts[] = { 1, 2, 5 };

    for (int i = 0; i < (between ? 3 : 1) && self->n_ticks < LAUREL_MAX_TICKS; i++) {
      double tick = parts[i] * pow (10, e);

      if (tick >= self->min * (1 - 1e-9) && tick <= self->max * (1 + 1e-9))
        self->ticks[self->n_ticks++] = tick;
    }
  }
}

void
laurel_scale_init (LaurelScale *self, LaurelScaleKind kind, double min, double max, int max_ticks,
                   gboolean widen)
{
  g_return_if_fail (isfinite (min) && isfinite (max));
  g_return_if_fail (kind != LAUREL_SCALE_LOG || min > 0);

  *self = (LaurelScale) { .kind = kind, .min = MIN (min, max), .max = MAX (min, max) };
  max_ticks = CLAMP (max_ticks, 2, LAUREL_MAX_TICKS - 1);
  if (kind == LAUREL_SCALE_LOG) {
    if (self->max <= self->min * (1 + 1e-9)) {
      self->min /= 2;
      self->max *= 2;
    }
    place_log_ticks (self, max_ticks, widen);
    return;
  }
  if (self->max - self->min <= 1e-9 * MAX (fabs (self->min), fabs (self->max))
      || self->max == self->min) {
    double half = kind == LAUREL_SCALE_INTEGER || self->min == 0 ? .5 : fabs (self->min) * .1;

    if (kind == LAUREL_SCALE_INTEGER && widen)
      half = 1;
    self->min -= half;
    self->max += half;
  }
  place_linear_ticks (self, max_ticks, widen);
}

double
laurel_scale_to_unit (const LaurelScale *self, double value)
{
  if (self->kind == LAUREL_SCALE_LOG)
    return value > 0 ? log (value / self->min) / log (self->max / self->min) : NAN;
  return (value - self->min) / (self->max - self->min);
}

double
laurel_scale_from_unit (const LaurelScale *self, double unit)
{
  if (self->kind == LAUREL_SCALE_LOG)
    return self->min * pow (self->max / self->min, unit);
  return self->min + unit * (self->max - self->min);
}

/* A true minus sign is as wide as a digit; the hyphen is not. An exponent has no more of signs and
 * zeros than it needs. */
static char *
with_minus_sign (char *text)
{
  const char *exponent;

  if (text[0] == '-') {
    char *longer = g_strconcat ("−", text + 1, NULL);

    g_free (text);
    text = longer;
  }
  exponent = strchr (text, 'e');
  if (exponent != NULL) {
    int power = (int) g_ascii_strtoll (exponent + 1, NULL, 10);
    char *longer = g_strdup_printf ("%.*se%s%d", (int) (exponent - text), text,
                                    power < 0 ? "−" : "", ABS (power));

    g_free (text);
    text = longer;
  }
  return text;
}

char *
laurel_format_seconds (double seconds)
{
  gint64 whole = (gint64) llround (seconds);

  if (!isfinite (seconds))
    return g_strdup ("–");
  if (seconds < 10 && fabs (seconds - (double) whole) > .05)
    return g_strdup_printf (_("%.1f s"), seconds);
  if (whole < 60)
    return g_strdup_printf (_("%d s"), (int) whole);
  if (whole < 3600 && whole % 60 == 0)
    return g_strdup_printf (_("%d min"), (int) (whole / 60));
  if (whole < 3600)
    return g_strdup_printf (_("%d min %d s"), (int) (whole / 60), (int) (whole % 60));
  if (whole % 3600 < 60)
    return g_strdup_printf (_("%d h"), (int) (whole / 3600));
  return g_strdup_printf (_("%d h %d min"), (int) (whole / 3600), (int) (whole % 3600 / 60));
}

static char *
format_decimal (double value, double step)
{
  int decimals = step > 0 ? (int) MAX (0, -floor (log10 (step) + 1e-9)) : 0;

  return with_minus_sign (g_strdup_printf ("%.*f", decimals, value));
}

static char *
format_multiple (double value, double step, double unit, const char *suffix)
{
  g_autofree char *multiple = format_decimal (value / unit, step / unit);

  return g_strconcat (multiple, suffix, NULL);
}

char *
laurel_scale_format_tick (const LaurelScale *self, double value)
{
  double largest = MAX (fabs (self->min), fabs (self->max));

  if (self->kind == LAUREL_SCALE_TIME)
    return laurel_format_seconds (value);
  if (value == 0)
    return g_strdup ("0");
  if (self->kind == LAUREL_SCALE_LOG) {
    if (value >= .001 && value < 10000)
      return g_strdup_printf ("%g", value);
    return with_minus_sign (g_strdup_printf ("%.0e", value));
  }
  if (largest >= 1e6)
    return format_multiple (value, self->step, 1e6, " M");
  if (largest >= 1e4)
    return format_multiple (value, self->step, 1e3, " k");
  if (largest < 1e-3)
    return with_minus_sign (g_strdup_printf ("%.*e", self->step < .099 * largest ? 1 : 0, value));
  return format_decimal (value, self->step);
}

char *
laurel_format_value (double value)
{
  double size = fabs (value);

  if (isnan (value))
    return g_strdup ("–");
  if (isinf (value))
    return g_strdup (value > 0 ? "∞" : "−∞");
  if (size >= 1e6 || (size < 1e-3 && size > 0))
    return with_minus_sign (g_strdup_printf ("%.3e", value));
  if (size >= 1000)
    return with_minus_sign (g_strdup_printf ("%.0f", value));
  return with_minus_sign (g_strdup_printf ("%.*f", size >= 100 ? 1 : size >= 10 ? 2 : 3, value));
}
