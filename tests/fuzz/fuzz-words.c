/* fuzz-words.c: BERT's vocab.txt, tokenizer_config.json if it is not empty, and a text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/text_check.h"

const FuzzFormat fuzz_format = { NULL, NULL };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  fuzz_check_tokenizer_files (data, size, "vocab.txt", "tokenizer_config.json", TRUE);
  return 0;
}
