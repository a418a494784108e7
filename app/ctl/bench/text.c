/* text.c: the tokenizer, on a vocabulary of GPT-2's size.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/bench/bench.h"

#define VOCAB_SIZE 50257
#define N_WORDS 200000
#define TEXT_BYTES ((gsize) 8 << 20)

typedef struct {
  LaurelTokenizer *tokenizer;
  GString *text;
  GArray *ids;
} Encoding;

static void
encode (gpointer data)
{
  Encoding *self = data;

  g_array_set_size (self->ids, 0);
  (void) laurel_tokenizer_encode (self->tokenizer, self->text->str, (gssize) self->text->len,
                                  self->ids, NULL);
}

gboolean
laurel_bench_prepare_tokenizer (LaurelBench *bench,
                                const LaurelBenchWorkload *workload,
                                GError **error)
{
  g_autoptr (GString) text = laurel_bench_make_text (TEXT_BYTES, N_WORDS);
  const char *const texts[] = { text->str };
  g_autoptr (LaurelTokenizer) tokenizer =
      laurel_tokenizer_train_bpe (texts, &text->len, 1, VOCAB_SIZE, NULL, NULL, error);

  return tokenizer != NULL && laurel_tokenizer_save (tokenizer, bench->folder, error);
}

gboolean
laurel_bench_tokenizer (LaurelBench *bench, const LaurelBenchWorkload *workload, GError **error)
{
  g_autoptr (LaurelTokenizer) tokenizer = laurel_tokenizer_load (bench->folder, error);
  g_autoptr (GString) text = laurel_bench_make_text (TEXT_BYTES, N_WORDS);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  Encoding self = { tokenizer, text, ids };

  if (tokenizer == NULL)
    return FALSE;
  laurel_bench_report (bench, "tokenizer, encode", laurel_bench_time (bench, encode, &self),
                       (double) text->len / 1e6, "MB/s", 0, 0);
  return TRUE;
}
