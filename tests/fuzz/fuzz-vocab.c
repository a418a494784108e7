/* fuzz-vocab.c: vocab.json, merges.txt and a text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/text_check.h"

const FuzzFormat fuzz_format = { NULL, NULL };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  fuzz_check_tokenizer_files (data, size, "vocab.json", "merges.txt", FALSE);
  return 0;
}
