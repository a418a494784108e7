/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/packed.h"

#include "core/train/sequence.h"

/* A row is found by walking at most so many from one whose place is known. */
#define STRIDE 16

/* The walk over all documents holds pages of no more than so many. */
#define RELEASE_DOCUMENTS 65536

typedef struct {
  guint64 document;
  guint64 start; /* in the document with its end-of-texts */
} Place;

/* A document with the end-of-texts that the file does not have. */
typedef struct {
  guint64 first; /* its first token in the file */
  guint64 n;     /* of its tokens in the file */
  int lead, tail;
} Outline;

typedef struct {
  Outline outline;
  guint64 start;
  int n;
} Piece;

struct _LaurelPacked {
  LaurelTokenFile *file;
  LaurelHyperparameters hp;
  gboolean held_out;
  guint64 first_document;
  guint64 n_documents; /* of the file */
  guint64 n_used;      /* of this side of the split */
  gint32 end_of_text;
  int limit;
  int longest;
  gsize n_rows;
  GArray *places; /* (element-type Place) of rows 0, STRIDE, 2 STRIDE, … */
};

static gboolean
is_mine (const LaurelPacked *self, guint64 document)
{
  return laurel_data_is_held_out (&self->hp, self->first_document + document) == self->held_out;
}

static Outline
get_outline (const LaurelPacked *self, guint64 document)
{
  Outline out = { 0 };
  gint32 first, last;

  out.n = laurel_token_file_get_document (self->file, document, &out.first);
  if (self->end_of_text < 0)
    return out;
  laurel_token_file_read (self->file, out.first, 1, &first);
  laurel_token_file_read (self->file, out.first + out.n - 1, 1, &last);
  out.lead = first != self->end_of_text;
  out.tail = last != self->end_of_text;
  return out;
}

/* The next piece from @place on, which moves past it; FALSE at the end. */
static gboolean
next_piece (const LaurelPacked *self, Place *place, Piece *out)
{
  for (; place->document < self->n_documents; place->document++, place->start = 0) {
    Outline outline;
    guint64 n_left;

    if (!is_mine (self, place->document))
      continue;
    outline = get_outline (self, place->document);
    n_left = outline.n + (guint64) (outline.lead + outline.tail) - place->start;
    if (n_left < 2)
      continue; /* nothing is left to predict */
    *out = (Piece){ outline, place->start, (int) MIN (n_left, (guint64) self->limit) };
    place->start += (guint64) out->n - 1;
    return TRUE;
  }
  return FALSE;
}

static void
add_piece (const LaurelPacked *self, const Piece *piece, LaurelRagged *out)
{
  gint32 *tokens = laurel_ragged_add (out, piece->n);
  const Outline *outline = &piece->outline;
  gboolean has_lead = piece->start == 0 && outline->lead;
  guint64 from = has_lead ? 0 : piece->start - (guint64) outline->lead;
  guint64 n = MIN (outline->n - from, (guint64) (piece->n - has_lead));

  if (has_lead)
    *tokens++ = self->end_of_text;
  laurel_token_file_read (self->file, outline->first + from, n, tokens);
  if (n < (guint64) (piece->n - has_lead))
    tokens[n] = self->end_of_text;
}

/* The row at @place, which moves past it, to @out (NULL: nowhere); FALSE at the end. */
static gboolean
next_row (const LaurelPacked *self, Place *place, LaurelRagged *out, int *out_longest)
{
  int n = 0;

  for (;;) {
    Place before = *place;
    Piece piece;

    if (!next_piece (self, place, &piece))
      return n > 0;
    if (n > 0 && n + piece.n > self->limit) {
      *place = before;
      return TRUE;
    }
    n += piece.n;
    if (out != NULL)
      add_piece (self, &piece, out);
    if (out_longest != NULL)
      *out_longest = MAX (*out_longest, piece.n);
  }
}

static void
index_rows (LaurelPacked *self)
{
  Place place = { 0 };

  for (;;) {
    Place start = place;

    if (!next_row (self, &place, NULL, &self->longest))
      return;
    if (self->n_rows % STRIDE == 0)
      g_array_append_val (self->places, start);
    self->n_rows++;
    if (place.document / RELEASE_DOCUMENTS != start.document / RELEASE_DOCUMENTS)
      laurel_token_file_release (self->file);
  }
}

LaurelPacked *
laurel_packed_new (LaurelTokenFile *file,
                   const LaurelHyperparameters *hp,
                   gboolean held_out,
                   guint64 first_document,
                   int limit)
{
  LaurelPacked *self = g_new0 (LaurelPacked, 1);

  g_assert (limit >= 2);

  self->file = laurel_token_file_ref (file);
  self->hp = *hp;
  self->held_out = held_out;
  self->first_document = first_document;
  self->n_documents = laurel_token_file_get_n_documents (file);
  self->end_of_text = laurel_token_file_get_end_of_text (file);
  self->limit = limit;
  self->places = g_array_new (FALSE, FALSE, sizeof (Place));
  for (guint64 i = 0; i < self->n_documents; i++)
    self->n_used += is_mine (self, i);
  index_rows (self);
  return self;
}

void
laurel_packed_free (LaurelPacked *self)
{
  if (self == NULL)
    return;
  laurel_token_file_unref (self->file);
  g_array_unref (self->places);
  g_free (self);
}

gsize
laurel_packed_count_rows (const LaurelPacked *self)
{
  return self->n_rows;
}

guint64
laurel_packed_count_documents (const LaurelPacked *self)
{
  return self->n_used;
}

int
laurel_packed_get_longest (const LaurelPacked *self)
{
  return self->longest;
}

void
laurel_packed_digest (const LaurelPacked *self, GChecksum *checksum)
{
  const guint64 words[] = { laurel_token_file_get_checksum (self->file), self->first_document,
                            (guint64) self->held_out, (guint64) self->limit, self->n_rows };

  g_checksum_update (checksum, (const guchar *) words, sizeof words);
}

void
laurel_packed_gather (const LaurelPacked *self, gsize row, LaurelRagged *out)
{
  Place place = g_array_index (self->places, Place, row / STRIDE);

  for (gsize i = 0; i < row % STRIDE; i++)
    (void) next_row (self, &place, NULL, NULL);
  (void) next_row (self, &place, out, NULL);
}
