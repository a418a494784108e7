/* test-trainer.c: commands to the trainer thread and snapshots from it, under ThreadSanitizer too.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/project/internal.h"
#include "core/store/process.h"
#include "tests/project/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's, so that a test sees what reaches the disk, in which order. */
static int n_log_syncs; /* atomic; of write-ahead logs */
static int n_log_syncs_before_checkpoint;

int
fdatasync (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  if (path != NULL && g_str_has_suffix (path, "-wal"))
    g_atomic_int_inc (&n_log_syncs);
  return (int) syscall (SYS_fdatasync, fd);
}

int
rename (const char *from, const char *to)
{
  if (g_str_has_suffix (to, "/checkpoint.laurel"))
    n_log_syncs_before_checkpoint = g_atomic_int_get (&n_log_syncs);
  return (int) syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Long enough for commands to find it running on any machine; it is always stopped. */
#define MANY_STEPS 100000

static gint64
start (LaurelProject *project, Fixture *fixture, const char *output, int max_steps)
{
  char *files[] = { fixture->rows, NULL };
  LaurelTrainRequest request = fixture_request (LAUREL_STAGE_SFT, "blank", output);
  g_autoptr (GError) error = NULL;
  gint64 id;

  request.data_files = files;
  request.hyperparameters.max_steps = max_steps;
  request.hyperparameters.save_steps = 0;
  id = laurel_project_start_training (project, &request, &error);
  g_assert_no_error (error);
  return id;
}

/* Runs the main loop until the job is past @step, with @status. */
static void
wait_for (LaurelProject *project, int step, LaurelRunStatus status)
{
  for (;;) {
    g_autoptr (LaurelJobSnapshot) job = laurel_project_get_job (project);

    if (job != NULL && job->step >= step && job->status == status)
      return;
    g_main_context_iteration (NULL, TRUE);
  }
}

static void
test_pause_stop (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 id = start (project, fixture, "endless", MANY_STEPS);
  g_autoptr (LaurelJobSnapshot) paused = NULL;
  g_autoptr (LaurelJobSnapshot) later = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;

  wait_for (project, 2, LAUREL_RUN_RUNNING);
  laurel_project_pause_job (project);
  wait_for (project, 2, LAUREL_RUN_PAUSED);
  paused = laurel_project_get_job (project);
  g_usleep (100000);
  later = laurel_project_get_job (project);
  g_assert_cmpint (later->step, ==, paused->step);
  laurel_project_resume_job (project);
  wait_for (project, paused->step + 2, LAUREL_RUN_RUNNING);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  run = laurel_store_get_run (laurel_project_get_store (project), id, NULL);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_STOPPED);
}

static void
stop (LaurelProject *project, gint64 id)
{
  g_autoptr (GError) error = NULL;

  wait_for (project, 1, LAUREL_RUN_RUNNING);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
}

static void
assert_not_resumed (LaurelProject *project, gint64 id, const char *why)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, 0);
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, why));
}

/* A stopped run whose model's name another one took says so before it trains for nothing, and does
 * not keep that model from being removed. */
static void
test_taken_name (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 first = start (project, fixture, "same", MANY_STEPS), second, third;
  g_autoptr (GError) error = NULL;

  stop (project, first);
  second = start (project, fixture, "same", MANY_STEPS);
  assert_not_resumed (project, first, "run 2 is making the model “same”");
  stop (project, second);
  third = start (project, fixture, "same", 2);
  g_assert_true (laurel_project_wait (project, third, &error));
  g_assert_no_error (error);
  assert_not_resumed (project, first, "has a model “same” by now; remove that first");
  g_assert_true (laurel_project_remove_model (project, "same", &error));
  g_assert_no_error (error);
  g_assert_cmpint (laurel_project_resume_run (project, first, &error), ==, first);
  g_assert_no_error (error);
  stop (project, first);
}

