/* ragged.h: sequences of any length, one after the other, with what of them is learned.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  GArray *tokens;  /* (element-type gint32) of all sequences */
  GArray *learned; /* (element-type guint8), as many: 1 where the loss is on the token, never on a sequence's first */
  GArray *offsets; /* (element-type gint32) n_sequences + 1 */
  gint64 n_labels;
} LaurelRagged;

void laurel_ragged_init (LaurelRagged *self);
void laurel_ragged_clear (LaurelRagged *self);   /* frees what it holds */
void laurel_ragged_restart (LaurelRagged *self); /* no sequences */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LaurelRagged, laurel_ragged_clear)

static inline int
laurel_ragged_count (const LaurelRagged *self)
{
  return (int) self->offsets->len - 1;
}

/* Room for a sequence of @n tokens, all learned but the first; returns where its tokens go. */
gint32 *laurel_ragged_add (LaurelRagged *self, int n);
/* A copy of @tokens (@n), learned from @first_label on where @learned (@n; NULL: everywhere) says so. */
void laurel_ragged_add_masked (LaurelRagged *self, const gint32 *tokens, const guint8 *learned, int n, int first_label);

G_END_DECLS
