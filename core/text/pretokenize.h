/* pretokenize.h: where GPT-2's pattern cuts a text, and where BERT does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The length in bytes of the first piece of @text: @length > 0 bytes of valid
 * UTF-8. What was cut off before does not matter, so a text is cut by calling
 * this again on what is left. Linear in the piece's length. */
gsize laurel_pretokenize_next (const char *text, gsize length);

/* BERT's: skips spaces, then the length of a word or of a single punctuation
 * mark, which is @text's first piece once *@out_skipped bytes are gone; 0 when
 * nothing but spaces is left. */
gsize laurel_pretokenize_next_bert (const char *text, gsize length, gsize *out_skipped);

/* The last place in @text where a piece ends in any text that has these bytes
 * there: both sides can be encoded apart. 0 when there is none. */
gsize laurel_pretokenize_find_seam (const char *text, gsize length);

G_END_DECLS
