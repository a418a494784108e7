/* SPDX-License-Identifier: Apache-2.0 */
#include "core/train/rows.h"

#include "core/base/error.h"
#include "core/train/monitor.h"
#include "core/train/sequence.h"

/* Rows that are kept in one way: @sequences or @packed. */
typedef struct {
  GPtrArray *sequences;
  LaurelPacked *packed;
  gsize n_rows;
} Part;

struct _LaurelRows {
  GArray *parts; /* (element-type Part) */
  gsize n_rows;
};

static void
part_clear (gpointer data)
{
  Part *part = data;

  g_clear_pointer (&part->sequences, g_ptr_array_unref);
  g_clear_pointer (&part->packed, laurel_packed_free);
}

LaurelRows *
laurel_rows_new (void)
{
  LaurelRows *self = g_new0 (LaurelRows, 1);

  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (self->parts, part_clear);
  return self;
}

void
laurel_rows_free (LaurelRows *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->parts);
  g_free (self);
}

static void
add_part (LaurelRows *self, Part part)
{
  g_array_append_val (self->parts, part);
  self->n_rows += part.n_rows;
}

void
laurel_rows_add_sequences (LaurelRows *self, GPtrArray *sequences)
{
  add_part (self, (Part){ .sequences = g_ptr_array_ref (sequences), .n_rows = sequences->len });
}

void
laurel_rows_add_packed (LaurelRows *self, LaurelPacked *packed)
{
  add_part (self, (Part){ .packed = packed, .n_rows = laurel_packed_count_rows (packed) });
}

gsize
laurel_rows_count (const LaurelRows *self)
{
  return self->n_rows;
}

int
laurel_rows_get_longest (const LaurelRows *self, int limit)
{
  int longest = 0;

  for (guint i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->packed != NULL)
      longest = MAX (longest, laurel_packed_get_longest (part->packed));
    for (guint j = 0; part->sequences != NULL && j < part->sequences->len; j++) {
      const LaurelSequence *sequence = g_ptr_array_index (part->sequences, j);

      longest = MAX (longest, MIN (sequence->n_tokens, limit));
    }
  }
  return longest;
}

static gboolean
check_sequence (const LaurelSequence *sequence,
                const LaurelModelConfig *config,
                int limit,
                const char *what,
                gsize number,
                GError **error)
{
  int used = MIN (sequence->n_tokens, limit);

  if (!laurel_tokens_check (sequence->tokens, sequence->n_tokens, config, what, (int) number,
                            error))
    return FALSE;
  if (laurel_sequence_count_labels (sequence, used) > 0)
    return TRUE;
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not train on %s %" G_GSIZE_FORMAT
               ": of its %d tokens the first %d are the prompt and at most %d are used, "
               "so there is nothing to learn; shorten the prompt or leave the row out",
               what, number, sequence->n_tokens, sequence->n_prompt, limit);
  return FALSE;
}

gboolean
laurel_rows_check (const LaurelRows *self,
                   const LaurelModelConfig *config,
                   int limit,
                   const char *what,
                   const LaurelMonitor *monitor,
                   GError **error)
{
  gsize number = 0;
  int n_cut = 0;

  for (guint i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    for (guint j = 0; part->sequences != NULL && j < part->sequences->len; j++) {
      const LaurelSequence *sequence = g_ptr_array_index (part->sequences, j);

      if (!check_sequence (sequence, config, limit, what, number + j + 1, error))
        return FALSE;
      n_cut += sequence->n_tokens > limit;
    }
    number += part->n_rows;
  }
  if (n_cut > 0)
    laurel_monitor_log (monitor, "%d sequences were cut to %d tokens.", n_cut, limit);
  return TRUE;
}

void
laurel_rows_digest (const LaurelRows *self, GChecksum *checksum)
{
  for (guint i = 0; i < self->parts->len; i++) {
    const Part *part = &g_array_index (self->parts, Part, i);

    if (part->packed != NULL)
      laurel_packed_digest (part->packed, checksum);
    for (guint j = 0; part->sequences != NULL && j < part->sequences->len; j++) {
      const LaurelSequence *sequence = g_ptr_array_index (part->sequences, j);

      laurel_data_digest_tokens (checksum, &sequence->n_prompt, 1);
      laurel_data_digest_tokens (checksum, sequence->tokens, sequence->n_tokens);
      if (sequence->learned != NULL)
        g_checksum_update (checksum, sequence->learned, sequence->n_tokens);
    }
  }
}

void
laurel_rows_gather (const LaurelRows *self, gsize row, int limit, LaurelRagged *out)
{
  const Part *part = (const Part *) (const void *) self->parts->data;
  const LaurelSequence *sequence;

  for (; row >= part->n_rows; part++)
    row -= part->n_rows;
  if (part->packed != NULL) {
    laurel_packed_gather (part->packed, row, out);
    return;
  }
  sequence = g_ptr_array_index (part->sequences, row);
  laurel_ragged_add_masked (out, sequence->tokens, sequence->learned,
                            MIN (sequence->n_tokens, limit),
                            laurel_sequence_first_label (sequence));
}
