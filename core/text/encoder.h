/* encoder.h: one thread's work on texts: pieces, their tokens, and what is remembered of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer_private.h"

G_BEGIN_DECLS

typedef struct _LaurelEncoder LaurelEncoder;

/* Borrows @tokenizer. With @remember, the pieces of several tokens are kept for
 * the next time they come: for more than a few kilobytes of text. */
LaurelEncoder *laurel_encoder_new (const LaurelTokenizer *tokenizer, gboolean remember);
void laurel_encoder_free (LaurelEncoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelEncoder, laurel_encoder_free)

/* Appends the ids of @length bytes of valid UTF-8. @first: the text starts here,
 * and is not what stands after a seam. */
void laurel_encoder_encode (LaurelEncoder *self, const char *text, gsize length, gboolean first, GArray *ids);

G_END_DECLS
