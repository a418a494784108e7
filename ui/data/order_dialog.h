/* order_dialog.h: which open tasks labelers get first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

#include "core/project/project.h"

G_BEGIN_DECLS

/* Asks for a strategy and the reward models that it asks, and orders the open tasks. */
void laurel_order_dialog_present (GtkWindow *parent, LaurelProject *project);

G_END_DECLS
