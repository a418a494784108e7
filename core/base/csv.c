/* csv.c: a reader of comma-separated values, one record at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/csv.h"

#include "core/base/error.h"

#include <string.h>

void
laurel_csv_init (LaurelCsv *self, const char *text, gsize length)
{
  gboolean has_mark = length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0;

  self->at = text + (has_mark ? 3 : 0);
  self->end = text + length;
  self->line = 1;
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error_literal (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA, why);
  return FALSE;
}

/* Takes one line end, if the reader is at one. */
static gboolean
take_line_end (LaurelCsv *self)
{
  if (self->at < self->end && *self->at == '\r' && self->at + 1 < self->end && self->at[1] == '\n')
    self->at++;
  if (self->at >= self->end || *self->at != '\n')
    return FALSE;
  self->at++;
  self->line++;
  return TRUE;
}

static gboolean
is_field_end (LaurelCsv *self)
{
  return self->at >= self->end || *self->at == ',' || *self->at == '\n' ||
         (*self->at == '\r' && self->at + 1 < self->end && self->at[1] == '\n');
}

static gboolean
read_quoted (LaurelCsv *self, GString *field, GError **error)
{
  for (self->at++; self->at < self->end; self->at++) {
    if (*self->at == '\n')
      self->line++;
    if (*self->at != '"') {
      g_string_append_c (field, *self->at);
    } else if (self->at + 1 < self->end && self->at[1] == '"') {
      g_string_append_c (field, '"');
      self->at++;
    } else {
      self->at++;
      return is_field_end (self) || refuse (error, "there is text after a closing quote");
    }
  }
  return refuse (error, "a quote is never closed");
}

static gboolean
read_field (LaurelCsv *self, GPtrArray *fields, GError **error)
{
  g_autoptr (GString) field = g_string_new (NULL);

  if (self->at < self->end && *self->at == '"') {
    if (!read_quoted (self, field, error))
      return FALSE;
  } else {
    while (!is_field_end (self))
      g_string_append_c (field, *self->at++);
  }
  if (!g_utf8_validate_len (field->str, field->len, NULL))
    return refuse (error, "it is not UTF-8 text");
  g_ptr_array_add (fields, g_string_free (g_steal_pointer (&field), FALSE));
  return TRUE;
}

static void
skip_line (LaurelCsv *self)
{
  const char *newline = memchr (self->at, '\n', (gsize) (self->end - self->at));

  self->at = newline != NULL ? newline + 1 : self->end;
  self->line++;
}

gboolean
laurel_csv_read (LaurelCsv *self, GPtrArray *fields, guint *out_line, GError **error)
{
  g_ptr_array_set_size (fields, 0);
  while (take_line_end (self))
    ;
  *out_line = self->line;
  if (self->at >= self->end)
    return FALSE;
  while (TRUE) {
    if (!read_field (self, fields, error)) {
      skip_line (self);
      return FALSE;
    }
    if (self->at < self->end && *self->at == ',')
      self->at++;
    else
      break;
  }
  take_line_end (self);
  return TRUE;
}

void
laurel_csv_append (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"')
      g_string_append_c (out, '"');
    g_string_append_c (out, *c);
  }
  g_string_append_c (out, '"');
}
