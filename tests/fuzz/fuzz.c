/* fuzz.c: parts of inputs, and a folder to put them in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEPARATOR "\n%%\n"

void
fuzz_split (const guint8 *data, gsize size, FuzzPart *parts, int max)
{
  const char *at = (const char *) data, *end = at + size;

  for (int i = 0; i < max; i++) {
    const char *found = i + 1 < max && at < end
                            ? memmem (at, (gsize) (end - at), SEPARATOR, strlen (SEPARATOR))
                            : NULL;

    parts[i].bytes = at;
    parts[i].length = (gsize) ((found != NULL ? found : end) - at);
    at = found != NULL ? found + strlen (SEPARATOR) : end;
  }
}

char *
fuzz_string (const FuzzPart *part)
{
  return g_strndup (part->bytes, part->length);
}

/* GLib traps on a warning, which the engine takes for the end of itself; on SIGABRT it saves the
 * input. */
static void
abort_on_trap (int signal_number)
{
  abort ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  signal (SIGTRAP, abort_on_trap);
  return 0;
}

static char *folder;

static void
remove_folder (void)
{
  (void) laurel_file_remove_tree (folder, NULL);
  g_free (folder);
}

const char *
fuzz_folder (void)
{
  if (folder == NULL) {
    folder = g_dir_make_tmp ("laurel-fuzz-XXXXXX", NULL);
    g_assert_nonnull (folder);
    atexit (remove_folder);
  }
  return folder;
}

const char *
fuzz_write (const char *name, const void *bytes, gsize length)
{
  static char path[4096];
  const char *at = bytes;
  int fd;

  g_snprintf (path, sizeof path, "%s/%s", fuzz_folder (), name);
  fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  g_assert_cmpint (fd, >=, 0);
  while (length > 0) {
    gssize n = write (fd, at, length);

    g_assert_cmpint (n, >, 0);
    at += n;
    length -= (gsize) n;
  }
  close (fd);
  return path;
}

void
fuzz_remove (const char *name)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), name, NULL);

  g_assert_true (g_unlink (path) == 0 || errno == ENOENT);
}

void
fuzz_check (gboolean succeeded, const GError *error)
{
  if (succeeded) {
    g_assert_no_error (error);
    return;
  }
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}
