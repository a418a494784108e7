/* text_stream.h: a text of any length, in blocks that fit in memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The last place in @text where it may be cut; 0 when there is none. */
typedef gsize (*LaurelFindSeam) (const char *text, gsize length, gconstpointer data);

/* @text: a block of valid UTF-8 without zero bytes; @first: the text starts here. */
typedef gboolean (*LaurelTextBlockFunc) (const char *text, gsize length, gboolean first, gpointer user_data, GError **error);

/* Calls @func with the whole of @input, in order, in blocks of about
 * @block_size bytes that end where @find_seam says or where the input does. A
 * block grows only where there is no seam. FALSE when @func fails, when reading
 * does, or when the input is no UTF-8: the error has @name and the byte. */
gboolean laurel_text_stream_foreach (GInputStream *input, const char *name, gsize block_size, LaurelFindSeam find_seam, gconstpointer seam_data,
                                     LaurelTextBlockFunc func, gpointer user_data, GError **error);

G_END_DECLS
