/* replay.c: the main of a target without a fuzzing engine: runs every file of the folders given.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

static guint
replay_folder (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &error);
  const char *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *bytes = NULL;
    g_autofree guint8 *exact = NULL;
    gsize length;

    g_file_get_contents (file, &bytes, &length, &error);
    g_assert_no_error (error);
    /* Said first: when the input crashes the program, the last line names it. */
    g_print ("# %s\n", name);
    /* Without the zero byte that GLib adds, so that a read past the end is one. */
    exact = g_memdup2 (bytes, length);
    LLVMFuzzerTestOneInput (exact, length);
    n++;
  }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;

  for (int i = 1; i < argc; i++)
    n += replay_folder (argv[i]);
  g_assert_cmpuint (n, >, 0);
  g_print ("ok 1 - %u inputs\n1..1\n", n);
  return 0;
}
