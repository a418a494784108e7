/* test-checkpoint.c: checkpoints come back whole, or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/train/checkpoint.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define N_A 1000
#define N_B 37

typedef struct {
  char *dir;
  char *path;
  float a[N_A], b[N_B];
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = fixture_make_dir ();
  f->path = g_build_filename (f->dir, "checkpoint.laurel", NULL);
  for (int i = 0; i < N_A; i++)
    f->a[i] = sinf ((float) i);
  for (int i = 0; i < N_B; i++)
    f->b[i] = (float) -i;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_free (f->path);
  fixture_remove_dir (f->dir);
}

static LaurelCheckpointWriter *
begin_one (Fixture *f, const char *run, int step, GError **error)
{
  LaurelBlock blocks[] = { { "a", f->a, N_A }, { "b", f->b, N_B } };
  g_autoptr (JsonObject) state = json_object_new ();

  json_object_set_int_member (state, "step", step);
  json_object_set_double_member (state, "kl_coef", 1.0 / 3);
  return laurel_checkpoint_begin (f->path, run, state, blocks, 2, error);
}

static gboolean
write_one (Fixture *f, const char *run, int step, GError **error)
{
  LaurelCheckpointWriter *writer = begin_one (f, run, step, error);

  return writer != NULL && laurel_checkpoint_finish (writer, error);
}

/* Reads into fresh arrays; on an error they must be untouched. */
static JsonObject *
read_one (Fixture *f, float *a, float *b, GError **error)
{
  LaurelBlock blocks[] = { { "a", a, N_A }, { "b", b, N_B } };

  return laurel_checkpoint_read (f->path, "run", blocks, 2, error);
}

static void
assert_refused (Fixture *f, LaurelError code)
{
  float a[N_A] = { 0 }, b[N_B] = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_null (read_one (f, a, b, &error));
  g_assert_error (error, LAUREL_ERROR, (int) code);
  for (int i = 0; i < N_A; i++)
    g_assert_cmpfloat (a[i], ==, 0);
}

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  float a[N_A], b[N_B];
  g_autoptr (JsonObject) state = NULL;
  g_autoptr (GError) error = NULL;

  f->a[3] = NAN; /* bits, not numbers */
  f->a[4] = -0.0f;
  g_assert_true (write_one (f, "run", 12, &error));
  state = read_one (f, a, b, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (a, sizeof a, f->a, sizeof f->a);
  g_assert_cmpmem (b, sizeof b, f->b, sizeof f->b);
  g_assert_cmpint (json_object_get_int_member (state, "step"), ==, 12);
  g_assert_cmpfloat (json_object_get_double_member (state, "kl_coef"), ==, 1.0 / 3);
}

/* What changes after a checkpoint was begun is not in it: training goes on meanwhile. */
static void
test_while_training (Fixture *f, gconstpointer data)
{
  float a[N_A], b[N_B];
  LaurelCheckpointWriter *writer = begin_one (f, "run", 7, NULL);
  g_autoptr (JsonObject) state = NULL;
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < N_A; i++)
    f->a[i] = 99;
  while (!laurel_checkpoint_is_done (writer))
    g_usleep (1000);
  g_assert_true (laurel_checkpoint_finish (writer, &error));
  state = read_one (f, a, b, &error);
  g_assert_no_error (error);
  for (int i = 0; i < N_A; i++)
    g_assert_cmpfloat (a[i], ==, sinf ((float) i));
}

static void
test_leftovers (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "checkpoint.laurel.AbC123", "checkpoint.laurel.old",
                                       "notes" };

  g_assert_true (write_one (f, "run", 1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (f->dir, names[i], NULL);

    g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  }
  laurel_checkpoint_remove_leftovers (f->path);
  g_assert_true (g_file_test (f->path, G_FILE_TEST_EXISTS));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (f->dir, names[i], NULL);

    g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==, i > 0);
  }
}

static void
test_corruption (Fixture *f, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true (write_one (f, "run", 1, NULL));
  g_assert_true (g_file_get_contents (f->path, &bytes, &n, NULL));
  for (gsize at = 16; at < n; at += 97) {
    bytes[at] ^= 0x10;
    g_assert_true (g_file_set_contents (f->path, bytes, (gssize) n, NULL));
    assert_refused (f, LAUREL_ERROR_INVALID_DATA);
    bytes[at] ^= 0x10;
  }
  for (gsize length = 0; length < n; length += 131) {
    g_assert_true (g_file_set_contents (f->path, bytes, (gssize) length, NULL));
    assert_refused (f, LAUREL_ERROR_INVALID_DATA);
  }
  bytes[8] = 2;
  g_assert_true (g_file_set_contents (f->path, bytes, (gssize) n, NULL));
  assert_refused (f, LAUREL_ERROR_NEWER_VERSION);
}

