/* run_row.h: one run in the list of runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/store/records.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_RUN_ROW (laurel_run_row_get_type ())
G_DECLARE_FINAL_TYPE (LaurelRunRow, laurel_run_row, LAUREL, RUN_ROW, GtkListBoxRow)

/* Property "overlay" (boolean): whether the run is drawn over the selected one. */
GtkWidget *laurel_run_row_new (const LaurelRun *run);
void laurel_run_row_update (LaurelRunRow *self, const LaurelRun *run);
gint64 laurel_run_row_get_run_id (LaurelRunRow *self);
gboolean laurel_run_row_get_overlay (LaurelRunRow *self);

G_END_DECLS
