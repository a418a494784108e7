/* json_check.h: whether a text is JSON as RFC 8259 has it, before json-glib reads it.
 *
 * json-glib 1.6 reads much that is no JSON and some JSON wrongly: it takes 010
 * for 8 and 18446744073709551617 for −1, makes invalid UTF-8 of half a
 * surrogate pair, ends a string at \u0000, passes over a second value, and
 * follows brackets as deep as they go, over the end of the stack.
 *
 * Private to core/base.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Values may nest this deep; real files stay under ten. */
#define LAUREL_JSON_MAX_DEPTH 256

/* (transfer full): what is wrong with @text, with its line (“line 3: …”); NULL when nothing is. Characters under
 * U+0020 may stand in strings as they are, and a byte-order mark at the start. */
char *laurel_json_find_fault (const char *text) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
