/* run_data.h: a run's metrics in memory, read step by step as they grow.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/store/store.h"
#include "core/train/alarms.h"
#include "ui/charts/series.h"

G_BEGIN_DECLS

typedef struct _LaurelRunData LaurelRunData;

LaurelRunData *laurel_run_data_new (const LaurelRun *run, guint colour) G_GNUC_WARN_UNUSED_RESULT;
/* A run that is kept as the CSV of “laurelctl run metrics --csv”: it has steps and no times. */
LaurelRunData *laurel_run_data_load (const char *path, const char *name, guint colour, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_run_data_free (LaurelRunData *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelRunData, laurel_run_data_free)

/* Reads what the store has beyond the last step that was read; everything again when the run went back (resumed from
 * a checkpoint). */
gboolean laurel_run_data_update (LaurelRunData *self, LaurelStore *store, GError **error);

/* (transfer none) (nullable): the line of @key over steps, or over seconds since the run's first metric. */
LaurelSeries *laurel_run_data_get_series (LaurelRunData *self, const char *key, gboolean by_time);
/* (transfer container) (element-type utf8): keys in the order of their first appearance. */
GPtrArray *laurel_run_data_list_keys (LaurelRunData *self);

/* (transfer none) (nullable): the run's lights; NULL for one without settings. */
const LaurelAlarms *laurel_run_data_get_alarms (LaurelRunData *self);

G_END_DECLS
