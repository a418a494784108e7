/* work_file.c: appending, with the small pieces put together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/corpus/work_file.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_BYTES ((guint) 1 << 18)

static gboolean
set_error (const LaurelWorkFile *self, const char *what, GError **error)
{
  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO,
               "Could not %s the work file “%s”: %s; check the folder and the disk's space", what,
               self->path, errno != 0 ? g_strerror (errno) : "it is shorter than it should be");
  return FALSE;
}

gboolean
laurel_work_file_open (LaurelWorkFile *self, const char *folder, const char *name, guint64 length,
                       GError **error)
{
  struct stat status;

  self->path = g_build_filename (folder, name, NULL);
  self->pending = g_byte_array_new ();
  self->length = length;
  self->fd = open (self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (self->fd < 0 || fstat (self->fd, &status) != 0)
    return set_error (self, "open", error);
  errno = 0;
  if ((guint64) status.st_size < length || ftruncate (self->fd, (off_t) length) != 0
      || lseek (self->fd, 0, SEEK_END) < 0)
    return set_error (self, "go on with", error);
  return TRUE;
}

void
laurel_work_file_close (LaurelWorkFile *self)
{
  if (self->path != NULL && self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->pending, g_byte_array_unref);
  g_clear_pointer (&self->path, g_free);
}

static gboolean
write_all (LaurelWorkFile *self, const guint8 *bytes, gsize n_bytes, GError **error)
{
  while (n_bytes > 0) {
    gssize n = write (self->fd, bytes, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_error (self, "write", error);
    bytes += n;
    n_bytes -= (gsize) n;
  }
  return TRUE;
}

static gboolean
write_pending (LaurelWorkFile *self, GError **error)
{
  gboolean ok = write_all (self, self->pending->data, self->pending->len, error);

  g_byte_array_set_size (self->pending, 0);
  return ok;
}

gboolean
laurel_work_file_append (LaurelWorkFile *self, const void *bytes, gsize n_bytes, GError **error)
{
  self->length += n_bytes;
  self->changed = TRUE;
  if (self->pending->len + n_bytes > PENDING_BYTES && !write_pending (self, error))
    return FALSE;
  if (n_bytes > PENDING_BYTES)
    return write_all (self, bytes, n_bytes, error);
  g_byte_array_append (self->pending, bytes, (guint) n_bytes);
  return TRUE;
}

gboolean
laurel_work_file_flush (LaurelWorkFile *self, GError **error)
{
  if (!self->changed)
    return TRUE;
  if (!write_pending (self, error))
    return FALSE;
  self->changed = FALSE;
  return fdatasync (self->fd) == 0 || set_error (self, "write", error);
}

gboolean
laurel_work_file_read (const LaurelWorkFile *self, guint64 offset, void *bytes, gsize n_bytes,
                       GError **error)
{
  guint8 *to = bytes;

  while (n_bytes > 0) {
    gssize n = pread (self->fd, to, n_bytes, (off_t) offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      errno = n == 0 ? 0 : errno;
      return set_error (self, "read", error);
    }
    to += n;
    offset += (guint64) n;
    n_bytes -= (gsize) n;
  }
  return TRUE;
}
