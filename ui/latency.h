/* latency.h: how long from a key press until it is on the screen.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Measures every key press that reaches @window, from the event's arrival at this program to the end of the next
 * frame that is painted, and writes the last 10,000 as JSON lines
 *   {"key": "1", "milliseconds": 12.4}
 * to @path when the window is destroyed. */
void laurel_latency_measure (GtkWindow *window, const char *path);

G_END_DECLS
