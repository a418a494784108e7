/* test-file.c: files are whole or absent, whatever happens in between.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *folder;
  char *path; /* a file in it, not there yet */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("laurel-file-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "file", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_remove_tree (fixture->folder, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (fixture->folder, G_FILE_TEST_EXISTS));
  g_free (fixture->folder);
  g_free (fixture->path);
}

static void
write_text (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_write (path, text, strlen (text), &error));
  g_assert_no_error (error);
}

static void
assert_holds (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *found = laurel_file_read_text (path, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, text);
}

static int
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  int n = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_write (Fixture *fixture, gconstpointer unused)
{
  write_text (fixture->path, "first");
  assert_holds (fixture->path, "first");
  write_text (fixture->path, "second, longer");
  assert_holds (fixture->path, "second, longer");
  write_text (fixture->path, "");
  assert_holds (fixture->path, "");
  g_assert_cmpint (count_files (fixture->folder), ==, 1);
}

static void
test_abandoned (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  LaurelFileWriter *writer;

  write_text (fixture->path, "old");
  writer = laurel_file_writer_open (fixture->path, &error);
  g_assert_no_error (error);
  g_assert_true (laurel_file_writer_write (writer, "new", 3, &error));
  assert_holds (fixture->path, "old"); /* not before commit */
  laurel_file_writer_free (writer);
  assert_holds (fixture->path, "old");
  g_assert_cmpint (count_files (fixture->folder), ==, 1);
}

