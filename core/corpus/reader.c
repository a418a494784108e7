/* reader.c: lines of one, two or four bytes a unit, put together to documents.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/reader.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((gsize) 1 << 20)
#define SAMPLE ((gsize) 1 << 16)

struct _LaurelReader {
  const char *const *paths;
  const LaurelReaderOptions *options;
  LaurelReaderPosition position;
  int fd; /* −1: the file is not open yet */
  gboolean at_end;
  LaurelEncoding encoding;
  gboolean jsonl;
  guint8 *buffer;
  gsize start, end; /* what is read and not consumed yet */
  gsize capacity;
};

/* One line of the buffer: its text, and what follows it. */
typedef struct {
  const guint8 *bytes;
  gsize n;      /* without its end */
  gsize n_full; /* with it */
  gboolean cut; /* longer than a document may be: this is a part */
} Line;

void
laurel_raw_document_free (LaurelRawDocument *self)
{
  g_free (self->bytes);
  g_free (self);
}

gboolean
laurel_input_is_jsonl (const char *path, LaurelInputFormat format)
{
  if (format != LAUREL_FORMAT_AUTO)
    return format == LAUREL_FORMAT_JSONL;
  return g_str_has_suffix (path, ".jsonl") || g_str_has_suffix (path, ".ndjson");
}

LaurelReader *
laurel_reader_new (const char *const *paths, const LaurelReaderOptions *options,
                   const LaurelReaderPosition *from)
{
  LaurelReader *self = g_new0 (LaurelReader, 1);

  self->paths = paths;
  self->options = options;
  self->fd = -1;
  self->capacity = 2 * BLOCK;
  self->buffer = g_malloc (self->capacity);
  if (from != NULL)
    self->position = *from;
  return self;
}

void
laurel_reader_free (LaurelReader *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->buffer);
  g_free (self);
}

void
laurel_reader_get_position (const LaurelReader *self, LaurelReaderPosition *out)
{
  *out = self->position;
}

static gboolean
set_read_error (const LaurelReader *self, GError **error)
{
  g_set_error (error, LAUREL_ERROR, errno == ENOENT ? LAUREL_ERROR_NOT_FOUND : LAUREL_ERROR_IO,
               "Could not read “%s”: %s; check the path and the disk",
               self->paths[self->position.file], g_strerror (errno));
  return FALSE;
}

/* Reads another block behind what there is. */
static gboolean
fill (LaurelReader *self, GError **error)
{
  gssize n;

  if (self->start > 0) {
    memmove (self->buffer, self->buffer + self->start, self->end - self->start);
    self->end -= self->start;
    self->start = 0;
  }
  if (self->capacity - self->end < BLOCK) {
    self->capacity = self->end + 2 * BLOCK;
    self->buffer = g_realloc (self->buffer, self->capacity);
  }
  do
    n = read (self->fd, self->buffer + self->end, BLOCK);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return set_read_error (self, error);
  self->at_end = n == 0;
  self->end += (gsize) n;
  return TRUE;
}

static void
consume (LaurelReader *self, gsize n)
{
  self->start += n;
  self->position.offset += n;
}

/* Opens the next file at the position's offset, its encoding told from its beginning. */
static gboolean
open_file (LaurelReader *self, GError **error)
{
  const char *path = self->paths[self->position.file];
  guint64 offset = self->position.offset;
  gsize mark;

  self->fd = open (path, O_RDONLY | O_CLOEXEC);
  self->start = self->end = 0;
  self->at_end = FALSE;
  if (self->fd < 0)
    return set_read_error (self, error);
  while (self->end < SAMPLE && !self->at_end)
    if (!fill (self, error))
      return FALSE;
  self->encoding = laurel_encoding_detect (self->buffer, MIN (self->end, SAMPLE), &mark);
  if (self->options->encoding != LAUREL_ENCODING_BYTES) {
    mark = self->encoding == self->options->encoding ? mark : 0;
    self->encoding = self->options->encoding;
  } else if (self->encoding == LAUREL_ENCODING_UTF_8) {
    self->encoding = LAUREL_ENCODING_BYTES; /* a mark does not keep a file from being mixed */
  }
  self->jsonl = laurel_input_is_jsonl (path, self->options->format);
  if (offset == 0) {
    consume (self, mark);
  } else {
    self->start = self->end = 0;
    self->at_end = FALSE;
    if (lseek (self->fd, (off_t) offset, SEEK_SET) < 0)
      return set_read_error (self, error);
  }
  return TRUE;
}

static void
close_file (LaurelReader *self)
{
  close (self->fd);
  self->fd = -1;
  self->position = (LaurelReaderPosition){ .file = self->position.file + 1 };
}

