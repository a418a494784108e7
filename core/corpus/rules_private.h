/* rules_private.h: what the files of the rules share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/corpus/rules.h"

#include <string.h>

G_BEGIN_DECLS

/* A stretch of a text. */
typedef struct {
  const char *start;
  gsize n;       /* bytes */
  gsize n_chars; /* Unicode characters */
  guint64 hash;
} LaurelSpan;

/* 64 bits that depend on every byte; equal for equal bytes, never stored. */
static inline guint64
laurel_hash_bytes (const char *bytes, gsize n)
{
  const guint64 multiplier = G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  guint64 hash = (n + 1) * multiplier, word;

  for (; n >= sizeof word; n -= sizeof word, bytes += sizeof word) {
    memcpy (&word, bytes, sizeof word);
    hash = (hash ^ word) * multiplier;
    hash ^= hash >> 32;
  }
  word = 0;
  memcpy (&word, bytes, n);
  hash = (hash ^ word) * multiplier;
  hash ^= hash >> 29;
  hash *= multiplier;
  return hash ^ hash >> 32;
}

/* Appends the words (between white space), lines (with something on them) or paragraphs (between
 * empty lines) of @text to @spans (element-type LaurelSpan). */
void laurel_split_words (const GString *text, GArray *spans);
void laurel_split_lines (const GString *text, GArray *spans);
void laurel_split_paragraphs (const GString *text, GArray *spans);

LaurelRule laurel_rules_apply_c4 (const LaurelRules *self, GString *text, LaurelRemovedLines *lines);
LaurelRule laurel_rules_apply_gopher_quality (const LaurelRules *self, const GString *text, const GArray *words);
LaurelRule laurel_rules_apply_gopher_repetition (const LaurelRules *self, const GString *text, const GArray *words);

G_END_DECLS
