/* heat_legend.h: the colours of the token strip from the lowest to the highest value.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

#include "ui/inspect/rollout_view.h"

G_BEGIN_DECLS

#define LAUREL_TYPE_HEAT_LEGEND (laurel_heat_legend_get_type ())
G_DECLARE_FINAL_TYPE (LaurelHeatLegend, laurel_heat_legend, LAUREL, HEAT_LEGEND, GtkWidget)

/* Shows the ends of @value's scale in @rollout; hidden when @rollout is NULL or has no value but the middle one. */
void laurel_heat_legend_set_rollout (LaurelHeatLegend *self, const LaurelRollout *rollout, LaurelTokenValue value);

G_END_DECLS
