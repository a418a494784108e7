/* encoder.c: text to ids, piece by piece.
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
  GArray *piece; /* the ids of one piece */
  Seen *seen;    /* NULL: nothing is remembered */
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
    whole = laurel_word_table_find (self->tokenizer->words, key);
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

void
laurel_encoder_encode (LaurelEncoder *self, const char *text, gsize length, GArray *ids)
{
  while (length > 0) {
    gsize n = laurel_pretokenize_next (text, length);

    encode_piece (self, text, n, length, ids);
    text += n;
    length -= n;
  }
  flush (self, ids);
}
