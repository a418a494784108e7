/* cursor.h: the crosshair that all charts of a page share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_CHART_CURSOR (laurel_chart_cursor_get_type ())
G_DECLARE_FINAL_TYPE (LaurelChartCursor, laurel_chart_cursor, LAUREL, CHART_CURSOR, GObject)

/* Property "x" (double): where the crosshair stands, NaN when nowhere. */
LaurelChartCursor *laurel_chart_cursor_new (void) G_GNUC_WARN_UNUSED_RESULT;
double laurel_chart_cursor_get_x (LaurelChartCursor *self);
void laurel_chart_cursor_set_x (LaurelChartCursor *self, double x);

G_END_DECLS
