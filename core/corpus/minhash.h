/* minhash.h: what two texts share, told from 512 bytes of each.
 *
 * Broder, “On the resemblance and containment of documents”, 1997. A text's set
 * is its shingles: runs of five words in lower case, without punctuation; where
 * a script has no spaces, each character is a word.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LAUREL_MINHASH_SIZE 128
#define LAUREL_MINHASH_SHINGLE 5

/* Candidates are texts that agree in all rows of a band. A pair of Jaccard similarity s is one
 * with probability 1 − (1 − s^6)^21: 0.998 at 0.8, 0.92 at 0.7, 0.28 at 0.5, 0.015 at 0.3. */
#define LAUREL_MINHASH_BANDS 21
#define LAUREL_MINHASH_ROWS 6

typedef struct {
  guint32 minima[LAUREL_MINHASH_SIZE];
} LaurelMinhash;

/* Appends the shingles of @text (UTF-8) to @shingles (element-type guint32), hashed, in its order and
 * as often as they come; fewer words than a shingle are one of their own, no words none. */
void laurel_minhash_shingle (const char *text, gsize n, GArray *shingles);

/* All ones when there are no shingles. */
void laurel_minhash_sign (const GArray *shingles, LaurelMinhash *out);

/* The Jaccard similarity itself; sorts both and takes out what comes twice. */
double laurel_minhash_measure (GArray *a, GArray *b);

/* An estimate of the Jaccard similarity; its standard deviation is √(s (1 − s) / 128), 0.035 at 0.8. */
double laurel_minhash_compare (const LaurelMinhash *a, const LaurelMinhash *b);

guint64 laurel_minhash_get_band (const LaurelMinhash *self, int band);

G_END_DECLS
