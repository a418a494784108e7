/* text_check.h: what a tokenizer promises for any text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/fuzz/fuzz.h"

G_BEGIN_DECLS

/* Of the three parts of @data, the first two are the tokenizer's files @first and @second, the third is any
 * bytes for a text. A tokenizer that loads encodes and decodes it, and does the same after saving and
 * loading. @may_miss: there is no @second where its part is empty. */
void fuzz_check_tokenizer_files (const guint8 *data, size_t size, const char *first, const char *second, gboolean may_miss);

G_END_DECLS
