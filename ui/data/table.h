/* table.h: rows of text in a GtkColumnView, for every plain list of the window.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define LAUREL_TYPE_TEXT_ROW (laurel_text_row_get_type ())
G_DECLARE_FINAL_TYPE (LaurelTextRow, laurel_text_row, LAUREL, TEXT_ROW, GObject)

/* Takes @cells (NULL-terminated). @id is the caller's: a database id or an index. */
LaurelTextRow *laurel_text_row_new (gint64 id, char **cells) G_GNUC_WARN_UNUSED_RESULT;
gint64 laurel_text_row_get_id (LaurelTextRow *self);
const char *laurel_text_row_get_cell (LaurelTextRow *self, guint column); /* "" beyond the last */
/* The row's accessible name, which is that of its first cell otherwise, and tooltips of its cells ("": none of its own).
 * Takes @tips (NULL-terminated). */
void laurel_text_row_describe (LaurelTextRow *self, const char *name, char **tips);

typedef enum {
  LAUREL_COLUMN_TEXT,   /* one line, ellipsised, takes the free space */
  LAUREL_COLUMN_SHORT,  /* a name, or the order of four completions */
  LAUREL_COLUMN_DATE,   /* a day and a time */
  LAUREL_COLUMN_NUMBER, /* to the right, tabular digits */
  LAUREL_COLUMN_TITLE,  /* what a row of a small table is about */
  LAUREL_COLUMN_INTERVAL, /* the same, wide enough for “0.512 [0.480, 0.544]” */
  LAUREL_COLUMN_WORD,     /* one of a few words */
  LAUREL_COLUMN_NAME,     /* its end says what it is: cut in the middle, takes free space */
} LaurelColumnKind;

/* Appends a column that shows cell @index of each LaurelTextRow. */
void laurel_table_add_column (GtkColumnView *view, const char *title, guint index, LaurelColumnKind kind);

typedef struct {
  const char *title;
  LaurelColumnKind kind;
  const char *tip; /* of its title; NULL: none */
} LaurelTableColumn;

/* A small table for a page: as high as all its @rows (element-type LaurelTextRow), scrolling sideways where it must.
 * @columns end with a title of NULL. */
GtkWidget *laurel_table_new (const char *label, const LaurelTableColumn *columns, GListModel *rows);

/* A window with @rows (element-type LaurelTextRow) in columns of @titles (NULL-terminated): every chart's table. */
void laurel_table_present (GtkWidget *parent, const char *title, const char *const *titles, GListModel *rows);

G_END_DECLS
