/* word_counts.h: how often each word of a text came, in bounded memory.
 *
 * When the distinct words outgrow the bound, the rarest are dropped, as lossy
 * counting does (Manku and Motwani, “Approximate frequency counts over data
 * streams”, VLDB 2002): a word's count is then too low by at most what
 * laurel_word_counts_get_error() says. Below the bound counts are exact.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _LaurelWordCounts LaurelWordCounts;

LaurelWordCounts *laurel_word_counts_new (gsize max_bytes); /* of distinct words */
void laurel_word_counts_free (LaurelWordCounts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelWordCounts, laurel_word_counts_free)

/* @length > 0 bytes, of which @readable ≥ @length may be read. */
void laurel_word_counts_add (LaurelWordCounts *self, const char *word, gsize length, gsize readable);

guint laurel_word_counts_get_n_words (const LaurelWordCounts *self);
gsize laurel_word_counts_get_total_length (const LaurelWordCounts *self);
const char *laurel_word_counts_get_word (const LaurelWordCounts *self, guint i, gsize *out_length);
gint64 laurel_word_counts_get_count (const LaurelWordCounts *self, guint i);
gint64 laurel_word_counts_get_error (const LaurelWordCounts *self);

G_END_DECLS
