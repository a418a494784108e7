/* paged_list.h: a list model that reads its rows a page at a time, when they are looked at.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "ui/data/table.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_PAGED_LIST (laurel_paged_list_get_type ())
G_DECLARE_FINAL_TYPE (LaurelPagedList, laurel_paged_list, LAUREL, PAGED_LIST, GObject)

/* (transfer full) (element-type LaurelTextRow) (nullable): at most @limit rows from @offset. */
typedef GPtrArray *(*LaurelFetchFunc) (gpointer user_data, int limit, int offset);

/* @user_data must outlive the list or be taken back with laurel_paged_list_reset (self, 0, NULL, NULL). */
LaurelPagedList *laurel_paged_list_new (void) G_GNUC_WARN_UNUSED_RESULT;
/* Forgets every row: there are @n_rows now, which @fetch reads. */
void laurel_paged_list_reset (LaurelPagedList *self, guint n_rows, LaurelFetchFunc fetch, gpointer user_data);

G_END_DECLS
