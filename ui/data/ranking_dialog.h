/* ranking_dialog.h: a submitted ranking as its labeler saw it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "core/store/store.h"

G_BEGIN_DECLS

/* “A > D = B > C”: completions by the letters they were shown under, best first. */
char *laurel_ranking_describe_order (const LaurelRanking *ranking) G_GNUC_WARN_UNUSED_RESULT;

/* A dialog over @parent with the prompt, the completions in the order in which they were shown, and what the labeler
 * said of each. FALSE and an error when the ranking cannot be read. */
gboolean laurel_ranking_dialog_present (GtkWindow *parent, LaurelStore *store, gint64 ranking_id, GError **error);

G_END_DECLS
