/* series.c: points, their moving average, and as few of them as a screen can show.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ui/charts/series.h"

#include <math.h>

LaurelSeries *
laurel_series_new (const char *name, guint colour)
{
  LaurelSeries *self = g_rc_box_new0 (LaurelSeries);

  self->name = g_strdup (name);
  self->colour = colour;
  self->points = g_array_new (FALSE, FALSE, sizeof (LaurelPoint));
  return self;
}

LaurelSeries *
laurel_series_ref (LaurelSeries *self)
{
  return g_rc_box_acquire (self);
}

static void
series_clear (gpointer data)
{
  LaurelSeries *self = data;

  g_free (self->name);
  g_array_unref (self->points);
  g_clear_pointer (&self->spans, g_array_unref);
}

void
laurel_series_unref (LaurelSeries *self)
{
  if (self != NULL)
    g_rc_box_release_full (self, series_clear);
}

void
laurel_series_append (LaurelSeries *self, double x, double y)
{
  LaurelPoint point = { x, y };

  if (self->points->len > 0) {
    LaurelPoint *last = &g_array_index (self->points, LaurelPoint, self->points->len - 1);

    if (last->x == x) {
      last->y = y;
      return;
    }
  }
  g_array_append_val (self->points, point);
}

static void
span_clear (gpointer data)
{
  g_free (((LaurelSpan *) data)->name);
}

void
laurel_series_append_span (LaurelSeries *self, double x, double y, double low, double high,
                           const char *name)
{
  LaurelPoint point = { x, y };
  LaurelSpan span = { low, high, g_strdup (name) };

  if (self->spans == NULL) {
    self->spans = g_array_new (FALSE, FALSE, sizeof (LaurelSpan));
    g_array_set_clear_func (self->spans, span_clear);
  }
  g_array_append_val (self->points, point);
  g_array_append_val (self->spans, span);
}

const LaurelPoint *
laurel_series_find (const LaurelSeries *self, double x)
{
  const LaurelPoint *points = (const LaurelPoint *) (gpointer) self->points->data;
  guint low = 0, high = self->points->len;

  if (high == 0)
    return NULL;
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (points[middle].x < x)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == self->points->len)
    return &points[low - 1];
  if (low > 0 && x - points[low - 1].x <= points[low].x - x)
    return &points[low - 1];
  return &points[low];
}

GArray *
laurel_points_smooth (GArray *points, double weight)
{
  GArray *smooth = g_array_sized_new (FALSE, FALSE, sizeof (LaurelPoint), points->len);
  double mean = 0, power = 1;

  for (guint i = 0; i < points->len; i++) {
    LaurelPoint point = g_array_index (points, LaurelPoint, i);

    if (isfinite (point.y)) {
      mean = weight * mean + (1 - weight) * point.y;
      power *= weight;
      point.y = mean / (1 - power);
    }
    g_array_append_val (smooth, point);
  }
  return smooth;
}

typedef struct {
  LaurelPoint first, lowest, highest, last;
  gboolean is_empty;
} Column;

static void
column_add (Column *self, const LaurelPoint *point)
{
  if (self->is_empty)
    self->first = self->lowest = self->highest = *point;
  if (point->y < self->lowest.y)
    self->lowest = *point;
  if (point->y > self->highest.y)
    self->highest = *point;
  self->last = *point;
  self->is_empty = FALSE;
}

static void
append_new (GArray *out, const LaurelPoint *point)
{
  if (out->len > 0 && g_array_index (out, LaurelPoint, out->len - 1).x == point->x)
    return;
  g_array_append_val (out, *point);
}

static void
column_flush (Column *self, GArray *out)
{
  gboolean low_first = self->lowest.x <= self->highest.x;

  if (self->is_empty)
    return;
  append_new (out, &self->first);
  append_new (out, low_first ? &self->lowest : &self->highest);
  append_new (out, low_first ? &self->highest : &self->lowest);
  append_new (out, &self->last);
  self->is_empty = TRUE;
}

GArray *
laurel_points_decimate (GArray *points, double min_x, double max_x, int n_columns)
{
  GArray *out = g_array_new (FALSE, FALSE, sizeof (LaurelPoint));
  double width = MAX (max_x - min_x, G_MINDOUBLE) / MAX (n_columns, 1);
  double current = -INFINITY;
  Column column = { .is_empty = TRUE };

  for (guint i = 0; i < points->len; i++) {
    const LaurelPoint *point = &g_array_index (points, LaurelPoint, i);
    double index = floor ((point->x - min_x) / width);

    if (index != current || !isfinite (point->y))
      column_flush (&column, out);
    current = index;
    if (isfinite (point->y))
      column_add (&column, point);
    else if (out->len > 0 && isfinite (g_array_index (out, LaurelPoint, out->len - 1).y)) {
      LaurelPoint gap = { point->x, NAN };

      g_array_append_val (out, gap);
    }
  }
  column_flush (&column, out);
  return out;
}
