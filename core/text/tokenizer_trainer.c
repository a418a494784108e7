/* tokenizer_trainer.c: texts to counted words, and on to the model's own training.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/tokenizer_trainer.h"

#include "core/base/error.h"
#include "core/text/pretokenize.h"
#include "core/text/text_stream.h"
#include "core/text/train_private.h"

#include <string.h>

#define MAX_WORD_BYTES (64 * 1024 * 1024)
#define BLOCK_SIZE (1024 * 1024)

/* Special tokens of each model beside its bytes. */
#define MIN_BPE_SIZE 257
#define MIN_BPE_COUNT 2
#define MIN_WORDPIECE_SIZE 7

struct _LaurelTokenizerTrainer {
  LaurelTokenizerOptions options;
  LaurelWordCounts *words;
  LaurelNormalizer *normalizer; /* NULL: none */
  GString *normalized;
};

LaurelTokenizerTrainer *
laurel_tokenizer_trainer_new (const LaurelTokenizerOptions *options, GError **error)
{
  gboolean wordpiece = options->model == LAUREL_TOKENIZER_WORDPIECE;
  int min_size = wordpiece ? MIN_WORDPIECE_SIZE : MIN_BPE_SIZE;
  LaurelTokenizerTrainer *self;

  if (options->vocab_size < min_size || options->vocab_size > LAUREL_MAX_VOCAB_SIZE) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not train the tokenizer: a vocabulary of %d is out of range; choose %d to "
                 "%d",
                 options->vocab_size, min_size, LAUREL_MAX_VOCAB_SIZE);
    return NULL;
  }
  self = g_new0 (LaurelTokenizerTrainer, 1);
  self->options = *options;
  if (self->options.min_count <= 0 && !wordpiece)
    self->options.min_count = MIN_BPE_COUNT;
  if (self->options.max_word_bytes == 0)
    self->options.max_word_bytes = MAX_WORD_BYTES;
  self->words = laurel_word_counts_new (MIN (self->options.max_word_bytes, G_MAXINT32));
  self->normalizer = wordpiece ? laurel_normalizer_new_bert (!options->cased) : NULL;
  self->normalized = g_string_new (NULL);
  return self;
}

void
laurel_tokenizer_trainer_free (LaurelTokenizerTrainer *self)
{
  if (self == NULL)
    return;
  laurel_word_counts_free (self->words);
  laurel_normalizer_free (self->normalizer);
  g_string_free (self->normalized, TRUE);
  g_free (self);
}

static void
count_bert_words (LaurelTokenizerTrainer *self, const char *text, gsize length)
{
  gsize skipped, n;

  while ((n = laurel_pretokenize_next_bert (text, length, &skipped)) > 0) {
    laurel_word_counts_add (self->words, text + skipped, n, length - skipped);
    text += skipped + n;
    length -= skipped + n;
  }
}

static void
count_words (LaurelTokenizerTrainer *self, const char *text, gsize length)
{
  while (length > 0) {
    gsize n = laurel_pretokenize_next (text, length);

    laurel_word_counts_add (self->words, text, n, length);
    text += n;
    length -= n;
  }
}

static gboolean
count_block (const char *text, gsize length, gboolean first, gpointer user_data, GError **error)
{
  LaurelTokenizerTrainer *self = user_data;

  if (self->normalizer != NULL) {
    g_string_truncate (self->normalized, 0);
    g_string_append_len (self->normalized, text, (gssize) length);
    laurel_normalizer_apply (self->normalizer, self->normalized, first);
    count_bert_words (self, self->normalized->str, self->normalized->len);
  } else {
    count_words (self, text, length);
  }
  return TRUE;
}

static gsize
find_seam (const char *text, gsize length, gconstpointer data)
{
  return laurel_pretokenize_find_seam (text, length);
}

gboolean
laurel_tokenizer_trainer_add_text (LaurelTokenizerTrainer *self, const char *text, gsize length,
                                   const char *name, GError **error)
{
  const char *end;

  /* One word may be all of it, and symbols are numbered in 32 bits. */
  if (length > G_MAXINT32) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_ARGUMENT,
                 "Could not train the tokenizer: %s is longer than 2 GiB; give it in parts", name);
    return FALSE;
  }
  if (!g_utf8_validate (text, (gssize) length, &end)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train the tokenizer: byte %" G_GSIZE_FORMAT
                 " of %s is not UTF-8 text; convert it to UTF-8",
                 (gsize) (end - text), name);
    return FALSE;
  }
  return count_block (text, length, TRUE, self, error);
}

gboolean
laurel_tokenizer_trainer_add_stream (LaurelTokenizerTrainer *self, GInputStream *input,
                                     const char *name, GError **error)
{
  return laurel_text_stream_foreach (input, name, BLOCK_SIZE, find_seam, NULL, count_block, self,
                                     error);
}

gint64
laurel_tokenizer_trainer_get_count_error (const LaurelTokenizerTrainer *self)
{
  return laurel_word_counts_get_error (self->words);
}

LaurelTokenizer *
laurel_tokenizer_trainer_train (LaurelTokenizerTrainer *self, LaurelTokenizerProgress progress,
                                gpointer user_data, GError **error)
{
  if (laurel_word_counts_get_n_words (self->words) == 0) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not train the tokenizer: there is no text; give it some");
    return NULL;
  }
  return self->normalizer != NULL
             ? laurel_wordpiece_train (self->words, &self->options, progress, user_data, error)
             : laurel_bpe_train (self->words, &self->options, progress, user_data, error);
}

LaurelTokenizer *
laurel_tokenizer_train_bpe (const char *const *texts, const gsize *lengths, gsize n_texts,
                            int vocab_size, LaurelTokenizerProgress progress, gpointer user_data,
                            GError **error)
{
  const LaurelTokenizerOptions options = { .model = LAUREL_TOKENIZER_BPE,
                                           .vocab_size = vocab_size };
  g_autoptr (LaurelTokenizerTrainer) trainer = laurel_tokenizer_trainer_new (&options, error);

  if (trainer == NULL)
    return NULL;
  for (gsize i = 0; i < n_texts; i++) {
    g_autofree char *name = g_strdup_printf ("text %" G_GSIZE_FORMAT, i + 1);
    gsize length = lengths != NULL ? lengths[i] : strlen (texts[i]);

    if (!laurel_tokenizer_trainer_add_text (trainer, texts[i], length, name, error))
      return NULL;
  }
  return laurel_tokenizer_trainer_train (trainer, progress, user_data, error);
}
