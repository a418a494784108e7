/* audit_chart.h: score against distance from the reference, under the audit line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ui/charts/widget.h"
#include "ui/runs/run_data.h"

G_BEGIN_DECLS

/* Whether @data has what the chart shows. */
gboolean laurel_audit_chart_can_show (LaurelRunData *data);
const char *laurel_audit_chart_explain (void); /* “how computed” */

/* Each run's iterations as dots, and the first run's line. @datas (element-type LaurelRunData) */
void laurel_audit_chart_update (LaurelChartWidget *widget, GPtrArray *datas);

G_END_DECLS