static void
test_foreign (Fixture *f, gconstpointer data)
{
  assert_refused (f, LAUREL_ERROR_IO); /* there is none */
  g_assert_true (g_file_set_contents (
      f->path, "{\"weights\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}", -1, NULL));
  assert_refused (f, LAUREL_ERROR_INVALID_DATA);
  g_assert_true (write_one (f, "another run", 1, NULL));
  assert_refused (f, LAUREL_ERROR_MISMATCH);
}

static void
test_other_blocks (Fixture *f, gconstpointer data)
{
  float a[N_A + 1] = { 0 }, b[N_B] = { 0 };
  LaurelBlock longer[] = { { "a", a, N_A + 1 }, { "b", b, N_B } };
  LaurelBlock renamed[] = { { "a", a, N_A }, { "c", b, N_B } };
  g_autoptr (GError) error = NULL;

  g_assert_true (write_one (f, "run", 1, NULL));
  g_assert_null (laurel_checkpoint_read (f->path, "run", longer, 2, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_clear_error (&error);
  g_assert_null (laurel_checkpoint_read (f->path, "run", renamed, 2, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
  g_clear_error (&error);
  g_assert_null (laurel_checkpoint_read (f->path, "run", longer, 1, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_MISMATCH);
}

/* A disk that takes no more than 2000 bytes of a file stands in for a full one. */
static void
test_full_disk (Fixture *f, gconstpointer data)
{
  struct rlimit before, small;
  float a[N_A], b[N_B];
  g_autoptr (JsonObject) state = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  int n_files = 0;

  g_assert_true (write_one (f, "run", 5, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 2000;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (write_one (f, "run", 6, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  state = read_one (f, a, b, NULL);
  g_assert_nonnull (state);
  g_assert_cmpint (json_object_get_int_member (state, "step"), ==, 5);
  dir = g_dir_open (f->dir, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n_files++;
  g_assert_cmpint (n_files, ==, 1); /* no half-written file stays behind */
}

/* A run whose checkpoint cannot be written ends in an error that says so, and the last good one is
 * still there. */
static void
test_run_on_full_disk (Fixture *f, gconstpointer data)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (GPtrArray) sequences = fixture_sequences (64, 1);
  g_autoptr (Recorder) recorder = recorder_new (f->dir, FALSE);
  g_autoptr (GError) error = NULL;
  struct rlimit before, small;
  LaurelHyperparameters hp;
  g_autofree char *good = NULL, *kept = NULL;
  gsize n_good, n_kept;

  fixture_sft_settings (&hp);
  hp.max_steps = 3;
  g_assert_true (fixture_train_sft (model, sequences, &hp, &recorder->monitor, NULL));
  g_assert_true (g_file_get_contents (f->path, &good, &n_good, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 2000;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (fixture_train_sft (model, sequences, &hp, &recorder->monitor, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_IO);
  g_assert_true (g_file_get_contents (f->path, &kept, &n_kept, NULL));
  g_assert_cmpmem (good, n_good, kept, n_kept);
}

static struct rlimit room_before;

/* The disk is full for checkpoints until the second step is over. */
static void
make_room_cb (gpointer user_data, int step, int n_steps)
{
  if (step == 2)
    g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &room_before), ==, 0);
}

static void
count_reports_cb (gpointer user_data, const char *line)
{
  *(int *) user_data += strstr (line, "was not written, training goes on without it") != NULL;
}

/* A checkpoint on the way that cannot be written is reported; the run goes on to the next one. */
static void
test_run_goes_on (Fixture *f, gconstpointer data)
{
  g_autoptr (LaurelModel) model = fixture_model (1);
  g_autoptr (GPtrArray) sequences = fixture_sequences (64, 1);
  int n_reports = 0;
  LaurelMonitor monitor = { .user_data = &n_reports,
                            .progress = make_room_cb,
                            .log = count_reports_cb,
                            .checkpoint_dir = f->dir };
  g_autoptr (GError) error = NULL;
  struct rlimit small;
  LaurelHyperparameters hp;

  fixture_sft_settings (&hp);
  hp.max_steps = 4;
  hp.save_steps = 1;
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &room_before), ==, 0);
  small = room_before;
  small.rlim_cur = 2000;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_true (fixture_train_sft (model, sequences, &hp, &monitor, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n_reports, ==, 1);
  g_assert_true (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/train/checkpoint/round-trip", test_round_trip);
  ADD ("/train/checkpoint/while-training", test_while_training);
  ADD ("/train/checkpoint/leftovers", test_leftovers);
  ADD ("/train/checkpoint/corruption", test_corruption);
  ADD ("/train/checkpoint/foreign", test_foreign);
  ADD ("/train/checkpoint/other-blocks", test_other_blocks);
  ADD ("/train/checkpoint/full-disk", test_full_disk);
  ADD ("/train/checkpoint/run-on-full-disk", test_run_on_full_disk);
  ADD ("/train/checkpoint/run-goes-on", test_run_goes_on);
  return g_test_run ();
}
