/* tokenizer_private.h: what a tokenizer is made of, for the files that make one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/added_tokens.h"
#include "core/text/normalizer.h"
#include "core/text/string_table.h"
#include "core/text/tokenizer.h"
#include "core/text/word_table.h"
#include "core/text/wordpiece.h"

G_BEGIN_DECLS

#define LAUREL_NO_MERGE G_MAXUINT32

#define LAUREL_TOKENIZER_FILE "tokenizer.json"
#define LAUREL_VOCAB_FILE "vocab.json"
#define LAUREL_MERGES_FILE "merges.txt"
#define LAUREL_WORDS_FILE "vocab.txt"
#define LAUREL_TOKENIZER_CONFIG_FILE "tokenizer_config.json"

typedef struct {
  gint32 left;
  gint32 right;
  gint32 result;
} LaurelMerge;

/* Pairs lie in the table itself, so that looking one up is one look into memory. */
typedef struct {
  gint32 left;
  gint32 right;
  guint32 place; /* rank + 1; 0 in a free slot */
} LaurelMergeSlot;

typedef enum {
  LAUREL_TOKEN_SPECIAL = 1 << 0, /* its string is its name; text never becomes it */
  LAUREL_TOKEN_WHOLE = 1 << 1,   /* its bytes as a piece of text become this one token */
  LAUREL_TOKEN_MERGED = 1 << 2,  /* some merge makes it */
  LAUREL_TOKEN_ADDED = 1 << 3,   /* text becomes it before anything else is done */
} LaurelTokenFlags;

/* The tokens are, by model: the bytes they stand for (BPE), or their forms as
 * vocab.txt has them (WordPiece); special and added ones are their names. */
struct _LaurelTokenizer {
  gatomicrefcount n_references;
  LaurelTokenizerModel model;
  LaurelStringTable *tokens; /* number = id */
  GByteArray *flags;         /* LaurelTokenFlags of each id */
  gint32 end_of_text;
  char *hash;

  LaurelNormalizer *normalizer;        /* NULL: none */
  GArray *added;                       /* LaurelAddedToken, by id */
  LaurelAddedFinder *added_raw;        /* NULL: none to be found */
  LaurelAddedFinder *added_normalized; /* the same in normalised text */
  gboolean has_seams;                  /* long texts can be encoded in parts */
  char *post_processor;                /* (nullable): JSON that is kept for saving alone */

  /* BPE. */
  gboolean add_prefix_space;
  gboolean no_regex;            /* a text is one piece */
  GArray *merges;               /* LaurelMerge, in the order of their rank */
  LaurelMergeSlot *merge_slots; /* hash table over the pairs */
  gsize n_merge_slots;          /* a power of two */
  gsize longest_token;          /* bytes */
  LaurelWordTable *words;       /* the short tokens that are LAUREL_TOKEN_WHOLE */
  gint32 byte_ids[256];

  /* WordPiece. */
  LaurelWordPiece *wordpiece; /* NULL: BPE */
  GByteArray *texts;          /* what each token stands for, one after the other */
  GArray *text_ends;          /* gsize */
};

/* Making one: tokens in the order of their ids, merges in the order of their
 * rank, then seal it; before that nothing else may be called but unref. */
LaurelTokenizer *laurel_tokenizer_new (LaurelTokenizerModel model);
gboolean laurel_tokenizer_add_token (LaurelTokenizer *self, const char *bytes, gsize length, gboolean special); /* FALSE: it is there already */
gboolean laurel_tokenizer_add_merge (LaurelTokenizer *self, LaurelMerge merge);                                 /* FALSE: the pair is there already */
/* For a token that is there: special, or one that text becomes before all else. */
void laurel_tokenizer_mark_added (LaurelTokenizer *self, gint32 id, guint flags);
/* Checks what no file format checks (all bytes or the unknown token there,
 * special tokens out of reach) and fills in the rest. @name is for errors. */
gboolean laurel_tokenizer_seal (LaurelTokenizer *self, const char *name, GError **error);

/* Spreads pairs of ids over tables whose sizes are powers of two. */
static inline gsize
laurel_hash_pair (gint32 left, gint32 right)
{
  guint64 key = (guint64) (guint32) left << 32 | (guint32) right;

  return (gsize) ((key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 29);
}

/* The slot that holds the pair, or the free slot where it would go. */
static inline gsize
laurel_tokenizer_find_merge_slot (const LaurelTokenizer *self, gint32 left, gint32 right)
{
  gsize slot = laurel_hash_pair (left, right) & (self->n_merge_slots - 1);

  while (self->merge_slots[slot].place != 0
         && (self->merge_slots[slot].left != left || self->merge_slots[slot].right != right))
    slot = (slot + 1) & (self->n_merge_slots - 1);
  return slot;
}

/* The pair's rank, or LAUREL_NO_MERGE. */
static inline guint32
laurel_tokenizer_find_merge (const LaurelTokenizer *self, gint32 left, gint32 right)
{
  return self->merge_slots[laurel_tokenizer_find_merge_slot (self, left, right)].place - 1;
}

/* GPT-2's order of the 256 bytes, and the printable characters that stand for
 * bytes in its files. */
guint8 laurel_byte_at_place (int place);
gunichar laurel_byte_to_character (guint8 byte);
int laurel_byte_from_character (gunichar character); /* −1 when it stands for none */

/* Merging one piece of text. The scratch memory belongs to one thread. */
typedef struct _LaurelBpeScratch LaurelBpeScratch;

LaurelBpeScratch *laurel_bpe_scratch_new (void);
void laurel_bpe_scratch_free (LaurelBpeScratch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelBpeScratch, laurel_bpe_scratch_free)

/* Appends the ids of @length ≤ G_MAXINT32 bytes: O(n log n). The second does
 * not look whether the piece is a token. */
void laurel_bpe_encode_piece (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes, gsize length, GArray *ids);
void laurel_bpe_merge_piece (const LaurelTokenizer *self, LaurelBpeScratch *scratch, const char *bytes, gsize length, GArray *ids);

G_END_DECLS
