/* detokenizer.h: a text while its ids come in, each of them looked at once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer.h"

G_BEGIN_DECLS

typedef struct _LaurelDetokenizer LaurelDetokenizer;

/* @tokenizer is borrowed; @with_special as for laurel_tokenizer_decode(). */
LaurelDetokenizer *laurel_detokenizer_new (const LaurelTokenizer *tokenizer, gboolean with_special) G_GNUC_WARN_UNUSED_RESULT;
void laurel_detokenizer_free (LaurelDetokenizer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelDetokenizer, laurel_detokenizer_free)

void laurel_detokenizer_push (LaurelDetokenizer *self, gint32 id);

/* What laurel_tokenizer_decode() makes of all ids so far. No further id changes the first @out_certain
 * (nullable) bytes; behind them a cut character may stand, as U+FFFD. Valid until the next push. */
const char *laurel_detokenizer_get_text (const LaurelDetokenizer *self, gsize *out_certain);

G_END_DECLS
