/* symbol_lists.h: words as lists of symbols, in which pairs of neighbours are merged.
 *
 * Only distinct words are kept, each with how often it came. Every pair knows
 * its count and the places where it stood when it came to be, so that one merge
 * touches only the places where something changes. A pair exists from the merge
 * that made the later of its two symbols, and from then on its count only falls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gint32 left;
  gint32 right;
  gint64 count;
  guint32 *places; /* rising */
  guint32 n_places;
  guint32 capacity;
} LaurelPair;

typedef struct _LaurelSymbolLists LaurelSymbolLists;

LaurelSymbolLists *laurel_symbol_lists_new (gsize n_symbols); /* room for that many, less than 2^32 − 1 */
void laurel_symbol_lists_free (LaurelSymbolLists *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelSymbolLists, laurel_symbol_lists_free)

void laurel_symbol_lists_add_word (LaurelSymbolLists *self, const gint32 *symbols, gsize n, gint64 count);

guint laurel_symbol_lists_get_n_pairs (const LaurelSymbolLists *self);
/* Borrowed until a merge. */
const LaurelPair *laurel_symbol_lists_get_pair (const LaurelSymbolLists *self, guint pair);

/* Puts @merged in the place of the pair wherever it stands; the new pairs come
 * after the old ones. Returns how often it stood there. */
gint64 laurel_symbol_lists_merge (LaurelSymbolLists *self, guint pair, gint32 merged);

G_END_DECLS
