/* file.h: files that are either whole or absent.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * LaurelFileWriter:
 *
 * Writes to a temporary file beside @path and puts it in @path's place only
 * when everything is on the disk. A full disk, a crash or an early return
 * leaves what was there before. A symbolic link keeps pointing where it did; a
 * device or a pipe, such as /dev/stdout, is written in place.
 */
typedef struct _LaurelFileWriter LaurelFileWriter;

LaurelFileWriter *laurel_file_writer_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean laurel_file_writer_write (LaurelFileWriter *self, const void *bytes, gsize n_bytes, GError **error);
/* Adds all that has been written so far to @checksum, read back from the disk's cache; not for devices and pipes. */
gboolean laurel_file_writer_digest (LaurelFileWriter *self, GChecksum *checksum, GError **error);
gboolean laurel_file_writer_commit (LaurelFileWriter *self, GError **error); /* fsync and rename */
void laurel_file_writer_free (LaurelFileWriter *self);                       /* discards if not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LaurelFileWriter, laurel_file_writer_free)

gboolean laurel_file_write (const char *path, const void *bytes, gsize n_bytes, GError **error);
gboolean laurel_file_make_directory (const char *path, GError **error);
gboolean laurel_file_copy_tree (const char *from, const char *to, GError **error);
gboolean laurel_file_remove_tree (const char *path, GError **error);
char *laurel_file_sha256 (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads @path whole as text: UTF-8 without zero bytes, or an error that says
 * at which byte it stops being that. */
char *laurel_file_read_text (const char *path, gsize *out_length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