/* A stop that comes too late for its job leaves the next one of the queue alone. */
static void
test_late_stop (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 first = start (project, fixture, "one", 2);
  gint64 second = start (project, fixture, "two", MANY_STEPS);
  g_autoptr (LaurelJobSnapshot) job = NULL;
  g_autoptr (GError) error = NULL;
  int step;

  g_assert_true (laurel_project_wait (project, first, &error));
  g_assert_no_error (error);
  wait_for (project, 1, LAUREL_RUN_RUNNING);
  laurel_trainer_send (project->trainer, LAUREL_COMMAND_STOP, first, FALSE);
  job = laurel_project_get_job (project);
  step = job->step;
  while (job != NULL && job->step < step + 3) {
    g_main_context_iteration (NULL, TRUE);
    g_clear_pointer (&job, laurel_job_snapshot_free);
    job = laurel_project_get_job (project);
  }
  g_assert_nonnull (job);
  g_assert_cmpint (job->run_id, ==, second);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, second, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
}

/* Closing the project stops what runs, and the next to open it may go on. */
static void
test_close_interrupts (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = g_strdup (laurel_project_get_path (project));
  gint64 id = start (project, fixture, "one", MANY_STEPS);
  gint64 waiting = start (project, fixture, "two", 2);
  g_autoptr (LaurelProject) again = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (LaurelRun) second = NULL;
  g_autoptr (GError) error = NULL;

  wait_for (project, 2, LAUREL_RUN_RUNNING);
  laurel_project_close (project);
  again = laurel_project_open (path, &error);
  g_assert_no_error (error);
  run = laurel_store_get_run (laurel_project_get_store (again), id, NULL);
  second = laurel_store_get_run (laurel_project_get_store (again), waiting, NULL);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_INTERRUPTED);
  g_assert_cmpint (second->status, ==, LAUREL_RUN_STOPPED);
  g_assert_cmpint (laurel_project_resume_run (again, waiting, &error), ==, waiting);
  g_assert_true (laurel_project_wait (again, waiting, &error));
  g_assert_no_error (error);
}

static char *
get_sha256 (LaurelProject *project, const char *model)
{
  g_autoptr (LaurelModelRecord) record =
      laurel_store_get_model (laurel_project_get_store (project), model, NULL);

  g_assert_nonnull (record);
  return g_strdup (record->sha256);
}

/* Stopped in the middle and resumed: the same bytes as in one go, and no step measured twice. */
static void
test_resume_same_bytes (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 whole = start (project, fixture, "whole", 400);
  g_autoptr (GPtrArray) metrics = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GError) error = NULL;
  gint64 parts;

  g_assert_true (laurel_project_wait (project, whole, &error));
  g_assert_no_error (error);
  parts = start (project, fixture, "parts", 400);
  wait_for (project, 5, LAUREL_RUN_RUNNING);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, parts, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (laurel_project_resume_run (project, parts, &error), ==, parts);
  g_assert_true (laurel_project_wait (project, parts, &error));
  g_assert_no_error (error);
  first = get_sha256 (project, "whole");
  second = get_sha256 (project, "parts");
  g_assert_cmpstr (first, ==, second);
  metrics = laurel_store_list_metrics (laurel_project_get_store (project), parts, "loss", -1, NULL);
  g_assert_cmpuint (metrics->len, ==, 400);
}

static guint
count_losses (LaurelProject *project, gint64 id)
{
  g_autoptr (GPtrArray) metrics =
      laurel_store_list_metrics (laurel_project_get_store (project), id, "loss", -1, NULL);

  return metrics->len;
}

/* Its checkpoint's byte at @at from the front, or with a negative one from the back, is another. */
static void
damage (const char *path, gssize at)
{
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  bytes[at >= 0 ? (gsize) at : n - (gsize) -at] ^= 1;
  g_assert_true (laurel_file_write (path, bytes, n, NULL));
}

/* @at changed twice is as it was. */
static void
assert_damage_refused (LaurelProject *project, gint64 id, const char *path, gssize at)
{
  guint n = count_losses (project, id);
  g_autoptr (GError) error = NULL;

  damage (path, at);
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_assert_error (error, LAUREL_ERROR, LAUREL_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "remove it and resume"));
  g_assert_cmpuint (count_losses (project, id), ==, n);
  damage (path, at);
}

