/* duplicates.c: equal hashes, and bands of MinHash signatures (locality-sensitive hashing).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/duplicates.h"

#include <stdlib.h>
#include <string.h>

#define MAX_COMPARED 1024

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
get_key (const LaurelDocumentKey *keys, gsize stride, guint32 i)
{
  return (const void *) ((const char *) keys + stride * i);
}

static void
find_exact (const LaurelDocumentKey *keys, gsize stride, guint32 n, LaurelDuplicate *out)
{
  g_autofree HashEntry *entries = g_new (HashEntry, n);

  for (guint32 i = 0; i < n; i++) {
    memcpy (entries[i].hash, get_key (keys, stride, i)->hash, sizeof entries[i].hash);
    entries[i].document = i;
  }
  qsort (entries, n, sizeof *entries, compare_hashes);
  for (guint32 i = 0; i < n; i++) {
    gboolean same = i > 0 && memcmp (entries[i].hash, entries[i - 1].hash, sizeof entries[i].hash) == 0;
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

/* Documents that agree in a band, in order. */
static void
compare_bucket (const BandEntry *bucket,
                guint32 n,
                const LaurelMinhash *signatures,
                double threshold,
                LaurelDuplicate *out)
{
  for (guint32 j = 1; j < n; j++) {
    guint32 b = bucket[j].document;

    for (guint32 i = 0; i < MIN (j, MAX_COMPARED); i++) {
      guint32 a = bucket[i].document;

      if (find_root (out, a) != find_root (out, b)
          && laurel_minhash_compare (&signatures[a], &signatures[b]) >= threshold)
        join (out, a, b);
    }
  }
}

static void
compare_band (BandEntry *entries,
              guint32 n,
              int band,
              const LaurelMinhash *signatures,
              double threshold,
              LaurelDuplicate *out)
{
  guint32 end;

  for (guint32 i = 0; i < n; i++)
    entries[i].band = laurel_minhash_get_band (&signatures[entries[i].document], band);
  qsort (entries, n, sizeof *entries, compare_bands);
  for (guint32 i = 0; i < n; i = end) {
    for (end = i + 1; end < n && entries[end].band == entries[i].band;)
      end++;
    compare_bucket (entries + i, end - i, signatures, threshold, out);
  }
}

static int
compare_documents (const void *a, const void *b)
{
  const BandEntry *x = a, *y = b;

  return (x->document > y->document) - (x->document < y->document);
}

gboolean
laurel_duplicates_find (const LaurelDocumentKey *keys,
                        gsize stride,
                        const LaurelMinhash *signatures,
                        guint32 n,
                        double threshold,
                        LaurelDuplicate *out,
                        LaurelDuplicatesGoOn go_on,
                        gpointer user_data,
                        GError **error)
{
  g_autofree BandEntry *entries = NULL;
  guint32 n_entries = 0;

  find_exact (keys, stride, n, out);
  if (signatures != NULL) {
    entries = g_new (BandEntry, n);
    for (guint32 i = 0; i < n; i++)
      if (!out[i].exact && get_key (keys, stride, i)->has_signature)
        entries[n_entries++].document = i;
    for (int band = 0; band < LAUREL_MINHASH_BANDS; band++) {
      if (!go_on ((double) band / LAUREL_MINHASH_BANDS, user_data, error))
        return FALSE;
      /* Back in order, so that the signatures are read from front to back. */
      qsort (entries, n_entries, sizeof *entries, compare_documents);
      compare_band (entries, n_entries, band, signatures, threshold, out);
    }
  }
  for (guint32 i = 0; i < n; i++)
    (void) find_root (out, i);
  return go_on (1.0, user_data, error);
}
