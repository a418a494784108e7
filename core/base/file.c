/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/file.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_CHUNK (1 << 20)

struct _LaurelFileWriter {
  char *path;      /* with symbolic links followed */
  char *temporary; /* NULL when @path is a device or a pipe, which is written in place */
  int fd;
  gboolean committed;
};

static gboolean
set_io_error (GError **error, const char *what, const char *path, int saved_errno)
{
  const char *advice = saved_errno == ENOSPC || saved_errno == EDQUOT
                       ? "free some space and try again"
                       : saved_errno == EROFS || saved_errno == EACCES || saved_errno == EPERM
                         ? "check the folder's permissions"
                         : "check the path and the disk";

  g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO, "Could not %s “%s”: %s; %s",
               what, path, g_strerror (saved_errno), advice);
  return FALSE;
}

/* A device or a pipe (/dev/stdout) cannot be replaced by a file, and must not be. */
static gboolean
is_special (const char *path)
{
  struct stat status;

  return stat (path, &status) == 0 && !S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode);
}

/* A link stays a link: what it points at is replaced. */
static char *
follow_links (const char *path)
{
  char *real = realpath (path, NULL);
  char *copy = g_strdup (real != NULL ? real : path);

  free (real);
  return copy;
}

LaurelFileWriter *
laurel_file_writer_open (const char *path, GError **error)
{
  LaurelFileWriter *self = g_new0 (LaurelFileWriter, 1);

  if (is_special (path)) {
    self->path = g_strdup (path);
    self->fd = g_open (path, O_WRONLY | O_CLOEXEC, 0);
  } else {
    self->path = follow_links (path);
    self->temporary = g_strdup_printf ("%s.XXXXXX", self->path);
    self->fd = g_mkstemp_full (self->temporary, O_WRONLY | O_CLOEXEC, 0644);
  }
  if (self->fd < 0) {
    set_io_error (error, "write", path, errno);
    self->committed = TRUE; /* nothing to unlink */
    laurel_file_writer_free (self);
    return NULL;
  }
  return self;
}

gboolean
laurel_file_writer_write (LaurelFileWriter *self, const void *bytes, gsize n_bytes, GError **error)
{
  const char *at = bytes;

  while (n_bytes > 0) {
    gssize n = write (self->fd, at, MIN (n_bytes, 1u << 30));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_io_error (error, "write", self->path, errno);
    at += n;
    n_bytes -= (gsize) n;
  }
  return TRUE;
}

/* Adds all of @fd to @checksum; FALSE with errno set. */
static gboolean
digest_fd (int fd, GChecksum *checksum)
{
  g_autofree guchar *buffer = g_malloc (DIGEST_CHUNK);
  gssize n;

  while ((n = read (fd, buffer, DIGEST_CHUNK)) != 0) {
    if (n < 0 && errno != EINTR)
      return FALSE;
    if (n > 0)
      g_checksum_update (checksum, buffer, n);
  }
  return TRUE;
}

static gboolean
digest_file (const char *path, GChecksum *checksum, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean ok = fd >= 0 && digest_fd (fd, checksum);
  int saved_errno = errno;

  if (fd >= 0)
    close (fd);
  return ok || set_io_error (error, "read", path, saved_errno);
}

gboolean
laurel_file_writer_digest (LaurelFileWriter *self, GChecksum *checksum, GError **error)
{
  return digest_file (self->temporary != NULL ? self->temporary : self->path, checksum, error);
}

static void
sync_folder_of (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) {
    (void) fsync (fd);
    close (fd);
  }
}

gboolean
laurel_file_writer_commit (LaurelFileWriter *self, GError **error)
{
  int fd = self->fd;

  if (self->temporary != NULL && fsync (fd) != 0)
    return set_io_error (error, "write", self->path, errno);
  self->fd = -1;
  if (close (fd) != 0)
    return set_io_error (error, "write", self->path, errno);
  self->committed = self->temporary == NULL;
  if (self->committed)
    return TRUE;
  if (g_rename (self->temporary, self->path) != 0)
    return set_io_error (error, "write", self->path, errno);
  self->committed = TRUE;
  sync_folder_of (self->path);
  return TRUE;
}

void
laurel_file_writer_free (LaurelFileWriter *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    close (self->fd);
  if (!self->committed && self->temporary != NULL)
    g_unlink (self->temporary);
  g_free (self->path);
  g_free (self->temporary);
  g_free (self);
}

gboolean
laurel_file_write (const char *path, const void *bytes, gsize n_bytes, GError **error)
{
  g_autoptr (LaurelFileWriter) writer = laurel_file_writer_open (path, error);

  return writer != NULL
         && laurel_file_writer_write (writer, bytes, n_bytes, error)
         && laurel_file_writer_commit (writer, error);
}

gboolean
laurel_file_make_directory (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0755) != 0)
    return set_io_error (error, "make the folder", path, errno);
  return TRUE;
}

static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) local = NULL;

  map = g_mapped_file_new (from, FALSE, &local);
  if (map == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO, "Could not read “%s”: %s; check the path",
                 from, local->message);
    return FALSE;
  }
  return laurel_file_write (to, g_mapped_file_get_contents (map), g_mapped_file_get_length (map),
                            error);
}

gboolean
laurel_file_copy_tree (const char *from, const char *to, GError **error)
{
  g_autoptr (GDir) dir = NULL;
  g_autoptr (GError) local = NULL;
  const char *name;

  if (!g_file_test (from, G_FILE_TEST_IS_DIR))
    return copy_file (from, to, error);
  dir = g_dir_open (from, 0, &local);
  if (dir == NULL) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_IO, "Could not read “%s”: %s; check the path",
                 from, local->message);
    return FALSE;
  }
  if (!laurel_file_make_directory (to, error))
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *source = g_build_filename (from, name, NULL);
    g_autofree char *target = g_build_filename (to, name, NULL);

    if (!laurel_file_copy_tree (source, target, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
laurel_file_remove_tree (const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (!laurel_file_remove_tree (child, error))
        return FALSE;
    }
  }
  if (g_remove (path) != 0 && errno != ENOENT)
    return set_io_error (error, "remove", path, errno);
  return TRUE;
}

char *
laurel_file_sha256 (const char *path, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  return digest_file (path, checksum, error) ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

char *
laurel_file_read_text (const char *path, gsize *out_length, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  const char *end;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &local)) {
    g_set_error (error, LAUREL_ERROR,
                 g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT)
                   ? LAUREL_ERROR_NOT_FOUND
                   : LAUREL_ERROR_IO,
                 "Could not read “%s”: %s; check the path", path, local->message);
    return NULL;
  }
  if (!g_utf8_validate (text, (gssize) length, &end)) {
    g_set_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA,
                 "Could not read “%s”: byte %" G_GSIZE_FORMAT " is not UTF-8 text; "
                 "convert the file to UTF-8",
                 path, (gsize) (end - text));
    return NULL;
  }
  if (out_length != NULL)
    *out_length = length;
  return g_steal_pointer (&text);
}
