/* output.c: aligned text, JSON, progress and errors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/ctl/ctl.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 30
/* The progress bar is redrawn at most so often. */
#define BAR_INTERVAL (G_USEC_PER_SEC / 10)

LaurelCtlTable *
laurel_ctl_table_new (const char *heading, ...)
{
  LaurelCtlTable *self = g_new0 (LaurelCtlTable, 1);
  va_list headings;

  self->cells = g_ptr_array_new_with_free_func (g_free);
  va_start (headings, heading);
  for (; heading != NULL; heading = va_arg (headings, const char *)) {
    g_ptr_array_add (self->cells, g_strdup (heading));
    self->n_columns++;
  }
  va_end (headings);
  return self;
}

LaurelCtlTable *
laurel_ctl_table_new_columns (const char *const *headings)
{
  LaurelCtlTable *self = g_new0 (LaurelCtlTable, 1);

  self->cells = g_ptr_array_new_with_free_func (g_free);
  for (; headings[self->n_columns] != NULL; self->n_columns++)
    g_ptr_array_add (self->cells, g_strdup (headings[self->n_columns]));
  return self;
}

/* One row; its cells are separated by tabs. */
void
laurel_ctl_table_add (LaurelCtlTable *self, const char *format, ...)
{
  g_autofree char *row = NULL;
  g_auto (GStrv) cells = NULL;
  va_list arguments;
  int n;

  va_start (arguments, format);
  row = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  cells = g_strsplit (row, "\t", self->n_columns);
  n = (int) g_strv_length (cells);
  for (int i = 0; i < self->n_columns; i++)
    g_ptr_array_add (self->cells, g_strdup (i < n ? cells[i] : ""));
}

static const char *
get_cell (const LaurelCtlTable *self, guint row, int column)
{
  return g_ptr_array_index (self->cells, row * (guint) self->n_columns + (guint) column);
}

static gboolean
is_number (const char *text)
{
  char *end;

  (void) g_ascii_strtod (text, &end);
  return end != text;
}

/* A column is set to the right when every cell under its heading is a number, a dash or empty. */
static gboolean
is_numeric_column (const LaurelCtlTable *self, guint n_rows, int column)
{
  for (guint row = 1; row < n_rows; row++) {
    const char *cell = get_cell (self, row, column);

    if (cell[0] != '\0' && !g_str_equal (cell, "–") && !is_number (cell))
      return FALSE;
  }
  return n_rows > 1;
}

static void
print_cell (const char *text, int width, gboolean right, gboolean last)
{
  int padding = width - (int) g_utf8_strlen (text, -1);

  if (right)
    printf ("%*s%s", padding, "", text);
  else
    printf ("%s%*s", text, last ? 0 : padding, "");
  fputs (last ? "\n" : "  ", stdout);
}

void
laurel_ctl_table_free (LaurelCtlTable *self)
{
  g_ptr_array_unref (self->cells);
  g_free (self);
}

void
laurel_ctl_table_print (LaurelCtlTable *self)
{
  guint n_rows = self->cells->len / (guint) self->n_columns;
  g_autofree int *widths = g_new0 (int, self->n_columns);
  g_autofree gboolean *right = g_new0 (gboolean, self->n_columns);

  for (int column = 0; column < self->n_columns; column++) {
    right[column] = is_numeric_column (self, n_rows, column);
    for (guint row = 0; row < n_rows; row++)
      widths[column] = MAX (widths[column], (int) g_utf8_strlen (get_cell (self, row, column), -1));
  }
  for (guint row = 0; row < n_rows; row++)
    for (int column = 0; column < self->n_columns; column++)
      print_cell (get_cell (self, row, column), widths[column], right[column],
                  column == self->n_columns - 1);
  laurel_ctl_table_free (self);
}

void
laurel_ctl_print_json (JsonNode *node)
{
  g_autofree char *text = laurel_json_to_string (node, FALSE);

  printf ("%s\n", text);
  fflush (stdout);
  json_node_unref (node);
}

void
laurel_ctl_print_builder (JsonBuilder *builder)
{
  laurel_ctl_print_json (json_builder_get_root (builder));
}

/* One line, whatever the message holds. */
void
laurel_ctl_print_error (const char *message)
{
  g_autofree char *line = g_strdelimit (g_strdup (message), "\n\r", ' ');

  fprintf (stderr, "laurelctl: %s\n", line);
}

static gboolean
shows_progress (LaurelCtl *self)
{
  return !self->quiet && isatty (STDERR_FILENO);
}

void
laurel_ctl_show_progress (LaurelCtl *self, const char *what, double share, double seconds_left)
{
  static gint64 last;
  gint64 now = g_get_monotonic_time ();
  int filled = (int) (CLAMP (share, 0.0, 1.0) * BAR_WIDTH);

  if (!shows_progress (self) || (now - last < BAR_INTERVAL && share < 1.0))
    return;
  last = now;
  fprintf (stderr, "\r\033[K%s [", what);
  for (int i = 0; i < BAR_WIDTH; i++)
    fputs (i < filled ? "━" : " ", stderr);
  fprintf (stderr, "] %3.0f %%", 100.0 * CLAMP (share, 0.0, 1.0));
  if (seconds_left >= 0)
    fprintf (stderr, ", %d:%02d left", (int) seconds_left / 60, (int) seconds_left % 60);
  fflush (stderr);
}

void
laurel_ctl_hide_progress (LaurelCtl *self)
{
  if (!shows_progress (self))
    return;
  fputs ("\r\033[K", stderr);
  fflush (stderr);
}

static char *
read_standard_input (gsize *out_length, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[65536];
  const char *end;
  gsize n;

  while ((n = fread (buffer, 1, sizeof buffer, stdin)) > 0)
    g_string_append_len (text, buffer, (gssize) n);
  if (!g_utf8_validate (text->str, (gssize) text->len, &end)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read standard input: byte %" G_GSIZE_FORMAT
                 " is not UTF-8 text; convert it to UTF-8",
                 (gsize) (end - text->str));
    return NULL;
  }
  *out_length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
laurel_ctl_read_input (const char *path, gsize *out_length, GError **error)
{
  gsize length;

  if (out_length == NULL)
    out_length = &length;
  if (path == NULL || g_str_equal (path, "-"))
    return read_standard_input (out_length, error);
  return laurel_file_read_text (path, out_length, error);
}
