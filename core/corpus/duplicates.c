/* duplicates.c: equal hashes, and bands of MinHash signatures (locality-sensitive hashing).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/duplicates.h"

#include <stdlib.h>
#include <string.h>

#define MAX_COMPARED 1024
/* √(0.8 · 0.2 / 128) = 0.035, three times. */
#define DOUBT 0.1
#define COMPARISONS_A_STEP 4096

typedef struct {
  guint8 hash[LAUREL_DOCUMENT_HASH_LENGTH];
  guint32 document;
} HashEntry;

typedef struct {
  guint64 band;
  guint32 document;
} BandEntry;

static int
compare_hashes (const void *a, const void *b)
{
  const HashEntry *x = a, *y = b;
  int order = memcmp (x->hash, y->hash, sizeof x->hash);

  return order != 0 ? order : (x->document > y->document) - (x->document < y->document);
}

static int
compare_bands (const void *a, const void *b)
{
  const BandEntry *x = a, *y = b;

  if (x->band != y->band)
    return x->band < y->band ? -1 : 1;
  return (x->document > y->document) - (x->document < y->document);
}

static const LaurelDocumentKey *
get_key (const LaurelDuplicateSearch *search, guint32 i)
{
  return (const void *) ((const char *) search->keys + search->stride * i);
}

static void
find_exact (const LaurelDuplicateSearch *search, LaurelDuplicate *out)
{
  guint32 n = search->n;
  g_autofree HashEntry *entries = g_new (HashEntry, n);

  for (guint32 i = 0; i < n; i++) {
    memcpy (entries[i].hash, get_key (search, i)->hash, sizeof entries[i].hash);
    entries[i].document = i;
  }
  qsort (entries, n, sizeof *entries, compare_hashes);
  for (guint32 i = 0; i < n; i++) {
    gboolean same =
        i > 0 && memcmp (entries[i].hash, entries[i - 1].hash, sizeof entries[i].hash) == 0;
    guint32 first = same ? out[entries[i - 1].document].first : entries[i].document;

    out[entries[i].document] = (LaurelDuplicate){ first, same };
  }
}

/* The first document of @i's group, which every member on the way then points at. */
static guint32
find_root (LaurelDuplicate *out, guint32 i)
{
  guint32 root = i, next;

  while (out[root].first != root)
    root = out[root].first;
  for (; out[i].first != root; i = next) {
    next = out[i].first;
    out[i].first = root;
  }
  return root;
}

static void
join (LaurelDuplicate *out, guint32 a, guint32 b)
{
  a = find_root (out, a);
  b = find_root (out, b);
  out[MAX (a, b)].first = MIN (a, b);
}

/* --- Near duplicates ----------------------------------------------------------------- */

typedef struct {
  const LaurelDuplicateSearch *search;
  LaurelDuplicate *out;
  double share;
  guint n_compared;
} Comparison;

static GArray *
get_shingles (const LaurelDuplicateSearch *search, guint32 document, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GArray *shingles;

  if (!search->read (document, text, search->user_data, error))
    return NULL;
  shingles = g_array_new (FALSE, FALSE, sizeof (guint32));
  laurel_minhash_shingle (text->str, text->len, shingles);
  return shingles;
}

/* Joins @a and @b if they are similar. */
static gboolean
compare_pair (Comparison *self, guint32 a, guint32 b, GError **error)
{
  const LaurelDuplicateSearch *search = self->search;
  double similarity =
      laurel_minhash_compare (&search->signatures[a], &search->signatures[b]);

  if (++self->n_compared % COMPARISONS_A_STEP == 0
      && !search->go_on (self->share, search->user_data, error))
    return FALSE;
  if (ABS (similarity - search->threshold) < DOUBT) {
    g_autoptr (GArray) x = get_shingles (search, a, error);
    g_autoptr (GArray) y = x != NULL ? get_shingles (search, b, error) : NULL;

    if (y == NULL)
      return FALSE;
    similarity = laurel_minhash_measure (x, y);
  }
  if (similarity >= search->threshold)
    join (self->out, a, b);
  return TRUE;
}

/* Documents that agree in a band, in order. */
static gboolean
compare_bucket (Comparison *self, const BandEntry *bucket, guint32 n, GError **error)
{
  for (guint32 j = 1; j < n; j++) {
    guint32 b = bucket[j].document;

    for (guint32 i = 0; i < MIN (j, MAX_COMPARED); i++) {
      guint32 a = bucket[i].document;

      if (find_root (self->out, a) != find_root (self->out, b)
          && !compare_pair (self, a, b, error))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
compare_band (Comparison *self, BandEntry *entries, guint32 n, int band, GError **error)
{
  guint32 end;

  for (guint32 i = 0; i < n; i++)
    entries[i].band =
        laurel_minhash_get_band (&self->search->signatures[entries[i].document], band);
  qsort (entries, n, sizeof *entries, compare_bands);
  for (guint32 i = 0; i < n; i = end) {
    for (end = i + 1; end < n && entries[end].band == entries[i].band;)
      end++;
    if (!compare_bucket (self, entries + i, end - i, error))
      return FALSE;
  }
  return TRUE;
}

static int
compare_documents (const void *a, const void *b)
{
  const BandEntry *x = a, *y = b;

  return (x->document > y->document) - (x->document < y->document);
}

static gboolean
find_near (const LaurelDuplicateSearch *search, LaurelDuplicate *out, GError **error)
{
  g_autofree BandEntry *entries = g_new (BandEntry, search->n);
  Comparison comparison = { search, out };
  guint32 n = 0;

  for (guint32 i = 0; i < search->n; i++)
    if (!out[i].exact && get_key (search, i)->has_signature)
      entries[n++].document = i;
  for (int band = 0; band < LAUREL_MINHASH_BANDS; band++) {
    comparison.share = (double) band / LAUREL_MINHASH_BANDS;
    if (!search->go_on (comparison.share, search->user_data, error))
      return FALSE;
    /* Back in order, so that the signatures are read from front to back. */
    qsort (entries, n, sizeof *entries, compare_documents);
    if (!compare_band (&comparison, entries, n, band, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_duplicates_find (const LaurelDuplicateSearch *search, LaurelDuplicate *out, GError **error)
{
  if (search->n == 0)
    return search->go_on (1.0, search->user_data, error);
  find_exact (search, out);
  if (search->signatures != NULL && !find_near (search, out, error))
    return FALSE;
  for (guint32 i = 0; i < search->n; i++)
    (void) find_root (out, i);
  return search->go_on (1.0, search->user_data, error);
}
