/* text_check.h: what a tokenizer promises for any text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/fuzz/fuzz.h"

#include "core/text/tokenizer.h"

G_BEGIN_DECLS

/* Encodes and decodes @text, any bytes, and does the same after saving and loading. */
void fuzz_check_tokenizer (const LaurelTokenizer *tokenizer, const FuzzPart *text);

G_END_DECLS
