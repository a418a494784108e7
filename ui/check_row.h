/* check_row.h: a row with a check in front, and groups of them for a project's models.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* A row that ticks @out_check (borrowed) when it is activated. @subtitle may be NULL; @name is what a screen reader
 * says of the check. */
GtkWidget *laurel_check_row_new (const char *title, const char *subtitle, const char *name, GtkCheckButton **out_check);

#define LAUREL_TYPE_MODEL_CHECKS (laurel_model_checks_get_type ())
G_DECLARE_FINAL_TYPE (LaurelModelChecks, laurel_model_checks, LAUREL, MODEL_CHECKS, AdwPreferencesGroup)

/* Signal "changed". A check for each model whose kind is in @kinds (NULL-terminated), kind by kind, the newest first; the
 * first @n_ticked of them are ticked. Adds to those that there are. */
void laurel_model_checks_fill (LaurelModelChecks *self, LaurelProject *project, const char *const *kinds, guint n_ticked);
guint laurel_model_checks_count (LaurelModelChecks *self);
guint laurel_model_checks_count_ticked (LaurelModelChecks *self);
/* (element-type utf8): names in the order of the rows, and a NULL that is counted. */
GPtrArray *laurel_model_checks_dup_ticked (LaurelModelChecks *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
