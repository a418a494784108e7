/* tokenizer.h: text to token ids and back.
 *
 * Two models. Byte-level BPE as GPT-2 has it: text is cut by GPT-2's pattern,
 * each piece's bytes are merged by rank; decoding gives the same text again.
 * WordPiece as BERT has it: text is cleaned and cut into words and punctuation,
 * each word is covered by the longest tokens; decoding joins them with spaces.
 *
 * Special tokens never come from plain text, and nothing is put around a text:
 * ids are as transformers makes them with add_special_tokens false. Added tokens
 * that are not special are found in the text first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define LAUREL_END_OF_TEXT "<|endoftext|>"

typedef enum {
  LAUREL_TOKENIZER_BPE,
  LAUREL_TOKENIZER_WORDPIECE,
} LaurelTokenizerModel;

/* Immutable once made; any thread may use it. */
typedef struct _LaurelTokenizer LaurelTokenizer;

LaurelTokenizer *laurel_tokenizer_ref (LaurelTokenizer *self);
void laurel_tokenizer_unref (LaurelTokenizer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTokenizer, laurel_tokenizer_unref)

/* Reads tokenizer.json, or vocab.json with merges.txt, or vocab.txt (BERT's, with
 * tokenizer_config.json's do_lower_case) from @dir. What would change ids and is not
 * supported (other models, normalisers, pre-tokenisers…) is an error that names it. */
LaurelTokenizer *laurel_tokenizer_load (const char *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes tokenizer.json, tokenizer_config.json, and vocab.json with merges.txt or vocab.txt. */
gboolean laurel_tokenizer_save (const LaurelTokenizer *self, const char *dir, GError **error);

typedef void (*LaurelTokenizerProgress) (int n_merges, int n_merges_wanted, gpointer user_data);

/* Byte-level BPE on @texts. Ids: 256 bytes first (GPT-2's byte order), then one a merge,
 * <|endoftext|> last. Ties between pairs of the same count go to the pair of lower ids.
 * Only pairs that come at least twice are merged: when they run out, the vocabulary is
 * smaller than @vocab_size, which is 257 to 2^20. @lengths may be NULL for strings that
 * end in a zero byte. Needs about 20 bytes of memory a byte of distinct words. */
LaurelTokenizer *laurel_tokenizer_train_bpe (const char *const *texts, const gsize *lengths, gsize n_texts, int vocab_size,
                                             LaurelTokenizerProgress progress, gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

LaurelTokenizerModel laurel_tokenizer_get_model (const LaurelTokenizer *self);
int laurel_tokenizer_get_vocab_size (const LaurelTokenizer *self);
int laurel_tokenizer_get_end_of_text (const LaurelTokenizer *self); /* −1 when there is none */
const char *laurel_tokenizer_get_hash (const LaurelTokenizer *self); /* SHA-256 over vocabulary, merges and special tokens */

/* Appends the ids of @text (UTF-8, @length bytes or −1) to @ids (element-type gint32).
 * FALSE on invalid UTF-8, which a zero byte is here as well; @ids is untouched then.
 * Any number of threads may encode with one tokenizer at the same time. */
gboolean laurel_tokenizer_encode (const LaurelTokenizer *self, const char *text, gssize length, GArray *ids, GError **error);

/* The same for many texts on all cores (those of OpenMP): appends the ids of all texts,
 * one after the other, and sets @ends[i] to the length of @ids after text i. What comes
 * out does not depend on the number of threads. FALSE on the first text that is no
 * UTF-8, or when all are longer than 4 GiB together; @ids is untouched then. */
gboolean laurel_tokenizer_encode_texts (const LaurelTokenizer *self, const char *const *texts, const gsize *lengths, gsize n_texts, GArray *ids,
                                        gsize *ends, GError **error);

/* Takes the next @n ids of a text; FALSE and an error to stop. */
typedef gboolean (*LaurelTokenSink) (const gint32 *ids, gsize n, gpointer user_data, GError **error);

/* Encodes one text of any length on all cores, holding some megabytes of it for each of
 * them (more only where it goes on without a space for longer than that). @sink is called
 * on this thread, in order. @name is for errors, which come after the ids before them. */
gboolean laurel_tokenizer_encode_stream (const LaurelTokenizer *self, GInputStream *input, const char *name, LaurelTokenSink sink,
                                         gpointer user_data, GError **error);

/* (transfer full): the text of @ids; special tokens appear by their name when @with_special.
 * Bytes that are no UTF-8 (a cut sequence), zero bytes and ids that are none become U+FFFD. */
char *laurel_tokenizer_decode (const LaurelTokenizer *self, const gint32 *ids, gsize n, gboolean with_special) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes that token @id stands for; empty for special tokens. A WordPiece token that
 * starts a word has a space before it. Borrowed. */
const char *laurel_tokenizer_get_bytes (const LaurelTokenizer *self, int id, gsize *out_length);
/* A label for one token on a screen: printable UTF-8, ␣ kept as a space, control characters, backslashes and broken bytes escaped. */
char *laurel_tokenizer_label (const LaurelTokenizer *self, int id) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
