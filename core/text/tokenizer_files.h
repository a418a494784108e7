/* tokenizer_files.h: what the readers of a tokenizer's files share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/tokenizer_private.h"

G_BEGIN_DECLS

/* One row of a vocabulary: @form borrows from what was read. */
typedef struct {
  const char *form;
  gboolean added;
  guint flags; /* LaurelAddedFlags, when @added */
} LaurelVocabRow;

/* Sets “Could not read “@path”: REASON” and returns FALSE. */
gboolean laurel_tokenizer_refuse (GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* The text of @node (nullable), or NULL when it is something else. */
const char *laurel_tokenizer_get_text (JsonNode *node);

/* The rows of @vocab and @added (element-type object) in the order of their ids, or NULL. */
GArray *laurel_vocab_collect (JsonObject *vocab, JsonArray *added, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_vocab_add_rows (LaurelTokenizer *self, GArray *rows, const char *path, GError **error);
/* “a b” or ["a", "b"]. */
gboolean laurel_vocab_add_merges (LaurelTokenizer *self, JsonArray *merges, const char *path, GError **error);
/* The text of merges.txt. */
gboolean laurel_vocab_add_merge_lines (LaurelTokenizer *self, const char *text, const char *path, GError **error);

LaurelTokenizer *laurel_tokenizer_load_json (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
