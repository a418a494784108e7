/* tokenizer_trainer.h: tokenizers learned from texts of any length.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer.h"

G_BEGIN_DECLS

#define LAUREL_MAX_VOCAB_SIZE (1 << 20)

/**
 * LaurelTokenizerOptions:
 * @model: byte-level BPE, or WordPiece
 * @vocab_size: tokens in all: 257 to 2^20 for BPE, 7 to 2^20 for WordPiece
 * @min_count: a pair that comes less often is not merged; 0: for BPE 2, for
 *   WordPiece as many as there can be, see laurel_tokenizer_trainer_train()
 * @cased: WordPiece keeps case and accents
 * @max_word_bytes: bound on the distinct words that are counted; 0: 64 MiB
 */
typedef struct {
  LaurelTokenizerModel model;
  int vocab_size;
  gint64 min_count;
  gboolean cased;
  gsize max_word_bytes;
} LaurelTokenizerOptions;

/* Counts the words of texts; of one thread. Memory grows with the distinct words
 * alone, which are bounded: see word_counts.h. */
typedef struct _LaurelTokenizerTrainer LaurelTokenizerTrainer;

LaurelTokenizerTrainer *laurel_tokenizer_trainer_new (const LaurelTokenizerOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void laurel_tokenizer_trainer_free (LaurelTokenizerTrainer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTokenizerTrainer, laurel_tokenizer_trainer_free)

/* One text (UTF-8 without zero bytes), or one of any length; @name is for errors. */
gboolean laurel_tokenizer_trainer_add_text (LaurelTokenizerTrainer *self, const char *text, gsize length, const char *name, GError **error);
gboolean laurel_tokenizer_trainer_add_stream (LaurelTokenizerTrainer *self, GInputStream *input, const char *name, GError **error);

/* By how much the count of a word may be too low: 0 unless the bound was reached. */
gint64 laurel_tokenizer_trainer_get_count_error (const LaurelTokenizerTrainer *self);

/**
 * laurel_tokenizer_trainer_train:
 *
 * BPE: ids are 256 bytes first (GPT-2's byte order), then one a merge. The pair
 * of the highest count is merged; of pairs that come equally often the one of
 * lower ids.
 *
 * WordPiece: ids are [PAD] [UNK] [CLS] [SEP] [MASK], the characters, then one a
 * merge. The pair with the highest count(a b) / (count(a) · count(b)) is merged,
 * which raises the likelihood of the text most for each time it stands there
 * (Schuster and Nakajima, “Japanese and Korean voice search”, ICASSP 2012; Wu et
 * al., “Google's neural machine translation system”, 2016); ties as above. With no
 * @min_count, frequent pairs go first: of those that come at least 2^40 times, then
 * half as often, and so on down to twice, until the vocabulary is full.
 *
 * <|endoftext|> is last in both. The vocabulary is smaller than was asked for
 * when no pair comes often enough.
 */
LaurelTokenizer *laurel_tokenizer_trainer_train (LaurelTokenizerTrainer *self, LaurelTokenizerProgress progress, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