/* A checkpoint that is damaged anywhere costs no metric; without one the run starts anew. */
static void
test_damaged_checkpoint (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 id = start (project, fixture, "one", 400);
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT, id);
  g_autofree char *path = g_build_filename (laurel_project_get_path (project), "runs", name,
                                            "checkpoint.laurel", NULL);
  g_autoptr (GError) error = NULL;

  wait_for (project, 5, LAUREL_RUN_RUNNING);
  laurel_project_stop_job (project);
  g_assert_false (laurel_project_wait (project, id, &error));
  g_clear_error (&error);
  /* What a killed run would have written after its checkpoint. */
  g_assert_true (laurel_store_add_metric (laurel_project_get_store (project), id, 400, "loss", 9.0,
                                          NULL));
  assert_damage_refused (project, id, path, 0);
  assert_damage_refused (project, id, path, 14);
  assert_damage_refused (project, id, path, 16);
  assert_damage_refused (project, id, path, -100);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_losses (project, id), ==, 400);
}

/* A power cut after a checkpoint must not cost what the run reported before it. */
static void
test_synced_first (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autoptr (GError) error = NULL;
  gint64 id;

  g_atomic_int_set (&n_log_syncs, 0);
  n_log_syncs_before_checkpoint = -1;
  id = start (project, fixture, "one", 3); /* which writes the last step's checkpoint alone */
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  g_assert_cmpint (n_log_syncs_before_checkpoint, ==, 1);
}

static void
count_changes_cb (LaurelProject *project, gint64 id, int *n)
{
  ++*n;
}

/* That a run waits again is told at once, not when it begins. */
static void
test_resume_tells (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  gint64 id = start (project, fixture, "one", 3);
  g_autoptr (GError) error = NULL;
  int n = 0;

  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_true (laurel_store_set_run_status (laurel_project_get_store (project), id,
                                              LAUREL_RUN_INTERRUPTED, "", NULL));
  g_signal_connect (project, "run-changed", G_CALLBACK (count_changes_cb), &n);
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_cmpint (n, ==, 1);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
}

/* A run that was killed after its model's row and before its own can be resumed: it is done. */
static void
test_resume_after_model (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  LaurelStore *store = laurel_project_get_store (project);
  gint64 id = start (project, fixture, "made", 3);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autoptr (LaurelRun) run = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  before = get_sha256 (project, "made");
  g_assert_true (laurel_store_set_run_status (store, id, LAUREL_RUN_INTERRUPTED, "", NULL));
  g_assert_cmpint (laurel_project_resume_run (project, id, &error), ==, id);
  g_assert_true (laurel_project_wait (project, id, &error));
  g_assert_no_error (error);
  after = get_sha256 (project, "made");
  run = laurel_store_get_run (store, id, NULL);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpint (run->status, ==, LAUREL_RUN_DONE);
}

/* What a killed process was writing into models/ goes at the next opening; a live one's stays. */
static void
test_half_written_models (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (LaurelProject) project = fixture_make_project (fixture, "p.laurel");
  g_autofree char *path = g_strdup (laurel_project_get_path (project));
  g_autofree char *us = laurel_process_dup_identity ();
  g_autofree char *live_name = g_strconcat (".new-", us, "-abcdef", NULL);
  g_autofree char *live = g_build_filename (path, "models", live_name, NULL);
  g_autofree char *dead = g_build_filename (path, "models", ".new-1:1:another-abcdef", NULL);
  g_autofree char *old = g_build_filename (path, "models", ".new-abcdef", NULL);
  g_autofree char *model = g_build_filename (path, "models", "blank", NULL);
  g_autoptr (LaurelProject) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (laurel_file_make_directory (live, NULL));
  g_assert_true (laurel_file_make_directory (dead, NULL));
  g_assert_true (laurel_file_make_directory (old, NULL));
  laurel_project_close (project);
  again = laurel_project_open (path, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_test (live, G_FILE_TEST_IS_DIR));
  g_assert_false (g_file_test (dead, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (old, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (model, G_FILE_TEST_IS_DIR));
}

static void
add (const char *path, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, fixture_set_up, test, fixture_tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/project/trainer/pause-stop", test_pause_stop);
  add ("/project/trainer/taken-name", test_taken_name);
  add ("/project/trainer/late-stop", test_late_stop);
  add ("/project/trainer/close-interrupts", test_close_interrupts);
  add ("/project/trainer/resume-same-bytes", test_resume_same_bytes);
  add ("/project/trainer/damaged-checkpoint", test_damaged_checkpoint);
  add ("/project/trainer/synced-first", test_synced_first);
  add ("/project/trainer/resume-tells", test_resume_tells);
  add ("/project/trainer/resume-after-model", test_resume_after_model);
  add ("/project/trainer/half-written-models", test_half_written_models);
  return g_test_run ();
}
