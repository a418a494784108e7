/* wordpiece.h: words to the longest tokens that they are made of.
 *
 * From the word's start the longest token is taken, then from there the longest
 * that continues a word, and so on. A word that cannot be covered so, or has too
 * many characters, is the unknown token as a whole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/trie.h"

G_BEGIN_DECLS

#define LAUREL_CONTINUATION "##"
#define LAUREL_UNKNOWN_TOKEN "[UNK]"
#define LAUREL_MAX_WORD_CHARACTERS 100

typedef struct {
  LaurelTrie *starts;        /* tokens that start a word */
  LaurelTrie *continuations; /* without their prefix */
  char *prefix;              /* what marks the latter: ## */
  gint32 unknown;
  gint64 max_characters;
  gboolean cleanup; /* whether decoding takes out the space before punctuation */
} LaurelWordPiece;

LaurelWordPiece *laurel_wordpiece_new (void);
void laurel_wordpiece_free (LaurelWordPiece *self);
void laurel_wordpiece_add (LaurelWordPiece *self, const char *form, gsize length, gint32 id);
void laurel_wordpiece_encode (const LaurelWordPiece *self, const char *word, gsize length, GArray *ids);

/* Appends the token @form as it stands in a text, the space before it included
 * unless it is the @first. */
void laurel_wordpiece_append_text (const LaurelWordPiece *self, const char *form, gsize length, gboolean first, GString *text);

G_END_DECLS
