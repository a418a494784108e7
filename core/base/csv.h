/* csv.h: comma-separated values as spreadsheets write them (RFC 4180).
 *
 * Fields may be quoted; a quoted field may hold commas, line ends and doubled
 * quotes. Lines end in LF or CRLF; a byte-order mark at the start is skipped.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *at;
  const char *end;
  guint line; /* where the next record begins, from 1 */
} LaurelCsv;

/* @text must outlive the reader. */
void laurel_csv_init (LaurelCsv *self, const char *text, gsize length);

/**
 * laurel_csv_read:
 * @fields: (element-type utf8): emptied, then filled with the record's fields
 * @out_line: the line where the record begins
 *
 * Blank lines are passed over. After an error the next call goes on with the
 * line after the faulty record; an open quote swallows the rest of the file.
 *
 * Returns: %FALSE at the end (no error) and for a faulty record (@error is set)
 */
gboolean laurel_csv_read (LaurelCsv *self, GPtrArray *fields, guint *out_line, GError **error);

/* Appends @text as one quoted field. */
void laurel_csv_append (GString *out, const char *text);

G_END_DECLS
