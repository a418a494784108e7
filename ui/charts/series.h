/* series.h: one line of a chart: its points, smoothed and thinned for drawing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double x;
  double y; /* NaN: a gap */
} LaurelPoint;

typedef struct {
  double low, high; /* NaN: no interval */
  char *name;       /* what the point is, for whoever points at it */
} LaurelSpan;

/**
 * LaurelSeries:
 * @name: for the legend and for screen readers
 * @points: (element-type LaurelPoint): x ascending
 * @colour: index in the palette's series colours
 * @is_dots: whether its points are drawn each by itself, neither joined nor smoothed
 * @spans: (nullable) (element-type LaurelSpan): of each point; drawn as a band around the line, with a dot at each point
 *
 * Reference-counted; one thread.
 */
typedef struct {
  char *name;
  GArray *points;
  guint colour;
  gboolean is_dots;
  GArray *spans;
} LaurelSeries;

LaurelSeries *laurel_series_new (const char *name, guint colour) G_GNUC_WARN_UNUSED_RESULT;
LaurelSeries *laurel_series_ref (LaurelSeries *self);
void laurel_series_unref (LaurelSeries *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelSeries, laurel_series_unref)

/* Adds a point; one at the last point's x takes its place. */
void laurel_series_append (LaurelSeries *self, double x, double y);

/* Adds a point with its interval and its name. All points of a series have one, or none has. */
void laurel_series_append_span (LaurelSeries *self, double x, double y, double low, double high, const char *name);

/* The point whose x is nearest to @x; NULL when there is none. */
const LaurelPoint *laurel_series_find (const LaurelSeries *self, double x);

/**
 * laurel_points_smooth:
 * @weight: 0 (none) … below 1, of the past
 *
 * The exponential moving average over all of @points, divided by 1 − @weight^t so that it does not
 * start near zero. Gaps stay gaps and do not count.
 *
 * Returns: (transfer full) (element-type LaurelPoint): as many points
 */
GArray *laurel_points_smooth (GArray *points, double weight) G_GNUC_WARN_UNUSED_RESULT;

/* Thins @points (x ascending) to at most four per column of (@max_x − @min_x) / @n_columns: the first, the lowest,
 * the highest and the last, so that no peak is lost. Gaps stay. Smooth first: a mean of what is left would differ. */
GArray *laurel_points_decimate (GArray *points, double min_x, double max_x, int n_columns) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
