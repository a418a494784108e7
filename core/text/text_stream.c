/* text_stream.c: reading in blocks that end between two words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/text/text_stream.h"

#include "core/base/error.h"

#include <string.h>

/* A block may not grow beyond what one piece of text may have. */
#define MAX_BLOCK ((gsize) G_MAXINT32)

typedef struct {
  GInputStream *input;
  const char *name;
  char *bytes;
  gsize n_bytes;
  gsize n_valid; /* of them are whole characters */
  gsize capacity;
  guint64 offset; /* of the first byte in the input */
  gboolean ended;
} Stream;

static gboolean
refuse_byte (const Stream *self, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
               "Could not read “%s”: byte %" G_GUINT64_FORMAT " is not UTF-8 text; convert it to "
               "UTF-8",
               self->name, self->offset + self->n_valid);
  return FALSE;
}

/* A character may be cut by the end of what was read so far, but by nothing else. */
static gboolean
validate (Stream *self, GError **error)
{
  const char *end;
  gsize left;

  if (g_utf8_validate (self->bytes + self->n_valid, (gssize) (self->n_bytes - self->n_valid),
                       &end)) {
    self->n_valid = self->n_bytes;
    return TRUE;
  }
  self->n_valid = (gsize) (end - self->bytes);
  left = self->n_bytes - self->n_valid;
  if (self->ended || left >= 4 || *end == '\0'
      || g_utf8_get_char_validated (end, (gssize) left) != (gunichar) -2)
    return refuse_byte (self, error);
  return TRUE;
}

static gboolean
fill (Stream *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  gsize n = 0;

  if (!g_input_stream_read_all (self->input, self->bytes + self->n_bytes,
                                self->capacity - self->n_bytes, &n, NULL, &local)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
                 "Could not read “%s”: %s; check the path and the disk", self->name,
                 local->message);
    return FALSE;
  }
  self->ended = n < self->capacity - self->n_bytes;
  self->n_bytes += n;
  return validate (self, error);
}

static gboolean
grow (Stream *self, GError **error)
{
  if (self->capacity >= MAX_BLOCK) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: from byte %" G_GUINT64_FORMAT " on, 2 GiB of text have no "
                 "space where they could be cut; put line breaks in",
                 self->name, self->offset);
    return FALSE;
  }
  self->capacity = MIN (2 * self->capacity, MAX_BLOCK);
  self->bytes = g_realloc (self->bytes, self->capacity);
  return TRUE;
}

static void
drop (Stream *self, gsize n)
{
  memmove (self->bytes, self->bytes + n, self->n_bytes - n);
  self->offset += n;
  self->n_bytes -= n;
  self->n_valid -= n;
}

/* Hands out what there is up to the last seam; without one, makes room for more. */
static gboolean
step (Stream *self, LaurelFindSeam find_seam, gconstpointer seam_data, LaurelTextBlockFunc func,
      gpointer user_data, GError **error)
{
  gsize n;

  if (!fill (self, error))
    return FALSE;
  n = self->ended ? self->n_valid : find_seam (self->bytes, self->n_valid, seam_data);
  if (n == 0)
    return self->ended || grow (self, error);
  if (!func (self->bytes, n, self->offset == 0, user_data, error))
    return FALSE;
  drop (self, n);
  return TRUE;
}

gboolean
laurel_text_stream_foreach (GInputStream *input, const char *name, gsize block_size,
                            LaurelFindSeam find_seam, gconstpointer seam_data,
                            LaurelTextBlockFunc func, gpointer user_data, GError **error)
{
  Stream self = { .input = input, .name = name, .capacity = block_size };
  gboolean done = TRUE;

  self.bytes = g_malloc (block_size);
  while (done && !self.ended)
    done = step (&self, find_seam, seam_data, func, user_data, error);
  g_free (self.bytes);
  return done;
}
