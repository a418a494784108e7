/* pretokenize.h: where GPT-2's pattern cuts a text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The length in bytes of the first piece of @text: @length > 0 bytes of valid
 * UTF-8. What was cut off before does not matter, so a text is cut by calling
 * this again on what is left. Linear in the piece's length. */
gsize laurel_pretokenize_next (const char *text, gsize length);

/* The last place in @text where a piece ends in any text that has these bytes
 * there: both sides can be encoded apart. 0 when there is none. */
gsize laurel_pretokenize_find_seam (const char *text, gsize length);

G_END_DECLS
