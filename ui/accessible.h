/* accessible.h: what GTK 4.8 leaves out or says twice about its own controls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Mends @root and everything in it for screen readers: names the button inside a drop-down
 * after the drop-down and what scrolls a status page after the page, and lets a button with a mnemonic
 * say its label once and without underscore. Calling it again is harmless. */
void laurel_accessible_mend (GtkWidget *root);

/* Tab, and Shift with it, leaves @list for what stands beside it; arrows walk its rows. GTK's own lists go
 * through all rows before that, and choose each on the way. */
void laurel_accessible_make_one_stop (GtkWidget *list);

G_END_DECLS
