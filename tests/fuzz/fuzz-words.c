/* fuzz-words.c: BERT's vocab.txt, tokenizer_config.json if it is not empty, and a text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/text_check.h"

const FuzzFormat fuzz_format = { NULL, NULL };

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (LaurelTokenizer) tokenizer = NULL;
  g_autoptr (GError) error = NULL;
  FuzzPart parts[3];

  fuzz_split (data, size, parts, G_N_ELEMENTS (parts));
  fuzz_write ("vocab.txt", parts[0].bytes, parts[0].length);
  if (parts[1].length > 0)
    fuzz_write ("tokenizer_config.json", parts[1].bytes, parts[1].length);
  else
    fuzz_remove ("tokenizer_config.json");
  tokenizer = laurel_tokenizer_load (fuzz_folder (), &error);
  fuzz_check (tokenizer != NULL, error);
  if (tokenizer != NULL)
    fuzz_check_tokenizer (tokenizer, &parts[2]);
  return 0;
}
