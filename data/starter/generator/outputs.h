/* outputs.h: the files that the starter's generator writes, each made in memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/starter/generator/world.h"

G_BEGIN_DECLS

typedef struct {
  guint n_documents;
  guint n_sentences;
  guint n_distinct; /* different sentences among them */
} LaurelCorpusCounts;

/* Documents of one or more lines with a blank line between, about @n_bytes in all.
 * None of the questions in @forbidden stands in it. */
GString *laurel_make_corpus (JsonObject *world, guint64 seed, gsize n_bytes, GHashTable *forbidden, LaurelCorpusCounts *out_counts);

/* One row of prompts.jsonl a line. @out_heldout: (element-type utf8) the held-out ones. */
GString *laurel_make_prompts (JsonObject *world, guint64 seed, GHashTable *out_heldout);

/* One row {"prompt", "completion"} a line. */
GString *laurel_make_demonstrations (JsonObject *world, guint64 seed, GHashTable *forbidden);

/* The rule judge's file. */
GString *laurel_make_judge (JsonObject *world);

/* Streams of random numbers, so that one file does not change with another. */
enum { LAUREL_STREAM_CORPUS = 1, LAUREL_STREAM_PROMPTS, LAUREL_STREAM_DEMONSTRATIONS };

void laurel_append_row (GString *text, const char *const *members, const char *const *values, int n);

G_END_DECLS
