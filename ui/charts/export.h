/* export.h: a chart as a picture or a table in a file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/chart.h"

G_BEGIN_DECLS

/* By the ending of @path: .png (at twice the size), .svg or .csv; other endings are an error. Pictures have the light
 * palette on white and @title above the plot. @context gives the font. */
gboolean laurel_chart_export (const LaurelChart *chart, const char *title, const char *x_name, PangoContext *context, const char *path, GError **error);

G_END_DECLS
