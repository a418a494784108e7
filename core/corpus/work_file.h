/* work_file.h: a file that grows at its end and can be cut back to a length that is known good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  char *path;
  int fd;
  guint64 length; /* bytes, those that wait in @pending included */
  GByteArray *pending;
  gboolean changed; /* since the last flush */
} LaurelWorkFile;

/* Opens @name in @folder at @length bytes, what is behind them gone; FALSE when it has not as many. */
gboolean laurel_work_file_open (LaurelWorkFile *self, const char *folder, const char *name, guint64 length, GError **error);
void laurel_work_file_close (LaurelWorkFile *self); /* what was not flushed is gone */

gboolean laurel_work_file_append (LaurelWorkFile *self, const void *bytes, gsize n_bytes, GError **error);
gboolean laurel_work_file_flush (LaurelWorkFile *self, GError **error); /* to the disk */
gboolean laurel_work_file_read (const LaurelWorkFile *self, guint64 offset, void *bytes, gsize n_bytes, GError **error);

G_END_DECLS
