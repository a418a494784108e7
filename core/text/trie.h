/* trie.h: byte strings by their starts: the longest one that a text goes on with.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LaurelTrie LaurelTrie;

LaurelTrie *laurel_trie_new (void);
void laurel_trie_free (LaurelTrie *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelTrie, laurel_trie_free)

/* @length > 0; of two numbers for the same string the later one stays. */
void laurel_trie_add (LaurelTrie *self, const char *bytes, gsize length, gint32 number);

/* The length of the longest string at the start of @text, and its number; 0: there is none. */
gsize laurel_trie_match (const LaurelTrie *self, const char *text, gsize length, gint32 *out_number);

G_END_DECLS
