/* added_tokens.h: tokens that are found in a text before anything else happens to it.
 *
 * A special one is never found: its place in the text stays plain text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/text/normalizer.h"

G_BEGIN_DECLS

/* The names are tokenizer.json's. */
typedef enum {
  LAUREL_ADDED_SPECIAL = 1 << 0,
  LAUREL_ADDED_SINGLE_WORD = 1 << 1, /* not within a word */
  LAUREL_ADDED_LSTRIP = 1 << 2,      /* takes the spaces before it */
  LAUREL_ADDED_RSTRIP = 1 << 3,      /* and after it */
  LAUREL_ADDED_NORMALIZED = 1 << 4,  /* is looked for in the normalised text */
} LaurelAddedFlags;

typedef struct {
  gint32 id;
  guint flags; /* LaurelAddedFlags */
  char *content;
} LaurelAddedToken;

/* Finds one phase's tokens: the normalised ones or the others. */
typedef struct _LaurelAddedFinder LaurelAddedFinder;

/* NULL when none of @tokens (element-type LaurelAddedToken, borrowed) can be found.
 * With @normalized those that are looked for in text that @normalizer (nullable) made. */
LaurelAddedFinder *laurel_added_finder_new (const GArray *tokens, gboolean normalized, const LaurelNormalizer *normalizer);
void laurel_added_finder_free (LaurelAddedFinder *self);

/* The next token in @text from *@from on: sets its place, spaces that it takes
 * included. @done: where the last one ended. −1: there is no more. */
gint32 laurel_added_finder_next (const LaurelAddedFinder *self, const char *text, gsize length, gsize *from, gsize done, gsize *out_begin,
                                 gsize *out_end);

/* Whether no token can reach across a seam, see laurel_pretokenize_find_seam(). */
gboolean laurel_added_finder_has_seams (const LaurelAddedFinder *self);

G_END_DECLS
