/* accessible.h: what GTK 4.8 leaves out or says twice about its own controls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Mends @root and everything in it for screen readers and keys: names the button inside a drop-down
 * after the drop-down and what scrolls a status page after the page, and lets a button with a mnemonic
 * say its label once and without underscore. Makes tables and long lists one stop of Tab. Calling it
 * again is harmless. */
void laurel_accessible_mend (GtkWidget *root);

/* Tab, and Shift with it, leaves @list for what stands beside it, where GTK's own lists go through all rows
 * and choose each on the way; arrows walk them. For lists whose rows have no controls in them. Calling it
 * again is harmless. */
void laurel_accessible_make_one_stop (GtkWidget *list);

G_END_DECLS
