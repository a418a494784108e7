/* encoder.c: text to ids, piece by piece.
 *
 * Added tokens are found first, what is left of them is normalised, searched for
 * added tokens again, cut, and each piece encoded.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/encoder.h"

#include "core/text/pretokenize.h"
#include "core/text/word_table.h"

#define N_PENDING 1024

/* Pieces of several tokens that were seen: the last one of each slot. */
#define N_SEEN 4096
#define MAX_SEEN_IDS 7

typedef struct {
  LaurelWordKey key; /* high is 0 in a free slot */
  guint32 n;
  gint32 ids[MAX_SEEN_IDS];
} Seen;

struct _LaurelEncoder {
  const LaurelTokenizer *tokenizer;
  LaurelBpeScratch *scratch;
  GArray *piece;       /* the ids of one piece */
  GString *normalized; /* one stretch between added tokens */
  GString *prefixed;   /* one with a space put before it */
  Seen *seen;          /* NULL: nothing is remembered */
  gint32 pending[N_PENDING];
  gsize n_pending;
};

LaurelEncoder *
laurel_encoder_new (const LaurelTokenizer *tokenizer, gboolean remember)
{
  LaurelEncoder *self = g_new (LaurelEncoder, 1);

  self->tokenizer = tokenizer;
  self->scratch = laurel_bpe_scratch_new ();
  self->piece = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->normalized = g_string_new (NULL);
  self->prefixed = g_string_new (NULL);
  self->seen = remember ? g_new0 (Seen, N_SEEN) : NULL;
  self->n_pending = 0;
  return self;
}

void
laurel_encoder_free (LaurelEncoder *self)
{
  if (self == NULL)
    return;
  laurel_bpe_scratch_free (self->scratch);
  g_array_unref (self->piece);
  g_string_free (self->normalized, TRUE);
  g_string_free (self->prefixed, TRUE);
  g_free (self->seen);
  g_free (self);
}

static void
flush (LaurelEncoder *self, GArray *ids)
{
  g_array_append_vals (ids, self->pending, (guint) self->n_pending);
  self->n_pending = 0;
}

static void
put_ids (LaurelEncoder *self, const gint32 *piece_ids, guint n, GArray *ids)
{
  if (self->n_pending + n > N_PENDING)
    flush (self, ids);
  if (n > N_PENDING) {
    g_array_append_vals (ids, piece_ids, n);
    return;
  }
  for (guint i = 0; i < n; i++)
    self->pending[self->n_pending + i] = piece_ids[i];
  self->n_pending += n;
}

static void
encode_new_piece (LaurelEncoder *self, const char *bytes, gsize length, Seen *seen,
                  LaurelWordKey key, GArray *ids)
{
  const gint32 *found;

  g_array_set_size (self->piece, 0);
  if (self->tokenizer->wordpiece != NULL)
    laurel_wordpiece_encode (self->tokenizer->wordpiece, bytes, length, self->piece);
  else
    laurel_bpe_encode_piece (self->tokenizer, self->scratch, bytes, length, self->piece);
  found = (const gint32 *) (void *) self->piece->data;
  if (seen != NULL && self->piece->len <= MAX_SEEN_IDS) {
    seen->key = key;
    seen->n = self->piece->len;
    memcpy (seen->ids, found, seen->n * sizeof *found);
  }
  put_ids (self, found, self->piece->len, ids);
}

/* @readable: how many bytes there are from @bytes on. */
static void
encode_piece (LaurelEncoder *self, const char *bytes, gsize length, gsize readable, GArray *ids)
{
  LaurelWordKey key = { 0, 0 };
  Seen *seen = NULL;
  gint32 whole;

  if (length <= LAUREL_WORD_KEY_MAX) {
    key = laurel_word_key (bytes, length, readable);
    whole =
        self->tokenizer->words != NULL ? laurel_word_table_find (self->tokenizer->words, key) : -1;
    if (whole >= 0) {
      put_ids (self, &whole, 1, ids);
      return;
    }
    if (self->seen != NULL)
      seen = &self->seen[laurel_hash_word_key (key) & (N_SEEN - 1)];
    if (seen != NULL && laurel_word_key_equal (seen->key, key)) {
      put_ids (self, seen->ids, seen->n, ids);
      return;
    }
  }
  encode_new_piece (self, bytes, length, seen, key, ids);
}

static void
encode_words (LaurelEncoder *self, const char *text, gsize length, GArray *ids)
{
  gsize skipped, n;

  while ((n = laurel_pretokenize_next_bert (text, length, &skipped)) > 0) {
    encode_piece (self, text + skipped, n, length - skipped, ids);
    text += skipped + n;
    length -= skipped + n;
  }
}

static void
encode_pieces (LaurelEncoder *self, const char *text, gsize length, GArray *ids)
{
  while (length > 0) {
    gsize n = self->tokenizer->no_regex ? length : laurel_pretokenize_next (text, length);

    encode_piece (self, text, n, length, ids);
    text += n;
    length -= n;
  }
}

/* A stretch that holds no added token. */
static void
encode_stretch (LaurelEncoder *self, const char *text, gsize length, gboolean first, GArray *ids)
{
  if (length == 0)
    return;
  if (self->tokenizer->wordpiece != NULL) {
    encode_words (self, text, length, ids);
  } else if (first && self->tokenizer->add_prefix_space && *text != ' ') {
    g_string_assign (self->prefixed, " ");
    g_string_append_len (self->prefixed, text, (gssize) length);
    encode_pieces (self, self->prefixed->str, self->prefixed->len, ids);
  } else {
    encode_pieces (self, text, length, ids);
  }
}

typedef void (*EncodeStretch) (LaurelEncoder *self, const char *text, gsize length, gboolean first,
                               GArray *ids);

/* Whatever stands after an added token starts anew. */
static void
encode_between (LaurelEncoder *self, const LaurelAddedFinder *finder, const char *text,
                gsize length, gboolean first, EncodeStretch encode, GArray *ids)
{
  gsize from = 0, done = 0, begin, end;
  gint32 id;

  while (finder != NULL
         && (id = laurel_added_finder_next (finder, text, length, &from, done, &begin, &end))
                >= 0) {
    encode (self, text + done, begin - done, first || done > 0, ids);
    put_ids (self, &id, 1, ids);
    done = end;
  }
  encode (self, text + done, length - done, first || done > 0, ids);
}

static void
encode_raw (LaurelEncoder *self, const char *text, gsize length, gboolean first, GArray *ids)
{
  const LaurelTokenizer *tokenizer = self->tokenizer;

  if (length == 0)
    return;
  if (tokenizer->normalizer != NULL) {
    g_string_truncate (self->normalized, 0);
    g_string_append_len (self->normalized, text, (gssize) length);
    laurel_normalizer_apply (tokenizer->normalizer, self->normalized, first);
    text = self->normalized->str;
    length = self->normalized->len;
  }
  encode_between (self, tokenizer->added_normalized, text, length, first, encode_stretch, ids);
}

void
laurel_encoder_encode (LaurelEncoder *self, const char *text, gsize length, gboolean first,
                       GArray *ids)
{
  encode_between (self, self->tokenizer->added_raw, text, length, first, encode_raw, ids);
  flush (self, ids);
}
