/* picture.h: the window as a PNG, for the screenshots of the manual.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Writes @window, with @dialog in front of it unless it is NULL, to @path. Both must be painted already. */
gboolean laurel_picture_save (GtkWindow *window, GtkWindow *dialog, const char *path, GError **error);

G_END_DECLS