/* A limit on the size of files stops a write half-way on any machine. */
static void
test_write_fails_half_way (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *big = g_malloc0 (1 << 16);
  struct rlimit before, small;
  gboolean written;

  write_text (fixture->path, "old");
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = (struct rlimit) { .rlim_cur = 4096, .rlim_max = before.rlim_max };
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  written = laurel_file_write (fixture->path, big, 1 << 16, &error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  signal (SIGXFSZ, SIG_DFL);

  g_assert_false (written);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_assert_nonnull (strstr (error->message, fixture->path));
  assert_holds (fixture->path, "old");
  g_assert_cmpint (count_files (fixture->folder), ==, 1);
}

/* A file system of 64 KiB in a mount namespace of this process's own. */
static gboolean
mount_small_disk (const char *folder)
{
  int flags = geteuid () == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;

  return unshare (flags) == 0
         && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("tmpfs", folder, "tmpfs", 0, "size=64k") == 0;
}

#define EXIT_NO_MOUNT 77

static void
fill_small_disk (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  g_autofree char *big = g_malloc0 (1 << 20);
  g_autoptr (GError) error = NULL;

  if (!mount_small_disk (folder))
    _exit (EXIT_NO_MOUNT);
  write_text (path, "old");
  g_assert_false (laurel_file_write (path, big, 1 << 20, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "free some space"));
  assert_holds (path, "old");
  g_assert_cmpint (count_files (folder), ==, 1);
  write_text (path, "room again"); /* what was written of the big file is gone */
  assert_holds (path, "room again");
}

static void
test_disk_full (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  char *arguments[] = { program, "--fill", fixture->folder, NULL };
  int status;

  g_spawn_sync (NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == EXIT_NO_MOUNT)
    g_test_skip ("this account may not mount a small disk");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
test_no_folder (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (fixture->folder, "absent", "file", NULL);

  g_assert_false (laurel_file_write (path, "x", 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_assert_cmpint (count_files (fixture->folder), ==, 0);
}

static void
test_copy_tree (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *from = g_build_filename (fixture->folder, "from", NULL);
  g_autofree char *deep = g_build_filename (from, "a", "b", NULL);
  g_autofree char *deep_file = g_build_filename (deep, "deep", NULL);
  g_autofree char *empty_file = g_build_filename (from, "empty", NULL);
  g_autofree char *to = g_build_filename (fixture->folder, "to", NULL);
  g_autofree char *copied = g_build_filename (to, "a", "b", "deep", NULL);
  g_autofree char *copied_empty = g_build_filename (to, "empty", NULL);

  g_assert_true (laurel_file_make_directory (deep, &error));
  write_text (deep_file, "deep text");
  write_text (empty_file, "");
  g_assert_true (laurel_file_copy_tree (from, to, &error));
  g_assert_no_error (error);
  assert_holds (copied, "deep text");
  assert_holds (copied_empty, "");
  g_assert_cmpint (count_files (to), ==, 2);
  assert_holds (deep_file, "deep text");
}

static void
test_copy_nothing (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *to = g_build_filename (fixture->folder, "to", NULL);

  g_assert_false (laurel_file_copy_tree (fixture->path, to, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_assert_false (g_file_test (to, G_FILE_TEST_EXISTS));
}

/* A link in the tree is removed, what it points to stays. */
static void
test_remove_tree_spares_links (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *kept = g_build_filename (fixture->folder, "kept", NULL);
  g_autofree char *kept_file = g_build_filename (kept, "file", NULL);
  g_autofree char *tree = g_build_filename (fixture->folder, "tree", NULL);
  g_autofree char *link = g_build_filename (tree, "link", NULL);

  g_assert_true (laurel_file_make_directory (kept, &error));
  g_assert_true (laurel_file_make_directory (tree, &error));
  write_text (kept_file, "still here");
  g_assert_cmpint (symlink (kept, link), ==, 0);
  g_assert_true (laurel_file_remove_tree (tree, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (tree, G_FILE_TEST_EXISTS));
  assert_holds (kept_file, "still here");
}

static void
test_sha256 (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = NULL;
  g_autofree char *none = NULL;

  none = laurel_file_sha256 (fixture->path, &error);
  g_assert_null (none);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_clear_error (&error);

  write_text (fixture->path, "abc");
  hash = laurel_file_sha256 (fixture->path, &error);
  g_assert_no_error (error);
  /* The first example of FIPS 180-2. */
  g_assert_cmpstr (hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
test_read_text_refuses (Fixture *fixture, gconstpointer unused)
{
  static const struct {
    const char *bytes;
    gsize n;
    const char *says;
  } cases[] = {
    { "abc\xff" "def", 7, "byte 3 " },
    { "\xc3", 1, "byte 0 " },                 /* a cut sequence */
    { "caf\xc3\xa9 \xed\xa0\x80", 9, "byte 6 " }, /* a surrogate */
    { "ab\0cd", 5, "byte 2 " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = NULL;

    g_assert_true (laurel_file_write (fixture->path, cases[i].bytes, cases[i].n, &error));
    text = laurel_file_read_text (fixture->path, NULL, &error);
    g_assert_null (text);
    g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, cases[i].says));
    g_assert_nonnull (strstr (error->message, fixture->path));
  }
}

static void
test_write_through_link (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_write (fixture->path, "old", 3, &error));
  g_assert_cmpint (symlink (fixture->path, link), ==, 0);
  g_assert_true (laurel_file_write (link, "new", 3, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "new");
}

/* A pipe, as /dev/stdout may be, takes the bytes and stays a pipe. */
static void
test_write_to_pipe (Fixture *fixture, gconstpointer unused)
{
  char bytes[8] = { 0 };
  g_autoptr (GError) error = NULL;
  int reader;

  g_assert_cmpint (mkfifo (fixture->path, 0600), ==, 0);
  reader = open (fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (reader, >=, 0);
  g_assert_true (laurel_file_write (fixture->path, "row", 3, &error));
  g_assert_no_error (error);
  g_assert_cmpint (read (reader, bytes, sizeof bytes), ==, 3);
  g_assert_cmpstr (bytes, ==, "row");
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_IS_REGULAR));
  close (reader);
}

static void
test_read_text_missing (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = laurel_file_read_text (fixture->path, NULL, &error);

  g_assert_null (text);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_NOT_FOUND);
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  /* The process that fills a disk: see test_disk_full(). */
  if (argc == 3 && strcmp (argv[1], "--fill") == 0) {
    fill_small_disk (argv[2]);
    return 0;
  }
  g_test_init (&argc, &argv, NULL);
  add ("/base/file/write", test_write);
  add ("/base/file/write/abandoned", test_abandoned);
  add ("/base/file/write/fails-half-way", test_write_fails_half_way);
  add ("/base/file/write/disk-full", test_disk_full);
  add ("/base/file/write/no-folder", test_no_folder);
  add ("/base/file/write/through-link", test_write_through_link);
  add ("/base/file/write/to-pipe", test_write_to_pipe);
  add ("/base/file/copy-tree", test_copy_tree);
  add ("/base/file/copy-tree/nothing", test_copy_nothing);
  add ("/base/file/remove-tree/spares-links", test_remove_tree_spares_links);
  add ("/base/file/sha256", test_sha256);
  add ("/base/file/read-text/refuses", test_read_text_refuses);
  add ("/base/file/read-text/missing", test_read_text_missing);
  return g_test_run ();
}
