/* quality_row.h: seven dots for how good one answer is by itself.
 *
 * One stop for the Tab key; ←/→ and a click set it, a click on the chosen dot takes it back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_QUALITY_ROW (laurel_quality_row_get_type ())
G_DECLARE_FINAL_TYPE (LaurelQualityRow, laurel_quality_row, LAUREL, QUALITY_ROW, GtkWidget)

/* Signal "chosen" (int quality): the person chose 1–7, or 0 to take it back. The row itself only shows what
 * laurel_quality_row_set_quality() says. */
void laurel_quality_row_set_quality (LaurelQualityRow *self, int quality);

G_END_DECLS