/* The place of the line end in @bytes from @from on, or @n. */
static gsize
find_newline (LaurelEncoding encoding, const guint8 *bytes, gsize from, gsize n)
{
  gsize unit = laurel_encoding_get_unit (encoding);
  gsize low = encoding == LAUREL_ENCODING_UTF_16_BE || encoding == LAUREL_ENCODING_UTF_32_BE
              ? unit - 1
              : 0;

  for (gsize at = from; at + unit <= n;) {
    const guint8 *found = memchr (bytes + at, '\n', n - at);
    gsize place = found != NULL ? (gsize) (found - bytes) : n;
    gsize start = place - place % unit;
    gboolean is_newline = place % unit == low && start + unit <= n;

    if (found == NULL)
      break;
    for (gsize i = 0; is_newline && i < unit; i++)
      is_newline = bytes[start + i] == (i == low ? '\n' : 0);
    if (is_newline)
      return start;
    at = place + 1;
  }
  return n;
}

/* 1 and the next line, 0 at the end of the file, −1 on errors. */
static int
next_line (LaurelReader *self, Line *out, GError **error)
{
  gsize unit = laurel_encoding_get_unit (self->encoding), seen = 0;

  for (;;) {
    const guint8 *bytes = self->buffer + self->start;
    gsize n = self->end - self->start;
    gsize newline = find_newline (self->encoding, bytes, seen, n);

    if (newline < n || (self->at_end && n > 0)) {
      *out = (Line){ bytes, newline, newline < n ? newline + unit : n, FALSE };
      return 1;
    }
    if (n > LAUREL_MAX_DOCUMENT_BYTES) {
      n -= n % unit;
      *out = (Line){ bytes, n, n, TRUE };
      return 1;
    }
    if (self->at_end)
      return 0;
    seen = n - n % unit;
    if (!fill (self, error))
      return -1;
  }
}

static gboolean
is_blank (const Line *line)
{
  for (gsize i = 0; i < line->n; i++)
    if (line->bytes[i] != 0 && !g_ascii_isspace ((char) line->bytes[i]))
      return FALSE;
  return TRUE;
}

/* A line is decoded only where it could be the separator. */
static gboolean
is_separator (const LaurelReader *self, const Line *line)
{
  g_autoptr (GString) text = NULL;
  LaurelEncoding found;

  if (self->options->rule == LAUREL_DOCUMENT_BLANK_LINE)
    return is_blank (line);
  if (line->n > 4 * (strlen (self->options->separator) + 16))
    return FALSE;
  text = g_string_new (NULL);
  return laurel_decode (self->encoding, self->options->encoding_name, line->bytes, line->n, text,
                        &found)
         && g_str_equal (g_strstrip (text->str), self->options->separator);
}

/* What a line means to the document that is being put together. */
typedef enum { SKIP, PART, LAST_PART, END } Meaning;

static Meaning
get_meaning (const LaurelReader *self, const Line *line)
{
  if (self->jsonl || self->options->rule == LAUREL_DOCUMENT_LINE)
    return line->cut ? PART : is_blank (line) ? SKIP : LAST_PART;
  if (self->options->rule == LAUREL_DOCUMENT_FILE || line->cut || !is_separator (self, line))
    return PART;
  return END;
}

static void
add_part (LaurelRawDocument *document, GByteArray *bytes, const Line *line)
{
  gsize room = LAUREL_MAX_DOCUMENT_BYTES - MIN (LAUREL_MAX_DOCUMENT_BYTES, bytes->len);

  if (line->n_full > room)
    document->too_long = TRUE;
  g_byte_array_append (bytes, line->bytes, (guint) MIN (line->n_full, room));
}

/* The next document of the open file: 1, or 0 at its end, or −1. */
static int
next_of_file (LaurelReader *self, LaurelRawDocument *document, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 offset = self->position.offset;
  Meaning meaning = SKIP;
  gboolean in_long_line = FALSE;
  Line line;
  int status;

  while ((status = next_line (self, &line, error)) == 1) {
    meaning = get_meaning (self, &line);
    if (meaning == SKIP && in_long_line)
      meaning = LAST_PART;
    if (meaning == PART || meaning == LAST_PART)
      add_part (document, bytes, &line);
    in_long_line = line.cut;
    consume (self, line.n_full);
    self->position.number += self->jsonl && !line.cut;
    if (meaning == LAST_PART || (meaning == END && bytes->len > 0))
      break;
  }
  if (status < 0)
    return -1;
  /* An empty file is a document too, so that the report names it. */
  if (bytes->len == 0
      && (self->options->rule != LAUREL_DOCUMENT_FILE || self->jsonl || self->position.number > 0))
    return 0;
  document->n_consumed = self->position.offset - offset;
  if (!self->jsonl)
    self->position.number++;
  document->number = self->position.number;
  document->n = bytes->len;
  document->bytes = g_byte_array_free (g_steal_pointer (&bytes), FALSE);
  return 1;
}

LaurelRawDocument *
laurel_reader_next (LaurelReader *self, GError **error)
{
  while (self->paths[self->position.file] != NULL) {
    g_autoptr (LaurelRawDocument) document = g_new0 (LaurelRawDocument, 1);
    int status;

    if (self->fd < 0 && !open_file (self, error))
      return NULL;
    document->file = self->position.file;
    document->encoding = self->encoding;
    document->jsonl = self->jsonl;
    status = next_of_file (self, document, error);
    if (status < 0)
      return NULL;
    if (status > 0)
      return g_steal_pointer (&document);
    close_file (self);
  }
  return NULL;
}
