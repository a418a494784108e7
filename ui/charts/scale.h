/* scale.h: axes: which numbers stand at the ticks, how they are written, where they lie.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  LAUREL_SCALE_LINEAR,
  LAUREL_SCALE_INTEGER, /* steps, tokens: ticks fall on whole numbers */
  LAUREL_SCALE_LOG,
  LAUREL_SCALE_TIME, /* seconds */
} LaurelScaleKind;

#define LAUREL_MAX_TICKS 16

typedef struct {
  LaurelScaleKind kind;
  double min, max; /* what the axis spans, in data units; min < max */
  double ticks[LAUREL_MAX_TICKS];
  int n_ticks;
  double step; /* between ticks; 0 on a log scale */
} LaurelScale;

/* Spans [@min, @max] and puts at most @max_ticks (2 … LAUREL_MAX_TICKS) ticks at round numbers. With @widen the
 * span grows to the next ticks. An empty or single-point span is made one unit wide around it. On a log scale
 * @min must be above 0. */
void laurel_scale_init (LaurelScale *self, LaurelScaleKind kind, double min, double max, int max_ticks, gboolean widen);

/* Where @value lies, 0 at min and 1 at max; NaN when it has no place (≤ 0 on a log scale). */
double laurel_scale_to_unit (const LaurelScale *self, double value);
double laurel_scale_from_unit (const LaurelScale *self, double unit);

char *laurel_scale_format_tick (const LaurelScale *self, double value) G_GNUC_WARN_UNUSED_RESULT;
/* Four significant digits, “–” for NaN: for value labels and tables. */
char *laurel_format_value (double value) G_GNUC_WARN_UNUSED_RESULT;
/* “1 min 5 s”, “2 h 3 min”. */
char *laurel_format_seconds (double seconds) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
